#pragma once

// An exclusive hold on a folder's store by one process, as long as this object lives. Ends with the
// process, however it ends.

#include <string>

#include "base/result.h"

namespace vsr::store {

class FileLock {
 public:
  // The error names the process that holds the lock.
  static Result<FileLock> acquire(const std::string& path);
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&& other) noexcept;
  ~FileLock();

 private:
  explicit FileLock(int fd) : fd_(fd) {}
  int fd_ = -1;
};

}  // namespace vsr::store
