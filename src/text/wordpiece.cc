#include "text/wordpiece.h"

#include <utf8proc.h>

#include <algorithm>
#include <bit>

#include "base/strings.h"
#include "text/hash.h"
#include "text/utf8.h"

namespace vsr::text {

namespace {

struct Range {
  char32_t first;
  char32_t last;
};

// Marks, punctuation and format characters that came after Unicode 8, which the reference tokenizer
// takes for letters. Sorted.
constexpr Range kAfterUnicode8[] = {
    {0x61D, 0x61D},     {0x7FD, 0x7FD},     {0x890, 0x891},     {0x898, 0x89F},
    {0x8CA, 0x8E2},     {0x9FD, 0x9FE},     {0xA76, 0xA76},     {0xAFA, 0xAFF},
    {0xB55, 0xB55},     {0xC04, 0xC04},     {0xC3C, 0xC3C},     {0xC77, 0xC77},
    {0xC84, 0xC84},     {0xD00, 0xD00},     {0xD3B, 0xD3C},     {0xD81, 0xD81},
    {0xEBA, 0xEBA},     {0xECE, 0xECE},     {0x180F, 0x180F},   {0x1885, 0x1886},
    {0x1ABF, 0x1ACE},   {0x1B7D, 0x1B7E},   {0x1DF6, 0x1DFB},   {0x2E43, 0x2E4F},
    {0x2E52, 0x2E5D},   {0xA82C, 0xA82C},   {0xA8C5, 0xA8C5},   {0xA8FF, 0xA8FF},
    {0xA9BD, 0xA9BD},   {0x10D24, 0x10D27}, {0x10EAB, 0x10EAD}, {0x10EFD, 0x10EFF},
    {0x10F46, 0x10F50}, {0x10F55, 0x10F59}, {0x10F82, 0x10F89}, {0x11070, 0x11070},
    {0x11073, 0x11074}, {0x110C2, 0x110C2}, {0x110CD, 0x110CD}, {0x111CF, 0x111CF},
    {0x1123E, 0x1123E}, {0x11241, 0x11241}, {0x1133B, 0x1133B}, {0x11438, 0x1143F},
    {0x11442, 0x11444}, {0x11446, 0x11446}, {0x1144B, 0x1144F}, {0x1145A, 0x1145B},
    {0x1145D, 0x1145E}, {0x11660, 0x1166C}, {0x116B9, 0x116B9}, {0x1182F, 0x11837},
    {0x11839, 0x1183B}, {0x1193B, 0x1193C}, {0x1193E, 0x1193E}, {0x11943, 0x11946},
    {0x119D4, 0x119D7}, {0x119DA, 0x119DB}, {0x119E0, 0x119E0}, {0x119E2, 0x119E2},
    {0x11A01, 0x11A0A}, {0x11A33, 0x11A38}, {0x11A3B, 0x11A47}, {0x11A51, 0x11A56},
    {0x11A59, 0x11A5B}, {0x11A8A, 0x11A96}, {0x11A98, 0x11A9C}, {0x11A9E, 0x11AA2},
    {0x11B00, 0x11B09}, {0x11C30, 0x11C36}, {0x11C38, 0x11C3D}, {0x11C3F, 0x11C3F},
    {0x11C41, 0x11C45}, {0x11C70, 0x11C71}, {0x11C92, 0x11CA7}, {0x11CAA, 0x11CB0},
    {0x11CB2, 0x11CB3}, {0x11CB5, 0x11CB6}, {0x11D31, 0x11D36}, {0x11D3A, 0x11D3A},
    {0x11D3C, 0x11D3D}, {0x11D3F, 0x11D45}, {0x11D47, 0x11D47}, {0x11D90, 0x11D91},
    {0x11D95, 0x11D95}, {0x11D97, 0x11D97}, {0x11EF3, 0x11EF4}, {0x11EF7, 0x11EF8},
    {0x11F00, 0x11F01}, {0x11F36, 0x11F3A}, {0x11F40, 0x11F40}, {0x11F42, 0x11F4F},
    {0x11FFF, 0x11FFF}, {0x12FF1, 0x12FF2}, {0x13430, 0x13440}, {0x13447, 0x13455},
    {0x16E97, 0x16E9A}, {0x16F4F, 0x16F4F}, {0x16FE2, 0x16FE2}, {0x16FE4, 0x16FE4},
    {0x1CF00, 0x1CF2D}, {0x1CF30, 0x1CF46}, {0x1E000, 0x1E006}, {0x1E008, 0x1E018},
    {0x1E01B, 0x1E021}, {0x1E023, 0x1E024}, {0x1E026, 0x1E02A}, {0x1E08F, 0x1E08F},
    {0x1E130, 0x1E136}, {0x1E2AE, 0x1E2AE}, {0x1E2EC, 0x1E2EF}, {0x1E4EC, 0x1E4EF},
    {0x1E944, 0x1E94A}, {0x1E95E, 0x1E95F}};

bool is_after_unicode_8(char32_t c) {
  const auto* const at =
      std::lower_bound(std::begin(kAfterUnicode8), std::end(kAfterUnicode8), c,
                       [](const Range& range, char32_t value) { return range.last < value; });
  return at != std::end(kAfterUnicode8) && at->first <= c;
}

// Letters in two cases that came after the tables of our Unicode library.
struct Lower {
  Range upper;
  int32_t offset;
};
constexpr Lower kNewCases[] = {{{0x1C89, 0x1C89}, 1},    {{0xA7CB, 0xA7CB}, -42343},
                               {{0xA7CC, 0xA7CC}, 1},    {{0xA7CE, 0xA7CE}, 1},
                               {{0xA7D2, 0xA7D2}, 1},    {{0xA7D4, 0xA7D4}, 1},
                               {{0xA7DA, 0xA7DA}, 1},    {{0xA7DC, 0xA7DC}, -42561},
                               {{0x10D50, 0x10D65}, 32}, {{0x16EA0, 0x16EB8}, 27}};

char32_t lower(char32_t c) {
  for (const Lower& entry : kNewCases) {
    if (c >= entry.upper.first && c <= entry.upper.last) {
      return static_cast<char32_t>(static_cast<int32_t>(c) + entry.offset);
    }
  }
  return static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c)));
}

// The category as the reference tokenizer knows it.
utf8proc_category_t category_of(char32_t c) {
  if (c == 0x166D || c == 0x111C9) return UTF8PROC_CATEGORY_PO;
  if (c == 0x1734) return UTF8PROC_CATEGORY_MN;
  const utf8proc_category_t category = utf8proc_category(static_cast<utf8proc_int32_t>(c));
  return is_after_unicode_8(c) ? UTF8PROC_CATEGORY_LO : category;
}

bool is_ascii_punctuation(char32_t c) {
  return (c >= 33 && c <= 47) || (c >= 58 && c <= 64) || (c >= 91 && c <= 96) ||
         (c >= 123 && c <= 126);
}

bool is_punctuation(char32_t c) {
  if (c < 0x80) return is_ascii_punctuation(c);
  const utf8proc_category_t category = category_of(c);
  return category >= UTF8PROC_CATEGORY_PC && category <= UTF8PROC_CATEGORY_PO;
}

// White_Space of Unicode.
bool is_space(char32_t c) {
  return c == ' ' || (c >= 9 && c <= 13) || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
         c == 0x3000;
}

// Characters that are taken out before anything else.
bool is_removed(char32_t c) {
  if (c == 0 || c == 0xFFFD) return true;
  if (c == '\t' || c == '\n' || c == '\r') return false;
  const utf8proc_category_t category = category_of(c);
  return category == UTF8PROC_CATEGORY_CC || category == UTF8PROC_CATEGORY_CF ||
         category == UTF8PROC_CATEGORY_CO;
}

bool is_accent(char32_t c) { return c >= 0x80 && category_of(c) == UTF8PROC_CATEGORY_MN; }

// The blocks of ideographs that BERT's tokenizer takes character by character.
bool is_ideograph(char32_t c) {
  return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) ||
         (c >= 0x20000 && c <= 0x2A6DF) || (c >= 0x2A700 && c <= 0x2B73F) ||
         (c >= 0x2B740 && c <= 0x2B81F) || (c >= 0x2B920 && c <= 0x2CEAF) ||
         (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x2F800 && c <= 0x2FA1F);
}

// Calls word(text, characters) for every word, punctuation mark and ideograph; ends early when it
// says false.
template <typename F>
void for_each_basic_word(std::string_view text, F&& word) {
  std::string current;
  size_t chars = 0;
  bool go_on = true;
  const auto flush = [&] {
    if (chars > 0 && go_on) go_on = word(std::string_view(current), chars);
    current.clear();
    chars = 0;
  };
  const auto alone = [&](char32_t c) {
    flush();
    append_utf8(c, current);
    chars = 1;
    flush();
  };
  // A character as it comes out of decomposition.
  const auto put = [&](char32_t c) {
    if (is_accent(c)) return;
    c = lower(c);
    if (is_space(c)) return flush();
    if (is_punctuation(c)) return alone(c);
    append_utf8(c, current);
    ++chars;
  };
  for (size_t at = 0; at < text.size() && go_on;) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (byte < 0x80) {
      ++at;
      if (byte >= 'a' && byte <= 'z') {
        current += static_cast<char>(byte);
        ++chars;
      } else if (byte >= 'A' && byte <= 'Z') {
        current += static_cast<char>(byte + 32);
        ++chars;
      } else if (byte == ' ' || byte == '\n' || byte == '\t' || byte == '\r') {
        flush();
      } else if (is_ascii_punctuation(byte)) {
        alone(byte);
      } else if (byte >= 0x20 && byte < 0x7F) {
        current += static_cast<char>(byte);
        ++chars;
      }
      continue;
    }
    const char32_t c = next_code_point(text, at);
    if (is_removed(c)) continue;
    if (is_space(c)) {
      flush();
      continue;
    }
    const bool ideograph = is_ideograph(c);
    if (ideograph) flush();
    utf8proc_int32_t parts[16];
    int boundary = 0;
    constexpr char32_t kDecomposesSinceUnicode13 = 0x11938;
    parts[0] = static_cast<utf8proc_int32_t>(c);
    const utf8proc_ssize_t count =
        c == kDecomposesSinceUnicode13
            ? 1
            : utf8proc_decompose_char(static_cast<utf8proc_int32_t>(c), parts, std::size(parts),
                                      UTF8PROC_DECOMPOSE, &boundary);
    for (utf8proc_ssize_t i = 0; i < count; ++i) put(static_cast<char32_t>(parts[i]));
    if (ideograph) flush();
  }
  flush();
}

}  // namespace

std::vector<std::string> basic_words(std::string_view text) {
  std::vector<std::string> out;
  for_each_basic_word(text, [&](std::string_view word, size_t) {
    out.emplace_back(word);
    return true;
  });
  return out;
}

Result<WordPiece> WordPiece::make(std::vector<std::string_view> tokens) {
  WordPiece out;
  out.tokens_ = std::move(tokens);
  out.table_.assign(std::bit_ceil(out.tokens_.size() * 2 + 1), kNone);
  const size_t mask = out.table_.size() - 1;
  for (uint32_t id = 0; id < out.tokens_.size(); ++id) {
    const std::string_view token = out.tokens_[id];
    out.token_bytes_max_ = std::max(out.token_bytes_max_, token.size());
    size_t slot = hash64(token) & mask;
    while (out.table_[slot] != kNone) slot = (slot + 1) & mask;
    out.table_[slot] = id;
  }
  out.unknown_ = out.find("[UNK]");
  out.cls_ = out.find("[CLS]");
  out.sep_ = out.find("[SEP]");
  if (out.unknown_ == kNone || out.cls_ == kNone || out.sep_ == kNone) {
    return fail(ErrorCode::kCorrupt, "the vocabulary lacks [UNK], [CLS] or [SEP]");
  }
  return out;
}

uint32_t WordPiece::find(std::string_view token) const {
  const size_t mask = table_.size() - 1;
  for (size_t slot = hash64(token) & mask; table_[slot] != kNone; slot = (slot + 1) & mask) {
    if (tokens_[table_[slot]] == token) return table_[slot];
  }
  return kNone;
}

// The longest piece from the left, again and again; if that fails anywhere, the word is unknown.
void WordPiece::add_word(std::string_view word, size_t chars, std::vector<uint32_t>& ids) const {
  if (chars > kWordCharsMax) {
    ids.push_back(unknown_);
    return;
  }
  const size_t before = ids.size();
  std::string piece;
  for (size_t start = 0; start < word.size();) {
    const std::string_view prefix = start == 0 ? "" : "##";
    size_t end = std::min(word.size(), start + token_bytes_max_);
    uint32_t id = kNone;
    for (; end > start; --end) {
      // Not in the middle of a character.
      if (end < word.size() && (static_cast<unsigned char>(word[end]) & 0xC0) == 0x80) continue;
      piece.assign(prefix).append(word.substr(start, end - start));
      id = find(piece);
      if (id != kNone) break;
    }
    if (id == kNone) {
      ids.resize(before);
      ids.push_back(unknown_);
      return;
    }
    ids.push_back(id);
    start = end;
  }
}

void WordPiece::encode(std::string_view text, std::vector<uint32_t>& ids, size_t ids_max) const {
  const size_t limit = ids_max > SIZE_MAX - ids.size() ? SIZE_MAX : ids.size() + ids_max;
  for_each_basic_word(text, [&](std::string_view word, size_t chars) {
    add_word(word, chars, ids);
    return ids.size() < limit;
  });
}

}  // namespace vsr::text
