// Names and addresses in scripts without capitals: Japanese, Korean, Arabic, Hindi.

#include <algorithm>
#include <array>

#include "signals/scan.h"
#include "text/utf8.h"

namespace vsr::signals {
namespace {

using namespace std::string_view_literals;

char32_t character_at(std::string_view text, size_t at, size_t& next) {
  next = at;
  return at < text.size() ? text::next_code_point(text, next) : U'\0';
}

// The character that ends at `end`; its start in `start`.
char32_t character_before(std::string_view text, size_t end, size_t& start) {
  start = end;
  if (end == 0) return U'\0';
  --start;
  while (start > 0 && end - start < 4 && (static_cast<uint8_t>(text[start]) & 0xC0) == 0x80)
    --start;
  size_t next = start;
  return text::next_code_point(text, next);
}

bool is_han(char32_t c) { return (c >= 0x4E00 && c <= 0x9FFF) || c == U'々'; }
bool is_katakana(char32_t c) { return c >= 0x30A1 && c <= 0x30FC; }
bool is_hiragana(char32_t c) { return c >= 0x3041 && c <= 0x309F; }
bool is_hangul(char32_t c) { return c >= 0xAC00 && c <= 0xD7A3; }
bool is_arabic(char32_t c) {
  return c >= 0x0621 && c <= 0x06D3 && c != 0x060C && c != 0x061B && c != 0x061F;
}
bool is_devanagari(char32_t c) { return c >= 0x0900 && c <= 0x0963; }

size_t past_digits(const Scan& scan, size_t at) {
  while (is_any(scan.at(at), kDigitBit)) ++at;
  return at;
}

template <typename Is>
size_t past_run(std::string_view text, size_t at, Is is) {
  size_t next = at;
  while (at < text.size() && is(character_at(text, at, next))) at = next;
  return at;
}

constexpr std::array kPrefectures = {
    "北海道"sv, "青森県"sv,   "岩手県"sv, "宮城県"sv,   "秋田県"sv, "山形県"sv, "福島県"sv,
    "茨城県"sv, "栃木県"sv,   "群馬県"sv, "埼玉県"sv,   "千葉県"sv, "東京都"sv, "神奈川県"sv,
    "新潟県"sv, "富山県"sv,   "石川県"sv, "福井県"sv,   "山梨県"sv, "長野県"sv, "岐阜県"sv,
    "静岡県"sv, "愛知県"sv,   "三重県"sv, "滋賀県"sv,   "京都府"sv, "大阪府"sv, "兵庫県"sv,
    "奈良県"sv, "和歌山県"sv, "鳥取県"sv, "島根県"sv,   "岡山県"sv, "広島県"sv, "山口県"sv,
    "徳島県"sv, "香川県"sv,   "愛媛県"sv, "高知県"sv,   "福岡県"sv, "佐賀県"sv, "長崎県"sv,
    "熊本県"sv, "大分県"sv,   "宮崎県"sv, "鹿児島県"sv, "沖縄県"sv};

// "1-2-3", "1丁目5番6号" from the first digit on.
size_t past_japanese_number(const Scan& scan, size_t at) {
  for (int part = 0; part < 5; ++part) {
    const size_t digits = past_digits(scan, at);
    if (digits == at) return at;
    at = digits;
    size_t used = 0;
    if (starts_any(scan.from(at), {"丁目", "番地", "番", "号"}, used)) at += used;
    if (starts_any(scan.from(at), {"-", "−", "‐", "ー", "–", "の"}, used) &&
        is_any(scan.at(at + used), kDigitBit)) {
      at += used;
    }
  }
  return at;
}

// " サンハイツ201号室", " 3階"
size_t past_japanese_building(const Scan& scan, size_t end) {
  size_t used = 0;
  size_t at = end;
  if (starts_any(scan.from(at), {" ", "　"}, used)) at += used;
  at = past_run(scan.text, at, [](char32_t c) {
    return is_han(c) || is_katakana(c) ||
           (c < 0x80 && is_alnum(static_cast<char>(c)) && !is_any(static_cast<char>(c), kDigitBit));
  });
  if (at == end || at - end > 60) return end;
  const size_t digits = past_digits(scan, at);
  if (digits == at || digits - at > 4) return end;
  return starts_any(scan.from(digits), {"号室", "号", "階", "F"}, used) ? digits + used : digits;
}

size_t read_japanese_address(Scan& scan, size_t digits) {
  constexpr size_t kBackBytesMax = 90;
  const std::string_view text = scan.text;
  size_t start = digits;
  for (size_t before = 0; digits - start < kBackBytesMax; start = before) {
    const char32_t c = character_before(text, start, before);
    if (!is_han(c) && !is_katakana(c) && !is_hiragana(c)) break;
  }
  const std::string_view front = text.substr(start, digits - start);
  size_t found = std::string_view::npos;
  for (const std::string_view prefecture : kPrefectures) {
    if (const size_t at = front.find(prefecture); at != std::string_view::npos) {
      found = std::min(found, at);
    }
  }
  if (found == std::string_view::npos) {
    // "横浜市西区みなとみらい2-3": a town and a ward
    const size_t city = front.find("市");
    if (city == std::string_view::npos || front.find("区", city) == std::string_view::npos ||
        !ends_any(text.substr(0, digits), {"町", "区"})) {
      return 0;
    }
    found = 0;
    for (const std::string_view cue : {"は", "を", "に", "の", "住所"}) {
      const size_t at = front.rfind(cue, city);
      if (at != std::string_view::npos) found = std::max(found, at + cue.size());
    }
  }
  if (found + 15 > front.size()) return 0;
  size_t from = start + found;
  // 〒150-0041
  for (size_t blank : {0U, 1U, 3U}) {
    if (from < 11 + blank) continue;
    const std::string_view code = text.substr(from - 11 - blank, 11 + blank);
    if (code.starts_with("〒") && code[6] == '-') from -= 11 + blank;
  }
  const size_t end = past_japanese_building(scan, past_japanese_number(scan, digits));
  scan.add(EntityType::kAddress, from, end, 0.9);
  return end;
}

// Past ", 101동 1203호", " 3층"
size_t past_korean_unit(const Scan& scan, size_t end) {
  for (int part = 0; part < 3; ++part) {
    size_t used = 0;
    if (!starts_any(scan.from(end), {", ", " "}, used)) return end;
    size_t at = end + used;
    const size_t digits = past_digits(scan, at);
    if (digits == at || !starts_any(scan.from(digits), {"동", "호", "층"}, used)) return end;
    end = digits + used;
  }
  return end;
}

size_t read_korean_address(Scan& scan, size_t digits) {
  const std::string_view text = scan.text;
  if (scan.before(digits) != ' ' ||
      !ends_any(text.substr(0, digits - 1), {"로", "길", "동", "리", "가"})) {
    return 0;
  }
  size_t start = digits;
  bool region = false;
  for (int words = 0; words < 6 && start > 3 && text[start - 1] == ' '; ++words) {
    const size_t end = start - 1;
    size_t word = end;
    for (size_t before = 0; word > 0; word = before) {
      const char32_t c = character_before(text, word, before);
      if (!is_hangul(c) && !(c < 0x80 && is_any(static_cast<char>(c), kDigitBit))) break;
    }
    const std::string_view name = text.substr(word, end - word);
    const bool area = ends_any(name, {"시", "도", "구", "군", "읍", "면"});
    if (name.size() < 6 || (!area && !ends_any(name, {"로", "길", "동", "리", "가"}))) {
      // The short names of the largest towns stand without an ending.
      for (const std::string_view town :
           {"서울", "부산", "대구", "인천", "광주", "대전", "울산", "세종", "경기"}) {
        if (name == town) start = word;
      }
      break;
    }
    region = region || area;
    start = word;
  }
  if (!region) return 0;
  size_t end = past_digits(scan, digits);
  for (const std::string_view lane : {"번길 ", "길 "}) {
    if (scan.from(end).starts_with(lane)) end = past_digits(scan, end + lane.size());
  }
  if (scan.at(end) == '-' && is_any(scan.at(end + 1), kDigitBit)) end = past_digits(scan, end + 1);
  end = past_korean_unit(scan, end);
  scan.add(EntityType::kAddress, start, end, 0.9);
  return end;
}

// "मकान नंबर 12, गांधी नगर, दिल्ली 110001"
size_t read_hindi_address(Scan& scan, size_t digits) {
  constexpr size_t kAddressBytesMax = 240;
  constexpr size_t kPinDigits = 6;
  const std::string_view text = scan.text;
  const std::string_view front = text.substr(0, digits);
  size_t start = std::string_view::npos;
  for (const std::string_view lead : {"मकान नंबर ", "मकान नं. ", "मकान संख्या ", "घर नंबर ", "फ्लैट नंबर ",
                                      "फ्लैट ", "प्लॉट नंबर ", "प्लॉट "}) {
    if (front.ends_with(lead)) {
      start = digits - lead.size();
      break;
    }
  }
  if (start == std::string_view::npos) return 0;
  const size_t limit = std::min(text.size(), digits + kAddressBytesMax);
  for (size_t at = past_digits(scan, digits); at < limit; ++at) {
    if (text[at] == '\n' || text.substr(at).starts_with("।")) break;
    if (!is_any(text[at], kDigitBit)) continue;
    const size_t end = past_digits(scan, at);
    if (end - at == kPinDigits) {
      scan.add(EntityType::kAddress, start, end, 0.85);
      return end;
    }
    at = end;
  }
  return 0;
}

// ---- names --------------------------------------------------------------------------------

size_t add_name(Scan& scan, size_t start, size_t end) {
  scan.add(EntityType::kPerson, start, end, 0.75);
  return end;
}

// 私は田中太郎です, 田中と申します: Han characters, perhaps in two parts, before です or と.
size_t read_japanese_name(Scan& scan, size_t at) {
  constexpr size_t kCharacterBytes = 3;
  const std::string_view text = scan.text;
  const auto name_like = [](char32_t c) { return is_han(c); };
  size_t end = past_run(text, at, name_like);
  size_t used = 0;
  if (end > at && starts_any(text.substr(end), {" ", "　"}, used)) {
    const size_t given = past_run(text, end + used, name_like);
    if (given > end + used) end = given;
  }
  if (end < at + 2 * kCharacterBytes || end > at + 7 * kCharacterBytes) return 0;
  if (!starts_any(text.substr(end), {"です", "と申し", "と言い", "といい", "でござい"}, used))
    return 0;
  // 会社員です, 学生です: what one is, not who.
  if (ends_any(text.substr(at, end - at),
               {"員", "生", "者", "師", "人", "年",   "歳",   "長",   "主婦", "中", "家",
                "業", "職", "系", "前", "先", "側",   "国籍", "出身", "士",   "官", "手",
                "妻", "夫", "親", "母", "父", "女性", "男性", "素",   "的",   "歴", "型"})) {
    return 0;
  }
  return add_name(scan, at, end);
}

constexpr std::u32string_view kKoreanSurnames =
    U"김이박최정강조윤장임한오서신권황안송류전홍고문양손배백허유남심노하곽성차주우구민진지엄채원천"
    U"방공현"
    U"함변염여추도소석선설마길연위표명기반왕금옥";

// 김민수: a surname and two syllables, and what shows that a name ends there.
size_t read_korean_name(Scan& scan, size_t at) {
  const std::string_view text = scan.text;
  size_t next = at;
  if (kKoreanSurnames.find(character_at(text, at, next)) == std::u32string_view::npos) return 0;
  size_t end = next;
  for (int syllable = 0; syllable < 2; ++syllable) {
    if (!is_hangul(character_at(text, end, next))) return 0;
    end = next;
  }
  size_t used = 0;
  if (is_hangul(character_at(text, end, next)) &&
      !starts_any(
          text.substr(end),
          {"입니다", "이고", "이라고", "이에요", "예요", "라고", "이며", "인데", "님", "씨"},
          used)) {
    return 0;
  }
  return add_name(scan, at, end);
}

// Words of a script up to `words_max`, separated by single blanks.
template <typename Is>
size_t past_words(std::string_view text, size_t at, int words_max, Is is) {
  size_t end = at;
  for (int words = 0; words < words_max; ++words) {
    const size_t start = words == 0 ? at : end + 1;
    if (words > 0 && (end >= text.size() || text[end] != ' ')) break;
    const size_t stop = past_run(text, start, is);
    if (stop == start) break;
    end = stop;
  }
  return end;
}

// "اسمي محمد علي": two words, but none that begins with "and".
size_t read_arabic_name(Scan& scan, size_t at) {
  const std::string_view text = scan.text;
  const size_t first = past_run(text, at, is_arabic);
  if (first < at + 4) return 0;
  size_t end = first;
  if (first < text.size() && text[first] == ' ' && !text.substr(first + 1).starts_with("و")) {
    const size_t second = past_run(text, first + 1, is_arabic);
    const std::string_view word = text.substr(first + 1, second - first - 1);
    size_t used = 0;
    if (word.size() >= 6 &&
        !starts_any(word, {"من", "في", "على", "هل", "أنا", "كيف", "عمري"}, used))
      end = second;
  }
  return add_name(scan, at, end);
}

size_t read_hindi_name(Scan& scan, size_t at) {
  const size_t end = past_words(scan.text, at, 3, is_devanagari);
  for (const std::string_view is : {" है", " हैं"}) {
    if (scan.text.substr(at, end - at).ends_with(is)) return add_name(scan, at, end - is.size());
  }
  return 0;
}

}  // namespace

size_t read_native_address(Scan& scan, size_t digits) {
  const auto before = static_cast<uint8_t>(scan.before(digits));
  if (before >= 0x80) return read_japanese_address(scan, digits);
  if (const size_t end = read_korean_address(scan, digits); end != 0) return end;
  return read_hindi_address(scan, digits);
}

size_t read_arabic_address(Scan& scan, size_t at) {
  constexpr size_t kAddressBytesMax = 160;
  const std::string_view text = scan.text;
  constexpr std::string_view kStreet = "شارع";
  if (!text.substr(at).starts_with(kStreet)) return 0;
  size_t start = at;
  if (scan.before(at) == ' ') {
    size_t digits = at - 1;
    while (digits > 0 && is_any(text[digits - 1], kDigitBit)) --digits;
    if (digits != at - 1 && at - 1 - digits <= 4) start = digits;
  }
  size_t end = past_words(text, at, 4, is_arabic);
  bool number = start != at;
  if (scan.at(end) == ' ' && is_any(scan.at(end + 1), kDigitBit)) {
    end = past_digits(scan, end + 1);
    number = true;
  }
  if (!number || end - at > kAddressBytesMax) return 0;
  // The town: "، القاهرة"
  if (scan.from(end).starts_with("، ")) {
    const size_t town = past_run(text, end + 3, is_arabic);
    if (town > end + 3) end = town;
  }
  scan.add(EntityType::kAddress, start, end, 0.8);
  return end;
}

size_t read_told_name(Scan& scan, size_t at) {
  const std::string_view rest = scan.from(at);
  size_t used = 0;
  switch (static_cast<uint8_t>(rest[0])) {
    case 0xE3:
    case 0xE5:
    case 0xE7:
      if (!starts_any(rest, {"私は", "わたしは", "僕は", "名前は", "氏名は", "氏名：", "名前："},
                      used))
        return 0;
      return read_japanese_name(scan, at + used);
    case 0xEC:
      if (!starts_any(rest, {"저는 ", "제 이름은 ", "이름은 ", "이름: ", "성함은 ", "저의 이름은 "},
                      used))
        return 0;
      return read_korean_name(scan, at + used);
    case 0xD8:
      if (!starts_any(rest, {"اسمي ", "أسمي "}, used)) return 0;
      return read_arabic_name(scan, at + used);
    case 0xE0:
      if (!starts_any(rest, {"मेरा नाम ", "नाम: "}, used)) return 0;
      return read_hindi_name(scan, at + used);
    default:
      return 0;
  }
}

}  // namespace vsr::signals
