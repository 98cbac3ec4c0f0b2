#include "text/script.h"

#include <utf8proc.h>

#include <algorithm>
#include <iterator>

namespace vsr::text {
namespace {

struct Range {
  char32_t first;
  char32_t last;
  Script script;
};

// Blocks, not single characters: the signs inside that are not letters do no harm here. Sorted.
constexpr Range kRanges[] = {
    {0x0041, 0x005A, Script::kLatin},      {0x0061, 0x007A, Script::kLatin},
    {0x00AA, 0x00AA, Script::kLatin},      {0x00BA, 0x00BA, Script::kLatin},
    {0x00C0, 0x00D6, Script::kLatin},      {0x00D8, 0x00F6, Script::kLatin},
    {0x00F8, 0x02AF, Script::kLatin},      {0x0370, 0x03FF, Script::kGreek},
    {0x0400, 0x052F, Script::kCyrillic},   {0x0591, 0x05F4, Script::kHebrew},
    {0x0600, 0x06FF, Script::kArabic},     {0x0750, 0x077F, Script::kArabic},
    {0x08A0, 0x08FF, Script::kArabic},     {0x0900, 0x097F, Script::kDevanagari},
    {0x0E01, 0x0E5B, Script::kThai},       {0x1100, 0x11FF, Script::kHangul},
    {0x1C80, 0x1C8F, Script::kCyrillic},   {0x1E00, 0x1EFF, Script::kLatin},
    {0x1F00, 0x1FFF, Script::kGreek},      {0x2E80, 0x2FDF, Script::kHan},
    {0x3005, 0x3007, Script::kHan},        {0x3041, 0x309F, Script::kKana},
    {0x30A1, 0x30FA, Script::kKana},       {0x30FC, 0x30FF, Script::kKana},
    {0x3131, 0x318E, Script::kHangul},     {0x31F0, 0x31FF, Script::kKana},
    {0x3400, 0x4DBF, Script::kHan},        {0x4E00, 0x9FFF, Script::kHan},
    {0xA640, 0xA69F, Script::kCyrillic},   {0xA720, 0xA7FF, Script::kLatin},
    {0xA8E0, 0xA8FF, Script::kDevanagari}, {0xAB30, 0xAB6F, Script::kLatin},
    {0xAC00, 0xD7A3, Script::kHangul},     {0xF900, 0xFAFF, Script::kHan},
    {0xFB1D, 0xFB4F, Script::kHebrew},     {0xFB50, 0xFDFF, Script::kArabic},
    {0xFE70, 0xFEFF, Script::kArabic},     {0xFF21, 0xFF3A, Script::kLatin},
    {0xFF41, 0xFF5A, Script::kLatin},      {0xFF66, 0xFF9F, Script::kKana},
    {0xFFA0, 0xFFDC, Script::kHangul},     {0x20000, 0x323AF, Script::kHan},
};

}  // namespace

Script script_of(char32_t code_point) {
  if (code_point < 0x80) {
    const char32_t lower = code_point | 0x20;
    return lower >= 'a' && lower <= 'z' ? Script::kLatin : Script::kCommon;
  }
  if (code_point >= 0x4E00 && code_point <= 0x9FFF) return Script::kHan;
  const auto* range = std::upper_bound(
      std::begin(kRanges), std::end(kRanges), code_point,
      [](char32_t value, const Range& candidate) { return value < candidate.first; });
  if (range == std::begin(kRanges)) return Script::kCommon;
  --range;
  return code_point <= range->last ? range->script : Script::kCommon;
}

bool is_word(char32_t code_point) {
  if (code_point < 0x80) {
    const char32_t lower = code_point | 0x20;
    return (lower >= 'a' && lower <= 'z') || (code_point >= '0' && code_point <= '9') ||
           code_point == '_';
  }
  if (code_point >= 0x4E00 && code_point <= 0x9FFF) return true;
  const utf8proc_category_t category = utf8proc_category(static_cast<utf8proc_int32_t>(code_point));
  return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_NO;
}

}  // namespace vsr::text
