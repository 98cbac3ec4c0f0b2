import { useEffect, useRef, useState } from "react";
import type { LiveEvent } from "./client";
import { eventsOf } from "./sse";

export type Connection = "connecting" | "live" | "lost";

const firstWaitMs = 500;
const longestWaitMs = 15_000;

// Server-sent events of routed requests. `onEvents` gets them in batches, at most one a frame, so
// that hundreds a second cost one render each frame. Reconnects with a growing wait and resumes
// after the last number that was seen.
export function useEvents(onEvents: (events: LiveEvent[]) => void): Connection {
  const [connection, setConnection] = useState<Connection>("connecting");
  const handler = useRef(onEvents);
  handler.current = onEvents;

  useEffect(() => {
    const abort = new AbortController();
    let last = "";
    let waiting: LiveEvent[] = [];
    let frame = 0;
    const flush = () => {
      frame = 0;
      const batch = waiting;
      waiting = [];
      handler.current(batch);
    };
    const take = (data: string) => {
      try {
        waiting.push(JSON.parse(data) as LiveEvent);
      } catch {
        return;
      }
      // A hidden page gets no frames.
      if (frame === 0) frame = document.hidden ? window.setTimeout(flush, 500) : requestAnimationFrame(flush);
    };
    const run = async () => {
      let wait = firstWaitMs;
      while (!abort.signal.aborted) {
        try {
          const response = await fetch("/api/v1/events", {
            signal: abort.signal,
            headers: last === "" ? {} : { "last-event-id": last },
          });
          if (!response.ok || response.body === null) throw new Error(String(response.status));
          setConnection("live");
          wait = firstWaitMs;
          for await (const event of eventsOf(response.body)) {
            if (event.id !== "") last = event.id;
            if (event.data !== "") take(event.data);
          }
        } catch {
          if (abort.signal.aborted) return;
        }
        setConnection("lost");
        await new Promise((resolve) => setTimeout(resolve, wait));
        wait = Math.min(wait * 2, longestWaitMs);
      }
    };
    void run();
    return () => {
      abort.abort();
      cancelAnimationFrame(frame);
      clearTimeout(frame);
    };
  }, []);
  return connection;
}
