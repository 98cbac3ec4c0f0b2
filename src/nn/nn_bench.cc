#include <benchmark/benchmark.h>

#include <cstdlib>
#include <memory>
#include <string>

#include "base/check.h"
#include "nn/head_bank.h"
#include "nn/sentence_encoder.h"

namespace vsr::nn {
namespace {

const HeadBank& bank() {
  static const HeadBank loaded = [] {
    Result<HeadBank> result = HeadBank::load(VSR_SOURCE_DIR "/models/heads.bin");
    VSR_CHECK(result.has_value(), "{}", result.error().message);
    return std::move(*result);
  }();
  return loaded;
}

// Varied text, so that features are not all the same few rows.
std::string varied(std::string_view part, size_t bytes) {
  std::string out;
  for (int i = 0; out.size() < bytes; ++i) {
    out += part;
    out += std::to_string(i * 2654435761u);
    out += "abcdefghijklmnop"[i % 16];
    out += ' ';
  }
  out.resize(bytes);
  return out;
}

void score(benchmark::State& state, std::string_view part) {
  const std::string text = varied(part, static_cast<size_t>(state.range(0)));
  HeadScores scores;
  for (auto _ : state) {
    bank().score(text, scores);
    benchmark::DoNotOptimize(scores);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(text.size()));
}

constexpr std::string_view kEnglish =
    "Explain how the scheduler of a distributed database decides which replica serves a read, and "
    "what happens when two leaders believe that they own the same shard. ";
constexpr std::string_view kChinese =
    "请解释分布式数据库的调度器如何选择副本，以及两个领导者同时认为自己拥有分片时会发生什么。";
constexpr std::string_view kCode =
    "for (size_t i = 0; i < rows.size(); ++i) { total += rows[i].weight * scale(i); }\n";

BENCHMARK_CAPTURE(score, english, kEnglish)->Arg(64)->Arg(1024)->Arg(16384);
BENCHMARK_CAPTURE(score, chinese, kChinese)->Arg(1024);
BENCHMARK_CAPTURE(score, code, kCode)->Arg(1024);

void load(benchmark::State& state) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(HeadBank::load(VSR_SOURCE_DIR "/models/heads.bin"));
  }
}
BENCHMARK(load)->Unit(benchmark::kMicrosecond);

// The vector of a text of as many tokens.
void encode(benchmark::State& state) {
  static const std::shared_ptr<const SentenceEncoder> encoder = [] {
    auto result = SentenceEncoder::load(VSR_SOURCE_DIR "/models/encoder.bin");
    VSR_CHECK(result.has_value(), "{}", result.error().message);
    return std::move(*result);
  }();
  std::string text;
  for (int64_t token = 2; token < state.range(0); ++token) text += "time ";
  const std::string_view one = text;
  std::vector<float> vector(encoder->dims());
  for (auto _ : state) {
    benchmark::DoNotOptimize(encoder->encode({&one, 1}, vector));
  }
}
BENCHMARK(encode)->Arg(16)->Arg(32)->Arg(64)->Arg(128)->Arg(512)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace vsr::nn
