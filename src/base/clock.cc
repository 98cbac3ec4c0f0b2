#include "base/clock.h"

#include <fmt/format.h>

#include <charconv>
#include <string_view>

namespace vsr {

namespace {

// Reads exactly `digits` decimal digits and advances; -1 if there are not that many.
int take_digits(std::string_view& text, int digits) {
  if (text.size() < static_cast<size_t>(digits)) return -1;
  int value = 0;
  for (int i = 0; i < digits; ++i) {
    if (text[i] < '0' || text[i] > '9') return -1;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(digits);
  return value;
}

bool take(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

// Minutes east of UTC at the end of an RFC 3339 time; false if it is not one.
bool take_offset(std::string_view& text, int& minutes) {
  minutes = 0;
  if (take(text, "Zz")) return true;
  const bool west = !text.empty() && text.front() == '-';
  if (!take(text, "+-")) return false;
  const int hh = take_digits(text, 2);
  if (hh < 0 || hh > 23 || !take(text, ":")) return false;
  const int mm = take_digits(text, 2);
  if (mm < 0 || mm > 59) return false;
  minutes = (hh * 60 + mm) * (west ? -1 : 1);
  return true;
}

}  // namespace

MonoTime SystemClock::mono() const {
  return std::chrono::duration_cast<MonoTime>(std::chrono::steady_clock::now().time_since_epoch());
}

UnixMillis SystemClock::unix_ms() const {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::string format_rfc3339(UnixMillis time) {
  using namespace std::chrono;
  const sys_time<milliseconds> at{milliseconds(time)};
  const auto day = floor<days>(at);
  const year_month_day date{day};
  const auto since = (at - day).count();
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     since / 3'600'000, since / 60'000 % 60, since / 1000 % 60, since % 1000);
}

UnixMillis parse_time(std::string_view text) {
  using namespace std::chrono;
  int64_t seconds = 0;
  const char* end = text.data() + text.size();
  if (auto [at, error] = std::from_chars(text.data(), end, seconds);
      error == std::errc() && at == end && seconds >= 0 && seconds < 1'000'000'000'000) {
    return seconds * 1000;
  }
  const int year = take_digits(text, 4);
  if (year < 0 || !take(text, "-")) return -1;
  const int month = take_digits(text, 2);
  if (month < 0 || !take(text, "-")) return -1;
  const int day = take_digits(text, 2);
  const year_month_day date{std::chrono::year(year), std::chrono::month(month),
                            std::chrono::day(day)};
  if (day < 0 || !date.ok()) return -1;
  const int64_t midnight = sys_days(date).time_since_epoch().count() * 86'400'000LL;
  if (text.empty()) return midnight;
  if (!take(text, "Tt ")) return -1;
  const int hh = take_digits(text, 2);
  if (hh < 0 || hh > 23 || !take(text, ":")) return -1;
  const int mm = take_digits(text, 2);
  if (mm < 0 || mm > 59 || !take(text, ":")) return -1;
  const int ss = take_digits(text, 2);
  if (ss < 0 || ss > 60) return -1;
  int milliseconds = 0;
  if (take(text, ".")) {
    int scale = 100;
    bool any = false;
    while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
      milliseconds += (text.front() - '0') * scale;
      scale /= 10;
      any = true;
      text.remove_prefix(1);
    }
    if (!any) return -1;
  }
  int offset_minutes = 0;
  if (!take_offset(text, offset_minutes) || !text.empty()) return -1;
  return midnight + hh * 3'600'000LL + (mm - offset_minutes) * 60'000LL + ss * 1000LL +
         milliseconds;
}

}  // namespace vsr
