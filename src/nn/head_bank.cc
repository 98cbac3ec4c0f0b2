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

float probability(const Platt& platt, float logit) {
  return logistic(platt.slope * logit + platt.offset);
}

// Where the blocks of a text end, and how its windows look. Window i is blocks i-1 and i; the first
// block is a window only if it is the only one.
class Windows {
 public:
  explicit Windows(size_t text_bytes, uint32_t block_bytes) {
    ends_.reserve(text_bytes / block_bytes * 2 + 2);
    attack_.reserve(ends_.capacity());
  }
  void add(size_t end, float attack) {
    ends_.push_back(static_cast<uint32_t>(end));
    attack_.push_back(attack);
  }
  size_t total() const { return std::max<size_t>(ends_.size(), 2) - 1; }
  // The first, the last, and between them those with the highest attack that do not overlap.
  std::vector<Window> choose(size_t count) const {
    const size_t n = ends_.size();
    if (n <= 2) return {{0, ends_.back(), *std::ranges::max_element(attack_)}};
    std::vector<uint32_t> order;
    for (uint32_t i = 2; i + 1 < n; ++i) order.push_back(i);
    std::ranges::sort(order, [&](uint32_t a, uint32_t b) {
      return attack_[a] != attack_[b] ? attack_[a] > attack_[b] : a < b;
    });
    std::vector<uint32_t> chosen{1, static_cast<uint32_t>(n - 1)};
    for (const uint32_t i : order) {
      if (chosen.size() >= count) break;
      const bool overlaps = std::ranges::any_of(
          chosen, [&](uint32_t c) { return c + 1 == i || c == i + 1 || c == i; });
      if (!overlaps) chosen.push_back(i);
    }
    std::ranges::sort(chosen);
    std::vector<Window> out;
    for (const uint32_t i : chosen) {
      out.push_back({i == 1 ? 0 : ends_[i - 2], ends_[i], attack_[i]});
    }
    return out;
  }

 private:
  std::vector<uint32_t> ends_;
  std::vector<float> attack_;
};

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

HeadLogits HeadBank::logits(std::string_view text, size_t windows_max) const {
  const HeadParameters& p = view_.parameters;
  BlockReader reader(text, p.features);
  Block block;
  Sums whole;
  Sums previous;
  Columns peak;
  peak.fill(-INFINITY);
  Windows windows(windows_max > 0 ? text.size() : 0, p.features.block_bytes);
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
    if (windows_max > 0) {
      windows.add(text.size() - reader.left(), logit(window, kJailbreakColumn));
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
  if (windows_max > 0) {
    out.windows = windows.choose(windows_max);
    out.windows_total = windows.total();
  }
  return out;
}

HeadScores HeadBank::calibrate(const HeadLogits& logits) const {
  const HeadParameters& p = view_.parameters;
  HeadScores out;
  const std::span<const float, kColumns> whole(logits.whole);
  softmax(whole.subspan<kDomainColumn, kDomains>(), out.domain, p.domain_temperature);
  softmax(whole.subspan<kTierColumn, kTiers>(), out.tier, p.tier_temperature);
  out.jailbreak = attack(logits.jailbreak);
  out.harmful = probability(p.harmful, logits.harmful);
  out.difficulty = probability(p.difficulty, logits.whole[kDifficultyColumn]);
  return out;
}

float HeadBank::attack(float logit) const { return probability(view_.parameters.jailbreak, logit); }

void HeadBank::score(std::string_view text, HeadScores& out) const {
  out = calibrate(logits(text));
}

}  // namespace vsr::nn
