#include <benchmark/benchmark.h>

#include <string>

#include "text/hash.h"
#include "text/language.h"
#include "text/normalize.h"
#include "text/terms.h"
#include "text/tokens.h"

namespace vsr::text {
namespace {

std::string repeated(std::string_view part, size_t bytes) {
  std::string out;
  while (out.size() < bytes) out += part;
  return out;
}

const std::string kEnglish = repeated(
    "Explain how the scheduler of a distributed database decides which replica serves a read. ",
    1024);
const std::string kChinese = repeated("请解释分布式数据库的调度器如何选择副本，并给出例子。", 1024);

template <auto& text>
void normalize_1k(benchmark::State& state) {
  std::string out;
  for (auto _ : state) {
    normalize(text, out);
    benchmark::DoNotOptimize(out.data());
  }
  state.SetBytesProcessed(state.iterations() * text.size());
}
BENCHMARK(normalize_1k<kEnglish>)->Name("normalize/english");
BENCHMARK(normalize_1k<kChinese>)->Name("normalize/chinese");

void terms_1k(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(terms(kEnglish));
  state.SetBytesProcessed(state.iterations() * kEnglish.size());
}
BENCHMARK(terms_1k)->Name("terms/english");

void language_1k(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(detect_language(kEnglish));
  state.SetBytesProcessed(state.iterations() * kEnglish.size());
}
BENCHMARK(language_1k)->Name("language/english");

void tokens_1k(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(estimate_tokens(kEnglish));
  state.SetBytesProcessed(state.iterations() * kEnglish.size());
}
BENCHMARK(tokens_1k)->Name("tokens/english");

void hash_1k(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(hash64(kEnglish));
  state.SetBytesProcessed(state.iterations() * kEnglish.size());
}
BENCHMARK(hash_1k)->Name("hash/english");

}  // namespace
}  // namespace vsr::text
