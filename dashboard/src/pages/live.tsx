// Requests as they happen. The newest stand first; pausing keeps what is shown and counts what comes.
import { useVirtualizer } from "@tanstack/react-virtual";
import { useCallback, useDeferredValue, useMemo, useRef, useState } from "react";
import type { LiveEvent, Models, RecordList, ReplayRecord } from "../api/client";
import { useEvents } from "../api/use-events";
import { useQuery } from "../api/use-query";
import { clock, count, micros, percent, tokens, usd } from "../app/format";
import { Link } from "../app/link";
import { navigate, useParameter } from "../app/location";
import { PageHead } from "../app/shell";
import { useRows } from "../app/use-rows";
import { PauseIcon, PlayIcon } from "../ui/icons";
import { Spark } from "../ui/spark";
import { ActionBadge, Badge, Button, Card, Empty, ErrorNotice, ModelName, Skeleton, Stat } from "../ui/ui";
import "./live.css";

// What the list holds; older rows are in Conversations and Insights.
const rowsMax = 2000;
const secondsShown = 60;

// A stored record as the live feed would have told it.
function asEvent(record: ReplayRecord): LiveEvent {
  const diagnostics = record.route_diagnostics;
  return {
    id: record.id,
    timestamp: record.timestamp,
    conversation_id: record.conversation_id,
    session_id: record.session_id,
    prompt: record.prompt ?? "",
    decision: record.decision,
    model: record.selected_model,
    action: diagnostics.session_action,
    reason: diagnostics.session_reason,
    status: record.response_status ?? 0,
    failed: record.lifecycle_state === "failed" || record.lifecycle_state === "aborted",
    routing_us: record.routing_latency_us,
    duration_ms: record.duration_ms,
    ttft_ms: record.ttft_ms,
    prompt_tokens: record.prompt_tokens,
    cached_prompt_tokens: record.cached_prompt_tokens,
    completion_tokens: record.completion_tokens,
    cost: record.actual_cost,
  };
}

function matches(event: LiveEvent, words: string[]): boolean {
  const text =
    `${event.prompt ?? ""} ${event.decision} ${event.model} ${event.action ?? ""} ${event.reason ?? ""} ${event.conversation_id ?? ""} ${event.id}`.toLowerCase();
  return words.every((word) => text.includes(word));
}

// Requests of each of the last `secondsShown` seconds, oldest first.
function perSecond(events: LiveEvent[], now: number, value: (event: LiveEvent) => number): number[] {
  const out = new Array<number>(secondsShown).fill(0);
  for (const event of events) {
    const age = Math.floor((now - Date.parse(event.timestamp)) / 1000);
    if (age >= secondsShown) break;
    const at = secondsShown - 1 - Math.max(0, age);
    out[at] = (out[at] ?? 0) + value(event);
  }
  return out;
}

export default function Live() {
  const [filter, setFilter] = useParameter("q");
  const [rows, setRows] = useState<LiveEvent[]>([]);
  const [paused, setPaused] = useState(false);
  const [missed, setMissed] = useState<LiveEvent[]>([]);
  const pausedNow = useRef(paused);
  pausedNow.current = paused;

  const connection = useEvents(
    useCallback((batch: LiveEvent[]) => {
      const newestFirst = [...batch].reverse();
      const add = (before: LiveEvent[]) => [...newestFirst, ...before].slice(0, rowsMax);
      if (pausedNow.current) setMissed(add);
      else setRows(add);
    }, []),
  );
  const resume = () => {
    setRows((before) => [...missed, ...before].slice(0, rowsMax));
    setMissed([]);
    setPaused(false);
  };

  const before = useQuery<RecordList>("/v1/router_replay?limit=100");
  const models = useQuery<Models>("/api/v1/models", 5_000);
  const all = useMemo(() => {
    const known = new Set(rows.map((event) => event.id));
    const stored = (before.data?.data ?? []).map(asEvent).filter((event) => !known.has(event.id));
    return [...rows, ...stored];
  }, [rows, before.data]);
  const deferred = useDeferredValue(filter);
  const shown = useMemo(() => {
    const words = deferred.toLowerCase().split(/\s+/).filter(Boolean);
    return words.length === 0 ? all : all.filter((event) => matches(event, words));
  }, [all, deferred]);

  const open = useCallback((row: number) => {
    const event = shown[row];
    if (event) navigate(`/records/${event.id}`);
  }, [shown]);
  const [marked] = useRows(shown.length, open);

  return (
    <>
      <PageHead title="Live">
        <Badge tone={connection === "live" ? "good" : connection === "lost" ? "bad" : "plain"}>
          {connection === "live" ? "live" : connection === "lost" ? "connection lost, trying again" : "connecting"}
        </Badge>
        <Button aria-pressed={paused} onClick={() => (paused ? resume() : setPaused(true))}>
          {paused ? <PlayIcon /> : <PauseIcon />}
          {paused ? `Resume${missed.length > 0 ? ` (${count(missed.length)} new)` : ""}` : "Pause"}
        </Button>
        <input className="field" type="search" data-search placeholder="Filter  /" aria-label="Filter requests"
          value={filter} onChange={(event) => setFilter(event.target.value)} />
      </PageHead>
      <div className="stack">
        <Counters rows={all} models={models.data} />
        <Card flush label="Requests">
          {before.error && all.length === 0 ? (
            <div className="body"><ErrorNotice error={before.error} retry={before.reload} /></div>
          ) : before.loading && all.length === 0 ? (
            <div className="body"><Skeleton /></div>
          ) : shown.length === 0 ? (
            all.length === 0 ? (
              <Empty title="No request yet">
                <p>Each request to the router shows here as it is routed, with its decision and its model.</p>
                <Link to="/playground" className="button primary">Send one in the Playground</Link>
              </Empty>
            ) : (
              <Empty title="Nothing matches">
                <p>None of the {count(all.length)} requests here holds “{filter}”.</p>
                <Button onClick={() => setFilter("")}>Show all</Button>
              </Empty>
            )
          ) : (
            <Rows events={shown} marked={marked} />
          )}
        </Card>
      </div>
    </>
  );
}

function Rows({ events, marked }: { events: LiveEvent[]; marked: number }) {
  const box = useRef<HTMLDivElement>(null);
  const narrow = window.matchMedia("(max-width: 820px)").matches;
  const virtual = useVirtualizer({
    count: events.length,
    getScrollElement: () => box.current,
    estimateSize: () => (narrow ? 58 : 38),
    overscan: 8,
    getItemKey: (index) => events[index]?.id ?? index,
  });
  const markedBefore = useRef(marked);
  if (markedBefore.current !== marked) {
    markedBefore.current = marked;
    if (marked >= 0) queueMicrotask(() => virtual.scrollToIndex(marked));
  }
  return (
    <div className="live-table" ref={box} tabIndex={0} role="region" aria-label="Requests, newest first">
      <div className="live-row head" aria-hidden="true">
        <span>Time</span><span>Prompt</span><span>Decision</span><span>Model</span><span>Action</span>
        <span className="number">Tokens</span><span className="number">Cached</span>
        <span className="number">Routing</span><span className="number">Cost</span>
      </div>
      <div style={{ height: virtual.getTotalSize(), position: "relative" }}>
        {virtual.getVirtualItems().map((item) => {
          const event = events[item.index];
          if (!event) return null;
          return (
            <Link key={item.key} to={`/records/${event.id}`}
              className={`live-row ${item.index === marked ? "marked" : ""} ${event.failed ? "failed" : ""}`}
              style={{ position: "absolute", insetInline: 0, top: 0, transform: `translateY(${item.start}px)` }}>
              <span className="muted">{clock(event.timestamp)}</span>
              <span className="prompt">{event.prompt || <em className="muted">no text</em>}</span>
              <span>{event.decision || <span className="muted">asked by name</span>}</span>
              <span className="wide"><ModelName name={event.model} /></span>
              <span>{event.failed ? <Badge tone="bad">{event.status || "failed"}</Badge> : <ActionBadge action={event.action} />}</span>
              <span className="number wide">{tokens(event.prompt_tokens)}</span>
              <span className="number wide">
                {percent(event.prompt_tokens ? (event.cached_prompt_tokens ?? 0) / event.prompt_tokens : undefined)}
              </span>
              <span className="number wide">{micros(event.routing_us)}</span>
              <span className="number wide">{usd(event.cost)}</span>
            </Link>
          );
        })}
      </div>
    </div>
  );
}

function Counters({ rows, models }: { rows: LiveEvent[]; models: Models | undefined }) {
  const now = Date.now();
  const requests = perSecond(rows, now, () => 1);
  const total = requests.reduce((sum, n) => sum + n, 0);
  const recent = rows.filter((event) => now - Date.parse(event.timestamp) < secondsShown * 1000);
  const routing = recent.map((event) => event.routing_us).sort((a, b) => a - b);
  const p50 = routing[Math.floor(routing.length / 2)];
  const prompt = recent.reduce((sum, event) => sum + (event.prompt_tokens ?? 0), 0);
  const cached = recent.reduce((sum, event) => sum + (event.cached_prompt_tokens ?? 0), 0);
  const cost = recent.reduce((sum, event) => sum + (event.cost ?? 0), 0);
  const failed = recent.filter((event) => event.failed).length;
  const sick = models?.models.filter((model) => !model.healthy) ?? [];
  return (
    <div className="stats" aria-label="The last minute">
      <Stat label="Requests, last minute" value={count(total)} hint={failed > 0 ? `${failed} failed` : "none failed"}>
        <Spark values={requests} label={`Requests a second over the last minute, ${total} in all`} />
      </Stat>
      <Stat label="Routing, median" value={micros(p50)} hint="decision, before the model">
        <Spark values={perSecond(rows, now, (event) => event.routing_us)} label="Routing time spent in each second" />
      </Stat>
      <Stat label="Prompt tokens from cache" value={percent(prompt > 0 ? cached / prompt : undefined)} hint={`${tokens(cached)} of ${tokens(prompt)}`} />
      <Stat label="Spent, last minute" value={usd(cost)} />
      <Stat label="Models"
        value={models ? `${models.models.length - sick.length} of ${models.models.length}` : "–"}
        hint={models ? (sick.length === 0 ? "all can serve" : `${sick.map((model) => model.name).join(", ")} cannot`) : "not known yet"} />
    </div>
  );
}
