#include "config/diagnostics.h"

#include <gtest/gtest.h>

namespace vsr::config {
namespace {

TEST(Diagnostics, ForPeople) {
  EXPECT_EQ(format({Severity::kError, "a.yaml", {3, 7}, "routing.strategy", "what", "x", "y"}),
            "a.yaml:3:7: error: routing.strategy: what");
  EXPECT_EQ(format({Severity::kNote, "a.yaml", {}, "", "what", "", ""}), "a.yaml: note: what");
}

TEST(Diagnostics, ForPrograms) {
  const Diagnostic diagnostic{Severity::kWarning, "a.yaml", {3, 7}, "p",
                              "say \"x\"\n",      "\x01",   "y"};
  EXPECT_EQ(to_json({diagnostic}),
            R"([{"severity":"warning","file":"a.yaml","line":3,"column":7,"path":"p",)"
            R"("message":"say \"x\"\u000a","found":"\u0001","allowed":"y"}])");
  EXPECT_EQ(to_json({}), "[]");
}

TEST(Diagnostics, AreSortedCountedAndNotRepeated) {
  Diagnostics out("f");
  out.add(Severity::kWarning, {2, 1}, "b", "second");
  out.add(Severity::kError, {1, 5}, "a", "first");
  out.add(Severity::kError, {1, 5}, "a", "first");
  out.add(Severity::kNote, {}, "", "whole file");
  EXPECT_TRUE(out.has_errors());
  EXPECT_EQ(format_all(out.take()),
            "f: note: whole file\n"
            "f:1:5: error: a: first\n"
            "f:2:1: warning: b: second\n"
            "1 error, 1 warning, 1 note\n");
  EXPECT_EQ(format_all({}), "");
}

TEST(Diagnostics, AnErrorThatIsLeftOutStillCounts) {
  Diagnostics out("f");
  for (size_t i = 0; i < kDiagnosticsMax; ++i) {
    out.add(Severity::kWarning, {static_cast<int>(i) + 1, 1}, "", "w");
  }
  out.add(Severity::kError, {1, 1}, "", "e");
  const std::vector<Diagnostic> list = out.take();
  EXPECT_EQ(list.size(), kDiagnosticsMax + 1);
  EXPECT_TRUE(has_errors(list));
}

TEST(Diagnostics, TextOfTheFileIsQuotedAndCut) {
  EXPECT_EQ(quote("a\tb"), "\"a\\x09b\"");
  const std::string umlauts = quote(std::string(39, 'a') + "ä" + std::string(100, 'b'));
  EXPECT_EQ(umlauts.size(), 80 + 2 + 3U);
  const std::string cut = quote(std::string(79, 'a') + "ä");
  EXPECT_EQ(cut, "\"" + std::string(79, 'a') + "…\"");
  EXPECT_EQ(alternatives({"a", "b", "c"}), "a, b or c");
}

}  // namespace
}  // namespace vsr::config
