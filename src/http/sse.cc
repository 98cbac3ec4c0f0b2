#include "http/sse.h"

namespace vsr::http {

void SseParser::keep(std::string_view part) {
  if (line_.size() + data_.size() + part.size() > kEventBytesMax) {
    overflow_ = true;
    return;
  }
  line_ += part;
}

bool SseParser::on_line(std::string_view line) {
  if (overflow_) return false;
  if (line.empty()) return has_data_;
  constexpr std::string_view kData = "data";
  if (!line.starts_with(kData)) return false;
  line.remove_prefix(kData.size());
  if (!line.empty()) {
    if (line.front() != ':') return false;
    line.remove_prefix(1);
    if (!line.empty() && line.front() == ' ') line.remove_prefix(1);
  }
  if (data_.size() + line.size() + 1 > kEventBytesMax) {
    overflow_ = true;
    return false;
  }
  if (has_data_) data_ += '\n';
  data_ += line;
  has_data_ = true;
  return false;
}

}  // namespace vsr::http
