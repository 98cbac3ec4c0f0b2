// The panels of a record; each answers one question and takes plain data.
import type { Eval, ProjectionTrace, ReplayRecord, RuleNode, Topology, Verdict } from "../api/client";
import { modelColour } from "../app/colour";
import { micros, tokens, usd } from "../app/format";
import { Badge, ModelName, Wide } from "../ui/ui";

// ---- phases -------------------------------------------------------------------------------------

export function Waterfall({ record }: { record: ReplayRecord }) {
  const t = record.timings_us;
  if (!t) return <p className="muted">The phases are known when the request has ended.</p>;
  const phases: { name: string; start: number; us: number }[] = [];
  let at = 0;
  for (const name of ["parse", "signals", "decision", "learning"] as const) {
    phases.push({ name, start: at, us: t[name] ?? 0 });
    at += t[name] ?? 0;
  }
  const dispatched = Math.max(at, t.dispatch ?? at);
  phases.push({ name: "wait and prepare", start: at, us: dispatched - at });
  const total = Math.max(t.total ?? dispatched, dispatched);
  const first = t.first_byte && t.first_byte > 0 ? Math.max(t.first_byte, dispatched) : total;
  phases.push({ name: "model, first byte", start: dispatched, us: first - dispatched });
  phases.push({ name: "answer", start: first, us: total - first });
  const routing = { end: dispatched };
  return (
    <>
      <div className="wf" role="table" aria-label="Phases">
        {phases.map((phase) => {
          // The router's own phases would not be seen beside a model's seconds: two scales.
          const own = phase.start < routing.end;
          const scale = own ? routing.end : total;
          const left = scale > 0 ? (phase.start / scale) * 100 : 0;
          const width = scale > 0 ? (phase.us / scale) * 100 : 0;
          return (
            <div key={phase.name} role="row" style={{ display: "contents" }}>
              <span role="cell">{phase.name}</span>
              <span role="cell" className="track">
                <i style={{
                  left: `${left}%`, width: `${Math.min(width, 100 - left)}%`,
                  background: own ? "var(--series-0)" : "var(--series-1)",
                }} />
              </span>
              <span role="cell" className="number">{micros(phase.us)}</span>
            </div>
          );
        })}
      </div>
      <p className="muted small" style={{ marginTop: "var(--space-2)" }}>
        The upper five are the router's, drawn on {micros(routing.end)}; the lower two on the whole {micros(total)}.
      </p>
    </>
  );
}

// ---- signals ------------------------------------------------------------------------------------

export interface SignalRow {
  id: string;
  value: number;
  confidence: number;
  threshold: number | undefined;
  matched: boolean;
  error: string | undefined;
}

export function signalRows(
  of: Pick<ReplayRecord, "signal_values" | "signal_confidences" | "signal_errors" | "signals">,
  topology: Topology | undefined,
): SignalRow[] {
  const thresholds = new Map(topology?.signals.map((signal) => [signal.id, signal]));
  const matched = new Set<string>();
  for (const [family, names] of Object.entries(of.signals ?? {})) {
    for (const name of names) matched.add(`${family}:${name}`);
  }
  return Object.entries(of.signal_values ?? {})
    .filter(([id]) => !id.startsWith("projection:"))
    .map(([id, value]) => {
      const known = thresholds.get(id);
      const name = id.slice(id.indexOf(":") + 1);
      const confidence = of.signal_confidences?.[id] ?? 0;
      return {
        id,
        value,
        confidence,
        threshold: known?.threshold,
        matched: known ? matched.has(`${known.family}:${name}`) : confidence > 0,
        error: of.signal_errors?.[id],
      };
    })
    .sort((a, b) => Number(b.matched) - Number(a.matched) || a.id.localeCompare(b.id));
}

// `found`: what a signal matched in the text, by its id.
export function Signals({ rows, all, found }: { rows: SignalRow[]; all: boolean; found: Map<string, string[]> }) {
  const shown = all ? rows : rows.filter((row) => row.matched || row.error !== undefined || near(row));
  if (shown.length === 0) return <p className="muted">No signal matched.</p>;
  return (
    <Wide label="Signals">
      <table className="table">
        <thead>
          <tr><th>Signal</th><th className="number">Value</th><th className="number">Threshold</th><th>Came to</th><th>Matched text</th></tr>
        </thead>
        <tbody>
          {shown.map((row) => (
            <tr key={row.id}>
              <td className="mono">{row.id}</td>
              <td className="number">{Number.isInteger(row.value) ? row.value : row.value.toFixed(3)}</td>
              <td className="number">
                {row.threshold !== undefined ? (
                  <>{row.threshold}<Meter value={row.value} threshold={row.threshold} matched={row.matched} /></>
                ) : (
                  <span className="muted small">yes or no</span>
                )}
              </td>
              <td>
                {row.error !== undefined ? (
                  <Badge tone="warn" title={row.error}>error</Badge>
                ) : row.matched ? (
                  <Badge tone="accent">matched</Badge>
                ) : (
                  <span className="muted">no</span>
                )}
                {row.error !== undefined && <div className="small muted">{row.error}</div>}
              </td>
              <td className="small matched-text">{found.get(row.id)?.map((text) => <mark key={text}>{text}</mark>) ?? <span className="muted">–</span>}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Wide>
  );
}

// Not matched, but not far from it: what one looks for when a route surprises.
function near(row: SignalRow): boolean {
  // The levels of one complexity rule share a value, so the others are always near.
  return !row.id.startsWith("complexity:") && row.threshold !== undefined && row.value > 0 && row.value >= row.threshold * 0.6;
}

export function Meter({ value, threshold, matched }: { value: number; threshold: number; matched: boolean }) {
  const most = Math.max(1, Math.abs(value), Math.abs(threshold));
  const share = (x: number) => `${(Math.max(0, Math.min(most, x)) / most) * 100}%`;
  return (
    <div className={matched ? "meter matched" : "meter"} role="img"
      aria-label={`${value.toFixed(3)}, threshold ${threshold}`} title={`threshold ${threshold}`}>
      <i style={{ width: share(value) }} />
      <b style={{ left: share(threshold) }} />
    </div>
  );
}

// ---- projections --------------------------------------------------------------------------------

type Bounds = Topology["projections"][number]["bounds"];

function band(bounds: Bounds | undefined): string {
  if (!bounds) return "";
  const parts: string[] = [];
  if (bounds.gt !== undefined) parts.push(`> ${bounds.gt}`);
  if (bounds.gte !== undefined) parts.push(`≥ ${bounds.gte}`);
  if (bounds.lt !== undefined) parts.push(`< ${bounds.lt}`);
  if (bounds.lte !== undefined) parts.push(`≤ ${bounds.lte}`);
  return parts.join(" and ");
}

export function Projections({ traces, topology }: {
  traces: ProjectionTrace[]; topology: Topology | undefined;
}) {
  if (traces.length === 0) return <p className="muted">The recipe has no projections.</p>;
  return (
    <div className="stack">
      {traces.map((trace) => (
        <Projection key={trace.score} trace={trace}
          outputs={topology?.projections.filter((one) => one.score === trace.score) ?? []} />
      ))}
    </div>
  );
}

const spaceAbove = 1.05; // so that the highest band is seen

function Projection({ trace, outputs }: { trace: ProjectionTrace; outputs: Topology["projections"] }) {
  const counted = trace.inputs.filter((input) => input.contribution !== 0);
  const edges = outputs.flatMap((one) => Object.values(one.bounds));
  const positive = counted.filter((one) => one.contribution > 0).reduce((sum, one) => sum + one.contribution, 0);
  const negative = counted.filter((one) => one.contribution < 0).reduce((sum, one) => sum + one.contribution, 0);
  const low = Math.min(0, negative, trace.value, ...edges);
  const high = Math.max(1e-9, positive, trace.value, ...edges) * spaceAbove;
  const at = (x: number) => ((x - low) / (high - low)) * 100;
  let up = 0;
  let down = 0;
  return (
    <div>
      <div className="row-line" style={{ justifyContent: "space-between" }}>
        <strong>{trace.score}</strong>
        <span className="number">{trace.value.toFixed(3)}</span>
      </div>
      <div className="contributions" role="img"
        aria-label={`${trace.score} is ${trace.value.toFixed(3)}: ${counted.map((one) => `${one.name} ${one.contribution.toFixed(3)}`).join(", ") || "nothing contributes"}`}>
        {counted.map((one, i) => {
          const from = one.contribution > 0 ? up : down + one.contribution;
          if (one.contribution > 0) up += one.contribution;
          else down += one.contribution;
          return (
            <i key={`${one.type}:${one.name}`} title={`${one.type}:${one.name} ${one.contribution.toFixed(3)}`}
              style={{
                left: `${at(from)}%`, width: `${Math.abs(at(from + Math.abs(one.contribution)) - at(from))}%`,
                background: `var(--series-${i % 8})`, opacity: one.contribution > 0 ? 1 : 0.45,
              }} />
          );
        })}
        {edges.filter((edge) => edge > low && edge < high).map((edge) => (
          <s key={edge} style={{ left: `${at(edge)}%` }} title={`band at ${edge}`} />
        ))}
        <b style={{ left: `calc(${at(trace.value)}% - 1px)` }} />
      </div>
      <div className="row-line small" style={{ marginTop: 4 }}>
        {trace.outputs.map((output) => (
          <Badge key={output.name} tone={output.matched ? "accent" : "plain"}>
            {output.name} {band(outputs.find((one) => one.name === output.name)?.bounds)}
          </Badge>
        ))}
      </div>
      {counted.length > 0 && (
        <div className="small muted" style={{ marginTop: 4 }}>
          {counted.map((one, i) => (
            <span key={`${one.type}:${one.name}`} className="contribution">
              <i style={{ background: `var(--series-${i % 8})`, opacity: one.contribution > 0 ? 1 : 0.45 }} />
              {one.type}:{one.name} {one.contribution > 0 ? "+" : ""}{one.contribution.toFixed(3)}
            </span>
          ))}
        </div>
      )}
    </div>
  );
}

// ---- decisions ----------------------------------------------------------------------------------

export function RuleTree({ node, root = true }: { node: RuleNode; root?: boolean }) {
  return (
    <ul className={root ? "tree root" : "tree"}>
      <li>
        <span className={node.matched ? "verdict-true" : "verdict-false"}>
          <span className="visually-hidden">{node.matched ? "true: " : "false: "}</span>
          {node.operator ?? <span className="mono">{node.type}:{node.name}</span>}
        </span>
        {node.conditions?.map((child, i) => <RuleTree key={i} node={child} root={false} />)}
      </li>
    </ul>
  );
}

// The winner's tree, then the others with what failed first.
export function Decisions({ evaluation }: { evaluation: Eval }) {
  const winner = evaluation.decisions.find((one) => one.name === evaluation.routing_decision);
  const others = evaluation.decisions.filter((one) => one !== winner);
  return (
    <>
      {winner ? (
        <>
          <div className="row-line">
            <strong>{winner.name}</strong>
            <Badge>priority {winner.priority}</Badge>
            {winner.tier > 0 && <Badge>tier {winner.tier}</Badge>}
            <Badge>confidence {winner.confidence.toFixed(2)}</Badge>
          </div>
          <RuleTree node={winner.rule} />
        </>
      ) : (
        <p>No decision matched; the default model serves.</p>
      )}
      <details style={{ marginTop: "var(--space-3)" }}>
        <summary>The other {others.length} decisions</summary>
        {others.map((one) => (
          <details key={one.name} style={{ margin: "var(--space-2) 0 0 var(--space-3)" }}>
            <summary>
              {one.name}{" "}
              {one.matched ? <Badge tone="accent">matched, lower rank</Badge> : (
                <span className="muted small">first failing: <span className="mono">{one.first_failing}</span></span>
              )}
            </summary>
            <RuleTree node={one.rule} />
          </details>
        ))}
      </details>
    </>
  );
}

export function Rejected({ record }: { record: ReplayRecord }) {
  const rows = record.rejected_decisions ?? [];
  if (rows.length === 0) return <p className="muted">No other decision was near.</p>;
  return (
    <Wide label="Runners-up"><table className="table">
      <thead><tr><th>Runner-up</th><th>First failing condition</th></tr></thead>
      <tbody>
        {rows.map((row) => (
          <tr key={row.name}>
            <td>{row.name}</td>
            <td className="mono">{row.first_failing}</td>
          </tr>
        ))}
      </tbody>
    </table></Wide>
  );
}

// ---- learning -----------------------------------------------------------------------------------

export function Learning({ verdict }: { verdict: Verdict }) {
  const candidates = [...verdict.candidates].sort((a, b) => a.score_usd - b.score_usd);
  const best = candidates[0]?.model;
  return (
    <div className="stack">
      <div className="row-line">
        <Step label="before" model={verdict.previous_model} />
        <span aria-hidden="true">→</span>
        <Step label="proposed" model={verdict.proposal_model} />
        <span aria-hidden="true">→</span>
        <Step label="served" model={verdict.final_model} />
      </div>
      {candidates.length > 0 ? (
        <Wide label="Candidates">
          <table className="table">
            <thead>
              <tr>
                <th>Candidate</th>
                <th className="number">First call</th><th className="number">Whole round</th>
                <th className="number">Risk of failing</th><th className="number">Expected in all</th>
                <th className="number">Cached tokens</th>
              </tr>
            </thead>
            <tbody>
              {candidates.map((one) => (
                <tr key={one.model}>
                  <td>
                    <ModelName name={one.model} />{" "}
                    {one.model === best && <Badge tone="good">lowest</Badge>}{" "}
                    {one.current && <Badge>current</Badge>}
                  </td>
                  <td className="number">{usd(one.first_call_usd)}</td>
                  <td className="number">{usd(one.round_usd)}</td>
                  <td className="number">{usd(one.failure_usd)}</td>
                  <td className="number"><strong>{usd(one.score_usd)}</strong></td>
                  <td className="number">{tokens(verdict.cache[one.model] ?? 0)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Wide>
      ) : (
        <p className="muted">
          No prices were compared: {verdict.locked ? "a lock leaves no choice." : "the verdict did not need them."}
        </p>
      )}
      <dl className="facts">
        <dt>Lock</dt><dd>{verdict.locked ? <Badge tone="warn">{verdict.reason.replaceAll("_", " ")}</Badge> : "none"}</dd>
        <dt>Gain against margin</dt><dd>{usd(verdict.gain_usd)} against {usd(verdict.margin_usd)}</dd>
        <dt>Turns, switches</dt><dd>{verdict.turns}, {verdict.switches}</dd>
        {verdict.idle_seconds !== undefined && verdict.idle_seconds >= 0 && (
          <><dt>Idle before</dt><dd>{verdict.idle_seconds.toFixed(0)} s</dd></>
        )}
        <dt>Scope, mode</dt><dd>{verdict.scope}, {verdict.mode}</dd>
        <dt>Identity</dt>
        <dd>
          session <code>{verdict.identity?.session || "–"}</code> ({verdict.identity?.session_source || "none"}),
          conversation <code>{verdict.identity?.conversation || "–"}</code> ({verdict.identity?.conversation_source || "none"})
        </dd>
      </dl>
      <Beliefs belief={verdict.belief} />
    </div>
  );
}

function Step({ label, model }: { label: string; model: string }) {
  return (
    <span>
      <span className="muted small">{label} </span>
      <ModelName name={model} />
    </span>
  );
}

function Beliefs({ belief }: { belief: Record<string, number> }) {
  const rows = Object.entries(belief);
  // A bypass asks for no belief.
  if (rows.every(([, share]) => share === 0)) return null;
  return (
    <div>
      <h3>What the task seems to need</h3>
      <div className="wf" style={{ marginTop: 4 }}>
        {rows.map(([model, share]) => (
          <div key={model} style={{ display: "contents" }}>
            <ModelName name={model} />
            <span className="track"><i style={{ left: 0, width: `${share * 100}%`, background: modelColour(model) }} /></span>
            <span className="number">{(share * 100).toFixed(0)} %</span>
          </div>
        ))}
      </div>
    </div>
  );
}
