#include "app/learning_file.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "app/recipe_versions.h"
#include "router/learning_image.h"

namespace vsr::app {

namespace fs = std::filesystem;

LearningFile::LearningFile(const std::string& state_folder, const Clock& clock)
    : path_(state_folder + "/learning.state"), clock_(clock), tried_(clock.mono()) {}

Result<std::shared_ptr<router::LearningState>> LearningFile::read(double ttl_seconds) const {
  std::error_code error;
  if (!fs::exists(path_, error) && !error) {
    return std::make_shared<router::LearningState>(ttl_seconds);
  }
  const uintmax_t size = fs::file_size(path_, error);
  if (error) return fail(ErrorCode::kIo, error.message());
  if (size > router::kLearningImageBytesMax) {
    return fail(ErrorCode::kTooLarge,
                fmt::format("it has more than {} bytes", router::kLearningImageBytesMax));
  }
  std::string image(size, '\0');
  std::ifstream in(path_, std::ios::binary);
  if (!in.read(image.data(), static_cast<std::streamsize>(size))) {
    return fail(ErrorCode::kIo, std::strerror(errno));
  }
  return router::learning_of_image(image, ttl_seconds,
                                   static_cast<double>(clock_.unix_ms()) * 1e-3);
}

std::shared_ptr<router::LearningState> LearningFile::load(double ttl_seconds) {
  auto loaded = read(ttl_seconds);
  if (loaded) {
    state_ = std::move(*loaded);
    if (state_->sessions.sessions() > 0) {
      spdlog::info("learning: sessions remembered: {}", state_->sessions.sessions());
    }
  } else {
    const std::string aside = path_ + ".bad";
    std::error_code error;
    fs::rename(path_, aside, error);
    spdlog::warn("learning: cannot read {}: {}; nothing is remembered of earlier conversations{}",
                 path_, loaded.error().message,
                 error ? "" : fmt::format(", and the file is put aside as {}", aside));
    state_ = std::make_shared<router::LearningState>(ttl_seconds);
  }
  saved_operations_ = state_->sessions.operations();
  return state_;
}

void LearningFile::save_if_due() {
  if (clock_.mono() - tried_ >= kSaveInterval) save();
}

void LearningFile::save() {
  if (!state_) return;
  tried_ = clock_.mono();
  const uint64_t operations = state_->sessions.operations();
  if (operations == saved_operations_) return;
  const Status done = replace_file(path_, router::learning_image(*state_));
  if (done) {
    saved_operations_ = operations;
  } else if (!failing_) {
    spdlog::warn("learning: {}; a restart will forget what was learned since the last time",
                 done.error().message);
  }
  failing_ = !done;
}

}  // namespace vsr::app
