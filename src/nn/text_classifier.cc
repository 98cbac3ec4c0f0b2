#include "nn/text_classifier.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/check.h"
#include "base/id.h"
#include "text/language.h"

namespace vsr::nn {

// Up to here, a few pages, the number of windows costs nothing; models/fusion.py has it too.
constexpr float kWindowsFree = 8;
constexpr float kLeast = std::numeric_limits<float>::min();  // has a logarithm
// A line reaches this far beyond the window that it begins or ends in, and no shorter one is read.
constexpr size_t kViewReach = 256;
constexpr size_t kViewBytesMin = 25;
constexpr size_t kViewBytesMax = 512;
// What a view costs, as a logit of n-grams: many lines are looked at. At this much the share of
// false alarms is that without views (models/README.md).
constexpr float kViewCost = 1;

namespace {

// Where the character after a full stop begins, if one ends a sentence at `at`; else 0.
size_t end_of_sentence(std::string_view text, size_t at) {
  const char c = text[at];
  if (c == '.' || c == '!' || c == '?') {
    const bool space = at + 1 < text.size() && (text[at + 1] == ' ' || text[at + 1] == '\n');
    return space ? at + 2 : 0;
  }
  for (const std::string_view stop : {"。", "！", "？"}) {
    if (text.substr(at).starts_with(stop)) return at + stop.size();
  }
  return 0;
}

// Cuts at ends of lines, or of sentences where there is one line; short pieces join their
// neighbour.
std::vector<std::string_view> pieces_of(std::string_view text) {
  const bool lines = text.find('\n') != std::string_view::npos;
  std::vector<std::string_view> out;
  size_t begin = 0;
  for (size_t at = 0; at < text.size(); ++at) {
    const size_t end = !lines ? end_of_sentence(text, at) : text[at] == '\n' ? at + 1 : 0;
    const size_t cut = at + 1 == text.size() ? text.size() : end;
    if (cut == 0) continue;
    const std::string_view piece = text.substr(begin, cut - begin);
    const bool tiny =
        std::min(piece.size(), out.empty() ? piece.size() : out.back().size()) < kViewBytesMin;
    if (!out.empty() && tiny && out.back().size() + piece.size() < kViewReach) {
      out.back() = text.substr(begin - out.back().size(), out.back().size() + piece.size());
    } else {
      out.push_back(piece);
    }
    begin = cut;
    at = cut - 1;
  }
  return out;
}

// The window with what is left of its first and last line.
std::string_view whole_lines(std::string_view text, const Window& window) {
  size_t begin = window.begin;
  size_t end = window.end;
  const size_t least = begin - std::min<size_t>(begin, kViewReach);
  const size_t most = std::min(text.size(), end + kViewReach);
  while (begin > least && text[begin - 1] != '\n') --begin;
  while (end < most && text[end - 1] != '\n') ++end;
  // Not within a character.
  while (begin > 0 && (static_cast<uint8_t>(text[begin]) & 0xC0U) == 0x80) --begin;
  while (end < text.size() && (static_cast<uint8_t>(text[end]) & 0xC0U) == 0x80) ++end;
  return text.substr(begin, end - begin);
}

}  // namespace

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
  if (!uses_encoder()) return bank_->logits(text);
  HeadLogits out = bank_->logits(text, kWindowsRead);
  std::vector<Window> worst = out.windows;
  std::ranges::stable_sort(worst, std::ranges::greater(), &Window::attack);
  if (worst.size() > kViewsRead) worst.resize(kViewsRead);
  for (const Window& window : worst) add_view(text, window, out);
  for (Window& window : out.windows) {
    const std::string_view code = text::detect_language(window.of(text)).code;
    window.is_english = code.empty() || code == "en";  // none where there are no letters
  }
  return out;
}

void TextClassifier::add_view(std::string_view text, const Window& window, HeadLogits& out) const {
  const std::vector<std::string_view> pieces = pieces_of(whole_lines(text, window));
  if (pieces.size() < 2) return;
  Window view{0, 0, -INFINITY};
  for (std::string_view piece : pieces) {
    piece = piece.substr(0, kViewBytesMax);
    const float attack = bank_->logits(piece).jailbreak - kViewCost;
    if (attack <= view.attack) continue;
    const auto begin = static_cast<uint32_t>(piece.data() - text.data());
    view = {begin, begin + static_cast<uint32_t>(piece.size()), attack};
  }
  out.windows.push_back(view);
  ++out.views;
}

float TextClassifier::attack(const Window& window, float encoder, size_t windows_total) const {
  VSR_CHECK(fusion_ != nullptr);
  const float logit = window.is_english
                          ? fusion_->lexical[kJailbreakColumn] * window.attack +
                                fusion_->encoder[kJailbreakColumn] * encoder +
                                fusion_->offset[kJailbreakColumn]
                          : fusion_->foreign_slope * window.attack + fusion_->foreign_offset;
  const float doublings =
      std::log2(std::max(1.0F, static_cast<float>(windows_total) / kWindowsFree));
  return logistic(logit - fusion_->per_doubling * doublings);
}

HeadScores TextClassifier::fuse(const HeadLogits& lexical,
                                std::span<const EncoderColumns> windows) const {
  if (fusion_ == nullptr) return bank_->calibrate(lexical);
  VSR_CHECK(windows.size() > lexical.views && windows.size() == lexical.windows.size(),
            "{} of {} windows", windows.size(), lexical.windows.size());
  // The subject and the like: how the text begins and ends.
  const auto whole = windows.first(windows.size() - lexical.views);
  EncoderColumns logits{};
  for (size_t c = 0; c < kEncoderColumns; ++c) {
    float from_encoder = (whole.front()[c] + whole.back()[c]) / 2;
    float from_ngrams = c < kUsedColumns ? lexical.whole[c] : 0;
    if (c == kHarmfulColumn) {  // safety: the window that looks worst
      for (const EncoderColumns& window : whole) from_encoder = std::max(from_encoder, window[c]);
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
    out.jailbreak = std::max(out.jailbreak, attack(lexical.windows[i], windows[i][kJailbreakColumn],
                                                   lexical.windows_total));
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
