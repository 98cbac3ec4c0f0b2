// The view without the marks of Markdown and HTML, with the text that they hide.

#include <algorithm>
#include <array>
#include <string>

#include "text/common_words.h"
#include "text/unmask_view.h"

namespace vsr::text {
namespace {

constexpr size_t kTagBytesMax = 2048;

// Tags that do not part words.
constexpr std::string_view kInline[] = {
    "a", "abbr", "b",     "big",  "code",   "del",    "em",  "font", "i",  "ins", "kbd", "mark",
    "q", "s",    "small", "span", "strike", "strong", "sub", "sup",  "tt", "u",   "var", "wbr"};
constexpr std::string_view kBlock[] = {
    "article", "body",   "br",    "button", "center", "details", "div",   "dl",      "dt",
    "dd",      "footer", "form",  "h1",     "h2",     "h3",      "h4",    "h5",      "h6",
    "head",    "header", "hr",    "html",   "img",    "input",   "label", "li",      "link",
    "main",    "meta",   "nav",   "ol",     "option", "p",       "pre",   "section", "summary",
    "svg",     "table",  "tbody", "td",     "th",     "thead",   "title", "tr",      "ul"};
// Attributes that hold text.
constexpr std::string_view kTexts[] = {"alt",         "aria-label", "content",
                                       "placeholder", "title",      "value"};

bool is_name_char(char c) { return is_letter(c) || is_digit(c) || c == '-'; }

bool has_blank(std::string_view text) { return text.find(' ') != std::string_view::npos; }

class Stripper {
 public:
  explicit Stripper(std::string_view text) : text_(text), view_(text) {}

  std::optional<View> strip() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      const size_t length = c == '<'               ? angle()
                            : c == '[' || c == '!' ? link()
                            : is_emphasis(c)       ? emphasis()
                                                   : 0;
      at_ += std::max<size_t>(length, 1);
    }
    // Marks around whole words hide nothing.
    if (!hides_) return std::nullopt;
    return std::move(view_).finish(Technique::kMarkup);
  }

 private:
  static bool is_emphasis(char c) { return c == '*' || c == '~' || c == '`' || c == '_'; }
  bool is_letter_at(size_t at) const { return at < text_.size() && is_letter(text_[at]); }
  bool is_between_letters(size_t begin, size_t end) const {
    return begin > 0 && is_letter_at(begin - 1) && is_letter_at(end);
  }

  // Each reads what starts at at_ and returns its length, 0 if it is not what it looks like.
  size_t angle() {
    if (text_.substr(at_).starts_with("<!--")) return comment();
    size_t at = at_ + 1;
    if (at < text_.size() && text_[at] == '/') ++at;
    const size_t name_begin = at;
    while (at < text_.size() && at - name_begin < 16 && is_name_char(text_[at])) ++at;
    std::string name(text_.substr(name_begin, at - name_begin));
    for (char& c : name) c = is_letter(c) ? static_cast<char>(c | 0x20) : c;
    const bool is_inline = std::ranges::find(kInline, name) != std::end(kInline);
    if (!is_inline && std::ranges::find(kBlock, name) == std::end(kBlock)) return 0;
    const size_t close = text_.substr(at, kTagBytesMax).find('>');
    if (close == std::string_view::npos) return 0;
    const size_t end = at + close + 1;
    const std::string_view attributes = text_.substr(at, close);
    if (!attributes.empty() && attributes[0] != ' ' && attributes[0] != '/' &&
        attributes[0] != '\n') {
      return 0;
    }
    if (is_inline && is_between_letters(at_, end)) hides_ = true;
    drop_tag(attributes, at, end, is_inline);
    return end - at_;
  }

  void drop_tag(std::string_view attributes, size_t at, size_t end, bool is_inline) {
    size_t from = at_;
    for (const std::string_view name : kTexts) {
      const size_t found = attributes.find(std::string(" ") + std::string(name) + "=");
      if (found == std::string_view::npos) continue;
      const size_t quote = found + name.size() + 2;
      if (quote >= attributes.size() || (attributes[quote] != '"' && attributes[quote] != '\'')) {
        continue;
      }
      const size_t close = attributes.find(attributes[quote], quote + 1);
      if (close == std::string_view::npos || at + quote < from) continue;
      if (!has_blank(attributes.substr(quote, close - quote))) continue;
      view_.replace(from, at + quote + 1, " ");
      from = at + close;
      hides_ = true;
    }
    const bool is_space = from != at_ || !is_inline;
    view_.replace(from, end, is_space ? " " : "");
  }

  size_t comment() {
    constexpr size_t kSplitMax = 16;  // what only splits a word is short
    const size_t begin = at_ + 4;
    const size_t close = is_unclosed_ ? std::string_view::npos : text_.find("-->", begin);
    is_unclosed_ = close == std::string_view::npos;
    if (is_unclosed_) return 0;
    const size_t end = close + 3;
    hides_ = true;
    if (is_between_letters(at_, end) && close - begin <= kSplitMax) {
      view_.drop(at_, end);
    } else {
      view_.replace(at_, begin, " ");
      view_.replace(close, end, " ");
    }
    return end - at_;
  }

  // [text](url "title"), ![text](url)
  size_t link() {
    constexpr size_t kLinkBytesMax = 1024;
    size_t at = at_ + (text_[at_] == '!');
    if (at >= text_.size() || text_[at] != '[') return 0;
    const std::string_view rest = text_.substr(0, std::min(text_.size(), at + kLinkBytesMax));
    const size_t middle = rest.find("](", at);
    if (middle == std::string_view::npos ||
        rest.substr(at, middle - at).find('\n') != std::string_view::npos) {
      return 0;
    }
    const size_t close = rest.find(')', middle);
    if (close == std::string_view::npos) return 0;
    if (rest.substr(at + 1, middle - at - 1).find('[') != std::string_view::npos) return 0;
    view_.drop(at_, at + 1);
    const size_t quote = rest.substr(0, close).find_first_of("\"'", middle);
    size_t end = close + 1;
    if (quote == std::string_view::npos) {
      if (is_between_letters(middle, end)) hides_ = true;
      view_.drop(middle, end);
      return end - at_;
    }
    // The title may have parentheses.
    const size_t title_end = rest.find(rest[quote], quote + 1);
    if (title_end == std::string_view::npos) return middle - at_;
    const size_t paren = rest.find(')', title_end);
    if (paren == std::string_view::npos) return middle - at_;
    end = paren + 1;
    view_.replace(middle, quote + 1, " ");
    view_.drop(title_end, end);
    hides_ = true;
    return end - at_;
  }

  // A run of marks beside a letter. It hides if it stands inside a word with its partner.
  size_t emphasis() {
    const char mark = text_[at_];
    size_t end = at_;
    while (end < text_.size() && text_[end] == mark) ++end;
    const size_t length = end - at_;
    const bool is_inside = is_between_letters(at_, end);
    const bool touches = is_letter_at(end) || (at_ > 0 && is_letter_at(at_ - 1));
    if (length > 3 || !touches || (mark == '_' && is_inside)) return length;
    if (is_inside && splits_word(end, length)) hides_ = true;
    view_.drop(at_, end);
    return length;
  }

  // Whether the run of `length` marks that ends at `end` has its partner in the same word. A single
  // mark may be a product and two marks a word with an ending, so that there the word must be a
  // common one.
  bool splits_word(size_t end, size_t length) const {
    constexpr size_t kWordMin = 5;
    constexpr size_t kWordMax = 64;
    const char mark = text_[at_];
    const auto is_part = [&](size_t at) { return is_letter(text_[at]) || text_[at] == mark; };
    size_t begin = at_;
    while (begin > 0 && at_ - begin < kWordMax && is_part(begin - 1)) --begin;
    while (end < text_.size() && end - at_ < kWordMax && is_part(end)) ++end;
    std::string word;
    size_t marks = 0;
    for (size_t at = begin; at < end; ++at) {
      if (text_[at] == mark) {
        ++marks;
      } else {
        word.push_back(text_[at]);
      }
    }
    if (word.size() < kWordMin || marks < 2 * length) return false;
    return (length > 1 && is_letter(text_[begin])) || is_common_word(word_key(word));
  }

  std::string_view text_;
  ViewBuilder view_;
  size_t at_ = 0;
  bool hides_ = false;
  bool is_unclosed_ = false;  // no comment ends behind at_
};

}  // namespace

std::optional<View> markup_stripped(std::string_view text) { return Stripper(text).strip(); }

}  // namespace vsr::text
