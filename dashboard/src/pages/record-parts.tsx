// The panels of a record; each answers one question and takes plain data.
import type { Eval, ProjectionTrace, ReplayRecord, RuleNode, Topology } from "../api/client";
import { micros } from "../app/format";
import { Badge, Id, Wide } from "../ui/ui";

// ---- phases -------------------------------------------------------------------------------------

export function Waterfall({ record }: { record: ReplayRecord }) {
  const t = record.timings_us;
  if (!t) return <p className="muted">The phases are known when the request has ended.</p>;
  const phases: { name: string; start: number; us: number }[] = [];
  let at = 0;
  for (const name of ["parse", "encode", "signals", "decision", "learning"] as const) {
    phases.push({ name, start: at, us: t[name] ?? 0 });
    at += t[name] ?? 0;
  }
  const dispatched = Math.max(at, t.dispatch ?? at);
  phases.push({ name: "wait and prepare", start: at, us: dispatched - at });
  const own = phases.length;
  const total = Math.max(t.total ?? dispatched, dispatched);
  const first = t.first_byte && t.first_byte > 0 ? Math.max(t.first_byte, dispatched) : total;
  phases.push({ name: "model, first byte", start: dispatched, us: first - dispatched });
  phases.push({ name: "answer", start: first, us: total - first });
  return (
    <div className="stack">
      <PhaseGroup name="The router" phases={phases.slice(0, own)} from={0} to={dispatched} colour="var(--series-0)" />
      {(record.backend?.attempts.length ?? 0) > 0 && <PhaseGroup name="The model" phases={phases.slice(own)} from={dispatched} to={total} colour="var(--series-1)" />}
    </div>
  );
}

// The router's microseconds would not be seen beside a model's seconds: each group has its scale.
function PhaseGroup({ name, phases, from, to, colour }: {
  name: string; phases: { name: string; start: number; us: number }[]; from: number; to: number; colour: string;
}) {
  const whole = Math.max(to - from, 1e-9);
  return (
    <div>
      <h3>{name}: {micros(to - from)}</h3>
      <div className="wf" role="table" aria-label={`Phases: ${name}`}>
        {phases.map((phase) => {
          const left = ((phase.start - from) / whole) * 100;
          const width = Math.min((phase.us / whole) * 100, 100 - left);
          return (
            <div key={phase.name} role="row" style={{ display: "contents" }}>
              <span role="cell">{phase.name}</span>
              <span role="cell" className="track"><i style={{ left: `${left}%`, width: `${width}%`, background: colour }} /></span>
              <span role="cell" className="number">{micros(phase.us)}</span>
            </div>
          );
        })}
      </div>
    </div>
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
      <table className="table stacked">
        <thead>
          <tr><th>Signal</th><th className="number">Value</th><th className="number">Threshold</th><th>Came to</th><th>Matched text</th></tr>
        </thead>
        <tbody>
          {shown.map((row) => (
            <tr key={row.id}>
              <td className="mono"><Id id={row.id} /></td>
              <td className="number" data-label="Value">{Number.isInteger(row.value) ? row.value : row.value.toFixed(3)}</td>
              <td className="number" data-label="Threshold">
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
              <td className="small matched-text" data-label="Matched text">{found.get(row.id)?.map((text) => <mark key={text}>{text}</mark>) ?? <span className="muted">–</span>}</td>
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
            <td className="mono"><Id id={row.first_failing} /></td>
          </tr>
        ))}
      </tbody>
    </table></Wide>
  );
}
