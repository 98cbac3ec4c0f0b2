// testdata/bad_recipes.txt: recipes with something wrong, and all that is said about each.
//
//   == name of the case
//   the recipe; a line %models or %cards stands for the lines that every recipe needs
//   --
//   line:column: severity: path: message

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "config/load.h"

namespace vsr::config {
namespace {

constexpr std::string_view kModels =
    "version: v0.3\n"
    "providers: {defaults: {default_model: m}, models: [{name: m, backend_refs: "
    "[{endpoint: \"h:1\"}]}]}\n";
constexpr std::string_view kCards =
    "routing:\n"
    "  modelCards: [{name: m}]\n";

struct Case {
  std::string name;
  std::string yaml;
  std::string expected;
};

std::vector<Case> read_cases() {
  std::ifstream file(VSR_TEST_DIR "/testdata/bad_recipes.txt");
  std::vector<Case> cases;
  bool in_expected = false;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("== ")) {
      cases.push_back({line.substr(3), "", ""});
      in_expected = false;
    } else if (line == "--") {
      in_expected = true;
    } else if (in_expected) {
      cases.back().expected += line + "\n";
    } else if (line == "%models") {
      cases.back().yaml += kModels;
    } else if (line == "%cards") {
      cases.back().yaml += kCards;
    } else {
      cases.back().yaml += line + "\n";
    }
  }
  return cases;
}

TEST(BadRecipes, EveryProblemIsReportedAtItsPlace) {
  const std::vector<Case> cases = read_cases();
  ASSERT_GE(cases.size(), 60U);
  const LoadOptions options{.environment = [](std::string_view) { return std::nullopt; }};
  for (const Case& one : cases) {
    SCOPED_TRACE(one.name);
    const LoadResult result = load_text(one.yaml, "f", options);
    std::string found;
    for (const Diagnostic& diagnostic : result.diagnostics) {
      // Without the name of the file.
      found += format(diagnostic).substr(2) + "\n";
    }
    EXPECT_EQ(found, one.expected);
    EXPECT_EQ(result.config == nullptr, has_errors(result.diagnostics));
  }
}

}  // namespace
}  // namespace vsr::config
