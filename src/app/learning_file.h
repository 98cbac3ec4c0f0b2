#pragma once

// What learning remembers, kept over a restart: `learning.state` of the state folder, readable by
// its owner only. Read once at the start; written at the end and, so that a crash forgets little,
// every kSaveInterval in which something changed. One thread, which is no event loop: a write takes
// as long as the disk does. At most router::kLearningImageBytesMax bytes.

#include <chrono>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "router/router.h"

namespace vsr::app {

class LearningFile {
 public:
  static constexpr std::chrono::seconds kSaveInterval{30};

  // `clock` outlives this object.
  LearningFile(const std::string& state_folder, const Clock& clock);

  // What the file holds. Without one, or with one that cannot be read, nothing is remembered; the
  // latter is put aside as learning.state.bad, and a line of the log says so.
  std::shared_ptr<router::LearningState> load(double ttl_seconds);
  // Both do nothing when nothing has changed since the file was read or written.
  void save_if_due();
  void save();

  const std::string& path() const { return path_; }

 private:
  Result<std::shared_ptr<router::LearningState>> read(double ttl_seconds) const;

  const std::string path_;
  const Clock& clock_;
  std::shared_ptr<router::LearningState> state_;
  uint64_t saved_operations_ = 0;
  MonoTime tried_{0};
  bool failing_ = false;  // said once, not every kSaveInterval
};

}  // namespace vsr::app
