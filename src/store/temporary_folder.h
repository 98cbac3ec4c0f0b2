#pragma once

// A folder for one test, removed with this object.

#include <stdlib.h>

#include <filesystem>
#include <string>

#include "base/check.h"

namespace vsr::store::fixture {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "vsr-store-XXXXXX").string();
    VSR_CHECK(::mkdtemp(name.data()) != nullptr, "no folder {}", name);
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::string& path() const { return path_; }
  std::string file(std::string_view name) const { return path_ + "/" + std::string(name); }

 private:
  std::string path_;
};

}  // namespace vsr::store::fixture
