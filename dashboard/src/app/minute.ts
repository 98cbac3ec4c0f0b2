// What was routed in each of the last sixty seconds, added up as it comes. Of a second's routing
// times the first `timesKept` stand for all.
import type { LiveEvent } from "../api/client";

export const secondsShown = 60;
const timesKept = 100;

export interface Second {
  requests: number;
  failed: number;
  promptTokens: number;
  cachedTokens: number;
  cost: number;
  routing: number[]; // µs
}

const nothing = (): Second => ({ requests: 0, failed: 0, promptTokens: 0, cachedTokens: 0, cost: 0, routing: [] });

export class Minute {
  private readonly seconds = new Map<number, Second>();
  private seen: Set<string> | undefined = new Set();

  add(events: LiveEvent[]): void {
    for (const event of events) {
      this.seen?.add(event.id);
      const at = Math.floor(Date.parse(event.timestamp) / 1000);
      const sum = this.seconds.get(at) ?? nothing();
      sum.requests += 1;
      if (event.failed) sum.failed += 1;
      sum.promptTokens += event.prompt_tokens ?? 0;
      sum.cachedTokens += event.cached_prompt_tokens ?? 0;
      sum.cost += event.cost ?? 0;
      if (sum.routing.length < timesKept) sum.routing.push(event.routing_us);
      this.seconds.set(at, sum);
    }
  }

  // What was stored before the live feed began; once.
  addStored(events: LiveEvent[]): void {
    const seen = this.seen;
    if (!seen) return;
    this.add(events.filter((event) => !seen.has(event.id)));
    this.seen = undefined;
  }

  // The seconds up to now, the oldest first.
  at(now: number): Second[] {
    const newest = Math.floor(now / 1000);
    for (const second of this.seconds.keys()) {
      if (second <= newest - secondsShown) this.seconds.delete(second);
    }
    return Array.from({ length: secondsShown }, (_, i) => this.seconds.get(newest - secondsShown + 1 + i) ?? nothing());
  }
}
