// The first three steps: a recipe, a backend, a first request.
import { useState } from "react";
import { activateRecipe, asApiError, getText, type Models, post, type Preview, type ShippedRecipes, type System } from "../api/client";
import { useQuery } from "../api/use-query";
import { Link } from "../app/link";
import { PageHead } from "../app/shell";
import { Badge, Button, Card, ModelName, Notice, Skeleton } from "../ui/ui";
import { type Route, decoded, streamChat } from "./playground-chat";
import { Diagnostics, Probes } from "./recipe-preview";
import { Import } from "./recipes";

export default function Welcome() {
  const system = useQuery<System>("/api/v1/system", 2_000);
  if (!system.data) return <Skeleton />;
  const configured = system.data.config !== "";
  return (
    <>
      <PageHead title="Welcome" />
      <div className="stack" style={{ maxWidth: 860 }}>
        <p>Three steps: a recipe says which model gets which request, a backend answers, and a first request shows both.</p>
        <RecipeStep system={system.data} onDone={system.reload} />
        <BackendStep system={system.data} configured={configured} />
        <RequestStep configured={configured} embedded={(system.data.backends?.embedded ?? "") !== ""} />
      </div>
    </>
  );
}

function StepTitle({ number, name, done }: { number: number; name: string; done: boolean }) {
  return <span className="row-line">{number}. {name} {done && <Badge tone="good">done</Badge>}</span>;
}

function RecipeStep({ system, onDone }: { system: System; onDone: () => void }) {
  const shipped = useQuery<ShippedRecipes>("/api/v1/recipes");
  const [preview, setPreview] = useState<Preview>();
  const [importing, setImporting] = useState(false);
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState(false);
  const look = async (yaml: string) => {
    setProblem("");
    try {
      setPreview(await post<Preview>("/api/v1/recipes/import", { yaml }));
    } catch (error) {
      setProblem(asApiError(error).message);
    }
  };
  const activate = async () => {
    if (!preview) return;
    setBusy(true);
    setProblem("");
    try {
      await activateRecipe(preview.yaml);
      setPreview(undefined);
      onDone();
    } catch (error) {
      setProblem(asApiError(error).message);
    }
    setBusy(false);
  };
  const done = system.config !== "";
  return (
    <Card title={<StepTitle number={1} name="Recipe" done={done} />}>
      <div className="stack">
        {done && <p>Active: <code>{system.config}</code>. <Link to="/recipes">Edit it</Link></p>}
        {shipped.data?.recipes.map((one) => (
          <div key={one.name} className="row-line">
            <Button onClick={async () => look(await getText(`/api/v1/recipes/${encodeURIComponent(one.name)}`))}>{one.name}</Button>
            <span className="muted small">{one.title}</span>
          </div>
        ))}
        <div><Button onClick={() => setImporting(true)}>From a URL, a file or a paste</Button></div>
        {problem !== "" && <Notice tone="bad">{problem}</Notice>}
        {preview && (
          <>
            <div className="row-line">
              <Badge tone={preview.valid ? "good" : "bad"}>{preview.valid ? "valid" : "has errors"}</Badge>
              {preview.valid && <span>{preview.decisions.length} decisions over {preview.models.length} models: {preview.models.join(", ")}</span>}
            </div>
            <Diagnostics diagnostics={preview.diagnostics} />
            <Probes yaml={preview.yaml} disabled={!preview.valid || !done} why={!preview.valid ? "The recipe has errors." : done ? "" : "They can run once a recipe is active."} />
            <div><Button kind="primary" disabled={!preview.valid || busy} onClick={activate}>Activate this recipe</Button></div>
          </>
        )}
        {importing && <Import onClose={() => setImporting(false)} onText={(yaml) => { setImporting(false); void look(yaml); }} />}
      </div>
    </Card>
  );
}

function BackendStep({ system, configured }: { system: System; configured: boolean }) {
  const models = useQuery<Models>(configured ? "/api/v1/models" : null, 2_000);
  const backends = system.backends;
  return (
    <Card title={<StepTitle number={2} name="Backend" done={configured && system.ready} />}>
      {!configured ? <p className="muted">The recipe names the backends; choose one first.</p> : (
        <div className="stack">
          {!system.ready && <Notice tone="info">{system.problem}</Notice>}
          {backends && <ul style={{ margin: 0, paddingLeft: "1.2em" }}>{backends.tried.map((line) => <li key={line}>{line}</li>)}</ul>}
          {backends?.embedded !== undefined && backends.embedded !== "" && <p>
              The embedded model serves: <code>{backends.embedded}</code>. It is a toy that shows routing without a GPU:
              its answers are often wrong.
            </p>}
          <div className="row-line">
            {models.data?.models.map((model) => (
              <Badge key={model.name} tone={model.healthy ? "good" : "bad"}><ModelName name={model.name} /> {model.healthy ? "can serve" : "cannot serve"}</Badge>
            ))}
          </div>
          <p className="muted small">
            No backend of your own? Without <code>--backend none</code> the router starts its small built-in
            model when nothing of the recipe answers.
          </p>
        </div>
      )}
    </Card>
  );
}

function RequestStep({ configured, embedded }: { configured: boolean; embedded: boolean }) {
  const [route, setRoute] = useState<Route>();
  const [text, setText] = useState("");
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState(false);
  const prompt = "What is 17 * 23? Answer with only the number.";
  const send = async () => {
    setBusy(true);
    setProblem("");
    setText("");
    try {
      await streamChat({ model: "auto", messages: [{ role: "user", content: prompt }], session: "welcome", conversation: "welcome", withTool: false, maxTokens: 32 },
        setRoute, setText, new AbortController().signal);
    } catch (error) {
      setProblem(asApiError(error).message);
    }
    setBusy(false);
  };
  const rows = route ? decoded(route.headers) : [];
  const id = route?.headers["x-vsr-replay-id"];
  return (
    <Card title={<StepTitle number={3} name="First request" done={route?.status === 200} />}>
      <div className="stack">
        <p><code>{prompt}</code></p>
        <div><Button kind="primary" disabled={!configured || busy} onClick={send}>{busy ? "Waiting for the model…" : "Send it"}</Button></div>
        {problem !== "" && <Notice tone="bad">{problem}</Notice>}
        {text !== "" && <pre>{text}</pre>}
        {text !== "" && embedded && <p className="muted small">The answer is of the embedded toy model; what counts here is where the request went.</p>}
        {rows.length > 0 && (
          <dl className="facts">
            {rows.slice(0, 6).map((row) => <div key={row.name} style={{ display: "contents" }}><dt>{row.label}</dt><dd>{row.value}</dd></div>)}
          </dl>
        )}
        {id && <div className="row-line"><Link className="button primary" to={`/records/${id}`}>See why it went there</Link><Link className="button" to="/live">Go to Live</Link></div>}
      </div>
    </Card>
  );
}
