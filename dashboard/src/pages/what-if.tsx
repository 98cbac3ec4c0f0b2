// A recorded turn and its conversation decided again under another recipe, with what learning
// knew then.
import type { ReplayRecord, Simulation } from "../api/client";
import { post } from "../api/client";
import { count, shortModel, usd } from "../app/format";
import { Link } from "../app/link";
import { shortReason } from "../app/reasons";
import { ActionBadge, ModelName, Notice } from "../ui/ui";

const causes: Record<string, string> = {
  no_facts: "its record is from before this was kept, or it is no chat request",
  history_missing: "earlier records that learning remembered are gone or still running",
  earlier_turn_not_replayable: "an earlier turn of its session cannot be decided again",
  history_too_long: "its history is too long",
  text_missing: "a changed rule reads text that was not stored",
  text_cut: "a changed rule reads text that was stored only in part",
  text_redacted: "a changed rule reads text that is stored redacted",
  headers_not_stored: "a changed rule reads headers, which are not stored",
  identity_changed: "the recipe reads session or conversation from elsewhere",
};

export interface WhatIf {
  turn: Simulation;
  conversation: Simulation | undefined;
}

// One after the other: the router runs one simulation at a time. `weight`: quality_weight_usd
// instead of the recipe's.
export async function whatIf(record: ReplayRecord, recipe: string, weight: number | undefined): Promise<WhatIf> {
  const policy = weight === undefined ? undefined : { quality_weight_usd: weight };
  const at = Date.parse(record.timestamp);
  const ids = { session_id: record.session_id, conversation_id: record.conversation_id };
  const span = { from: record.timestamp, to: new Date(at + 1).toISOString() };
  const turn = await post<Simulation>("/api/v1/replay/simulate", { recipe, policy, filter: { ...ids, ...span } });
  const conversation = record.conversation_id === "" ? undefined
    : await post<Simulation>("/api/v1/replay/simulate", { recipe, policy, filter: ids });
  return { turn, conversation };
}

function causesOf(simulation: Simulation): string {
  return Object.entries(simulation.records?.not_replayable_causes ?? {})
    .map(([cause, n]) => `${n > 1 ? `${count(n)}: ` : ""}${causes[cause] ?? cause}`).join("; ");
}

type Side = { decision?: string; model?: string; action?: string; reason?: string };

function SideLine({ label, side }: { label: string; side: Side }) {
  return (
    <div className="row-line">
      <span className="muted small" style={{ minWidth: 70 }}>{label}</span>
      <strong>{side.decision || "no decision"}</strong>
      <ModelName name={side.model} />
      <ActionBadge action={side.action} />
      <span className="muted small">{shortReason(side.reason)}</span>
    </div>
  );
}

function Turn({ record, simulation }: { record: ReplayRecord; simulation: Simulation }) {
  if ((simulation.records?.replayable ?? 0) === 0) {
    return <Notice tone="warn">This turn cannot be decided again: {causesOf(simulation) || "its record is not in the store any more"}.</Notice>;
  }
  const change = simulation.changed?.examples?.find((one) => one.id === record.id);
  const recorded: Side = {
    decision: record.decision, model: record.selected_model,
    action: record.route_diagnostics.session_action, reason: record.route_diagnostics.session_reason,
  };
  if ((simulation.changed?.refused ?? 0) > 0) return <Notice tone="bad">No model of this recipe could have served this turn.</Notice>;
  return (
    <>
      <SideLine label="recorded" side={recorded} />
      {change?.after ? <SideLine label="with it" side={change.after} /> : <p>The other recipe decides this turn as it was decided.</p>}
    </>
  );
}

const changeOf = (before: string, after: string) => (before === after ? before : `${before} → ${after}`);

function Conversation({ simulation }: { simulation: Simulation }) {
  const records = simulation.records;
  const [matched, again] = [records?.matched ?? 0, records?.replayable ?? 0];
  const cost = simulation.cost;
  const changed = simulation.changed;
  const examples = changed?.examples ?? [];
  return (
    <>
      <p>
        {count(again)} of its {count(matched)} turns were decided again; {count(changed?.model ?? 0)} go to another model.
        {" "}Switches {count(simulation.switches?.before ?? 0)} → {count(simulation.switches?.after ?? 0)}.
        {" "}{typeof cost?.before === "number" && typeof cost.after === "number"
          ? `Cost ${usd(cost.before, cost.currency)} → ${usd(cost.after, cost.currency)} under one cache model.`
          : "No cost can be compared: the two recipes have no priced model in common for these turns."}
      </p>
      {again < matched && <Notice tone="warn">{count(matched - again)} could not be decided again: {causesOf(simulation)}.</Notice>}
      {(changed?.refused ?? 0) > 0 && <Notice tone="bad">{count(changed?.refused ?? 0)} turns could not be served by any model of it.</Notice>}
      {simulation.cut && <Notice tone="warn">{simulation.cut}</Notice>}
      {examples.length > 0 && (
        <ul className="plain-list">
          {examples.map((one) => (
            <li key={one.id}>
              <Link to={`/records/${one.id}`}>{changeOf(one.before?.decision || "no decision", one.after?.decision || "no decision")}</Link>{" "}
              <strong>{changeOf(shortModel(one.before?.model ?? ""), shortModel(one.after?.model ?? ""))}</strong>{" "}
              <span className="muted small">{shortReason(one.after?.reason)}</span>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

export function WhatIfResult({ record, result }: { record: ReplayRecord; result: WhatIf }) {
  return (
    <div className="stack">
      <div>
        <h3>This turn, with what learning knew then</h3>
        <Turn record={record} simulation={result.turn} />
      </div>
      {result.conversation && (
        <div>
          <h3>Its whole conversation</h3>
          <Conversation simulation={result.conversation} />
          <p className="muted small">Another model would have answered otherwise, so later turns would have been others too; that is not known.</p>
        </div>
      )}
    </div>
  );
}
