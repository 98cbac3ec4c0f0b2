// Rules about metadata, events and roles: values, bounds and what they show as evidence.

#include <gtest/gtest.h>

#include "config/load.h"
#include "signals/engine.h"
#include "signals/one_model_recipe.h"

namespace vsr::signals {
namespace {

const std::string kRecipe = fixture::one_model_recipe(R"(    metadata:
      - {name: tier, values: [gold, Silver]}
      - {name: exact, key: tier, values: [gold], case_sensitive: true}
      - {name: size, predicate: {gt: 1.5, lte: 10}}
      - {name: client, source: header, key: X-Client}
    events:
      - {name: any_event}
      - {name: outage, event_types: [outage, degraded], severities: [critical], temporal: true}
    role_bindings:
      - {name: b1, role: staff, subjects: [{kind: Group, name: ops}, {kind: User, name: ann}]}
      - {name: b2, role: staff, subjects: [{kind: User, name: ci-key}]}
)");

class Requester : public testing::Test {
 protected:
  void SetUp() override {
    const config::LoadResult loaded = config::load_text(kRecipe, "recipe");
    ASSERT_TRUE(loaded.config) << config::format_all(loaded.diagnostics);
    ASSERT_EQ(config::format_all(loaded.diagnostics), "");
    config_ = loaded.config;
    auto engine = Engine::compile(config_, {});
    ASSERT_TRUE(engine) << engine.error().message;
    engine_ = *engine;
  }
  // The signals that match, with their evidence.
  std::string matched(const std::vector<Attribute>& metadata,
                      const std::map<std::string, std::string, std::less<>>& headers = {},
                      std::string_view key = {}) {
    const HeaderSource source = [&](std::string_view name) -> std::string_view {
      const auto found = headers.find(name);
      return found == headers.end() ? std::string_view() : std::string_view(found->second);
    };
    Input input;
    input.prompt = "x";
    input.metadata = metadata;
    input.header = &source;
    input.api_key_name = key;
    Scratch scratch;
    engine_->evaluate_all(input, scratch, values_);
    std::string out;
    for (size_t id = 0; id < values_.signals.size(); ++id) {
      if (!values_.signals[id].matched) continue;
      out += (out.empty() ? "" : " ") + config_->signals[id].name;
      for (const Evidence& evidence : values_.evidence) {
        if (evidence.signal == id) out += fmt::format("({})", evidence.what);
      }
    }
    return out;
  }
  double raw(config::SignalType type, std::string_view name) const {
    return values_.signals[config_->find_signal(type, name)].raw;
  }

  std::shared_ptr<const config::Config> config_;
  std::shared_ptr<const Engine> engine_;
  Values values_;
};

TEST_F(Requester, Metadata) {
  EXPECT_EQ(matched({}), "");
  EXPECT_EQ(matched({{"tier", "GOLD"}}), "tier(gold)");
  EXPECT_EQ(matched({{"tier", "gold"}}), "tier(gold) exact(gold)");
  EXPECT_EQ(matched({{"tier", "bronze"}}), "");
  EXPECT_EQ(matched({{"size", "1.5"}}), "");
  EXPECT_EQ(raw(config::SignalType::kMetadata, "size"), 1.5);
  EXPECT_EQ(matched({{"size", "10"}}), "size");
  EXPECT_EQ(matched({{"size", "10 MB"}}), "");
  EXPECT_EQ(matched({{"client", "x"}}), "") << "a rule about a header does not read metadata";
  EXPECT_EQ(matched({}, {{"x-client", "anything"}}), "client");
}

TEST_F(Requester, Events) {
  EXPECT_EQ(matched({{"event_type", "deploy"}}), "any_event");
  EXPECT_EQ(matched({{"event_type", "outage"}, {"event_severity", "critical"}}), "any_event");
  EXPECT_EQ(matched({{"event_type", "Degraded"},
                     {"event_severity", "critical"},
                     {"event_time", "2026-01-01T00:00:00Z"}}),
            "any_event outage(degraded)(critical)");
  EXPECT_EQ(matched({{"event_severity", "critical"}}), "") << "an event has a type";
  EXPECT_EQ(matched({}, {{"x-event-type", "outage"},
                         {"x-event-severity", "critical"},
                         {"x-event-time", "1"}}),
            "any_event outage(outage)(critical)");
}

TEST_F(Requester, RolesAddUpTheirBindings) {
  EXPECT_EQ(matched({}, {}, ""), "");
  EXPECT_EQ(matched({}, {{"x-authz-user-id", "ann"}}), "staff(ann) b1(ann)");
  EXPECT_EQ(matched({}, {{"x-authz-user-groups", " dev , ops"}}), "staff(ops) b1(ops)");
  EXPECT_EQ(matched({}, {}, "ci-key"), "staff(ci-key) b2(ci-key)");
  EXPECT_EQ(matched({}, {{"x-authz-user-groups", "ann"}}), "") << "a group is no user";
}

TEST_F(Requester, CostsNothingToAsk) {
  for (const config::SignalType type :
       {config::SignalType::kMetadata, config::SignalType::kEvent, config::SignalType::kAuthz}) {
    for (size_t id = 0; id < config_->signals.size(); ++id) {
      if (config_->signals[id].type != type) continue;
      EXPECT_EQ(engine_->cost_class(static_cast<config::SignalId>(id)), 0);
    }
  }
}

}  // namespace
}  // namespace vsr::signals
