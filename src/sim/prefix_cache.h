#pragma once

// A prefix cache that counts as vLLM's does: a prompt is cut into tokens of kTokenBytes bytes and
// blocks of kBlockTokens tokens; a block is known by its own bytes and all before it. One cache
// serves all models of a backend; a different salt shares nothing. The last token is always
// computed. Least recently used blocks go first, the end of a prompt before its beginning.
// Not thread-safe. Limit: blocks_max.

#include <cstdint>
#include <list>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace vsr::sim {

struct CacheUse {
  int64_t prompt_tokens = 0;
  int64_t cached_tokens = 0;
  int64_t created_tokens = 0;  // in blocks that were stored for this prompt
};

class PrefixCache {
 public:
  static constexpr size_t kTokenBytes = 4;
  static constexpr size_t kBlockTokens = 16;
  static constexpr size_t kBlocksMax = 65'536;

  explicit PrefixCache(size_t blocks_max = kBlocksMax) : blocks_max_(blocks_max) {}

  static int64_t count_tokens(std::string_view text) {
    return static_cast<int64_t>((text.size() + kTokenBytes - 1) / kTokenBytes);
  }

  // Looks the prompt up, counts, and stores it.
  CacheUse use(std::string_view prompt, std::string_view salt);
  // Stores a prompt with what was generated after it; counts nothing.
  void store(std::string_view text, std::string_view salt);
  void clear();

  size_t blocks() const { return by_hash_.size(); }
  size_t blocks_max() const { return blocks_max_; }
  // Totals in tokens, as vLLM's counters of these names.
  int64_t queries() const { return queries_; }
  int64_t hits() const { return hits_; }

 private:
  // Puts the whole blocks of the text into hashes_.
  void hash_blocks(std::string_view text, std::string_view salt);
  void touch_all();

  const size_t blocks_max_;
  std::list<uint64_t> order_;  // most recently used first
  std::unordered_map<uint64_t, std::list<uint64_t>::iterator> by_hash_;
  std::vector<uint64_t> hashes_;
  int64_t queries_ = 0;
  int64_t hits_ = 0;
};

}  // namespace vsr::sim
