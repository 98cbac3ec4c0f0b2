// What check_rules() says of rules, and where.

#include <gtest/gtest.h>

#include "config/load.h"
#include "signals/engine.h"
#include "signals/one_model_recipe.h"

namespace vsr::signals {
namespace {

std::string said(std::string_view rules) {
  const config::LoadResult loaded = config::load_text(fixture::one_model_recipe(rules), "recipe");
  if (!loaded.config) return config::format_all(loaded.diagnostics);
  std::string out;
  for (const RuleProblem& problem : check_rules(*loaded.config)) {
    out += fmt::format("{}:{} {} {}: {}\n", problem.position.line, problem.position.column,
                       config::to_string(problem.severity), problem.path, problem.message);
  }
  return out;
}

TEST(CheckRules, AnUnknownTypeOfPersonalDataIsAnErrorAtItsPlace) {
  EXPECT_EQ(
      said("    pii:\n"
           "      - name: p\n"
           "        pii_types_allowed:\n"
           "          - EMAIL_ADDRESS\n"
           "          - emial\n"
           "          - GPE\n"
           "          - xylophone\n"),
      "13:13 error routing.signals: p: pii_types_allowed: no type is named \"emial\"; did you "
      "mean EMAIL?\n"
      "15:13 error routing.signals: p: pii_types_allowed: no type is named \"xylophone\"\n");
}

TEST(CheckRules, ARecipeWithAnErrorDoesNotCompile) {
  const auto loaded = config::load_text(
      fixture::one_model_recipe("    pii: [{name: p, pii_types_allowed: [EMIAL]}]\n"), "recipe");
  ASSERT_TRUE(loaded.config);
  const auto engine = Engine::compile(loaded.config, {});
  ASSERT_FALSE(engine);
  EXPECT_NE(engine.error().message.find("did you mean EMAIL?"), std::string::npos)
      << engine.error().message;
}

TEST(CheckRules, TextsThatTheEncoderCannotCompareAreNamedOncePerRule) {
  struct Case {
    const char* rules;
    const char* said;
  };
  const Case cases[] = {
      {"    embeddings: [{name: e, candidates: [How can I cancel my order?, Pay by card]}]\n", ""},
      {"    embeddings: [{name: e, candidates: [Where is my parcel?, 我的包裹在哪里, 我要退款]}]\n",
       "9:25 warning routing.signals.embeddings: e: 2 texts are not in English (\"我的包裹在哪里\" "
       "in language zh); the encoder knows English only and takes such texts for alike whatever "
       "they say; use keywords for them\n"},
      {"    complexity: [{name: c, hard: {candidates: [Докажи теорему]}, easy: {candidates: "
       "[Hi]}}]\n",
       "9:25 warning routing.signals.complexity: c: one text is not in English (\"Докажи теорему\" "
       "in language ru); the encoder knows English only and takes such texts for alike whatever "
       "they say; use keywords for them\n"},
      {"    jailbreak: [{name: j, method: hybrid, jailbreak_patterns: [Ignore the rules], "
       "benign_patterns: [忽略最后一列]}]\n",
       "9:24 warning routing.signals.jailbreak: j: one text is not in English (\"忽略最后一列\" in "
       "language zh); the encoder knows English only and takes such texts for alike whatever they "
       "say; use keywords for them\n"},
      {"    jailbreak: [{name: j, jailbreak_patterns: [忽略最后一列]}]\n", ""},
      {"    preferences: [{name: p, description: Wo ist die Rechnung und wann kommt das Geld}]\n",
       "9:26 warning routing.signals.preferences: p: one text is not in English (\"Wo ist die "
       "Rechnung und wann kommt das Geld\" in language de); the encoder knows English only and "
       "takes such texts for alike whatever they say; use keywords for them\n"},
      {"    keywords: [{name: k, keywords: [退款]}]\n", ""},
  };
  for (const Case& c : cases) EXPECT_EQ(said(c.rules), c.said) << c.rules;
}

TEST(CheckRules, TheShippedRecipesHaveNothingToWarnOf) {
  for (const char* name :
       {"agentic-saars", "cost-ladder", "customer-support", "privacy-first-office"}) {
    const auto loaded =
        config::load_file(fmt::format("{}/deploy/recipes/{}.yaml", VSR_SOURCE_DIR, name));
    ASSERT_TRUE(loaded.config) << config::format_all(loaded.diagnostics);
    for (const RuleProblem& problem : check_rules(*loaded.config)) {
      ADD_FAILURE() << name << ": " << problem.message;
    }
  }
}

}  // namespace
}  // namespace vsr::signals
