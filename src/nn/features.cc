#include "nn/features.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/strings.h"
#include "text/normalize.h"
#include "text/script.h"
#include "text/utf8.h"

namespace vsr::nn {
namespace {

constexpr uint64_t kMultiplier = 0x9E3779B97F4A7C15ull;
constexpr uint64_t kStep = 0xD6E8FEB86659FD93ull;
// Characters of a word that are looked at as one; a longer run is read as several words.
constexpr size_t kWordMax = 64;
// Every number is a shape, not a value: 1776 and 1984 are both "0000".
constexpr char32_t kDigit = U'0';
constexpr char32_t kBorder = U'\x02';

constexpr uint64_t extend(uint64_t hash, char32_t c) { return (hash + c + 1) * kStep; }
// One hash space per group, so that a word and an n-gram of the same letters differ.
constexpr uint64_t salt(Group group) { return kMultiplier * (2 * group + 3); }

uint64_t hash_of(std::span<const char32_t> characters) {
  uint64_t hash = 0;
  for (const char32_t c : characters) hash = extend(hash, c) ^ (hash >> 29);
  return hash;
}

bool is_code_sign(char32_t c) {
  return c < 0x80 && std::string_view("{}[]()<>=;_\\/*+|&^%$#@`~").contains(static_cast<char>(c));
}

// Where to end a block that starts at the beginning of `rest`: behind a space if there is one in
// the second half, else between two characters.
size_t block_end(std::string_view rest, size_t block_bytes) {
  if (rest.size() <= block_bytes) return rest.size();
  for (size_t at = block_bytes; at > block_bytes / 2; --at) {
    if (is_ascii_space(rest[at - 1])) return at;
  }
  const size_t at = text::floor_code_point(rest, block_bytes);
  return at > 0 ? at : block_bytes;
}

float share(uint64_t part, uint64_t whole) {
  return whole == 0 ? 0 : static_cast<float>(part) / static_cast<float>(whole);
}

float log_scaled(uint64_t count, float log2_of_one) {
  return std::log2(1 + static_cast<float>(count)) / log2_of_one;
}

}  // namespace

BlockReader::BlockReader(std::string_view text, const FeatureConfig& config)
    : rest_(text), config_(config) {}

void BlockReader::add(Block& block, Group group, uint64_t hash) {
  const auto bucket =
      static_cast<uint32_t>(((hash ^ salt(group)) * kMultiplier) >> (64 - config_.bucket_bits));
  uint64_t& bits = seen_[bucket / 64];
  const uint64_t bit = uint64_t{1} << (bucket % 64);
  uint32_t& count = block.counts_[group];
  if ((bits & bit) != 0 || count == kGroupMax) return;
  bits |= bit;
  block.buckets_[group][count++] = bucket;
}

void BlockReader::add_token(Block& block, uint64_t hash) {
  add(block, kWords, hash);
  add(block, kPhrases, previous_token_ * kStep + hash);
  previous_token_ = hash;
}

void BlockReader::add_word(Block& block, std::span<const char32_t> word) {
  ++counts_.words;
  counts_.word_characters += word.size();
  add_token(block, hash_of(word));
  std::array<char32_t, kWordMax + 2> bordered;
  bordered[0] = kBorder;
  std::ranges::copy(word, bordered.begin() + 1);
  bordered[word.size() + 1] = kBorder;
  const size_t length = word.size() + 2;
  for (size_t begin = 0; begin + config_.gram_min <= length; ++begin) {
    uint64_t hash = 0;
    const size_t longest = std::min<size_t>(config_.gram_max, length - begin);
    for (size_t n = 1; n <= longest; ++n) {
      hash = extend(hash, bordered[begin + n - 1]);
      if (n >= config_.gram_min) add(block, kGrams, hash ^ (hash >> 31));
    }
  }
}

void BlockReader::add_cjk(Block& block, std::span<const char32_t> run) {
  // One to four characters; two are about a word, three and four about a phrase.
  constexpr std::array<Group, 4> kGroupOf = {kGrams, kWords, kPhrases, kPhrases};
  counts_.words += (run.size() + 1) / 2;
  counts_.word_characters += run.size();
  counts_.cjk += run.size();
  for (size_t begin = 0; begin < run.size(); ++begin) {
    for (size_t n = 1; n <= std::min(kGroupOf.size(), run.size() - begin); ++n) {
      add(block, kGroupOf[n - 1], hash_of(run.subspan(begin, n)));
    }
  }
  previous_token_ = hash_of(run.last(std::min<size_t>(2, run.size())));
}

void BlockReader::read_normalized(Block& block) {
  std::array<char32_t, kWordMax> word;
  size_t length = 0;
  bool word_is_cjk = false;
  const auto flush = [&] {
    if (length == 0) return;
    const std::span<const char32_t> characters(word.data(), length);
    word_is_cjk ? add_cjk(block, characters) : add_word(block, characters);
    length = 0;
  };
  for (size_t at = 0; at < normal_.size();) {
    char32_t c = text::next_code_point(normal_, at);
    ++counts_.characters;
    if (text::is_word(c)) {
      const bool cjk = text::is_cjk(c);
      if (c < 0x80 && is_ascii_digit(static_cast<char>(c))) c = kDigit;
      if (length == kWordMax || cjk != word_is_cjk) flush();
      word_is_cjk = cjk;
      word[length++] = c;
      previous_sign_ = 0;
      continue;
    }
    flush();
    if (c < 0x80 && is_ascii_space(static_cast<char>(c))) continue;
    // A row of the same sign counts once.
    if (c != previous_sign_) add_token(block, extend(1, c));
    previous_sign_ = c;
  }
  flush();
}

void BlockReader::measure_raw(std::string_view raw) {
  for (size_t at = 0; at < raw.size();) {
    const char32_t c = text::next_code_point(raw, at);
    if (c >= 0x80) {
      const text::Script script = text::script_of(c);
      if (script != text::Script::kCommon && script != text::Script::kLatin &&
          !text::is_cjk(script)) {
        ++counts_.other_script;
      }
      if (c == U'？') ++counts_.questions;
      continue;
    }
    if (c >= 'A' && c <= 'Z') {
      ++counts_.upper;
    } else if (c >= '0' && c <= '9') {
      ++counts_.digits;
    } else if (c == '\n') {
      ++counts_.lines;
      const bool option = at + 1 < raw.size() && raw[at] >= 'A' && raw[at] <= 'J' &&
                          (raw[at + 1] == '.' || raw[at + 1] == ')' || raw[at + 1] == ':');
      if (option) ++counts_.options;
    } else if (is_code_sign(c)) {
      ++counts_.code;
    } else if (c == '?') {
      ++counts_.questions;
    } else if (c > ' ' && !text::is_word(c)) {
      ++counts_.punctuation;
    }
  }
}

bool BlockReader::next(Block& block) {
  if (rest_.empty()) return false;
  const std::string_view raw = rest_.substr(0, block_end(rest_, config_.block_bytes));
  rest_.remove_prefix(raw.size());
  block.counts_ = {};
  measure_raw(raw);
  text::normalize(raw, normal_);
  read_normalized(block);
  for (size_t g = 0; g < kGroups; ++g) {
    for (const uint32_t bucket : block.group(static_cast<Group>(g))) seen_[bucket / 64] = 0;
  }
  return true;
}

Shape BlockReader::shape() const {
  const Counts& c = counts_;
  Shape shape{};
  shape[0] = log_scaled(c.characters, 12);
  shape[1] = log_scaled(c.words, 10);
  shape[2] = log_scaled(c.lines, 6);
  shape[3] = share(c.digits, c.characters);
  shape[4] = share(c.upper, c.characters);
  shape[5] = share(c.punctuation, c.characters) * 4;
  shape[6] = share(c.code, c.characters) * 4;
  shape[7] = log_scaled(c.questions, 3);
  shape[8] = log_scaled(c.options, 4);
  shape[kCjkShare] = share(c.cjk, c.characters);
  shape[10] = share(c.other_script, c.characters);
  shape[11] = share(c.word_characters, c.words) / 10;
  // Length in words, one of eight classes: 0-2, 3-5, 6-11, 12-23, 24-47, 48-95, 96-191, more.
  constexpr size_t kClasses = kShapeDims - 12;
  const size_t length_class = std::bit_width(c.words / 3);
  shape[12 + std::min<size_t>(length_class, kClasses - 1)] = 1;
  return shape;
}

}  // namespace vsr::nn
