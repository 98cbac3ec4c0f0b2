// What signals cost: a new 1 KB prompt under the shipped recipe, alone and behind a long history of
// which all but the newest message is cached.
#include <benchmark/benchmark.h>

#include <fstream>
#include <iterator>

#include "base/check.h"
#include "config/load.h"
#include "nn/head_bank.h"
#include "signals/detect.h"
#include "signals/engine.h"
#include "signals/message_cache.h"

namespace vsr::signals {
namespace {

constexpr size_t kPromptBytes = 1024;
constexpr size_t kHistoryBytes = 226 * 1024;
constexpr size_t kMessageBytes = 2048;

// Prose, code and logs with different words and numbers in each text.
std::string make_text(uint64_t seed, size_t bytes) {
  constexpr std::string_view kWords[] = {
      "the",     "service", "returns",  "an",     "error",   "when",  "cache", "is",    "cold",
      "please",  "explain", "function", "retry",  "timeout", "value", "list",  "users", "of",
      "request", "deploy",  "why",      "should", "we",      "split", "table", "into",  "shards"};
  std::string out;
  uint64_t state = seed * 0x9E3779B97F4A7C15ULL + 1;
  while (out.size() < bytes) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    const uint64_t r = state >> 33;
    if (r % 29 == 0) {
      out += std::to_string(r % 100'000);
    } else if (r % 31 == 0) {
      out += "return value_" + std::to_string(r % 97) + "(x);\n";
    } else {
      out += kWords[r % std::size(kWords)];
    }
    out += r % 17 == 0 ? ". " : " ";
  }
  out.resize(bytes);
  return out;
}

class Texts final : public TextSource {
 public:
  Result<MessageText> read(size_t message) override {
    MessageText out;
    out.text = texts[message];
    return out;
  }
  std::vector<std::string> texts;
};

struct Setup {
  Setup() {
    const std::string root = VSR_SOURCE_DIR;
    std::ifstream in(root + "/deploy/recipes/agentic-saars.yaml");
    const std::string recipe{std::istreambuf_iterator<char>(in), {}};
    const config::LoadResult loaded = config::load_text(recipe, "agentic-saars.yaml");
    VSR_CHECK(loaded.config != nullptr);
    config = loaded.config;
    auto heads = nn::HeadBank::load(root + "/models/heads.bin");
    VSR_CHECK(heads.has_value(), "{}", heads.error().message);
    Parts parts;
    parts.heads = std::make_shared<const nn::HeadBank>(std::move(*heads));
    parts.cache = std::make_shared<MessageCache>();
    auto compiled = Engine::compile(config, parts);
    VSR_CHECK(compiled.has_value(), "{}", compiled.error().message);
    engine = *compiled;
    for (size_t id = 0; id < config->signals.size(); ++id) {
      if (config->signals[id].type != config::SignalType::kProjection) {
        all.push_back(static_cast<config::SignalId>(id));
      }
    }
    for (CostClass cost = 0; cost < kCostClasses; ++cost) {
      for (const config::SignalId id : all) {
        if (engine->cost_class(id) == cost) by_cost[cost].push_back(id);
      }
    }
  }
  std::shared_ptr<const config::Config> config;
  std::shared_ptr<const Engine> engine;
  std::vector<config::SignalId> all;
  std::array<std::vector<config::SignalId>, kCostClasses> by_cost;
};

const Setup& setup() {
  static const Setup instance;
  return instance;
}

void NewPrompt(benchmark::State& state) {
  const Setup& s = setup();
  Texts texts;
  for (uint64_t i = 0; i < 512; ++i) texts.texts.push_back(make_text(i, kPromptBytes));
  Scratch scratch;
  Values values;
  uint64_t turn = 0;
  for (auto _ : state) {
    Input input;
    const size_t which = turn % texts.texts.size();
    const Message message{Role::kUser, ++turn};  // never seen before
    Texts one;
    one.texts = {texts.texts[which]};
    input.prompt = one.texts[0];
    input.prompt_message = 0;
    input.messages = {&message, 1};
    input.texts = &one;
    s.engine->start(input, scratch, values);
    s.engine->evaluate(input, s.all, scratch, values);
    benchmark::DoNotOptimize(values.signals.data());
  }
}
BENCHMARK(NewPrompt)->Unit(benchmark::kMicrosecond);

// The same by cost class alone.
void NewPromptOfCost(benchmark::State& state) {
  const Setup& s = setup();
  std::vector<std::string> prompts;
  for (uint64_t i = 0; i < 512; ++i) prompts.push_back(make_text(i, kPromptBytes));
  Scratch scratch;
  Values values;
  uint64_t turn = 1'000'000'000;
  for (auto _ : state) {
    Texts texts;
    const Message message{Role::kUser, ++turn};
    texts.texts = {prompts[turn % prompts.size()]};
    Input input;
    input.prompt = texts.texts[0];
    input.prompt_message = 0;
    input.messages = {&message, 1};
    input.texts = &texts;
    s.engine->start(input, scratch, values);
    s.engine->evaluate(input, s.by_cost[static_cast<size_t>(state.range(0))], scratch, values);
    benchmark::DoNotOptimize(values.signals.data());
  }
}
BENCHMARK(NewPromptOfCost)->DenseRange(0, 3)->Unit(benchmark::kMicrosecond);

// A conversation of 226 KB; each turn adds one message of 2 KB.
void GrowingHistory(benchmark::State& state) {
  const Setup& s = setup();
  Texts texts;
  std::vector<Message> messages;
  for (size_t i = 0; i * kMessageBytes < kHistoryBytes; ++i) {
    texts.texts.push_back(make_text(i, kMessageBytes));
    messages.push_back({i % 2 == 0 ? Role::kUser : Role::kTool, 2'000'000'000 + i});
  }
  Scratch scratch;
  Values values;
  uint64_t turn = 3'000'000'000;
  for (auto _ : state) {
    messages.back() = {Role::kUser, ++turn};
    Input input;
    input.prompt = texts.texts.back();
    input.prompt_message = static_cast<int32_t>(messages.size() - 1);
    input.messages = messages;
    input.texts = &texts;
    s.engine->start(input, scratch, values);
    s.engine->evaluate(input, s.all, scratch, values);
    benchmark::DoNotOptimize(values.signals.data());
  }
  state.counters["messages"] = static_cast<double>(messages.size());
}
BENCHMARK(GrowingHistory)->Unit(benchmark::kMicrosecond);

// A tool loop: the prompt is the old one, the newest message is a result.
void ToolLoop(benchmark::State& state) {
  const Setup& s = setup();
  Texts texts;
  texts.texts = {make_text(7, kPromptBytes), make_text(8, kMessageBytes)};
  Scratch scratch;
  Values values;
  uint64_t turn = 4'000'000'000;
  for (auto _ : state) {
    const Message messages[] = {{Role::kUser, 1}, {Role::kTool, ++turn}};
    Input input;
    input.prompt = texts.texts[0];
    input.prompt_message = 0;
    input.messages = messages;
    input.texts = &texts;
    s.engine->start(input, scratch, values);
    s.engine->evaluate(input, s.all, scratch, values);
    benchmark::DoNotOptimize(values.signals.data());
  }
}
BENCHMARK(ToolLoop)->Unit(benchmark::kMicrosecond);

void Detect(benchmark::State& state) {
  const std::string text = make_text(9, static_cast<size_t>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(detect_pii(text));
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(Detect)->Arg(1024)->Arg(226 * 1024)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace vsr::signals
