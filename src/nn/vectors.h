#pragma once

// Vectors of texts, remembered by content: those of prompts in memory (least recently used out
// first, at most kPromptsMax), those of a recipe's candidates also on disk, so that a restart
// encodes nothing. No text is kept. Thread-safe; find() takes a lock for a lookup, encode() works
// for milliseconds and belongs on a compute pool.

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
  // One row of dims() floats per text; encodes what is not known, and writes what is new to disk.
  // A file that cannot be read or written costs time at the next start and nothing else.
  Result<std::vector<float>> candidates(std::span<const std::string> texts);

  // Texts encoded since the start, from whichever call.
  uint64_t encoded() const;

 private:
  using Vector = std::shared_ptr<const std::vector<float>>;
  struct Prompt {
    uint64_t hash;
    Vector vector;
  };
  using Prompts = std::list<Prompt>;

  std::string path() const;
  void read_file();
  void write_file();
  Vector lookup(uint64_t hash) const;

  const std::shared_ptr<const Encoder> encoder_;
  const std::string folder_;
  mutable std::mutex mutex_;
  mutable Prompts newest_first_;
  std::unordered_map<uint64_t, Prompts::iterator> prompts_;
  std::unordered_map<uint64_t, Vector> candidates_;
  bool file_read_ = false;
  uint64_t encoded_ = 0;
};

// Σ a·b; of vectors of length 1 the cosine of their angle.
float dot(std::span<const float> a, std::span<const float> b);

}  // namespace vsr::nn
