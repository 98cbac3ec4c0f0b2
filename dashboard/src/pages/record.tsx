// One request on one screen: why did it go there, and what did it cost?
import { useMemo, useState } from "react";
import { type Eval, type EvalRequest, type ReplayRecord, type System, type Topology, type Trajectory, type Verdict, query } from "../api/client";
import { usePost } from "../api/use-post";
import { useQuery } from "../api/use-query";
import { micros, moment, percent, tokens, usd } from "../app/format";
import { Link } from "../app/link";
import { PageHead } from "../app/shell";
import { troubleSentence, trouble } from "../app/outcome";
import { explain, verdictOf } from "../app/reasons";
import { ActionBadge, Badge, Button, Card, CopyButton, Empty, ErrorNotice, Loaded, ModelName, Notice, Skeleton, Stat, Wide } from "../ui/ui";
import { Learning } from "./record-learning";
import { Decisions, Projections, Rejected, Signals, Waterfall, signalRows } from "./record-parts";
import { SwitchPrice } from "./record-price";
import { Messages, PromptText, ToolTrace, messagesOf } from "./record-text";
import "./record.css";

const runningEveryMs = 1000;

export default function RecordPage({ id }: { id: string }) {
  const [ended, setEnded] = useState(false);
  const record = useQuery<ReplayRecord>(`/v1/router_replay/${encodeURIComponent(id)}`, ended ? 0 : runningEveryMs);
  if (record.data && record.data.lifecycle_state !== "running" && !ended) setEnded(true);
  if (record.error?.status === 404) {
    return (
      <Empty title="There is no such record">
        <p>{record.error.message.replace(/\.*$/, "")}. Records end after the time that the recipe gives them.</p>
        <Link to="/live" className="button">Back to Live</Link>
      </Empty>
    );
  }
  return <Loaded query={record}>{(data) => <Shown record={data} />}</Loaded>;
}

// Whether the body is there as it was sent.
function hasBody(record: ReplayRecord): boolean {
  return !record.redacted && !record.request_body_truncated && messagesOf(record.request_body) !== undefined;
}

// The request as a command. What it cannot hold stands before it as a comment.
function curl(record: ReplayRecord, url: string): string {
  const notes: string[] = [];
  if (record.redacted) notes.push("The stored text is redacted: put the real one in. Only the last prompt is here.");
  else if (!hasBody(record)) notes.push("The whole request is not stored: only the last prompt is here.");
  if (record.conversation_id) notes.push("Ids of session and conversation are kept as hashes only: put your own in.");
  const body = hasBody(record)
    ? record.request_body ?? ""
    : JSON.stringify({ model: record.original_model || "auto", messages: [{ role: "user", content: record.prompt ?? "" }] });
  const ids = record.conversation_id ? " -H 'x-session-id: YOUR-SESSION' -H 'x-conversation-id: YOUR-CONVERSATION'" : "";
  return [
    ...notes.map((note) => `# ${note}`),
    `curl ${url}/chat/completions -H 'content-type: application/json'${ids} -d '${body.replaceAll("'", "'\\''")}'`,
  ].join("\n");
}

// Rules without an answer that the record's decision asks, directly or through a projection.
function decidedWithout(record: ReplayRecord, topology: Topology | undefined): string[] {
  const asked = new Set(topology?.decisions.find((one) => one.name === record.decision)?.signals);
  for (const one of topology?.projections ?? []) {
    if (asked.has(one.id)) for (const input of one.inputs) asked.add(input.id);
  }
  return Object.keys(record.signal_errors ?? {}).filter((id) => asked.has(id));
}

// The reason in sentences: what went wrong first, then why this model.
function Why({ record, verdict, topology }: { record: ReplayRecord; verdict: Verdict | undefined; topology: Topology | undefined }) {
  const failed = troubleSentence(record, topology?.models.map((model) => model.name));
  const errors = Object.entries(record.signal_errors ?? {});
  const decisive = decidedWithout(record, topology);
  return (
    <div className="record-why">
      {failed !== "" && <p className="bad-text">{failed}</p>}
      {verdict ? <p>{explain(verdict)}</p>
        : record.selected_model !== "" && <p>{record.selected_model} as the route chose; learning is off.</p>}
      {errors.map(([id, text]) => (
        <p key={id} className="warn-text">
          {decisive.includes(id) ? `${record.decision} was decided without a full answer of ${id}` : `${id} had no full answer`}: {text}.
        </p>
      ))}
    </div>
  );
}

function Shown({ record }: { record: ReplayRecord }) {
  const [allSignals, setAllSignals] = useState(false);
  const topology = useQuery<Topology>("/api/v1/topology");
  const system = useQuery<System>("/api/v1/system");
  const verdict = verdictOf(record);
  const conversation = `/conversations/${encodeURIComponent(record.session_id)}/${encodeURIComponent(record.conversation_id)}`;
  const trajectory = useQuery<Trajectory>(
    record.conversation_id
      ? `/v1/router_replay/trajectory${query({ session_id: record.session_id, conversation_id: record.conversation_id })}`
      : null,
  );
  const turns = trajectory.data?.turns ?? [];
  const here = turns.findIndex((turn) => turn.id === record.id);
  const rows = useMemo(() => signalRows(record, topology.data), [record, topology.data]);

  // The dry run gives what a record does not keep: whole rule trees and what matched in the text.
  const input = useMemo<EvalRequest | undefined>(() => {
    if (record.redacted || record.prompt_truncated) return undefined;
    const messages = record.request_body_truncated ? undefined : messagesOf(record.request_body);
    if (messages) return { messages: messages as EvalRequest["messages"] };
    return record.prompt ? { text: record.prompt } : undefined;
  }, [record]);
  const evaluation = usePost<Eval>(input ? "/api/v1/eval" : null, input);
  const sameRecipe = evaluation.data?.recipe === record.policy_version;
  const marks = (evaluation.data?.evidence ?? []).map((one) => one.text ?? one.what);
  const found = useMemo(() => {
    const out = new Map<string, string[]>();
    for (const { signal, what, text } of evaluation.data?.evidence ?? []) {
      out.set(signal, [...new Set([...(out.get(signal) ?? []), text ?? what])]);
    }
    return out;
  }, [evaluation.data]);
  const tokensIn = record.prompt_tokens ?? 0;
  const cached = record.cached_prompt_tokens ?? 0;

  return (
    <>
      <PageHead title={record.decision || (record.selected_model === "" ? "Refused" : "Asked by name")}>
        {record.route_diagnostics.session_action !== "" && <ActionBadge action={record.route_diagnostics.session_action} />}
        {record.selected_model !== "" && <ModelName name={record.selected_model} full />}
        <State record={record} />
      </PageHead>
      <div className="stack">
        <div className="row-line small">
          <span className="muted">{moment(record.timestamp)}</span>
          <code>{record.id}</code>
          <CopyButton text={curl(record, system.data?.public_url || "http://127.0.0.1:8899/v1")}>{hasBody(record) ? "Copy as curl" : "Copy as curl, text incomplete"}</CopyButton>
          <Link className="button" to={`/playground${query({ record: record.id })}`}>Open in Playground</Link>
          <Link className="button" to={`/playground${query({ record: record.id, compare: true })}`}>What if another recipe</Link>
          <Link className="button" to={`/topology${query({ record: record.id })}`}>Path in the recipe</Link>
          {record.conversation_id && <Link className="button" to={conversation}>Conversation</Link>}
          {here > 0 && <Link className="button" to={`/records/${turns[here - 1]?.id}`}>← turn before</Link>}
          {here >= 0 && here + 1 < turns.length && <Link className="button" to={`/records/${turns[here + 1]?.id}`}>turn after →</Link>}
        </div>

        <Card>
          <Why record={record} verdict={verdict} topology={topology.data} />
          {verdict && <SwitchPrice verdict={verdict} promptTokens={tokensIn} />}
        </Card>

        <div className="stats">
          <Stat label="Cost" value={record.lifecycle_state === "failed" ? "none" : usd(record.actual_cost, record.currency)}
            hint={record.lifecycle_state === "failed" ? "no answer came, so no cost is counted" : record.baseline_model ? `${usd(record.baseline_cost, record.currency)} on ${record.baseline_model} with the same cache` : undefined} />
          <Stat label="Prompt" value={tokens(tokensIn)} hint={`${percent(tokensIn > 0 ? cached / tokensIn : undefined)} from cache (${record.cached_tokens_source?.replace("_", " ") ?? "–"})`} />
          <Stat label="Answer" value={tokens(record.completion_tokens)} hint={record.finish_reason || undefined} />
          <Stat label="Routing" value={micros(record.routing_latency_us)} hint="until the model was chosen" />
          <Stat label="Whole request" value={record.duration_ms === undefined ? "–" : micros(record.duration_ms * 1000)}
            hint={record.ttft_ms ? `first byte after ${micros(record.ttft_ms * 1000)}` : undefined} />
        </div>

        <Card title="Learning: keep or change the model">
          {verdict ? <Learning verdict={verdict} turn={record.turn_index} />
            : <p className="muted">{record.selected_model === "" ? "The request ended before learning was asked." : "The recipe has learning off."}</p>}
        </Card>
        <div className="split">
          <div className="stack">
            <Card title="Prompt" aside={record.redacted ? <Badge tone="warn">private, redacted</Badge> : undefined}>
              {record.prompt ? <PromptText text={record.prompt} marks={marks} /> : <p className="muted">No text is stored.</p>}
              {(record.pii_entities?.length ?? 0) > 0 && (
                <p className="small muted" style={{ marginTop: "var(--space-2)" }}>
                  Found: {record.pii_entities?.map((one) => `${one.type} in message ${one.message + 1}`).join(", ")}
                </p>
              )}
            </Card>
            <Card title="Decision">
              {input === undefined ? (
                <>
                  <Notice tone="info">The text is {record.redacted ? "redacted" : "not stored whole"}, so the rule tree cannot be shown again; the runners-up are from the record.</Notice>
                  <Rejected record={record} />
                </>
              ) : evaluation.error ? (
                <><ErrorNotice error={evaluation.error} /><Rejected record={record} /></>
              ) : !evaluation.data ? (
                <Skeleton lines={4} />
              ) : (
                <>
                  {!sameRecipe && <Notice tone="warn">The recipe has changed since. This is what today's recipe says of the same text.</Notice>}
                  <Decisions evaluation={evaluation.data} />
                  <h3 style={{ marginTop: "var(--space-4)" }}>As recorded</h3>
                  <Rejected record={record} />
                </>
              )}
            </Card>
            <Card title="Signals" aside={
              <Button aria-pressed={allSignals} onClick={() => setAllSignals(!allSignals)}>
                {allSignals ? "Only what matters" : `All ${rows.length}`}
              </Button>
            }>
              <Signals rows={rows} all={allSignals} found={found} />
              {record.signals_complete === false && (
                <p className="small muted" style={{ marginTop: "var(--space-2)" }}>
                  Signals that could no longer change the decision were not evaluated.
                </p>
              )}
            </Card>
            <Card title="Request"><Messages body={record.request_body} truncated={record.request_body_truncated} /></Card>
          </div>
          <div className="stack">
            <Card title="Phases"><Waterfall record={record} /></Card>
            <Card title="Projections"><Projections traces={record.projection_trace ?? []} topology={topology.data} /></Card>
            <Attempts record={record} />
            <Card title="Tools"><ToolTrace record={record} /></Card>
            <Card title="Answer">
              {record.response_body ? <pre>{record.response_body}{record.response_body_truncated ? "\n… cut here" : ""}</pre> : <p className="muted">No text is stored.</p>}
            </Card>
          </div>
        </div>
      </div>
    </>
  );
}

function State({ record }: { record: ReplayRecord }) {
  switch (record.lifecycle_state) {
    case "running":
      return <Badge tone="accent">running</Badge>;
    case "completed":
      return <Badge tone="good">{record.response_status}</Badge>;
    default:
      return <Badge tone="bad">{record.response_status || ""} {trouble({ ...record, model: record.selected_model, status: record.response_status })}</Badge>;
  }
}

function Attempts({ record }: { record: ReplayRecord }) {
  const attempts = record.backend?.attempts ?? [];
  return (
    <Card title="Attempts">
      {attempts.length === 0 ? (
        <p className="muted">Nothing was sent to a backend.</p>
      ) : (
        <Wide label="Attempts">
          <table className="table">
            <thead><tr><th>Endpoint</th><th>Status</th><th className="number">Time</th><th>Error</th></tr></thead>
            <tbody>
              {attempts.map((attempt, i) => (
                <tr key={i}>
                  <td className="mono">{attempt.endpoint}</td>
                  <td><Badge tone={attempt.status >= 200 && attempt.status < 300 ? "good" : "bad"}>{attempt.status || "no answer"}</Badge></td>
                  <td className="number">{micros(attempt.ms * 1000)}</td>
                  <td>{attempt.error ?? <span className="muted">–</span>}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Wide>
      )}
    </Card>
  );
}
