// The recipe as a graph, lit by a record or by a prompt that is typed here. Nothing is sent to a
// model.
import { Background, Controls, type Edge, Handle, type Node, type NodeProps, Position, ReactFlow, ReactFlowProvider, useReactFlow, useStore, useViewport } from "@xyflow/react";
import "@xyflow/react/dist/style.css";
import { memo, useEffect, useMemo, useState } from "react";
import { type Aggregate, type Endpoint, type Eval, type Models, type RecordList, type ReplayRecord, type Topology, query } from "../api/client";
import { usePost } from "../api/use-post";
import { useQuery } from "../api/use-query";
import { clock, count } from "../app/format";
import { useKept } from "../app/kept";
import { Link } from "../app/link";
import { setParameters, useLocation, useParameter } from "../app/location";
import { explain, verdictOf } from "../app/reasons";
import { PageHead } from "../app/shell";
import { useTheme } from "../app/theme";
import { Badge, Button, Card, Empty, ErrorNotice, Loaded, ModelName, Notice } from "../ui/ui";
import { Decisions } from "./record-parts";
import "./record.css";
import { type Lit, type Place, columnNames, columnStep, graphOf, litBy, litByRecord, nodeWidth } from "./topology-layout";
import "./topology.css";

type Shown = Node<{ place: Place; state: string; note: string }, "recipe">;

const RecipeNode = memo(function RecipeNode({ data }: NodeProps<Shown>) {
  return (
    <div className={`topo-node ${data.state}`} title={`${data.place.name}\n${data.place.more}`}>
      <Handle type="target" position={Position.Left} isConnectable={false} />
      <span className="name">{data.place.name}</span>
      {(data.place.more || data.note) && <span className="more">{data.note || data.place.more}</span>}
      <Handle type="source" position={Position.Right} isConnectable={false} />
    </div>
  );
});
const recordsOffered = 20;
const nodeTypes = { recipe: RecipeNode };

function healthOf(endpoint: Endpoint): string {
  if (endpoint.drained) return "drained";
  return endpoint.healthy ? "healthy" : "resting after failures";
}

const narrow = window.matchMedia("(max-width: 820px)");
// Where edges begin and end is known, so they do not wait for the browser to measure nodes that each
// new figure makes anew.
const handlesOf = (height: number) => [
  { type: "target" as const, position: Position.Left, x: 0, y: height / 2, width: 1, height: 1 },
  { type: "source" as const, position: Position.Right, x: nodeWidth, y: height / 2, width: 1, height: 1 },
];
const graphWidth = (columnNames.length - 1) * columnStep + nodeWidth;
const headHeight = 34;

export default function TopologyPage() {
  const topology = useQuery<Topology>("/api/v1/topology", 10_000);
  if (topology.error?.status === 503) {
    return <Card><Empty title="No recipe is active"><p>There is nothing to draw yet.</p><Link className="button primary" to="/welcome">Choose a recipe</Link></Empty></Card>;
  }
  return (
    <Loaded query={topology}>
      {(data) => <ReactFlowProvider><RecipeGraph topology={data} /></ReactFlowProvider>}
    </Loaded>
  );
}

function RecipeGraph({ topology }: { topology: Topology }) {
  const { search } = useLocation();
  const recordId = search.get("record");
  // Not in the address: what somebody types here may be private.
  const [prompt, setPrompt] = useKept("topology prompt", () => "");
  const [focus, setFocus] = useParameter("focus");
  const [draft, setDraft] = useState(prompt);
  const [find, setFind] = useParameter("find");
  const [open, setOpen] = useState<Set<string>>(new Set());
  const theme = useTheme();

  const evaluation = usePost<Eval>(prompt.trim() !== "" && !recordId ? "/api/v1/eval" : null, { text: prompt });
  const record = useQuery<ReplayRecord>(recordId ? `/v1/router_replay/${encodeURIComponent(recordId)}` : null);
  const [from] = useState(() => new Date(Date.now() - 3_600_000).toISOString());
  const load = useQuery<Aggregate>(`/v1/router_replay/aggregate${query({ from })}`, 10_000);
  const models = useQuery<Models>("/api/v1/models", 5_000);

  const latest = useQuery<RecordList>(`/v1/router_replay?limit=${recordsOffered}`, 10_000).data?.data ?? [];

  const lit = useMemo<Lit | undefined>(() => {
    if (evaluation.data) return litBy(evaluation.data, topology);
    if (record.data) return litByRecord(record.data, topology);
    return undefined;
  }, [evaluation.data, record.data, topology]);
  const graph = useMemo(() => graphOf(topology, open), [topology, open]);

  const { nodes, edges } = useMemo(() => {
    const isLit = (place: Place): boolean => {
      if (!lit) return false;
      if (place.id.startsWith("family:")) return topology.signals.some((one) => one.family === place.group && lit.signals.has(one.id));
      if (place.id.startsWith("decision:")) return place.id === `decision:${lit.decision}`;
      if (place.id.startsWith("model:")) return place.id === `model:${lit.model}`;
      if (place.id.startsWith("endpoint:")) return topology.models.some((one) => one.name === lit.model && one.endpoints.includes(place.name));
      return lit.signals.has(place.id);
    };
    const near = new Set<string>();
    if (focus !== "") {
      near.add(focus);
      // What leads to it and what it leads to.
      for (const forward of [true, false]) {
        let edge = [focus];
        while (edge.length > 0) {
          const next = graph.joins.filter((one) => edge.includes(forward ? one.from : one.to)).map((one) => (forward ? one.to : one.from)).filter((id) => !near.has(id));
          next.forEach((id) => near.add(id));
          edge = next;
        }
      }
    }
    const endpoints = new Map(models.data?.models.flatMap((model) => model.endpoints.map((one) => [one.address, one] as const)));
    const sick = (target: string): boolean => {
      if (target.startsWith("endpoint:")) return endpoints.get(target.slice(9))?.healthy === false;
      return models.data?.models.some((one) => `model:${one.name}` === target && !one.healthy) ?? false;
    };
    const litIds = new Set(graph.places.filter(isLit).map((place) => place.id));
    const proposed = lit && lit.proposal !== lit.model ? `model:${lit.proposal}` : "";
    const note = (place: Place): string => {
      if (place.id.startsWith("decision:")) {
        const n = load.data?.decision_distribution[place.name];
        return n ? `${count(n)}/h · ${place.more.replace(/^tier \d+ · /, "")}` : "";
      }
      if (place.id.startsWith("model:")) {
        const model = models.data?.models.find((one) => one.name === place.more);
        if (!model) return "";
        const flight = model.endpoints.reduce((sum, one) => sum + one.in_flight, 0);
        return `${count(load.data?.model_selection[place.more] ?? 0)}/h · ${flight} in flight${model.healthy ? "" : " · cannot serve"}`;
      }
      const endpoint = endpoints.get(place.name);
      return endpoint ? `${healthOf(endpoint)} · ${endpoint.in_flight} in flight` : "";
    };
    const word = find.trim().toLowerCase();
    const nodes: Shown[] = graph.places.map((place) => {
      const on = litIds.has(place.id);
      const state = [
        on ? (place.column >= 2 ? "won" : "lit") : place.id === proposed ? "lit" : "",
        (lit && !on && place.id !== proposed) || (focus !== "" && !near.has(place.id)) ? "dim" : "",
        word !== "" && place.name.toLowerCase().includes(word) ? "found" : "",
      ].join(" ");
      return {
        id: place.id, type: "recipe", position: { x: place.x, y: place.y }, width: nodeWidth, height: place.height,
        handles: handlesOf(place.height),
        data: { place, state, note: note(place) }, draggable: false, connectable: false,
        ariaLabel: `${columnNames[place.column]}: ${place.name}, ${place.more}${on ? ", lit" : ""}`,
      };
    });
    // Requests of the last hour that went along an edge; to an endpoint all that its model had.
    const requests = (source: string): number => {
      if (source.startsWith("decision:")) return load.data?.decision_distribution[source.slice(9)] ?? 0;
      if (source.startsWith("model:")) return load.data?.model_selection[source.slice(6)] ?? 0;
      return 0;
    };
    const most = Math.max(1, ...graph.joins.map(({ from: source }) => requests(source)));
    const edges: Edge[] = graph.joins.map(({ from: source, to: target }) => {
      const on = litIds.has(source) && (litIds.has(target) || target === proposed);
      const faint = (lit && !on) || (focus !== "" && !(near.has(source) && near.has(target)));
      const n = requests(source);
      const stroke = sick(target) ? "var(--bad)" : on ? "var(--accent)" : "var(--line)";
      return {
        id: `${source}→${target}`, source, target, focusable: false,
        label: n > 0 && !faint && source.startsWith("model:") ? `${count(n)}/h` : undefined,
        style: { stroke, strokeWidth: on ? 3 : 1 + (n / most) * 4, strokeDasharray: sick(target) ? "5 4" : undefined, opacity: faint ? 0.18 : 1 },
      };
    });
    // Learning put another model in the proposed one's place: an edge that the recipe does not have.
    if (lit && lit.decision !== "" && lit.model !== "" && lit.model !== lit.proposal) {
      edges.push({
        id: "learning", source: `decision:${lit.decision}`, target: `model:${lit.model}`, focusable: false, label: "by learning",
        style: { stroke: "var(--good)", strokeWidth: 3, strokeDasharray: "7 4" },
      });
    }
    return { nodes, edges };
  }, [graph, lit, focus, find, load.data, models.data, topology]);

  const families = [...new Set(topology.signals.map((one) => one.family))];
  const allOpen = families.every((family) => open.has(family));
  return (
    <>
      <PageHead title="Topology">
        <input className="field" type="search" data-search placeholder="Find  /" aria-label="Find in the graph" value={find} onChange={(event) => setFind(event.target.value)} />
        <Button aria-pressed={allOpen} onClick={() => setOpen(allOpen ? new Set() : new Set(families))}>{allOpen ? "Group signals" : "Every signal"}</Button>
        {focus !== "" && <Button onClick={() => setFocus("")}>Leave focus</Button>}
      </PageHead>
      <div className="stack">
        <form className="row-line" onSubmit={(event) => { event.preventDefault(); setPrompt(draft); setParameters({ record: "" }); }}>
          <input className="field" style={{ flex: 1, minWidth: 200 }} aria-label="Prompt to try" placeholder="Type a prompt to light its path; nothing is sent"
            value={draft} onChange={(event) => setDraft(event.target.value)} />
          <Button kind="primary" type="submit" disabled={draft.trim() === ""}>Try it</Button>
          <select className="field" style={{ maxWidth: 240 }} aria-label="A record to show" value={recordId ?? ""}
            onChange={(event) => { setDraft(""); setPrompt(""); setParameters({ record: event.target.value }); }}>
            <option value="">or a record…</option>
            {recordId && !latest.some((one) => one.id === recordId) && <option value={recordId}>{recordId.slice(0, 8)}</option>}
            {latest.map((one) => (
              <option key={one.id} value={one.id}>{clock(one.timestamp)} {one.decision || "by name"}: {one.prompt?.slice(0, 40)}</option>
            ))}
          </select>
          {(prompt !== "" || recordId) && <Button onClick={() => { setDraft(""); setPrompt(""); setParameters({ record: "" }); }}>Clear</Button>}
        </form>
        {evaluation.error && <ErrorNotice error={evaluation.error} />}
        {record.error && <ErrorNotice error={record.error} />}
        {lit && <Path lit={lit} record={record.data} topology={topology} />}
        {record.data && record.data.policy_version !== topology.recipe && <Notice tone="warn">The recipe has changed since this record; the graph is today's.</Notice>}
        <div className="topology-box">
          <ReactFlow nodes={nodes} edges={edges} nodeTypes={nodeTypes} colorMode={theme} minZoom={0.15} maxZoom={1.6} panOnScroll
            nodesConnectable={false} nodesDraggable={false} elementsSelectable proOptions={{ hideAttribution: true }}
            onNodeClick={(_, node) => {
              const place = (node as Shown).data.place;
              if (place.id.startsWith("family:")) setOpen((before) => new Set([...before, place.group]));
              else setFocus(focus === node.id ? "" : node.id);
            }}>
            <Background />
            <Controls showInteractive={false} />
            <Heads />
            <View places={graph.places} />
          </ReactFlow>
        </div>
        <p className="muted small">
          Scrolling moves the graph, Ctrl and scrolling makes it larger. n/h: requests of the last hour.
          A click on a family opens it, on anything else shows only what leads to it and what it leads to.
          Edges from decisions and models are as wide as their requests of the last hour; a dashed red one
          leads to what cannot serve.
        </p>
        {evaluation.data && <Card title="Why"><Decisions evaluation={evaluation.data} /></Card>}
      </div>
    </>
  );
}

// The path in words: what matched, what won, and what learning made of it.
function Path({ lit, record, topology }: { lit: Lit; record: ReplayRecord | undefined; topology: Topology }) {
  const names = (ids: { id: string; name: string }[]) => ids.filter((one) => lit.signals.has(one.id)).map((one) => one.name).join(", ") || "none";
  const verdict = record && verdictOf(record);
  const endpoints = topology.models.find((one) => one.name === lit.model)?.endpoints.join(", ");
  return (
    <div className="stack topo-path">
      <div className="row-line">
        {record && <Link to={`/records/${record.id}`}>The record</Link>}
        <Badge tone="good">{lit.decision || (lit.model === "" ? "refused" : record ? "asked by name" : "no decision: the default model")}</Badge> →{" "}
        {lit.proposal !== lit.model && <><ModelName name={lit.proposal} full /> proposed →{" "}</>}
        <ModelName name={lit.model} full /> {lit.model !== "" && "served"}
      </div>
      {verdict && <p>{explain(verdict)}</p>}
      <p className="small muted">
        Signals: {names(topology.signals)}. Projections: {names(topology.projections)}.{endpoints && ` Endpoint: ${endpoints}.`}
      </p>
    </div>
  );
}

// The titles of the columns, which stay in sight and over their columns. On a phone, where not all
// columns can be in sight, a title brings its column.
function Heads() {
  const { x, y, zoom } = useViewport();
  const flow = useReactFlow();
  return (
    <div className="topo-heads">
      {columnNames.map((name, column) => {
        const place = { left: x + column * columnStep * zoom, width: nodeWidth * zoom };
        return narrow.matches ? (
          <button key={name} type="button" onClick={() => void flow.setViewport({ x: 12 - column * columnStep * zoom, y, zoom })}>{name}</button>
        ) : <span key={name} style={place}>{name}</span>;
      })}
    </div>
  );
}

// All columns at a size that can be read; of a graph that is higher than its box, the top or the
// middle. Again when the nodes change.
function View({ places }: { places: Place[] }) {
  const flow = useReactFlow();
  const width = useStore((state) => state.width);
  const height = useStore((state) => state.height);
  const top = Math.min(...places.map((one) => one.y));
  const bottom = Math.max(...places.map((one) => one.y + one.height));
  useEffect(() => {
    if (width === 0 || height === 0) return;
    const zoom = narrow.matches ? 0.85 : Math.min(1, (width - 24) / graphWidth);
    const room = height - headHeight - 12;
    const whole = (bottom - top) * zoom;
    const y = headHeight + (whole <= room ? (room - whole) / 2 - top * zoom : room / 2 - ((top + bottom) / 2) * zoom);
    void flow.setViewport({ x: narrow.matches ? 12 - 2 * columnStep * zoom : Math.max(12, (width - graphWidth * zoom) / 2), y, zoom });
  }, [width, height, top, bottom, flow]);
  return null;
}
