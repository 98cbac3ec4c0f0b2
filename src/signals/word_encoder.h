#pragma once

// An encoder for tests: a text is the sum of one axis per word, so that the cosine of two texts is
// their share of common words. At most 64 different words over its life. Thread-safe by a lock.

#include <cmath>
#include <map>
#include <mutex>
#include <string>

#include "base/strings.h"
#include "nn/vectors.h"

namespace vsr::signals::fixture {

class WordEncoder final : public nn::Encoder {
 public:
  size_t dims() const override { return 64; }
  std::string_view version() const override { return "words"; }
  nn::SimilarityCurve similarity_curve() const override { return {10, -5}; }
  Status encode(std::span<const std::string_view> texts, std::span<float> out) const override {
    const std::lock_guard lock(mutex_);
    for (size_t t = 0; t < texts.size(); ++t) {
      const std::span<float> row = out.subspan(t * dims(), dims());
      std::ranges::fill(row, 0.0F);
      for (const std::string_view word : split(texts[t], ' ')) {
        if (word.empty()) continue;
        const auto axis = axes_.emplace(word, axes_.size()).first->second;
        if (axis >= dims()) return fail(ErrorCode::kUnsupported, "too many words");
        row[axis] += 1;
      }
      const float length = std::sqrt(nn::dot(row, row));
      for (float& x : row) x /= length;
    }
    return {};
  }

 private:
  mutable std::mutex mutex_;
  mutable std::map<std::string, size_t, std::less<>> axes_;
};

inline std::shared_ptr<nn::Vectors> word_vectors() {
  return std::make_shared<nn::Vectors>(std::make_shared<const WordEncoder>(), "");
}

}  // namespace vsr::signals::fixture
