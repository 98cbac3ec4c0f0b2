// The counters of a backend's prefix cache in its metrics page.
#include "operator/backend_metrics.h"

#include <gtest/gtest.h>

namespace vsr::operator_api {
namespace {

TEST(PrefixCacheCountersTest, AreReadFromAPage) {
  struct Case {
    std::string_view name;
    std::string_view page;
    std::optional<std::pair<double, double>> expected;  // queries, hits
  };
  const Case cases[] = {
      {"nothing", "", std::nullopt},
      {"other counters", "vllm:num_requests_running{model_name=\"a\"} 3\n", std::nullopt},
      {"help lines only", "# TYPE vllm:prefix_cache_queries_total counter\n", std::nullopt},
      {"one model",
       "# TYPE vllm:prefix_cache_queries_total counter\n"
       "vllm:prefix_cache_queries_total{model_name=\"a\"} 200.0\n"
       "vllm:prefix_cache_hits_total{model_name=\"a\"} 50.0\n",
       {{200, 50}}},
      {"summed over models and engines",
       "vllm:prefix_cache_queries_total{model_name=\"a\"} 200\n"
       "vllm:prefix_cache_queries_total{model_name=\"b\",engine=\"1\"} 1e3\n"
       "vllm:prefix_cache_hits_total{model_name=\"b\"} 7\n",
       {{1200, 7}}},
      {"without suffix and labels",
       "vllm:prefix_cache_queries 10\nvllm:prefix_cache_hits 4",
       {{10, 4}}},
      {"llama.cpp",
       "llamacpp:prompt_tokens_total 30\nllamacpp:prompt_tokens_cached_total 10\n"
       "llamacpp:prompt_tokens_seconds 2.5\n",
       {{40, 10}}},
      {"a brace within a label", "vllm:prefix_cache_queries{model_name=\"a}b\"} 5\n", {{5, 0}}},
      {"a longer name", "vllm:prefix_cache_queries_created{model_name=\"a\"} 17\n", std::nullopt},
      {"no number", "vllm:prefix_cache_queries_total{model_name=\"a\"} many\n", std::nullopt},
      {"cut", "vllm:prefix_cache_queries_total{model_name=\"a", std::nullopt},
  };
  for (const Case& one : cases) {
    const auto counters = prefix_cache_counters(one.page);
    ASSERT_EQ(counters.has_value(), one.expected.has_value()) << one.name;
    if (!counters) continue;
    EXPECT_EQ(counters->queries, one.expected->first) << one.name;
    EXPECT_EQ(counters->hits, one.expected->second) << one.name;
  }
}

TEST(BackendMetricsTest, WithoutARecipeThereAreNone) {
  EXPECT_EQ(backend_metrics_document(nullptr), R"({"endpoints":[]})");
}

}  // namespace
}  // namespace vsr::operator_api
