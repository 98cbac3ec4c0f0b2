// From the bytes of a body to a decision under the shipped recipe, on one thread: prompts that were
// never seen, a conversation that grows, and a request for a named model. Prints µs at p50 and p99
// as counters, since the mean hides what a person waits for.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>

#include "base/clock.h"
#include "config/load.h"
#include "nn/head_bank.h"
#include "router/rerun.h"
#include "router/router.h"
#include "signals/message_cache.h"

namespace vsr::router {
namespace {

const SystemClock kClock;
constexpr size_t kPromptBytes = 1000;

std::shared_ptr<const Router> make_router() {
  const std::string root = VSR_SOURCE_DIR;
  const config::LoadResult loaded = config::load_file(root + "/deploy/recipes/agentic-saars.yaml");
  auto heads = nn::HeadBank::load(root + "/models/heads.bin");
  signals::Parts parts;
  parts.heads = std::make_shared<const nn::HeadBank>(std::move(*heads));
  parts.cache = std::make_shared<signals::MessageCache>();
  return *Router::make(loaded.config, std::move(parts),
                       std::make_shared<LearningState>(loaded.config->learning.state_ttl_seconds),
                       kClock);
}

// Sentences of ordinary words in an order that depends on `number`.
std::string prompt(uint64_t number) {
  constexpr std::string_view kWords[] = {
      "please", "compare", "the",     "results", "of",    "both", "reports", "and",   "explain",
      "why",    "sales",   "changed", "after",   "March", "in",   "short",   "plain", "sentences",
      "for",    "a",       "reader",  "who",     "knows", "only", "basic",   "terms"};
  std::string out = "Question " + std::to_string(number) + ":";
  while (out.size() < kPromptBytes) {
    number = number * 6364136223846793005u + 1442695040888963407u;
    out.append(" ").append(kWords[(number >> 33) % std::size(kWords)]);
    if ((number >> 40) % 12 == 0) out += '.';
  }
  return out;
}

std::string body_of(std::string_view model, std::string_view earlier, std::string_view last) {
  return "{\"model\":\"" + std::string(model) + "\",\"messages\":[" + std::string(earlier) +
         "{\"role\":\"user\",\"content\":\"" + std::string(last) + "\"}]}";
}

class Measure {
 public:
  Measure() : router_(make_router()) {
    origin_.header = [](std::string_view) { return std::string_view(); };
    origin_.models.resize(6);
  }
  void one(benchmark::State& state, const std::string& body) {
    const auto begun = std::chrono::steady_clock::now();
    if (!request_.read_chat(body, facts_)) state.SkipWithError("the body was not read");
    origin_.unix_ms = kClock.unix_ms();
    const Decision decision = router_->decide(request_, origin_);
    if (decision.error) state.SkipWithError(decision.error->message.c_str());
    us_.push_back(
        std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begun)
            .count());
  }
  Decision decide(std::string_view body) {
    if (!request_.read_chat(body, facts_)) return {};
    origin_.unix_ms = kClock.unix_ms();
    return router_->decide(request_, origin_);
  }
  const Router& router() const { return *router_; }
  void report(benchmark::State& state) {
    std::sort(us_.begin(), us_.end());
    state.counters["p50_us"] = us_[us_.size() / 2];
    state.counters["p99_us"] = us_[us_.size() * 99 / 100];
  }

 private:
  std::shared_ptr<const Router> router_;
  FactsCache facts_;
  Request request_;
  Origin origin_;
  std::vector<double> us_;
};

void BM_NewPrompt(benchmark::State& state) {
  Measure measure;
  uint64_t number = 0;
  for (auto _ : state) {
    state.PauseTiming();
    const std::string body = body_of("auto", "", prompt(++number));
    state.ResumeTiming();
    measure.one(state, body);
  }
  measure.report(state);
}
BENCHMARK(BM_NewPrompt)->Iterations(5000)->Unit(benchmark::kMicrosecond);

void BM_SamePrompt(benchmark::State& state) {
  Measure measure;
  const std::string body = body_of("auto", "", prompt(1));
  for (auto _ : state) measure.one(state, body);
  measure.report(state);
}
BENCHMARK(BM_SamePrompt)->Iterations(5000)->Unit(benchmark::kMicrosecond);

void BM_NamedModel(benchmark::State& state) {
  Measure measure;
  uint64_t number = 0;
  for (auto _ : state) {
    state.PauseTiming();
    const std::string body = body_of("qwen/qwen3.6-rocm", "", prompt(++number));
    state.ResumeTiming();
    measure.one(state, body);
  }
  measure.report(state);
}
BENCHMARK(BM_NamedModel)->Iterations(5000)->Unit(benchmark::kMicrosecond);

// 226 KB of history, and every turn adds an answer and a question of 1 KB each.
void BM_GrowingConversation(benchmark::State& state) {
  Measure measure;
  std::string history;
  uint64_t number = 0;
  const auto add_turn = [&] {
    history += "{\"role\":\"user\",\"content\":\"" + prompt(++number) + "\"},";
    history += "{\"role\":\"assistant\",\"content\":\"" + prompt(++number) + "\"},";
  };
  while (history.size() < 226'000) add_turn();
  for (auto _ : state) {
    state.PauseTiming();
    add_turn();
    const std::string body = body_of("auto", history, prompt(++number));
    state.ResumeTiming();
    measure.one(state, body);
  }
  measure.report(state);
}
BENCHMARK(BM_GrowingConversation)->Iterations(100)->Unit(benchmark::kMicrosecond);

// What a record keeps to be decided again, written on the replay writer's thread.
void BM_EncodeRerun(benchmark::State& state) {
  Measure measure;
  const std::string body = body_of("auto", "", prompt(1));
  const Decision decision = measure.decide(body);
  const KeyedHash key = KeyedHash::random();
  size_t bytes = 0;
  for (auto _ : state) bytes = encode_rerun(measure.router(), decision, key).size();
  state.counters["bytes"] = static_cast<double>(bytes);
}
BENCHMARK(BM_EncodeRerun)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace vsr::router
