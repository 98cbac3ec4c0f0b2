#pragma once

// The trained heads of the router. N-grams read every text; where the encoder has heads too, it
// reads the windows of a text that the n-grams find most suspicious, and the first and the last,
// and the line or sentence among them that looks worst without what stands around it; both opinions
// are fused into one calibrated score. Attacks in other languages than English are left to n-grams.
// Immutable and safe from many threads. With n-grams alone a call takes about 30 µs per KB; the
// language of a window takes about 60 µs more, and the encoder milliseconds.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "nn/head_bank.h"
#include "nn/vectors.h"

namespace vsr::nn {

class TextClassifier {
 public:
  // Windows that the encoder reads of one text, the first and the last among them, and views: a
  // line or sentence of one of the worst windows alone.
  static constexpr size_t kWindowsRead = 6;
  static constexpr size_t kViewsRead = 2;

  // `vectors` may be null or have no heads: n-grams alone. Errors: kInvalidArgument if the
  // encoder's heads were fused with other n-gram weights than these.
  static Result<std::shared_ptr<const TextClassifier>> make(std::shared_ptr<const HeadBank> bank,
                                                            std::shared_ptr<Vectors> vectors);

  bool uses_encoder() const { return fusion_ != nullptr; }
  // What n-grams say of a text. Where uses_encoder(), with the windows to read.
  HeadLogits read(std::string_view text) const;
  // Both fused: `windows` are the columns of lexical.windows, in their order.
  HeadScores fuse(const HeadLogits& lexical, std::span<const EncoderColumns> windows) const;
  // Without the encoder, whether there is one or not.
  HeadScores by_ngrams(const HeadLogits& lexical) const { return bank_->calibrate(lexical); }
  // P(attack) of one window of `windows_total`, with the encoder's logit.
  float attack(const Window& window, float encoder, size_t windows_total) const;
  // P(attack) by n-grams alone.
  float attack(float lexical) const { return bank_->attack(lexical); }

  float jailbreak_threshold() const;
  float harmful_threshold() const;
  // Changes with any of the weights.
  const std::string& version() const { return version_; }

 private:
  TextClassifier(std::shared_ptr<const HeadBank> bank, std::shared_ptr<Vectors> vectors);
  // The piece of the window that looks worst, if it has more than one.
  void add_view(std::string_view text, const Window& window, HeadLogits& out) const;

  const std::shared_ptr<const HeadBank> bank_;
  const std::shared_ptr<Vectors> vectors_;
  const Fusion* fusion_ = nullptr;  // of vectors_
  std::string version_;
};

}  // namespace vsr::nn
