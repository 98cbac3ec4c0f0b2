#include <benchmark/benchmark.h>

#include <unordered_map>
#include <vector>

#include "wire/conversation.h"
#include "wire/hash.h"
#include "wire/prepare.h"
#include "wire/response.h"
#include "wire/sample_body.h"

namespace {

using namespace vsr;
using namespace vsr::wire;

constexpr size_t kSmall = 1024;
constexpr size_t kLarge = 226 * 1024;

std::string body_of(size_t bytes) {
  return bytes == kSmall ? sample_body(bytes, 0, false) : sample_body(bytes, 24, true);
}

// What the router keeps between requests.
struct Cache {
  std::unordered_map<uint64_t, MessageFacts> messages;
  std::unordered_map<uint64_t, ToolsFacts> tools;
};

// The whole way from bytes to a Conversation, the last `fresh` messages not being cached.
uint64_t read_request(json::Reader& reader, json::Arena& arena, std::string_view body, Cache& cache,
                      std::vector<const MessageFacts*>& facts) {
  const auto request = parse_chat(reader, arena, body);
  facts.clear();
  for (size_t i = 0; i < request->messages.size(); ++i) {
    const MessageRef& ref = request->messages[i];
    const auto [entry, is_new] = cache.messages.try_emplace(ref.raw_hash);
    if (is_new) entry->second = facts_of(*parse_message(reader, arena, ref.raw.in(body), i));
    facts.push_back(&entry->second);
  }
  const auto [tools, is_new] = cache.tools.try_emplace(request->tools_raw_hash);
  if (is_new) tools->second = facts_of(*parse_tools(reader, arena, request->tools.in(body)));
  return analyse(*request, facts, tools->second, arena).lineage_hash;
}

void parse_level_1(benchmark::State& state) {
  const std::string body = body_of(state.range(0));
  json::Reader reader;
  json::Arena arena(64 * 1024);
  for (auto _ : state) {
    arena.reset();
    benchmark::DoNotOptimize(parse_chat(reader, arena, body));
  }
  state.counters["bytes"] = static_cast<double>(body.size());
  state.counters["arena_blocks"] = static_cast<double>(arena.blocks_allocated());
}
BENCHMARK(parse_level_1)->Arg(kSmall)->Arg(kLarge)->Unit(benchmark::kMicrosecond);

void read_cold(benchmark::State& state) {
  const std::string body = body_of(state.range(0));
  json::Reader reader;
  json::Arena arena(64 * 1024);
  std::vector<const MessageFacts*> facts;
  for (auto _ : state) {
    arena.reset();
    Cache cache;
    benchmark::DoNotOptimize(read_request(reader, arena, body, cache, facts));
  }
}
BENCHMARK(read_cold)->Arg(kSmall)->Arg(kLarge)->Unit(benchmark::kMicrosecond);

void read_all_but_last_cached(benchmark::State& state) {
  const std::string body = body_of(state.range(0));
  json::Reader reader;
  json::Arena arena(64 * 1024);
  std::vector<const MessageFacts*> facts;
  Cache cache;
  read_request(reader, arena, body, cache, facts);
  const uint64_t last = parse_chat(reader, arena, body)->messages.back().raw_hash;
  for (auto _ : state) {
    arena.reset();
    cache.messages.erase(last);
    benchmark::DoNotOptimize(read_request(reader, arena, body, cache, facts));
  }
}
BENCHMARK(read_all_but_last_cached)->Arg(kSmall)->Arg(kLarge)->Unit(benchmark::kMicrosecond);

void stage_1_only(benchmark::State& state) {
  const std::string body = body_of(state.range(0));
  json::Reader reader;
  for (auto _ : state) benchmark::DoNotOptimize(reader.open(body));
}
BENCHMARK(stage_1_only)->Arg(kSmall)->Arg(kLarge)->Unit(benchmark::kMicrosecond);

void check_grammar(benchmark::State& state) {
  const std::string body = body_of(state.range(0));
  json::Reader reader;
  for (auto _ : state) {
    reader.open(body);
    benchmark::DoNotOptimize(reader.skip_checked());
  }
}
BENCHMARK(check_grammar)->Arg(kSmall)->Arg(kLarge)->Unit(benchmark::kMicrosecond);

void hash_only(benchmark::State& state) {
  const std::string body = body_of(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(hash_bytes(body));
}
BENCHMARK(hash_only)->Arg(kLarge)->Unit(benchmark::kMicrosecond);

void prepare_body(benchmark::State& state) {
  const std::string body = body_of(state.range(0));
  json::Reader reader;
  json::Arena arena(64 * 1024);
  const auto request = parse_chat(reader, arena, body);
  PrepareOptions options;
  options.provider_model = "qwen/qwen3.6-rocm";
  options.reasoning = {ReasoningParameter::kChatTemplateKwargs, "enable_thinking", true, "", false};
  options.ask_for_usage = true;
  for (auto _ : state) {
    json::Splicer splicer(body);
    benchmark::DoNotOptimize(prepare(*request, options, reader, arena, splicer));
    benchmark::DoNotOptimize(splicer.pieces());
  }
}
BENCHMARK(prepare_body)->Arg(kLarge);

void observe_chunk(benchmark::State& state) {
  const std::string_view chunk =
      R"({"id":"chatcmpl-1f","object":"chat.completion.chunk","created":1780000000,"model":)"
      R"("qwen","choices":[{"index":0,"delta":{"content":" token"},"logprobs":null,)"
      R"("finish_reason":null}]})";
  json::Reader reader;
  StreamObserver observer;
  for (auto _ : state) benchmark::DoNotOptimize(observer.on_data(reader, chunk));
}
BENCHMARK(observe_chunk);

}  // namespace
