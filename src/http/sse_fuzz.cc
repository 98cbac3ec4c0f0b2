// Any bytes in any split give the same events, and a simple reader over the whole agrees.
#include <cstdint>
#include <vector>

#include "base/check.h"
#include "http/sse.h"

namespace {

std::vector<std::string> in_parts(std::string_view bytes, size_t part) {
  vsr::http::SseParser parser;
  std::vector<std::string> events;
  while (!bytes.empty()) {
    const std::string copy(bytes.substr(0, part));
    parser.feed(copy, [&](std::string_view data) { events.emplace_back(data); });
    bytes.remove_prefix(copy.size());
  }
  return events;
}

// The same by the letter of the specification, line by line.
std::vector<std::string> by_lines(std::string_view bytes) {
  if (bytes.starts_with("\xef\xbb\xbf")) bytes.remove_prefix(3);
  std::vector<std::string> events;
  std::string data;
  bool has_data = false;
  for (;;) {
    const size_t end = bytes.find_first_of("\r\n");
    if (end == std::string_view::npos) return events;
    std::string_view line = bytes.substr(0, end);
    bytes.remove_prefix(bytes.substr(end).starts_with("\r\n") ? end + 2 : end + 1);
    if (line.empty()) {
      if (has_data) events.push_back(data);
      data.clear();
      has_data = false;
      continue;
    }
    const size_t colon = line.find(':');
    if (line.substr(0, colon) != "data") continue;
    std::string_view value = colon == std::string_view::npos ? "" : line.substr(colon + 1);
    if (value.starts_with(' ')) value.remove_prefix(1);
    if (has_data) data += '\n';
    data += value;
    has_data = true;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto whole = in_parts(bytes, bytes.size() + 1);
  VSR_CHECK(whole == in_parts(bytes, 1 + data[0] % 32));
  VSR_CHECK(whole == by_lines(bytes));
  return 0;
}
