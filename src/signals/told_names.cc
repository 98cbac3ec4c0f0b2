// Names in lower case behind words that announce one: "my name is jane roe", "me llamo ana". The
// tagger reads names that are written with capitals.

#include "signals/name_model.h"
#include "signals/name_words.h"
#include "signals/scan.h"

namespace vsr::signals {
namespace {

// Letters of Latin with accents, as bytes.
bool is_name_byte(char c) {
  return is_any(c, kLetterBits) || static_cast<uint8_t>(c) >= 0x80 || c == '-' || c == '\'';
}

size_t past_name_word(std::string_view text, size_t at) {
  while (at < text.size() && is_name_byte(text[at])) ++at;
  return at;
}

}  // namespace

size_t read_lower_case_name(Scan& scan, size_t end) {
  const std::string_view text = scan.text;
  size_t at = end;
  for (const std::string_view is :
       {" is ", "'s ", ": ", " es ", " é ", " è ", " est ", " ist ", " "}) {
    if (!scan.from(at).starts_with(is)) continue;
    at += is.size();
    break;
  }
  if (at == end || !is_any(scan.at(at), kLowerBit)) return 0;
  const NameModel& model = shipped_names();
  const auto flags_at = [&](size_t start, size_t stop) {
    return model.flags_of(word_hash(text.substr(start, stop - start)));
  };
  const size_t first = past_name_word(text, at);
  const uint8_t given = flags_at(at, first);
  // "my name is long": an ordinary word is a name only in front of a surname that is none.
  if ((given & kGivenFlag) == 0 || first - at < 3) return 0;
  size_t stop = first;
  if (scan.at(first) == ' ' && is_any(scan.at(first + 1), kLowerBit)) {
    const size_t second = past_name_word(text, first + 1);
    const uint8_t family = flags_at(first + 1, second);
    if ((family & (kFamilyFlag | kGivenFlag)) != 0 && (family & kCommonFlag) == 0) stop = second;
  }
  if ((given & kCommonFlag) != 0 && stop == first) return 0;
  scan.add(EntityType::kPerson, at, stop, 0.7);
  return stop;
}

}  // namespace vsr::signals
