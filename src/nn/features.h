#pragma once

// Hashed features of a text: words, phrases (neighbouring pairs) and characters (n-grams), each a
// bucket number, and a small vector of shape (lengths, shares of digits, code signs, scripts).
// The one place that computes them: the trainer and the router both read text through BlockReader.
// A reader belongs to one thread and lives on the stack; the text must outlive it.

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace vsr::nn {

// Any change to what a text turns into must raise this: weights are only valid for one version.
inline constexpr uint32_t kFeatureVersion = 1;

struct FeatureConfig {
  uint32_t bucket_bits = 18;
  uint32_t gram_min = 3;  // characters of an n-gram inside a word, its two borders included
  uint32_t gram_max = 5;
  uint32_t block_bytes = 512;
  bool operator==(const FeatureConfig&) const = default;
};
inline constexpr uint32_t kBucketBitsMin = 8;
inline constexpr uint32_t kBucketBitsMax = 18;
inline constexpr uint32_t kGramMax = 8;
inline constexpr uint32_t kBlockBytesMin = 64;
inline constexpr uint32_t kBlockBytesMax = 1024;

enum Group : uint8_t { kWords, kPhrases, kGrams };
inline constexpr size_t kGroups = 3;
// Buckets of one group in one block; what would be beyond is left out.
inline constexpr size_t kGroupMax = 4096;

// Whole-text measures, each roughly within 0..1.
inline constexpr size_t kShapeDims = 20;
inline constexpr size_t kCjkShare = 9;  // of the characters
using Shape = std::array<float, kShapeDims>;

// The features of one stretch of text; no bucket occurs twice.
class Block {
 public:
  std::span<const uint32_t> group(Group g) const { return {buckets_[g].data(), counts_[g]}; }

 private:
  friend class BlockReader;
  std::array<uint32_t, kGroups> counts_{};
  std::array<std::array<uint32_t, kGroupMax>, kGroups> buckets_;
};

// Cuts a text into blocks of about config.block_bytes, at spaces where there are any.
class BlockReader {
 public:
  BlockReader(std::string_view text, const FeatureConfig& config);
  // False at the end. An empty text has no block.
  bool next(Block& block);
  size_t left() const { return rest_.size(); }  // bytes not read yet
  // Measures of what was read so far; call it after the last block.
  Shape shape() const;

 private:
  struct Counts {
    uint64_t characters = 0, words = 0, word_characters = 0, lines = 0, digits = 0, upper = 0,
             punctuation = 0, code = 0, questions = 0, options = 0, cjk = 0, other_script = 0;
  };
  void add(Block& block, Group group, uint64_t hash);
  void add_word(Block& block, std::span<const char32_t> word);
  void add_cjk(Block& block, std::span<const char32_t> run);
  void add_token(Block& block, uint64_t hash);
  void read_normalized(Block& block);
  void measure_raw(std::string_view raw);

  std::string_view rest_;
  const FeatureConfig config_;
  uint64_t previous_token_ = 0;
  char32_t previous_sign_ = 0;
  Counts counts_;
  std::string normal_;
  // Buckets of the current block; all zero between blocks.
  std::array<uint64_t, (size_t{1} << kBucketBitsMax) / 64> seen_{};
};

}  // namespace vsr::nn
