// The value beside a Chinese secret word.

#include <optional>

#include "base/strings.h"
#include "signals/scan.h"
#include "signals/secret_text.h"
#include "signals/secret_value.h"

namespace vsr::signals {

// A value beside 密码 and its like: behind 是, 为, 成 or a colon, or written straight after the
// word.
size_t read_cjk_value(Scan& scan, Topic topic, size_t end) {
  constexpr size_t kBetweenBytesMax = 21;  // seven characters: 已经重置成了
  const std::string_view text = scan.text;
  size_t at = end;
  bool linked = false;
  while (at < text.size() && at - end < kBetweenBytesMax) {
    const char c = text[at];
    if (c == ' ' || c == '"' || c == '\'') {
      if (c != ' ') break;
      ++at;
      continue;
    }
    if (c == ':' || c == '=') {
      linked = true;
      ++at;
      continue;
    }
    if (static_cast<uint8_t>(c) < 0xE2 || at + 3 > text.size()) break;
    const std::string_view character = text.substr(at, 3);
    // A pause ends the clause; a full-width colon, a quote and a linking word lead to the value.
    if (character == "，" || character == "。" || character == "？" || character == "、" ||
        character == "；" || character == "！") {
      return 0;
    }
    linked = linked || character == "是" || character == "为" || character == "成" ||
             character == "：" || character == "“" || character == "「";
    at += 3;
  }
  if (at != end && !linked &&
      scan.text.substr(end, at - end).find_first_not_of(' ') != std::string_view::npos) {
    return 0;
  }
  const std::optional<Value> value = value_at(text, at, !linked, topic == Topic::kToken);
  if (!value || value->end <= value->start) return 0;
  const std::string_view secret = text.substr(value->start, value->end - value->start);
  if (secret.find("://") != std::string_view::npos) return 0;
  size_t run = value->start;
  while (run < value->end && is_word_char(text[run])) ++run;
  if (const size_t key = read_key(scan, value->start, run, kDigitBit); key != 0) return key;
  double confidence = topic == Topic::kToken ? token_confidence(secret, *value, false)
                                             : password_confidence(secret, *value);
  const Kinds kinds = kinds_of(secret);
  if (!linked && kinds.lower + kinds.upper == 0) confidence = 0;  // 密码6位
  if (confidence == 0) return 0;
  scan.add(topic == Topic::kToken ? EntityType::kSecret : EntityType::kPassword, value->start,
           value->end, confidence);
  return value->end;
}

}  // namespace vsr::signals
