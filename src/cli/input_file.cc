#include "cli/input_file.h"

#include <fmt/format.h>

#include <filesystem>
#include <iostream>

namespace vsr::cli {

Result<std::ifstream> open_input(const std::string& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    return fail(ErrorCode::kInvalidArgument, path + " is a directory; give a file");
  }
  std::ifstream in(path, std::ios::binary);
  if (!in) return fail(ErrorCode::kNotFound, path + " cannot be read; check its name");
  return in;
}

Result<std::string> read_input(const std::string& path) {
  std::ifstream file;
  if (path != "-") {
    Result<std::ifstream> opened = open_input(path);
    if (!opened) return std::unexpected(opened.error());
    file = std::move(*opened);
  }
  std::istream& in = path == "-" ? std::cin : static_cast<std::istream&>(file);
  constexpr size_t kStepBytes = 1UL << 16;
  std::string out;
  while (in) {
    const size_t begin = out.size();
    if (begin > kInputBytesMax) {
      return fail(ErrorCode::kTooLarge,
                  fmt::format("{} has more than {} MiB", path, kInputBytesMax >> 20));
    }
    out.resize(begin + kStepBytes);
    in.read(out.data() + begin, kStepBytes);
    out.resize(begin + static_cast<size_t>(in.gcount()));
  }
  return out;
}

}  // namespace vsr::cli
