#include "config/keys.h"

namespace vsr::config {
namespace {
using enum ValueType;

constexpr KeyRow kRows[] = {
    {"routing.decisions", kList},
    {"routing.decisions[]", kMap},
    {"routing.decisions[].name", kText},
    {"routing.decisions[].description", kText, "", "", Use::kNeedless},
    {"routing.decisions[].priority", kInteger, "0"},
    {"routing.decisions[].tier", kCount, "0"},

    {"routing.decisions[].rules", kMap},
    {"routing.decisions[].rules.operator", kChoice, "", "AND|OR|NOT"},
    {"routing.decisions[].rules.type", kText},
    {"routing.decisions[].rules.name", kText},
    {"routing.decisions[].rules.conditions", kList},
    {"routing.decisions[].rules.conditions[]", kLink, "", "routing.decisions[].rules"},

    {"routing.decisions[].modelRefs", kList},
    {"routing.decisions[].modelRefs[]", kMap},
    {"routing.decisions[].modelRefs[].model", kText},
    {"routing.decisions[].modelRefs[].lora_name", kText},
    {"routing.decisions[].modelRefs[].weight", kAmount},
    {"routing.decisions[].modelRefs[].use_reasoning", kBool},
    {"routing.decisions[].modelRefs[].reasoning_effort", kChoice, "", "low|medium|high"},
    {"routing.decisions[].modelRefs[].reasoning_description", kText, "", "", Use::kAccepted},

    {"routing.decisions[].algorithm", kMap},
    {"routing.decisions[].algorithm.type", kText, "static"},
    {"routing.decisions[].algorithm.on_error", kText, "", "", Use::kAccepted},
    {"routing.decisions[].algorithm.multi_factor", kMap},
    {"routing.decisions[].algorithm.multi_factor.weights", kMap},
    {"routing.decisions[].algorithm.multi_factor.weights.quality", kAmount},
    {"routing.decisions[].algorithm.multi_factor.weights.latency", kAmount},
    {"routing.decisions[].algorithm.multi_factor.weights.cost", kAmount},
    {"routing.decisions[].algorithm.multi_factor.weights.load", kAmount},
    {"routing.decisions[].algorithm.multi_factor.slo", kMap},
    {"routing.decisions[].algorithm.multi_factor.slo.ttft_ms", kAmount},
    {"routing.decisions[].algorithm.multi_factor.slo.max_ttft_ms", kAmount},
    {"routing.decisions[].algorithm.multi_factor.slo.tpot_ms", kAmount, "", "", Use::kAccepted},
    {"routing.decisions[].algorithm.multi_factor.slo.max_tpot_ms", kAmount, "", "", Use::kAccepted},
    // Parameters of other algorithms: the warning about the algorithm says it all.
    {"routing.decisions[].algorithm.static", kAny, "", "", Use::kNeedless},
    {"routing.decisions[].algorithm.latency_aware", kAny, "", "", Use::kNeedless},
    {"routing.decisions[].algorithm.router_dc", kAny, "", "", Use::kNeedless},
    {"routing.decisions[].algorithm.knn", kAny, "", "", Use::kNeedless},
    {"routing.decisions[].algorithm.confidence", kAny, "", "", Use::kNeedless},
    {"routing.decisions[].algorithm.ratings", kAny, "", "", Use::kNeedless},
    {"routing.decisions[].algorithm.remom", kAny, "", "", Use::kNeedless},
    {"routing.decisions[].algorithm.elo", kAny, "", "", Use::kNeedless},
    {"routing.decisions[].algorithm.automix", kAny, "", "", Use::kNeedless},
    {"routing.decisions[].algorithm.hybrid", kAny, "", "", Use::kNeedless},
    {"routing.decisions[].algorithm.rl_driven", kAny, "", "", Use::kNeedless},
    {"routing.decisions[].algorithm.gmtrouter", kAny, "", "", Use::kNeedless},
    {"routing.decisions[].algorithm.kmeans", kAny, "", "", Use::kNeedless},
    {"routing.decisions[].algorithm.svm", kAny, "", "", Use::kNeedless},
    {"routing.decisions[].algorithm.mlp", kAny, "", "", Use::kNeedless},

    {"routing.decisions[].adaptations", kMap, "", "", Use::kUsed, kStrict},
    {"routing.decisions[].adaptations.session_aware", kMap},
    {"routing.decisions[].adaptations.session_aware.mode", kChoice, "apply",
     "apply|observe|bypass"},
    {"routing.decisions[].adaptations.session_aware.scope", kChoice, "", "conversation|session"},
    {"routing.decisions[].adaptations.session_aware.tuning", kMap},
    {"routing.decisions[].adaptations.session_aware.tuning.idle_timeout_seconds", kAmount},
    {"routing.decisions[].adaptations.session_aware.tuning.min_turns_before_switch", kCount},
    {"routing.decisions[].adaptations.session_aware.tuning.switch_margin", kAmount},
    {"routing.decisions[].adaptations.session_aware.tuning.cache_weight", kAmount},
    {"routing.decisions[].adaptations.session_aware.tuning.handoff_penalty", kAmount},
    {"routing.decisions[].adaptations.session_aware.tuning.handoff_penalty_weight", kAmount},
    {"routing.decisions[].adaptations.session_aware.tuning.switch_history_weight", kAmount},
    {"routing.decisions[].adaptations.session_aware.tuning.max_cache_cost_multiplier", kAmount},
    {"routing.decisions[].adaptations.mode", kChoice, "", "apply|observe|bypass"},
    {"routing.decisions[].adaptations.adaptation", kMap, "", "", Use::kUsed, kOptional},
    {"routing.decisions[].adaptations.adaptation.enabled", kBool, "", "", Use::kAccepted},
    {"routing.decisions[].adaptations.adaptation.mode", kChoice, "", "apply|observe|bypass",
     Use::kAccepted},
    {"routing.decisions[].adaptations.adaptation.candidate_set", kText, "", "", Use::kAccepted},
    {"routing.decisions[].adaptations.adaptation.strategy", kText, "", "", Use::kAccepted},
    {"routing.decisions[].adaptations.protection", kMap, "", "", Use::kUsed, kOptional},
    {"routing.decisions[].adaptations.protection.mode", kChoice, "", "apply|observe|bypass"},
    {"routing.decisions[].adaptations.protection.scope", kChoice, "", "conversation|session"},
    {"routing.decisions[].adaptations.protection.switch_margin", kAmount},
    {"routing.decisions[].adaptations.protection.stability_weight", kAmount, "", "",
     Use::kAccepted},

    {"routing.decisions[].pin", kBool, "false"},
    {"routing.decisions[].replay", kChoice, "", "redact", Use::kUsed, kOperator},
    {"routing.decisions[].capture", kChoice, "", "raw", Use::kUsed, kOperator},

    {"routing.decisions[].plugins", kList},
    {"routing.decisions[].plugins[]", kMap},
    {"routing.decisions[].plugins[].type", kText},
    {"routing.decisions[].plugins[].configuration", kAny},
};

}  // namespace

std::span<const KeyRow> decision_keys() { return kRows; }

}  // namespace vsr::config
