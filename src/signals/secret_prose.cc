// Secrets that a sentence speaks of, in any language: "the password has been changed to …", seed
// phrases, backup codes.

#include <array>
#include <optional>
#include <string>

#include "base/strings.h"
#include "signals/scan.h"
#include "signals/secret_text.h"
#include "signals/secret_value.h"

namespace vsr::signals {
namespace {

constexpr size_t kClauseBytesMax = 80;

bool is_one_of(std::string_view word, std::initializer_list<std::string_view> words) {
  for (const std::string_view known : words) {
    if (iequals(word, known)) return true;
  }
  return false;
}

// A word that says that the value comes next.
bool is_link(std::string_view word) {
  return is_one_of(word, {"is",  "was",  "to",   "as",     "still", "now",     "with",  "from",
                          "set", "ist",  "war",  "lautet", "hei",   "heisst",  "est",   "es",
                          "e",   "era",  "jest", "on",     "je",    "er",      "r",     "olarak",
                          "la",  "saya", "mia",  "adalah", "c'est", "equals",  "using", "use",
                          "by",  "yang", "ini",  "van",    "wifi",  "lozinka", "like"});
}

// Ends a clause, so that what follows is of something else. Bytes of the mark, 0 if there is none.
size_t stop_at(std::string_view text, size_t at) {
  const char c = text[at];
  if (c == '\n' || c == ';') return 1;
  if (c == '.' || c == '?' || c == '!') {
    return at + 1 == text.size() || is_any(text[at + 1], kSpaceBit) ? 1 : 0;
  }
  if (static_cast<uint8_t>(c) < 0xE3) return 0;
  for (const std::string_view mark : {"。", "，", "？", "！", "；"}) {
    if (text.substr(at).starts_with(mark)) return mark.size();
  }
  return 0;
}

struct Token {
  size_t start = 0;
  size_t end = 0;
  bool linked = false;  // the clause leads to it
  std::string_view in(std::string_view text) const { return text.substr(start, end - start); }
};

// Walks the ASCII words of a clause.
class Clause {
 public:
  Clause(std::string_view text, size_t start)
      : text_(text), at_(start), limit_(std::min(text.size(), start + kClauseBytesMax)) {}

  std::optional<Token> next() {
    while (at_ < limit_ && !closed_) {
      const char c = text_[at_];
      if (static_cast<uint8_t>(c) >= 0x80) {
        if (stop_at(text_, at_) != 0) return std::nullopt;
        linked_ = true;
        ++at_;
        continue;
      }
      if (c == '\n' || c == ';') return std::nullopt;
      if (is_any(c, kSpaceBit) || is_quote(c) || c == '(' || c == '[') {
        ++at_;
        continue;
      }
      return read();
    }
    return std::nullopt;
  }

 private:
  std::optional<Token> read() {
    Token token{at_, at_, linked_};
    while (at_ < text_.size() && static_cast<uint8_t>(text_[at_]) < 0x80 &&
           !is_any(text_[at_], kSpaceBit) && at_ - token.start < kClauseBytesMax) {
      ++at_;
    }
    token.end = at_;
    while (token.end > token.start &&
           std::string_view(".,:;?)]\"'`").find(text_[token.end - 1]) != std::string_view::npos) {
      --token.end;
    }
    if (token.end < at_) closed_ = stop_at(text_, at_ - 1) != 0;
    if (token.end == token.start) {  // a colon or a dash alone
      linked_ = true;
      return next();
    }
    const std::string_view word = token.in(text_);
    linked_ = is_link(word) || word == "-" || word == "=" || word == ":" || word == "--";
    return token;
  }

  const std::string_view text_;
  size_t at_;
  const size_t limit_;
  bool linked_ = true;  // the first word stands beside the one that announces it
  bool closed_ = false;
};

bool is_key_like(std::string_view word) {
  constexpr size_t kBytesMin = 20;
  if (word.starts_with("pk_")) return false;  // publishable
  constexpr size_t kWalletBytes = 42;         // 0x and 40 digits: an account anybody may see
  return word.size() >= kBytesMin && is_generated(word) && !is_code_path(word) &&
         !(word.size() == kWalletBytes && word.starts_with("0x")) &&
         word.find_first_of("(){}<>[]\"'$:@") == std::string_view::npos;
}

// "use X as the password": the word before "as the" that ends at `word`.
size_t password_before(Scan& scan, size_t word) {
  const std::string_view text = scan.text.substr(0, word);
  for (const std::string_view as :
       {" as the ", " as my ", " as your ", " as our ", " as a ", " as "}) {
    if (!text.ends_with(as)) continue;
    size_t end = word - as.size();
    while (end > 0 && is_quote(text[end - 1])) --end;
    size_t start = end;
    while (start > 0 && !is_any(text[start - 1], kSpaceBit) && !is_quote(text[start - 1]) &&
           static_cast<uint8_t>(text[start - 1]) < 0x80 && end - start < kClauseBytesMax) {
      --start;
    }
    if (!is_obvious_password(text.substr(start, end - start))) return 0;
    scan.add(EntityType::kPassword, start, end, 0.7);
    return word;
  }
  return 0;
}

bool api_near(std::string_view text, size_t word, size_t end) {
  constexpr size_t kNearBytes = 12;
  const size_t from = word > kNearBytes ? word - kNearBytes : 0;
  const std::string_view around = text.substr(from, end - from + kNearBytes);
  return around.find("API") != std::string_view::npos ||
         around.find("api") != std::string_view::npos;
}

size_t add_key(Scan& scan, const Token& token) {
  size_t run = token.start;
  while (run < token.end && is_word_char(scan.text[run])) ++run;
  if (const size_t key = read_key(scan, token.start, run, kDigitBit); key != 0) return key;
  scan.add(EntityType::kSecret, token.start, token.end, 0.7);
  return token.end;
}

// A word of a seed phrase: the lists have no words such as "the", which tells them from prose.
bool is_seed_word(std::string_view word) {
  return word.size() >= 3 && word.size() <= 8 &&
         !is_one_of(word,
                    {"the",  "and",   "are",  "was",  "for",  "you",   "our",  "his",  "her",
                     "its",  "but",   "has",  "had",  "from", "which", "into", "been", "them",
                     "they", "their", "your", "were", "than", "who",   "how",  "not",  "does"});
}

// Past the words of a seed phrase that starts at `at`, counted into `words`.
size_t past_seed_words(std::string_view text, size_t at, size_t& words) {
  constexpr size_t kWordsMax = 24;
  size_t end = at;
  for (words = 0; words < kWordsMax; ++words) {
    size_t stop = at;
    while (stop < text.size() && is_any(text[stop], kLowerBit)) ++stop;
    if (!is_seed_word(text.substr(at, stop - at)) ||
        (stop < text.size() && is_any(text[stop], kUpperBit | kDigitBit | kUnderscoreBit))) {
      break;
    }
    end = stop;
    // "1. word", "word, word", one a line
    at = stop;
    while (at < text.size() && at - stop < 8 &&
           (is_any(text[at], kSpaceBit | kDigitBit) || text[at] == ',' || text[at] == '.' ||
            text[at] == ')')) {
      ++at;
    }
    if (at == stop) {
      ++words;
      break;
    }
  }
  return end;
}

// Past a backup code at `at`: "1234-5678", "k3v9x-2m4qa", "48291357"; 0 if there is none.
size_t past_backup_code(std::string_view text, size_t at) {
  size_t end = at;
  size_t part = at;
  size_t digits = 0, letters = 0, parts = 0;
  while (end < text.size() && (is_alnum(text[end]) || text[end] == '-')) {
    if (text[end] == '-') {
      if (end - part < 3) return 0;
      part = end + 1;
      ++parts;
    } else {
      (is_any(text[end], kDigitBit) ? digits : letters) += 1;
    }
    ++end;
  }
  if (end - part < 3 || end - at > 24) return 0;
  if (parts > 0) return digits >= 2 && end - part <= 6 ? end : 0;
  return letters == 0 ? (digits >= 6 && digits <= 10 ? end : 0)
                      : (digits >= 2 && end - at >= 8 && end - at <= 12 ? end : 0);
}

}  // namespace

size_t read_told_password(Scan& scan, size_t word, size_t end) {
  Clause clause(scan.text, end);
  size_t last = 0;
  while (const std::optional<Token> token = clause.next()) {
    const std::string_view value = token->in(scan.text);
    const bool obvious = is_obvious_password(value);
    if (!obvious && !(token->linked && is_likely_password(value))) continue;
    scan.add(EntityType::kPassword, token->start, token->end, obvious ? 0.75 : 0.6);
    last = token->end;
  }
  return last != 0 ? last : password_before(scan, word);
}

size_t read_told_key(Scan& scan, size_t end) {
  Clause clause(scan.text, end);
  while (const std::optional<Token> token = clause.next()) {
    if (token->linked && is_key_like(token->in(scan.text))) return add_key(scan, *token);
  }
  return 0;
}

size_t read_foreign_key(Scan& scan, size_t word, size_t end) {
  if (!api_near(scan.text, word, end)) return 0;
  Clause clause(scan.text, end);
  while (const std::optional<Token> token = clause.next()) {
    if (is_key_like(token->in(scan.text))) return add_key(scan, *token);
  }
  return 0;
}

size_t read_seed_phrase(Scan& scan, size_t word, size_t end) {
  constexpr size_t kBetweenBytesMax = 48;
  constexpr size_t kWordsMin = 12;
  const std::string_view text = scan.text;
  const std::string_view name = text.substr(word, end - word);
  if (iequals(name, "phrase") || iequals(name, "words")) {
    const size_t from = word > 24 ? word - 24 : 0;
    const std::string before = to_lower(text.substr(from, word - from));
    bool said = false;
    for (const std::string_view kind : {"seed", "recovery", "wallet", "mnemonic", "backup"}) {
      said = said || before.find(kind) != std::string::npos;
    }
    if (!said) return 0;
  }
  const size_t limit = std::min(text.size(), end + kBetweenBytesMax);
  for (size_t at = end; at < limit; ++at) {
    if (!is_any(text[at], kLowerBit) || is_any(text[at - 1], kWordBits)) continue;
    size_t words = 0;
    const size_t stop = past_seed_words(text, at, words);
    if (words < kWordsMin) continue;
    scan.add(EntityType::kSecret, at, stop, 0.85);
    return stop;
  }
  return 0;
}

size_t read_backup_codes(Scan& scan, size_t word, size_t end) {
  constexpr size_t kBetweenBytesMax = 48;
  constexpr size_t kCodesMax = 16;
  const std::string_view text = scan.text;
  const size_t from = word > 20 ? word - 20 : 0;
  const std::string before = to_lower(text.substr(from, word - from));
  bool said = false;
  for (const std::string_view kind :
       {"backup", "recovery", "2fa", "rescue", "scratch", "two-factor"}) {
    said = said || before.find(kind) != std::string::npos;
  }
  if (!said) return 0;
  size_t limit = std::min(text.size(), end + kBetweenBytesMax);
  size_t last = 0;
  size_t codes = 0;
  for (size_t at = end; at < limit && codes < kCodesMax; ++at) {
    if (!is_alnum(text[at]) || is_any(text[at - 1], kAlnumBits | kDashBit)) continue;
    const size_t stop = past_backup_code(text, at);
    if (stop == 0) continue;
    scan.add(EntityType::kSecret, at, stop, 0.7);
    last = stop;
    ++codes;
    at = stop - 1;
    limit = std::min(text.size(), stop + 8);
  }
  return last;
}

}  // namespace vsr::signals
