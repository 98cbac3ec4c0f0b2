#include "nn/text_classifier.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/check.h"
#include "base/id.h"

namespace vsr::nn {

// Up to here, a few pages, the number of windows costs nothing; models/fusion.py has it too.
constexpr float kWindowsFree = 8;
constexpr float kLeast = std::numeric_limits<float>::min();  // has a logarithm

TextClassifier::TextClassifier(std::shared_ptr<const HeadBank> bank,
                               std::shared_ptr<Vectors> vectors)
    : bank_(std::move(bank)), vectors_(std::move(vectors)), version_(bank_->version()) {
  const TunedHeads* const heads = vectors_ ? vectors_->heads() : nullptr;
  if (heads == nullptr) return;
  fusion_ = &heads->fusion;
  version_ += to_hex(heads->checksum);
}

Result<std::shared_ptr<const TextClassifier>> TextClassifier::make(
    std::shared_ptr<const HeadBank> bank, std::shared_ptr<Vectors> vectors) {
  const TunedHeads* const heads = vectors ? vectors->heads() : nullptr;
  if (heads != nullptr && to_hex(heads->lexical) != bank->version()) {
    return fail(ErrorCode::kInvalidArgument,
                "the tuned layers of the encoder were fused with other n-gram weights; both files "
                "must come from one training run");
  }
  return std::shared_ptr<const TextClassifier>(
      new TextClassifier(std::move(bank), std::move(vectors)));
}

HeadLogits TextClassifier::read(std::string_view text) const {
  return bank_->logits(text, uses_encoder() ? kWindowsRead : 0);
}

float TextClassifier::attack(float lexical, float encoder, size_t windows_total) const {
  VSR_CHECK(fusion_ != nullptr);
  return logistic(fusion_->lexical[kJailbreakColumn] * lexical +
                  fusion_->encoder[kJailbreakColumn] * encoder + fusion_->offset[kJailbreakColumn] -
                  fusion_->per_doubling *
                      std::log2(std::max(1.0F, static_cast<float>(windows_total) / kWindowsFree)));
}

HeadScores TextClassifier::fuse(const HeadLogits& lexical,
                                std::span<const EncoderColumns> windows) const {
  if (fusion_ == nullptr) return bank_->calibrate(lexical);
  VSR_CHECK(!windows.empty() && windows.size() == lexical.windows.size(), "{} of {} windows",
            windows.size(), lexical.windows.size());
  // The subject and the like: how the text begins and ends.
  EncoderColumns logits{};
  for (size_t c = 0; c < kEncoderColumns; ++c) {
    float from_encoder = (windows.front()[c] + windows.back()[c]) / 2;
    float from_ngrams = c < kUsedColumns ? lexical.whole[c] : 0;
    if (c == kHarmfulColumn) {  // safety: the window that looks worst
      for (const EncoderColumns& window : windows) from_encoder = std::max(from_encoder, window[c]);
      from_ngrams = lexical.harmful;
    }
    logits[c] =
        fusion_->lexical[c] * from_ngrams + fusion_->encoder[c] * from_encoder + fusion_->offset[c];
  }
  // The encoder was made for English, and of a Chinese text it tells next to nothing about the
  // subject: in that share n-grams speak alone. models/fusion.py has it too.
  const HeadScores alone = bank_->calibrate(lexical);
  for (size_t d = 0; d < kDomains; ++d) {
    logits[kDomainColumn + d] = (1 - lexical.cjk) * logits[kDomainColumn + d] +
                                lexical.cjk * std::log(std::max(alone.domain[d], kLeast));
  }
  HeadScores out;
  const std::span<const float, kEncoderColumns> all(logits);
  softmax(all.subspan<kDomainColumn, kDomains>(), out.domain);
  softmax(all.subspan<kTierColumn, kTiers>(), out.tier);
  softmax(all.subspan<kFeedbackColumn, kFeedbacks>(), out.feedback.emplace());
  for (size_t i = 0; i < windows.size(); ++i) {
    out.jailbreak = std::max(
        out.jailbreak,
        attack(lexical.windows[i].attack, windows[i][kJailbreakColumn], lexical.windows_total));
  }
  out.harmful = logistic(logits[kHarmfulColumn]);
  out.difficulty = logistic(logits[kDifficultyColumn]);
  return out;
}

float TextClassifier::jailbreak_threshold() const {
  return fusion_ != nullptr ? fusion_->jailbreak_threshold : bank_->jailbreak_threshold();
}
float TextClassifier::harmful_threshold() const {
  return fusion_ != nullptr ? fusion_->harmful_threshold : bank_->harmful_threshold();
}

}  // namespace vsr::nn
