#pragma once

// The time, as an outside effect. Code that decides takes a time as an argument; code that acts
// takes a Clock, so that a test can turn the hands. Implementations are thread-safe.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>

namespace vsr {

// Nanoseconds of a clock that only moves forward; differences are what matters.
using MonoTime = std::chrono::nanoseconds;
// Milliseconds since the Unix epoch, UTC.
using UnixMillis = int64_t;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual MonoTime mono() const = 0;
  virtual UnixMillis unix_ms() const = 0;
};

class SystemClock final : public Clock {
 public:
  MonoTime mono() const override;
  UnixMillis unix_ms() const override;
};

// Stands still until told otherwise.
class FakeClock final : public Clock {
 public:
  explicit FakeClock(UnixMillis start_unix_ms = 1'700'000'000'000)
      : start_unix_ms_(start_unix_ms) {}
  MonoTime mono() const override { return MonoTime(elapsed_ns_.load()); }
  UnixMillis unix_ms() const override { return start_unix_ms_ + elapsed_ns_.load() / 1'000'000; }
  void advance(MonoTime by) { elapsed_ns_ += by.count(); }

 private:
  const UnixMillis start_unix_ms_;
  std::atomic<int64_t> elapsed_ns_{0};
};

// "2026-05-30T08:15:00.123Z"
std::string format_rfc3339(UnixMillis time);
// Accepts RFC 3339 with `Z` or an offset, or plain seconds since the epoch. Returns -1 if neither.
UnixMillis parse_time(std::string_view text);

}  // namespace vsr
