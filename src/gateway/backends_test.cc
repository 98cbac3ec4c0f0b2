#include "gateway/backends.h"

#include <gtest/gtest.h>

namespace vsr::gateway {
namespace {

using namespace std::chrono_literals;

std::shared_ptr<const config::Config> two_endpoints(uint32_t weight_a, uint32_t weight_b) {
  auto config = std::make_shared<config::Config>();
  config->models.resize(1);
  config->models[0].name = "m";
  config->models[0].backends = {{.name = "a", .host = "a", .port = 1, .weight = weight_a},
                                {.name = "b", .host = "b", .port = 2, .weight = weight_b}};
  return config;
}

TEST(Backends, SharesFollowTheWeightsAndAffinityIsStable) {
  EndpointRegistry registry;
  const BackendSet set(two_endpoints(3, 1), registry);
  int to_a = 0;
  constexpr int kConversations = 20'000;
  for (uint64_t affinity = 0; affinity < kConversations; ++affinity) {
    const Backend* backend = set.pick(0, affinity * 0x9E3779B97F4A7C15u, 0ns);
    ASSERT_NE(backend, nullptr);
    EXPECT_EQ(backend, set.pick(0, affinity * 0x9E3779B97F4A7C15u, 0ns));
    to_a += backend->ref->name == "a";
  }
  EXPECT_NEAR(to_a, kConversations * 3 / 4, kConversations / 50);
}

TEST(Backends, EjectsAfterFailuresInARowAndComesBack) {
  EndpointRegistry registry;
  const BackendSet set(two_endpoints(1, 1), registry);
  Endpoint& a = *set.of(0)[0].endpoint;
  a.report_failure(0ns, 2, 30s);
  a.report_success();
  a.report_failure(0ns, 2, 30s);
  EXPECT_TRUE(a.may_serve(0ns));
  a.report_failure(0ns, 2, 30s);
  EXPECT_FALSE(a.may_serve(500ms));
  EXPECT_TRUE(set.healthy(0, 500ms));
  EXPECT_EQ(set.pick(0, 7, 500ms)->ref->name, "b");
  EXPECT_EQ(set.pick(0, 7, 500ms, set.of(0)[1].endpoint.get()), nullptr);
  EXPECT_TRUE(a.may_serve(1s));
}

TEST(Backends, EachFurtherEjectionIsTwiceAsLongUpToTheLimit) {
  EndpointRegistry registry;
  const BackendSet set(two_endpoints(1, 1), registry);
  Endpoint& a = *set.of(0)[0].endpoint;
  for (const std::chrono::seconds lasts : {1s, 2s, 4s, 5s, 5s}) {
    a.report_failure(0ns, 1, 5s);
    EXPECT_FALSE(a.may_serve(lasts - 1ms)) << lasts.count();
    EXPECT_TRUE(a.may_serve(lasts)) << lasts.count();
  }
  a.report_success();
  a.report_failure(0ns, 1, 5s);
  EXPECT_TRUE(a.may_serve(1s));
}

TEST(Backends, TheSameAddressIsTheSameEndpointAcrossReloads) {
  EndpointRegistry registry;
  const BackendSet before(two_endpoints(1, 1), registry);
  before.of(0)[0].endpoint->redirect({"127.0.0.1", 8090});
  const BackendSet after(two_endpoints(5, 1), registry);
  EXPECT_EQ(before.of(0)[0].endpoint, after.of(0)[0].endpoint);
  EXPECT_EQ(after.of(0)[0].endpoint->dial().text(), "127.0.0.1:8090");
  EXPECT_EQ(after.of(0)[1].endpoint->dial().text(), "b:2");
}

TEST(Backends, AReplacedAddressIsNeverDialledNotEvenForTheFirstRequest) {
  EndpointRegistry registry;
  registry.replace("b:2", {"127.0.0.1", 8090});
  const BackendSet set(two_endpoints(1, 1), registry);
  EXPECT_EQ(set.of(0)[0].endpoint->dial().text(), "a:1");
  EXPECT_EQ(set.of(0)[1].endpoint->dial().text(), "127.0.0.1:8090");
  EXPECT_EQ(set.of(0)[1].endpoint->named().text(), "b:2");
}

TEST(Backends, WhatIsMeasuredReachesTheAlgorithmsThatRankByIt) {
  using config::AlgorithmType;
  struct Case {
    AlgorithmType type;
    double p50_ms;
  };
  constexpr Case kCases[] = {{AlgorithmType::kStatic, 0},
                             {AlgorithmType::kMultiFactor, 40},
                             {AlgorithmType::kLatencyAware, 40}};
  for (const Case& c : kCases) {
    EndpointRegistry registry;
    auto config = std::make_shared<config::Config>(*two_endpoints(1, 1));
    config->decisions.resize(1);
    config->decisions[0].algorithm.type = c.type;
    const BackendSet set(config, registry);
    set.of(0)[0].endpoint->ttft.add(10);
    set.of(0)[1].endpoint->ttft.add(40);
    set.of(0)[1].endpoint->tpot.add(40);
    const policy::ModelState state = set.state(0, 0ns);
    EXPECT_EQ(state.ttft.p50_ms, c.p50_ms) << "the slower of two endpoints counts";
    EXPECT_EQ(state.tpot.p50_ms, c.p50_ms);
  }
}

TEST(Latency, PercentilesOfTheLatestSamples) {
  LatencyWindow window;
  EXPECT_EQ(window.percentiles().samples, 0u);
  for (int i = 1; i <= 100; ++i) window.add(i);
  EXPECT_EQ(window.percentiles().p50_ms, 50);
  EXPECT_EQ(window.percentiles().p95_ms, 95);
  for (size_t i = 0; i < LatencyWindow::kSamples; ++i) window.add(7);
  EXPECT_EQ(window.percentiles().p95_ms, 7);
}

}  // namespace
}  // namespace vsr::gateway
