#include "nn/mapped_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace vsr::nn {

MappedFile::MappedFile(std::string bytes) {
  const auto owned = std::make_shared<const std::string>(std::move(bytes));
  view_ = *owned;
  owner_ = owned;
}

MappedFile::MappedFile(void* mapped, size_t size)
    : owner_(mapped, [size](const void* at) { ::munmap(const_cast<void*>(at), size); }),
      view_(static_cast<const char*>(mapped), size) {}

Result<MappedFile> MappedFile::open(const std::string& path, std::string_view what) {
  const auto failed = [&](int error) {
    const ErrorCode code = error == ENOENT ? ErrorCode::kNotFound : ErrorCode::kIo;
    return fail(code, fmt::format("{} {}: {}", what, path, std::strerror(error)));
  };
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return failed(errno);
  struct stat info{};
  if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode) || info.st_size == 0) {
    ::close(fd);
    return fail(ErrorCode::kCorrupt, fmt::format("{} {}: not a weight file", what, path));
  }
  const auto size = static_cast<size_t>(info.st_size);
  void* const mapped = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
  const int error = errno;
  ::close(fd);
  if (mapped == MAP_FAILED) return failed(error);
  return MappedFile(mapped, size);
}

}  // namespace vsr::nn
