// The features of a word in a run, and of a Chinese name.

#include <algorithm>
#include <array>

#include "signals/name_words.h"
#include "text/utf8.h"

namespace vsr::signals {
namespace {

constexpr uint32_t mix(uint32_t hash) {
  hash ^= hash >> 16;
  hash *= 0x7FEB352DU;
  hash ^= hash >> 15;
  hash *= 0x846CA68BU;
  return hash ^ (hash >> 16);
}

class Adder {
 public:
  Adder(uint32_t row_bits, FeatureRows& out) : shift_(32 - row_bits), out_(out) { out_.count = 0; }
  void operator()(uint32_t kind, uint32_t value) {
    out_.rows[out_.count++] = mix(value + kind * 0x9E3779B1U) >> shift_;
  }
  void operator()(uint32_t kind, uint32_t a, uint32_t b) { (*this)(kind, mix(a) + b); }

 private:
  const uint32_t shift_;
  FeatureRows& out_;
};

constexpr uint32_t kOutOfText = 0x1234567;

struct Neighbour {
  uint32_t hash = kOutOfText;
  uint32_t flags = 0x100;
};

Neighbour neighbour(const NameBlock& block, size_t i, ptrdiff_t by) {
  const ptrdiff_t at = static_cast<ptrdiff_t>(i) + by;
  if (at < 0 || at >= static_cast<ptrdiff_t>(block.words.size())) return {};
  const NameWord& word = block.words[static_cast<size_t>(at)];
  return {word.hash, word.flags | (static_cast<uint32_t>(word.shape) << 12)};
}

// Bytes of the word, without accents beyond ASCII: grams read what is written.
void add_grams(std::string_view word, Adder& add) {
  std::array<char, 24> folded{};
  const size_t size = std::min(word.size(), folded.size());
  for (size_t i = 0; i < size; ++i) {
    const char c = word[word.size() - size + i];
    folded[i] = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  }
  const auto gram = [&](size_t at, size_t n) {
    uint32_t value = 0;
    for (size_t i = 0; i < n; ++i) value = value * 257 + static_cast<uint8_t>(folded[at + i]);
    return value;
  };
  for (uint32_t n = 2; n <= 4; ++n) {
    if (size >= n) add(20 + n, gram(size - n, n));
  }
  for (uint32_t n = 2; n <= 4; ++n) {
    if (size >= n) add(30 + n, gram(0, n));
  }
}

// Surnames of one character, and those of two.
constexpr std::u32string_view kSurnames =
    U"王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩邓冯曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏"
    U"吕"
    U"丁任卢姚沈钟姜崔谭陆范汪廖石金韦贾夏付方邹熊白孟秦邱侯江尹薛闫段雷龙黎史陶贺毛郝顾龚邵万覃武"
    U"钱"
    U"戴严莫孔向常汤康易乔文施洪傅齐庞樊殷兰庄萧梅岳聂祝柳章鲁涂葛俞申毕翁左阎宁温柴管蓝倪詹甘温季"
    U"单包裴牛路阮骆霍翟焦凌鲍辛耿关欧曲房柯卜邬伍穆童冉邢冼瞿尚谷盛华陳張黃劉楊趙吳孫馬許鄭謝韓馮"
    U"鄧"
    U"葉蘇呂盧鍾譚陸賈鄒閻賀顧龔萬錢嚴喬齊龐蕭";
constexpr std::array<std::u32string_view, 14> kDoubleSurnames = {
    U"欧阳", U"司马", U"上官", U"诸葛", U"皇甫", U"尉迟", U"慕容",
    U"司徒", U"令狐", U"长孙", U"宇文", U"东方", U"夏侯", U"歐陽"};

constexpr char32_t kHanFirst = 0x4E00;
constexpr char32_t kHanLast = 0x9FFF;
using HanSet = std::array<uint64_t, (kHanLast - kHanFirst) / 64 + 1>;

constexpr HanSet kSurnameSet = [] {
  HanSet set{};
  for (const char32_t c : kSurnames)
    set[(c - kHanFirst) / 64] |= uint64_t{1} << (c - kHanFirst) % 64;
  return set;
}();

constexpr char32_t kEdge = 0;

bool is_han(char32_t c) { return c >= kHanFirst && c <= kHanLast; }

bool is_surname(char32_t c) {
  return is_han(c) && (kSurnameSet[(c - kHanFirst) / 64] >> (c - kHanFirst) % 64 & 1) != 0;
}

bool is_double_surname(char32_t first, char32_t second) {
  return std::ranges::any_of(kDoubleSurnames, [&](std::u32string_view name) {
    return name[0] == first && name[1] == second;
  });
}

// The code point before `at`; all that is not Chinese counts as one kind of mark per kind.
char32_t code_point_before(std::string_view text, size_t& at) {
  if (at == 0) return kEdge;
  size_t start = at - 1;
  while (start > 0 && at - start < 4 && (static_cast<uint8_t>(text[start]) & 0xC0) == 0x80) --start;
  size_t next = start;
  const char32_t c = text::next_code_point(text, next);
  at = start;
  return c;
}

char32_t code_point_at(std::string_view text, size_t& at) {
  return at < text.size() ? text::next_code_point(text, at) : kEdge;
}

// Letters are one sign, digits another: what matters is that they are not Chinese.
char32_t sign_of(char32_t c) {
  if (c >= '0' && c <= '9') return '0';
  if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) return 'a';
  return c;
}

}  // namespace

bool read_cjk_candidate(std::string_view text, size_t at, CjkCandidate& out) {
  out = {};
  out.start = static_cast<uint32_t>(at);
  const char32_t first = code_point_at(text, at);
  size_t behind = at;
  const char32_t second = code_point_at(text, behind);
  if (!is_han(second)) return false;
  const bool twofold = is_double_surname(first, second);
  if (!twofold && !is_surname(first)) return false;
  if (twofold) at = behind;
  out.surname_end = static_cast<uint32_t>(at);
  for (size_t given = 1; given < kCjkOutcomes && is_han(code_point_at(text, at)); ++given) {
    out.end[given] = static_cast<uint32_t>(at);
  }
  return out.end[1] != 0;
}

void cjk_features(std::string_view text, const CjkCandidate& candidate, uint32_t row_bits,
                  FeatureRows& out, uint32_t left_out) {
  Adder add(row_bits, out);
  // A line is all there is of its text.
  std::array<uint32_t, 3> left{};
  size_t at = candidate.start;
  for (uint32_t& c : left) {
    const char32_t found = code_point_before(text, at);
    if (found == kEdge || found == U'\n') break;
    c = sign_of(found);
  }
  size_t first = candidate.start;
  const uint32_t surname = text::next_code_point(text, first);
  std::array<uint32_t, 4> right{};
  at = candidate.surname_end;
  for (uint32_t& c : right) {
    const char32_t found = code_point_at(text, at);
    if (found == kEdge || found == U'\n') break;
    c = sign_of(found);
  }
  const uint32_t joined =
      (is_han(left[0]) ? 1U : 0U) + (is_han(right[1]) ? 2U : 0U) + (is_han(right[2]) ? 4U : 0U);
  add(100, surname);
  add(101, right[0]);
  add(102, right[1]);
  add(103, surname, right[0]);
  add(104, right[0], right[1]);
  add(105, mix(surname) + right[0], right[1]);
  add(118, joined);
  if ((left_out & kNeighbourFeatures) != 0) return;
  add(106, left[0]);
  add(107, left[0], left[1]);
  add(108, mix(left[0]) + left[1], left[2]);
  add(110, right[2]);
  add(111, right[1], right[2]);
  add(112, right[2], right[3]);
  add(113, mix(right[1]) + right[2], right[3]);
  add(114, left[0], joined);
  add(116, left[0], surname);
}

void word_features(std::string_view text, const NameBlock& block, const NameRun& run, size_t i,
                   uint32_t row_bits, FeatureRows& out, uint32_t left_out) {
  Adder add(row_bits, out);
  const NameWord& word = block.words[i];
  const Neighbour own = neighbour(block, i, 0);
  const Neighbour left = neighbour(block, i, -1);
  const Neighbour right = neighbour(block, i, 1);
  const Neighbour left2 = neighbour(block, i, -2);
  const Neighbour right2 = neighbour(block, i, 2);
  const auto before = static_cast<uint32_t>(word.before);
  const auto after = static_cast<uint32_t>(block.gap_after(i));
  const uint32_t self = own.flags | (word.possessive ? 0x800U : 0U) | (word.titled ? 0x400U : 0U);

  const Neighbour outer_left = neighbour(block, run.first, -1);
  const Neighbour outer_right = neighbour(block, run.last - 1, 1);
  // Of the run as a whole, and where in it the word stands.
  const auto length = static_cast<uint32_t>(std::min<size_t>(run.last - run.first, 6));
  const auto place = static_cast<uint32_t>(std::min<size_t>(i - run.first, 3));
  add(4, self);
  add(5, left.flags, self + before * 0x10000);
  add(6, right.flags, self + after * 0x10000);
  add(7, mix(left.flags) + right.flags, self);
  add(8, self, before * 16 + after);
  add(16, self, block.cues);
  add(43, length * 4 + place, self);
  add(44, block.cues, length * 256 + before * 16 + after);
  if ((left_out & kNeighbourFeatures) == 0) {
    add(2, left.hash, before);
    add(3, right.hash, after);
    add(9, left.hash, self);
    add(10, right.hash, self);
    add(11, mix(left.hash) + left2.hash, before);
    add(12, mix(right.hash) + right2.hash, after);
    add(13, left2.hash);
    add(14, right2.hash);
    add(17, outer_left.hash, length);
    add(18, outer_right.hash, length);
    add(19, outer_left.hash, self);
    add(40, outer_right.hash, self);
  }
  if ((left_out & kLetterFeatures) == 0) {
    add(1, own.hash);
    add_grams(text.substr(word.start, word.end - word.start), add);
  }
}

}  // namespace vsr::signals
