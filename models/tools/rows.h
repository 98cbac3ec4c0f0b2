#pragma once

// Training rows as `models/train` writes them: one line each, tab-separated
//   head  id  use  holdout  weight  label  text
// use is fit, dev or none; label is a class index, or a share 0..1 for heads of one column; \\, \n
// and \t in the text are escaped. A malformed line ends the program.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "nn/features.h"
#include "nn/heads.h"
#include "tools/lines.h"

namespace vsr::models {

enum class Use : uint8_t { kFit, kDev, kNone };

// The heads and the columns that they train.
struct HeadSpec {
  std::string_view name;
  size_t column;
  size_t outputs;  // 1: logistic; more: softmax
  bool windowed;   // the strongest window counts, without the shape vector
};
inline constexpr HeadSpec kHeadSpecs[] = {
    {"domain", nn::kDomainColumn, nn::kDomains, false},
    {"jailbreak", nn::kJailbreakColumn, 1, true},
    {"harmful", nn::kHarmfulColumn, 1, true},
    {"tier", nn::kTierColumn, nn::kTiers, false},
    {"difficulty", nn::kDifficultyColumn, 1, false},
};
const HeadSpec& head_spec(std::string_view name);

// A text as features: per block and group, the buckets.
struct Features {
  struct Part {
    std::vector<uint32_t> buckets;
    std::array<uint32_t, nn::kGroups> ends;  // of each group in `buckets`
  };
  std::vector<Part> blocks;  // at least one
  nn::Shape shape;
};
Features features_of(std::string_view text, const nn::FeatureConfig& config);

struct Row {
  std::string id;
  Use use;
  std::string holdout;
  float weight;
  float label;
  std::string text;
};
// The rows of one head, in file order.
std::vector<Row> read_rows(const std::string& path, std::string_view head);

}  // namespace vsr::models
