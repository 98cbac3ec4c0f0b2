#pragma once

// Incremental reader of server-sent events: fed bytes in any split, it gives the data of each event
// as one view. Comments, other fields and event types are skipped; several data lines are joined by
// a line feed. Pure; an event that comes whole and in one line is not copied, and nothing is
// allocated while others fit the buffers it keeps. Limit: kEventBytesMax, of a line and of an
// event.

#include <cstring>
#include <string>
#include <string_view>

namespace vsr::http {

constexpr size_t kEventBytesMax = 4UL << 20;

class SseParser {
 public:
  // Calls on_event(data) for each complete event in `bytes`; the view dies with the call. The
  // result does not depend on how the stream is cut. False once an event is over the limit; from
  // then on nothing is reported.
  template <typename OnEvent>
  bool feed(std::string_view bytes, OnEvent&& on_event) {
    const char* at = bytes.data();
    const char* const end = at + bytes.size();
    const char* line_feed = nullptr;  // the next one, looked for once
    while (at < end && !overflow_) {
      if (after_cr_) {
        after_cr_ = false;
        if (*at == '\n') {
          ++at;
          continue;
        }
      }
      if (line_feed < at) line_feed = find(at, end, '\n');
      const char* const line_end = find(at, line_feed, '\r');
      if (line_end == end) {
        keep_line({at, static_cast<size_t>(end - at)});
        break;
      }
      after_cr_ = *line_end == '\r';
      std::string_view line(at, static_cast<size_t>(line_end - at));
      const bool is_whole = line_.empty();
      if (!is_whole) {
        keep_line(line);
        line = line_;
      }
      at = line_end + 1;
      if (on_line(line, is_whole)) {
        on_event(one_line_.data() != nullptr ? one_line_ : std::string_view(data_));
        forget_event();
      }
      line_.clear();
    }
    keep_event();
    return !overflow_;
  }

 private:
  static const char* find(const char* at, const char* end, char c) {
    const void* found = std::memchr(at, c, static_cast<size_t>(end - at));
    return found != nullptr ? static_cast<const char*>(found) : end;
  }
  void keep_line(std::string_view part);
  // True when the line ends an event that has data. The line outlives the call if `in_input`.
  bool on_line(std::string_view line, bool in_input);
  void on_data(std::string_view value, bool in_input);
  // Moves what points into the input to data_.
  void keep_event();
  void forget_event();

  std::string line_;           // the part of a line that came so far
  std::string data_;           // of the event, but for
  std::string_view one_line_;  // its only line, if that lies in the input; null otherwise
  bool has_data_ = false;
  bool after_cr_ = false;
  bool is_first_line_ = true;
  bool overflow_ = false;
};

}  // namespace vsr::http
