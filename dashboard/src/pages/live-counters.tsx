// The last minute in figures, and whether every model can serve.
import { useEffect, useMemo, useState } from "react";
import type { Models, RecordList } from "../api/client";
import { query } from "../api/client";
import { asEvent } from "../api/records";
import { useQuery } from "../api/use-query";
import { count, micros, percent, tokens, usd } from "../app/format";
import { type Minute, type Second, secondsShown } from "../app/minute";
import { Spark } from "../ui/spark";
import { Stat } from "../ui/ui";

function median(values: number[]): number | undefined {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
}

export function Counters({ minute, newest }: {
  minute: Minute;
  newest: number; // changes when the minute does
}) {
  const models = useQuery<Models>("/api/v1/models", 5_000);
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
  const sum = (value: (second: Second) => number) => each(value).reduce((a, b) => a + b, 0);
  const requests = sum((second) => second.requests);
  const failed = sum((second) => second.failed);
  const prompt = sum((second) => second.promptTokens);
  const cached = sum((second) => second.cachedTokens);
  const sick = models.data?.models.filter((model) => !model.healthy) ?? [];
  const all = models.data?.models.length ?? 0;
  return (
    <div className="stats" aria-label="The last minute">
      <Stat label="Requests, last minute" value={count(requests)} hint={failed > 0 ? `${count(failed)} failed` : "none failed"}>
        <Spark values={each((second) => second.requests)} label={`Requests a second over the last minute, ${requests} in all`} />
      </Stat>
      <Stat label="Routing, median" value={micros(median(seconds.flatMap((second) => second.routing)))} hint="decision, before the model">
        <Spark values={each((second) => median(second.routing) ?? 0)} label="Median routing time of each second" />
      </Stat>
      <Stat label="Prompt tokens from cache" value={percent(prompt > 0 ? cached / prompt : undefined)} hint={`${tokens(cached)} of ${tokens(prompt)}`}>
        <Spark values={each((second) => second.cachedTokens)} label="Prompt tokens from cache in each second" />
      </Stat>
      <Stat label="Spent, last minute" value={usd(sum((second) => second.cost))} hint="at your prices">
        <Spark values={each((second) => second.cost)} label="Money spent in each second" />
      </Stat>
      <Stat label="Models"
        value={models.data ? `${all - sick.length} of ${all}` : "–"}
        hint={models.data ? (sick.length === 0 ? "all can serve" : `${sick.map((model) => model.name).join(", ")} cannot`) : "not known yet"} />
    </div>
  );
}
