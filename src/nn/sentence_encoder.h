#pragma once

// A BERT-like encoder (all-MiniLM-L6-v2) with int8 weights: WordPiece, the layers with one scale
// per weight channel and one per token for activations, the mean over the tokens, length 1. With a
// second file it also has heads: tuned layers that stand on the first layers of the encoder. One
// thread per call, batch of one, no padding to the window. Immutable, safe from many threads;
// memory for a call comes from a pool of at most kWorkspacesKept.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "nn/encoder.h"
#include "nn/mapped_file.h"

namespace vsr::nn {

class SentenceEncoder final : public Encoder {
 public:
  static constexpr size_t kWindowOverlap = 128;  // tokens that neighbouring windows share
  // Windows of a long text that are read, from its start on: about 3,000 tokens.
  static constexpr size_t kWindowsMax = 8;
  static constexpr size_t kWorkspacesKept = 4;

  // `tuned_path`: the file of the heads; "" for an encoder without.
  static Result<std::shared_ptr<const SentenceEncoder>> load(const std::string& path,
                                                             const std::string& tuned_path = {});
  static Result<std::shared_ptr<const SentenceEncoder>> make(MappedFile file,
                                                             std::optional<MappedFile> tuned = {});
  ~SentenceEncoder() override;

  size_t dims() const override;
  std::string_view version() const override;
  SimilarityCurve similarity_curve() const override;
  const TunedHeads* heads() const override;
  Status encode(std::span<const std::string_view> texts, std::span<float> out) const override;
  Status read(std::string_view text, EncoderColumns& columns,
              std::span<float> vector) const override;

  // For training: the vectors of the first `window` tokens after the first `layers` layers, tokens
  // × dims() floats.
  Status hidden(std::string_view text, size_t layers, size_t window, std::vector<float>& out) const;

  // Tokens of the text with [CLS] and [SEP], as one window would hold them.
  size_t count_tokens(std::string_view text) const;

 private:
  class Network;
  explicit SentenceEncoder(std::unique_ptr<const Network> network);

  std::unique_ptr<const Network> network_;
};

}  // namespace vsr::nn
