// The records of one filter, the newest first: above, what the live feed tells; below, the stored
// ones, read page by page as their rows come into sight. A page goes on where the one before ended
// (the API's cursor), so that the last of a thousand costs what the first does. Bounded: pages
// out of sight give up their rows and are read again by their cursor, with the same records; when
// the live rows are too many, the list begins anew from the store. One request at a time.
import { ApiError, type LiveEvent, type RecordList, type ReplayRecord, asApiError, get } from "./client";

export const pageRows = 100; // the most that the API gives at once
export const pagesKept = 12;
export const liveRowsMax = 2000;
// The next page is asked for when fewer rows are left below what is in sight.
const rowsAhead = 50;

interface Page {
  cursor: string; // "" for the newest
  size: number;
  rows: LiveEvent[] | null; // null: given up, to be read again
}

// A stored record as the live feed would have told it.
export function asEvent(record: ReplayRecord): LiveEvent {
  const diagnostics = record.route_diagnostics;
  return {
    id: record.id,
    timestamp: record.timestamp,
    conversation_id: record.conversation_id,
    session_id: record.session_id,
    prompt: record.prompt ?? "",
    decision: record.decision,
    model: record.selected_model,
    action: diagnostics.session_action,
    reason: diagnostics.session_reason,
    status: record.response_status ?? 0,
    failed: record.lifecycle_state === "failed" || record.lifecycle_state === "aborted",
    lifecycle_state: record.lifecycle_state,
    terminal_reason: record.terminal_reason ?? "",
    routing_us: record.routing_latency_us,
    duration_ms: record.duration_ms,
    ttft_ms: record.ttft_ms,
    prompt_tokens: record.prompt_tokens,
    cached_prompt_tokens: record.cached_prompt_tokens,
    completion_tokens: record.completion_tokens,
    cost: record.actual_cost,
  };
}

// An event tells when its request ended, a record when it came.
function asCame(event: LiveEvent): LiveEvent {
  const came = Date.parse(event.timestamp) - (event.duration_ms ?? 0);
  return { ...event, timestamp: new Date(came).toISOString() };
}

export class Records {
  version = 0;
  error: ApiError | undefined;
  total = 0; // of the store, as of its newest page
  scrollTop = 0; // where the list was left
  private live: LiveEvent[] = [];
  private waiting: LiveEvent[] = [];
  private held = false;
  private missedSome = false; // of what the live feed told
  private pages: Page[] = [];
  private next: string | null = null; // the cursor after the last page
  private renewing = true;
  private inSight = { first: 0, last: 0 };
  private reading: AbortController | undefined;
  private readonly listeners = new Set<() => void>();

  // `path` is the list with its filter, without limit and cursor.
  constructor(readonly path: string) {}

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };
  open(): void {
    this.pump();
  }
  close(): void {
    this.reading?.abort();
    this.reading = undefined;
  }

  // Rows whose place is known; while not ended(), older ones may follow.
  get length(): number {
    const last = this.pages.length - 1;
    return this.live.length + (last < 0 ? 0 : last * pageRows + (this.pages[last]?.size ?? 0));
  }
  get started(): boolean {
    return this.pages.length > 0;
  }
  get ended(): boolean {
    return this.started && this.next === null;
  }
  // Nothing while its page is being read.
  row(index: number): LiveEvent | undefined {
    if (index < this.live.length) return this.live[index];
    const stored = index - this.live.length;
    return this.pages[Math.floor(stored / pageRows)]?.rows?.[stored % pageRows];
  }

  // Rows `first` to `last` are in sight.
  show(first: number, last: number): void {
    const stored = (row: number) => Math.max(0, row - this.live.length);
    this.inSight = { first: stored(first), last: stored(last) };
    this.pump();
  }
  retry(): void {
    this.error = undefined;
    this.changed();
    this.pump();
  }
  // Reads the list anew from the top; what is shown stays until it is there.
  renew(): void {
    this.close();
    this.renewing = true;
    this.retry();
  }

  // How many new rows wait for the list to be let go.
  get kept(): number {
    return this.waiting.length;
  }
  // A held list stays as it is.
  hold(on: boolean): void {
    if (on === this.held) return;
    this.held = on;
    const waiting = this.waiting;
    this.waiting = [];
    if (on) return;
    if (this.missedSome) this.renew();
    else if (waiting.length > 0) this.add(waiting);
    this.missedSome = false;
  }
  // Shown again as it was left; letting it go reads it anew.
  restore(): void {
    this.held = true;
    this.missedSome = true;
  }
  // What the live feed tells, the oldest first.
  take(events: LiveEvent[]): void {
    const newer = events.map(asCame).filter((event) => !this.update(event)).reverse();
    if (this.held) this.waiting = [...newer, ...this.waiting].slice(0, liveRowsMax + 1);
    else if (newer.length > 0) this.add(newer);
    this.changed();
  }

  private add(newer: LiveEvent[]): void {
    this.live = [...newer, ...this.live];
    if (this.live.length > liveRowsMax) {
      // Rows would be missing between the live ones and the stored ones.
      this.live.length = liveRowsMax;
      this.renew();
    }
    this.changed();
  }

  // The event of a stored record completes it. False: it is newer than all of them.
  private update(event: LiveEvent): boolean {
    for (const page of this.pages) {
      const at = page.rows?.findIndex((row) => row.id === event.id) ?? -1;
      const row = page.rows?.[at];
      if (!row) continue;
      page.rows?.splice(at, 1, { ...event, prompt: row.prompt || event.prompt });
      return true;
    }
    // Of a page that is not here: the store has it by the time that it is.
    const oldest = this.pages[0]?.rows?.at(-1);
    return oldest !== undefined && this.next !== null && event.timestamp < oldest.timestamp;
  }

  private changed(): void {
    this.version += 1;
    for (const listener of this.listeners) listener();
  }

  // The page to be read now: the newest, else one that is in sight, else the next if its rows are
  // near.
  private wanted(): { index: number; cursor: string } | undefined {
    if (this.renewing) return { index: 0, cursor: "" };
    const last = Math.min(this.pages.length - 1, Math.floor(this.inSight.last / pageRows));
    for (let index = Math.floor(this.inSight.first / pageRows); index <= last; index++) {
      const page = this.pages[index];
      if (page && page.rows === null) return { index, cursor: page.cursor };
    }
    if (this.next === null) return undefined;
    const known = this.length - this.live.length;
    return this.inSight.last + rowsAhead < known ? undefined : { index: this.pages.length, cursor: this.next };
  }

  private pump(): void {
    if (this.reading || this.error) return;
    const page = this.wanted();
    if (!page) return;
    const abort = new AbortController();
    this.reading = abort;
    this.read(page.index, page.cursor, abort.signal)
      .catch((error: unknown) => {
        if (!abort.signal.aborted) this.error = asApiError(error);
      })
      .finally(() => {
        if (abort.signal.aborted) return;
        this.reading = undefined;
        this.changed();
        this.pump();
      });
  }

  private async read(index: number, cursor: string, signal: AbortSignal): Promise<void> {
    const joined = this.path.includes("?") ? "&" : "?";
    const after = cursor === "" ? "" : `&cursor=${cursor}`;
    const list = await get<RecordList>(`${this.path}${joined}limit=${pageRows}${after}`, signal);
    const page = { cursor, size: list.data.length, rows: list.data.map(asEvent) };
    if (index === 0) this.begin(page, list.total);
    else this.pages[index] = page;
    // A page that is read again ends the list if what stood after it has expired since.
    if (!list.has_more) this.pages.length = index + 1;
    if (index === this.pages.length - 1) this.next = list.has_more ? (list.next_cursor ?? null) : null;
    this.giveUpFarPages();
  }

  private begin(page: Page, total: number): void {
    const live = this.live;
    this.renewing = false;
    this.total = total;
    this.pages = [page];
    this.next = "";
    this.live = live.filter((event) => !this.update(event));
  }

  // The newest page stays: without a cursor it would come back with other records.
  private giveUpFarPages(): void {
    const middle = (this.inSight.first + this.inSight.last) / 2 / pageRows;
    const held = this.pages
      .map((page, index) => ({ page, distance: Math.abs(index + 0.5 - middle) }))
      .filter(({ page }, index) => page.rows !== null && index > 0)
      .sort((a, b) => a.distance - b.distance);
    for (const { page } of held.slice(pagesKept - 1)) page.rows = null;
  }
}
