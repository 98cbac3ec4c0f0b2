#include "signals/detect.h"

#include <algorithm>
#include <array>
#include <string>

#include "base/strings.h"
#include "signals/name_tagger.h"
#include "signals/plain_text.h"
#include "signals/scan.h"
#include "text/unmask.h"

namespace vsr::signals {
namespace {

// Walks a text once and hands each place worth a look to the recogniser for it. Every reader gives
// the offset behind what it read, 0 for nothing.
class Walker {
 public:
  Walker(std::string_view text, DetectOptions options) : scan_(text), options_(options) {}

  std::vector<Entity> run() {
    const std::string_view text = scan_.text;
    size_t at = 0;
    while (at < text.size()) {
      const char c = text[at];
      size_t end = 0;
      if (is_word_char(c)) {
        end = read_run(at);
      } else if (static_cast<uint8_t>(c) >= 0xE4 && static_cast<uint8_t>(c) <= 0xE9) {
        end = read_han(at);
      } else if (static_cast<uint8_t>(c) >= 0xC3) {
        end = read_foreign(at);
      } else {
        end = read_sign(at);
      }
      at = std::max(end, at + 1);
    }
    return std::move(scan_.found);
  }

  // A run may hold text in base64.
  bool saw_encoded() const { return saw_encoded_; }

 private:
  size_t read_sign(size_t at) {
    switch (scan_.text[at]) {
      case '@':
        return read_at_sign(at);
      case '+':
      case '(':
        return options_.personal ? read_number(scan_, at) : 0;
      case '-':
        return options_.secrets ? read_private_key(scan_, at) : 0;
      case '{':
      case '$':
        return options_.secrets ? read_password_hash(scan_, at) : 0;
      case ':':
        return options_.secrets && scan_.at(at + 1) == '/' && scan_.at(at + 2) == '/'
                   ? read_url(scan_, at)
                   : 0;
      default:
        return 0;
    }
  }

  size_t read_at_sign(size_t at) {
    if (options_.secrets) {
      if (const size_t dsn = read_dsn(scan_, at); dsn != 0) return dsn;
    }
    const size_t found = scan_.found.size();
    const size_t end = read_email(scan_, at);
    if (end == 0) return 0;
    if (!options_.personal) scan_.found.resize(found);
    const size_t behind = options_.secrets ? read_password_behind(scan_, end) : 0;
    return std::max(options_.personal ? end : 0, behind);
  }

  // A run of letters, digits and underscores.
  size_t read_run(size_t start) {
    const std::string_view text = scan_.text;
    uint8_t seen = 0;
    size_t end = start;
    size_t last_part = start;  // after the last underscore or change to an upper-case letter
    for (; end < text.size() && is_word_char(text[end]); ++end) {
      const uint8_t cls = class_of(text[end]);
      if ((cls & kUpperBit) != 0 && end > start && is_any(text[end - 1], kLowerBit))
        last_part = end;
      if ((cls & kUnderscoreBit) != 0) last_part = end + 1;
      seen |= cls;
    }
    if (end - start >= kEncodedRunMin && is_encoded_text(text.substr(start, end - start))) {
      saw_encoded_ = true;
    }
    if (options_.secrets) {
      if (const size_t key = read_key(scan_, start, end, seen); key != 0) return key;
      if (scan_.before(start) == '-') {
        if (const size_t value = read_flag_password(scan_, start); value != 0) return value;
      }
      if (is_any(text[start], kDigitBit) && scan_.before(start) == ':') {
        if (const size_t value = read_pgpass(scan_, start, end); value != 0) return value;
      }
    }
    const bool has_digit = (seen & kDigitBit) != 0;
    if (has_digit && options_.personal) {
      if (const size_t number = read_digits(start, end); number != 0) return number;
    }
    if (is_any(text[start], kDigitBit) || last_part == end) return end;
    return std::max(end, read_word(start, last_part, end));
  }

  // Numbers and codes of a run that holds a digit.
  size_t read_digits(size_t start, size_t end) {
    if (const size_t id = read_national_id(scan_, start, end); id != 0) return id;
    if (is_any(scan_.text[start], kDigitBit)) {
      if (scan_.at(end) == ':') {
        if (const size_t host = read_ipv6(scan_, start); host != 0) return host;
      }
      if (const size_t number = read_number(scan_, start); number != 0) return number;
    } else if (scan_.at(end) == ':' && is_any(scan_.text[start], kHexLetterBit)) {
      if (const size_t host = read_ipv6(scan_, start); host != 0) return host;
    }
    return read_code(scan_, start, end);
  }

  size_t read_word(size_t start, size_t last_part, size_t end) {
    // "accesstoken" says more than its last part can.
    Topic topic = topic_of_word(scan_.text.substr(start, end - start));
    size_t word = start;
    if (topic == Topic::kNone && last_part != start) {
      word = last_part;
      topic = topic_of_word(scan_.text.substr(last_part, end - last_part));
    }
    if (topic == Topic::kNone && scan_.at(end) == '=') topic = topic_inside(start, end);
    if (topic == Topic::kNone) return end;
    scan_.note(topic, end);
    if (topic == Topic::kMonth) return options_.personal ? read_month_date(scan_, start, end) : 0;
    if (topic == Topic::kName || topic == Topic::kIntroduction) {
      return options_.personal ? read_lower_case_name(scan_, end) : 0;
    }
    return options_.secrets ? read_secret(topic, start, word, end) : 0;
  }

  // Of a name such as DB_PASSWORD_PROD or API_KEY_2 what stands before its last part.
  Topic topic_inside(size_t start, size_t end) const {
    const std::string_view name = scan_.text.substr(start, end - start);
    const size_t last = name.rfind('_');
    if (last == std::string_view::npos) return Topic::kNone;
    for (const std::string_view harmless :
         {"id",     "name",  "hash", "length", "len",  "min",   "max",   "file", "path",   "field",
          "policy", "count", "url",  "type",   "size", "limit", "reset", "ttl",  "expiry", "uri"}) {
      if (iequals(name.substr(last + 1), harmless)) return Topic::kNone;
    }
    const std::string_view front = name.substr(0, last);
    const Topic topic = topic_of_word(front.substr(front.rfind('_') + 1));
    return topic == Topic::kPassword || topic == Topic::kToken ? topic : Topic::kNone;
  }

  // The secret that a word announces.
  size_t read_secret(Topic topic, size_t run, size_t word, size_t end) {
    switch (topic) {
      case Topic::kPassword:
      case Topic::kToken:
      case Topic::kKey:
      case Topic::kPin:
      case Topic::kBearer:
      case Topic::kBasic:
        return read_secret_value(scan_, topic, run, word, end);
      case Topic::kForeignKey:
        if (const size_t key = read_foreign_key(scan_, word, end); key != 0) return key;
        return read_told_password(scan_, word, end);
      case Topic::kLogin:
        return read_login(scan_, end);
      case Topic::kAuth:
        return read_auth(scan_, end);
      case Topic::kAuthorization:
        return read_authorization_header(scan_, end);
      case Topic::kSignature:
        return read_signature(scan_, word, end);
      case Topic::kSession:
        return read_session(scan_, word, end);
      case Topic::kPhrase:
        return read_seed_phrase(scan_, word, end);
      case Topic::kCodes:
        return read_backup_codes(scan_, word, end);
      case Topic::kWifi:
        return read_wifi_code(scan_, end);
      case Topic::kEcho:
        return read_echo(scan_, end);
      case Topic::kUserCommand:
        return read_user_command(scan_, word, end);
      case Topic::kPutty:
        return read_putty_key(scan_, run);
      default:
        return 0;
    }
  }

  // A word of another script, at its first letter beyond ASCII.
  size_t read_foreign(size_t at) {
    if (options_.personal) {
      if (const size_t told = read_told_name(scan_, at); told != 0) return told;
      if (const size_t street = read_arabic_address(scan_, at); street != 0) return street;
    }
    const TopicAt topic = topic_at_foreign(scan_.text, at);
    if (topic.topic == Topic::kNone) return 0;
    size_t end = at + topic.length;
    while (is_any(scan_.at(end), kLetterBits)) ++end;  // "şifre" + "m"
    scan_.note(topic.topic, end);
    if (!options_.secrets) return end;
    if (topic.topic == Topic::kForeignKey) return std::max(end, read_foreign_key(scan_, at, end));
    const size_t assigned = read_secret_value(scan_, topic.topic, at, at, end);
    return std::max(end, assigned);
  }

  size_t read_han(size_t at) {
    const std::string_view rest = scan_.from(at);
    if (rest.size() < 3) return at + 1;
    if (options_.personal) {
      if (const size_t plate = is_upper(scan_.at(at + 3)) ? read_cjk_plate(scan_, at) : 0;
          plate != 0) {
        return plate;
      }
    }
    if (options_.personal) {
      if (const size_t told = read_told_name(scan_, at); told != 0) return told;
    }
    const TopicAt topic = topic_at_cjk(rest);
    if (topic.topic == Topic::kNone) return at + 3;
    const size_t end = at + topic.length;
    scan_.note(topic.topic, end);
    size_t found = 0;
    if (options_.secrets && topic.topic == Topic::kPhrase) {
      found = read_seed_phrase(scan_, at, end);
    } else if (options_.secrets &&
               (topic.topic == Topic::kPassword || topic.topic == Topic::kToken)) {
      found = read_cjk_value(scan_, topic.topic, end);
    }
    return std::max(end, found);
  }

  Scan scan_;
  const DetectOptions options_;
  bool saw_encoded_ = false;
};

// Sorts, and of two that overlap keeps the surer: a password inside a connection string is part of
// it.
void make_disjoint(std::vector<Entity>& entities) {
  std::ranges::stable_sort(entities, {}, &Entity::start);
  size_t kept = 0;
  for (const Entity& entity : entities) {
    if (kept > 0 && entity.start < entities[kept - 1].end) {
      if (entity.confidence > entities[kept - 1].confidence) entities[kept - 1] = entity;
      continue;
    }
    entities[kept++] = entity;
  }
  entities.resize(kept);
}

// Where an address ends that a recogniser ends at `read` and the tagger at `tagged`: what stands
// behind the street belongs to it if there is a number in it, as in a flat or a postcode.
uint32_t joined_end(std::string_view text, uint32_t read, uint32_t tagged) {
  if (tagged <= read) return read;
  const std::string_view more = text.substr(read, tagged - read);
  return std::ranges::any_of(more, [](char c) { return is_any(c, kDigitBit); }) ? tagged : read;
}

// The same of where it starts: "Flat 3" and the name in front of a street's belong to it, an
// article does not.
uint32_t joined_start(std::string_view text, uint32_t read, uint32_t tagged) {
  if (tagged >= read) return read;
  const std::string_view more = text.substr(tagged, read - tagged);
  const bool named = is_upper(more[0]) && more.find_first_of(":;\n") == std::string_view::npos;
  return named || std::ranges::any_of(more, [](char c) { return is_any(c, kDigitBit); }) ? tagged
                                                                                         : read;
}

bool is_weekday(std::string_view word) {
  return std::ranges::any_of(
      std::array<std::string_view, 7>{"mon", "tue", "wed", "thu", "fri", "sat", "sun"},
      [&](std::string_view day) { return iequals(word, day); });
}

// Logs and listings write dates where texts have names and streets: "main, Jun 7", "Fri Jun 7",
// "68496 Sep 12". A month, alone or behind a number, with nothing but numbers around it is a date.
bool is_date(std::string_view text, const Entity& name) {
  bool month = false;
  size_t days = 0;
  const size_t next = text.find_first_not_of(' ', name.end);
  bool number = next != std::string_view::npos && next != name.end && is_any(text[next], kDigitBit);
  for (size_t at = name.start; at < name.end;) {
    size_t end = at;
    while (end < name.end && is_alnum(text[end])) ++end;
    const std::string_view word = text.substr(at, end - at);
    if (static_cast<uint8_t>(text[at]) >= 0x80) return false;
    if (!word.empty() && is_any(word[0], kDigitBit)) {
      number = true;
    } else if (topic_of_word(word) == Topic::kMonth) {
      month = true;
    } else if (is_weekday(word)) {
      ++days;
    } else if (!word.empty()) {
      return false;
    }
    at = std::max(end, at + 1);
  }
  return month && (number || days > 0);
}

// Adds what the tagger reads, in one walk over both lists. What a recogniser has read is no part of
// a name; two readings of an address are one.
std::vector<Entity> with_names(std::string_view text, std::vector<Entity> found) {
  std::vector<Entity> names;
  tag_names(text, shipped_names(), names);
  std::erase_if(names, [&](const Entity& name) { return is_date(text, name); });
  if (names.empty()) return found;
  make_disjoint(found);
  make_disjoint(names);
  // A list of people does not push a key behind it over the limit.
  names.resize(std::min(names.size(), kEntitiesMax - std::min(kEntitiesMax, found.size())));
  std::vector<Entity> all;
  size_t next = 0;  // in `found`
  for (Entity name : names) {
    // A part of an address that was joined already.
    if (!all.empty() && name.start < all.back().end) continue;
    while (next < found.size() && found[next].end <= name.start) all.push_back(found[next++]);
    size_t behind = next;
    bool same = true;
    while (behind < found.size() && found[behind].start < name.end) {
      same = same && name.type == EntityType::kAddress && found[behind].type == name.type;
      ++behind;
    }
    if (!same) continue;
    for (; next < behind; ++next) {
      const Entity& read = found[next];
      name.start = joined_start(text, read.start, name.start);
      name.end = joined_end(text, read.end, name.end);
      name.confidence = std::max(name.confidence, read.confidence);
    }
    all.push_back(name);
  }
  all.insert(all.end(), found.begin() + static_cast<ptrdiff_t>(next), found.end());
  return all;
}

// What stands in base64, at the letters that encode it; nothing inside of what is found already, as
// in a token that carries an address.
void read_encoded(std::string_view text, DetectOptions options, std::vector<Entity>& found) {
  const size_t known = found.size();
  for (const text::View& view : text::unmask(text)) {
    if (view.technique != text::Technique::kBase64 || view.depth != 1) continue;
    for (Entity entity : Walker(view.text, options).run()) {
      const text::Range at = text::original_range(view, entity.start, entity.end);
      const std::string_view read{view.text.data() + entity.start, entity.end - entity.start};
      if (text.substr(at.begin, at.end - at.begin) == read) continue;  // was in plain sight
      const auto end = found.begin() + static_cast<ptrdiff_t>(known);
      const bool inside = std::any_of(found.begin(), end, [&](const Entity& other) {
        return other.start < at.end && at.begin < other.end;
      });
      if (inside || at.begin == at.end) continue;
      entity.start = static_cast<uint32_t>(at.begin);
      entity.end = static_cast<uint32_t>(at.end);
      found.push_back(entity);
    }
  }
}

std::vector<Entity> read_all(std::string_view text, DetectOptions options) {
  Walker walker(text, options);
  std::vector<Entity> found = walker.run();
  if (walker.saw_encoded()) read_encoded(text, options, found);
  return options.personal ? with_names(text, std::move(found)) : found;
}

}  // namespace

void detect(std::string_view text, DetectOptions options, std::vector<Entity>& out) {
  std::vector<Entity> found;
  if (PlainText::needed(text)) {
    const PlainText plain(text);
    found = read_all(plain.text(), options);
    for (Entity& entity : found) {
      entity.start = plain.original_start(entity.start);
      entity.end = plain.original_end(entity.end);
    }
  } else {
    found = read_all(text, options);
  }
  make_disjoint(found);
  found.resize(std::min(found.size(), kEntitiesMax));
  out.insert(out.end(), found.begin(), found.end());
}

std::vector<Entity> detect_pii(std::string_view text, DetectOptions options) {
  std::vector<Entity> out;
  detect(text, options, out);
  return out;
}

}  // namespace vsr::signals
