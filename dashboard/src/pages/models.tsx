// Models and their endpoints: health, load, latency, how much of the prompts came from cache.
import { useState } from "react";
import { asApiError, type Endpoint, type EndpointMetrics, type Model, type Models, post } from "../api/client";
import { useQuery } from "../api/use-query";
import { count, micros, percent, shortModel, tokens, usd } from "../app/format";
import { PageHead } from "../app/shell";
import { Badge, Bar, Button, Card, Empty, Loaded, ModelName, Notice, Sheet, Wide } from "../ui/ui";

// The other models that an endpoint serves.
function sharedWith(endpoint: Endpoint, model: Model, models: Model[]): string[] {
  return models.filter((one) => one !== model && one.endpoints.some((other) => other.key === endpoint.key)).map((one) => one.name);
}

// The models that could not serve without an endpoint.
function lastOf(endpoint: Endpoint, models: Model[]): string[] {
  const serves = (one: Endpoint) => one.healthy && !one.drained && one.key !== endpoint.key;
  return models.filter((one) => one.endpoints.some((other) => other.key === endpoint.key) && !one.endpoints.some(serves)).map((one) => one.name);
}

export default function ModelsPage() {
  const models = useQuery<Models>("/api/v1/models", 3_000);
  const caches = useQuery<EndpointMetrics>("/api/v1/endpoints/metrics", 10_000);
  const [problem, setProblem] = useState("");
  const [asked, setAsked] = useState<{ endpoint: Endpoint; stopped: string[] }>();
  const drain = async (endpoint: Endpoint, drained: boolean) => {
    setProblem("");
    setAsked(undefined);
    try {
      await post("/api/v1/endpoints", { key: endpoint.key, drained });
    } catch (error) {
      setProblem(asApiError(error).message);
    }
    models.reload();
  };
  const ask = (endpoint: Endpoint) => {
    const stopped = endpoint.drained ? [] : lastOf(endpoint, models.data?.models ?? []);
    if (stopped.length > 0) setAsked({ endpoint, stopped });
    else void drain(endpoint, !endpoint.drained);
  };
  return (
    <>
      <PageHead title="Models" />
      {problem !== "" && <Notice tone="bad">{problem}</Notice>}
      <Loaded query={models}>
        {(data) => data.models.length === 0 ? (
          <Card><Empty title="No models yet"><p>A recipe names them.</p></Empty></Card>
        ) : (
          <div className="stack">
            {data.models.map((model) => <ModelCard key={model.name} model={model} models={data.models} caches={caches.data?.endpoints ?? []} drain={ask} />)}
            <p className="muted small">
              A model's cached tokens are those that its answers reported. Cache hits of an endpoint are its own
              count at its /metrics, over all who use it: of vLLM <code>vllm:prefix_cache_hits_total</code>, of
              llama.cpp <code>llamacpp:prompt_tokens_cached_total</code>.
              Draining lasts until the router ends; running requests finish.
            </p>
          </div>
        )}
      </Loaded>
      {asked && (
        <Sheet title="Drain the last endpoint?" onClose={() => setAsked(undefined)}>
          <div className="stack">
            <p>
              <code>{asked.endpoint.address}</code> is the last endpoint that can serve{" "}
              {asked.stopped.map(shortModel).join(", ")}. Until it is enabled again, requests for{" "}
              {asked.stopped.length === 1 ? "this model" : `these ${asked.stopped.length} models`} are refused with 503.
            </p>
            <div className="row-line">
              <Button kind="danger" onClick={() => void drain(asked.endpoint, true)}>Drain it</Button>
              <Button onClick={() => setAsked(undefined)}>Leave it</Button>
            </div>
          </div>
        </Sheet>
      )}
    </>
  );
}

type Cache = EndpointMetrics["endpoints"][number];

function ModelCard({ model, models, caches, drain }: { model: Model; models: Model[]; caches: Cache[]; drain: (endpoint: Endpoint) => void }) {
  const price = model.pricing;
  return (
    <Card title={<ModelName name={model.name} full />}
      aside={<Badge tone={model.healthy ? "good" : "bad"}>{model.healthy ? "can serve" : "cannot serve"}</Badge>}>
      <dl className="facts" style={{ marginBottom: "var(--space-3)" }}>
        <dt>Prices per 1M tokens</dt>
        <dd>{price ? `${usd(price.prompt_per_1m, price.currency)} prompt, ${usd(price.cached_input_per_1m, price.currency)} cached, ${usd(price.completion_per_1m, price.currency)} answer` : "none"}</dd>
        <dt>Quality, context</dt><dd>{model.quality_score || "–"}, {tokens(model.context_window_size)} tokens</dd>
        <dt>Requests</dt><dd>{count(model.requests)} of this model</dd>
        <dt>Prefix cache</dt>
        <dd>
          <div className="row-line">
            <span style={{ width: 160 }}><Bar share={model.cached_token_ratio} label="Prompt tokens from cache" /></span>
            {percent(model.cached_token_ratio, 1)}: {count(model.cached_tokens ?? 0)} of {count(model.prompt_tokens ?? 0)} prompt tokens
          </div>
        </dd>
      </dl>
      <Wide label="Endpoints">
        <table className="table stacked">
          <thead>
            <tr><th>Endpoint</th><th>State</th><th className="number">In flight</th><th className="number">Requests</th><th className="number">Failures</th><th className="number">First token<br />p50, p95</th><th className="number">Each token<br />p50, p95</th><th className="number">Cache hits</th><th /></tr>
          </thead>
          <tbody>
            {model.endpoints.map((endpoint) => {
              const shared = sharedWith(endpoint, model, models);
              const times = [
                ["First token p50, p95", endpoint.ttft_p50_ms, endpoint.ttft_p95_ms],
                ["Each token p50, p95", endpoint.tpot_p50_ms, endpoint.tpot_p95_ms],
              ] as const;
              return (
                <tr key={endpoint.name}>
                  <td style={{ minWidth: 210 }}>
                    {endpoint.name}
                    <div className="muted small mono">{endpoint.address}{endpoint.connects_to !== endpoint.address && ` → ${endpoint.connects_to}`}</div>
                    {shared.length > 0 && (
                      <div className="small">Shared with {shared.map(shortModel).join(", ")}: figures and draining are of all together</div>
                    )}
                  </td>
                  <td>{endpoint.drained ? <Badge tone="warn">drained</Badge> : <Badge tone={endpoint.healthy ? "good" : "bad"}>{endpoint.healthy ? "healthy" : "resting after failures"}</Badge>}</td>
                  <td className="number" data-label="In flight">{endpoint.in_flight}</td>
                  <td className="number" data-label="Requests">{count(endpoint.requests)}</td>
                  <td className="number" data-label="Failures">{count(endpoint.failures)}</td>
                  {times.map(([name, median, high]) => (
                    <td key={name} className="number" data-label={name}>
                      {median > 0 ? `${micros(median * 1000)}, ${micros(high * 1000)}` : "–"}
                    </td>
                  ))}
                  <td className="number" data-label="Cache hits"><CacheHits cache={caches.find((one) => one.key === endpoint.key)} /></td>
                  <td className="number">
                    <Button onClick={() => drain(endpoint)} title={shared.length > 0 ? `For all ${shared.length + 1} models of this endpoint` : undefined}>
                      {endpoint.drained ? "Enable" : "Drain"}
                    </Button>
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </Wide>
    </Card>
  );
}

function CacheHits({ cache }: { cache: Cache | undefined }) {
  if (!cache || cache.queries === undefined || cache.hits === undefined) {
    return <span className="muted" title={cache?.problem}>–</span>;
  }
  return <span title={`${count(cache.hits)} of ${count(cache.queries)} prompt tokens`}>{percent(cache.hit_rate, 1)}</span>;
}
