#include "app/recipe_versions.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/strings.h"
#include "config/load.h"

namespace vsr::app {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kExtension = ".yaml";

// "000012-479f0ccfbfacd331-put.yaml"
bool parse_name(std::string_view name, RecipeVersion& out) {
  if (!name.ends_with(kExtension)) return false;
  name.remove_suffix(kExtension.size());
  const std::vector<std::string_view> parts = split(name, '-');
  if (parts.size() != 3) return false;
  if (!parse_number(parts[0], out.id)) return false;
  out.policy = parts[1];
  out.source = parts[2];
  return true;
}

Status write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return fail(ErrorCode::kInternal, std::strerror(errno));
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return fsync(fd) == 0 ? Status() : fail(ErrorCode::kInternal, std::strerror(errno));
}

}  // namespace

Status replace_file(const std::string& path, std::string_view bytes) {
  struct stat before{};
  const mode_t mode = stat(path.c_str(), &before) == 0 ? before.st_mode & 07777 : 0600;
  const std::string fresh = path + ".new";
  const int fd = open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  Status done = fd < 0 ? fail(ErrorCode::kInternal, std::strerror(errno)) : write_all(fd, bytes);
  if (fd >= 0) {
    if (done && fchmod(fd, mode) != 0) done = fail(ErrorCode::kInternal, std::strerror(errno));
    close(fd);
  }
  if (done && rename(fresh.c_str(), path.c_str()) != 0) {
    done = fail(ErrorCode::kInternal, std::strerror(errno));
  }
  if (done) return done;
  unlink(fresh.c_str());
  return fail(ErrorCode::kInternal, fmt::format("cannot write {}: {}", path, done.error().message));
}

std::string RecipeVersions::path_of(const RecipeVersion& version) const {
  return fmt::format("{}/{:06}-{}-{}{}", folder_, version.id, version.policy, version.source,
                     kExtension);
}

std::vector<RecipeVersion> RecipeVersions::list() const {
  std::vector<RecipeVersion> out;
  std::error_code error;
  for (fs::directory_iterator it(folder_, error), end; !error && it != end; it.increment(error)) {
    RecipeVersion version;
    struct stat info{};
    if (!parse_name(it->path().filename().string(), version)) continue;
    if (stat(it->path().c_str(), &info) != 0) continue;
    version.bytes = static_cast<uint64_t>(info.st_size);
    version.activated_at =
        static_cast<UnixMillis>(info.st_mtim.tv_sec) * 1000 + info.st_mtim.tv_nsec / 1'000'000;
    out.push_back(std::move(version));
  }
  std::ranges::sort(out, std::greater(), &RecipeVersion::id);
  return out;
}

Result<std::string> RecipeVersions::text(uint64_t id) const {
  for (const RecipeVersion& version : list()) {
    if (version.id == id) return config::read_recipe(path_of(version));
  }
  return fail(ErrorCode::kNotFound,
              fmt::format("there is no version {}; the {} newest are kept", id, kVersionsKept),
              ErrorSource::kClient);
}

Result<uint64_t> RecipeVersions::keep(std::string_view text, std::string_view policy,
                                      std::string_view source) {
  std::error_code error;
  fs::create_directories(folder_, error);
  if (error) {
    return fail(ErrorCode::kInternal,
                fmt::format("cannot make the folder {}: {}", folder_, error.message()));
  }
  const std::vector<RecipeVersion> before = list();
  if (!before.empty()) {
    const Result<std::string> newest = config::read_recipe(path_of(before.front()));
    if (newest && *newest == text) return before.front().id;
  }
  RecipeVersion version;
  version.id = before.empty() ? 1 : before.front().id + 1;
  version.policy = policy;
  version.source = source;
  if (const Status done = replace_file(path_of(version), text); !done) {
    return std::unexpected(done.error());
  }
  for (size_t i = kVersionsKept - 1; i < before.size(); ++i) {
    fs::remove(path_of(before[i]), error);
  }
  return version.id;
}

}  // namespace vsr::app
