#include "router/learning_image.h"

#include <fmt/format.h>

#include <cmath>
#include <cstring>

#include "base/packed.h"
#include "wire/hash.h"

namespace vsr::router {

namespace {

constexpr std::string_view kMagic = "vsr-lrn\n";
// Of everything behind the checksum. Also to be raised when the hash of a text or name changes.
constexpr uint8_t kVersion = 1;
constexpr size_t kChecksumAt = kMagic.size() + 1;
constexpr size_t kBodyAt = kChecksumAt + sizeof(uint64_t);

// Every count, in one order for writing and reading.
template <typename Counts, typename Use>
void for_each_count(Counts& shared, const Use& use) {
  for (auto* value : {&shared.rounds, &shared.req, &shared.c2, &shared.grow, &shared.out}) {
    use(*value);
  }
  for (auto& value : shared.prior) use(value);
  for (auto& row : shared.up) {
    for (auto& value : row) use(value);
  }
}

std::unexpected<Error> damaged(std::string_view what) {
  return fail(ErrorCode::kCorrupt, std::string(what));
}

}  // namespace

std::string learning_image(LearningState& state, size_t bytes_max) {
  PackedWriter out;
  out.raw(kMagic);
  out.byte(kVersion);
  out.hash(0);  // the checksum, below
  {
    const std::lock_guard lock(state.shared_mutex);
    out.hash(state.shared_tables);
    for_each_count(state.shared, [&](double value) { out.real(value); });
  }
  PackedWriter session;  // apart, so that no request waits while `out` grows
  for (const uint64_t key : state.sessions.keys()) {
    session.clear();
    if (!state.sessions.write(key, session)) continue;
    if (out.bytes().size() + session.bytes().size() > bytes_max) break;
    out.raw(session.bytes());
  }
  std::string image = out.take();
  const uint64_t checksum = wire::hash_bytes(std::string_view(image).substr(kBodyAt));
  std::memcpy(image.data() + kChecksumAt, &checksum, sizeof(checksum));
  return image;
}

Result<std::shared_ptr<LearningState>> learning_of_image(std::string_view image, double ttl_seconds,
                                                         double now_s) {
  if (!image.starts_with(kMagic)) return damaged("it is no file of this kind");
  if (image.size() < kBodyAt) return damaged("it is cut off");
  if (const auto version = static_cast<uint8_t>(image[kMagic.size()]); version != kVersion) {
    return fail(ErrorCode::kUnsupported,
                fmt::format("it is of version {}, this program reads {}", version, kVersion));
  }
  const std::string_view body = image.substr(kBodyAt);
  if (PackedReader(image.substr(kChecksumAt)).hash() != wire::hash_bytes(body)) {
    return damaged("its checksum is wrong");
  }
  auto out = std::make_shared<LearningState>(ttl_seconds);
  PackedReader in(body);
  out->shared_tables = in.hash();
  bool counts = true;
  for_each_count(out->shared, [&](double& value) {
    value = in.real();
    counts = counts && std::isfinite(value) && value >= 0;
  });
  if (in.failed() || !counts) return damaged("its counts are none");
  while (!in.at_end()) {
    if (!out->sessions.read(in, now_s)) return damaged("it holds a session that is none");
  }
  return out;
}

}  // namespace vsr::router
