// A conversation turn by turn: a lane per model, what was kept and what was changed, how warm each
// model's cache still was, and what it cost against always using one model.
import { useCallback, useMemo } from "react";
import { type Trajectory, type Turn, query } from "../api/client";
import { useQuery } from "../api/use-query";
import { modelColour } from "../app/colour";
import { trouble } from "../app/outcome";
import { shortReason } from "../app/reasons";
import { clock, count, moment, percent, shortModel, tokens, usd } from "../app/format";
import { Link, follow } from "../app/link";
import { navigate } from "../app/location";
import { PageHead } from "../app/shell";
import { useRows } from "../app/use-rows";
import { ActionBadge, Badge, Card, Empty, Loaded, ModelName, Stat, Wide } from "../ui/ui";
import "./conversation.css";

// How long a backend is taken to keep a prefix; the learning policy counts on the same.
const cacheMs = 300_000;

export default function Conversation({ session, conversation }: { session: string; conversation: string }) {
  const filter = query({ session_id: session, conversation_id: conversation });
  const trajectory = useQuery<Trajectory>(`/v1/router_replay/trajectory${filter}`, 5_000);
  if (trajectory.error?.status === 404) {
    return (
      <Empty title="There is no such conversation">
        <p>Its records are gone or were never written.</p>
        <Link className="button" to="/conversations">All conversations</Link>
      </Empty>
    );
  }
  return (
    <>
      <PageHead title="Conversation">
        <code>{session}</code>
        <code>{conversation}</code>
      </PageHead>
      <Loaded query={trajectory}>
        {(data) => (
          <div className="stack">
            <Totals turns={data.turns} />
            <Card title="Turns">
              <Timeline turns={data.turns} />
            </Card>
            <Card title="Cost so far, and had one model answered everything">
              <Costs sums={data.sums_under_cache_model} spent={data.turns.reduce((sum, turn) => sum + turn.actual_cost, 0)} />
            </Card>
            <Card flush title="The turns as a list">
              <TurnTable turns={data.turns} />
            </Card>
            {data.truncated && <p className="muted">Only the first {count(data.turns.length)} turns are shown.</p>}
          </div>
        )}
      </Loaded>
    </>
  );
}

// Neighbouring turns with different models, whatever changed them.
function changes(turns: Turn[]): number {
  const served = turns.filter((turn) => turn.model !== "");
  return served.filter((turn, i) => i > 0 && turn.model !== served[i - 1]?.model).length;
}

function Totals({ turns }: { turns: Turn[] }) {
  const sum = (value: (turn: Turn) => number) => turns.reduce((total, turn) => total + value(turn), 0);
  const prompt = sum((turn) => turn.prompt_tokens);
  const unsafe = sum((turn) => Number(turn.is_unsafe_switch));
  const first = turns[0];
  return (
    <div className="stats">
      <Stat label="Turns" value={count(turns.length)} hint={first && `since ${moment(first.timestamp)}`} />
      <Stat label="Changes of model" value={count(changes(turns))}
        hint={<>{changes(turns) > 0 && `${sum((turn) => Number(turn.action === "switch" && turn.reason !== "explicit_model"))} by learning, the rest by name or decision; `}{unsafe > 0 ? <Badge tone="bad">{unsafe} unsafe</Badge> : "none unsafe"}</>} />
      <Stat label="Held by a lock" value={sum((turn) => Number(turn.action === "hard_lock"))} />
      <Stat label="Prompt tokens from cache" value={percent(prompt > 0 ? sum((turn) => turn.cached_prompt_tokens) / prompt : undefined)} hint={`of ${tokens(prompt)}`} />
      <Stat label="Cost" value={usd(sum((turn) => turn.actual_cost), turns.find((turn) => turn.currency)?.currency)} />
    </div>
  );
}

const laneHeight = 46;
const narrow = window.matchMedia("(max-width: 820px)");

const shapes: Record<string, string> = {
  select: "first", stay: "stay", switch: "switch", hard_lock: "lock", bypass: "bypass", noop: "none",
};

function Timeline({ turns }: { turns: Turn[] }) {
  const lanes = useMemo(() => [...new Set(turns.map((turn) => turn.model))], [turns]);
  const step = narrow.matches ? 30 : 46;
  const left = 8;
  const width = left + turns.length * step + 24;
  const height = lanes.length * laneHeight + 40;
  const x = (i: number) => left + i * step + step / 2;
  const y = (model: string) => lanes.indexOf(model) * laneHeight + laneHeight / 2 + 4;

  // A model's cache is warm from a turn of its own until that turn's prefix is too old.
  const bands = useMemo(() => {
    const out: { model: string; from: number; to: number; cold: boolean }[] = [];
    turns.forEach((turn, i) => {
      const t = Date.parse(turn.timestamp);
      let to = i;
      let cold = false;
      for (let j = i + 1; j < turns.length; j++) {
        const later = turns[j];
        if (!later) break;
        if (Date.parse(later.timestamp) - t > cacheMs) {
          cold = true;
          break;
        }
        to = j;
        if (later.model === turn.model) break;
      }
      out.push({ model: turn.model, from: i, to, cold });
    });
    return out;
  }, [turns]);

  // Neighbouring turns that deliver tool results belong to the loop that the turn before opened.
  const loops = useMemo(() => {
    const out: [number, number][] = [];
    turns.forEach((turn, i) => {
      if (turn.phase !== "tool_loop") return;
      const last = out.at(-1);
      if (last && last[1] === i - 1) last[1] = i;
      else out.push([Math.max(0, i - 1), i]);
    });
    return out;
  }, [turns]);

  return (
    <>
      <div className="timeline" tabIndex={0} role="region" aria-label="Turns in lanes of models">
        <div className="lanes" aria-hidden="true">
          {lanes.map((model) => <div key={model} style={{ height: laneHeight }}>{model === "" ? <span className="muted">no model</span> : <ModelName name={model} />}</div>)}
        </div>
        <svg width={width} height={height} role="group" aria-label={`${turns.length} turns on ${lanes.length} models`}>
          {lanes.map((model) => (
            <g key={model}>
              <line x1={left} x2={width} y1={y(model)} y2={y(model)} stroke="var(--line-soft)" />
            </g>
          ))}
          {bands.map((one, i) => (
            <g key={i}>
              <rect x={x(one.from)} y={y(one.model) + 9} height={6} rx={3}
                width={Math.max(6, x(one.to) - x(one.from) + (one.cold ? step / 2 : 0))} fill={modelColour(one.model)} opacity={0.35} />
              {one.cold && <text x={x(one.to) + step / 2 - 4} y={y(one.model) + 27}>cold</text>}
            </g>
          ))}
          {turns.slice(1).map((turn, i) => {
            const before = turns[i];
            if (!before) return null;
            const moved = turn.model !== before.model;
            return (
              <line key={turn.id} x1={x(i)} y1={y(before.model)} x2={x(i + 1)} y2={y(turn.model)}
                stroke={moved ? "var(--accent)" : "var(--line)"} strokeWidth={moved ? 2 : 1.5} strokeDasharray={turn.action === "bypass" || before.action === "bypass" ? "3 3" : undefined} />
            );
          })}
          {loops.map(([from, to]) => (
            <g key={`${from}-${to}`} stroke="var(--warn)" fill="none">
              <path d={`M${x(from)} ${height - 14}v6H${x(to)}v-6`} />
              <text x={x(from) + 4} y={height - 16} stroke="none">tool loop</text>
            </g>
          ))}
          {turns.map((turn, i) => (
            <a key={turn.id} href={`/records/${turn.id}`} onClick={(event) => follow(event, `/records/${turn.id}`)}
              aria-label={`Turn ${i + 1} at ${clock(turn.timestamp)}: ${turn.decision || "by name"}, ${turn.model}, ${turn.action} ${turn.reason}${ended(turn)}`}>
              <title>{`${clock(turn.timestamp)}  ${turn.decision || "by name"}\n${turn.model}\n${turn.action.replace("_", " ")}: ${shortReason(turn.reason)}${ended(turn)}`}</title>
              <Mark turn={turn} cx={x(i)} cy={y(turn.model)} />
            </a>
          ))}
        </svg>
      </div>
      <div className="legend small muted">
        {Object.entries(shapes).map(([action, name]) => (
          <span key={action}>
            <svg width="20" height="20" aria-hidden="true"><Mark turn={{ action, model: "" } as Turn} cx={10} cy={10} plain /></svg>
            {name === "first" ? "first turn" : action.replace("_", " ")}
          </span>
        ))}
        <span>band: prompt cache warm, at most 5 min</span>
        {narrow.matches && turns.length > 7 && <span>{turns.length} turns; the lanes scroll to the right</span>}
      </div>
    </>
  );
}

function ended(turn: Turn): string {
  const what = trouble(turn);
  return what === "" ? "" : `, ${what}`;
}

// Each action has a shape of its own, so that colour may mean the model.
function Mark({ turn, cx, cy, plain = false }: { turn: Turn; cx: number; cy: number; plain?: boolean }) {
  const fill = plain ? "var(--muted)" : modelColour(turn.model);
  const failed = turn.lifecycle_state === "failed" || turn.lifecycle_state === "aborted";
  const ring = failed || turn.is_unsafe_switch ? <circle cx={cx} cy={cy} r={12} fill="none" stroke="var(--bad)" strokeWidth={2} /> : null;
  let shape;
  switch (turn.action) {
    case "switch":
      shape = <path d={`M${cx} ${cy - 9}l9 9-9 9-9-9z`} fill={fill} />;
      break;
    case "hard_lock":
      shape = <><rect x={cx - 7} y={cy - 4} width={14} height={11} rx={2} fill={fill} /><path d={`M${cx - 4} ${cy - 4}v-2a4 4 0 0 1 8 0v2`} fill="none" stroke={fill} strokeWidth={2} /></>;
      break;
    case "bypass":
      shape = <path d={`M${cx} ${cy - 9}l7 3v5c0 5-3 8-7 9-4-1-7-4-7-9v-5z`} fill={fill} />;
      break;
    case "select":
      shape = <circle cx={cx} cy={cy} r={7} fill="var(--surface)" stroke={fill} strokeWidth={3} />;
      break;
    case "noop":
      shape = <rect x={cx - 7} y={cy - 2} width={14} height={4} fill={fill} />;
      break;
    default:
      shape = <circle cx={cx} cy={cy} r={6} fill={fill} />;
  }
  return <g>{ring}<circle cx={cx} cy={cy} r={11} fill="transparent" />{shape}</g>;
}

interface Line {
  name: string;
  colour: string;
  values: number[];
  dashed: boolean;
}

const [chartWidth, chartHeight, axisWidth] = [narrow.matches ? 360 : 720, 220, 64];

function Costs({ sums, spent }: { sums: Trajectory["sums_under_cache_model"]; spent: number }) {
  const lines = useMemo<Line[]>(() => [
    { name: "as routed", colour: "var(--text)", dashed: false, values: sums?.as_routed ?? [] },
    ...(sums?.always_one_model ?? []).map((one) => ({
      name: `always ${shortModel(one.model)}`, colour: modelColour(one.model), dashed: true, values: one.cost,
    })),
  ], [sums]);
  if (lines.length < 2) return <p className="muted">No model of the recipe has a price.</p>;
  const turns = lines[0]?.values.length ?? 0;
  const most = Math.max(...lines.flatMap((line) => line.values), 1e-9);
  const x = (i: number) => axisWidth + (turns > 1 ? (i / (turns - 1)) * (chartWidth - axisWidth - 8) : (chartWidth - axisWidth) / 2);
  const y = (value: number) => chartHeight - 22 - (value / most) * (chartHeight - 36);
  const last = (line: Line) => line.values.at(-1) ?? 0;
  return (
    <>
      <svg className="cost-chart" viewBox={`0 0 ${chartWidth} ${chartHeight}`} role="img"
        aria-label={lines.map((line) => `${line.name} ${usd(last(line))}`).join(", ")}>
        {[0, 0.5, 1].map((share) => (
          <g key={share}>
            <line x1={axisWidth} x2={chartWidth - 8} y1={y(most * share)} y2={y(most * share)} stroke="var(--line-soft)" />
            <text x={axisWidth - 6} y={y(most * share) + 4} textAnchor="end">{usd(most * share)}</text>
          </g>
        ))}
        <text x={axisWidth} y={chartHeight - 4}>turn 1</text>
        {turns > 1 && <text x={chartWidth - 8} y={chartHeight - 4} textAnchor="end">turn {turns}</text>}
        {lines.map((line) => (
          <g key={line.name}>
            <polyline fill="none" stroke={line.colour} strokeWidth={line.dashed ? 1.5 : 3} strokeDasharray={line.dashed ? "5 4" : undefined}
              points={line.values.map((value, i) => `${x(i)},${y(value)}`).join(" ")} />
            {turns === 1 && <circle cx={x(0)} cy={y(last(line))} r={line.dashed ? 3 : 5} fill={line.colour} />}
          </g>
        ))}
      </svg>
      <table className="table" style={{ maxWidth: 460 }}>
        <tbody>
          {[...lines].sort((a, b) => last(a) - last(b)).map((line) => (
            <tr key={line.name}>
              <td><span className="model-name"><i style={{ background: line.colour }} /><span>{line.dashed ? line.name : <strong>{line.name}</strong>}</span></span></td>
              <td className="number">{usd(last(line))}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p className="muted small" style={{ marginTop: "var(--space-2)" }}>
        All lines under one cache model of the router, at today's prices, so that they can be compared.
        What backends reported came to {usd(spent)}; that has their own caches in it. What another model
        would have answered, and so what later turns would have asked, is not known.
      </p>
    </>
  );
}

function TurnTable({ turns }: { turns: Turn[] }) {
  const open = useCallback((row: number) => {
    const turn = turns[row];
    if (turn) navigate(`/records/${turn.id}`);
  }, [turns]);
  const [marked] = useRows(turns.length, open);
  return (
    <Wide label="Turns as a list">
      <table className="table stacked">
        <thead>
          <tr><th>Time</th><th>Decision</th><th>Model</th><th>Learning</th><th className="number">Prompt</th><th className="number">Cached</th><th className="number">Answer</th><th className="number">Cost</th></tr>
        </thead>
        <tbody>
          {turns.map((turn, i) => (
            <tr key={turn.id} className={i === marked ? "marked" : undefined}>
              <td><Link to={`/records/${turn.id}`}>{clock(turn.timestamp)}</Link></td>
              <td>{turn.decision || <span className="muted">{turn.model === "" ? "refused" : "by name"}</span>}</td>
              <td><ModelName name={turn.model} /></td>
              <td>
                <ActionBadge action={turn.action} /> <span className="muted small" title={turn.reason}>{shortReason(turn.reason)}</span>
                {turn.is_unsafe_switch && <Badge tone="bad">unsafe</Badge>}
                {turn.lifecycle_state === "running" && <Badge tone="accent">running</Badge>}
                {trouble(turn) !== "" && <Badge tone="bad">{trouble(turn)}</Badge>}
              </td>
              <td className="number" data-label="Prompt">{tokens(turn.prompt_tokens)}</td>
              <td className="number" data-label="Cached">{percent(turn.prompt_tokens > 0 ? turn.cached_prompt_tokens / turn.prompt_tokens : undefined)}</td>
              <td className="number" data-label="Answer">{tokens(turn.completion_tokens)}</td>
              <td className="number" data-label="Cost">{usd(turn.actual_cost, turn.currency)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Wide>
  );
}
