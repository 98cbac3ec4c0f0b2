import { StrictMode, Suspense, lazy, useEffect, useState } from "react";
import { createRoot } from "react-dom/client";
import type { Models, System } from "./api/client";
import { useQuery } from "./api/use-query";
import { setModelOrder } from "./app/colour";
import { Fence, part } from "./app/fence";
import { Link } from "./app/link";
import { navigate, useLocation } from "./app/location";
import { Login } from "./app/login";
import { Shell } from "./app/shell";
import { startTheme } from "./app/theme";
import "./theme.css";
import { Empty, Skeleton } from "./ui/ui";

const Live = lazy(() => part(import("./pages/live")));
const Record = lazy(() => part(import("./pages/record")));
const Conversations = lazy(() => part(import("./pages/conversations")));
const Conversation = lazy(() => part(import("./pages/conversation")));
const Insights = lazy(() => part(import("./pages/insights")));
const Topology = lazy(() => part(import("./pages/topology")));
const Playground = lazy(() => part(import("./pages/playground")));
const Recipes = lazy(() => part(import("./pages/recipes")));
const ModelsPage = lazy(() => part(import("./pages/models")));
const SystemPage = lazy(() => part(import("./pages/system")));
const Welcome = lazy(() => part(import("./pages/welcome")));

function Page({ system }: { system: System | undefined }) {
  const { path } = useLocation();
  const [, first = "", second = "", third = ""] = path.split("/").map(decodeURIComponent);
  switch (first) {
    case "live":
      return <Live />;
    case "records":
      return <Record key={second} id={second} />;
    case "conversations":
      return second === "" ? <Conversations /> : <Conversation session={second} conversation={third} />;
    case "insights":
      return <Insights />;
    case "topology":
      return <Topology />;
    case "playground":
      return <Playground />;
    case "recipes":
      return <Recipes />;
    case "models":
      return <ModelsPage />;
    case "system":
      return <SystemPage system={system} />;
    case "welcome":
      return <Welcome />;
    default:
      return (
        <Empty title="There is no such page">
          <p>{path} is not a page of this dashboard. <Link to="/live">Go to Live</Link></p>
        </Empty>
      );
  }
}

const systemEveryMs = 5_000;

function App() {
  const { path } = useLocation();
  const system = useQuery<System>("/api/v1/system", systemEveryMs);
  // Asked again when the recipe changes. Pages wait for it: a model has one colour from the start.
  const policy = system.data?.policy ?? "";
  const models = useQuery<Models>(system.data ? `/api/v1/models?policy=${policy}` : null);
  const [order, setOrder] = useState<string>();
  const names = models.data?.models.map((model) => model.name);
  if (names && names.join(" ") !== order) {
    setModelOrder(names);
    setOrder(names.join(" "));
  }

  const unconfigured = system.data?.config === "";
  useEffect(() => {
    if (path !== "/" || !system.data) return;
    navigate(unconfigured ? "/welcome" : "/live", true);
  }, [path, system.data, unconfigured]);

  if (system.error?.status === 401) return <Login onDone={system.reload} />;
  return (
    <Shell system={system}>
      <Fence path={path}>
        <Suspense fallback={<Skeleton />}>
          {path !== "/" && (order !== undefined || models.error || system.error) && <Page key={order} system={system.data} />}
        </Suspense>
      </Fence>
    </Shell>
  );
}

startTheme();
const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
}
