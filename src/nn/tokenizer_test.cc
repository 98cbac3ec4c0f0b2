// The tokenizer with the shipped vocabulary against the reference's: 10,000 texts made by the rule
// in models/tokenizer_hashes, compared by the hashes of their ids.
#include <gtest/gtest.h>

#include <charconv>
#include <fstream>
#include <sstream>

#include "nn/encoder_file.h"
#include "nn/mapped_file.h"
#include "text/utf8.h"
#include "text/wordpiece.h"

namespace vsr::nn {
namespace {

const std::string kFolder = std::string(VSR_TEST_DIR) + "/testdata/tokenizer/";
constexpr uint64_t kTexts = 10'000;
constexpr size_t kLongLine = 20'000;

std::string read_all(const std::string& name) {
  std::ifstream in(kFolder + name, std::ios::binary);
  EXPECT_TRUE(in) << kFolder + name;
  return std::string(std::istreambuf_iterator<char>(in), {});
}

std::vector<std::string> lines_of(const std::string& name) {
  std::istringstream in(read_all(name));
  std::vector<std::string> out;
  for (std::string line; std::getline(in, line);) out.push_back(line);
  return out;
}

class SplitMix64 {
 public:
  explicit SplitMix64(uint64_t state) : state_(state) {}
  uint64_t below(uint64_t k) {
    uint64_t z = state_ += 0x9E3779B97F4A7C15ull;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return (z ^ (z >> 31)) % k;
  }

 private:
  uint64_t state_;
};

class Texts {
 public:
  Texts() : pieces_(lines_of("pieces.txt")) {
    for (const std::string& line : lines_of("ranges.txt")) {
      uint32_t first = 0;
      uint32_t last = 0;
      const char* const dash = line.data() + line.find('-');
      std::from_chars(line.data(), dash, first, 16);
      std::from_chars(dash + 1, line.data() + line.size(), last, 16);
      ranges_.emplace_back(first, last);
    }
  }

  std::string make(uint64_t n) const {
    SplitMix64 draw(n);
    std::string text;
    size_t characters = 0;
    const auto put = [&](uint64_t c) {
      text::append_utf8(static_cast<char32_t>(c), text);
      ++characters;
    };
    for (uint64_t parts = 1 + draw.below(24); parts > 0; --parts) {
      const uint64_t kind = draw.below(8);
      if (kind < 4) {
        const std::string& piece = pieces_[draw.below(pieces_.size())];
        text += piece;
        for (const char c : piece) characters += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
      } else if (kind < 6) {
        const auto [first, last] = ranges_[draw.below(ranges_.size())];
        for (uint64_t i = 1 + draw.below(8); i > 0; --i) put(first + draw.below(last - first + 1));
      } else if (kind == 6) {
        for (uint64_t i = 1 + draw.below(12); i > 0; --i) put(0x20 + draw.below(95));
      } else {
        put('a' + draw.below(26));
        for (uint64_t i = 1 + draw.below(4); i > 0; --i) put(0x300 + draw.below(112));
      }
      if (n % 16 != 7 && draw.below(2) == 1) put(' ');
    }
    if (n % 64 != 63) return text;
    std::string line;
    for (size_t have = 0; have < kLongLine; have += characters) line += text;
    return line;
  }

 private:
  std::vector<std::string> pieces_;
  std::vector<std::pair<uint32_t, uint32_t>> ranges_;
};

uint64_t hash_of(const std::vector<uint32_t>& ids) {
  uint64_t h = 0xCBF29CE484222325ull;
  for (const uint32_t id : ids) h = (h ^ id) * 0x100000001B3ull;
  return h;
}

TEST(ShippedTokenizer, AgreesWithTheReference) {
  const auto file =
      MappedFile::open(std::string(VSR_SOURCE_DIR) + "/models/encoder.bin", "encoder");
  ASSERT_TRUE(file);
  const auto parameters = read_encoder(file->view());
  ASSERT_TRUE(parameters);
  const auto tokenizer = text::WordPiece::make(parameters->vocabulary);
  ASSERT_TRUE(tokenizer);
  const std::string hashes = read_all("hashes.bin");
  ASSERT_EQ(hashes.size(), kTexts * sizeof(uint64_t));

  const Texts texts;
  size_t different = 0;
  std::vector<uint32_t> ids;
  for (uint64_t n = 0; n < kTexts && different < 10; ++n) {
    const std::string text = texts.make(n);
    ids.clear();
    tokenizer->encode(text, ids);
    uint64_t want = 0;
    std::memcpy(&want, hashes.data() + n * sizeof want, sizeof want);
    EXPECT_EQ(hash_of(ids), want) << "text " << n << ": " << text.substr(0, 400);
    different += hash_of(ids) != want;
  }
}

}  // namespace
}  // namespace vsr::nn
