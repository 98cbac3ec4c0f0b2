// What was routed where over a time, and what it cost, with the accounting stated.
import { useCallback, useMemo, useState } from "react";
import { type Aggregate, type Models, query } from "../api/client";
import type { Records } from "../api/records";
import { useQuery } from "../api/use-query";
import { useRecords } from "../api/use-records";
import { modelColour } from "../app/colour";
import { count, micros, percent, shortModel, tokens, usd } from "../app/format";
import { Link } from "../app/link";
import { navigate, setParameters, useLocation } from "../app/location";
import { RangeChoice, bucketStarts, useRange } from "../app/range";
import { PageHead } from "../app/shell";
import { useRows } from "../app/use-rows";
import { Chart, type Series } from "../ui/chart";
import "../ui/chart.css";
import { Distribution } from "../ui/distribution";
import { RecordList } from "../ui/record-list";
import { ActionBadge, Button, Card, Empty, ErrorNotice, Id, Loaded, ModelName, Notice, Skeleton, Stat } from "../ui/ui";

const filters = ["decision", "model", "action", "status", "search"] as const;

export default function Insights() {
  const range = useRange("24h");
  const { search } = useLocation();
  const chosen = Object.fromEntries(filters.map((name) => [name, search.get(name) ?? ""]));
  const [draft, setDraft] = useState(chosen["search"] ?? "");
  const filter = { from: range.from, ...chosen };
  const sums = useQuery<Aggregate>(`/v1/router_replay/aggregate${query({ ...filter, bucket: range.bucket })}`, 15_000);
  const records = useRecords(`/v1/router_replay${query(filter)}`);
  const models = useQuery<Models>("/api/v1/models");
  const baseline = mostCapable(models.data);
  const active = filters.filter((name) => chosen[name] !== "");
  const drill = (name: string) => (key: string) => {
    const next = new URLSearchParams(search);
    next.set(name, key);
    return `/insights?${next.toString()}`;
  };
  return (
    <>
      <PageHead title="Insights">
        <RangeChoice range={range} />
        <form onSubmit={(event) => { event.preventDefault(); setParameters({ search: draft.trim() }); }}>
          <input className="field" type="search" data-search placeholder="Only with this text  /" aria-label="Only requests with this text in prompt, decision or model"
            value={draft} onChange={(event) => { setDraft(event.target.value); if (event.target.value === "") setParameters({ search: "" }); }} />
        </form>
      </PageHead>
      {active.length > 0 && (
        <div className="row-line" style={{ marginBottom: "var(--space-4)" }}>
          <span className="muted">Only</span>
          {active.map((name) => (
            <Button key={name} onClick={() => { setParameters({ [name]: "" }); if (name === "search") setDraft(""); }} aria-label={`Remove the filter ${name} ${chosen[name]}`}>
              {name}: {chosen[name]} ✕
            </Button>
          ))}
        </div>
      )}
      <Loaded query={sums}>
        {(data) => data.record_count === 0 ? (
          <Card><Empty title={active.length > 0 ? "Nothing in this time has what the filter asks for" : "Nothing was routed in this time"}><p>Choose a longer time{active.length > 0 && ", or remove a filter"}.</p></Empty></Card>
        ) : (
          <div className="stack">
            <Figures data={data} to={drill} baseline={baseline} />
            <TimeSeries data={data} bucket={range.bucket} from={range.from} />
            <div className="split">
              <div className="stack">
                <Card title="Decisions">
                  <Distribution values={data.decision_distribution} to={drill("decision")} name={(key) => (key === none ? "no decision" : <Id id={key} />)} />
                  {(data.decision_distribution[none] ?? 0) > 0 && <WithoutDecision filter={filter} to={drill} />}
                </Card>
                <Card title="What learning did"><Distribution values={data.action_distribution} to={drill("action")} name={(key) => (key === none ? "nothing: refused, or learning is off" : <ActionBadge action={key} />)} /></Card>
                <Signals data={data} />
              </div>
              <div className="stack">
                <Card title="Models"><Distribution values={data.model_selection} to={drill("model")} name={(key) => (key === none ? "no model: refused" : <ModelName name={key} />)} colour={(key) => (key === none ? "var(--muted)" : modelColour(key))} /></Card>
                <Money data={data} />
                <Latency data={data} />
              </div>
            </div>
            <Drilled records={records} total={data.record_count} />
          </div>
        )}
      </Loaded>
    </>
  );
}

// What sums and filters call a missing decision, model or action.
const none = "none";

type Drill = (name: string) => (key: string) => string;

// The priced model of the highest quality: what one would have used without a router.
function mostCapable(models: Models | undefined): string | undefined {
  return models?.models.filter((one) => one.pricing).sort((a, b) => b.quality_score - a.quality_score)[0]?.name;
}

// Requests without a decision are of two kinds.
function WithoutDecision({ filter, to }: { filter: Record<string, string>; to: Drill }) {
  const sums = useQuery<Aggregate>(`/v1/router_replay/aggregate${query({ ...filter, decision: none })}`, 15_000).data;
  if (!sums) return null;
  const refused = sums.model_selection[none] ?? 0;
  const named = sums.record_count - refused;
  return (
    <p className="small muted" style={{ marginTop: "var(--space-2)" }}>
      No decision: {count(named)} asked for a model by name or matched no rule
      {refused > 0 && <>; {count(refused)} <Link to={`${to("model")(none)}&decision=${none}`}>were refused</Link> before a model was chosen</>}.
    </p>
  );
}

function Figures({ data, to, baseline }: { data: Aggregate; to: Drill; baseline: string | undefined }) {
  const always = data.always_one_model?.find((one) => one.model === baseline);
  const routed = data.as_routed_under_cache_model?.cost ?? 0;
  const volume = data.token_volume;
  const ended = data.lifecycle.failed + data.lifecycle.aborted;
  return (
    <div className="stats">
      <Stat label="Requests" value={count(data.record_count)} hint={ended === 0 ? "all good" : (
        <>
          <Link to={to("status")("failed")}>{count(data.lifecycle.failed)} failed</Link>,{" "}
          <Link to={to("status")("aborted")}>{count(data.lifecycle.aborted)} aborted</Link>
        </>
      )} />
      <Stat label="Spent" value={usd(data.summary.actual_spend, data.summary.currency)} hint="reported tokens at your prices" />
      <Stat label="Saved" value={always ? usd(always.cost - routed, always.currency) : "–"}
        hint={always ? `${usd(routed, always.currency)} against ${usd(always.cost, always.currency)} always on ${shortModel(always.model)}, under one cache model` : "no model has a price"} />
      <Stat label="Prompt from cache" value={percent(volume.prompt_tokens > 0 ? volume.cached_prompt_tokens / volume.prompt_tokens : undefined)} hint={`of ${tokens(volume.prompt_tokens)}`} />
      <Stat label="Switches" value={count(data.switches)} hint={`${((data.switches / data.record_count) * 100).toFixed(1)} per 100 requests`} />
      <Stat label="Unsafe switches" value={<span style={{ color: data.unsafe_switches > 0 ? "var(--bad)" : "var(--good)" }}>{count(data.unsafe_switches)}</span>} hint="tool results or state given to another model" />
    </div>
  );
}

function TimeSeries({ data, bucket, from }: { data: Aggregate; bucket: string; from: string }) {
  const { times, requests, money } = useMemo(() => {
    const rows = new Map((data.time_series ?? []).map((row) => [Date.parse(row.start), row]));
    const starts = bucketStarts(from, bucket);
    const values = (value: (row: NonNullable<Aggregate["time_series"]>[number]) => number) =>
      starts.map((start) => {
        const row = rows.get(start);
        return row ? value(row) : 0;
      });
    const requests: Series[] = [
      { name: "requests", colour: "series-0", values: values((row) => row.record_count) },
      { name: "failed or aborted", colour: "series-1", values: values((row) => row.failed + row.aborted) },
    ];
    const money: Series[] = [
      { name: "spent", colour: "series-2", values: values((row) => row.actual_spend) },
    ];
    return { times: starts.map((start) => start / 1000), requests, money };
  }, [data, bucket, from]);
  return (
    <div className="split">
      <Card title={`Requests per ${bucket}`}><Chart times={times} series={requests} format={count} label={`Requests per ${bucket}, ${data.record_count} in all`} /></Card>
      <Card title={`Cost per ${bucket}`}><Chart times={times} series={money} format={usd} label={`Cost per ${bucket}, ${usd(data.summary.actual_spend)} in all`} /></Card>
    </div>
  );
}

function Money({ data }: { data: Aggregate }) {
  const always = [...(data.always_one_model ?? [])].sort((a, b) => a.cost - b.cost);
  return (
    <Card title="Cost against always using one model">
      <table className="table">
        <tbody>
          <tr><td><strong>Spent, as backends reported</strong></td><td className="number"><strong>{usd(data.summary.actual_spend, data.summary.currency)}</strong></td></tr>
          {always.length > 0 && data.as_routed_under_cache_model && (
            <tr><td>As routed, under the cache model</td><td className="number">{usd(data.as_routed_under_cache_model.cost, data.summary.currency)}</td></tr>
          )}
          {always.map((one) => (
            <tr key={one.model}><td>Always <ModelName name={one.model} /></td><td className="number">{usd(one.cost, data.summary.currency)}</td></tr>
          ))}
          {always.length === 0 && <tr><td className="muted" colSpan={2}>No model of the recipe has a price.</td></tr>}
        </tbody>
      </table>
      <p className="muted small" style={{ marginTop: "var(--space-2)" }}>
        The first line has the backends' own caches in it. The others are charged under one prefix-cache model,
        so only they can be compared with each other. They compare prices, not answers: whether a cheaper model would have done the work is not known here.
      </p>
      {data.unsafe_switches > 0 && <Notice tone="bad">Some tool results or provider state reached another model than the one that made them.</Notice>}
    </Card>
  );
}

function Latency({ data }: { data: Aggregate }) {
  const latency = data.routing_latency_us;
  return (
    <Card title="Routing time">
      <table className="table">
        <tbody>
          {(["p50", "p90", "p95", "p99", "max", "mean"] as const).map((name) => (
            <tr key={name}><td>{name}</td><td className="number">{micros(latency[name])}</td></tr>
          ))}
        </tbody>
      </table>
    </Card>
  );
}

function Signals({ data }: { data: Aggregate }) {
  const flat: Record<string, number> = {};
  for (const [family, names] of Object.entries(data.signal_distribution)) {
    for (const [name, n] of Object.entries(names)) flat[`${family}: ${name}`] = n;
  }
  const rows = Object.entries(flat).sort((a, b) => b[1] - a[1]).slice(0, 15);
  return (
    <Card title="Signals that matched most">
      <table className="table">
        <tbody>
          {rows.map(([name, n]) => <tr key={name}><td className="mono small">{name}</td><td className="number">{count(n)}</td></tr>)}
        </tbody>
      </table>
    </Card>
  );
}

// The records behind the figures; `total` as of the figures, which are renewed by themselves.
function Drilled({ records, total }: { records: Records; total: number }) {
  const open = useCallback((row: number) => {
    const event = records.row(row);
    if (event) navigate(`/records/${event.id}`);
  }, [records]);
  const [marked] = useRows(records.length, open);
  const newer = total - records.total;
  return (
    <Card flush title={recordsTitle(records.started ? records.total : total)}
      aside={records.started && newer > 0 && <Button onClick={() => records.renew()}>Show {count(newer)} newer</Button>}>
      {records.length > 0 ? <RecordList records={records} marked={marked} label="Records, newest first" />
        : records.error ? <div className="body"><ErrorNotice error={records.error} retry={() => records.retry()} /></div>
        : <div className="body"><Skeleton /></div>}
    </Card>
  );
}

function recordsTitle(total: number): string {
  return total === 1 ? "The one record" : `The ${count(total)} records`;
}
