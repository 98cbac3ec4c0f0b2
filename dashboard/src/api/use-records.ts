import { useEffect, useState, useSyncExternalStore } from "react";
import { cameBack } from "../app/location";
import { Records } from "./records";

// Lists that were left lately, by the address of their page: going back shows the place again.
const listsKept = 4;
const left = new Map<string, Records>();

function keep(address: string, records: Records): void {
  left.delete(address);
  left.set(address, records);
  const [oldest] = left.keys();
  if (left.size > listsKept && oldest !== undefined) left.delete(oldest);
}

function find(path: string): Records {
  const known = cameBack() ? left.get(location.pathname + location.search) : undefined;
  if (known?.path !== path) return new Records(path);
  known.restore();
  return known;
}

// The records of a list (its path with the filter); another path is another list.
export function useRecords(path: string): Records {
  const [state, setRecords] = useState(() => find(path));
  const records = state.path === path ? state : new Records(path);
  if (records !== state) setRecords(records);
  useSyncExternalStore(records.subscribe, () => records.version);
  useEffect(() => {
    const address = location.pathname + location.search;
    records.open();
    return () => {
      records.close();
      keep(address, records);
    };
  }, [records]);
  return records;
}
