#include "gateway/route_headers.h"

#include <fmt/format.h>

#include <array>

namespace vsr::gateway {

namespace {

using config::SignalType;

struct Family {
  SignalType type;
  std::string_view header;
};
// One for each type of signal.
constexpr std::array<Family, config::kSignalTypes> kMatched = {{
    {SignalType::kKeyword, "x-vsr-matched-keywords"},
    {SignalType::kEmbedding, "x-vsr-matched-embeddings"},
    {SignalType::kDomain, "x-vsr-matched-domains"},
    {SignalType::kComplexity, "x-vsr-matched-complexity"},
    {SignalType::kPii, "x-vsr-matched-pii"},
    {SignalType::kJailbreak, "x-vsr-matched-jailbreak"},
    {SignalType::kConversation, "x-vsr-matched-conversation"},
    {SignalType::kStructure, "x-vsr-matched-structure"},
    {SignalType::kContext, "x-vsr-matched-context"},
    {SignalType::kLanguage, "x-vsr-matched-language"},
    {SignalType::kReask, "x-vsr-matched-reask"},
    {SignalType::kUserFeedback, "x-vsr-matched-user-feedback"},
    {SignalType::kFactCheck, "x-vsr-matched-fact-check"},
    {SignalType::kPreference, "x-vsr-matched-preference"},
    {SignalType::kModality, "x-vsr-matched-modality"},
    {SignalType::kAuthz, "x-vsr-matched-authz"},
    {SignalType::kEvent, "x-vsr-matched-event"},
    {SignalType::kKb, "x-vsr-matched-kb"},
    {SignalType::kMetadata, "x-vsr-matched-metadata"},
    {SignalType::kClassifier, "x-vsr-matched-classifier"},
    {SignalType::kProjection, "x-vsr-matched-projections"},
}};

void add_matched(const router::Decision& decision, http::HeaderText& out) {
  std::array<std::string, kMatched.size()> lists;
  const auto& values = decision.values.signals;
  for (size_t id = 0; id < values.size(); ++id) {
    if (!values[id].matched) continue;
    const config::SignalInfo& info = decision.config->signals[id];
    for (size_t f = 0; f < kMatched.size(); ++f) {
      if (kMatched[f].type != info.type) continue;
      if (!lists[f].empty()) lists[f] += ',';
      lists[f] += header_item(info.name);
    }
  }
  for (size_t f = 0; f < kMatched.size(); ++f) {
    if (!lists[f].empty()) out.add(kMatched[f].header, lists[f]);
  }
}

void add_learning(const router::Decision& decision, http::HeaderText& out) {
  const learning::Verdict& verdict = decision.verdict;
  if (verdict.action == learning::Action::kNone) return;
  const std::string_view action = learning::to_string(verdict.action);
  const std::string_view reason = verdict.reason;
  const std::string_view scope = config::to_string(verdict.scope);
  const std::string_view mode = config::to_string(verdict.mode);
  if (decision.config->header_profile == config::HeaderProfile::kProtection) {
    const bool moved = decision.model != decision.proposal;
    std::string_view word = "hold_current";
    if (verdict.action == learning::Action::kHardLock) word = "hard_lock";
    if (verdict.action == learning::Action::kBypass) word = "bypass";
    if (verdict.action == learning::Action::kNoop) word = "noop";
    if (verdict.action == learning::Action::kSelect ||
        verdict.action == learning::Action::kSwitch) {
      word = "allow_switch";
    }
    out.add("x-vsr-learning-methods", "adaptation,protection");
    out.add("x-vsr-learning-actions",
            fmt::format("adaptation={},protection={}", moved ? "propose" : "keep_base", word));
    out.add("x-vsr-learning-scopes", fmt::format("protection={}", scope));
    out.add("x-vsr-learning-reasons", fmt::format("protection={}", reason));
    out.add("x-vsr-learning-modes", fmt::format("adaptation={},protection={}", mode, mode));
    return;
  }
  out.add("x-vsr-learning-methods", "session_aware");
  out.add("x-vsr-learning-actions", fmt::format("session_aware={}", action));
  out.add("x-vsr-learning-scopes", fmt::format("session_aware={}", scope));
  out.add("x-vsr-learning-reasons", fmt::format("session_aware={}", reason));
  out.add("x-vsr-learning-modes", fmt::format("session_aware={}", mode));
}

}  // namespace

std::string header_item(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte >= 0x7f || c == ',' || c == '%') {
      out += fmt::format("%{:02X}", byte);
    } else {
      out += c;
    }
  }
  return out;
}

void add_route_headers(const router::Decision& decision, const RouteHeaderFacts& facts,
                       http::HeaderText& out) {
  const config::Config& config = *decision.config;
  const bool minimal = config.header_profile == config::HeaderProfile::kMinimal;
  if (decision.model != config::kNoModel) {
    const std::string model = header_item(config.models[decision.model].name);
    out.add("x-vsr-selected-model", model);
    if (!minimal) out.add("x-selected-model", model);
  }
  if (const config::Decision* rule = decision.rule()) {
    out.add("x-vsr-selected-decision", header_item(rule->name));
  }
  if (!facts.replay_id.empty()) out.add("x-vsr-replay-id", facts.replay_id);
  if (minimal) return;
  if (!decision.category.empty()) {
    out.add("x-vsr-selected-category", header_item(decision.category));
  }
  if (decision.rule() != nullptr) {
    out.add("x-vsr-selected-confidence", fmt::format("{:.4f}", decision.confidence));
  }
  if (decision.reasoning) out.add("x-vsr-selected-reasoning", *decision.reasoning ? "on" : "off");
  out.add("x-vsr-session-phase", router::to_string(decision.phase));
  add_learning(decision, out);
  out.add("x-vsr-context-token-count", fmt::format("{}", decision.facts.needs.context_tokens));
  add_matched(decision, out);
  if (facts.response_path == "cache") out.add("x-vsr-cache-hit", "true");
  out.add("x-vsr-response-path", facts.response_path);
  out.add("x-vsr-schema-version", "2");
  if (facts.routing_us >= 0) {
    out.add("x-vsr-routing-latency-us", fmt::format("{}", facts.routing_us));
  }
}

void add_retry_after(const wire::ApiError& error, http::HeaderText& out) {
  if ((error.status != 429 && error.status != 503) || error.retry_after_s == 0) return;
  out.add("retry-after", std::to_string(error.retry_after_s));
}

}  // namespace vsr::gateway
