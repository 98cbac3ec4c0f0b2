#include "http/sse.h"

namespace vsr::http {

void SseParser::keep_line(std::string_view part) {
  if (line_.size() + part.size() > kEventBytesMax) {
    overflow_ = true;
    return;
  }
  line_ += part;
}

void SseParser::keep_event() {
  if (one_line_.data() == nullptr) return;
  data_.assign(one_line_);
  one_line_ = {};
}

void SseParser::forget_event() {
  data_.clear();
  one_line_ = {};
  has_data_ = false;
}

void SseParser::on_data(std::string_view value, bool in_input) {
  if (!has_data_ && in_input) {
    one_line_ = value;
  } else {
    keep_event();
    if (data_.size() + value.size() + 1 > kEventBytesMax) {
      overflow_ = true;
      return;
    }
    if (has_data_) data_ += '\n';
    data_ += value;
  }
  has_data_ = true;
}

bool SseParser::on_line(std::string_view line, bool in_input) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  constexpr std::string_view kData = "data";
  if (is_first_line_ && line.starts_with(kByteOrderMark)) line.remove_prefix(kByteOrderMark.size());
  is_first_line_ = false;
  if (line.size() > kEventBytesMax) overflow_ = true;
  if (overflow_) return false;
  if (line.empty()) return has_data_;
  if (!line.starts_with(kData)) return false;
  line.remove_prefix(kData.size());
  if (!line.empty()) {
    if (line.front() != ':') return false;
    line.remove_prefix(1);
    if (!line.empty() && line.front() == ' ') line.remove_prefix(1);
  }
  on_data(line, in_input);
  return false;
}

}  // namespace vsr::http
