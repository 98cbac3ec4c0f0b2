// One streamed chat request from this page, and what its headers say.
import { ApiError, errorOf } from "../api/client";
import { eventsOf } from "../api/sse";
import { shortReason } from "../app/reasons";

export interface ToolCall {
  id: string;
  type: "function";
  function: { name: string; arguments: string };
}
export interface ChatMessage {
  role: "system" | "user" | "assistant" | "tool";
  content: string | null;
  tool_calls?: ToolCall[];
  tool_call_id?: string;
}
export interface Route {
  status: number;
  headers: Record<string, string>;
}

export const tool = {
  type: "function",
  function: {
    name: "read_file",
    description: "Reads a file of the project",
    parameters: { type: "object", properties: { path: { type: "string" } } },
  },
};

export interface ChatInput {
  model: string;
  messages: ChatMessage[];
  session: string;
  conversation: string;
  withTool: boolean;
  maxTokens: number;
}

export function chatBody(input: ChatInput): Record<string, unknown> {
  return {
    model: input.model,
    messages: input.messages,
    ...(input.withTool ? { tools: [tool] } : {}),
    max_tokens: input.maxTokens,
  };
}

interface Chunk {
  choices?: { delta?: { content?: string | null; tool_calls?: { index: number; id?: string; function?: { name?: string; arguments?: string } }[] } }[];
  error?: { message: string; code?: string };
}

// Calls `onText` with the whole text so far. Resolves with the answer as a message.
export async function streamChat(
  input: ChatInput,
  onRoute: (route: Route) => void,
  onText: (text: string) => void,
  signal: AbortSignal,
): Promise<ChatMessage> {
  const headers: Record<string, string> = { "content-type": "application/json", "x-vsr-request": "1" };
  if (input.session) headers["x-session-id"] = input.session;
  if (input.conversation) headers["x-conversation-id"] = input.conversation;
  const response = await fetch("/v1/chat/completions", {
    method: "POST", headers, signal, body: JSON.stringify({ ...chatBody(input), stream: true }),
  });
  const seen: Record<string, string> = {};
  response.headers.forEach((value, name) => {
    if (name.startsWith("x-vsr-")) seen[name] = value;
  });
  onRoute({ status: response.status, headers: seen });
  if (!response.ok || response.body === null) throw await errorOf(response);
  let text = "";
  const calls: ToolCall[] = [];
  for await (const { data } of eventsOf(response.body)) {
    if (data === "" || data === "[DONE]") continue;
    const chunk = JSON.parse(data) as Chunk;
    if (chunk.error) throw new ApiError(502, chunk.error.code ?? "", chunk.error.message);
    const delta = chunk.choices?.[0]?.delta;
    if (delta?.content) onText((text += delta.content));
    for (const piece of delta?.tool_calls ?? []) {
      const call = (calls[piece.index] ??= { id: "", type: "function", function: { name: "", arguments: "" } });
      if (piece.id) call.id = piece.id;
      call.function.name += piece.function?.name ?? "";
      call.function.arguments += piece.function?.arguments ?? "";
    }
  }
  return calls.length > 0 ? { role: "assistant", content: text || null, tool_calls: calls } : { role: "assistant", content: text };
}

const labels: [string, string][] = [
  ["x-vsr-selected-decision", "Decision"],
  ["x-vsr-selected-model", "Model"],
  ["x-vsr-learning-actions", "Learning"],
  ["x-vsr-learning-reasons", "Because"],
  ["x-vsr-learning-scopes", "Scope"],
  ["x-vsr-learning-modes", "Mode"],
  ["x-vsr-session-phase", "Phase"],
  ["x-vsr-selected-category", "Subject"],
  ["x-vsr-selected-reasoning", "Reasoning"],
  ["x-vsr-selected-confidence", "Confidence"],
  ["x-vsr-context-token-count", "Prompt tokens, estimated"],
  ["x-vsr-routing-latency-us", "Routing, µs"],
];

// Headers in words: known ones first, in a fixed order, then the rest.
export function decoded(headers: Record<string, string>): { name: string; label: string; value: string }[] {
  const rest = new Set(Object.keys(headers));
  const out: { name: string; label: string; value: string }[] = [];
  const clean = (name: string, value: string) =>
    name === "x-vsr-learning-reasons" ? shortReason(value.replace(/^session_aware=/, ""))
      : name.startsWith("x-vsr-learning-") ? value.replace(/^session_aware=/, "") : value;
  for (const [name, label] of labels) {
    const value = headers[name];
    if (value === undefined) continue;
    rest.delete(name);
    out.push({ name, label, value: clean(name, value) });
  }
  rest.delete("x-vsr-replay-id");
  for (const name of [...rest].sort()) {
    out.push({ name, label: name.replace("x-vsr-", "").replaceAll("-", " "), value: clean(name, headers[name] ?? "") });
  }
  return out;
}

// A probe of the last prompt, in the format of `vllm-sr eval --probes`.
export function probeYaml(decision: string, messages: ChatMessage[], withTool: boolean): string {
  const quoted = (text: string) => JSON.stringify(text);
  const only = messages.length === 1 && messages[0]?.role === "user" && !withTool;
  const lines = ["decisions:", `  - id: ${quoted(decision || "default")}`, `    expected_decision: ${quoted(decision)}`, "    variants:", "      - id: from-playground"];
  if (only) {
    lines.push(`        query: ${quoted(messages[0]?.content ?? "")}`);
  } else {
    // YAML reads JSON.
    lines.push(`        messages: ${JSON.stringify(messages)}`);
    if (withTool) lines.push(`        tools: ${JSON.stringify([tool])}`);
  }
  return `${lines.join("\n")}\n`;
}

export function download(name: string, text: string): void {
  const address = URL.createObjectURL(new Blob([text], { type: "application/yaml" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  URL.revokeObjectURL(address);
}
