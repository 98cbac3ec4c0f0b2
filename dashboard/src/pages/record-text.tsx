// The texts of a record: its prompt, its messages, and what its tools did.
import type { ReactNode } from "react";
import type { ReplayRecord } from "../api/client";
import { Badge, Empty } from "../ui/ui";

// Labels such as [EMAIL] stand where the text was redacted; other marks are what rules matched.
export function PromptText({ text, marks }: { text: string; marks: string[] }) {
  const wanted = marks.filter((mark) => mark.length > 1 && text.includes(mark));
  const escaped = wanted.map((mark) => mark.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  const split = new RegExp(`(\\[[A-Z][A-Z0-9_]{2,}\\]${escaped.length > 0 ? `|${escaped.join("|")}` : ""})`, "g");
  const parts: ReactNode[] = text.split(split).map((part, i) => {
    if (/^\[[A-Z][A-Z0-9_]{2,}\]$/.test(part)) return <span key={i} className="span-label">{part.slice(1, -1)}</span>;
    return i % 2 === 1 ? <mark key={i}>{part}</mark> : part;
  });
  return <pre className="prompt-text">{parts}</pre>;
}

interface ChatMessage {
  role?: string;
  content?: unknown;
  tool_calls?: { id?: string; function?: { name?: string; arguments?: string } }[];
  tool_call_id?: string;
}

export function messagesOf(body: string | null | undefined): ChatMessage[] | undefined {
  if (!body) return undefined;
  try {
    const parsed = JSON.parse(body) as { messages?: ChatMessage[] };
    return Array.isArray(parsed.messages) ? parsed.messages : undefined;
  } catch {
    return undefined;
  }
}

function contentText(content: unknown): string {
  if (typeof content === "string") return content;
  if (Array.isArray(content)) {
    return content.map((part: { text?: string; type?: string }) => part.text ?? `[${part.type ?? "part"}]`).join("\n");
  }
  return "";
}

// The steps of the tools in the order of the request, then what the answer calls.
function toolSteps(record: ReplayRecord): { kind: "call" | "result" | "answer"; name: string; id: string }[] {
  const out: ReturnType<typeof toolSteps> = [];
  const names = new Map<string, string>();
  for (const message of messagesOf(record.request_body) ?? []) {
    for (const call of message.tool_calls ?? []) {
      const [name, id] = [call.function?.name ?? "?", call.id ?? ""];
      names.set(id, name);
      out.push({ kind: "call", name, id });
    }
    if (message.role === "tool") {
      const id = message.tool_call_id ?? "";
      out.push({ kind: "result", name: names.get(id) ?? "?", id });
    }
  }
  for (const call of record.tool_calls ?? []) out.push({ kind: "answer", name: call.name, id: call.id });
  return out;
}

const stepNames = { call: "called before", result: "result delivered", answer: "called by this answer" };

export function ToolTrace({ record }: { record: ReplayRecord }) {
  const steps = toolSteps(record);
  const offered = record.tool_definitions ?? 0;
  const stage = record.tool_trace?.stage === "tool_loop" ? "within a tool loop" : "outside a tool loop";
  return (
    <>
      <p>{offered === 0 ? "No tools were offered" : `${offered} ${offered === 1 ? "tool was" : "tools were"} offered`}; {stage}.</p>
      {steps.length > 0 && (
        <ol className="tool-steps">
          {steps.map((step, i) => (
            <li key={i}>
              <Badge tone={step.kind === "result" ? "warn" : "plain"}>{stepNames[step.kind]}</Badge>{" "}
              <code>{step.name}</code> <span className="muted small mono">{step.id}</span>
            </li>
          ))}
        </ol>
      )}
    </>
  );
}

// System prompts and tool traffic are closed: they are long and seldom what one looks for.
export function Messages({ body, truncated }: { body: string | null | undefined; truncated: boolean | undefined }) {
  if (body === null || body === undefined) return <Empty title="Not stored"><p>The recipe keeps no request bodies, or this one was private.</p></Empty>;
  const messages = messagesOf(body);
  if (!messages) return <pre>{body}{truncated ? "\n… cut here" : ""}</pre>;
  const lastUser = messages.map((one) => one.role).lastIndexOf("user");
  return (
    <>
      {messages.map((message, i) => {
        const calls = message.tool_calls ?? [];
        const text = [contentText(message.content), ...calls.map((call) => `${call.function?.name ?? "tool"}(${call.function?.arguments ?? ""})  ${call.id ?? ""}`)]
          .filter(Boolean).join("\n");
        return (
          <details key={i} className="message" open={i === lastUser}>
            <summary>
              <Badge tone={message.role === "tool" || calls.length > 0 ? "warn" : "plain"}>
                {message.role === "tool" ? `tool result ${message.tool_call_id ?? ""}` : calls.length > 0 ? `tool call ×${calls.length}` : message.role ?? "?"}
              </Badge>
              <span className="start muted">{text.slice(0, 160)}</span>
            </summary>
            <pre>{text}</pre>
          </details>
        );
      })}
      {truncated && <p className="muted">The stored body was cut here.</p>}
    </>
  );
}
