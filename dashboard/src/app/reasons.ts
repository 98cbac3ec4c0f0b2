// Why learning did what it did, as a sentence for somebody who has never read the code.
import type { ReplayRecord, Verdict } from "../api/client";
import { shortModel, usd } from "./format";

// What learning said of a request; nothing if it was off, or the request failed before.
export function verdictOf(record: ReplayRecord): Verdict | undefined {
  const verdict = record.learning?.adaptations?.session_aware ?? record.session_policy;
  return verdict?.action ? verdict : undefined;
}

// Reasons as the API has them, in a few words for lists.
const short: Record<string, string> = {
  missing_previous_model: "first turn",
  stay_has_best_adjusted_score: "still the best",
  switch_margin_not_met: "gain too small",
  cache_protected: "its cache is warm",
  demand_protected: "the task needs it",
  switch_allowed: "worth the price",
  "switch_allowed:ladder": "lowest expected cost",
  "switch_allowed:owner_unavailable": "its model is gone",
  session_scope_protect: "kept for the session",
  decision_bypass: "by the decision alone",
  explicit_model: "asked for by name",
  auxiliary_request: "helper request",
  identity_missing: "no session or conversation",
  lock_expired: "the lock is too old",
  "hard_lock=tool_loop": "tool result due",
  "hard_lock=min_turns": "too soon to change",
};

export function shortReason(reason: string | undefined): string {
  if (!reason) return "";
  if (reason.startsWith("hard_lock=context_portability")) return "state of one provider";
  return short[reason] ?? reason.replaceAll("_", " ");
}

const portability: Record<string, string> = {
  previous_response_id: "it continues a response that only this provider has stored",
  conversation: "it continues a conversation that only this provider has stored",
  item_reference: "it refers to an item that only this provider has stored",
  thinking: "it carries signed thinking that only this provider accepts",
  thought_signature: "it carries a thought signature that only this provider accepts",
  encrypted_content: "it carries encrypted reasoning that only this provider can read",
  server_tool: "it uses a tool that runs at this provider",
  file: "it refers to a file that only this provider holds",
};

export function explain(verdict: Verdict): string {
  const model = shortModel(verdict.final_model);
  const proposal = shortModel(verdict.proposal_model);
  const previous = shortModel(verdict.previous_model);
  const reason = verdict.reason;
  if (reason === "hard_lock=tool_loop") {
    return `Locked to ${model}: a result of a tool call that ${model} made is being delivered, so no other model may answer.`;
  }
  if (reason.startsWith("hard_lock=context_portability")) {
    const why = portability[reason.split(":")[1] ?? ""] ?? "it carries state that only this provider can use";
    return `Locked to ${model}: ${why}.`;
  }
  const score = (name: string) => verdict.candidates.find((one) => one.model === name);
  const wanted = score(verdict.proposal_model);
  const kept = score(verdict.previous_model);
  switch (reason) {
    case "missing_previous_model":
      return `Took ${model}: this is the first turn, so there is nothing to lose by following the route.`;
    case "stay_has_best_adjusted_score":
      return `Stayed on ${model}: the route proposed it as well, and no other model is expected to be cheaper.`;
    case "switch_margin_not_met":
      return `Stayed on ${model}: a change would gain ${usd(verdict.gain_usd)}, less than the margin of ${usd(verdict.margin_usd)} that the first call on a cold cache asks for.`;
    case "cache_protected":
      return wanted && kept
        ? `Stayed on ${model}: ${proposal} would cost ${usd(wanted.round_usd)} for this round against ${usd(kept.round_usd)}, mostly because its prompt cache is cold.`
        : `Stayed on ${model}: leaving its warm prompt cache costs more than ${proposal} gains.`;
    case "demand_protected":
      return wanted && kept
        ? `Stayed on ${model}: the task so far needs it. ${proposal} would risk ${usd(wanted.failure_usd)} in expected failures against ${usd(kept.failure_usd)}.`
        : `Stayed on ${model}: the task so far needs it more than this message alone shows.`;
    case "switch_allowed":
      return `Switched from ${previous} to ${model}: the expected gain of ${usd(verdict.gain_usd)} clears the margin of ${usd(verdict.margin_usd)}.`;
    case "switch_allowed:ladder":
      return `Switched from ${previous} to ${model}: of all models it has the lowest expected cost, ${usd(verdict.gain_usd)} below staying.`;
    case "switch_allowed:owner_unavailable":
      return `Moved to ${model}: the model that held this conversation is no longer in the recipe.`;
    case "session_scope_protect":
      return `Stayed on ${model}: the recipe's scope is the session, which keeps its first model.`;
    case "decision_bypass":
      return `${model} by the decision itself: it steps around learning, and the conversation's model is unchanged.`;
    case "explicit_model":
      return `${model} because the caller asked for it by name.`;
    case "auxiliary_request":
      return `${model} as routed: a helper request (a title, a summary) that leaves the conversation alone.`;
    case "identity_missing":
      return `${model} as routed: the request says neither session nor conversation.`;
    case "lock_expired":
      return `${model}: the lock on the earlier model is older than the recipe lets it live.`;
    case "hard_lock=min_turns":
      return `Stayed on ${model}: too few turns were answered since the last change.`;
    default:
      return `${verdict.action.replace("_", " ")}: ${reason}`;
  }
}
