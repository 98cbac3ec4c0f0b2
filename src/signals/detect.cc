#include "signals/detect.h"

#include <algorithm>

#include "signals/scan.h"

namespace vsr::signals {

namespace {

constexpr size_t kNameWordsMax = 3;

bool is_utf8_tail(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }
bool is_multibyte(char c) { return (static_cast<unsigned char>(c) & 0x80) != 0; }

size_t utf8_length(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}

size_t run_end_of(std::string_view text, size_t at, uint8_t bits) {
  while (at < text.size() && is_any(text[at], bits)) ++at;
  return at;
}

// Walks a text once and hands each place worth a look to the recogniser for it.
class Walker {
 public:
  Walker(std::string_view text, DetectOptions options) : scan_(text), options_(options) {}

  std::vector<Entity> run() {
    const std::string_view text = scan_.text;
    for (size_t at = 0; at < text.size();) {
      const char c = text[at];
      size_t used = 0;
      if (is_any(c, kLetterBits | kUnderscoreBit)) {
        used = word(at);
      } else if (is_any(c, kDigitBit) || ((c == '+' || c == '(') && is_any(scan_.at(at + 1), kDigitBit))) {
        used = options_.personal ? read_number(scan_, at) : 0;
        if (used == 0 && is_any(c, kDigitBit)) used = digits(at);
      } else if (c == '-' && options_.secrets) {
        used = read_private_key(scan_, at);
      } else if (c == '$' && options_.secrets) {
        used = read_password_hash(scan_, at);
      } else if (c == '@' && options_.personal) {
        used = read_email(scan_, at);
      } else if (c == ':') {
        if (options_.secrets && scan_.from(at).starts_with("://")) used = read_url(scan_, at);
      } else if (is_multibyte(c) && !is_utf8_tail(c)) {
        used = cjk(at);
      }
      at += std::max<size_t>(used, 1);
    }
    return std::move(scan_.found);
  }

 private:
  // A run of word characters that begins with a digit and is no number: may be a key or code.
  size_t digits(size_t at) {
    const size_t end = run_end_of(scan_.text, at, kWordBits);
    return key(at, end) ? end - at : end - at;
  }

  bool key(size_t at, size_t end) {
    if (!options_.secrets) return false;
    uint8_t seen = 0;
    size_t stop = end;
    while (stop < scan_.text.size() && is_any(scan_.text[stop], kWordBits | kDashBit)) ++stop;
    for (size_t i = at; i < stop; ++i) seen |= class_of(scan_.text[i]);
    return read_key(scan_, at, stop, seen) > 0;
  }

  size_t word(size_t at) {
    const std::string_view text = scan_.text;
    const size_t end = run_end_of(text, at, kWordBits);
    const size_t before = scan_.found.size();
    if (key(at, end)) return scan_.found.back().end - at;
    size_t letters = at;
    while (letters < end && is_any(text[letters], kLetterBits)) ++letters;
    // "API_KEY" and "apiKey" are told by their last word.
    size_t from = end;
    while (from > at && text[from - 1] != '_') --from;
    for (const size_t begin : {at, from}) {
      const Topic topic = topic_of_word(text.substr(begin, end - begin));
      if (topic == Topic::kNone) continue;
      scan_.note(topic, end);
      size_t used = 0;
      if (options_.secrets) used = read_secret_value(scan_, topic, at, begin, end);
      if (used == 0 && options_.personal && topic == Topic::kMonth) used = read_month_date(scan_, begin, end);
      if (used == 0 && options_.personal && (topic == Topic::kHonorific || topic == Topic::kName)) {
        used = read_name(scan_, begin, end, topic == Topic::kHonorific);
      }
      if (used > 0 && scan_.found.size() > before) return scan_.found.back().end - at;
      break;
    }
    if (options_.personal && letters < end) {
      if (const size_t used = read_code(scan_, at, end); used > 0) return used;
    }
    if (options_.secrets && end - at == 1 && scan_.before(at) == '-') read_flag_password(scan_, at, end);
    return end - at;
  }

  size_t cjk(size_t at) {
    const TopicAt topic = topic_at_cjk(scan_.from(at));
    if (topic.topic == Topic::kNone) return utf8_length(scan_.text[at]);
    const size_t end = at + topic.length;
    scan_.note(topic.topic, end);
    const size_t before = scan_.found.size();
    if (options_.secrets) read_secret_value(scan_, topic.topic, at, at, end);
    if (options_.personal && topic.topic == Topic::kName) read_cjk_name(scan_, end);
    if (scan_.found.size() > before) return scan_.found.back().end - at;
    return topic.length;
  }

  Scan scan_;
  const DetectOptions options_;
};

}  // namespace

// A street address: number, capitalised words, and a word that ends a street name.
size_t read_address(Scan& scan, size_t start, size_t digits_end) {
  size_t at = digits_end;
  size_t last = 0;
  for (int words = 0; words < 5; ++words) {
    if (scan.at(at) != ' ') break;
    const size_t begin = at + 1;
    const size_t end = run_end_of(scan.text, begin, kAlnumBits);
    if (end == begin || !is_upper(scan.at(begin))) break;
    at = end;
    if (words > 0 && topic_of_word(scan.text.substr(begin, end - begin)) == Topic::kStreet) last = end;
  }
  if (last == 0) return 0;
  scan.add(EntityType::kAddress, start, last, 0.85);
  return last - start;
}

size_t read_cjk_address(Scan& scan, size_t digits, size_t hao) {
  // Back over the street's characters, at least four of them with 路, 街 or 道 last.
  constexpr std::string_view kRoads[] = {"路", "街", "道", "巷"};
  const bool road = std::any_of(std::begin(kRoads), std::end(kRoads), [&](std::string_view name) {
    return digits >= name.size() && scan.text.substr(digits - name.size(), name.size()) == name;
  });
  if (!road) return 0;
  size_t start = digits;
  while (start > 0 && is_multibyte(scan.text[start - 1])) --start;
  constexpr size_t kLeastBytes = 12;
  if (digits - start < kLeastBytes) return 0;
  const size_t end = hao + std::string_view("号").size();
  scan.add(EntityType::kAddress, start, end, 0.85);
  return end - start;
}

// "name: Jane Roe", "Mr Roe": capitalised words after what announces a name.
size_t read_name(Scan& scan, size_t word, size_t end, bool honorific) {
  size_t at = end;
  if (!honorific) {
    while (scan.at(at) == ' ' || scan.at(at) == ':' || scan.at(at) == '=' || scan.at(at) == '"') ++at;
    if (at == end || at - end > 4) return 0;
  } else {
    if (scan.at(at) == '.') ++at;
    if (scan.at(at) != ' ') return 0;
    ++at;
  }
  const size_t start = at;
  size_t stop = start;
  for (size_t words = 0; words < kNameWordsMax; ++words) {
    if (!is_upper(scan.at(at))) break;
    const size_t word_end = run_end_of(scan.text, at, kLetterBits);
    if (word_end - at < 2) break;
    stop = word_end;
    if (scan.at(word_end) != ' ') break;
    at = word_end + 1;
  }
  if (stop == start) return 0;
  scan.add(EntityType::kPerson, start, stop, 0.7);
  return stop - word;
}

size_t read_cjk_name(Scan& scan, size_t end) {
  size_t at = end;
  while (scan.from(at).starts_with("：") || scan.from(at).starts_with("是") || scan.at(at) == ':' ||
         scan.at(at) == ' ') {
    at += utf8_length(scan.text[at]);
  }
  if (at == end) return 0;
  size_t stop = at;
  for (int chars = 0; chars < 3 && stop < scan.text.size() && utf8_length(scan.text[stop]) == 3; ++chars) {
    if (scan.from(stop).starts_with("，") || scan.from(stop).starts_with("。")) break;
    stop += 3;
  }
  if (stop - at < 6) return 0;
  scan.add(EntityType::kPerson, at, stop, 0.7);
  return stop - end;
}

void detect(std::string_view text, DetectOptions options, std::vector<Entity>& out) {
  std::vector<Entity> found = Walker(text, options).run();
  std::sort(found.begin(), found.end(),
            [](const Entity& a, const Entity& b) { return a.start < b.start; });
  uint32_t end = 0;
  for (const Entity& entity : found) {
    if (is_secret(entity.type) ? !options.secrets : !options.personal) continue;
    if (entity.start < end || out.size() >= kEntitiesMax) continue;
    out.push_back(entity);
    end = entity.end;
  }
}

std::vector<Entity> detect_pii(std::string_view text, DetectOptions options) {
  std::vector<Entity> out;
  detect(text, options, out);
  return out;
}

}  // namespace vsr::signals
