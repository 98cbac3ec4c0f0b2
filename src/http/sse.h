#pragma once

// Incremental reader of server-sent events: fed bytes in any split, it gives the data of each event
// as one view. Comments, other fields and event types are skipped; several data lines are joined by
// a line feed. Pure; no allocation while events fit the buffer it keeps. Limit: kEventBytesMax.

#include <functional>
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
    while (!bytes.empty() && !overflow_) {
      if (after_cr_) {
        after_cr_ = false;
        if (bytes.front() == '\n') {
          bytes.remove_prefix(1);
          continue;
        }
      }
      const size_t end = bytes.find_first_of("\r\n");
      if (end == std::string_view::npos) {
        keep(bytes);
        break;
      }
      after_cr_ = bytes[end] == '\r';
      std::string_view line = bytes.substr(0, end);
      if (!line_.empty()) {
        keep(line);
        line = line_;
      }
      if (on_line(line)) {
        on_event(std::string_view(data_));
        data_.clear();
        has_data_ = false;
      }
      line_.clear();
      bytes.remove_prefix(end + 1);
    }
    return !overflow_;
  }

 private:
  void keep(std::string_view part);
  // True when the line ends an event that has data.
  bool on_line(std::string_view line);

  std::string line_;
  std::string data_;
  bool has_data_ = false;
  bool after_cr_ = false;
  bool overflow_ = false;
};

}  // namespace vsr::http
