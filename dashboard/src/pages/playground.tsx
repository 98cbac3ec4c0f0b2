// Chat with the router: every answer beside its route, a tool loop by hand, and the same prompt
// under another recipe.
import { useEffect, useMemo, useRef, useState } from "react";
import { ApiError, asApiError, type Eval, getText, type Models, post, type ReplayRecord } from "../api/client";
import { useQuery } from "../api/use-query";
import { useKept } from "../app/kept";
import { Link } from "../app/link";
import { useLocation, useParameter } from "../app/location";
import { explain } from "../app/reasons";
import { PageHead } from "../app/shell";
import { ActionBadge, Badge, Button, Card, Empty, ModelName, Notice } from "../ui/ui";
import { type ChatInput, type ChatMessage, type Route, decoded, download, probeYaml, streamChat } from "./playground-chat";
import { Decisions } from "./record-parts";
import { messagesOf } from "./record-text";
import { type WhatIf, WhatIfResult, whatIf } from "./what-if";
import "./playground.css";
import "./record.css";

interface Turn {
  messages: ChatMessage[]; // what this turn added before the answer
  answer: ChatMessage | undefined;
  withTool: boolean;
  streaming: string;
  route: Route | undefined;
  error: string;
}

const examples = [
  "What is 17 * 23? Answer with only the number.",
  "My API key is sk_live_123456. Is it safe to paste this into a public issue?",
  "Design the architecture of a sharded event store with exactly-once delivery and explain the failure modes.",
];

function spoken(turns: Turn[]): ChatMessage[] {
  return turns.flatMap((turn) => [...turn.messages, ...(turn.answer ? [turn.answer] : [])]);
}

function freshId(kind: string): string {
  return `${kind}-${crypto.getRandomValues(new Uint32Array(1))[0]?.toString(36)}`;
}

// A chat for each record that was opened here, and one without: coming back finds it again.
export default function Playground() {
  const { search } = useLocation();
  const recordId = search.get("record") ?? "";
  return <Chat key={recordId} recordId={recordId} />;
}

function Chat({ recordId }: { recordId: string }) {
  const { search } = useLocation();
  const name = `playground ${recordId}`;
  const models = useQuery<Models>("/api/v1/models");
  const [model, setModel] = useParameter("model", "auto");
  const [compare, setCompare] = useParameter("compare");
  const [session, setSession] = useKept(`${name} session`, () => freshId("play"));
  const [conversation, setConversation] = useKept(`${name} conversation`, () => freshId("run"));
  const [withTool, setWithTool] = useKept(`${name} tool`, () => false);
  const [text, setText] = useKept(`${name} text`, () => search.get("prompt") ?? "");
  const [turns, setTurns] = useKept<Turn[]>(`${name} turns`, () => []);
  const [busy, setBusy] = useState(false);
  const [toolResult, setToolResult] = useState("int main() { return 0; }");
  const [history, setHistory] = useKept<ChatMessage[]>(`${name} history`, () => []);
  const [taken, setTaken] = useKept(`${name} taken`, () => false);
  const abort = useRef<AbortController>(undefined);
  const end = useRef<HTMLDivElement>(null);

  // Opened from a record: its messages stand before the new one.
  const record = useQuery<ReplayRecord>(recordId ? `/v1/router_replay/${encodeURIComponent(recordId)}` : null);
  const stored = useMemo(() => (record.data && !record.data.redacted && !record.data.request_body_truncated
    ? (messagesOf(record.data.request_body) as ChatMessage[] | undefined) : undefined), [record.data]);
  useEffect(() => {
    if (!record.data || taken) return;
    const last = stored?.at(-1);
    if (stored && last?.role === "user" && typeof last.content === "string") {
      setHistory(stored.slice(0, -1));
      setText(last.content);
    } else {
      setText(record.data.prompt ?? "");
    }
    setTaken(true);
  }, [record.data, stored, taken, setHistory, setText, setTaken]);
  useEffect(() => () => abort.current?.abort(), []);

  const soFar = useMemo(
    () => [...history, ...spoken(turns)],
    [history, turns],
  );
  const pending = turns.at(-1)?.answer?.tool_calls ?? [];

  const run = async (added: ChatMessage[], earlier = soFar) => {
    const messages = [...earlier, ...added];
    const input: ChatInput = { model, messages, session, conversation, withTool: withTool || messages.some((one) => one.tool_calls), maxTokens: 256 };
    const mine = new AbortController();
    abort.current = mine;
    setBusy(true);
    setTurns((before) => [...before, { messages: added, answer: undefined, withTool: input.withTool, streaming: "", route: undefined, error: "" }]);
    const change = (part: Partial<Turn>) => setTurns((before) => before.map((turn, i) => (i === before.length - 1 ? { ...turn, ...part } : turn)));
    try {
      const answer = await streamChat(input, (route) => change({ route }), (streaming) => change({ streaming }), mine.signal);
      change({ answer, streaming: "" });
    } catch (error) {
      change({ error: error instanceof ApiError ? error.message : mine.signal.aborted ? "Stopped." : "The answer broke off." });
    }
    setBusy(false);
    queueMicrotask(() => end.current?.scrollIntoView({ block: "nearest" }));
  };
  const send = () => {
    if (text.trim() === "" || busy) return;
    const prompt = text;
    setText("");
    void run([{ role: "user", content: prompt }]);
  };
  // The last request once more, as it was; what was answered then is not part of it.
  const replay = () => {
    const last = turns.at(-1);
    if (!last || busy) return;
    const earlier = turns.slice(0, -1);
    setTurns(earlier);
    void run(last.messages, [...history, ...spoken(earlier)]);
  };
  const deliver = () => void run(pending.map((call) => ({ role: "tool", tool_call_id: call.id, content: toolResult })));
  // A model that calls no tool by itself: the simulator makes the call that it would have made.
  const simulateCall = () => {
    setTurns((before) => {
      const last = before.at(-1);
      if (!last?.answer) return before;
      const answer: ChatMessage = {
        role: "assistant", content: null,
        tool_calls: [{ id: freshId("call"), type: "function", function: { name: "read_file", arguments: '{"path": "main.c"}' } }],
      };
      return [...before.slice(0, -1), { ...last, answer }];
    });
  };
  const restart = (newSession: boolean) => {
    abort.current?.abort();
    setTurns([]);
    setHistory([]);
    setConversation(freshId("run"));
    if (newSession) setSession(freshId("play"));
  };
  const lastRoute = turns.at(-1)?.route;

  return (
    <>
      <PageHead title="Playground">
        <Button aria-pressed={compare !== ""} onClick={() => setCompare(compare === "" ? "true" : "")}>Compare two recipes</Button>
        <Button onClick={() => restart(false)}>New conversation</Button>
        <Button onClick={() => restart(true)}>New session</Button>
      </PageHead>
      <div className="split">
        <div>
          <Card title="Chat">
            <div className="row-line" style={{ marginBottom: "var(--space-3)" }}>
              <label className="row-line small">Model
                <select className="field" value={model} onChange={(event) => setModel(event.target.value)}>
                  <option value="auto">auto</option>
                  {models.data?.models.map((one) => <option key={one.name} value={one.name}>{one.name}</option>)}
                </select>
              </label>
              <label className="row-line small">Session
                <input className="field" size={13} value={session} onChange={(event) => setSession(event.target.value)} />
              </label>
              <label className="row-line small">Conversation
                <input className="field" size={13} value={conversation} onChange={(event) => setConversation(event.target.value)} />
              </label>
              <label className="row-line small">
                <input type="checkbox" checked={withTool} onChange={(event) => setWithTool(event.target.checked)} /> offer a tool
              </label>
            </div>
            {record.data && !stored && (
              <Notice tone="warn">
                {record.data.redacted
                  ? "The text of this record is redacted, so only its last prompt is here, with labels for what was private. What stood before it is not stored."
                  : "This record's request is not stored whole, so only its last prompt is here, without what stood before it."}
              </Notice>
            )}
            {history.length > 0 && <p className="muted small">{history.length} messages of the record stand before this.</p>}
            {turns.length === 0 && (
              <Empty title="Say something">
                <p>It goes through the router as an agent's request would, and is recorded.</p>
                {examples.map((example) => (
                  <div key={example} style={{ marginBottom: "var(--space-2)" }}>
                    <Button style={{ whiteSpace: "normal", textAlign: "left", minHeight: 40 }} onClick={() => setText(example)}>{example}</Button>
                  </div>
                ))}
              </Empty>
            )}
            <div aria-live="polite">
              {turns.map((turn, i) => <TurnView key={i} turn={turn} />)}
            </div>
            <div ref={end} />
            {pending.length > 0 ? (
              <div className="compose">
                <label>
                  Result of {pending.map((call) => call.function.name).join(", ")} ({pending.map((call) => call.id).join(", ")})
                  <textarea className="field" rows={4} value={toolResult} onChange={(event) => setToolResult(event.target.value)} />
                </label>
                <div><Button kind="primary" disabled={busy} onClick={deliver}>Deliver the tool result</Button></div>
              </div>
            ) : (
              <form className="compose" onSubmit={(event) => { event.preventDefault(); send(); }}>
                <label>
                  <span className="visually-hidden">Prompt</span>
                  <textarea className="field" rows={3} data-search placeholder="Prompt  /   (Ctrl+Enter sends)" value={text}
                    onChange={(event) => setText(event.target.value)}
                    onKeyDown={(event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) send(); }} />
                </label>
                <div className="row-line">
                  <Button kind="primary" type="submit" disabled={busy || text.trim() === ""}>Send</Button>
                  {busy && <Button onClick={() => abort.current?.abort()}>Stop</Button>}
                  {turns.at(-1)?.answer && !busy && (
                    <Button onClick={simulateCall} disabled={!turns.at(-1)?.withTool}
                      title={turns.at(-1)?.withTool ? "Replaces the last answer by a call of read_file" : "Tick “offer a tool” and send first: an agent offers its tools from the start"}>
                      Simulate a tool call
                    </Button>
                  )}
                  {lastRoute && !busy && <Button onClick={replay} title="Sends the last request once more">Replay</Button>}
                  {lastRoute && (
                    <Button onClick={() => {
                      const sent = soFar.slice(0, soFar.map((one) => one.role).lastIndexOf("user") + 1);
                      download("playground.probes.yaml", probeYaml(lastRoute.headers["x-vsr-selected-decision"] ?? "", sent, withTool));
                    }}>Save as probe</Button>
                  )}
                </div>
              </form>
            )}
          </Card>
        </div>
        {compare !== "" && <Compare messages={[...soFar.filter((one) => one.content !== null), ...(text.trim() === "" ? [] : [{ role: "user" as const, content: text }])]} record={record.data} />}
      </div>
    </>
  );
}

function TurnView({ turn }: { turn: Turn }) {
  const answer = turn.answer?.content ?? turn.streaming;
  const calls = turn.answer?.tool_calls ?? [];
  return (
    <>
      {turn.messages.map((message, i) => (
        <div key={i} className={`bubble ${message.role}`}>
          {message.role === "tool" && <div className="small muted">tool result for {message.tool_call_id}</div>}
          <pre>{message.content}</pre>
        </div>
      ))}
      {turn.route && <RouteLine route={turn.route} />}
      {turn.error !== "" && <Notice tone="bad">{turn.error}</Notice>}
      {(answer !== "" || calls.length > 0) && (
        <div className="bubble">
          {answer && <pre>{answer}</pre>}
          {calls.map((call) => <code key={call.id}>{call.function.name}({call.function.arguments})</code>)}
        </div>
      )}
    </>
  );
}

function RouteLine({ route }: { route: Route }) {
  const rows = decoded(route.headers);
  const value = (name: string) => rows.find((row) => row.name === name)?.value;
  const id = route.headers["x-vsr-replay-id"];
  return (
    <details className="route-line">
      <summary className="row-line">
        <Badge tone={route.status === 200 ? "good" : "bad"}>{route.status}</Badge>
        <strong>{value("x-vsr-selected-decision") ?? "asked by name"}</strong>
        <ModelName name={value("x-vsr-selected-model")} />
        <ActionBadge action={value("x-vsr-learning-actions")} />
        <span className="muted small">{value("x-vsr-learning-reasons")} <code>{route.headers["x-vsr-learning-reasons"]?.replace("session_aware=", "")}</code></span>
        {id && <Link to={`/records/${id}`}>why</Link>}
      </summary>
      <dl className="facts small" style={{ margin: "var(--space-2) 0 var(--space-2) var(--space-4)" }}>
        {rows.map((row) => (
          <div key={row.name} style={{ display: "contents" }}>
            <dt title={row.name}>{row.label}</dt><dd>{row.value}</dd>
          </div>
        ))}
        {id && <><dt>Replay id</dt><dd><code>{id}</code></dd></>}
      </dl>
    </details>
  );
}

// Another recipe: what it makes of a recorded turn and its conversation, and of the prompt alone
// beside the running one. Nothing is sent to a model.
function Compare({ messages, record }: { messages: ChatMessage[]; record: ReplayRecord | undefined }) {
  const [yaml, setYaml] = useKept("compare recipe", () => "");
  const [weight, setWeight] = useKept("compare weight", () => "");
  const [results, setResults] = useState<{ running?: Eval; other?: Eval; again?: WhatIf; error: string }>({ error: "" });
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    if (yaml !== "") return;
    const mine = new AbortController();
    getText("/api/v1/config", mine.signal).then(setYaml).catch((error: unknown) => {
      if (!mine.signal.aborted) setResults({ error: asApiError(error).message });
    });
    return () => mine.abort();
  }, [yaml, setYaml]);
  const run = async () => {
    setBusy(true);
    try {
      const again = record ? await whatIf(record, yaml, weight === "" ? undefined : Number(weight)) : undefined;
      setResults({ again, error: "" });
      const running = await post<Eval>("/api/v1/eval", { messages });
      const other = await post<Eval>("/api/v1/eval?config=candidate", { messages, config: yaml });
      setResults({ again, running, other, error: "" });
    } catch (error) {
      setResults((before) => ({ ...before, error: asApiError(error).message }));
    }
    setBusy(false);
  };
  return (
    <Card title={record ? "This turn under another recipe" : "Two recipes, the same prompt"}>
      <div className="stack">
        <label>
          The other recipe: edit this copy of the running one
          <textarea className="field mono" rows={14} spellCheck={false} value={yaml} onChange={(event) => setYaml(event.target.value)} />
        </label>
        {record && (
          <label className="row-line small">
            A failed round counts, in USD
            <input className="field" type="number" min="0" step="any" size={8} placeholder="as the recipe has it" value={weight} onChange={(event) => setWeight(event.target.value)} />
          </label>
        )}
        <div className="row-line">
          <Button kind="primary" disabled={busy || messages.length === 0 || yaml === ""} onClick={run}>{busy ? "Comparing…" : "Compare"}</Button>
          <Button disabled={busy} onClick={() => setYaml("")}>Running recipe again</Button>
          {messages.length === 0 && <span className="muted">Write a prompt first.</span>}
        </div>
        {results.error !== "" && <Notice tone="bad"><pre>{results.error}</pre></Notice>}
        {record && results.again && <WhatIfResult record={record} result={results.again} />}
        {results.running && results.other && (
          <>
            <div>
              <h3>The prompt alone, under both</h3>
              <p className="muted small">
                As a first turn: no model before it, no cache and no belief.
                {record && " What learning made of the recorded turn stands above."}
              </p>
            </div>
            <div className="split">
              <Outcome title="Running" evaluation={results.running} />
              <Outcome title="Other" evaluation={results.other} />
            </div>
          </>
        )}
      </div>
    </Card>
  );
}

function Outcome({ title, evaluation }: { title: string; evaluation: Eval }) {
  return (
    <div>
      <h3>{title}</h3>
      <div className="row-line"><strong>{evaluation.routing_decision || "default"}</strong><ModelName name={evaluation.selected_model} /></div>
      {evaluation.learning && <p className="small muted">{explain(evaluation.learning)}</p>}
      <Decisions evaluation={evaluation} />
    </div>
  );
}
