#include "app/models.h"

#include "nn/sentence_encoder.h"
#include "router/model_fit.h"

namespace vsr::app {

Models::Models(ModelFiles files, std::string state_folder,
               std::shared_ptr<const nn::HeadBank> heads)
    : files_(std::move(files)), state_folder_(std::move(state_folder)), heads_(std::move(heads)) {}

Result<std::shared_ptr<Models>> Models::load(ModelFiles files, std::string state_folder) {
  if (files.heads.empty()) {
    return fail(ErrorCode::kNotFound,
                "the classifiers' weights (share/vllm-sr/models/heads.bin) are missing; run `make "
                "install` again");
  }
  auto heads = nn::HeadBank::load(files.heads);
  if (!heads) return std::unexpected(heads.error());
  return std::shared_ptr<Models>(
      new Models(std::move(files), std::move(state_folder),
                 std::make_shared<const nn::HeadBank>(std::move(*heads))));
}

std::shared_ptr<nn::Vectors> Models::vectors_if_loaded() {
  const std::lock_guard lock(mutex_);
  return vectors_;
}

Result<std::shared_ptr<nn::Vectors>> Models::vectors() {
  const std::lock_guard lock(mutex_);
  if (!vectors_) {
    auto encoder = nn::SentenceEncoder::load(files_.encoder, files_.tuned);
    if (!encoder) return std::unexpected(encoder.error());
    vectors_ = std::make_shared<nn::Vectors>(std::move(*encoder), state_folder_);
  }
  return vectors_;
}

Result<std::shared_ptr<const router::Classifiers>> Models::classifiers() {
  auto loaded = vectors();
  if (!loaded) return std::unexpected(loaded.error());
  const std::lock_guard lock(mutex_);
  if (!classifiers_) {
    auto made = router::Classifiers::make({.heads = heads_, .vectors = std::move(*loaded)});
    if (!made) return std::unexpected(made.error());
    classifiers_ = std::move(*made);
  }
  return classifiers_;
}

Result<signals::Parts> Models::parts_for(const config::Config& config) {
  signals::Parts parts{.heads = heads_};
  if (signals::needs_vectors(config.rules) || router::needs_vectors(config)) {
    auto loaded = vectors();
    if (!loaded) return std::unexpected(loaded.error());
    parts.vectors = std::move(*loaded);
  }
  return parts;
}

}  // namespace vsr::app
