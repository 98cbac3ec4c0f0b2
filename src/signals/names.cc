// Names of people, only where the words around them leave little doubt: there is no model for
// names.

#include <array>

#include "base/strings.h"
#include "signals/scan.h"
#include "text/utf8.h"

namespace vsr::signals {
namespace {

constexpr size_t kWordsMax = 4;
constexpr double kNameConfidence = 0.7;

// The hundred commonest Chinese surnames, and a few more.
constexpr std::string_view kSurnames =
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩邓冯曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕"
    "丁任卢姚沈钟姜崔谭陆范汪廖石金韦贾夏付方邹熊白孟秦邱侯江尹薛闫段雷龙黎史陶贺毛郝顾龚邵万覃武钱"
    "戴"
    "严莫孔向常汤康易乔文施洪傅齐";

// Characters that go on after a name and are hardly ever part of one.
constexpr std::string_view kNotInNames =
    "的是在和与跟从把被给写将已要想能会说有没不了着请先女医老怎谢好";

bool contains_char(std::string_view set, std::string_view character) {
  for (size_t at = 0; at < set.size(); at += 3) {
    if (set.substr(at, 3) == character) return true;
  }
  return false;
}

bool is_han(std::string_view text, size_t at, char32_t& out, size_t& next) {
  next = at;
  if (at >= text.size()) return false;
  out = text::next_code_point(text, next);
  return out >= 0x4E00 && out <= 0x9FFF;
}

// "Jane", "O'Neill", "D.", "van-Dijk", "de la Cruz"
size_t past_name_word(const Scan& scan, size_t at) {
  for (const std::string_view particle : {"van", "von", "de la", "de", "der", "del", "bin", "al"}) {
    if (!scan.from(at).starts_with(particle)) continue;
    const size_t next = at + particle.size();
    if ((scan.at(next) == ' ' || scan.at(next) == '-') && is_upper(scan.at(next + 1)))
      at = next + 1;
  }
  if (!is_upper(scan.at(at))) return 0;
  size_t end = at + 1;
  while (
      is_any(scan.at(end), kLetterBits) ||
      (static_cast<uint8_t>(scan.at(end)) >= 0xC3 && static_cast<uint8_t>(scan.at(end)) <= 0xC9) ||
      (static_cast<uint8_t>(scan.at(end)) & 0xC0) == 0x80 ||
      ((scan.at(end) == '\'' || scan.at(end) == '-') && is_upper(scan.at(end + 1)))) {
    ++end;
  }
  if (end - at == 1 && scan.at(end) == '.') return end + 1;  // an initial
  return end;
}

// Capitalised words from `at`: their end and their number.
size_t past_name(const Scan& scan, size_t at, size_t& words) {
  size_t end = at;
  words = 0;
  while (words < kWordsMax) {
    const size_t start = words == 0 ? at : end + 1;
    if (words > 0 && scan.at(end) != ' ') break;
    const size_t next = past_name_word(scan, start);
    if (next == 0) break;
    const std::string_view word = scan.text.substr(start, next - start);
    // "Customer Service", "Name Address": a label, not a name.
    const Topic topic = topic_of_word(word);
    if (topic != Topic::kNone && topic != Topic::kMonth) break;
    end = next;
    ++words;
  }
  // A final initial is the middle of something else.
  while (words > 0 && scan.before(end) == '.' && end > at) {
    const size_t space = scan.text.rfind(' ', end - 1);
    if (space == std::string_view::npos || space < at) return 0;
    end = space;
    --words;
  }
  return words == 0 ? 0 : end;
}

bool is_sentence_word(std::string_view word) {
  for (const std::string_view known :
       {"The",  "This",   "That",  "It", "We",  "You",     "They",   "Your", "Our",
        "My",   "Please", "And",   "Or", "In",  "On",      "For",    "To",   "All",
        "Team", "Sir",    "Madam", "Is", "Are", "Service", "Support"}) {
    if (word == known) return true;
  }
  return false;
}

}  // namespace

size_t read_name(Scan& scan, size_t word, size_t end, bool honorific) {
  size_t at = end;
  const std::string_view label = scan.text.substr(word, end - word);
  bool field = false;  // an assignment: name="…", Name: …
  if (honorific) {
    if (!is_upper(label[0])) return 0;
    if (scan.at(at) == '.') ++at;
    if (scan.at(at) != ' ') return 0;
    ++at;
  } else {
    if (scan.at(at) == '"' || scan.at(at) == '\'') ++at;
    if (scan.at(at) == ' ') ++at;
    if (scan.at(at) == ':' || scan.at(at) == '=' || scan.at(at) == ',') {
      field = scan.at(at) != ',';
      ++at;
    } else if (scan.from(at).starts_with("is ")) {
      field = true;
      at += 3;
    } else if (scan.from(at).starts_with("was ")) {
      field = true;
      at += 4;
    }
    while (scan.at(at) == ' ' || scan.at(at) == '\n') ++at;
    if (scan.at(at) == '"' || scan.at(at) == '\'') ++at;
    if (at == end) return 0;
  }
  size_t words = 0;
  const size_t stop = past_name(scan, at, words);
  if (stop == 0 ||
      is_sentence_word(scan.text.substr(at, std::min(stop, scan.text.find(' ', at)) - at))) {
    return 0;
  }
  // One capitalised word after a bare label ("customer Berlin") says too little.
  const bool greeting = iequals(label, "dear") || iequals(label, "regards");
  if (!honorific && !greeting && !field && words < 2) return 0;
  // Labels of code and schemas ("name: Checkout", "name=Release").
  if (field && words < 2 && scan.before(at) != '"' && scan.before(at) != ' ') return 0;
  if (field && words < 2 && !scan.from(end).starts_with(" is ")) return 0;
  scan.add(EntityType::kPerson, at, stop, kNameConfidence);
  return stop;
}

size_t read_cjk_name(Scan& scan, size_t end) {
  size_t at = end;
  for (const std::string_view mark : {"\":", "：", ":", "=", "是", "为", " "}) {
    if (scan.from(at).starts_with(mark)) {
      at += mark.size();
      break;
    }
  }
  while (scan.at(at) == ' ' || scan.at(at) == '"' || scan.at(at) == '\'') ++at;
  size_t next = 0;
  char32_t c = 0;
  if (!is_han(scan.text, at, c, next) ||
      !contains_char(kSurnames, scan.text.substr(at, next - at))) {
    return 0;
  }
  size_t stop = next;
  int given = 0;
  while (given < 2 && is_han(scan.text, stop, c, next)) {
    if (contains_char(kNotInNames, scan.text.substr(stop, next - stop))) break;
    const std::string_view rest = scan.from(stop);  // 明天, 昨日: when, not who
    if (rest.size() >= 6 && contains_char("昨今明", rest.substr(0, 3)) &&
        contains_char("天日晚早年", rest.substr(3, 3))) {
      break;
    }
    stop = next;
    ++given;
  }
  if (given == 0) return 0;
  scan.add(EntityType::kPerson, at, stop, kNameConfidence);
  return stop;
}

}  // namespace vsr::signals
