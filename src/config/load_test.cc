#include "config/load.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "config/check.h"
#include "config/keys.h"
#include "config/yaml.h"

namespace vsr::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

const LoadOptions kOptions{.environment = [](std::string_view name) -> std::optional<std::string> {
  if (name == "LISTENER_KEY") return "key-from-the-environment";
  if (name == "BACKEND_KEY") return "backend-key-from-the-environment";
  if (name == "PORT") return "18080";
  return std::nullopt;
}};

constexpr std::string_view kSmall =
    "version: v0.3\n"
    "providers: {defaults: {default_model: m}, models: [{name: m, backend_refs: "
    "[{endpoint: \"h:1\"}]}]}\n"
    "routing:\n"
    "  modelCards: [{name: m}]\n";

std::string testdata(const std::string& name) {
  return read_recipe(VSR_TEST_DIR "/testdata/" + name).value();
}

std::shared_ptr<const Config> load(const std::string& yaml) {
  const LoadResult result = load_text(yaml, "f", kOptions);
  EXPECT_TRUE(result.config) << format_all(result.diagnostics);
  return result.config ? result.config : std::make_shared<const Config>();
}

std::shared_ptr<const Config> small(const std::string& more = "") {
  return load(std::string(kSmall) + more);
}

// ---- the key table ------------------------------------------------------------------------------

void mark_keys(const Node& node, const Key& key, std::set<const Key*>& seen) {
  seen.insert(&key);
  for (const Node* item : node.items) {
    if (key.item != nullptr) mark_keys(*item, *key.item, seen);
  }
  for (const Entry& entry : node.entries) {
    const Key* child = key.row->type == ValueType::kNamed ? key.item : key.find(entry.key);
    if (child != nullptr) mark_keys(*entry.value, *child, seen);
  }
}

TEST(Keys, EveryKeyHasAFixture) {
  const KeyTree keys;
  std::set<const Key*> seen;
  for (const char* file : {"every_key.yaml", "accepted.yaml"}) {
    Diagnostics out(file);
    const Document document = parse_yaml(testdata(file), out);
    ASSERT_NE(document.root(), nullptr) << format_all(out.take());
    mark_keys(*document.root(), keys.root(), seen);
  }
  size_t rows = 0;
  for (const Key& key : keys.keys()) {
    ++rows;
    EXPECT_TRUE(seen.contains(&key)) << key.row->path << " (" << key.name << ") has no fixture";
  }
  EXPECT_GT(rows, 300U);
}

TEST(Keys, RowsFitTheirType) {
  const KeyTree keys;
  for (const Key& key : keys.keys()) {
    const KeyRow& row = *key.row;
    const bool is_collection = row.initial == "[]" || row.initial == "[{}]";
    EXPECT_TRUE(is_collection || row.initial.empty() || is_valid_scalar(row, row.initial))
        << row.path;
    EXPECT_EQ(row.type == ValueType::kChoice, !row.choices.empty()) << row.path;
    const bool has_items = row.type == ValueType::kList || row.type == ValueType::kNamed;
    EXPECT_EQ(key.item != nullptr, has_items) << row.path;
    EXPECT_FALSE(describe(row).empty()) << row.path;
  }
}

// ---- content ------------------------------------------------------------------------------------

class EveryKey : public testing::Test {
 protected:
  std::shared_ptr<const Config> config_ = load(testdata("every_key.yaml"));
};

TEST_F(EveryKey, LoadsWithoutAWord) {
  const LoadResult result = load_text(testdata("every_key.yaml"), "f", kOptions);
  EXPECT_EQ(format_all(result.diagnostics), "");
}

TEST_F(EveryKey, Listeners) {
  ASSERT_EQ(config_->listeners.size(), 1U);
  const Listener& listener = config_->listeners[0];
  EXPECT_EQ(listener.name, "public");
  EXPECT_EQ(listener.address, "127.0.0.1");
  EXPECT_EQ(listener.port, 18899);
  EXPECT_EQ(listener.timeout_ms, 1'200'000U);
  EXPECT_EQ(listener.max_body_bytes, 32U << 20);
  EXPECT_THAT(listener.cors_origins, ElementsAre("https://app.example"));
  ASSERT_EQ(listener.api_keys.size(), 3U);
  EXPECT_EQ(listener.api_keys[0].key, "plain-key-of-the-listener");
  EXPECT_EQ(listener.api_keys[1].name, "ci");
  EXPECT_THAT(listener.api_keys[1].models, ElementsAre("auto", "local/small"));
  EXPECT_EQ(listener.api_keys[1].rate_limit->requests_per_minute, 60);
  EXPECT_EQ(listener.api_keys[1].rate_limit->burst, 10U);
  EXPECT_EQ(listener.api_keys[2].key, "key-from-the-environment");
  EXPECT_EQ(listener.tls->key, "/etc/tls/key.pem");
}

TEST_F(EveryKey, Models) {
  ASSERT_EQ(config_->models.size(), 2U);
  const Model& model = config_->models[0];
  EXPECT_EQ(config_->default_model, 0);
  EXPECT_EQ(config_->default_effort, Effort::kLow);
  EXPECT_EQ(config_->reasoning_families[*model.reasoning_family].parameter, "enable_thinking");
  EXPECT_EQ(config_->reasoning_families[1].type, ReasoningType::kReasoningEffort);
  EXPECT_EQ(model.provider_model_id, "small-instruct");
  EXPECT_EQ(model.external_model_ids.at("other"), "small");
  EXPECT_EQ(model.pricing->currency, "EUR");
  EXPECT_EQ(model.pricing->cached_input_per_1m, 0.1);
  EXPECT_EQ(model.pricing->cache_write_per_1m, 0.6);
  EXPECT_EQ(model.cache.ttl_seconds, 600);
  EXPECT_EQ(model.cache.min_tokens, 1'000U);
  EXPECT_EQ(model.cache.scope, "account");
  EXPECT_EQ(model.reliability.connect_timeout_ms, 2'000U);
  EXPECT_EQ(model.reliability.idle_timeout_ms, 45'000U);
  EXPECT_EQ(model.reliability.retries, 2U);
  EXPECT_EQ(model.reliability.outlier_consecutive_errors, 3U);
  EXPECT_EQ(model.reliability.outlier_ejection_ms, 15'000U);
  EXPECT_EQ(model.param_size, "4B");
  EXPECT_EQ(model.context_window_size, 32'000U);
  EXPECT_THAT(model.capabilities, ElementsAre("chat", "tools"));
  EXPECT_EQ(model.loras[0].name, "legal");
  EXPECT_EQ(model.quality_score, 0.5);
  EXPECT_THAT(model.tags, ElementsAre("local"));
  EXPECT_EQ(config_->models[1].api_format, ApiFormat::kAnthropic);
  EXPECT_FALSE(config_->models[1].pricing);
}

TEST_F(EveryKey, Backends) {
  const std::vector<BackendRef>& refs = config_->models[0].backends;
  ASSERT_EQ(refs.size(), 2U);
  EXPECT_EQ(refs[0].host, "vllm");
  EXPECT_EQ(refs[0].port, 8'000);
  EXPECT_FALSE(refs[0].tls);
  EXPECT_EQ(refs[0].weight, 3U);
  EXPECT_EQ(refs[0].api_key, "backend-key-from-the-environment");
  EXPECT_EQ(refs[0].auth_header, "authorization");
  EXPECT_EQ(refs[0].auth_prefix, "Bearer ");
  EXPECT_EQ(refs[0].chat_path, "/v1/chat/completions");
  EXPECT_EQ(refs[0].health->path, "/health");
  EXPECT_EQ(refs[0].health->interval_ms, 5'000U);
  EXPECT_EQ(refs[1].host, "models.example");
  EXPECT_EQ(refs[1].port, 443);
  EXPECT_TRUE(refs[1].tls);
  EXPECT_EQ(refs[1].base_path, "/v1");
  EXPECT_EQ(refs[1].weight, 1U);
  EXPECT_EQ(refs[1].type, BackendType::kOpenAi);
  EXPECT_EQ(refs[1].auth_header, "x-api-key");
  EXPECT_EQ(refs[1].auth_prefix, "Token ");
  EXPECT_THAT(refs[1].extra_headers, ElementsAre(Pair("x-team", "routing")));
  EXPECT_EQ(refs[1].chat_path, "/chat");
  EXPECT_EQ(refs[1].api_version, "2024-06-01");
  const BackendRef& anthropic = config_->models[1].backends[0];
  EXPECT_EQ(anthropic.auth_header, "x-api-key");
  EXPECT_EQ(anthropic.auth_prefix, "");
  EXPECT_EQ(anthropic.chat_path, "/v1/messages");
}

TEST_F(EveryKey, TextRules) {
  const SignalRules& rules = config_->rules;
  ASSERT_EQ(rules.keywords.size(), 4U);
  EXPECT_EQ(rules.keywords[0].fuzzy_threshold, 1);
  EXPECT_TRUE(rules.keywords[0].fuzzy_match && rules.keywords[0].case_sensitive);
  EXPECT_TRUE(rules.keywords[0].include_history && rules.keywords[0].on_error_match);
  EXPECT_EQ(rules.keywords[1].op, KeywordOperator::kAnd);
  EXPECT_EQ(rules.keywords[1].method, KeywordMethod::kRegex);
  EXPECT_EQ(rules.keywords[2].op, KeywordOperator::kNor);
  EXPECT_EQ(rules.keywords[2].bm25_threshold, 0.2);
  EXPECT_EQ(rules.keywords[3].method, KeywordMethod::kNgram);
  EXPECT_EQ(rules.keywords[3].ngram_arity, 2);
  EXPECT_EQ(rules.embeddings[0].aggregation, Aggregation::kMean);
  EXPECT_EQ(rules.embeddings[0].threshold, 0.75);
  EXPECT_FALSE(rules.embeddings[0].on_error_match);
  EXPECT_THAT(rules.domains[0].labels, ElementsAre("physics", "computer science"));
  EXPECT_THAT(rules.domains[1].labels, ElementsAre("law"));
  EXPECT_EQ(rules.complexity[0].method, ComplexityMethod::kContrastive);
  EXPECT_EQ(rules.complexity[1].method, ComplexityMethod::kClassifier);
  EXPECT_EQ(rules.pii[0].threshold, 0.6);
  EXPECT_EQ(rules.pii[1].threshold, 0.65);  // of the classifier
  EXPECT_EQ(rules.jailbreak[0].method, JailbreakMethod::kHybrid);
  EXPECT_EQ(rules.jailbreak[1].threshold, 0.75);
  EXPECT_EQ(rules.language[0].code, "zh");
}

TEST_F(EveryKey, ShapeRules) {
  const SignalRules& rules = config_->rules;
  EXPECT_EQ(rules.context[0].min_tokens, 8'000U);
  EXPECT_EQ(rules.context[0].max_tokens, 1'000'000U);
  EXPECT_TRUE(rules.conversation[0].count);
  EXPECT_EQ(rules.conversation[0].role, "user");
  EXPECT_TRUE(rules.conversation[0].predicate.holds(50));
  EXPECT_FALSE(rules.conversation[0].predicate.holds(3.5));
  EXPECT_FALSE(rules.conversation[1].count);
  EXPECT_EQ(rules.conversation[1].source, ConversationSource::kActiveToolLoop);
  EXPECT_EQ(rules.structure[0].pattern, "^\\d+\\.");
  EXPECT_EQ(rules.structure[1].feature, StructureFeature::kDensity);
  EXPECT_TRUE(rules.structure[1].case_sensitive);
  EXPECT_EQ(rules.structure[2].source, StructureSource::kSequence);
  EXPECT_THAT(rules.structure[2].sequences[1], ElementsAre("first", "finally"));
}

TEST_F(EveryKey, Projections) {
  const SignalId stem = config_->find_signal(SignalType::kDomain, "stem");
  const SignalId law = config_->find_signal(SignalType::kDomain, "law");
  const Partition& partition = config_->partitions[0];
  EXPECT_TRUE(partition.softmax);
  EXPECT_EQ(partition.temperature, 0.5);
  EXPECT_THAT(partition.members, ElementsAre(stem, law));
  EXPECT_EQ(partition.fallback, law);
  // In an order in which inputs come first, whatever the order of the file.
  ASSERT_EQ(config_->scores.size(), 2U);
  EXPECT_EQ(config_->scores[0].name, "difficulty");
  EXPECT_EQ(config_->scores[0].inputs[0].source, ValueSource::kRaw);
  EXPECT_EQ(config_->scores[0].inputs[0].match, 2);
  EXPECT_EQ(config_->scores[0].inputs[0].miss, -1);
  EXPECT_EQ(config_->scores[0].inputs[0].signal,
            config_->find_signal(SignalType::kComplexity, "task:hard"));
  EXPECT_EQ(config_->scores[1].inputs[0].score, 0);
  EXPECT_EQ(config_->scores[1].inputs[0].signal, kNoSignal);
  EXPECT_EQ(config_->scores[1].inputs[1].weight, -0.25);
  const Mapping& mapping = config_->mappings[0];
  EXPECT_TRUE(mapping.multi_emit);
  EXPECT_EQ(mapping.score, 1);
  EXPECT_EQ(mapping.slope, 10);
  EXPECT_EQ(mapping.outputs[1].signal, config_->find_signal(SignalType::kProjection, "easy_band"));
  const SignalInfo& info = config_->signals[mapping.outputs[1].signal];
  EXPECT_EQ(info.rule, 0);
  EXPECT_EQ(info.part, 1);
}

TEST_F(EveryKey, Decisions) {
  ASSERT_EQ(config_->decisions.size(), 2U);
  EXPECT_EQ(config_->strategy, Strategy::kTiered);
  const Decision& local = config_->decisions[0];
  EXPECT_EQ(local.priority, 200);
  EXPECT_EQ(local.tier, 1);
  EXPECT_EQ(local.rules.op, RuleOp::kLeaf);
  EXPECT_EQ(local.rules.signal, config_->find_signal(SignalType::kPii, "personal"));
  EXPECT_EQ(local.refs[0].lora_name, "legal");
  EXPECT_EQ(local.refs[0].weight, 1);
  EXPECT_TRUE(local.pin && local.replay_redact && local.capture_raw);
  EXPECT_EQ(local.adaptation.mode, AdaptationMode::kBypass);
  EXPECT_EQ(local.adaptation.scope, Scope::kSession);
  EXPECT_EQ(local.adaptation.tuning.min_turns_before_switch, 2U);
  EXPECT_EQ(local.adaptation.tuning.max_cache_cost_multiplier, 3);
  ASSERT_EQ(local.plugins.size(), 2U);
  EXPECT_EQ(local.plugins[0].settings.at("system_prompt"), "Stay factual.");
  EXPECT_THAT(local.plugins[1].set_headers,
              ElementsAre(Pair("x-lane", "private"), Pair("x-tier", "1"), Pair("x-set", "yes")));
  EXPECT_THAT(local.plugins[1].remove_headers, ElementsAre("x-debug"));

  const Decision& hard = config_->decisions[1];
  ASSERT_EQ(hard.rules.op, RuleOp::kOr);
  ASSERT_EQ(hard.rules.children[1].op, RuleOp::kAnd);
  EXPECT_EQ(hard.rules.children[1].children[1].op, RuleOp::kNot);
  EXPECT_EQ(hard.refs[0].use_reasoning, true);
  EXPECT_EQ(hard.refs[0].reasoning_effort, Effort::kHigh);
  EXPECT_EQ(hard.refs[1].use_reasoning, std::nullopt);
  EXPECT_EQ(hard.algorithm.type, AlgorithmType::kMultiFactor);
  EXPECT_EQ(hard.algorithm.weight_quality, 0.5);
  EXPECT_EQ(hard.algorithm.slo_ttft_ms, 900);
  EXPECT_EQ(hard.algorithm.slo_tpot_ms, 30);
  // The newer spelling; what it does not say is the global tuning.
  EXPECT_EQ(hard.adaptation.mode, AdaptationMode::kObserve);
  EXPECT_EQ(hard.adaptation.scope, Scope::kConversation);
  EXPECT_EQ(hard.adaptation.tuning.switch_margin, 0.2);
  EXPECT_EQ(hard.adaptation.tuning.cache_weight, 0.1);
}

TEST_F(EveryKey, Global) {
  EXPECT_EQ(config_->name, "every-key");
  EXPECT_THAT(config_->auto_names, ElementsAre("auto", "vllm-sr/auto", "MoM", "router", "best"));
  EXPECT_EQ(config_->header_profile, HeaderProfile::kProtection);
  const Learning& learning = config_->learning;
  EXPECT_TRUE(learning.enabled && learning.session_aware && learning.taint);
  EXPECT_EQ(learning.scope, Scope::kConversation);  // the newer spelling wins
  EXPECT_EQ(learning.session_header, "x-newer-session");
  EXPECT_EQ(learning.conversation_header, "x-team-run");
  EXPECT_FALSE(learning.derive_identity);
  EXPECT_EQ(learning.lock_max_seconds, 3'600);
  EXPECT_EQ(learning.on_lock_unavailable, OnLockUnavailable::kPortable);
  EXPECT_EQ(learning.tuning.idle_timeout_seconds, 60);
  EXPECT_EQ(learning.tuning.min_turns_before_switch, 3U);
  EXPECT_EQ(learning.tuning.switch_margin, 0.07);
  EXPECT_EQ(learning.tuning.cache_weight, 0.1);
  EXPECT_EQ(learning.policy, PolicyKind::kWeightedScore);
  EXPECT_EQ(learning.candidate_set, CandidateSet::kLadder);
  EXPECT_THAT(learning.ladder, ElementsAre(0, 1));
  EXPECT_EQ(learning.latency_usd_per_s, 0.001);
  EXPECT_EQ(learning.state_ttl_seconds, 7'200);
  EXPECT_EQ(learning.state_timeout_ms, 20U);
  const Replay& replay = config_->replay;
  EXPECT_EQ(replay.backend, StoreBackend::kMemory);
  EXPECT_FALSE(replay.async_writes || replay.is_public || replay.capture_request_body ||
               replay.capture_response_body);
  EXPECT_TRUE(replay.store_raw_identity);
  EXPECT_EQ(replay.max_records, 10U);
  EXPECT_EQ(replay.sync_interval_ms, 50U);
  EXPECT_EQ(replay.max_body_bytes, 1'000U);
  EXPECT_EQ(config_->otlp_endpoint, "http://127.0.0.1:4318");
  EXPECT_EQ(config_->trace_sampling, 0.25);
  EXPECT_EQ(config_->embedding.top_k, 2U);
  EXPECT_FALSE(config_->embedding.calibrated || config_->embedding.enable_soft_matching);
  EXPECT_EQ(config_->classifier.domain_threshold, 0.55);
}

TEST(Load, AcceptedKeysWarnOnceEach) {
  const LoadResult result = load_text(testdata("accepted.yaml"), "f", kOptions);
  ASSERT_TRUE(result.config) << format_all(result.diagnostics);
  EXPECT_EQ(result.config->name, "first");
  EXPECT_TRUE(result.config->is_auto("team/auto"));
  const SignalRules& rules = result.config->rules;
  EXPECT_EQ(rules.roles.size() + rules.events.size() + rules.kb.size() + rules.metadata.size() +
                rules.classifiers.size(),
            5U);
  EXPECT_EQ(result.config->decisions[0].rules.signal,
            result.config->find_signal(SignalType::kMetadata, "tenant"));
  EXPECT_EQ(result.config->decisions[0].plugins[0].type, "response_cache");
  std::multiset<std::string> places;
  size_t notes = 0;
  for (const Diagnostic& diagnostic : result.diagnostics) {
    notes += diagnostic.severity == Severity::kNote;
    places.insert(diagnostic.path);
  }
  EXPECT_EQ(notes, 1U);
  for (const std::string& place : places) EXPECT_EQ(places.count(place), 1U) << place;
}

// ---- defaults -----------------------------------------------------------------------------------

TEST(Load, DefaultsOfASmallRecipe) {
  const auto config = small();
  ASSERT_EQ(config->listeners.size(), 1U);
  EXPECT_EQ(config->listeners[0].port, 8899);
  EXPECT_EQ(config->listeners[0].address, "0.0.0.0");
  EXPECT_THAT(config->auto_names, ElementsAre("auto", "vllm-sr/auto", "MoM"));
  EXPECT_EQ(config->strategy, Strategy::kPriority);
  EXPECT_FALSE(config->learning.enabled || config->learning.session_aware);
  EXPECT_EQ(config->models[0].provider_model_id, "m");
  EXPECT_THAT(config->learning.ladder, IsEmpty());
}

TEST(Load, LadderIsEveryModelThatMayServeByQuality) {
  const auto config = load(
      "version: v0.3\n"
      "providers:\n"
      "  defaults: {default_model: a}\n"
      "  models: [{name: a, backend_refs: [{endpoint: h}]}, {name: b, backend_refs: [{endpoint: "
      "h}]},"
      " {name: c, backend_refs: [{endpoint: h}]}, {name: d, backend_refs: [{endpoint: h}]}]\n"
      "routing:\n"
      "  modelCards: [{name: a, quality_score: 0.9}, {name: b, quality_score: 0.2}, {name: c,"
      " quality_score: 0.5}, {name: d}]\n"
      "  decisions:\n"
      "    - {name: x, rules: {operator: AND}, modelRefs: [{model: a}, {model: b}]}\n"
      "    - {name: y, tier: 1, rules: {operator: AND}, modelRefs: [{model: c}],\n"
      "       adaptations: {session_aware: {mode: bypass}}}\n");
  EXPECT_THAT(config->learning.ladder, ElementsAre(1, 0));
  EXPECT_EQ(config->strategy, Strategy::kTiered);
  EXPECT_EQ(config->models[0].backends[0].port, 80);
}

TEST(Load, EmptyKeywordMethodIsLiteral) {
  const auto config = small("  signals: {keywords: [{name: k, method: \"\", keywords: a}]}\n");
  EXPECT_EQ(config->rules.keywords[0].method, KeywordMethod::kLiteral);
  EXPECT_THAT(config->rules.keywords[0].keywords, ElementsAre("a"));
}

TEST(Load, PartitionMembersMayNameTheirType) {
  const auto config = small(
      "  signals: {pii: [{name: law}], domains: [{name: law}, {name: math}]}\n"
      "  projections: {partitions: [{name: p, members: [law, math], default: \"domain:math\"}]}\n");
  EXPECT_THAT(config->partitions[0].members,
              ElementsAre(config->find_signal(SignalType::kDomain, "law"),
                          config->find_signal(SignalType::kDomain, "math")));
  EXPECT_EQ(config->partitions[0].fallback, config->find_signal(SignalType::kDomain, "math"));
}

TEST(Load, BackendAddresses) {
  struct Case {
    const char* ref;
    const char* host;
    uint16_t port;
    bool tls;
    const char* path;  // as it is asked
  };
  const Case kCases[] = {
      {"endpoint: \"h\"", "h", 80, false, "/v1/chat/completions"},
      {"endpoint: \"h\", protocol: https", "h", 443, true, "/v1/chat/completions"},
      {"endpoint: \"[::1]:8000\"", "::1", 8000, false, "/v1/chat/completions"},
      {"endpoint: \"h:9/proxy/\"", "h", 9, false, "/proxy/chat/completions"},
      {"endpoint: \"https://h\"", "h", 443, true, "/v1/chat/completions"},
      {"base_url: \"http://h:81/v1/\"", "h", 81, false, "/v1/chat/completions"},
      {"base_url: \"HTTPS://h/v1\", protocol: http", "h", 443, true, "/v1/chat/completions"},
      {"base_url: \"https://h/v1\", type: anthropic", "h", 443, true, "/v1/messages"},
  };
  for (const Case& one : kCases) {
    const auto config =
        load(fmt::format("version: v0.3\n"
                         "providers: {{defaults: {{default_model: m}}, models: [{{name: m, "
                         "backend_refs: [{{{}}}]}}]}}\n"
                         "routing: {{modelCards: [{{name: m}}]}}\n",
                         one.ref));
    ASSERT_EQ(config->models.size(), 1U) << one.ref;
    const BackendRef& ref = config->models[0].backends[0];
    EXPECT_EQ(ref.host, one.host) << one.ref;
    EXPECT_EQ(ref.port, one.port) << one.ref;
    EXPECT_EQ(ref.tls, one.tls) << one.ref;
    EXPECT_EQ(ref.base_path + ref.chat_path, one.path) << one.ref;
  }
}

TEST(Load, VariablesStandForNumbersToo) {
  const auto config = small("listeners: [{port: \"${PORT}\", timeout: \"${NONE:-5m}\"}]\n");
  EXPECT_EQ(config->listeners[0].port, 18080);
  EXPECT_EQ(config->listeners[0].timeout_ms, 300'000U);
}

// ---- hash ---------------------------------------------------------------------------------------

TEST(Hash, CommentsLayoutAndWrittenDefaultsDoNotCount) {
  const std::string block =
      "version: v0.3\n"
      "providers:\n"
      "  defaults:\n"
      "    default_model: \"m\"   # the only one\n"
      "    default_reasoning_effort: medium\n"
      "  models:\n"
      "    - backend_refs: [{endpoint: 'elsewhere:2', weight: 3}]\n"
      "      name: m\n"
      "routing:\n"
      "  strategy: priority\n"
      "  modelCards:\n"
      "    - name: m\n"
      "listeners: [{port: 1234}]\n"
      "global: {router: {learning: {enabled: false, policy: {quality_weight_usd: 1.0}}},\n"
      "         services: {router_replay: {enabled: false}}}\n";
  EXPECT_EQ(small()->hash, load(block)->hash);
  EXPECT_EQ(small()->hash.size(), 16U);
  EXPECT_EQ(small()->hash.find_first_not_of("0123456789abcdef"), std::string::npos);
}

TEST(Hash, PolicyCounts) {
  std::set<std::string> hashes = {small()->hash};
  const char* kChanges[] = {
      "  strategy: confidence\n",
      "  signals: {keywords: [{name: k, keywords: [a]}]}\n",
      "  signals: {keywords: [{name: k, keywords: [b]}]}\n",
      "  signals: {keywords: [{name: k, keywords: [a, b]}]}\n",
      "  signals: {keywords: [{name: k, keywords: [\"a, b\"]}]}\n",
      "  decisions: [{name: d, rules: {operator: AND}, modelRefs: [{model: m}]}]\n",
      "  decisions: [{name: d, priority: 1, rules: {operator: AND}, modelRefs: [{model: m}]}]\n",
      "global: {router: {learning: {enabled: true}}}\n",
      "global: {router: {learning: {policy: {quality_weight_usd: 2}}}}\n",
      "global: {router: {auto_model_name: best}}\n",
      "global: {model_catalog: {modules: {prompt_guard: {threshold: 0.6}}}}\n",
  };
  for (const char* change : kChanges) {
    EXPECT_TRUE(hashes.insert(small(change)->hash).second) << change;
  }
}

TEST(Hash, LoadingAgainGivesTheSame) {
  const std::string text = testdata("every_key.yaml");
  EXPECT_EQ(load(text)->hash, load(text)->hash);
}

// ---- files and sizes ----------------------------------------------------------------------------

TEST(Load, FileThatIsNotThere) {
  const LoadResult result = load_file(VSR_TEST_DIR "/testdata/nothing.yaml", kOptions);
  EXPECT_FALSE(result.config);
  EXPECT_THAT(format_all(result.diagnostics), HasSubstr("cannot open"));
}

TEST(Load, FileNameIsInTheDiagnostics) {
  const std::string path = VSR_TEST_DIR "/testdata/accepted.yaml";
  const LoadResult result = load_file(path, kOptions);
  ASSERT_TRUE(result.config);
  EXPECT_EQ(result.config->file, path);
  EXPECT_EQ(result.diagnostics[0].file, path);
}

TEST(Load, ManyRulesLoad) {
  std::string text = "  signals:\n    keywords:\n";
  for (int i = 0; i < 5'000; ++i) {
    text += fmt::format("      - {{name: rule{}, keywords: [alpha{}, beta{}]}}\n", i, i, i);
  }
  const auto config = small(text);
  EXPECT_EQ(config->signals.size(), 5'000U);
  EXPECT_EQ(config->signals[4'999].name, "rule4999");
}

TEST(Load, TooManySignalsAreRefused) {
  std::string text = "  signals:\n    keywords:\n";
  for (size_t i = 0; i <= kSignalsMax; ++i) {
    text += fmt::format("      - {{name: r{}, keywords: [a]}}\n", i);
  }
  const LoadResult result = load_text(std::string(kSmall) + text, "f", kOptions);
  EXPECT_FALSE(result.config);
  EXPECT_THAT(format_all(result.diagnostics), HasSubstr("more than 16384 signals"));
}

TEST(Load, AFloodOfProblemsIsCut) {
  std::string text = "listeners:\n";
  for (int i = 0; i < 3'000; ++i) text += "  - 1\n";
  const LoadResult result = load_text(std::string(kSmall) + text, "f", kOptions);
  EXPECT_FALSE(result.config);
  EXPECT_LE(result.diagnostics.size(), kDiagnosticsMax + 1);
  EXPECT_EQ(result.diagnostics.back().message, "2000 more problems are not shown");
}

}  // namespace
}  // namespace vsr::config
