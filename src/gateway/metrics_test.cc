#include "gateway/metrics.h"

#include <gmock/gmock.h>

namespace vsr::gateway {
namespace {

TEST(Metrics, RulesThatWereNotEvaluatedAreCountedByTypeAndReason) {
  Metrics metrics;
  metrics.count_signal_error(config::SignalType::kJailbreak, "timeout");
  metrics.count_signal_error(config::SignalType::kJailbreak, "timeout");
  metrics.count_signal_error(config::SignalType::kEmbedding, "unavailable");
  EXPECT_THAT(
      metrics.text(),
      testing::HasSubstr(R"(vsr_signal_errors_total{reason="timeout",signal_type="jailbreak"} 2)"));
  EXPECT_THAT(metrics.text(),
              testing::HasSubstr(
                  R"(vsr_signal_errors_total{reason="unavailable",signal_type="embedding"} 1)"));
}

}  // namespace
}  // namespace vsr::gateway
