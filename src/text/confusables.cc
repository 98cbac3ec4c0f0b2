#include "text/confusables.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <iterator>

namespace vsr::text {
namespace {

struct Alike {
  char32_t code_point;
  char ascii;
};

constexpr Alike kStrict[] = {
    // Greek capitals have the shapes of Latin ones.
    {U'Α', 'A'},
    {U'Β', 'B'},
    {U'Ε', 'E'},
    {U'Ζ', 'Z'},
    {U'Η', 'H'},
    {U'Ι', 'I'},
    {U'Κ', 'K'},
    {U'Μ', 'M'},
    {U'Ν', 'N'},
    {U'Ο', 'O'},
    {U'Ρ', 'P'},
    {U'Τ', 'T'},
    {U'Υ', 'Y'},
    {U'Χ', 'X'},
    {U'ο', 'o'},
    {U'ν', 'v'},
    {U'ϲ', 'c'},
    {U'ϳ', 'j'},
    {U'Ϲ', 'C'},
    // Cyrillic.
    {U'А', 'A'},
    {U'В', 'B'},
    {U'Е', 'E'},
    {U'К', 'K'},
    {U'М', 'M'},
    {U'Н', 'H'},
    {U'О', 'O'},
    {U'Р', 'P'},
    {U'С', 'C'},
    {U'Т', 'T'},
    {U'Х', 'X'},
    {U'Ѕ', 'S'},
    {U'І', 'I'},
    {U'Ј', 'J'},
    {U'а', 'a'},
    {U'е', 'e'},
    {U'о', 'o'},
    {U'р', 'p'},
    {U'с', 'c'},
    {U'у', 'y'},
    {U'х', 'x'},
    {U'ѕ', 's'},
    {U'і', 'i'},
    {U'ј', 'j'},
    {U'ѵ', 'v'},
    {U'Ү', 'Y'},
    {U'ү', 'y'},
    {U'һ', 'h'},
    {U'Ӏ', 'I'},
    {U'ӏ', 'l'},
    {U'ԁ', 'd'},
    {U'Ԍ', 'G'},
    {U'ԛ', 'q'},
    {U'Ԛ', 'Q'},
    {U'ԝ', 'w'},
    {U'Ԝ', 'W'},
    {U'ё', 'e'},
};

constexpr Alike kLoose[] = {
    {U'α', 'a'}, {U'β', 'b'}, {U'γ', 'y'}, {U'ε', 'e'}, {U'η', 'n'}, {U'ι', 'i'}, {U'κ', 'k'},
    {U'ρ', 'p'}, {U'σ', 'o'}, {U'τ', 't'}, {U'υ', 'u'}, {U'χ', 'x'}, {U'ω', 'w'}, {U'б', 'b'},
    {U'в', 'b'}, {U'г', 'r'}, {U'и', 'u'}, {U'к', 'k'}, {U'м', 'm'}, {U'н', 'h'}, {U'п', 'n'},
    {U'т', 't'}, {U'ѡ', 'w'}, {U'Ь', 'b'}, {U'З', '3'}, {U'У', 'Y'}, {U'Ғ', 'F'}, {U'ғ', 'f'},
    {U'Ё', 'E'}, {U'ї', 'i'}, {U'є', 'e'}, {U'я', 'r'}, {U'Я', 'R'}, {U'И', 'N'},
};

// Outside Greek and Cyrillic. Sorted.
constexpr Alike kOthers[] = {
    {0x0251, 'a'}, {0x0261, 'g'}, {0x0269, 'i'}, {0x0563, 'q'}, {0x0566, 'q'}, {0x0570, 'h'},
    {0x0578, 'n'}, {0x057D, 'u'}, {0x0581, 'g'}, {0x0585, 'o'}, {0x13A0, 'D'}, {0x13A1, 'R'},
    {0x13A2, 'T'}, {0x13A5, 'i'}, {0x13AA, 'A'}, {0x13AB, 'J'}, {0x13AC, 'E'}, {0x13B3, 'W'},
    {0x13B7, 'M'}, {0x13BB, 'H'}, {0x13C0, 'G'}, {0x13C3, 'Z'}, {0x13D9, 'V'}, {0x13DA, 'S'},
    {0x13DE, 'L'}, {0x13DF, 'C'}, {0x13E2, 'P'}, {0x13E6, 'K'}, {0x13F4, 'B'},
};

// Small capitals: the Latin letters of U+1D00… and U+A700… whose place follows no rule. Sorted.
constexpr Alike kSmallCapitals[] = {
    {0x01EB, 'q'}, {0x0262, 'g'}, {0x026A, 'i'}, {0x0274, 'n'}, {0x0280, 'r'}, {0x028F, 'y'},
    {0x0299, 'b'}, {0x029C, 'h'}, {0x029F, 'l'}, {0x1D00, 'a'}, {0x1D04, 'c'}, {0x1D05, 'd'},
    {0x1D07, 'e'}, {0x1D0A, 'j'}, {0x1D0B, 'k'}, {0x1D0D, 'm'}, {0x1D0F, 'o'}, {0x1D18, 'p'},
    {0x1D1B, 't'}, {0x1D1C, 'u'}, {0x1D20, 'v'}, {0x1D21, 'w'}, {0x1D22, 'z'}, {0xA730, 'f'},
    {0xA731, 's'}, {0xA7AF, 'q'},
};

constexpr char32_t kTableBegin = 0x0370;  // Greek and Cyrillic lie side by side
constexpr char32_t kTableEnd = 0x0530;

constexpr auto kTable = [] {
  std::array<Confusable, kTableEnd - kTableBegin> table{};
  for (const Alike& a : kStrict) table[a.code_point - kTableBegin] = {Likeness::kStrict, a.ascii};
  for (const Alike& a : kLoose) table[a.code_point - kTableBegin] = {Likeness::kLoose, a.ascii};
  return table;
}();

template <size_t n>
char find(const Alike (&table)[n], char32_t code_point) {
  const auto* at = std::ranges::lower_bound(table, code_point, {}, &Alike::code_point);
  return at != std::end(table) && at->code_point == code_point ? at->ascii : '\0';
}

struct Alphabet {
  char32_t first;
  char ascii;
};

// Letters A to Z in a row that have no decomposition.
constexpr Alphabet kAlphabets[] = {
    {0x1F150, 'A'},  // white on a black circle
    {0x1F170, 'A'},  // white on a black square
    {0x1F1E6, 'A'},  // regional indicators
    {0x249C, 'a'},   // in parentheses; the decomposition has them
    {0x1F110, 'A'},
};

char stylised(char32_t c) {
  for (const Alphabet& alphabet : kAlphabets) {
    if (c >= alphabet.first && c < alphabet.first + 26) {
      return static_cast<char>(alphabet.ascii + (c - alphabet.first));
    }
  }
  if (const char ascii = find(kSmallCapitals, c)) return ascii;
  std::array<utf8proc_int32_t, 18> out;
  int boundclass = 0;
  const auto length = utf8proc_decompose_char(
      static_cast<utf8proc_int32_t>(c), out.data(), out.size(),
      static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT),
      &boundclass);
  if (length != 1 || out[0] >= 0x80) return 0;
  const auto ascii = static_cast<char>(out[0]);
  const bool is_letter = (ascii | 0x20) >= 'a' && (ascii | 0x20) <= 'z';
  return is_letter || (ascii >= '0' && ascii <= '9') ? ascii : '\0';
}

bool may_be_stylised(char32_t c) {
  return c == 0x01EB || (c >= 0x0262 && c <= 0x029F) || (c >= 0x1D00 && c <= 0x1DBF) ||
         (c >= 0x2070 && c <= 0x209F) || (c >= 0x2100 && c <= 0x218F) ||
         (c >= 0x2460 && c <= 0x24FF) || c == 0x2C7C || (c >= 0xA730 && c <= 0xA7FF) ||
         (c >= 0xFF10 && c <= 0xFF5A) || (c >= 0x1D400 && c <= 0x1D7FF) ||
         (c >= 0x1F110 && c <= 0x1F1FF);
}

}  // namespace

Confusable confusable_of(char32_t c) {
  if (c >= kTableBegin && c < kTableEnd) return kTable[c - kTableBegin];
  if (c < kTableBegin || !(c > 0x3000 && c < 0xA000)) {
    if (may_be_stylised(c)) {
      if (const char ascii = stylised(c)) return {Likeness::kStylised, ascii};
    }
    if (c >= 0x0251 && c <= 0x13F4) {
      if (const char ascii = find(kOthers, c)) return {Likeness::kStrict, ascii};
    }
  }
  return {};
}

bool is_invisible(char32_t c) {
  if (c < 0x200B) {
    return c == 0xAD || c == 0x034F || c == 0x061C || c == 0x115F || c == 0x1160 || c == 0x17B4 ||
           c == 0x17B5 || (c >= 0x180B && c <= 0x180F);
  }
  if (c < 0x3000) {
    return c <= 0x200F || (c >= 0x202A && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F);
  }
  if (c < 0xFE00) return c == 0x3164;
  return c <= 0xFE0F || c == 0xFEFF || c == 0xFFA0 || (c >= 0xFFF9 && c <= 0xFFFB) ||
         (c >= 0x1BCA0 && c <= 0x1BCA3) || (c >= 0x1D173 && c <= 0x1D17A) ||
         (c >= 0xE0000 && c <= 0xE0FFF);
}

int hidden_byte(char32_t c) {
  if (c >= 0xFE00 && c <= 0xFE0F) return static_cast<int>(c - 0xFE00);
  if (c >= 0xE0100 && c <= 0xE01EF) return static_cast<int>(c - 0xE0100 + 16);
  if (c >= 0xE0020 && c <= 0xE007E) return static_cast<int>(c - 0xE0000);
  return -1;
}

}  // namespace vsr::text
