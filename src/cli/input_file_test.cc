#include "cli/input_file.h"

#include <gtest/gtest.h>

#include <filesystem>

namespace vsr::cli {
namespace {

TEST(InputFile, SaysWhatIsWrongWithTheName) {
  EXPECT_EQ(open_input("/").error().message, "/ is a directory; give a file");
  EXPECT_EQ(read_input("/").error().message, "/ is a directory; give a file");
  EXPECT_EQ(read_input("/no/such/file").error().message,
            "/no/such/file cannot be read; check its name");
}

TEST(InputFile, ReadsAllOfIt) {
  const std::string path = testing::TempDir() + "vsr_input_file_test";
  const std::string text = std::string(200'000, 'x') + "\nend";
  std::ofstream(path, std::ios::binary) << text;
  EXPECT_EQ(read_input(path).value(), text);
  std::filesystem::remove(path);
}

TEST(InputFile, AFileWithoutAnEndIsRefused) {
  EXPECT_EQ(read_input("/dev/zero").error().message, "/dev/zero has more than 256 MiB");
}

}  // namespace
}  // namespace vsr::cli
