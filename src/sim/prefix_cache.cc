#include "sim/prefix_cache.h"

#include <algorithm>

#include "wire/hash.h"

namespace vsr::sim {

void PrefixCache::hash_blocks(std::string_view text, std::string_view salt) {
  constexpr size_t kBlockBytes = kBlockTokens * kTokenBytes;
  hashes_.clear();
  uint64_t chain = wire::hash_bytes(salt);
  for (size_t at = 0; at + kBlockBytes <= text.size(); at += kBlockBytes) {
    chain = wire::fold(chain, wire::hash_bytes(text.substr(at, kBlockBytes)));
    hashes_.push_back(chain);
  }
}

// From the end to the beginning, so that the beginning, which more prompts share, stays longest.
void PrefixCache::touch_all() {
  for (auto hash = hashes_.rbegin(); hash != hashes_.rend(); ++hash) {
    const auto [found, added] = by_hash_.try_emplace(*hash, order_.begin());
    if (added) {
      order_.push_front(*hash);
      found->second = order_.begin();
    } else {
      order_.splice(order_.begin(), order_, found->second);
    }
    if (order_.size() > blocks_max_) {
      by_hash_.erase(order_.back());
      order_.pop_back();
    }
  }
}

CacheUse PrefixCache::use(std::string_view prompt, std::string_view salt) {
  CacheUse use;
  use.prompt_tokens = count_tokens(prompt);
  hash_blocks(prompt, salt);
  size_t known = 0;
  while (known < hashes_.size() && by_hash_.contains(hashes_[known])) ++known;
  const auto in_tokens = [](size_t blocks) { return static_cast<int64_t>(blocks * kBlockTokens); };
  // A prompt that is known to its last token still needs that token computed.
  const bool all_known = use.prompt_tokens > 0 && in_tokens(known) == use.prompt_tokens;
  use.cached_tokens = in_tokens(known - (all_known ? 1 : 0));
  use.created_tokens = in_tokens(hashes_.size() - known);
  touch_all();
  queries_ += use.prompt_tokens;
  hits_ += use.cached_tokens;
  return use;
}

void PrefixCache::store(std::string_view text, std::string_view salt) {
  hash_blocks(text, salt);
  touch_all();
}

void PrefixCache::clear() {
  order_.clear();
  by_hash_.clear();
  queries_ = hits_ = 0;
}

}  // namespace vsr::sim
