#include "text/unmask.h"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>

#include "text/common_words.h"
#include "text/confusables.h"
#include "text/script.h"
#include "text/unmask_view.h"
#include "text/utf8.h"

namespace vsr::text {
namespace {

struct Method {
  Technique technique;
  std::string_view name;
  std::optional<View> (*view)(std::string_view text);
};

constexpr Method kMethods[] = {
    {Technique::kInvisible, "invisible", without_invisible},
    {Technique::kHidden, "hidden", hidden_decoded},
    {Technique::kConfusables, "confusables", confusables_replaced},
    {Technique::kSpaced, "spaced", letters_joined},
    {Technique::kSplit, "split", splits_joined},
    {Technique::kLeet, "leet", leet_replaced},
    {Technique::kBase64, "base64", base64_decoded},
    {Technique::kHex, "hex", hex_decoded},
    {Technique::kPercent, "percent", percent_decoded},
    {Technique::kEntities, "entities", entities_decoded},
    {Technique::kEscapes, "escapes", escapes_decoded},
    {Technique::kMarkup, "markup", markup_stripped},
    {Technique::kRot13, "rot13", rot13_decoded},
    {Technique::kReversed, "reversed", reversed},
};

constexpr uint32_t bit(Technique technique) { return 1u << static_cast<int>(technique); }

enum class Class : uint8_t { kOther, kLetter, kDigit, kMark, kHigh };

constexpr auto kClasses = [] {
  std::array<Class, 256> classes{};
  for (int c = 0; c < 256; ++c) {
    classes[c] =
        c >= 0x80                         ? Class::kHigh
        : is_letter(static_cast<char>(c)) ? Class::kLetter
        : is_digit(static_cast<char>(c))  ? Class::kDigit
        : std::string_view("%&\\<*~`]@$").find(static_cast<char>(c)) != std::string_view::npos
            ? Class::kMark
            : Class::kOther;
  }
  return classes;
}();

Class class_of(char c) { return kClasses[static_cast<uint8_t>(c)]; }

// One pass that finds which techniques are worth a look. It may be wrong in that direction only.
class Scan {
 public:
  explicit Scan(std::string_view text) : text_(text) {}

  uint32_t run() {
    while (at_ < text_.size()) {
      switch (class_of(text_[at_])) {
        case Class::kLetter:
          word();
          break;
        case Class::kDigit:
          digits();
          break;
        case Class::kMark:
          mark();
          break;
        case Class::kHigh:
          high();
          break;
        case Class::kOther:
          ++at_;
          break;
      }
    }
    end_run();
    constexpr int kAliensMin = 2;
    if (rot13_ >= kAliensMin) set(Technique::kRot13);
    if (reversed_ >= kAliensMin) set(Technique::kReversed);
    constexpr size_t kAlikeMin = 3;
    if (alike_ >= kAlikeMin && alike_ > 2 * foreign_) set(Technique::kConfusables);
    constexpr size_t kStylisedMin = 4;
    if (stylised_ >= kStylisedMin) set(Technique::kConfusables);
    constexpr int kPairsMin = 7;
    if (pairs_max_ >= kPairsMin) set(Technique::kHex);
    if (splits_ >= kSplitsMin) set(Technique::kSplit);
    return found_;
  }

 private:
  void set(Technique technique) { found_ |= bit(technique); }
  char before(size_t at) const { return at > 0 ? text_[at - 1] : '\0'; }
  char behind(size_t at) const { return at < text_.size() ? text_[at] : '\0'; }

  void word() {
    const size_t begin = at_;
    uint64_t key = 0;
    char last = 'a';  // in the alphabet
    char any = 0;
    char all = ~0;
    while (at_ < text_.size() && class_of(text_[at_]) == Class::kLetter) {
      const char c = text_[at_++];
      key = key << 5 | letter_number(c);
      last = std::max(last, static_cast<char>(c | 0x20));
      any |= c;
      all &= c;
    }
    const size_t length = at_ - begin;
    token(begin, last <= 'f');
    has_lower_ |= (any & 0x20) != 0;
    has_upper_ |= (all & 0x20) == 0;
    if (length == 1) {
      single(begin);
      return;
    }
    singles_ = 0;
    if (length > kWordKeyLettersMax) return;
    parts(begin, length, key);
    const bool is_common = is_common_word(key);
    splits(begin, {key, length, is_common});
    if (length > 2 && !is_common) aliens(begin);
  }

  // The letters [begin, at_), which are no common word, may be one by ROT13 or backwards.
  void aliens(size_t begin) {
    uint64_t rot13 = 0;
    uint64_t backwards = 0;
    for (size_t i = begin; i < at_; ++i) rot13 = rot13 << 5 | rot13_number(letter_number(text_[i]));
    for (size_t i = at_; i > begin; --i) backwards = backwards << 5 | letter_number(text_[i - 1]);
    rot13_ += is_common_word(rot13);
    reversed_ += is_common_word(backwards);
  }

  // Letters that stand alone with one character between.
  void single(size_t begin) {
    const bool follows = singles_ > 0 && begin - single_end_ <= 4 && begin > single_end_;
    singles_ = follows ? singles_ + 1 : 1;
    single_end_ = at_;
    if (singles_ >= 4) set(Technique::kSpaced);
    parts(begin, 1, letter_number(text_[begin]));
  }

  // A common word with marks inside. A long chain is left to the technique itself.
  void parts(size_t begin, size_t length, uint64_t key) {
    const char between = before(begin);
    const bool is_broken_line = between == '\n' && before(begin - 1) == '-';
    const size_t gap = is_broken_line ? 2 : 1;
    const bool joins =
        part_key_ != 0 && part_end_ + gap == begin &&
        (is_broken_line || std::string_view("-._*|~+").find(between) != std::string_view::npos);
    if (!joins || part_length_ + length > kWordKeyLettersMax) {
      part_key_ = key;
      part_length_ = length;
    } else {
      part_key_ = part_key_ << (5 * length) | key;
      part_length_ += length;
      if (part_length_ >= 5 && is_common_word(part_key_)) set(Technique::kSpaced);
    }
    part_end_ = at_;
  }

  struct Word {
    uint64_t key = 0;
    size_t length = 0;
    bool is_common = false;
  };

  // The word and the one before it may be halves of a common one.
  void splits(size_t begin, const Word& word) {
    const size_t length = last_.length + word.length;
    if (begin == last_end_ + 1 && is_split(text_[last_end_]) &&
        !(last_.is_common && word.is_common)) {
      splits_ += length >= kSplitLettersMin && length <= kWordKeyLettersMax &&
                 is_common_form(last_.key << (5 * word.length) | word.key);
    }
    last_ = word;
    last_end_ = at_;
  }

  void digits() {
    const size_t begin = at_;
    bool is_leet = true;
    while (at_ < text_.size() && class_of(text_[at_]) == Class::kDigit) {
      const char c = text_[at_++];
      is_leet &= c != '2' && c != '6' && c < '8';
    }
    singles_ = 0;
    // Letters behind: user5 and sha256 are names.
    if (is_leet && class_of(behind(at_)) == Class::kLetter) set(Technique::kLeet);
    token(begin, true);
  }

  // The letters or digits [begin, at_) are part of a run that may be base64 or hex.
  void token(size_t begin, bool is_hex) {
    size_t from = run_end_;
    while (from < begin && is_base64_mark(text_[from]) && begin - from < 8) ++from;
    if (from != begin) {
      end_run();
      run_begin_ = hex_begin_ = begin;
    }
    if (run_end_ != begin || !is_hex) hex_begin_ = is_hex ? begin : at_;
    run_end_ = at_;
    if (at_ - hex_begin_ >= kEncodedMin) set(Technique::kHex);
  }

  static bool is_base64_mark(char c) { return c == '+' || c == '/' || c == '-' || c == '_'; }

  void end_run() {
    const size_t length = run_end_ - run_begin_;
    if (length + 4 >= kEncodedMin && has_lower_ && has_upper_) set(Technique::kBase64);
    has_lower_ = has_upper_ = false;
    const bool is_pair = length == 2 && hex_begin_ == run_begin_;
    pairs_ = is_pair ? pairs_ + 1 : 0;
    pairs_max_ = std::max(pairs_max_, pairs_);
  }

  void mark() {
    const size_t at = at_++;
    const char next = behind(at_);
    switch (text_[at]) {
      case '%':
        if (hex_value(next) >= 0 && hex_value(behind(at_ + 1)) >= 0) set(Technique::kPercent);
        break;
      case '&':
        if (next == '#' || is_letter(next)) set(Technique::kEntities);
        break;
      case '\\':
        if (next == 'x' || next == 'u' || next == 'U') set(Technique::kEscapes);
        break;
      case '<':
        if (next == '!' || next == '/' || is_letter(next)) set(Technique::kMarkup);
        break;
      case ']':
        if (next == '(') set(Technique::kMarkup);
        break;
      case '@':
      case '$':
        if (is_letter(before(at)) && (is_letter(next) || next == text_[at])) set(Technique::kLeet);
        break;
      default:
        if (is_letter(before(at)) && (is_letter(next) || next == text_[at])) {
          set(Technique::kMarkup);
        }
    }
  }

  void high() {
    const size_t begin = at_;
    const char32_t c = next_code_point(text_, at_);
    if (c >= 0x4E00 && c <= 0x9FFF) {
      han(begin);
      return;
    }
    if ((c >= 0x3001 && c < 0xA000 && c != 0x3164) || (c >= 0xAC00 && c < 0xD800)) return;
    if (c >= 0x0370 && c < 0x0530) {
      letter(c, begin);
    } else if (is_invisible(c)) {
      invisible(c, begin);
    } else if (c >= 0x0300 && c < 0x0370) {
      marks(c, begin);
    } else {
      letter(c, begin);
    }
  }

  // Han characters that stand alone with one character between.
  void han(size_t begin) {
    const bool follows = hans_ > 0 && begin > han_end_ && begin - han_end_ <= 3;
    hans_ = follows ? hans_ + 1 : 1;
    han_end_ = at_;
    if (hans_ >= 5) set(Technique::kSpaced);
  }

  void invisible(char32_t c, size_t begin) {
    if (hidden_byte(c) >= 0) {
      hidden_run_ = hidden_end_ == begin ? hidden_run_ + 1 : 1;
      hidden_end_ = at_;
      if (hidden_run_ >= 4) set(Technique::kHidden);
    }
    if (c == 0x202D || c == 0x202E) set(Technique::kInvisible);
    if ((found_ & bit(Technique::kInvisible)) == 0 && is_between_letters(begin)) {
      set(Technique::kInvisible);
    }
  }

  // Whether letters of scripts that have no use for invisible characters stand on both sides.
  bool is_between_letters(size_t begin) const {
    if (begin == 0 || at_ >= text_.size()) return false;
    size_t left = floor_code_point(text_, begin - 1);
    size_t right = at_;
    const char32_t c = next_code_point(text_, right);
    if (is_invisible(c)) return false;  // the last one of a row decides
    char32_t previous = next_code_point(text_, left);
    for (int i = 0; i < 64 && is_invisible(previous); ++i) {
      left = floor_code_point(text_, left - 1);
      if (left == 0) return false;
      left = floor_code_point(text_, left - 1);
      size_t next = left;
      previous = next_code_point(text_, next);
      left = next;
    }
    return is_visible_script(previous) && is_visible_script(c);
  }

  static bool is_visible_script(char32_t c) {
    const Script script = script_of(c);
    return script == Script::kLatin || script == Script::kGreek || script == Script::kCyrillic ||
           is_cjk(script) || (c >= '0' && c <= '9');
  }

  // Marks over Latin letters: struck out, or heaped.
  void marks(char32_t c, size_t begin) {
    mark_run_ = mark_end_ == begin ? mark_run_ + 1 : 1;
    mark_end_ = at_;
    const bool is_overlay = c >= 0x0334 && c <= 0x0338;
    if (mark_run_ > 2 || (is_overlay && is_letter(before(begin)))) set(Technique::kInvisible);
  }

  void letter(char32_t c, size_t begin) {
    const Confusable alike = confusable_of(c);
    if (alike.likeness == Likeness::kNone) {
      if (c >= 0x0370 && c < 0x0530) ++foreign_;
    } else if (alike.likeness == Likeness::kStylised) {
      stylised_ += is_letter(alike.ascii);
    } else {
      ++(alike.likeness == Likeness::kStrict ? alike_ : foreign_);
      if (is_letter(before(begin)) || is_letter(behind(at_))) set(Technique::kConfusables);
    }
  }

  static constexpr size_t kEncodedMin = 16;

  std::string_view text_;
  size_t at_ = 0;
  uint32_t found_ = 0;
  int rot13_ = 0;
  int reversed_ = 0;
  int singles_ = 0;
  size_t single_end_ = 0;
  uint64_t part_key_ = 0;
  size_t part_length_ = 0;
  size_t part_end_ = 0;
  Word last_;
  size_t last_end_ = 0;
  int splits_ = 0;
  size_t run_begin_ = 0;
  size_t run_end_ = 0;
  size_t hex_begin_ = 0;
  bool has_lower_ = false;
  bool has_upper_ = false;
  int pairs_ = 0;
  int pairs_max_ = 0;
  int hans_ = 0;
  size_t han_end_ = 0;
  int hidden_run_ = 0;
  size_t hidden_end_ = 0;
  int mark_run_ = 0;
  size_t mark_end_ = 0;
  size_t alike_ = 0;
  size_t foreign_ = 0;
  size_t stylised_ = 0;
};

// Adds the views of `source`, which stand on those of `inner` if there is one.
void add_views(std::string_view original, std::string_view source, const View* inner,
               std::vector<View>& views, size_t& bytes) {
  const uint32_t found = Scan(source).run();
  for (const Method& method : kMethods) {
    if ((found & bit(method.technique)) == 0) continue;
    std::optional<View> view = method.view(source);
    if (!view || view->text == original) continue;
    if (std::ranges::any_of(views, [&](const View& v) { return v.text == view->text; })) continue;
    if (bytes + view->text.size() > kViewBytesTotalMax) continue;
    if (inner != nullptr) rebase(*view, *inner);
    bytes += view->text.size();
    views.push_back(*std::move(view));
    if (views.size() == kViewsMax) return;
  }
}

// The two ends of a long text as one, with the map to it.
View ends_of(std::string_view text) {
  constexpr size_t half = kUnmaskBytesMax / 2;
  text = text.substr(0, std::numeric_limits<uint32_t>::max());
  ViewBuilder view(text);
  view.keep_until(floor_code_point(text, half));
  view.replace(floor_code_point(text, half), floor_code_point(text, text.size() - half), "\n");
  View ends = *std::move(view).finish(Technique::kInvisible);
  ends.depth = 0;
  return ends;
}

}  // namespace

std::string_view name_of(Technique technique) {
  return kMethods[static_cast<size_t>(technique)].name;
}

std::vector<View> unmask(std::string_view text) {
  std::vector<View> views;
  views.reserve(kViewsMax);  // a view is read while others are added
  size_t bytes = 0;
  std::optional<View> ends;
  if (text.size() > kUnmaskBytesMax) {
    ends = ends_of(text);
    text = ends->text;
  }
  add_views(text, text, ends ? &*ends : nullptr, views, bytes);
  for (size_t i = 0; i < views.size() && views.size() < kViewsMax; ++i) {
    if (views[i].depth >= kUnmaskDepthMax) break;
    add_views(text, views[i].text, &views[i], views, bytes);
  }
  return views;
}

}  // namespace vsr::text
