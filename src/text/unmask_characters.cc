// Views without characters that hide: invisible ones, look-alikes, stylised letters.

#include <utf8proc.h>

#include <array>
#include <string>

#include "text/confusables.h"
#include "text/script.h"
#include "text/unmask_view.h"
#include "text/utf8.h"

namespace vsr::text {
namespace {

// Code points of one base with its marks that are normalised together.
constexpr size_t kClusterMax = 32;
constexpr size_t kDecomposedMax = 18;
// A base with this many marks or more is dressed up; Vietnamese has two.
constexpr size_t kMarksMin = 3;
// Hidden bytes in a row that are taken for a message. An emoji has one selector.
constexpr size_t kHiddenRunMin = 4;

bool is_mark(char32_t c) {
  if (c < 0x0300) return false;
  const auto category = utf8proc_category(static_cast<utf8proc_int32_t>(c));
  return category == UTF8PROC_CATEGORY_MN || category == UTF8PROC_CATEGORY_ME;
}

// Lines through a letter: U+0334–0338 and enclosing signs.
bool is_overlay(char32_t c) {
  return (c >= 0x0334 && c <= 0x0338) || (c >= 0x20D2 && c <= 0x20E0) || c == 0x0489;
}

// NFKC of one base and its marks, without case folding.
std::string composed(std::array<char32_t, kClusterMax>& cluster, size_t length) {
  constexpr auto options =
      static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPAT | UTF8PROC_COMPOSE);
  std::array<utf8proc_int32_t, kClusterMax * kDecomposedMax> buffer;
  utf8proc_ssize_t used = 0;
  int boundclass = 0;
  for (size_t i = 0; i < length; ++i) {
    used += utf8proc_decompose_char(static_cast<utf8proc_int32_t>(cluster[i]), buffer.data() + used,
                                    static_cast<utf8proc_ssize_t>(buffer.size()) - used, options,
                                    &boundclass);
  }
  used = utf8proc_normalize_utf32(buffer.data(), used, options);
  std::string out;
  for (utf8proc_ssize_t i = 0; i < used; ++i) append_utf8(static_cast<char32_t>(buffer[i]), out);
  return out;
}

struct Letters {
  size_t latin = 0;     // ASCII
  size_t strict = 0;    // look-alikes, the same shape
  size_t loose = 0;     // look-alikes, near enough
  size_t stylised = 0;  // letters, not digits
  size_t other = 0;

  size_t alike() const { return strict + loose; }
};

struct LetterRun {
  size_t begin = 0;
  size_t end = 0;
  Letters letters;
};

// Two regional indicators.
bool is_flag(std::string_view text, const LetterRun& run) {
  return run.end - run.begin == 8 && text.substr(run.begin, 3) == "\xF0\x9F\x87";
}

// The next run of letters that are Latin, look-alike or stylised. False at the end.
bool next_run(std::string_view text, size_t at, LetterRun& run) {
  run = {};
  bool is_inside = false;
  while (at < text.size()) {
    const size_t begin = at;
    const char32_t c = next_code_point(text, at);
    Letters one;
    if (c < 0x80) {
      one.latin = is_letter(static_cast<char>(c)) ? 1 : 0;
    } else if (const Confusable alike = confusable_of(c); is_letter(alike.ascii)) {
      one.strict = alike.likeness == Likeness::kStrict;
      one.loose = alike.likeness == Likeness::kLoose;
      one.stylised = alike.likeness == Likeness::kStylised;
    } else if (c != kReplacement && is_word(c) && !is_cjk(c)) {
      one.other = 1;
    }
    if (one.latin + one.strict + one.loose + one.stylised + one.other == 0) {
      if (is_inside) return true;
      continue;
    }
    if (!is_inside) run.begin = begin;
    is_inside = true;
    run.end = at;
    run.letters.latin += one.latin;
    run.letters.strict += one.strict;
    run.letters.loose += one.loose;
    run.letters.stylised += one.stylised;
    run.letters.other += one.other;
  }
  return is_inside;
}

bool is_mixed(const Letters& letters) {
  return letters.alike() > 0 && letters.latin + letters.stylised > 0 && letters.other == 0 &&
         letters.latin + letters.stylised + letters.alike() >= 3;
}

bool is_all_alike(const Letters& letters) {
  return letters.strict > 0 && letters.latin + letters.loose + letters.other == 0;
}

void replace_run(std::string_view text, const LetterRun& run, bool and_alike, ViewBuilder& view) {
  for (size_t at = run.begin; at < run.end;) {
    const size_t begin = at;
    const char32_t c = next_code_point(text, at);
    if (c < 0x80) continue;
    const Confusable alike = confusable_of(c);
    if (alike.ascii == 0 || (alike.likeness != Likeness::kStylised && !and_alike)) continue;
    view.replace(begin, at, {&alike.ascii, 1});
  }
}

}  // namespace

std::optional<View> without_invisible(std::string_view text) {
  ViewBuilder view(text);
  std::array<char32_t, kClusterMax> cluster;
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const size_t begin = at;
    const char32_t base = next_code_point(text, at);
    if (base < 0x80 && (at == text.size() || static_cast<uint8_t>(text[at]) < 0xC2)) continue;
    if (base == kReplacement) continue;
    if (is_invisible(base)) {
      view.drop(begin, at);
      continue;
    }
    // Invisible characters may stand between a base and its marks.
    cluster[0] = base;
    size_t length = 1;
    bool is_struck = false;
    while (at < text.size() && length < kClusterMax) {
      size_t next = at;
      const char32_t c = next_code_point(text, next);
      if (!is_mark(c) || is_invisible(c)) break;
      is_struck |= is_overlay(c);
      cluster[length++] = c;
      at = next;
    }
    if (base < 0x80 && (is_struck || length > kMarksMin)) length = 1;
    out = composed(cluster, length);
    if (out != text.substr(begin, at - begin)) view.replace(begin, at, out);
  }
  return std::move(view).finish(Technique::kInvisible);
}

std::optional<View> hidden_decoded(std::string_view text) {
  ViewBuilder view(text);
  std::string bytes;
  std::vector<Range> sources;
  for (size_t at = 0; at < text.size();) {
    const size_t begin = at;
    const char32_t first = next_code_point(text, at);
    if (first < 0xFE00 || hidden_byte(first) < 0) continue;
    // A flag of a region is a black flag, a few tags and the end tag, which carries no byte.
    const bool is_flag = begin >= 4 && text.substr(begin - 4, 4) == "\U0001F3F4";
    bytes.clear();
    sources.clear();
    size_t end = begin;
    char32_t behind = 0;
    for (size_t next = begin; next < text.size();) {
      const size_t from = next;
      behind = next_code_point(text, next);
      const int byte = behind < 0xFE00 ? -1 : hidden_byte(behind);
      if (byte < 0) break;
      bytes.push_back(static_cast<char>(byte));
      sources.push_back({from, next});
      end = next;
    }
    at = end;
    if (bytes.size() < kHiddenRunMin || (is_flag && behind == 0xE007F && bytes.size() <= 6))
      continue;
    bool is_first = true;
    for (size_t i = 0; i < bytes.size();) {
      const size_t from = i;
      const char32_t c = next_code_point(bytes, i);
      if (c == kReplacement || (c < 0x20 && c != '\n')) continue;
      // Apart from the letter that carries it.
      if (is_first) view.replace(begin, begin, " ");
      is_first = false;
      view.replace(sources[from].begin, sources[i - 1].end, bytes.substr(from, i - from));
    }
    if (!is_first) view.replace(end, end, " ");
  }
  return std::move(view).finish(Technique::kHidden);
}

std::optional<View> confusables_replaced(std::string_view text) {
  Letters total;
  size_t alike_letters = 0;  // in words that consist of look-alikes
  size_t alike_words = 0;
  size_t foreign_words = 0;
  LetterRun run;
  for (size_t at = 0; next_run(text, at, run); at = run.end) {
    const Letters& letters = run.letters;
    total.latin += letters.latin;
    if (!is_flag(text, run)) total.stylised += letters.stylised;
    if (is_mixed(letters)) continue;
    total.strict += letters.alike() + letters.other;
    if (is_all_alike(letters)) {
      ++alike_words;
      alike_letters += letters.strict;
    } else if (letters.latin == 0 && letters.alike() > 0) {
      ++foreign_words;
    }
  }
  // Words of look-alikes only are a mask in a Latin text and where there is nothing else; Russian
  // has them by chance.
  constexpr size_t kAlikeLettersMin = 12;
  constexpr size_t kStylisedMin = 4;
  const bool is_in_latin = total.latin > total.strict && alike_words > foreign_words;
  const bool is_everywhere = alike_letters >= kAlikeLettersMin && alike_words > 4 * foreign_words;
  const bool and_words = is_in_latin || is_everywhere;
  const bool and_stylised = total.stylised >= kStylisedMin;

  ViewBuilder view(text);
  for (size_t at = 0; next_run(text, at, run); at = run.end) {
    const bool and_alike = is_mixed(run.letters) || (and_words && is_all_alike(run.letters));
    if (and_alike || (and_stylised && run.letters.stylised > 0)) {
      replace_run(text, run, and_alike, view);
    }
  }
  return std::move(view).finish(Technique::kConfusables);
}

}  // namespace vsr::text
