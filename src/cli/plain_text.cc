#include "cli/plain_text.h"

#include <fmt/format.h>

#include "base/strings.h"

namespace vsr::cli {

std::string plain(std::string_view text) {
  std::string out(text);
  for (size_t i = 0; i < out.size(); ++i) {
    const auto byte = static_cast<unsigned char>(out[i]);
    const auto next = static_cast<unsigned char>(i + 1 < out.size() ? out[i + 1] : 0);
    if (byte < 0x20 || byte == 0x7F) out[i] = ' ';
    // Those of ISO 8859-1 are two bytes.
    if (byte == 0xC2 && next >= 0x80 && next < 0xA0) out[i] = out[i + 1] = ' ';
  }
  return out;
}

std::string beginning(std::string_view text, size_t bytes) {
  if (text.size() <= bytes) return plain(text);
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xC0) == 0x80) --bytes;
  return plain(text.substr(0, bytes)) + " …";
}

std::string labelled(std::string_view label, std::string_view text) {
  std::string out = fmt::format("{:<{}}", label, kLabelColumns);
  size_t column = kLabelColumns;
  for (const std::string_view word : split(text, ' ')) {
    if (word.empty()) continue;
    if (column > kLabelColumns && column + 1 + word.size() > kColumns) {
      out += fmt::format("\n{:{}}", "", kLabelColumns);
      column = kLabelColumns;
    }
    if (column > kLabelColumns) {
      out += ' ';
      ++column;
    }
    out += word;
    column += word.size();
  }
  while (out.ends_with(' ')) out.pop_back();
  return out + '\n';
}

std::string counted(int64_t number) {
  std::string out = fmt::format("{}", number);
  for (size_t at = out.size(); at > 3 && out[at - 4] != '-';) out.insert(at -= 3, ",");
  return out;
}

}  // namespace vsr::cli
