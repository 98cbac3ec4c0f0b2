// How a request ended, in the same words on every page.
import type { ReplayRecord } from "../api/client";
import { shortModel } from "./format";

const reasons: Record<string, string> = {
  upstream_error: "backend error",
  backend_unreachable: "no backend",
  internal: "router error",
  client_disconnect: "caller left",
  deadline: "out of time",
  shutdown: "router stopped",
  crash: "router crashed",
};

export interface Ended {
  lifecycle_state?: string;
  terminal_reason?: string | null;
  model: string; // "" when none was chosen
  status?: number;
}

// "" for a request that runs or has succeeded.
export function trouble({ lifecycle_state: state, terminal_reason: reason, model, status }: Ended): string {
  if (state !== "failed" && state !== "aborted") return "";
  // Refused by the router itself: nothing is broken.
  if (model === "" && status !== undefined && status >= 400 && status < 500) return "refused";
  return `${state}: ${reasons[reason ?? ""] ?? reason ?? "unknown"}`;
}

// The same without its state, for a narrow column.
export function troubleWord(of: Ended): string {
  return trouble(of).replace(/^\w+: /, "");
}

// What went wrong, as a sentence. `known`: the models of the recipe.
export function troubleSentence(record: ReplayRecord, known: string[] | undefined): string {
  const state = record.lifecycle_state;
  const status = record.response_status ?? 0;
  if (state !== "failed" && state !== "aborted") return "";
  if (record.selected_model === "") return refusal(record, status, known);
  const model = shortModel(record.selected_model);
  switch (record.terminal_reason) {
    case "client_disconnect":
      return `Aborted: the caller hung up before the answer of ${model} was whole.`;
    case "deadline":
      return `Aborted: the time limit of the request passed before the answer of ${model} was whole.`;
    case "shutdown":
    case "crash":
      return `Aborted: the router ${record.terminal_reason === "crash" ? "crashed" : "was stopped"} before the answer of ${model} was whole.`;
  }
  const attempts = record.backend?.attempts ?? [];
  const last = attempts.at(-1);
  const tried = attempts.length > 1 ? ` after ${attempts.length} attempts` : "";
  const cause = !last ? "nothing could be sent"
    : last.error ? last.error
    : last.status > 0 ? `its backend answered with status ${last.status}` : "its backend did not answer";
  return `Failed${tried}: ${model} was chosen, but ${cause}. The caller got ${status}, and no cost is counted.`;
}

function refusal(record: ReplayRecord, status: number, known: string[] | undefined): string {
  const byName = record.decision === "" && record.original_model !== "" && record.original_model !== "auto";
  const start = `Refused with status ${status} before any model was called`;
  if (byName && known && !known.includes(record.original_model)) {
    return `${start}: the caller asked for ${record.original_model}, and the recipe has no such model.`;
  }
  if (record.terminal_reason === "backend_unreachable") {
    const whose = byName ? `${record.original_model} has` : record.decision ? `the models of ${record.decision} have` : "the default model has";
    return `${start}: ${whose} no endpoint that can serve. Models says why.`;
  }
  return `${start}.`;
}
