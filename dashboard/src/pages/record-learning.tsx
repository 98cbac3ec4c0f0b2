// What learning weighed: the models before and after, the candidates in USD, the belief.
import type { Verdict } from "../api/client";
import { percent, tokens, usd } from "../app/format";
import { shortReason } from "../app/reasons";
import { Badge, ModelName, Wide } from "../ui/ui";

export function Learning({ verdict, turn }: { verdict: Verdict; turn: number | undefined }) {
  const points = verdict.candidates.length === 0 ? Object.entries(verdict.final_scores) : [];
  return (
    <div className="stack">
      <div className="row-line">
        <Step label="before" model={verdict.previous_model} />
        <span aria-hidden="true">→</span>
        <Step label="proposed" model={verdict.proposal_model} />
        <span aria-hidden="true">→</span>
        <Step label="served" model={verdict.final_model} />
      </div>
      {verdict.candidates.length > 0 ? <Candidates verdict={verdict} />
        : points.length > 0 && verdict.quality_weight_usd === undefined ? <Points points={points} served={verdict.final_model} />
        : <p className="muted">No prices were compared: {verdict.locked ? "a lock leaves no choice." : "the verdict did not need them."}</p>}
      <dl className="facts">
        <dt>Lock</dt><dd>{verdict.locked ? <Badge tone="warn">{shortReason(verdict.reason)}</Badge> : "none"}</dd>
        {verdict.action === "switch" && verdict.candidates.length > 0 && (
          <><dt>Gain against margin</dt><dd>{usd(verdict.gain_usd)} against {usd(verdict.margin_usd)}</dd></>
        )}
        {verdict.candidates.length > 0 && verdict.quality_weight_usd !== undefined && (
          <><dt>A failed round counts</dt><dd>{usd(verdict.quality_weight_usd)} <span className="muted small">quality_weight_usd of the recipe</span></dd></>
        )}
        {turn !== undefined && <><dt>Turn</dt><dd>{turn} of its conversation</dd></>}
        <dt>Before it</dt><dd>{verdict.turns} answered turns that were free to move, {verdict.switches} switches by learning</dd>
        {verdict.idle_seconds !== undefined && verdict.idle_seconds >= 0 && (
          <><dt>Idle before</dt><dd>{verdict.idle_seconds.toFixed(verdict.idle_seconds < 10 ? 1 : 0)} s</dd></>
        )}
        <dt>Scope, mode</dt><dd>{verdict.scope}, {verdict.mode}</dd>
        <dt>Identity</dt>
        <dd>
          session <code>{verdict.identity?.session || "–"}</code> ({verdict.identity?.session_source || "none"}),
          conversation <code>{verdict.identity?.conversation || "–"}</code> ({verdict.identity?.conversation_source || "none"});
          {" "}<span className="muted small">hashes of the ids that were sent</span>
        </dd>
      </dl>
      <Beliefs belief={verdict.belief} />
    </div>
  );
}

// The models that could be had, the cheapest in expectation first.
function Candidates({ verdict }: { verdict: Verdict }) {
  const candidates = [...verdict.candidates].sort((a, b) => a.score_usd - b.score_usd);
  const served = candidates.find((one) => one.model === verdict.final_model)?.score_usd;
  const weight = verdict.quality_weight_usd;
  return (
    <Wide label="Candidates">
      <table className="table stacked">
        <thead>
          <tr>
            <th>Candidate</th>
            <th className="number">First call</th><th className="number">Whole round</th>
            <th className="number">Risk of failing</th><th className="number">Expected in all</th>
            <th className="number">Against what served</th><th className="number">Cached tokens</th>
          </tr>
        </thead>
        <tbody>
          {candidates.map((one, i) => (
            <tr key={one.model}>
              <td>
                <ModelName name={one.model} />{" "}
                {i === 0 && <Badge tone="good">lowest</Badge>}{" "}
                {one.current && <Badge>current</Badge>}
              </td>
              <td className="number" data-label="First call">{usd(one.first_call_usd)}</td>
              <td className="number" data-label="Whole round">{usd(one.round_usd)}</td>
              <td className="number" data-label="Risk of failing">
                {usd(one.failure_usd)}{weight ? <span className="muted small"> {percent(one.failure_usd / weight)}</span> : null}
              </td>
              <td className="number" data-label="Expected in all"><strong>{usd(one.score_usd)}</strong></td>
              <td className="number" data-label="Against what served">
                {served === undefined || one.model === verdict.final_model ? "–" : `${one.score_usd >= served ? "+" : ""}${usd(one.score_usd - served)}`}
              </td>
              <td className="number" data-label="Cached tokens">{tokens(verdict.cache[one.model] ?? 0)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Wide>
  );
}

// The additive policy compares points.
function Points({ points, served }: { points: [string, number][]; served: string }) {
  return (
    <table className="table" aria-label="Points of the candidates">
      <tbody>
        {points.sort((a, b) => b[1] - a[1]).map(([model, score]) => (
          <tr key={model}><td><ModelName name={model} /> {model === served && <Badge tone="good">served</Badge>}</td><td className="number">{score.toFixed(3)} points</td></tr>
        ))}
      </tbody>
    </table>
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
  // Nothing is believed yet of a conversation that learning did not enter.
  if (rows.every(([, share]) => share === 0)) return null;
  return (
    <div>
      <h3>What the task seems to need</h3>
      <div className="wf" style={{ marginTop: 4 }}>
        {rows.map(([model, share]) => (
          <div key={model} style={{ display: "contents" }}>
            <ModelName name={model} />
            <span className="track"><i style={{ left: 0, width: `${share * 100}%` }} /></span>
            <span className="number">{(share * 100).toFixed(0)} %</span>
          </div>
        ))}
      </div>
    </div>
  );
}
