#include "store/file_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/strings.h"

namespace vsr::store {
namespace {

std::string holder_of(int fd) {
  char text[32] = {};
  const ssize_t bytes = ::pread(fd, text, sizeof(text) - 1, 0);
  const std::string_view pid = trim(std::string_view(text, bytes > 0 ? bytes : 0));
  return pid.empty() ? std::string("another process") : fmt::format("process {}", pid);
}

}  // namespace

Result<FileLock> FileLock::acquire(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) {
    return fail(ErrorCode::kPermissionDenied,
                fmt::format("{} cannot be made ({}); give this user a state folder it can write",
                            path, std::strerror(errno)));
  }
  FileLock lock(fd);
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    return fail(ErrorCode::kAlreadyExists,
                fmt::format("{} is held by {}; stop it, or start this one with another state "
                            "folder",
                            path, holder_of(fd)));
  }
  const std::string pid = fmt::format("{}\n", ::getpid());
  // The content only helps the message above: a failure to write it changes nothing.
  if (::ftruncate(fd, 0) == 0) (void)!::pwrite(fd, pid.data(), pid.size(), 0);
  return lock;
}

FileLock::FileLock(FileLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

FileLock::~FileLock() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace vsr::store
