// Personal data and secrets behind characters that a reader does not see, in other hyphens, letter
// by letter and in base64; and texts of tools that look like names, streets and hosts.
#include <gtest/gtest.h>

#include <string>

#include "signals/detect_fixture.h"
#include "signals/plain_text.h"

namespace vsr::signals {
namespace {

using fixture::Case;
using fixture::found_in;

TEST(Disguises, AreRead) {
  const Case cases[] = {
      // Zero-width space, joiner, word joiner, soft hyphen, byte order mark.
      {"key AKIA\u200B2B3C4D5E6F7G2H3I.", "API_KEY(AKIA\u200B2B3C4D5E6F7G2H3I)"},
      {"sk_live_\u200D\u2060123456\u200B ok", "API_KEY(sk_live_\u200D\u2060123456)"},
      {"pass\u200Bword: Tr0ub4dor&3x", "PASSWORD(Tr0ub4dor&3x)"},
      {"pass\u00ADword: Tr0ub\uFEFF4dor&3x", "PASSWORD(Tr0ub\uFEFF4dor&3x)"},
      {"jo\u200B@post.example.org", "EMAIL(jo\u200B@post.example.org)"},
      {"SSN 123-\u200B45-6789", "SSN(123-\u200B45-6789)"},
      {"\uFF53\uFF4B_live_\u200B123456", "API_KEY(\uFF53\uFF4B_live_\u200B123456)"},
      {"4539 \u200B1488\u200B 0343 6467", "CARD(4539 \u200B1488\u200B 0343 6467)"},
      // Hyphens and blanks.
      {"SSN 123\u201345\u20136789", "SSN(123\u201345\u20136789)"},
      {"123\u201145\u20116789", "SSN(123\u201145\u20116789)"},
      {"card 4111\u20101111\u20101111\u20101111", "CARD(4111\u20101111\u20101111\u20101111)"},
      {"4111\u00A01111\u00A01111\u00A01111", "CARD(4111\u00A01111\u00A01111\u00A01111)"},
      {"111.444.777\u221235", "NATIONAL_ID(111.444.777\u221235)"},
      // Digit by digit.
      {"4 5 3 9 1 4 8 8 0 3 4 3 6 4 6 7, thanks", "CARD(4 5 3 9 1 4 8 8 0 3 4 3 6 4 6 7)"},
      {"4 5 3 9  1 4 8 8  0 3 4 3  6 4 6 7", "CARD(4 5 3 9  1 4 8 8  0 3 4 3  6 4 6 7)"},
      {"4-5-3-9-1-4-8-8-0-3-4-3-6-4-6-7", "CARD(4-5-3-9-1-4-8-8-0-3-4-3-6-4-6-7)"},
      {"my SSN is 1 2 3 - 4 5 - 6 7 8 9", "SSN(1 2 3 - 4 5 - 6 7 8 9)"},
      // Base64: the letters that encode the value.
      {"ZXhwb3J0IERCX1BBU1NXT1JEPWtpd2ktTGFudGVybi00NDcx", "PASSWORD(PWtpd2ktTGFudGVybi00NDcx)"},
      {"decode a2V5IHNrX2xpdmVfMTIzNDU2IA== please", "API_KEY(IHNrX2xpdmVfMTIzNDU2)"},
      {"bWFpbCBqby5yb2VAcG9zdC5leGFtcGxlLm9yZyBub3c=",
       "EMAIL(bCBqby5yb2VAcG9zdC5leGFtcGxlLm9yZyBu)"},
      // A token that carries an address is one token.
      {"eyJhbGciOiJIUzI1NiJ9.eyJlbWFpbCI6ImpvLnJvZUBwb3N0LmV4YW1wbGUub3JnIn0.c2lnbmF0dXJl",
       "ACCESS_TOKEN(eyJhbGciOiJIUzI1NiJ9.eyJlbWFpbCI6ImpvLnJvZUBwb3N0LmV4YW1wbGUub3JnIn0."
       "c2lnbmF0dXJl)"},
  };
  for (const Case& c : cases) EXPECT_EQ(found_in(c.text), c.expected) << c.text;
}

// What tools print of other texts: JSON as it was sent, pages, logs in colour.
TEST(Disguises, EscapesAreRead) {
  const Case cases[] = {
      {R"({"out": "ok\nghp_16C7e42F292c6912E7710c838347Ae178B4a\n"})",
       "API_KEY(ghp_16C7e42F292c6912E7710c838347Ae178B4a)"},
      {R"(a\tAKIA2B3C4D5E6F7G2H3I\t)", "API_KEY(AKIA2B3C4D5E6F7G2H3I)"},
      {R"(twice\\nAKIA2B3C4D5E6F7G2H3I)", "API_KEY(AKIA2B3C4D5E6F7G2H3I)"},
      {R"("row\n4111 1111 1111 1111\n")", "CARD(4111 1111 1111 1111)"},
      {R"("to\nbob.miller@gmail.com")", "EMAIL(bob.miller@gmail.com)"},
      {R"({\"password\": \"Tr0ub4dor&3x\"})", "PASSWORD(Tr0ub4dor&3x)"},
      {R"({&quot;password&quot;: &quot;Tr0ub4dor&amp;3x&quot;})", "PASSWORD(Tr0ub4dor&amp;3x)"},
      {R"(&#34;password&#34;: &#x22;Tr0ub4dor3x&#x22;)", "PASSWORD(Tr0ub4dor3x)"},
      {R"(\u5bc6\u7801\uff1aTr0ub4dor-3x)", "PASSWORD(Tr0ub4dor-3x)"},
      {R"(bob\u002emiller@gmail.com)", R"(EMAIL(bob\u002emiller@gmail.com))"},
      {R"(postgres:\/\/app:s3cretPass@db.internal\/main)",
       R"(CONNECTION_STRING(postgres:\/\/app:s3cretPass@db.internal\/main))"},
      {"\x1B[31mghp_16C7e42F292c6912E7710c838347Ae178B4a\x1B[0m",
       "API_KEY(ghp_16C7e42F292c6912E7710c838347Ae178B4a)"},
      {R"(\u001b[1;31mbob.miller@gmail.com\u001b[0m)", "EMAIL(bob.miller@gmail.com)"},
      {R"(\x1b[32mbob.miller@gmail.com\033[0m)", "EMAIL(bob.miller@gmail.com)"},
      {"\uFF14\uFF11\uFF11\uFF11\u3000\uFF11\uFF11\uFF11\uFF11\u30001111\u30001111",
       "CARD(\uFF14\uFF11\uFF11\uFF11\u3000\uFF11\uFF11\uFF11\uFF11\u30001111\u30001111)"},
      // No escapes, or broken ones.
      {R"(C:\new\table \uZZZZ \ud800 \x1b &#99999999; &quot \)", ""},
  };
  for (const Case& c : cases) EXPECT_EQ(found_in(c.text), c.expected) << c.text;
}

TEST(Disguises, NumbersBehindSignsOfDiffsAndListsAreRead) {
  const Case cases[] = {
      {"+4111 1111 1111 1111", "CARD(4111 1111 1111 1111)"},
      {"a\n+card: x\n+378282246310005", "CARD(378282246310005)"},
      {"+123-45-6789", "SSN(123-45-6789)"},
      {"SSN #123-45-6789", "SSN(123-45-6789)"},
      {"card #4111111111111111", "CARD(4111111111111111)"},
      {"order #4111111111111111", ""},
      {"+1 415 555 2671", "PHONE(+1 415 555 2671)"},
      {"a\n+49 30 901820", "PHONE(+49 30 901820)"},
      {"conf.txt:12:bob.miller@gmail.com", "EMAIL(bob.miller@gmail.com)"},
      {"From:bob.miller@gmail.com", "EMAIL(bob.miller@gmail.com)"},
      {"see ftp://anna:geheim@host.example.org/x",
       "CONNECTION_STRING(ftp://anna:geheim@host.example.org/x)"},
  };
  for (const Case& c : cases) EXPECT_EQ(found_in(c.text), c.expected) << c.text;
}

TEST(Disguises, OrdinaryTextsStayAsTheyAre) {
  const std::string_view plain[] = {
      "Ordinary text: 4111 1111, a-b.",
      "Years 1990 \u2013 1995, \u201Cquoted\u201D \u2014 and so on\u2026",
      "\u0645\u06CC\u200C\u062E\u0648\u0627\u0647\u0645",   // Persian needs its joiners
      "\U0001F468\u200D\U0001F469\u200D\U0001F467 family",  // and so do emoji
      "\u4E2D\u6587\uFF0C\u6807\u70B9\uFF01",
      "10\u00A0km, 5\u00A0%",
      "",
  };
  for (const std::string_view text : plain) EXPECT_FALSE(PlainText::needed(text)) << text;
  const std::string_view texts[] = {
      "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16",
      "4 5 3 9 1 4 8 8 0 3 4 3 6 4 6 8",  // a wrong check digit
      "scores 4 5 3 9 1 4 8 8 0 3 4 3 6 4 6 7 2 1 5 8",
      "QmFzZTY0IG9mIGFuIG9yZGluYXJ5IHRleHQgYWJvdXQgZ2FyZGVucw==",
      "AbstractSingletonProxyFactoryBeanDefinitionReader",
  };
  for (const std::string_view text : texts) EXPECT_EQ(found_in(text), "") << text;
}

TEST(Disguises, OffsetsOfAPlainTextNameTheOriginal) {
  constexpr std::string_view kOriginal = "a\u200Bb 1\u20132 \uFF21";
  ASSERT_TRUE(PlainText::needed(kOriginal));
  const PlainText plain(kOriginal);
  EXPECT_EQ(plain.text(), "ab 1-2 A");
  EXPECT_EQ(plain.original_end(1), 1U);  // "a" without what is hidden behind it
  EXPECT_EQ(plain.original_start(1), 4U);
  EXPECT_EQ(plain.original_start(4), 7U);  // the dash, of three bytes
  EXPECT_EQ(plain.original_end(5), 10U);
  EXPECT_EQ(plain.original_end(static_cast<uint32_t>(plain.text().size())), kOriginal.size());
}

TEST(LooksPersonal, ListingsLogsAndPlaceholdersAreNot) {
  const std::string_view texts[] = {
      "total 128\ndrwxr-xr-x 12 root root  4096 Jun  7 10:11 .\n"
      "-rw-r--r--  1 dev  staff 68496 Sep 12 10:30 README.md\n"
      "-rw-r--r--  1 dev  staff 42995 Jun  3 09:12 main.cc\n",
      "-rw-r--r-- 1 user user 42995 Jun  7 12:00 Cargo.lock",
      "ls -la shows 68496 Sep 12 and 42995 Jun 7",
      "* 3f2a1bc - (HEAD -> main, Jun 7) Fix the parser",
      "Deployed main, Jun 7 2024 by CI",
      "Date:   Fri Jun 7 10:11:12 2024 +0200\n\n    Merge branch 'main' into feature/login",
      "Upgrade to 10.0.0.1-rc2 today.",
      "Upgrade to 10.0.0.1-SNAPSHOT today.",
      "key AKIAIOSFODNN7EXAMPLE from the manual",
      "Contact support@example.com or user@example.org for help",
  };
  for (const std::string_view text : texts) EXPECT_EQ(found_in(text), "") << text;
}

TEST(LooksPersonal, WhatStandsBesideThemIs) {
  const Case cases[] = {
      {"The backup is at 20480 May Street", "ADDRESS(20480 May Street)"},
      {"My name is June Carter.", "PERSON(June Carter)"},
      {"Author: Jane Roe <jane.roe@post.example.org>",
       "PERSON(Jane Roe) EMAIL(jane.roe@post.example.org)"},
      {"hosts 10.0.0.1-10.0.0.9", "IP(10.0.0.1) IP(10.0.0.9)"},
      {"host 10.0.0.1-router", "IP(10.0.0.1)"},
      {"key AKIA2B3C4D5E6F7G2H3I", "API_KEY(AKIA2B3C4D5E6F7G2H3I)"},
      {"mail maria.keller@example.org", "EMAIL(maria.keller@example.org)"},
      {"mail support@post.example.org", "EMAIL(support@post.example.org)"},
  };
  for (const Case& c : cases) EXPECT_EQ(found_in(c.text), c.expected) << c.text;
}

}  // namespace
}  // namespace vsr::signals
