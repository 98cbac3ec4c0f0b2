import { useEffect, useState } from "react";

const settledMs = 250;

// A value once it has stopped changing: what is typed, not every letter of it.
export function useSettled<T>(value: T): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), settledMs);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}
