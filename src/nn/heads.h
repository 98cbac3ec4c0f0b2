#pragma once

// Names and order of the linear heads. A weight row holds one column per output; the order is part
// of the weight file's checksum of labels, so a file trained for other labels is refused.

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
inline constexpr size_t kDomains = kDomainLabels.size();
inline constexpr size_t kTiers = kTierLabels.size();

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

// XXH3 of all labels in order.
uint64_t labels_hash();

}  // namespace vsr::nn
