// The program itself: version, stores, queues, limits, and the end of its log.
import { useEffect, useState } from "react";
import { getText, type LogLines, type System } from "../api/client";
import { useQuery } from "../api/use-query";
import { count, duration, moment } from "../app/format";
import { PageHead } from "../app/shell";
import { Badge, Card, CopyButton, Empty, Loaded, Notice, Skeleton, Stat } from "../ui/ui";

// What the numbers of the limits mean, where their names do not say it.
const limitNames: Record<string, string> = {
  recipe_versions: "recipe versions kept, the running one among them",
};

const errorsEveryMs = 10_000;

// Rules that gave no full answer since the start, of the router's own metrics.
function useSignalErrors(): { total: number; causes: string } | undefined {
  const [errors, setErrors] = useState<{ total: number; causes: string }>();
  useEffect(() => {
    const abort = new AbortController();
    const ask = async () => {
      try {
        const text = await getText("/metrics", abort.signal);
        const found = [...text.matchAll(/^vsr_signal_errors_total\{reason="([^"]*)",signal_type="([^"]*)"\} (\S+)/gm)]
          .map(([, reason, type, n]) => ({ what: `${type} ${reason}`, n: Number(n) })).filter((one) => one.n > 0);
        setErrors({
          total: found.reduce((sum, one) => sum + one.n, 0),
          causes: found.map((one) => `${one.what} ${count(one.n)}`).join(", "),
        });
      } catch {
        // The page says elsewhere that the router does not answer.
      }
    };
    void ask();
    const timer = setInterval(() => void ask(), errorsEveryMs);
    return () => {
      abort.abort();
      clearInterval(timer);
    };
  }, []);
  return errors;
}

const tones = { error: "bad", critical: "bad", warning: "warn" } as const;

export default function SystemPage({ system }: { system: System | undefined }) {
  const logs = useQuery<LogLines>("/api/v1/logs", 3_000);
  const errors = useSignalErrors();
  if (!system) return <Skeleton />;
  const replay = system.replay;
  const backends = system.backends;
  return (
    <>
      <PageHead title="System">
        <CopyButton text={JSON.stringify(system, null, 2)}>Copy as JSON</CopyButton>
      </PageHead>
      <div className="stack">
        {system.problem !== "" && <Notice tone={system.ready ? "warn" : "bad"}><pre>{system.problem}</pre></Notice>}
        <div className="stats">
          <Stat label="Version" value={system.version} hint={`process ${system.pid}`} />
          <Stat label="Running for" value={duration(system.uptime_seconds)} />
          <Stat label="In flight" value={count(system.in_flight)} />
          <Stat label="Records to be written" value={replay ? count(replay.queued) : "–"}
            hint={replay ? `${count((replay.dropped_bodies ?? 0) + (replay.dropped_records ?? 0))} dropped` : "records are off"} />
          <Stat label="Rules without a full answer" value={errors ? count(errors.total) : "–"}
            hint={errors && errors.total > 0 ? `since the start: ${errors.causes}` : "since the start"} />
          <Stat label="Encoder" value={system.encoder?.loaded ? "loaded" : "not needed yet"} hint={`${count(system.encoder?.texts_encoded ?? 0)} texts read`} />
        </div>
        <div className="split">
          <Card title="Where things are">
            <dl className="facts">
              <dt>API</dt><dd><code>{system.public_url || "not open yet"}</code></dd>
              <dt>Recipe</dt><dd>{system.config ? <code>{system.config}</code> : "none: setup mode"}</dd>
              <dt>Policy</dt><dd><code>{system.policy || "–"}</code> {system.recipe_name}</dd>
              <dt>State folder</dt><dd><code>{system.state_folder}</code></dd>
              <dt>Record store</dt>
              <dd>{replay ? <>{replay.store} <Badge tone={replay.ok ? "good" : "bad"}>{replay.ok ? "writing" : "not writing"}</Badge> {replay.notice}</> : "off"}</dd>
            </dl>
          </Card>
          <div className="stack">
          <Card title="Backends at the start">
            {backends ? (
              <>
                <ul style={{ margin: 0, paddingLeft: "1.2em" }}>{backends.tried.map((line) => <li key={line}>{line}</li>)}</ul>
                {backends.embedded !== "" && (
                  <p style={{ marginTop: "var(--space-2)" }}>
                    Embedded: <code>{backends.embedded}</code>{" "}
                    <Badge tone={backends.embedded_running ? "good" : "bad"}>{backends.embedded_running ? `running, process ${backends.embedded_pid}` : "not running"}</Badge>
                    {backends.embedded_restarts > 0 && ` ${backends.embedded_restarts} restarts`} {backends.embedded_problem}
                  </p>
                )}
              </>
            ) : <p className="muted">Nothing was looked for yet.</p>}
          </Card>
          <Card title="Limits">
            <dl className="facts">
              {Object.entries(system.limits).map(([name, value]) => (
                <div key={name} style={{ display: "contents" }}><dt>{limitNames[name] ?? name.replaceAll("_", " ")}</dt><dd>{count(value)}</dd></div>
              ))}
            </dl>
          </Card>
          </div>
        </div>
        <Card title="Log" aside={<span className="muted small">the latest lines</span>}>
          <Loaded query={logs}>
            {(data) => data.lines.length === 0 ? <Empty title="Nothing was logged yet" /> : (
              <div style={{ maxHeight: 420, overflow: "auto" }} tabIndex={0} role="region" aria-label="Log">
                {[...data.lines].reverse().map((line, i) => (
                  <div key={i} className="row-line" style={{ alignItems: "baseline", flexWrap: "nowrap" }}>
                    <span className="muted small mono" style={{ whiteSpace: "nowrap" }}>{moment(line.time)}</span>
                    <Badge tone={tones[line.level as keyof typeof tones] ?? "plain"}>{line.level}</Badge>
                    <pre>{line.text}</pre>
                  </div>
                ))}
              </div>
            )}
          </Loaded>
        </Card>
      </div>
    </>
  );
}
