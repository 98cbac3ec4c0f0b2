#pragma once

// Names and order of the trained heads. Both weight files, of the n-grams and of the encoder, hold
// one column per output; the order is part of their hash of labels, so a file trained for other
// labels is refused.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace vsr::nn {

inline constexpr auto kDomainLabels = std::to_array<std::string_view>(
    {"biology", "business", "chemistry", "computer science", "economics", "engineering", "health",
     "history", "law", "math", "other", "philosophy", "physics", "psychology"});
inline constexpr auto kTierLabels =
    std::to_array<std::string_view>({"SIMPLE", "MEDIUM", "COMPLEX", "REASONING"});
inline constexpr auto kFeedbackLabels = std::to_array<std::string_view>(
    {"satisfied", "need_clarification", "wrong_answer", "want_different", "none"});
inline constexpr size_t kDomains = kDomainLabels.size();
inline constexpr size_t kTiers = kTierLabels.size();
inline constexpr size_t kFeedbacks = kFeedbackLabels.size();

// Columns of a weight row.
inline constexpr size_t kDomainColumn = 0;
inline constexpr size_t kJailbreakColumn = kDomainColumn + kDomains;
inline constexpr size_t kHarmfulColumn = kJailbreakColumn + 1;
inline constexpr size_t kTierColumn = kHarmfulColumn + 1;
inline constexpr size_t kDifficultyColumn = kTierColumn + kTiers;
inline constexpr size_t kUsedColumns = kDifficultyColumn + 1;
// Padded to three vectors of eight.
inline constexpr size_t kColumns = 24;
static_assert(kUsedColumns <= kColumns);

// Columns of the encoder's heads: the same, and feedback, which n-grams do not tell.
inline constexpr size_t kFeedbackColumn = kUsedColumns;
inline constexpr size_t kEncoderColumns = kFeedbackColumn + kFeedbacks;

// XXH3 of the labels that the n-gram heads have, in order.
uint64_t labels_hash();
// Of those of the encoder's heads.
uint64_t encoder_labels_hash();

}  // namespace vsr::nn
