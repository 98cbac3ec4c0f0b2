// The probes of each shipped recipe as traffic, on one thread: from the bytes of a body to the
// decision, every prompt seen for the first time. Counters: µs at p50 and p99, over all probes and
// over those that need the sentence encoder, and the share of those. Once with the encoder and once
// without, when rules that compare meanings carry an error.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>

#include "base/check.h"
#include "base/clock.h"
#include "config/load.h"
#include "eval/probes.h"
#include "nn/head_bank.h"
#include "nn/sentence_encoder.h"
#include "nn/vectors.h"
#include "router/router.h"
#include "signals/message_cache.h"

namespace vsr::eval {
namespace {

using router::Router;
using signals::Encoding;

constexpr int kPasses = 5;
const SystemClock kClock;

template <typename T>
T checked(Result<T> result) {
  VSR_CHECK(result.has_value(), "{}", result.error().message);
  return std::move(*result);
}

class Traffic {
 public:
  Traffic(const std::string& recipe, const std::string& probes) {
    const std::string root = VSR_SOURCE_DIR;
    config::LoadResult loaded = config::load_file(root + "/deploy/recipes/" + recipe + ".yaml");
    VSR_CHECK(loaded.config != nullptr, "{}", config::format_all(loaded.diagnostics));
    config_ = loaded.config;
    heads_ = std::make_shared<const nn::HeadBank>(
        checked(nn::HeadBank::load(root + "/models/heads.bin")));
    const std::string tuned = root + "/models/tuned.bin";
    encoder_ = checked(nn::SentenceEncoder::load(root + "/models/encoder.bin",
                                                 std::filesystem::exists(tuned) ? tuned : ""));
    std::ifstream in(root + "/" + probes);
    probes_ = checked(load_probes(std::string(std::istreambuf_iterator<char>(in), {}), probes));
    origin_.header = [](std::string_view) { return std::string_view(); };
    origin_.models.resize(config_->models.size());
  }

  // A router that has seen no prompt.
  std::shared_ptr<const Router> make_router() const {
    signals::Parts parts;
    parts.heads = heads_;
    parts.cache = std::make_shared<signals::MessageCache>();
    parts.vectors = std::make_shared<nn::Vectors>(encoder_, "");
    return checked(Router::make(
        config_, std::move(parts),
        std::make_shared<router::LearningState>(config_->learning.state_ttl_seconds), kClock));
  }

  // Which probes cannot be decided without the vector of their prompt.
  std::vector<bool> need_encoder() {
    const auto router = make_router();
    router::FactsCache facts;
    std::vector<bool> out;
    for (const Probe& probe : probes_) {
      out.push_back(decide(*router, facts, probe, Encoding::kKnown).wants_encoding());
    }
    return out;
  }

  // Microseconds of each probe.
  std::vector<double> pass(Encoding encoding) {
    const auto router = make_router();
    router::FactsCache facts;
    std::vector<double> out;
    for (const Probe& probe : probes_) {
      const auto begun = std::chrono::steady_clock::now();
      benchmark::DoNotOptimize(decide(*router, facts, probe, encoding));
      out.push_back(
          std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begun)
              .count());
    }
    return out;
  }

 private:
  router::Decision decide(const Router& router, router::FactsCache& facts, const Probe& probe,
                          Encoding encoding) {
    VSR_CHECK(request_.read_chat(probe.body, facts).has_value());
    origin_.encoding = encoding;
    origin_.unix_ms = kClock.unix_ms();
    router::Decision decision = router.decide(request_, origin_);
    VSR_CHECK(!decision.error, "{}", decision.error->message);
    return decision;
  }

  std::shared_ptr<const config::Config> config_;
  std::shared_ptr<const nn::HeadBank> heads_;
  std::shared_ptr<const nn::SentenceEncoder> encoder_;
  std::vector<Probe> probes_;
  router::Request request_;
  router::Origin origin_;
};

double at(std::vector<double>& values, size_t percent) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[values.size() * percent / 100];
}

void decide_probes(benchmark::State& state, const std::string& recipe, const std::string& probes,
                   Encoding encoding) {
  Traffic traffic(recipe, probes);
  const std::vector<bool> needed = traffic.need_encoder();
  std::vector<double> all;
  std::vector<double> encoded;
  for (auto _ : state) {
    const std::vector<double> us = traffic.pass(encoding);
    all.insert(all.end(), us.begin(), us.end());
    for (size_t i = 0; i < us.size(); ++i) {
      if (needed[i]) encoded.push_back(us[i]);
    }
  }
  state.counters["need_%"] = 100.0 * static_cast<double>(std::ranges::count(needed, true)) /
                             static_cast<double>(needed.size());
  state.counters["p50_us"] = at(all, 50);
  state.counters["p99_us"] = at(all, 99);
  state.counters["need_p50_us"] = at(encoded, 50);
  state.counters["need_p99_us"] = at(encoded, 99);
}

const bool kRegistered = [] {
  for (const std::string recipe :
       {"agentic-saars", "cost-ladder", "customer-support", "privacy-first-office"}) {
    const std::string held_out =
        recipe == "agentic-saars" ? "held-out.yaml" : "held-out-" + recipe + ".yaml";
    for (const auto& [name, file] :
         {std::pair{recipe + " own", "deploy/recipes/" + recipe + ".probes.yaml"},
          std::pair{recipe + " held out", "tests/probes/" + held_out}}) {
      for (const auto& [how, encoding] :
           {std::pair{"encoder", Encoding::kNow}, std::pair{"none", Encoding::kOff}}) {
        benchmark::RegisterBenchmark((name + "/" + how).c_str(), decide_probes, recipe, file,
                                     encoding)
            ->Iterations(kPasses)
            ->Unit(benchmark::kMillisecond);
      }
    }
  }
  return true;
}();

}  // namespace
}  // namespace vsr::eval
