// Records as rows, of which only those in sight are in the document; scrolling down reads older
// ones, scrolling back reads again what was given up.
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef } from "react";
import type { LiveEvent } from "../api/client";
import type { Records } from "../api/records";
import { count, micros, percent, rowTime, tokens, usd } from "../app/format";
import { Link } from "../app/link";
import { trouble, troubleWord } from "../app/outcome";
import { ActionBadge, Badge, Button, ModelName } from "./ui";
import "./record-list.css";

const rowHeight = 38;
const narrowRowHeight = 62;
const narrow = window.matchMedia("(max-width: 820px)");

export function RecordList({ records, marked, label, onAway }: {
  records: Records; marked: number; label: string;
  // Whether the newest row is out of sight.
  onAway?: (away: boolean) => void;
}) {
  const box = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: records.length,
    getScrollElement: () => box.current,
    estimateSize: () => (narrow.matches ? narrowRowHeight : rowHeight),
    overscan: 8,
    initialOffset: records.scrollTop,
  });
  const items = virtual.getVirtualItems();
  const first = items[0]?.index ?? 0;
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => records.show(first, last));
  useEffect(() => {
    if (box.current) box.current.scrollTop = records.scrollTop;
  }, [records]);
  useEffect(() => {
    if (marked >= 0) virtual.scrollToIndex(marked);
    // Only a mark that moves scrolls.
  }, [marked]);

  return (
    <div className="record-list" ref={box} tabIndex={0} role="region" aria-label={label}
      onScroll={(event) => {
        records.scrollTop = event.currentTarget.scrollTop;
        onAway?.(records.scrollTop > rowHeight / 2);
      }}>
      <div className="record-row head" aria-hidden="true">
        <span>Time</span><span>Prompt</span><span>Conv.</span><span>Decision</span><span>Model</span><span>Action</span>
        <span className="number">In / out</span><span className="number">Cached</span>
        <span className="number">Routing</span><span className="number">Cost</span>
      </div>
      <div style={{ height: virtual.getTotalSize(), position: "relative" }}>
        {items.map((item) => (
          <Row key={item.index} index={item.index} start={item.start} event={records.row(item.index)} marked={item.index === marked} />
        ))}
      </div>
      <Tail records={records} />
    </div>
  );
}

function Row({ index, start, event, marked }: {
  index: number; start: number; event: LiveEvent | undefined; marked: boolean;
}) {
  const place = { transform: `translateY(${start}px)` };
  if (!event) {
    return <div className="record-row" style={place} aria-hidden="true"><div className="skeleton" /></div>;
  }
  return (
    <Link to={`/records/${event.id}`} data-row={index} style={place}
      className={`record-row ${marked ? "marked" : ""} ${event.failed ? "failed" : ""}`}>
      <span className="muted small" title={event.timestamp}>{rowTime(event.timestamp)}</span>
      <span className="prompt">{event.prompt || <em className="muted">no text</em>}</span>
      <span className="wide mono small muted" title={`conversation ${event.conversation_id ?? ""}`}>{event.conversation_id?.slice(0, 8) || "–"}</span>
      <span>{event.decision || <span className="muted">{event.model === "" ? "refused" : "asked by name"}</span>}</span>
      <span className="model"><ModelName name={event.model} /></span>
      <span>{event.failed ? <Badge tone="bad" title={trouble(event)}>{troubleWord(event) || event.status || "failed"}</Badge> : <ActionBadge action={event.action} />}</span>
      <span className="number wide">{tokens(event.prompt_tokens)} / {tokens(event.completion_tokens)}</span>
      <span className="number wide">
        {percent(event.prompt_tokens ? (event.cached_prompt_tokens ?? 0) / event.prompt_tokens : undefined)}
      </span>
      <span className="number wide">{micros(event.routing_us)}</span>
      <span className="number wide">{usd(event.cost)}</span>
    </Link>
  );
}

// What stands below the last row that is known.
function Tail({ records }: { records: Records }) {
  if (records.error) {
    return (
      <div className="record-tail failed" role="alert">
        <span>{records.error.message}</span>
        <Button onClick={() => records.retry()}>Try again</Button>
      </div>
    );
  }
  if (records.ended) return <div className="record-tail">The oldest of {count(records.length)} records</div>;
  return <div className="record-tail" role="status">Reading older records…</div>;
}
