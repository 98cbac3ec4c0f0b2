// The last minute in figures, and whether every model can serve. The figures are the store's, which
// knows what came before this page was opened; the shapes are of what it has seen.
import { useEffect, useMemo, useState } from "react";
import type { Aggregate, Models, RecordList } from "../api/client";
import { get, query } from "../api/client";
import { asEvent } from "../api/records";
import { useQuery } from "../api/use-query";
import { count, micros, percent, tokens, usd } from "../app/format";
import { type Minute, type Second, secondsShown } from "../app/minute";
import { Spark } from "../ui/spark";
import { Stat } from "../ui/ui";

const sumsEveryMs = 2_000;

function median(values: number[]): number | undefined {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
}

// The store's sums of the last minute; while they cannot be had, the latest that could.
function useMinuteSums(): Aggregate | undefined {
  const [sums, setSums] = useState<Aggregate>();
  useEffect(() => {
    const abort = new AbortController();
    const ask = async () => {
      if (document.hidden) return;
      const from = new Date(Date.now() - secondsShown * 1000).toISOString();
      try {
        setSums(await get<Aggregate>(`/v1/router_replay/aggregate${query({ from })}`, abort.signal));
      } catch {
        // The list below says that the router does not answer.
      }
    };
    void ask();
    const timer = setInterval(() => void ask(), sumsEveryMs);
    return () => {
      abort.abort();
      clearInterval(timer);
    };
  }, []);
  return sums;
}

export function Counters({ minute, newest }: {
  minute: Minute;
  newest: number; // changes when the minute does
}) {
  const models = useQuery<Models>("/api/v1/models", 5_000);
  const sums = useMinuteSums();
  const from = useMemo(() => new Date(Date.now() - secondsShown * 1000).toISOString(), []);
  const stored = useQuery<RecordList>(`/v1/router_replay${query({ from, limit: 100 })}`);
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (!stored.data) return;
    minute.addStored(stored.data.data.map(asEvent));
    setNow(Date.now());
  }, [minute, stored.data]);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);

  const seconds = minute.at(Math.max(now, newest));
  const each = (value: (second: Second) => number) => seconds.map(value);
  const prompt = sums?.token_volume.prompt_tokens ?? 0;
  const cached = sums?.token_volume.cached_prompt_tokens ?? 0;
  const requests = sums?.record_count ?? 0;
  const failed = (sums?.lifecycle.failed ?? 0) + (sums?.lifecycle.aborted ?? 0);
  const shown = (text: string) => (sums ? text : "–");
  const sick = models.data?.models.filter((model) => !model.healthy) ?? [];
  const all = models.data?.models.length ?? 0;
  return (
    <div className="stats" aria-label="The last minute">
      <Stat label="Requests, last minute" value={shown(count(requests))} hint={shown(failed > 0 ? `${count(failed)} failed or aborted` : "none failed")}>
        <Spark values={each((second) => second.requests)} label={"Requests a second over the last minute"} />
      </Stat>
      <Stat label="Routing, median" value={micros(requests > 0 ? sums?.routing_latency_us.p50 : undefined)} hint="decision, before the model">
        <Spark values={each((second) => median(second.routing) ?? 0)} label="Median routing time of each second" />
      </Stat>
      <Stat label="Prompt tokens from cache" value={percent(prompt > 0 ? cached / prompt : undefined)} hint={`${tokens(cached)} of ${tokens(prompt)}`}>
        <Spark values={each((second) => second.cachedTokens)} label="Prompt tokens from cache in each second" />
      </Stat>
      <Stat label="Spent, last minute" value={shown(usd(sums?.summary.actual_spend, sums?.summary.currency))} hint="at your prices">
        <Spark values={each((second) => second.cost)} label="Money spent in each second" />
      </Stat>
      <Stat label="Models"
        value={models.data ? `${all - sick.length} of ${all}` : "–"}
        hint={models.data ? (sick.length === 0 ? "all can serve" : `${sick.map((model) => model.name).join(", ")} cannot`) : "not known yet"} />
    </div>
  );
}
