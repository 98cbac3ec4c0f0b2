#include "signals/literal_index.h"

#include <algorithm>

#include "base/check.h"

namespace vsr::signals {

uint32_t LiteralIndex::add(std::string_view literal) {
  VSR_CHECK(literals_.size() < kLiteralsMax);
  literals_.emplace_back(literal);
  return static_cast<uint32_t>(literals_.size() - 1);
}

void LiteralIndex::Table::build(const std::vector<std::pair<uint32_t, uint32_t>>& keys_and_ids) {
  std::vector<std::vector<uint32_t>> lists(1U << kBits);
  for (const auto& [key, id] : keys_and_ids) {
    lists[key].push_back(id);
    filter[key] = true;
  }
  for (const std::vector<uint32_t>& list : lists) {
    starts.push_back(static_cast<uint32_t>(ids.size()));
    ids.insert(ids.end(), list.begin(), list.end());
  }
  starts.push_back(static_cast<uint32_t>(ids.size()));
}

void LiteralIndex::build() {
  std::vector<std::pair<uint32_t, uint32_t>> longs, triples, shorts;
  for (uint32_t id = 0; id < literals_.size(); ++id) {
    const std::string& literal = literals_[id];
    if (literal.empty()) continue;
    uint32_t key = 0;
    std::memcpy(&key, literal.data(), std::min(literal.size(), kKeyBytes));
    if (literal.size() >= kKeyBytes) {
      longs.emplace_back(hash_of(key), id);
    } else if (literal.size() == 3) {
      triples.emplace_back(hash_of(key), id);
    } else {
      shorts.emplace_back(static_cast<uint8_t>(literal[0]), id);
      has_short_ = true;
    }
  }
  long_.build(longs);
  triple_.build(triples);
  short_.build(shorts);
}

}  // namespace vsr::signals
