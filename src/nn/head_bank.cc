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

// The windows of a text: pairs of neighbouring blocks, and single blocks, in which a short attack
// amid other text stands out more.
class Windows {
 public:
  void add_block(size_t begin, size_t end, float attack) {
    ++blocks_;
    all_.push_back({static_cast<uint32_t>(begin), static_cast<uint32_t>(end), attack});
  }
  void add_pair(size_t begin, size_t end, float attack) {
    last_ = {static_cast<uint32_t>(begin), static_cast<uint32_t>(end), attack};
    if (blocks_ == 2) first_ = last_;
    all_.push_back(last_);
  }
  size_t total() const { return std::max<size_t>(blocks_, 2) - 1; }

  // The first and the last pair, and of the rest those with the highest attack that share no words;
  // at most `count`, and not many more than there are blocks. In order of position.
  std::vector<Window> choose(size_t count) {
    float highest = -INFINITY;
    for (const Window& window : all_) highest = std::max(highest, window.attack);
    if (blocks_ <= 2) return {{0, all_.back().end, highest}};
    std::ranges::stable_sort(all_, std::ranges::greater(), &Window::attack);
    std::vector<Window> out;
    for (const Window& window : all_) {
      if (out.size() + 2 >= std::min(count, blocks_ + 1)) break;
      const bool is_end = same(window, first_) || same(window, last_);
      const bool overlaps = std::ranges::any_of(out, [&](const Window& other) {
        return window.begin < other.end && other.begin < window.end;
      });
      if (!is_end && !overlaps) out.push_back(window);
    }
    std::ranges::stable_sort(out, {}, &Window::begin);
    out.insert(out.begin(), first_);
    out.push_back(last_);
    return out;
  }

 private:
  static bool same(const Window& a, const Window& b) {
    return a.begin == b.begin && a.end == b.end;
  }

  size_t blocks_ = 0;
  Window first_;
  Window last_;
  std::vector<Window> all_;
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
  Windows windows;
  size_t begin = 0;
  size_t before = 0;  // where the block before begins
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
      const size_t end = text.size() - reader.left();
      windows.add_block(begin, end, logit(own.normalized(), kJailbreakColumn));
      if (begin > 0) windows.add_pair(before, end, logit(window, kJailbreakColumn));
      before = begin;
      begin = end;
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
  out.cjk = shape[kCjkShare];
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
