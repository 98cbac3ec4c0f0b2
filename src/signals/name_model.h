#pragma once

// The weights of the name tagger (name_tagger.h): a word list with flags, a table of int8 rows that
// features hash into, and the transitions between tags. The shipped file, models/names.bin, is part
// of the program image, so it is always there and costs memory only where it is read. A view;
// immutable and thread-safe.

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace vsr::signals {

// One lane of a row per tag. Places and organisations are told apart from people and streets, but
// not reported. The rows of Chinese names use the first three lanes for "no name", "one character
// after the surname" and "two characters".
enum class Tag : uint8_t {
  kOutside,
  kPersonBegin,
  kPersonInside,
  kStreetBegin,
  kStreetInside,
  kPlace,
  kOrganisation,
};
constexpr size_t kTags = 7;
constexpr size_t kLanes = 8;
constexpr size_t kCjkOutcomes = 3;

// What the word list knows of a word; a word may be several.
enum WordFlag : uint8_t {
  kGivenFlag = 1,
  kFamilyFlag = 2,
  kPlaceFlag = 4,
  kCommonFlag = 8,  // written in lower case in ordinary text
  kFamousFlag = 16,
  kParticleFlag = 32,  // "van", "de la", "bin"
  kStreetFlag = 64,    // "Street", "rue", "Apt"
  kBodyFlag = 128,     // "Ltd", "University", "Bank"
};

using TagScores = std::array<float, kLanes>;

struct NameModel {
  uint32_t row_bits = 0;
  float scale = 1;    // a weight is scale × int8
  TagScores start{};  // of the first tag of a run, unnormalised logarithms like all scores
  std::array<TagScores, kLanes> transition{};
  TagScores bias{};
  TagScores cjk_bias{};
  std::span<const int8_t> rows;       // 2^row_bits × kLanes
  std::span<const uint32_t> lexicon;  // 2^n slots: 24 bits of the hash, 8 of flags; 0 is empty

  uint8_t flags_of(uint32_t word_hash) const;
};

constexpr uint32_t lexicon_entry(uint32_t word_hash, uint8_t flags) {
  return (word_hash & 0xFFFFFF00U) | flags;
}
constexpr uint32_t lexicon_slot(uint32_t word_hash) { return word_hash * 0x9E3779B1U >> 12; }

std::string encode_names(const NameModel& model);
// Keeps views into `bytes`, which must be aligned to 8.
Result<NameModel> parse_names(std::string_view bytes);

const NameModel& shipped_names();

}  // namespace vsr::signals
