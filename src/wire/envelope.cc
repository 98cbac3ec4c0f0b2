#include "wire/envelope.h"

#include <array>

#include "base/strings.h"

namespace vsr::wire {
namespace {

struct Envelope {
  std::string_view name;
  // Names that people also write themselves count only at the start of a line.
  bool anywhere;
};
constexpr std::array kEnvelopes = {
    Envelope{"system-reminder", true},
    Envelope{"system_reminder", true},
    Envelope{"environment_context", true},
    Envelope{"environment_details", true},
    Envelope{"local-command-caveat", true},
    Envelope{"local-command-stdout", true},
    Envelope{"ide_opened_file", true},
    Envelope{"ide_selection", true},
    Envelope{"user_instructions", false},
    Envelope{"environment", false},
    Envelope{"env", false},
    Envelope{"plan_context", false},
    Envelope{"goal_context", false},
    Envelope{"turn_context", false},
    Envelope{"ide_context", false},
    Envelope{"user_info", false},
};
// Of an opening tag behind the name.
constexpr size_t kAttributeBytesMax = 256;

bool at_line_start(std::string_view text, size_t at) {
  while (at > 0 && (text[at - 1] == ' ' || text[at - 1] == '\t')) --at;
  return at == 0 || text[at - 1] == '\n';
}

class Finder {
 public:
  explicit Finder(std::string_view text) : text_(text) {}

  struct Range {
    size_t begin = std::string_view::npos;
    size_t inner_begin = 0, inner_end = 0;  // between the tags
    size_t end = 0;
  };
  // The first envelope that begins at `from` or later.
  Range find(size_t from) {
    for (size_t at = text_.find('<', from); at != std::string_view::npos;
         at = text_.find('<', at + 1)) {
      for (size_t i = 0; i < kEnvelopes.size(); ++i) {
        if (const Range found = range_of(i, at); found.end > 0) return found;
      }
    }
    return {};
  }

 private:
  // The envelope of this name whose opening tag is at `at`; its end is 0 if there is none.
  Range range_of(size_t which, size_t at) {
    const auto& [name, anywhere] = kEnvelopes[which];
    const std::string_view rest = text_.substr(at + 1);
    if (!rest.starts_with(name) || rest.size() == name.size() || has_no_end_[which]) return {};
    const char next = rest[name.size()];
    if (next != '>' && !is_ascii_space(next)) return {};
    if (!anywhere && !at_line_start(text_, at)) return {};
    const size_t tag_end = rest.substr(name.size(), kAttributeBytesMax).find('>');
    if (tag_end == std::string_view::npos) return {};

    const std::string closing = std::string("</").append(name).append(">");
    const size_t inner = at + 1 + name.size() + tag_end + 1;
    const size_t close = text_.find(closing, inner);
    if (close == std::string_view::npos) {
      // None will follow either: remembered, so that many opening tags stay linear.
      has_no_end_[which] = true;
      return {};
    }
    return {at, inner, close, close + closing.size()};
  }

  std::string_view text_;
  std::array<bool, kEnvelopes.size()> has_no_end_{};
};

}  // namespace

static std::string_view without(std::string_view text, json::Arena& arena, bool keeps_inside) {
  Finder finder(text);
  Finder::Range cut = finder.find(0);
  if (cut.begin == std::string_view::npos) return text;
  char* const out = arena.allocate(text.size(), 1);
  size_t size = 0;
  size_t from = 0;
  const auto keep = [&](size_t begin, size_t end) {
    std::memcpy(out + size, text.data() + begin, end - begin);
    size += end - begin;
  };
  for (; cut.begin != std::string_view::npos; cut = finder.find(from)) {
    keep(from, cut.begin);
    if (keeps_inside) keep(cut.inner_begin, cut.inner_end);
    from = cut.end;
  }
  keep(from, text.size());
  arena.shrink_last(out, text.size(), size);
  return trim({out, size});
}

std::string_view strip_envelopes(std::string_view text, json::Arena& arena) {
  return without(text, arena, false);
}

std::string_view unwrap_envelopes(std::string_view text, json::Arena& arena) {
  return without(text, arena, true);
}

}  // namespace vsr::wire
