// What a page should find again when one comes back to it: what was typed, a chat, a draft. In
// memory alone: it is in no address and in no history, and a reload forgets it.
import { useCallback, useState } from "react";

const namesMax = 64;
const kept = new Map<string, unknown>();

function keep(name: string, value: unknown): void {
  kept.delete(name);
  kept.set(name, value);
  const [oldest] = kept.keys();
  if (kept.size > namesMax && oldest !== undefined) kept.delete(oldest);
}

// As useState, for a name that does not change while the component lives. What is set after it has
// gone, for example at the end of an answer, is kept too.
export function useKept<T>(name: string, initial: () => T): [T, (next: T | ((before: T) => T)) => void] {
  const [value, setValue] = useState<T>(() => {
    if (!kept.has(name)) keep(name, initial());
    return kept.get(name) as T;
  });
  const set = useCallback((next: T | ((before: T) => T)) => {
    const after = typeof next === "function" ? (next as (before: T) => T)(kept.get(name) as T) : next;
    keep(name, after);
    setValue(after);
  }, [name]);
  return [value, set];
}
