// What is wrong with a recipe, and what its probes say: the same here and at the first start.
import { useEffect, useState } from "react";
import { asApiError, type Diagnostic, post, type ProbeRun, request, type Validation } from "../api/client";
import { count, percent } from "../app/format";
import { Badge, Button, Notice } from "../ui/ui";

const typingMs = 350;

// Diagnostics of a text, asked when nobody has typed for a moment.
export function useValidation(yaml: string | undefined): { diagnostics: Diagnostic[]; valid: boolean | undefined; problem: string } {
  const [state, setState] = useState<{ yaml?: string; result?: Validation; problem: string }>({ problem: "" });
  useEffect(() => {
    if (yaml === undefined) return;
    const abort = new AbortController();
    const timer = setTimeout(async () => {
      try {
        const response = await request("/api/v1/config/validate", { method: "POST", text: yaml, headers: { "content-type": "application/yaml" }, signal: abort.signal });
        setState({ yaml, result: (await response.json()) as Validation, problem: "" });
      } catch (error) {
        if (!abort.signal.aborted) setState({ yaml, problem: asApiError(error).message });
      }
    }, typingMs);
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [yaml]);
  return {
    diagnostics: state.result?.diagnostics ?? [],
    valid: state.yaml === yaml ? state.result?.valid : undefined,
    problem: state.problem,
  };
}

export function Diagnostics({ diagnostics, goTo }: { diagnostics: Diagnostic[]; goTo?: (line: number) => void }) {
  if (diagnostics.length === 0) return <p className="muted">Nothing to mend.</p>;
  return (
    <ul style={{ margin: 0, padding: 0, listStyle: "none", maxHeight: 260, overflow: "auto" }}>
      {diagnostics.map((one, i) => (
        <li key={i} style={{ padding: "4px 0" }}>
          <Badge tone={one.severity === "error" ? "bad" : "warn"}>{one.severity}</Badge>{" "}
          {one.line > 0 && (goTo ? <Button kind="plain" onClick={() => goTo(one.line)}>line {one.line}</Button> : <span>line {one.line}: </span>)}
          <span>{one.path && <code>{one.path}</code>} {one.message}</span>
        </li>
      ))}
    </ul>
  );
}

// `why`: what stands in the way while they are disabled.
export function Probes({ yaml, disabled, why = "" }: { yaml: string; disabled: boolean; why?: string }) {
  const [run, setRun] = useState<ProbeRun>();
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState(false);
  const start = async () => {
    setBusy(true);
    setProblem("");
    setRun(undefined);
    try {
      setRun(await post<ProbeRun>("/api/v1/config/probes", { config: yaml }));
    } catch (error) {
      setProblem(asApiError(error).message);
    }
    setBusy(false);
  };
  return (
    <div className="stack">
      <div className="row-line">
        <Button onClick={start} disabled={disabled || busy}>{busy ? "Running the probes…" : "Run the probes"}</Button>
        {disabled && why !== "" && <span className="muted small">{why}</span>}
        {run && (
          <Badge tone={run.failed === 0 ? "good" : "bad"}>
            {count(run.passed)} passed, {count(run.failed)} failed ({percent(run.passed / Math.max(1, run.passed + run.failed), 1)})
          </Badge>
        )}
      </div>
      {problem !== "" && <Notice tone="warn">{problem}</Notice>}
      {run && run.failures.length > 0 && (
        <ul style={{ margin: 0, padding: 0, listStyle: "none", maxHeight: 260, overflow: "auto" }}>
          {run.failures.map((one) => (
            <li key={one.id} style={{ padding: "4px 0" }}>
              <code>{one.id}</code>
              <div className="small">{one.why}{one.why.includes(one.got) ? "" : `; got ${one.got}`}</div>
              {one.prompt !== "" && <div className="small muted probe-prompt">“{one.prompt}”</div>}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
