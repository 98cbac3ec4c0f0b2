import { type ReactNode, useCallback, useEffect, useState } from "react";
import type { System } from "../api/client";
import type { Query } from "../api/use-query";
import {
  ConversationsIcon, InsightsIcon, LiveIcon, MenuIcon, ModelsIcon, PlaygroundIcon, RecipesIcon,
  SystemIcon, TopologyIcon,
} from "../ui/icons";
import { Badge, Button, Notice, Sheet } from "../ui/ui";
import { pageKeys, useGlobalKeys } from "./keys";
import { Link } from "./link";
import { useLocation } from "./location";
import { type Choice, choose, chosen } from "./theme";
import "./shell.css";

const pages = [
  { to: "/live", name: "Live", icon: LiveIcon, also: ["/records"] },
  { to: "/conversations", name: "Conversations", icon: ConversationsIcon, also: [] },
  { to: "/insights", name: "Insights", icon: InsightsIcon, also: [] },
  { to: "/topology", name: "Topology", icon: TopologyIcon, also: [] },
  { to: "/playground", name: "Playground", icon: PlaygroundIcon, also: [] },
  { to: "/recipes", name: "Recipes", icon: RecipesIcon, also: ["/welcome"] },
  { to: "/models", name: "Models", icon: ModelsIcon, also: [] },
  { to: "/system", name: "System", icon: SystemIcon, also: [] },
];

export function Shell({ system, children }: { system: Query<System>; children: ReactNode }) {
  const { path } = useLocation();
  const [open, setOpen] = useState(false);
  const [help, setHelp] = useState(false);
  const showHelp = useCallback(() => setHelp(true), []);
  useGlobalKeys(showHelp);
  useEffect(() => setOpen(false), [path]);
  const here = (page: (typeof pages)[number]) =>
    [page.to, ...page.also].some((start) => path === start || path.startsWith(`${start}/`));

  return (
    <div className="shell">
      <a className="skip" href="#main">Skip to the page</a>
      <nav className={open ? "nav open" : "nav"} aria-label="Pages">
        <div className="top">
          <Link to="/live" className="brand">
            <img src="/icon.svg" alt="" />
            vllm-sr
          </Link>
          <Button className="menu-button" aria-expanded={open} onClick={() => setOpen(!open)}>
            <MenuIcon />
            Menu
          </Button>
        </div>
        {pages.map((page) => (
          <Link key={page.to} to={page.to} className="page-link"
            aria-current={here(page) ? "page" : undefined}>
            <page.icon />
            {page.name}
          </Link>
        ))}
        <div className="below">
          <ThemeChoice />
          <Button kind="plain" onClick={showHelp}>Keys <kbd>?</kbd></Button>
          <Health system={system} />
        </div>
      </nav>
      <main className="main" id="main" tabIndex={-1}>
        {system.error && (
          <div style={{ marginBottom: "var(--space-4)" }}>
            <Notice tone="bad" action={<Button onClick={system.reload}>Try again</Button>}>
              {system.error.message}
              {system.stale && " What is shown below is of before."}
            </Notice>
          </div>
        )}
        {children}
      </main>
      {help && <KeyHelp onClose={() => setHelp(false)} />}
    </div>
  );
}

export function PageHead({ title, children }: { title: string; children?: ReactNode }) {
  useEffect(() => {
    document.title = `${title} · vllm-sr`;
  }, [title]);
  return (
    <div className="page-head">
      <h1>{title}</h1>
      <div className="row-line">{children}</div>
    </div>
  );
}

function Health({ system }: { system: Query<System> }) {
  if (system.error) return <Badge tone="bad">no answer</Badge>;
  if (!system.data) return <Badge>…</Badge>;
  return (
    <Link to="/system" style={{ textDecoration: "none" }} title={system.data.problem}>
      {system.data.ready ? (
        <Badge tone={system.data.problem === "" ? "good" : "warn"}>
          {system.data.problem === "" ? "ready" : "look at System"}
        </Badge>
      ) : (
        <Badge tone="bad">not ready</Badge>
      )}{" "}
      <span className="muted small">{system.data.version}</span>
    </Link>
  );
}

function ThemeChoice() {
  const [choice, setChoice] = useState<Choice>(chosen);
  return (
    <label className="row-line small muted">
      Theme
      <select className="field" value={choice}
        onChange={(event) => {
          const next = event.target.value as Choice;
          setChoice(next);
          choose(next);
        }}>
        <option value="system">system</option>
        <option value="light">light</option>
        <option value="dark">dark</option>
      </select>
    </label>
  );
}

function KeyHelp({ onClose }: { onClose: () => void }) {
  return (
    <Sheet title="Keys" onClose={onClose}>
      <dl className="facts">
        <dt><kbd>/</kbd></dt><dd>search on this page</dd>
        <dt><kbd>j</kbd> <kbd>k</kbd></dt><dd>down and up in a list</dd>
        <dt><kbd>Enter</kbd></dt><dd>open the marked row</dd>
        <dt><kbd>Esc</kbd></dt><dd>leave a field</dd>
        {Object.entries(pageKeys).map(([key, page]) => (
          <div key={key} style={{ display: "contents" }}>
            <dt><kbd>g</kbd> <kbd>{key}</kbd></dt><dd>{page.name}</dd>
          </div>
        ))}
      </dl>
    </Sheet>
  );
}
