#include "gateway/private_text.h"

#include <algorithm>

namespace vsr::gateway {

ValueIndex::ValueIndex(const PrivateValues& values) {
  for (size_t i = 0; i < values.size(); ++i) {
    if (values[i].second.empty()) continue;
    sorted_.push_back({values[i].second, static_cast<int32_t>(i), -1});
    begins_[static_cast<uint8_t>(values[i].second[0])] = true;
  }
  std::ranges::stable_sort(sorted_, {}, &Entry::value);
  const auto same = std::ranges::unique(sorted_, {}, &Entry::value);
  sorted_.erase(same.begin(), same.end());
  for (size_t i = 1; i < sorted_.size(); ++i) {
    auto shorter = static_cast<int32_t>(i) - 1;
    while (shorter >= 0 &&
           !sorted_[i].value.starts_with(sorted_[static_cast<size_t>(shorter)].value)) {
      shorter = sorted_[static_cast<size_t>(shorter)].shorter;
    }
    sorted_[i].shorter = shorter;
  }
}

// All values that `rest` begins with stand in the chain of the greatest one that is not above it.
int32_t ValueIndex::longest_at(std::string_view rest) {
  if (rest.empty() || !begins_[static_cast<uint8_t>(rest[0])]) return -1;
  const auto above = std::ranges::upper_bound(
      sorted_, rest,
      [this](auto a, auto b) {
        ++comparisons_;
        return a < b;
      },
      &Entry::value);
  for (auto at = static_cast<int32_t>(above - sorted_.begin()) - 1; at >= 0;) {
    const Entry& entry = sorted_[static_cast<size_t>(at)];
    ++comparisons_;
    if (rest.starts_with(entry.value)) return entry.index;
    at = entry.shorter;
  }
  return -1;
}

store::TextField plain_text(std::string_view text, size_t bytes_max) {
  store::TextField out;
  size_t limit = std::min(text.size(), bytes_max);
  while (limit < text.size() && limit > 0 &&
         (static_cast<unsigned char>(text[limit]) & 0xC0) == 0x80) {
    --limit;
  }
  out.truncated = limit < text.size();
  out.text = text.substr(0, limit);
  return out;
}

store::TextField private_text(std::string_view text, const PrivateValues& values,
                              size_t bytes_max) {
  store::TextField out = plain_text(text, bytes_max);
  if (values.empty()) return out;
  out.scan = store::Scan::kWhole;
  ValueIndex index(values);
  for (size_t at = 0; at < out.text.size(); ++at) {
    const int32_t found = index.longest_at(text.substr(at));
    if (found < 0) continue;
    const auto& [type, value] = values[static_cast<size_t>(found)];
    const auto end = static_cast<uint32_t>(at + value.size());
    if (out.redactions.empty() || out.redactions.back().end <= at) {
      out.redactions.push_back({static_cast<uint32_t>(at), end, type});
    } else {
      // Two values that overlap are one span.
      out.redactions.back().end = std::max(out.redactions.back().end, end);
    }
  }
  return out;
}

}  // namespace vsr::gateway
