#pragma once

// A recipe (`version: v0.3`) as typed, immutable values. Loading (load.h) fills in every default
// and resolves every name, so that readers of a Config never look anything up by string on the
// request path. Shared between threads as shared_ptr<const Config>; a reload makes a new one.

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/signal.h"

namespace vsr::config {

struct Position {
  int line = 0;  // from 1; 0 = not from a file
  int column = 0;
};

// ---- listeners ----------------------------------------------------------------------------------

struct RateLimit {
  double requests_per_minute = 0;  // 0 = no limit
  uint32_t burst = 0;
};

struct ApiKey {
  std::string name;
  std::string key;
  std::vector<std::string> models;  // empty = all
  std::optional<RateLimit> rate_limit;
};

struct TlsFiles {
  std::string cert;
  std::string key;
};

struct Listener {
  std::string name = "default";
  std::string address = "0.0.0.0";
  uint16_t port = 8899;
  uint64_t timeout_ms = 1'200'000;
  std::vector<ApiKey> api_keys;
  std::vector<std::string> cors_origins;
  uint64_t max_body_bytes = 64ULL << 20;
  std::optional<TlsFiles> tls;
};

// ---- models -------------------------------------------------------------------------------------

struct Pricing {
  std::string currency = "USD";
  double prompt_per_1m = 0;
  double cached_input_per_1m = 0;
  std::optional<double> cache_write_per_1m;  // absent: the prompt price
  double completion_per_1m = 0;
};

enum class ReasoningType : uint8_t { kChatTemplateKwargs, kReasoningEffort };
enum class Effort : uint8_t { kLow, kMedium, kHigh };
std::string_view to_string(Effort effort);

struct ReasoningFamily {
  std::string name;
  ReasoningType type = ReasoningType::kChatTemplateKwargs;
  std::string parameter;  // e.g. "enable_thinking"
};

struct HealthCheck {
  std::string path;
  uint64_t interval_ms = 10'000;
};

enum class BackendType : uint8_t { kVllm, kOpenAi, kAnthropic, kLlamaCpp, kOther };
enum class ApiFormat : uint8_t { kOpenAi, kAnthropic };

struct BackendRef {
  std::string name;
  std::string host;
  uint16_t port = 80;
  bool tls = false;
  std::string base_path;  // "" or "/v1" style prefix of base_url, without a trailing slash
  uint32_t weight = 1;    // 0 in the file counts as 1
  BackendType type = BackendType::kVllm;
  std::string api_key;  // already read from api_key_env
  std::string auth_header = "authorization";
  std::string auth_prefix = "Bearer ";
  std::vector<std::pair<std::string, std::string>> extra_headers;
  std::string chat_path = "/v1/chat/completions";
  std::string api_version;
  bool forward_client_authorization = false;
  std::optional<HealthCheck> health;
};

struct Reliability {
  uint64_t connect_timeout_ms = 5'000;
  uint64_t first_byte_timeout_ms = 300'000;
  uint64_t idle_timeout_ms = 300'000;
  uint32_t retries = 1;
  uint32_t outlier_consecutive_errors = 5;
  uint64_t outlier_ejection_ms = 30'000;
};

struct PromptCache {
  double ttl_seconds = 300;
  uint64_t min_tokens = 0;
  std::string scope;
};

struct Lora {
  std::string name;
  std::string description;
};

// providers.models[] joined with routing.modelCards[] by name.
struct Model {
  std::string name;
  Position position;
  std::optional<uint16_t> reasoning_family;  // index into Config::reasoning_families
  std::string provider_model_id;             // what the backend is asked for; default: name
  std::map<std::string, std::string> external_model_ids;
  ApiFormat api_format = ApiFormat::kOpenAi;
  std::optional<Pricing> pricing;
  PromptCache cache;
  Reliability reliability;
  std::vector<BackendRef> backends;

  // From the card.
  std::string param_size;
  uint64_t context_window_size = 0;  // 0 = unknown, never filtered by it
  std::string description;
  std::vector<std::string> capabilities;
  std::vector<Lora> loras;
  std::optional<double> quality_score;  // 0..1
  std::string modality;
  std::vector<std::string> tags;
};
using ModelId = uint16_t;
constexpr ModelId kNoModel = 0xffff;

// ---- signals ------------------------------------------------------------------------------------

enum class KeywordOperator : uint8_t { kAnd, kOr, kNor };
enum class KeywordMethod : uint8_t { kLiteral, kRegex, kBm25, kNgram };

// What every rule has. `on_error_match`: a failed or late classifier counts as matched.
struct RuleBase {
  std::string name;
  std::string description;
  Position position;
  bool include_history = false;
  bool on_error_match = false;
};

struct KeywordRule : RuleBase {
  KeywordOperator op = KeywordOperator::kOr;
  KeywordMethod method = KeywordMethod::kLiteral;
  std::vector<std::string> keywords;
  bool case_sensitive = false;
  bool fuzzy_match = false;
  int fuzzy_threshold = 2;  // edits
  double bm25_threshold = 0.1;
  double ngram_threshold = 0.4;
  int ngram_arity = 3;
};

enum class Aggregation : uint8_t { kMax, kMean, kAny };

struct EmbeddingRule : RuleBase {
  std::vector<std::string> candidates;
  double threshold = 0.5;
  Aggregation aggregation = Aggregation::kMax;
  std::string query_modality = "text";
};

struct DomainRule : RuleBase {
  std::vector<std::string> labels;  // of the 14; never empty after loading
};

enum class ComplexityMethod : uint8_t { kContrastive, kClassifier };

struct ComplexityRule : RuleBase {
  ComplexityMethod method = ComplexityMethod::kClassifier;
  std::vector<std::string> hard_candidates;
  std::vector<std::string> easy_candidates;
  double threshold = 0.1;
};

struct PiiRule : RuleBase {
  double threshold = 0.5;
  std::vector<std::string> types_allowed;
  std::vector<Position> types_allowed_at;  // of each
};

enum class JailbreakMethod : uint8_t { kClassifier, kContrastive, kHybrid };

struct JailbreakRule : RuleBase {
  JailbreakMethod method = JailbreakMethod::kClassifier;
  double threshold = 0.5;
  std::vector<std::string> jailbreak_patterns;
  std::vector<std::string> benign_patterns;
};

struct ContextRule : RuleBase {
  uint64_t min_tokens = 0;
  uint64_t max_tokens = UINT64_MAX;
};

// Bounds of a number; absent bounds always hold.
struct Predicate {
  std::optional<double> gt, gte, lt, lte;
  bool holds(double x) const {
    return (!gt || x > *gt) && (!gte || x >= *gte) && (!lt || x < *lt) && (!lte || x <= *lte);
  }
};

enum class ConversationSource : uint8_t {
  kMessage,
  kToolDefinition,
  kAssistantToolCall,
  kAssistantToolCycle,
  kActiveToolLoop,
};

struct ConversationRule : RuleBase {
  bool count = true;  // false: exists
  ConversationSource source = ConversationSource::kMessage;
  std::string role;  // "" = any; "non_user" = every role but user
  Predicate predicate;
};

enum class StructureFeature : uint8_t { kExists, kCount, kDensity, kSequence };
enum class StructureSource : uint8_t { kRegex, kKeywordSet, kSequence };

struct StructureRule : RuleBase {
  StructureFeature feature = StructureFeature::kExists;
  StructureSource source = StructureSource::kRegex;
  std::string pattern;
  std::vector<std::string> keywords;
  std::vector<std::vector<std::string>> sequences;
  bool case_sensitive = false;
  Predicate predicate;
};

struct LanguageRule : RuleBase {
  std::string code;  // ISO 639-1, from the rule's name
  double threshold = 0.5;
};

// A field of the request's `metadata`, or one of its headers.
struct MetadataRule : RuleBase {
  bool header = false;
  std::string key;                  // of a header in lower case
  std::vector<std::string> values;  // it is one of them; empty: it is there
  bool case_sensitive = false;
  Predicate predicate;  // of its number
};

// What the request reports, in its metadata or headers. Lists that are empty take anything.
struct EventRule : RuleBase {
  std::vector<std::string> event_types;
  std::vector<std::string> severities;
  std::vector<std::string> action_codes;
  bool temporal = false;  // it must say when
};

// Who has the role that is the rule's name.
struct RoleRule : RuleBase {
  std::vector<std::string> users;
  std::vector<std::string> groups;
};

enum class ClassifierModel : uint8_t {
  kDomain,  // heads that are built in, in the order of kClassifierModels
  kDifficulty,
  kHarmful,
  kJailbreak,
  kExamples,  // by likeness to the rule's examples
  kExternal,  // a service that is not there
};

struct ClassifierRule : RuleBase {
  ClassifierModel model = ClassifierModel::kExternal;
  std::vector<std::string> labels;  // whose probabilities are added
  double threshold = 0.5;
  std::vector<std::string> examples;
  std::vector<std::string> counter_examples;
  std::string missing;  // of kExternal: what is not there
};
// Names of the heads by ClassifierModel, and their labels.
struct ClassifierHead {
  std::string_view name;
  std::vector<std::string_view> labels;
};
const std::vector<ClassifierHead>& classifier_heads();

constexpr uint16_t kNoIndex = 0xffff;

struct KbLabel {
  std::string name;
  std::vector<std::string> exemplars;
  double threshold = 0.5;
};
struct KbGroup {
  std::string name;
  std::vector<uint16_t> labels;
};
enum class KbMetricType : uint8_t { kBestScore, kBestMatchedScore, kGroupMargin };
struct KbMetric {
  std::string name;
  KbMetricType type = KbMetricType::kBestScore;
  uint16_t positive = kNoIndex;  // groups of a margin
  uint16_t negative = kNoIndex;
};
struct KnowledgeBase {
  std::string name;
  Position position;
  std::vector<KbLabel> labels;
  std::vector<KbGroup> groups;
  std::vector<KbMetric> metrics;  // those that every one has come first
  std::string problem;            // why it has no labels, "" if it has
  bool from_file = false;         // labels are in a file beside the recipe
};
constexpr size_t kKbLabelsMax = 1'000;
constexpr size_t kKbExemplarsMax = 10'000;  // of one knowledge base

struct KbRule : RuleBase {
  uint16_t kb = kNoIndex;  // set in every recipe that loads
  std::string kb_name;
  bool is_group = false;
  uint16_t target = 0;  // index of the label or group
  bool best = true;     // it must be the best one; otherwise its own threshold is enough
};

// Rules of the types from reask to modality.
struct OtherRule : RuleBase {
  SignalType type = SignalType::kReask;
  double threshold = 0.5;
  uint32_t lookback_turns = 3;        // reask: user prompts before this one that are compared
  std::vector<std::string> examples;  // preference: its description is one of them
};
constexpr int64_t kLookbackTurnsMax = 16;

struct SignalRules {
  std::vector<KeywordRule> keywords;
  std::vector<EmbeddingRule> embeddings;
  std::vector<DomainRule> domains;
  std::vector<ComplexityRule> complexity;
  std::vector<PiiRule> pii;
  std::vector<JailbreakRule> jailbreak;
  std::vector<ContextRule> context;
  std::vector<ConversationRule> conversation;
  std::vector<StructureRule> structure;
  std::vector<LanguageRule> language;
  std::vector<OtherRule> others;
  std::vector<RoleRule> roles;
  std::vector<EventRule> events;
  std::vector<KbRule> kb;
  std::vector<MetadataRule> metadata;
  std::vector<ClassifierRule> classifiers;
  std::vector<KnowledgeBase> knowledge_bases;
};

// Where a request says who sent it: headers that a proxy in front sets.
struct AuthzConfig {
  std::string user_id_header = "x-authz-user-id";
  std::string user_groups_header = "x-authz-user-groups";  // names with commas between them
};

struct EmbeddingConfig {
  uint32_t top_k = 1;  // 0 = all
  double min_score_threshold = 0.5;
  bool enable_soft_matching = true;
  bool calibrated = true;
};

struct ClassifierConfig {
  double domain_threshold = 0.5;
  double pii_threshold = 0.5;
  double jailbreak_threshold = 0.5;
};

// ---- projections --------------------------------------------------------------------------------

struct Partition {
  std::string name;
  bool softmax = false;
  double temperature = 1;
  std::vector<SignalId> members;
  SignalId fallback = kNoSignal;  // `default`
};

enum class ValueSource : uint8_t { kBinary, kConfidence, kRaw };

struct ScoreInput {
  SignalId signal = kNoSignal;  // or
  uint16_t score = 0xffff;      // another score (type: projection)
  double weight = 0;
  ValueSource source = ValueSource::kBinary;
  double match = 1;
  double miss = 0;
};

// In topological order: an input never names a later score.
struct Score {
  std::string name;
  std::vector<ScoreInput> inputs;
};

struct MappingOutput {
  std::string name;
  SignalId signal = kNoSignal;  // the projection signal of this output
  Predicate bounds;
};

struct Mapping {
  std::string name;
  uint16_t score = 0;
  bool multi_emit = false;
  double slope = 12;
  std::vector<MappingOutput> outputs;
};

// ---- decisions ----------------------------------------------------------------------------------

enum class RuleOp : uint8_t { kLeaf, kAnd, kOr, kNot };

struct RuleNode {
  RuleOp op = RuleOp::kAnd;
  SignalId signal = kNoSignal;  // kLeaf only
  std::vector<RuleNode> children;
};

struct ModelRef {
  ModelId model = kNoModel;
  std::string lora_name;
  std::optional<double> weight;
  std::optional<bool> use_reasoning;
  std::optional<Effort> reasoning_effort;
};

enum class AlgorithmType : uint8_t { kStatic, kMultiFactor, kLatencyAware, kRouterDc, kKnn };

// What a model made of a prompt once: 0 bad, 1 good.
struct Outcome {
  std::string prompt;
  ModelId model = kNoModel;
  double quality = 1;
};
constexpr size_t kOutcomesMax = 5'000;  // of one decision

struct Algorithm {
  std::string name = "static";  // as written; anything not supported acts as static
  AlgorithmType type = AlgorithmType::kStatic;
  double weight_quality = 0, weight_latency = 0, weight_cost = 0, weight_load = 0;
  double slo_ttft_ms = 0;      // 0 = none
  double slo_tpot_ms = 0;      // 0 = none
  double ttft_percentile = 0;  // latency_aware; 0 = not asked for
  double tpot_percentile = 0;
  double min_similarity = 0;      // router_dc: below it the first ref serves
  bool use_capabilities = false;  // router_dc: they are added to the description
  uint32_t neighbours = 5;        // knn
  std::vector<Outcome> outcomes;
  bool outcomes_from_file = false;
};

enum class AdaptationMode : uint8_t { kApply, kObserve, kBypass };
enum class Scope : uint8_t { kConversation, kSession };
std::string_view to_string(AdaptationMode mode);
std::string_view to_string(Scope scope);

struct Tuning {
  double idle_timeout_seconds = 300;
  uint32_t min_turns_before_switch = 1;
  double switch_margin = 0.05;
  double cache_weight = 0.20;
  double handoff_penalty = 0.05;
  double handoff_penalty_weight = 1;
  double switch_history_weight = 0.04;
  double max_cache_cost_multiplier = 2.5;
};

struct Adaptation {
  AdaptationMode mode = AdaptationMode::kApply;
  Scope scope = Scope::kConversation;  // the global one unless the decision says otherwise
  Tuning tuning;                       // merged over the global one
};

struct Plugin {
  std::string type;  // canonical name
  bool enabled = true;
  Position position;
  std::map<std::string, std::string> settings;  // flattened scalar settings, dotted names
  std::vector<std::pair<std::string, std::string>> set_headers;  // header_mutation
  std::vector<std::string> remove_headers;
};

struct Decision {
  std::string name;
  std::string description;
  Position position;
  int priority = 0;
  int tier = 0;  // 0 = none, sorts after every positive tier
  RuleNode rules;
  std::vector<ModelRef> refs;
  Algorithm algorithm;
  Adaptation adaptation;
  bool pin = false;            // never laddered
  bool replay_redact = false;  // replay: redact
  bool capture_raw = false;    // capture: raw
  std::vector<Plugin> plugins;
};

enum class Strategy : uint8_t { kTiered, kPriority, kConfidence };
std::string_view to_string(Strategy strategy);

// ---- global -------------------------------------------------------------------------------------

enum class PolicyKind : uint8_t { kExpectedCost, kWeightedScore };
enum class CandidateSet : uint8_t { kDecision, kLadderAfterFirst, kAtLeast, kLadder };
enum class OnLockUnavailable : uint8_t { kFail, kSameModelElsewhere, kPortable };

struct Learning {
  bool enabled = false;
  bool session_aware = false;
  Scope scope = Scope::kConversation;
  std::string session_header = "x-session-id";
  std::string conversation_header = "x-conversation-id";
  bool derive_identity = true;
  double lock_max_seconds = 86'400;
  OnLockUnavailable on_lock_unavailable = OnLockUnavailable::kFail;
  bool taint = false;
  Tuning tuning;
  PolicyKind policy = PolicyKind::kExpectedCost;
  double quality_weight_usd = 1.0;
  CandidateSet candidate_set = CandidateSet::kDecision;
  // Ascending quality_score: the explicit list, or all models of non-bypass decisions.
  std::vector<ModelId> ladder;
  double latency_usd_per_s = 0;
  bool state_store_redis = false;
  double state_ttl_seconds = 86'400;
  uint64_t state_timeout_ms = 50;
};

enum class StoreBackend : uint8_t { kMemory, kSqlite, kPostgres, kRedis };
std::string_view to_string(StoreBackend backend);

struct Replay {
  bool enabled = true;
  StoreBackend backend = StoreBackend::kSqlite;
  double ttl_seconds = 2'592'000;
  bool async_writes = true;
  bool is_public = true;
  bool store_raw_identity = false;
  uint64_t max_records = 1'000'000;
  uint64_t sync_interval_ms = 200;
  bool capture_request_body = true;
  bool capture_response_body = true;
  uint64_t max_body_bytes = 65'536;
};

enum class HeaderProfile : uint8_t { kGuide, kProtection, kMinimal };

struct Config {
  std::string file;  // as given; for messages
  std::string name;  // of the recipe, "" if it has none
  std::string hash;  // 16 hex digits over the policy, `policy_version` of records
  std::vector<Listener> listeners;

  std::vector<Model> models;  // in the order of the file
  std::vector<ReasoningFamily> reasoning_families;
  ModelId default_model = kNoModel;
  Effort default_effort = Effort::kMedium;

  SignalRules rules;
  EmbeddingConfig embedding;
  ClassifierConfig classifier;
  AuthzConfig authz;
  std::vector<SignalInfo> signals;  // index = SignalId; projections last
  // By SignalId: over all that the recipe says about the rule. The same hash, the same rule.
  std::vector<uint64_t> rule_hashes;
  std::vector<Partition> partitions;
  std::vector<Score> scores;
  std::vector<Mapping> mappings;
  std::vector<Decision> decisions;
  Strategy strategy = Strategy::kPriority;

  std::vector<std::string> auto_names;  // lists first in /v1/models; "auto" and its aliases
  HeaderProfile header_profile = HeaderProfile::kGuide;
  Learning learning;
  Replay replay;
  std::string otlp_endpoint;
  double trace_sampling = 0;

  // kNoModel / kNoSignal if there is none of that name.
  ModelId find_model(std::string_view model_name) const;
  SignalId find_signal(SignalType type, std::string_view signal_name) const;
  bool is_auto(std::string_view model_name) const;
};

}  // namespace vsr::config
