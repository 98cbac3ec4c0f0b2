#include "nn/head_bank.h"

#include <algorithm>
#include <cmath>

#include "base/id.h"

namespace vsr::nn {
namespace {

// Sums of weights per group and column, and how many features they are of.
struct Sums {
  std::array<Columns, kGroups> of{};
  std::array<float, kGroups> count{};

  void add(const Sums& other) {
    for (size_t g = 0; g < kGroups; ++g) {
      count[g] += other.count[g];
      for (size_t c = 0; c < kColumns; ++c) of[g][c] += other.of[g][c];
    }
  }

  // A feature's value is 1/√n among the n of its group, so that length does not decide.
  Columns normalized() const {
    Columns out{};
    for (size_t g = 0; g < kGroups; ++g) {
      const float value = count[g] > 0 ? 1 / std::sqrt(count[g]) : 0;
      for (size_t c = 0; c < kColumns; ++c) out[c] += of[g][c] * value;
    }
    return out;
  }
};

// The hot loop: one row of kColumns bytes per feature.
Sums sum_rows(const Block& block, const int8_t* rows) {
  constexpr size_t kAhead = 8;  // rows fetched before they are needed
  Sums sums;
  for (size_t g = 0; g < kGroups; ++g) {
    const std::span<const uint32_t> buckets = block.group(static_cast<Group>(g));
    std::array<int32_t, kColumns> sum{};
    for (size_t i = 0; i < buckets.size(); ++i) {
      __builtin_prefetch(rows +
                         size_t{buckets[std::min(i + kAhead, buckets.size() - 1)]} * kColumns);
      const int8_t* row = rows + size_t{buckets[i]} * kColumns;
      for (size_t c = 0; c < kColumns; ++c) sum[c] += row[c];
    }
    for (size_t c = 0; c < kColumns; ++c) sums.of[g][c] = static_cast<float>(sum[c]);
    sums.count[g] = static_cast<float>(buckets.size());
  }
  return sums;
}

float sigmoid(const Platt& platt, float logit) {
  return 1 / (1 + std::exp(-(platt.slope * logit + platt.offset)));
}

template <size_t n>
void softmax(const float* logits, float temperature, std::array<float, n>& out) {
  const float top = *std::max_element(logits, logits + n);
  float total = 0;
  for (size_t i = 0; i < n; ++i) total += out[i] = std::exp((logits[i] - top) / temperature);
  for (float& p : out) p /= total;
}

}  // namespace

HeadBank::HeadBank(MappedFile file, HeadView view)
    : file_(std::move(file)), view_(view), version_(to_hex(view.checksum)) {}

Result<HeadBank> HeadBank::make(MappedFile file) {
  const std::string_view bytes = file.view();
  Result<HeadView> view =
      parse_heads({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()});
  if (!view) return std::unexpected(view.error());
  return HeadBank(std::move(file), *view);
}

Result<HeadBank> HeadBank::from_bytes(std::string bytes) {
  return make(MappedFile(std::move(bytes)));
}

Result<HeadBank> HeadBank::load(const std::string& path) {
  Result<MappedFile> file = MappedFile::open(path, "head weights");
  if (!file) return std::unexpected(file.error());
  Result<HeadBank> bank = make(std::move(*file));
  if (!bank) bank.error().message += " (" + path + ")";
  return bank;
}

HeadLogits HeadBank::logits(std::string_view text) const {
  const HeadParameters& p = view_.parameters;
  BlockReader reader(text, p.features);
  Block block;
  Sums whole;
  Sums previous;
  Columns peak;
  peak.fill(-INFINITY);
  const auto logit = [&](const Columns& sums, size_t c) {
    return p.scale[c] * sums[c] + p.bias[c];
  };
  bool any = reader.next(block);
  do {  // an empty text is one window without features
    const Sums own = any ? sum_rows(block, view_.rows.data()) : Sums{};
    whole.add(own);
    previous.add(own);
    const Columns window = previous.normalized();
    for (const size_t c : {kJailbreakColumn, kHarmfulColumn}) {
      peak[c] = std::max(peak[c], logit(window, c));
    }
    previous = own;
    any = reader.next(block);
  } while (any);
  HeadLogits out;
  const Columns sums = whole.normalized();
  const Shape shape = reader.shape();
  for (size_t c = 0; c < kColumns; ++c) {
    out.whole[c] = logit(sums, c);
    for (size_t i = 0; i < kShapeDims; ++i) out.whole[c] += p.shape[i][c] * shape[i];
  }
  out.jailbreak = peak[kJailbreakColumn];
  out.harmful = peak[kHarmfulColumn];
  return out;
}

HeadScores HeadBank::calibrate(const HeadLogits& logits) const {
  const HeadParameters& p = view_.parameters;
  HeadScores out;
  softmax(&logits.whole[kDomainColumn], p.domain_temperature, out.domain);
  softmax(&logits.whole[kTierColumn], p.tier_temperature, out.tier);
  out.jailbreak = sigmoid(p.jailbreak, logits.jailbreak);
  out.harmful = sigmoid(p.harmful, logits.harmful);
  out.difficulty = sigmoid(p.difficulty, logits.whole[kDifficultyColumn]);
  return out;
}

void HeadBank::score(std::string_view text, HeadScores& out) const {
  out = calibrate(logits(text));
}

}  // namespace vsr::nn
