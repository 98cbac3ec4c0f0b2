#include "config/show.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/yaml.h"

namespace vsr::config {
namespace {

using testing::HasSubstr;
using testing::Not;

const LoadOptions kOptions{.environment = [](std::string_view name) -> std::optional<std::string> {
  if (name == "LISTENER_KEY" || name == "BACKEND_KEY") return "secret-of-the-environment";
  if (name == "PORT") return "18080";
  return std::nullopt;
}};

const char* const kSecrets[] = {
    "plain-key-of-the-listener", "ci-key-of-the-listener", "backend-key-in-the-file",
    "secret-of-the-environment", "redis-password",         "postgres-password",
};

std::string testdata(const std::string& name) {
  return read_recipe(VSR_TEST_DIR "/testdata/" + name).value();
}

TEST(Show, EffectiveRecipeIsARecipeOfTheSamePolicy) {
  for (const char* file : {"every_key.yaml", "accepted.yaml"}) {
    const LoadResult loaded = load_text(testdata(file), file, kOptions);
    const ShowResult shown = show_effective(testdata(file), file, kOptions);
    const LoadResult again = load_text(shown.yaml, "shown", kOptions);
    ASSERT_TRUE(loaded.config && again.config) << format_all(again.diagnostics);
    EXPECT_EQ(again.config->hash, loaded.config->hash) << shown.yaml;
    EXPECT_EQ(again.config->models.size(), loaded.config->models.size());
    EXPECT_EQ(again.config->listeners.size(), loaded.config->listeners.size());
    for (const char* secret : kSecrets) EXPECT_THAT(shown.yaml, Not(HasSubstr(secret)));
  }
}

TEST(Show, EveryValueNamesItsOrigin) {
  const ShowResult shown = show_effective(
      "version: v0.3\n"
      "listeners: [{port: \"${PORT}\"}]\n"
      "providers: {defaults: {default_model: m}, models: [{name: m, backend_refs: "
      "[{endpoint: \"h:1\", provider: p}]}]}\n"
      "routing:\n"
      "  modelCards: [{name: m}]\n",
      "some/where/recipe.yaml", kOptions);
  EXPECT_THAT(shown.yaml, HasSubstr("version: v0.3  # recipe.yaml:1\n"));
  EXPECT_THAT(shown.yaml, HasSubstr("port: \"18080\"  # recipe.yaml:2, environment\n"));
  EXPECT_THAT(shown.yaml, HasSubstr("address: 0.0.0.0  # default\n"));
  EXPECT_THAT(shown.yaml, HasSubstr("strategy: priority  # computed\n"));
  EXPECT_THAT(shown.yaml, HasSubstr("provider: p  # recipe.yaml:3, not acted on yet\n"));
  EXPECT_THAT(shown.yaml, HasSubstr("auto_model_names: [auto, vllm-sr/auto, MoM]  # computed\n"));
}

TEST(Show, NothingIsShownOfABrokenRecipe) {
  const ShowResult shown = show_effective("version: v0.2\n", "f", kOptions);
  EXPECT_EQ(shown.yaml, "");
  EXPECT_TRUE(has_errors(shown.diagnostics));
}

TEST(Redact, SecretsGoAndTheRestStays) {
  for (const char* file : {"every_key.yaml", "accepted.yaml"}) {
    const std::string text = testdata(file);
    const std::string redacted = redact_yaml(text);
    for (const char* secret : kSecrets) EXPECT_THAT(redacted, Not(HasSubstr(secret)));
    EXPECT_EQ(std::ranges::count(redacted, '\n'), std::ranges::count(text, '\n'));
    const LoadResult before = load_text(text, file, kOptions);
    const LoadResult after = load_text(redacted, file, kOptions);
    ASSERT_TRUE(after.config) << format_all(after.diagnostics);
    EXPECT_EQ(after.config->hash, before.config->hash);
  }
}

TEST(Redact, SpellingsOfASecret) {
  struct Case {
    const char* text;
    const char* redacted;
  };
  const Case kCases[] = {
      {"api_key: sk-1\n", "api_key: \"[redacted]\"\n"},
      {"api_key: 'sk-1' # mine\n", "api_key: \"[redacted]\" # mine\n"},
      {"api_key: \"sk-1\"\nb: 1\n", "api_key: \"[redacted]\"\nb: 1\n"},
      {"{password: sk-1, b: 1}\n", "{password: \"[redacted]\", b: 1}\n"},
      // A reference to the environment says nothing, its default does.
      {"token: ${TOKEN}\n", "token: ${TOKEN}\n"},
      {"token: ${TOKEN:-sk-1}\n", "token: \"[redacted]\"\n"},
      {"api_key_env: OPENAI_API_KEY\n", "api_key_env: OPENAI_API_KEY\n"},
      {"max_tokens: 7\n", "max_tokens: 7\n"},
      {"password: ~\n", "password: ~\n"},
      {"password: ''\n", "password: ''\n"},
      // Wherever the text stands that an alias leads to.
      {"x: &k sk-1\npassword: *k\n", "x: &k \"[redacted]\"\npassword: *k\n"},
      {"url: redis://user:pw@host/0\n", "url: \"[redacted]\"\n"},
      {"url: https://host/a@b\n", "url: https://host/a@b\n"},
      {"listeners: [{api_keys: [sk-1, {name: n, key: sk-2}]}]\n",
       "listeners: [{api_keys: [\"[redacted]\", {name: n, key: \"[redacted]\"}]}]\n"},
      {"add: [{name: Authorization, value: sk-1}, {name: x, value: y}]\n",
       "add: [{name: Authorization, value: \"[redacted]\"}, {name: x, value: y}]\n"},
      {"secrets: {a: sk-1, b: [sk-2]}\n", "secrets: {a: \"[redacted]\", b: [\"[redacted]\"]}\n"},
  };
  for (const Case& one : kCases) EXPECT_EQ(redact_yaml(one.text), one.redacted) << one.text;
}

TEST(Redact, BlockTexts) {
  for (const char* style : {"|", ">", "|-", ">+", "|2"}) {
    const std::string text =
        std::string("a: 1\napi_key: ") + style + "\n  sk-first\n  sk-second\nb: 2\n";
    const std::string redacted = redact_yaml(text);
    EXPECT_THAT(redacted, Not(HasSubstr("sk-"))) << redacted;
    Diagnostics out("f");
    const Document document = parse_yaml(redacted, out);
    ASSERT_NE(document.root(), nullptr) << redacted << format_all(out.take());
    EXPECT_EQ(document.root()->find("b")->text, "2") << redacted;
  }
  const std::string folded = redact_yaml("api_key: sk-first\n  sk-second\nb: 2\n");
  EXPECT_THAT(folded, Not(HasSubstr("sk-")));
}

TEST(Redact, WhatIsNoYamlIsWithheld) {
  EXPECT_THAT(redact_yaml("api_key: [sk-1\n"), Not(HasSubstr("sk-1")));
}

TEST(Restore, RedactedAndRestoredIsTheSameRecipe) {
  for (const char* file : {"every_key.yaml", "accepted.yaml"}) {
    const std::string text = testdata(file);
    const auto restored = restore_redacted(redact_yaml(text), text);
    ASSERT_TRUE(restored) << restored.error().message;
    EXPECT_THAT(*restored, Not(HasSubstr(std::string(kRedacted))));
    const LoadOptions& options = kOptions;
    ASSERT_TRUE(load_text(*restored, file, options).config);
    EXPECT_EQ(redact_yaml(*restored), redact_yaml(text));
    // What is effective is the same to the last value, but for the lines.
    for (const char* secret : kSecrets) {
      EXPECT_EQ(restored->find(secret) == std::string::npos, text.find(secret) == std::string::npos)
          << secret;
    }
  }
}

TEST(Restore, ValuesAreFoundByTheirKeys) {
  struct Case {
    const char* edited;
    const char* original;
    const char* restored;  // null: an error
  };
  const Case kCases[] = {
      {"a: 1\n", "api_key: sk-1\n", "a: 1\n"},
      {"api_key: \"[redacted]\"\n", "api_key: sk-1\n", "api_key: sk-1\n"},
      {"api_key: \"[redacted]\" # mine\n", "api_key: 'true'\n", "api_key: \"true\" # mine\n"},
      {"b: [{name: y, key: \"[redacted]\"}, {name: x, key: \"[redacted]\"}]\n",
       "b: [{name: x, key: kx}, {name: y, key: ky}]\n",
       "b: [{name: y, key: ky}, {name: x, key: kx}]\n"},
      {"keys: [\"[redacted]\", new, \"[redacted]\"]\n", "keys: [k1, k2, k3]\n",
       "keys: [k1, new, k3]\n"},
      {"key: |\n  [redacted]\nb: 2\n", "key: |\n  one\n  two\n", "key: |\n  one\n  two\nb: 2\n"},
      {"api_key: \"[redacted]\"\n", "b: 1\n", nullptr},
      {"api_key: \"[redacted]\"\n", "api_key: {a: b}\n", nullptr},
      {"b: [{name: z, key: \"[redacted]\"}]\n", "b: [{name: x, key: kx}]\n", nullptr},
      {"api_key: \"[redacted]\"\n", "api_key: [\n", nullptr},
      // Broken YAML is left to whoever reads it.
      {"api_key: [\"[redacted]\"\n", "api_key: [x]\n", "api_key: [\"[redacted]\"\n"},
  };
  for (const Case& one : kCases) {
    const auto restored = restore_redacted(one.edited, one.original);
    ASSERT_EQ(restored.has_value(), one.restored != nullptr) << one.edited;
    if (restored) {
      EXPECT_EQ(*restored, one.restored);
    } else {
      EXPECT_THAT(restored.error().message, HasSubstr("reads [redacted]"));
    }
  }
}

}  // namespace
}  // namespace vsr::config
