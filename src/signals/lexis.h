#pragma once

// Character classes and the words that tell a recogniser what a number beside them is ("passport",
// "born", "电话"). ASCII classes only; bytes of other characters belong to none. Pure.

#include <array>
#include <cstdint>
#include <string_view>

namespace vsr::signals {

enum : uint8_t {
  kDigitBit = 1,
  kLowerBit = 2,
  kUpperBit = 4,
  kUnderscoreBit = 8,
  kDashBit = 16,   // '-'
  kTokenBit = 32,  // further characters of base64 and URL-safe tokens: + / = . ~ %
  kSpaceBit = 64,
  kHexLetterBit = 128,

  kLetterBits = kLowerBit | kUpperBit,
  kAlnumBits = kDigitBit | kLetterBits,
  kWordBits = kAlnumBits | kUnderscoreBit,
};

consteval std::array<uint8_t, 256> make_classes() {
  std::array<uint8_t, 256> classes{};
  for (int c = '0'; c <= '9'; ++c) classes[static_cast<size_t>(c)] = kDigitBit;
  for (int c = 'a'; c <= 'z'; ++c) classes[static_cast<size_t>(c)] = kLowerBit;
  for (int c = 'A'; c <= 'Z'; ++c) classes[static_cast<size_t>(c)] = kUpperBit;
  for (int i = 0; i < 6; ++i) {
    classes[static_cast<size_t>('a' + i)] |= kHexLetterBit;
    classes[static_cast<size_t>('A' + i)] |= kHexLetterBit;
  }
  classes['_'] = kUnderscoreBit;
  classes['-'] = kDashBit;
  for (const char c : {'+', '/', '=', '.', '~', '%'}) {
    classes[static_cast<size_t>(c)] = kTokenBit;
  }
  for (const char c : {' ', '\t', '\n', '\r', '\f', '\v'}) {
    classes[static_cast<size_t>(c)] = kSpaceBit;
  }
  return classes;
}
inline constexpr std::array<uint8_t, 256> kClasses = make_classes();

constexpr uint8_t class_of(char c) { return kClasses[static_cast<uint8_t>(c)]; }
constexpr bool is_any(char c, uint8_t bits) { return (class_of(c) & bits) != 0; }
constexpr bool is_alnum(char c) { return is_any(c, kAlnumBits); }
constexpr bool is_word_char(char c) { return is_any(c, kWordBits); }
constexpr bool is_upper(char c) { return is_any(c, kUpperBit); }

// What a word says about what stands near it.
enum class Topic : uint8_t {
  kNone,
  kPhone,
  kCard,
  kAccount,
  kSsn,
  kCnId,
  kNhs,
  kTax,
  kPassport,
  kLicence,  // "driver"; "licence" alone may be of software
  kPlate,
  kBirth,
  kMonth,
  kMedicalRecord,
  kVersion,  // numbers near it are versions
  kSerial,   // numbers near it are orders, tickets, parcels
  kAddress,
  kStreet,      // "Street", "Rd": ends a street name
  kUnit,        // "Apt", "Suite"
  kPassword,    // a value beside it is a password
  kToken,       // a value beside it is a key or token
  kKey,         // a key of some kind: what kind the word before says
  kForeignKey,  // a key of an API if that is spoken of: "clave", "キー"
  kPin,
  kLogin,  // a user and a password may follow
  kBearer,
  kBasic,
  kAuthorization,
  kAuth,
  kSignature,
  kCookie,
  kSession,
  kPhrase,  // the words of a wallet may follow
  kCodes,   // backup codes may follow
  kWifi,
  kEcho,
  kUserCommand,
  kPutty,
  kName,          // "name", "customer": a person's name may follow
  kIntroduction,  // "llamo", "heet": the name of who speaks follows
  kHonorific,     // "Mr", "Dr"
};
constexpr size_t kTopics = static_cast<size_t>(Topic::kHonorific) + 1;

// Of an ASCII word in any case, kNone if it says nothing.
Topic topic_of_word(std::string_view word);

struct TopicAt {
  Topic topic = Topic::kNone;
  uint32_t length = 0;  // bytes
};
// Of the longest Chinese topic word at the start of `text`.
TopicAt topic_at_cjk(std::string_view text);
// Of a word for "password" or "key" of another language whose first letter beyond ASCII stands at
// `at`; length counts from there.
TopicAt topic_at_foreign(std::string_view text, size_t at);

// 1..12 of an English month name or its first three letters, else 0.
int month_of(std::string_view word);

}  // namespace vsr::signals
