// Any bytes as prompt and history: no crash, confidences between 0 and 1, and the same values in
// stages, from the cache and all at once.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "signals/engine.h"
#include "signals/message_cache.h"
#include "text/hash.h"

namespace vsr::signals {
namespace {

class Texts final : public TextSource {
 public:
  Result<MessageText> read(size_t message) override { return texts[message]; }
  std::array<MessageText, 3> texts;
};

config::KeywordRule keyword_rule(config::KeywordMethod method, std::vector<std::string> keywords,
                                 bool history) {
  config::KeywordRule rule;
  rule.name = "k";
  rule.method = method;
  rule.keywords = std::move(keywords);
  rule.include_history = history;
  return rule;
}

std::shared_ptr<const config::Config> recipe() {
  auto config = std::make_shared<config::Config>();
  auto& rules = config->rules;
  for (const bool history : {false, true}) {
    using enum config::KeywordMethod;
    rules.keywords.push_back(keyword_rule(kLiteral, {"key", "密码", "c++"}, history));
    rules.keywords.push_back(keyword_rule(kRegex, {"\\d{3}.{0,9}[a-z]|\\w+@", "^x"}, history));
    rules.keywords.push_back(keyword_rule(kBm25, {"reset password", "修改密码"}, history));
    rules.keywords.push_back(keyword_rule(kNgram, {"database", "数据库"}, history));
    rules.keywords.push_back(keyword_rule(kLiteral, {"kubernetes"}, history));
    rules.keywords.back().fuzzy_match = true;
    config::PiiRule pii;
    pii.include_history = history;
    rules.pii.push_back(pii);
  }
  config::StructureRule dense;
  dense.feature = config::StructureFeature::kDensity;
  dense.pattern = "[\\p{L}\\p{N}]+|";
  rules.structure.push_back(dense);
  config::StructureRule ordered;
  ordered.feature = config::StructureFeature::kSequence;
  ordered.source = config::StructureSource::kSequence;
  ordered.sequences = {{"first", "then"}, {"先", "再"}};
  rules.structure.push_back(ordered);
  config::LanguageRule language;
  language.code = "zh";
  rules.language.push_back(language);
  const auto add = [&](config::SignalType type, size_t count) {
    for (size_t i = 0; i < count; ++i)
      config->signals.push_back({type, static_cast<uint16_t>(i), 0, "s"});
  };
  add(config::SignalType::kKeyword, rules.keywords.size());
  add(config::SignalType::kPii, rules.pii.size());
  add(config::SignalType::kStructure, rules.structure.size());
  add(config::SignalType::kLanguage, rules.language.size());
  return config;
}

void check_same(const Values& a, const Values& b) {
  for (size_t i = 0; i < a.signals.size(); ++i) {
    VSR_CHECK(a.signals[i].matched == b.signals[i].matched &&
              a.signals[i].raw == b.signals[i].raw &&
              a.signals[i].confidence == b.signals[i].confidence);
    VSR_CHECK(a.signals[i].confidence >= 0 && a.signals[i].confidence <= 1);
  }
}

Parts with_cache() {
  Parts parts;
  parts.cache = std::make_shared<MessageCache>();
  return parts;
}

void run(std::string_view bytes) {
  static const auto config = recipe();
  static const auto engine = *Engine::compile(config, {});
  // One for all inputs, since compiling costs a hundred times what a text does. What an input finds
  // in the cache was put there by the same text in another place, or by itself a round before.
  static const auto cached = *Engine::compile(config, with_cache());

  const size_t third = bytes.size() / 3;
  Texts texts;
  texts.texts[0].text = bytes.substr(0, third);
  const std::string_view arguments[] = {bytes.substr(third, third)};
  texts.texts[1].arguments = arguments;
  texts.texts[2].text = bytes.substr(2 * third);
  const Message messages[] = {{Role::kSystem, text::hash64(texts.texts[0].text, 1)},
                              {Role::kAssistant, text::hash64(arguments[0], 2)},
                              {Role::kUser, text::hash64(texts.texts[2].text, 3)}};
  Input input;
  input.prompt = texts.texts[2].text;
  input.prompt_message = 2;
  input.messages = messages;
  input.texts = &texts;

  Scratch scratch;
  Values expected, other;
  engine->evaluate_all(input, scratch, expected);
  for (int round = 0; round < 2; ++round) {
    cached->evaluate_all(input, scratch, other);
    check_same(expected, other);
  }
  engine->start(input, scratch, other);
  for (size_t i = config->signals.size(); i-- > 0;) {
    const auto one = static_cast<config::SignalId>(i);
    engine->evaluate(input, {&one, 1}, scratch, other);
  }
  check_same(expected, other);
}

}  // namespace
}  // namespace vsr::signals

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr size_t kBytesMax = 4096;
  if (size <= kBytesMax) vsr::signals::run({reinterpret_cast<const char*>(data), size});
  return 0;
}
