#pragma once

// For tests: an encoder whose heads look for words. Counts what it reads. One thread.

#include <algorithm>
#include <charconv>
#include <memory>
#include <string>
#include <vector>

#include "nn/encoder.h"
#include "nn/head_bank.h"
#include "nn/text_classifier.h"
#include "nn/vectors.h"

namespace vsr::nn {

// Says "attack" of a window that holds the word, and of domains how often "digit" stands in it.
class WordHeads final : public Encoder {
 public:
  explicit WordHeads(uint64_t lexical) {
    heads_.checksum = 7;
    heads_.lexical = lexical;
    heads_.fusion.encoder.fill(1);
    heads_.fusion.offset[kHarmfulColumn] = -3;
    heads_.fusion.foreign_slope = 2;
    heads_.fusion.foreign_offset = -1;
    heads_.fusion.jailbreak_threshold = 0.75F;
  }
  size_t dims() const override { return 4; }
  std::string_view version() const override { return "fake"; }
  SimilarityCurve similarity_curve() const override { return {}; }
  const TunedHeads* heads() const override { return &heads_; }
  Status encode(std::span<const std::string_view>, std::span<float> out) const override {
    std::ranges::fill(out, 0.5F);
    return {};
  }
  Status read(std::string_view text, EncoderColumns& columns,
              std::span<float> vector) const override {
    read_.emplace_back(text);
    if (!problem_.empty()) return fail(ErrorCode::kInternal, problem_);
    columns.fill(0);
    columns[kJailbreakColumn] = text.find("zap") != std::string_view::npos ? 4 : -4;
    columns[kDomainColumn] = text.find("digit") != std::string_view::npos ? 6 : 0;
    std::ranges::fill(vector, 0.5F);
    return {};
  }

  mutable std::vector<std::string> read_;
  std::string problem_;  // if not empty, why it cannot read
  TunedHeads heads_;
};

// All that a rule would read of a prompt, on the spot.
inline Result<HeadScores> score_now(const TextClassifier& classifier, Vectors& vectors,
                                    std::string_view text) {
  const HeadLogits lexical = classifier.read(text);
  std::vector<EncoderColumns> columns(lexical.windows.size());
  for (size_t i = 0; i < columns.size(); ++i) {
    const Status done = vectors.read_window(lexical.windows[i].of(text), columns[i]);
    if (!done) return std::unexpected(done.error());
  }
  return classifier.fuse(lexical, columns);
}

// Fused with these n-grams.
inline std::shared_ptr<WordHeads> word_heads_for(const HeadBank& bank) {
  uint64_t checksum = 0;
  const std::string& hex = bank.version();
  std::from_chars(hex.data(), hex.data() + hex.size(), checksum, 16);
  return std::make_shared<WordHeads>(checksum);
}

}  // namespace vsr::nn
