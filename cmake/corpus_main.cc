// Runs a fuzz target over every file of a corpus folder, so that the corpus is a unit test of the
// ordinary build. Each file is also fed cut at a few places, since a cut is the commonest mistake.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s CORPUS_FOLDER\n", argv[0]);
    return 2;
  }
  constexpr int kCuts = 16;
  int files = 0;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(argv[1], error)) {
    std::ifstream in(entry.path(), std::ios::binary);
    const std::vector<char> bytes{std::istreambuf_iterator<char>(in), {}};
    for (int cut = 1; cut <= kCuts; ++cut) {
      // An exactly sized heap copy, so that a read past the end is a read past the allocation.
      const std::vector<uint8_t> input(bytes.begin(), bytes.begin() + bytes.size() * cut / kCuts);
      LLVMFuzzerTestOneInput(input.data(), input.size());
    }
    ++files;
  }
  if (files == 0) {
    std::fprintf(stderr, "%s holds no corpus file\n", argv[1]);
    return 1;
  }
  std::printf("%d corpus files, %d inputs\n", files, files * kCuts);
  return 0;
}
