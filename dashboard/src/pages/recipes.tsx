// The running recipe: read, edit, check, activate, go back.
import { Suspense, lazy, useEffect, useMemo, useRef, useState } from "react";
import { type Activated, activateRecipe, ApiError, asApiError, type Diagnostic, getText, post, type Preview, request, type ShippedRecipes, type Versions } from "../api/client";
import { useQuery } from "../api/use-query";
import { moment } from "../app/format";
import { useKept } from "../app/kept";
import { Link } from "../app/link";
import { useParameter } from "../app/location";
import { PageHead } from "../app/shell";
import { Badge, Button, Card, Empty, ErrorNotice, Notice, Sheet, Skeleton } from "../ui/ui";
import type { EditorHandle } from "../ui/yaml-editor";
import { Diagnostics, Probes, useValidation } from "./recipe-preview";
import "./recipes.css";

const YamlEditor = lazy(() => import("../ui/yaml-editor"));
const YamlDiff = lazy(() => import("../ui/yaml-diff"));

interface Loaded {
  yaml: string;
  tag: string;
}

// What is edited but not active, and the recipe that it was begun from.
interface Draft {
  text: string;
  tag: string;
}

const sources: Record<string, string> = { start: "in use at the start", file: "read from the file", put: "activated here or by the API", rollback: "gone back to" };

export default function Recipes() {
  const [running, setRunning] = useState<Loaded>();
  const [problem, setProblem] = useState<ApiError>();
  const [draft, setDraft] = useKept<Draft | undefined>("recipe draft", () => undefined);
  const [tab, setTab] = useParameter("view", "edit");
  const [importing, setImporting] = useState(false);
  const [message, setMessage] = useState<{ tone: "good" | "bad" | "warn"; text: string }>();
  const [refused, setRefused] = useState<Diagnostic[]>([]);
  const [busy, setBusy] = useState(false);
  const editor = useRef<EditorHandle>(undefined);
  const versions = useQuery<Versions>("/api/v1/config/versions");

  const load = async (keepText: boolean) => {
    try {
      const response = await request("/api/v1/config");
      const yaml = await response.text();
      const tag = response.headers.get("etag") ?? "";
      setRunning({ yaml, tag });
      if (!keepText) setDraft(undefined);
      setProblem(undefined);
    } catch (error) {
      setProblem(asApiError(error));
    }
  };
  useEffect(() => void load(true), []);
  const text = draft?.text ?? running?.yaml;
  const setText = (next: string) => setDraft((before) => (next === running?.yaml ? undefined : { text: next, tag: before?.tag ?? running?.tag ?? "" }));

  const { diagnostics, valid } = useValidation(text);
  const changed = running !== undefined && text !== undefined && text !== running.yaml;
  const overtaken = changed && draft !== undefined && draft.tag !== running.tag;
  useEffect(() => {
    if (!changed) return;
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener("beforeunload", ask);
    return () => window.removeEventListener("beforeunload", ask);
  }, [changed]);
  const shown = diagnostics.length > 0 || !changed ? diagnostics : refused;
  const outline = useMemo(() => outlineOf(text ?? ""), [text]);

  const activated = async (answer: Activated) => {
    setMessage({
      tone: answer.notes.length > 0 ? "warn" : "good",
      text: [`Version ${answer.version} is active (policy ${answer.policy}).`, ...answer.notes.map((note) => `${note}.`)].join(" "),
    });
    setRefused([]);
    await load(false);
    versions.reload();
  };
  const failed = (error: unknown) => {
    const known = asApiError(error);
    // Somebody else activated a recipe meanwhile: which one is shown below.
    if (known.status === 412) void load(true);
    setMessage({ tone: "bad", text: known.status === 412 ? "The running recipe has changed since this text was begun, so it was not activated." : known.message });
    setRefused((known.body as { diagnostics?: Diagnostic[] } | undefined)?.diagnostics ?? []);
  };
  const activate = async () => {
    if (text === undefined || running === undefined) return;
    setBusy(true);
    try {
      await activated(await activateRecipe(text, draft?.tag ?? running.tag));
    } catch (error) {
      failed(error);
    }
    setBusy(false);
  };
  const rollBack = async (version: number) => {
    setBusy(true);
    try {
      await activated(await post<Activated>("/api/v1/config/rollback", { version }));
    } catch (error) {
      failed(error);
    }
    setBusy(false);
  };
  const open = async (version: number) => {
    try {
      setText(await getText(`/api/v1/config/versions/${version}`));
      setTab("diff");
    } catch (error) {
      failed(error);
    }
  };

  if (problem?.status === 404) {
    return <Card><Empty title="No recipe is active"><p>Choose one, and the router starts to route.</p><Link className="button primary" to="/welcome">Begin</Link></Empty></Card>;
  }
  if (problem) return <ErrorNotice error={problem} retry={() => void load(false)} />;
  if (text === undefined || running === undefined) return <Skeleton lines={10} />;

  return (
    <>
      <PageHead title="Recipes">
        <Button onClick={() => setImporting(true)}>Import</Button>
        <Button disabled={!changed} onClick={() => { setDraft(undefined); setMessage(undefined); setRefused([]); }}>Discard changes</Button>
        <Button kind="primary" disabled={!changed || valid === false || busy} onClick={activate}>Activate</Button>
      </PageHead>
      {message && <div style={{ marginBottom: "var(--space-4)" }}><Notice tone={message.tone} action={<Button onClick={() => setMessage(undefined)}>Close</Button>}>{message.text}</Notice></div>}
      {overtaken && (
        <div style={{ marginBottom: "var(--space-4)" }}>
          <Notice tone="warn" action={<>
            <Button onClick={() => { setDraft(undefined); setMessage(undefined); }}>Load the running one</Button>
            <Button onClick={() => { setDraft({ text, tag: running.tag }); setTab("diff"); setMessage(undefined); }}>Keep this text</Button>
          </>}>
            Another recipe has been activated since this text was begun. Keeping the text means to replace that one; Differences shows what would change.
          </Notice>
        </div>
      )}
      <div className="row-line" role="tablist" aria-label="View" style={{ marginBottom: "var(--space-3)" }}>
        <Button role="tab" aria-selected={tab === "edit"} onClick={() => setTab("edit")}>Edit</Button>
        <Button role="tab" aria-selected={tab === "diff"} onClick={() => setTab("diff")}>Differences {changed ? "" : "(none)"}</Button>
        {changed && <Badge tone="accent">edited, not active</Badge>}
        {valid === false && <Badge tone="bad">has errors</Badge>}
      </div>
      <div className="recipe-grid">
        <Card title="Outline" className="outline">
          {outline.map((one) => (
            <button key={`${one.line}-${one.name}`} type="button" title={one.name} style={{ paddingLeft: 8 + one.depth * 12 }}
              onClick={() => { setTab("edit"); queueMicrotask(() => editor.current?.goTo(one.line)); }}>{one.name}</button>
          ))}
        </Card>
        <div>
          <Suspense fallback={<Skeleton lines={14} />}>
            {tab === "diff" ? (
              changed ? <Card flush><YamlDiff before={running.yaml} after={text} /></Card> : <Card><Empty title="Nothing differs"><p>The text is that of the running recipe.</p></Empty></Card>
            ) : (
              <div className="recipe-editor">
                <YamlEditor value={text} onChange={setText} diagnostics={shown} label="Recipe" handle={(handle) => (editor.current = handle)} />
              </div>
            )}
          </Suspense>
        </div>
        <div className="stack">
          <Card title="To mend"><Diagnostics diagnostics={shown} goTo={(line) => { setTab("edit"); editor.current?.goTo(line); }} /></Card>
          <Card title="Probes"><Probes yaml={changed ? text : ""} disabled={valid === false} /></Card>
          <Card title="Versions">
            {(versions.data?.versions.length ?? 0) === 0 ? <p className="muted">None was kept yet.</p> : (
              <table className="table">
                <tbody>
                  {versions.data?.versions.map((version) => (
                    <tr key={version.id}>
                      <td>{version.id}<div className="muted small">{moment(version.activated_at)}, {sources[version.source] ?? version.source}</div></td>
                      <td className="number">
                        {version.running ? <Badge tone="good">running</Badge> : (
                          <span className="row-line" style={{ justifyContent: "flex-end", flexWrap: "nowrap" }}>
                            <Button onClick={() => void open(version.id)}>Compare</Button>
                            <Button disabled={busy} onClick={() => void rollBack(version.id)}>Roll back</Button>
                          </span>
                        )}
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            )}
          </Card>
          <p className="muted small">Secrets read <code>[redacted]</code> here and keep their values when the text is activated.</p>
        </div>
      </div>
      {importing && <Import onClose={() => setImporting(false)} onText={(yaml) => { setText(yaml); setTab("diff"); setImporting(false); }} />}
    </>
  );
}

// Keys of the first levels and names of list items, with their lines.
function outlineOf(yaml: string): { name: string; line: number; depth: number }[] {
  const out: { name: string; line: number; depth: number }[] = [];
  yaml.split("\n").forEach((text, i) => {
    const key = /^( {0,4})([A-Za-z_][\w.-]*):/.exec(text);
    if (key?.[2] !== undefined) out.push({ name: key[2], line: i + 1, depth: (key[1]?.length ?? 0) / 2 });
    const item = /^( {2,6})- (?:\{ ?)?name: *"?([\w./:-]+)/.exec(text);
    if (item?.[2] !== undefined) out.push({ name: item[2], line: i + 1, depth: (item[1]?.length ?? 0) / 2 + 1 });
  });
  return out;
}

// From a URL, a file, a paste or the recipes that came with the program; only a preview until the
// text is activated in the editor.
export function Import({ onClose, onText }: { onClose: () => void; onText: (yaml: string) => void }) {
  const [url, setUrl] = useState("");
  const [pasted, setPasted] = useState("");
  const [preview, setPreview] = useState<Preview>();
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState(false);
  const shipped = useQuery<ShippedRecipes>("/api/v1/recipes");
  const ask = async (body: { url: string } | { yaml: string }) => {
    setBusy(true);
    setProblem("");
    setPreview(undefined);
    try {
      setPreview(await post<Preview>("/api/v1/recipes/import", body));
    } catch (error) {
      setProblem(asApiError(error).message);
    }
    setBusy(false);
  };
  const take = async (name: string) => ask({ yaml: await getText(`/api/v1/recipes/${encodeURIComponent(name)}`) });
  return (
    <Sheet title="Import a recipe" onClose={onClose}>
      <div className="stack">
        <form className="row-line" onSubmit={(event) => { event.preventDefault(); void ask({ url: url.trim() }); }}>
          <input className="field" type="url" aria-label="Address of a recipe" placeholder="https://…/recipe.yaml" style={{ flex: 1 }} value={url} onChange={(event) => setUrl(event.target.value)} />
          <Button type="submit" disabled={busy || url.trim() === ""}>Fetch</Button>
        </form>
        <label className="row-line">A file
          <input type="file" accept=".yaml,.yml" onChange={async (event) => {
            const file = event.target.files?.[0];
            if (file) void ask({ yaml: await file.text() });
          }} />
        </label>
        <label>Or paste it
          <textarea className="field mono" rows={5} spellCheck={false} value={pasted} onChange={(event) => setPasted(event.target.value)} />
        </label>
        <div><Button disabled={busy || pasted.trim() === ""} onClick={() => void ask({ yaml: pasted })}>Check the pasted text</Button></div>
        {(shipped.data?.recipes.length ?? 0) > 0 && (
          <div>
            <h3>Came with this program</h3>
            {shipped.data?.recipes.map((one) => (
              <div key={one.name} className="row-line" style={{ marginTop: "var(--space-2)" }}>
                <Button disabled={busy} onClick={() => void take(one.name)}>{one.name}</Button>
                <span className="muted small">{one.title}</span>
              </div>
            ))}
          </div>
        )}
        {problem !== "" && <Notice tone="bad">{problem}</Notice>}
        {preview && (
          <div className="stack">
            <div className="row-line">
              <Badge tone={preview.valid ? "good" : "bad"}>{preview.valid ? "valid" : "has errors"}</Badge>
              {preview.valid && <span>{preview.decisions.length} decisions, {preview.models.length} models</span>}
            </div>
            <Diagnostics diagnostics={preview.diagnostics} />
            <div><Button kind="primary" onClick={() => onText(preview.yaml)}>Open in the editor</Button></div>
          </div>
        )}
      </div>
    </Sheet>
  );
}
