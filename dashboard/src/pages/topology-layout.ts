// The recipe as columns from left to right: signals, projections, decisions, models, endpoints.
// Nodes of a column are ordered by the mean place of what they are joined to, so that edges cross
// little. Pure.
import type { Eval, ReplayRecord, Topology } from "../api/client";

export type Column = 0 | 1 | 2 | 3 | 4;
export interface Place {
  id: string;
  column: Column;
  name: string;
  more: string;
  group: string; // family of a signal, "" otherwise
  x: number;
  y: number;
  height: number;
}
export interface Join {
  from: string;
  to: string;
}
export interface Graph {
  places: Place[];
  joins: Join[];
}

export const columnNames = ["Signals", "Projections", "Decisions", "Models", "Endpoints"];
export const nodeWidth = 190;
export const columnStep = 270;
const gap = 8;
const heights = [34, 34, 44, 40, 34];

// `open`: families whose signals are shown one by one; others are one node for the family.
export function graphOf(topology: Topology, open: Set<string>): Graph {
  const places: Place[] = [];
  const joins = new Map<string, Join>();
  const shownAs = new Map<string, string>();
  const add = (column: Column, id: string, name: string, more: string, group = "") => {
    places.push({ id, column, name, more, group, x: column * columnStep, y: 0, height: heights[column] ?? 34 });
  };
  const join = (from: string, to: string) => joins.set(`${from}→${to}`, { from, to });

  const families = new Map<string, Topology["signals"]>();
  for (const signal of topology.signals) {
    const list = families.get(signal.family) ?? [];
    list.push(signal);
    families.set(signal.family, list);
  }
  for (const [family, signals] of families) {
    if (open.has(family) || signals.length === 1) {
      for (const signal of signals) {
        add(0, signal.id, signal.name, `${signal.type}${signal.threshold !== undefined ? ` · threshold ${signal.threshold}` : ""}`, family);
        shownAs.set(signal.id, signal.id);
      }
    } else {
      const id = `family:${family}`;
      add(0, id, family, `${signals.length} rules`, family);
      for (const signal of signals) shownAs.set(signal.id, id);
    }
  }
  const scores = new Map<string, string[]>();
  for (const one of topology.projections) {
    scores.set(one.score, [...(scores.get(one.score) ?? []), one.id]);
    add(1, one.id, one.name, `of ${one.score}`);
    shownAs.set(one.id, one.id);
  }
  for (const one of topology.projections) {
    for (const input of one.inputs) {
      const nested = input.id.startsWith("score:") ? scores.get(input.id.slice(6)) : undefined;
      for (const from of nested ?? [shownAs.get(input.id)]) if (from !== undefined && from !== one.id) join(from, one.id);
    }
  }
  const ordered = [...topology.decisions].sort((a, b) => (a.tier || 999) - (b.tier || 999) || b.priority - a.priority);
  for (const decision of ordered) {
    const id = `decision:${decision.name}`;
    add(2, id, decision.name, [decision.tier > 0 ? `tier ${decision.tier}` : "", `priority ${decision.priority}`, decision.mode !== "apply" ? decision.mode : ""].filter(Boolean).join(" · "));
    for (const signal of decision.signals) {
      const from = shownAs.get(signal);
      if (from !== undefined) join(from, id);
    }
    for (const model of decision.models) join(id, `model:${model}`);
  }
  const endpoints = new Set<string>();
  for (const model of topology.models) {
    add(3, `model:${model.name}`, model.name.slice(model.name.lastIndexOf("/") + 1), model.name);
    for (const endpoint of model.endpoints) {
      endpoints.add(endpoint);
      join(`model:${model.name}`, `endpoint:${endpoint}`);
    }
  }
  for (const endpoint of endpoints) add(4, `endpoint:${endpoint}`, endpoint, "");
  place(places, [...joins.values()]);
  return { places, joins: [...joins.values()] };
}

function place(places: Place[], joins: Join[]): void {
  const columns = ([0, 1, 2, 3, 4] as Column[]).map((column) => places.filter((one) => one.column === column));
  const stack = () => {
    for (const column of columns) {
      const whole = column.reduce((sum, one) => sum + one.height + gap, 0);
      let y = -whole / 2;
      for (const one of column) {
        one.y = y;
        y += one.height + gap;
      }
    }
  };
  stack();
  const byId = new Map(places.map((one) => [one.id, one]));
  const neighbours = new Map<string, string[]>();
  for (const { from, to } of joins) {
    neighbours.set(from, [...(neighbours.get(from) ?? []), to]);
    neighbours.set(to, [...(neighbours.get(to) ?? []), from]);
  }
  const centre = (id: string) => {
    const around = (neighbours.get(id) ?? []).map((other) => byId.get(other)).filter((one) => one !== undefined);
    const own = byId.get(id);
    if (around.length === 0) return own?.y ?? 0;
    return around.reduce((sum, one) => sum + one.y + one.height / 2, 0) / around.length;
  };
  // Decisions keep their rank, which people read from top to bottom; the others follow them.
  for (let round = 0; round < 4; round++) {
    for (const column of [columns[1], columns[0], columns[3], columns[4]]) {
      if (!column) continue;
      const key = new Map(column.map((one) => [one.id, centre(one.id)]));
      column.sort((a, b) => (key.get(a.id) ?? 0) - (key.get(b.id) ?? 0));
    }
    stack();
  }
}

export interface Lit {
  signals: Set<string>; // ids of what matched
  decision: string;
  proposal: string; // the model that the route proposed
  model: string; // the one that served
}

export function litBy(evaluation: Eval, topology: Topology): Lit {
  const signals = new Set<string>();
  const matched = evaluation.decision_result.matched_signals;
  for (const signal of topology.signals) if (matched[signal.family]?.includes(signal.name)) signals.add(signal.id);
  for (const one of topology.projections) if (matched["projections"]?.includes(one.name)) signals.add(one.id);
  return { signals, decision: evaluation.routing_decision, proposal: evaluation.selected_model, model: evaluation.selected_model };
}

export function litByRecord(record: ReplayRecord, topology: Topology): Lit {
  const names = record.signals ?? {};
  const signals = new Set<string>();
  for (const signal of topology.signals) if (names[signal.family]?.includes(signal.name)) signals.add(signal.id);
  for (const one of topology.projections) if (names["projections"]?.includes(one.name)) signals.add(one.id);
  const proposal = record.route_diagnostics.proposal_model || record.selected_model;
  return { signals, decision: record.decision, proposal, model: record.selected_model };
}
