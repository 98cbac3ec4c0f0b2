// What another model would have cost at a turn, taken apart. Pure.
import type { Verdict } from "../api/client";
import { shortModel, tokens, usd } from "./format";

export interface PricePart {
  what: string;
  why: string;
  usd: number; // of the other model above the one that served
}
export interface Price {
  other: string;
  usd: number;
  parts: PricePart[];
}

// Which model to compare with: what the turn left when it moved, what was proposed when it stayed,
// else the next best.
function otherOf(verdict: Verdict): string | undefined {
  const others = verdict.candidates.filter((one) => one.model !== verdict.final_model);
  const asked = verdict.previous_model && verdict.previous_model !== verdict.final_model ? verdict.previous_model : verdict.proposal_model;
  if (others.some((one) => one.model === asked)) return asked;
  return [...others].sort((a, b) => a.score_usd - b.score_usd)[0]?.model;
}

// Nothing when no prices were compared, or with nobody to compare.
export function priceOfOther(verdict: Verdict, promptTokens: number): Price | undefined {
  const name = otherOf(verdict);
  const other = verdict.candidates.find((one) => one.model === name);
  const served = verdict.candidates.find((one) => one.model === verdict.final_model);
  if (!other || !served) return undefined;
  const cached = (model: string) => Math.min(verdict.cache[model] ?? 0, promptTokens || Infinity);
  const reads = (model: string) => promptTokens > 0
    ? `${shortModel(model)} reads ${tokens(promptTokens - cached(model))} of ${tokens(promptTokens)} prompt tokens anew`
    : `${shortModel(model)} has ${tokens(cached(model))} prompt tokens cached`;
  const failed = verdict.quality_weight_usd;
  const chance = (fail: number) => (failed ? `${((fail / failed) * 100).toFixed(0)} %` : usd(fail));
  return {
    other: other.model,
    usd: other.score_usd - served.score_usd,
    parts: [
      { what: "This call", why: `${reads(other.model)}, ${reads(served.model)}`, usd: other.first_call_usd - served.first_call_usd },
      {
        what: "Later calls of this round", why: "until the next message of the user",
        usd: other.round_usd - other.first_call_usd - (served.round_usd - served.first_call_usd),
      },
      {
        what: "Risk of failing",
        why: `${chance(other.failure_usd)} with ${shortModel(other.model)}, ${chance(served.failure_usd)} with ${shortModel(served.model)}${failed ? `; the recipe counts a failed round as ${usd(failed)}` : ""}`,
        usd: other.failure_usd - served.failure_usd,
      },
    ],
  };
}

const moreOrLess = (n: number) => `${usd(Math.abs(n))} ${n < 0 ? "less" : "more"}`;

// "Switching to X would have cost $0.47 more: …".
export function priceSentence(verdict: Verdict, price: Price): string {
  const other = shortModel(price.other);
  const moved = verdict.previous_model !== "" && verdict.previous_model !== verdict.final_model;
  const what = verdict.previous_model === "" ? `Taking ${other} instead` : moved && price.other === verdict.previous_model ? `Staying on ${other}` : `Switching to ${other}`;
  const [call, later, risk] = price.parts;
  const money = (call?.usd ?? 0) + (later?.usd ?? 0);
  return `${what} would have cost ${moreOrLess(price.usd)} in expectation: ${moreOrLess(money)} for tokens, ${moreOrLess(risk?.usd ?? 0)} in risk of failing.`;
}

// What stands there when no prices were compared.
export function noPrice(verdict: Verdict): string {
  const model = shortModel(verdict.final_model);
  const proposal = shortModel(verdict.proposal_model);
  const alone = proposal === "" || proposal === model
    ? `The route alone would have taken ${model} as well.`
    : `The route alone would have gone to ${proposal}.`;
  if (verdict.action === "hard_lock") {
    return `A lock asks no price: only ${model} can go on here, whatever another model would cost. ${alone}`;
  }
  if (verdict.action === "bypass") return "This decision asks no price: it goes to its model whatever the conversation has cached elsewhere.";
  if (verdict.reason === "explicit_model") return "No price was asked: the caller chose.";
  if (verdict.candidates.length === 1) return `No other model was a candidate, so there was nothing to compare. ${alone}`;
  return `No prices in USD were compared for this turn. ${alone}`;
}
