// Requests as they happen, the newest first; scrolling down goes back to the oldest record. The
// list stands still while it is paused, scrolled away from the top or walked with the keyboard,
// and counts what comes.
import { useCallback, useEffect, useMemo, useState } from "react";
import { type LiveEvent, query } from "../api/client";
import { useEvents } from "../api/use-events";
import { liveRowsMax } from "../api/records";
import { useRecords } from "../api/use-records";
import { count } from "../app/format";
import { Link } from "../app/link";
import { navigate, setParameters, useLocation } from "../app/location";
import { Minute } from "../app/minute";
import { PageHead } from "../app/shell";
import { useRows } from "../app/use-rows";
import { useSettled } from "../app/use-settled";
import { PauseIcon, PlayIcon } from "../ui/icons";
import { RecordList } from "../ui/record-list";
import { Badge, Button, Card, Empty, ErrorNotice, Skeleton } from "../ui/ui";
import { Counters } from "./live-counters";

const recordId = /^[0-9a-f]{32}$/;
const conversationId = /^[0-9a-f]{16}$/;

interface Filter {
  text: string;
  action: string;
  status: string;
  to: string; // local time as the field gives it
}

function listPath({ text, action, status, to }: Filter): string {
  const id = conversationId.test(text);
  return `/v1/router_replay${query({
    search: id ? "" : text,
    conversation_id: id ? text : "",
    action,
    status,
    to: to === "" ? "" : new Date(to).toISOString(),
  })}`;
}

// The store's filter, for what the live feed tells.
function matches(event: LiveEvent, { text, action, status, to }: Filter): boolean {
  const words = text.toLowerCase();
  const found = conversationId.test(text)
    ? event.conversation_id === text
    : [event.prompt, event.decision, event.model].some((field) => field?.toLowerCase().includes(words));
  const ended = event.failed ? event.status !== 0 || status === "failed" : status === "completed";
  return found && to === "" && (action === "" || event.action === action) && (status === "" || ended);
}

export default function Live() {
  const { search } = useLocation();
  const typed = search.get("q") ?? "";
  const text = useSettled(typed.trim());
  const [action, status, to] = [search.get("action") ?? "", search.get("status") ?? "", search.get("to") ?? ""];
  const filter = useMemo(() => ({ text, action, status, to }), [text, action, status, to]);
  const records = useRecords(listPath(filter));
  const [minute] = useState(() => new Minute());
  const [newest, setNewest] = useState(0);
  const [paused, setPaused] = useState(false);
  const [away, setAway] = useState(records.scrollTop > 0);

  const connection = useEvents(
    useCallback((batch: LiveEvent[]) => {
      minute.add(batch);
      setNewest(Date.now());
      records.take(batch.filter((event) => matches(event, filter)));
    }, [minute, records, filter]),
  );
  const open = useCallback((row: number) => {
    const event = records.row(row);
    if (event) navigate(`/records/${event.id}`);
  }, [records]);
  const [marked, mark] = useRows(records.length, open);
  const held = paused || away || marked >= 0;
  useEffect(() => records.hold(held), [records, held]);
  useEffect(() => {
    setAway(records.scrollTop > 0);
    mark(-1);
  }, [records, mark]);
  const resume = () => {
    setPaused(false);
    mark(-1);
    document.querySelector(".record-list")?.scrollTo({ top: 0 });
  };
  const isFiltered = typed !== "" || action !== "" || status !== "" || to !== "";
  const showAll = () => setParameters({ q: "", action: "", status: "", to: "" });

  return (
    <>
      <PageHead title="Live">
        <Badge tone={connection === "live" ? (held ? "warn" : "good") : connection === "lost" ? "bad" : "plain"}>
          {connection === "live" ? (held ? "held" : "live") : connection === "lost" ? "connection lost, trying again" : "connecting"}
        </Badge>
        <Button aria-pressed={held} onClick={() => (held ? resume() : setPaused(true))}>
          {held ? <PlayIcon /> : <PauseIcon />}
          {held ? `Resume${newerText(records.kept)}` : "Pause"}
        </Button>
        <Search typed={typed} />
      </PageHead>
      <div className="stack">
        <Counters minute={minute} newest={newest} />
        <Card flush title="Requests" label="Requests" aside={<Kinds action={action} status={status} to={to} />}>
          {records.length > 0 ? (
            <RecordList records={records} marked={marked} label="Requests, newest first" onAway={setAway} />
          ) : records.error ? (
            <div className="body"><ErrorNotice error={records.error} retry={() => records.retry()} /></div>
          ) : !records.started ? (
            <div className="body"><Skeleton /></div>
          ) : isFiltered ? (
            <Empty title="Nothing matches">
              <p>No record has what this filter asks for.</p>
              <Button onClick={showAll}>Show all</Button>
            </Empty>
          ) : (
            <Empty title="No request yet">
              <p>Each request to the router shows here as it is routed, with its decision and its model.</p>
              <Link to="/playground" className="button primary">Send one in the Playground</Link>
            </Empty>
          )}
        </Card>
      </div>
    </>
  );
}

function newerText(kept: number): string {
  if (kept === 0) return "";
  return kept > liveRowsMax ? ` (over ${count(liveRowsMax)} new)` : ` (${count(kept)} new)`;
}

const kinds = [
  ["", "everything"],
  ["action=switch", "switches"], ["action=stay", "stays"], ["action=hard_lock", "hard locks"],
  ["action=bypass", "bypasses"], ["action=select", "first turns"],
  ["status=failed", "failed"], ["status=aborted", "aborted"], ["status=running", "running"],
] as const;

function Kinds({ action, status, to }: { action: string; status: string; to: string }) {
  const kind = action !== "" ? `action=${action}` : status !== "" ? `status=${status}` : "";
  const choose = (value: string) => setParameters({ action: "", status: "", ...Object.fromEntries(new URLSearchParams(value)) });
  return (
    <div className="row-line">
      <select className="field" aria-label="Kind of requests" value={kind} onChange={(event) => choose(event.target.value)}>
        {kinds.map(([value, name]) => <option key={value} value={value}>{name}</option>)}
      </select>
      <label className="row-line">
        <span className="muted small">before</span>
        <input className="field" type="datetime-local" value={to} onChange={(event) => setParameters({ to: event.target.value })} />
      </label>
    </div>
  );
}

// The id of a record opens it.
function Search({ typed }: { typed: string }) {
  return (
    <form onSubmit={(event) => {
      event.preventDefault();
      if (recordId.test(typed.trim())) navigate(`/records/${typed.trim()}`);
    }}>
      <input className="field" type="search" data-search placeholder="Filter  /" aria-label="Filter by prompt, decision, model or id"
        value={typed} onChange={(event) => setParameters({ q: event.target.value })} />
    </form>
  );
}
