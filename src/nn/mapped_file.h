#pragma once

// The bytes of a weight file: a read-only mapping of it, or a string in its place. Move-only; views
// into it live as long as it does, wherever it is moved.

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace vsr::nn {

class MappedFile {
 public:
  // The error names the file and what kind of file was wanted (`what`, as in "head weights").
  static Result<MappedFile> open(const std::string& path, std::string_view what);
  explicit MappedFile(std::string bytes);

  std::string_view view() const { return view_; }

 private:
  MappedFile(void* mapped, size_t size);

  std::shared_ptr<const void> owner_;
  std::string_view view_;
};

}  // namespace vsr::nn
