#pragma once

// Results per message content, so that an agent's long history is evaluated once and later requests
// pay for a lookup and the new messages. Keyed by content hash and rule-set version; holds match
// bits, offsets and scores, never text. Thread-safe: striped by hash, each stripe has its own lock
// held for a few dozen instructions, since the loops share histories but rarely collide. Limit:
// `bytes_max` over all stripes, least recently used out first.

#include <cstdint>
#include <memory>
#include <vector>

#include "nn/head_bank.h"
#include "signals/entity.h"

namespace vsr::signals {

constexpr size_t kMessageCacheBytesMax = 16UL << 20;

struct PartEntity {
  Entity entity;
  uint32_t part = 0;
  bool operator==(const PartEntity&) const = default;
};
struct KeywordScore {
  uint32_t keyword = 0;  // index into the engine's table of keywords
  float score = 0;       // BM25 or similarity; 1 for literals and regular expressions
  bool operator==(const KeywordScore&) const = default;
};

// What an attack would stand in: a window of a text, known by the hash of its bytes.
struct AttackWindow {
  uint64_t hash = 0;
  nn::Window window;
};
// One reading of a text: the text itself, or view - 1 of text::unmask.
struct AttackReading {
  uint8_t view = 0;
  bool of_fields = false;  // MessageText::fields, not ::text
  uint32_t windows_total = 0;
  std::vector<AttackWindow> windows;  // those that look worst
};

// What was computed so far for one message; parts that no rule asked for are missing.
struct MessageResult {
  enum Part : uint8_t { kWords = 1, kEntities = 2, kAttack = 4 };
  uint8_t parts = 0;
  std::vector<KeywordScore> keywords;   // kWords: of history rules, scores above 0, ascending
  std::vector<PartEntity> entities;     // kEntities
  double attack = 0;                    // kAttack: probability, by n-grams alone
  std::vector<AttackReading> readings;  // kAttack, where the encoder has heads
  // All heads, kept for messages that were a prompt: a tool loop sends its prompt again and again.
  std::shared_ptr<const nn::HeadScores> heads;
  // Of the beginning of its text, for rules that compare meanings; empty: it has no text.
  std::shared_ptr<const std::vector<float>> vector;

  size_t bytes() const;
};

class MessageCache {
 public:
  explicit MessageCache(size_t bytes_max = kMessageCacheBytesMax);
  ~MessageCache();

  struct Key {
    uint64_t content_hash = 0;
    uint64_t version = 0;  // of the rule set and the kind of role
    bool operator==(const Key&) const = default;
  };

  std::shared_ptr<const MessageResult> find(const Key& key);  // null if it is not there
  void put(const Key& key, std::shared_ptr<const MessageResult> result);

  struct Stats {
    uint64_t hits = 0;
    uint64_t misses = 0;
    uint64_t evictions = 0;
    size_t entries = 0;
    size_t bytes = 0;
  };
  Stats stats() const;

 private:
  struct Stripe;
  static constexpr size_t kStripes = 16;
  Stripe& stripe_of(const Key& key);

  const size_t stripe_bytes_max_;
  std::unique_ptr<Stripe[]> stripes_;
};

}  // namespace vsr::signals
