// A span of time before now, in the address as `range`.
import { useMemo } from "react";
import { cameBack, useParameter } from "./location";

export const ranges = {
  "15m": { name: "15 minutes", ms: 15 * 60_000, bucket: "minute" },
  "1h": { name: "hour", ms: 3_600_000, bucket: "minute" },
  "6h": { name: "6 hours", ms: 6 * 3_600_000, bucket: "minute" },
  "24h": { name: "24 hours", ms: 86_400_000, bucket: "hour" },
  "7d": { name: "7 days", ms: 7 * 86_400_000, bucket: "hour" },
  "30d": { name: "30 days", ms: 30 * 86_400_000, bucket: "day" },
} as const;
export type RangeKey = keyof typeof ranges;

// The starts that were looked at last: going back shows the same time again.
const startOf = new Map<RangeKey, string>();

function rangeStart(key: RangeKey): string {
  const known = cameBack() ? startOf.get(key) : undefined;
  const start = known ?? new Date(Date.now() - ranges[key].ms).toISOString();
  startOf.set(key, start);
  return start;
}

export function useRange(byDefault: RangeKey): {
  key: RangeKey; from: string; bucket: string; set: (key: string) => void;
} {
  const [value, set] = useParameter("range", byDefault);
  const key = value in ranges ? (value as RangeKey) : byDefault;
  // Fixed for the life of the choice, so that the query is the same from one render to the next.
  const from = useMemo(() => rangeStart(key), [key]);
  return { key, from, bucket: ranges[key].bucket, set };
}

const bucketMs = { minute: 60_000, hour: 3_600_000, day: 86_400_000 } as const;

// The starts of all buckets from `from` to now, in ms: what had no request is a zero, not a gap.
export function bucketStarts(from: string, bucket: string): number[] {
  const step = bucketMs[bucket as keyof typeof bucketMs] ?? bucketMs.hour;
  const out: number[] = [];
  for (let at = Math.floor(Date.parse(from) / step) * step; at <= Date.now(); at += step) out.push(at);
  return out;
}

export function RangeChoice({ range }: { range: { key: RangeKey; set: (key: string) => void } }) {
  return (
    <label className="row-line">
      <span className="muted small">Last</span>
      <select className="field" value={range.key} onChange={(event) => range.set(event.target.value)}>
        {Object.entries(ranges).map(([key, one]) => <option key={key} value={key}>{one.name}</option>)}
      </select>
    </label>
  );
}
