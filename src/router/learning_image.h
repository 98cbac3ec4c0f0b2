#pragma once

// What learning remembers, as bytes for a file: a version, a checksum, the shared counts, and the
// sessions from the last used on. Hashes, counts and times of day, so that times to live and locks
// go on counting; models are known by the hash of their name, so that another recipe maps them as
// after a reload. No text. Pure; any thread.

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "router/router.h"

namespace vsr::router {

// Of more, the sessions that were not used for longest are left out.
constexpr size_t kLearningImageBytesMax = 64 << 20;

// While it is copied a request waits for one session at most.
std::string learning_image(LearningState& state, size_t bytes_max = kLearningImageBytesMax);

// The state as it was, without what has outlived its time at `now_s`. The bytes may be anything.
Result<std::shared_ptr<LearningState>> learning_of_image(std::string_view image, double ttl_seconds,
                                                         double now_s);

}  // namespace vsr::router
