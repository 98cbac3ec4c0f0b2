#pragma once

// What the encoder says of texts, remembered by content: vectors of prompts and heads' opinions of
// windows in memory (least recently used out first, at most kPromptsMax and kWindowsMax), vectors
// of a recipe's candidates also on disk, so that a restart encodes nothing. No text is kept.
// Thread-safe; find() takes a lock for a lookup, encode() works for milliseconds and belongs on a
// compute pool.

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "nn/encoder.h"

namespace vsr::nn {

class Vectors {
 public:
  static constexpr size_t kPromptsMax = 4096;
  static constexpr size_t kWindowsMax = 16384;
  static constexpr size_t kCandidatesMax = 20'000;  // on disk: 30 MB

  // `folder`: where candidates are kept; "" keeps them in memory alone.
  Vectors(std::shared_ptr<const Encoder> encoder, std::string folder);

  size_t dims() const { return encoder_->dims(); }
  std::string_view version() const { return encoder_->version(); }

  SimilarityCurve similarity_curve() const { return encoder_->similarity_curve(); }

  // Copies the vector of a text that is known; false if it is not.
  bool find(std::string_view text, std::span<float> out) const;
  // Encodes a text and remembers its vector.
  Status encode(std::string_view text, std::span<float> out);

  const TunedHeads* heads() const { return encoder_->heads(); }
  // What the heads say of a window whose text has this hash (text::hash64); false if unknown.
  bool find_window(uint64_t hash, EncoderColumns& out) const;
  // Reads a window unless it is known, and remembers it.
  Status read_window(std::string_view text, EncoderColumns& out);
  // Reads a text as a window and as a whole, in one pass where it is short enough.
  Status read_both(std::string_view text);

  // One row of dims() floats per text; encodes what is not known, and writes what is new to disk.
  // A file that cannot be read or written costs time at the next start and nothing else.
  Result<std::vector<float>> candidates(std::span<const std::string> texts);

  // Texts encoded since the start, from whichever call.
  uint64_t encoded() const;

 private:
  using Vector = std::shared_ptr<const std::vector<float>>;

  // The least recently used of more than `max` entries goes.
  template <typename V>
  class Recent {
   public:
    explicit Recent(size_t max) : max_(max) {}
    const V* find(uint64_t hash) {
      const auto at = by_hash_.find(hash);
      if (at == by_hash_.end()) return nullptr;
      newest_first_.splice(newest_first_.begin(), newest_first_, at->second);
      return &at->second->second;
    }
    void put(uint64_t hash, V value) {
      if (find(hash) != nullptr) return;
      newest_first_.emplace_front(hash, std::move(value));
      by_hash_.emplace(hash, newest_first_.begin());
      if (by_hash_.size() <= max_) return;
      by_hash_.erase(newest_first_.back().first);
      newest_first_.pop_back();
    }

   private:
    using Entries = std::list<std::pair<uint64_t, V>>;
    const size_t max_;
    Entries newest_first_;
    std::unordered_map<uint64_t, typename Entries::iterator> by_hash_;
  };

  std::string path() const;
  void read_file();
  void write_file();

  const std::shared_ptr<const Encoder> encoder_;
  const std::string folder_;
  mutable std::mutex mutex_;
  mutable Recent<Vector> prompts_{kPromptsMax};
  mutable Recent<EncoderColumns> windows_{kWindowsMax};
  std::unordered_map<uint64_t, Vector> candidates_;
  bool file_read_ = false;
  uint64_t encoded_ = 0;
};

// Σ a·b; of vectors of length 1 the cosine of their angle.
float dot(std::span<const float> a, std::span<const float> b);

}  // namespace vsr::nn
