// j and k (or the arrows) move through the rows of a list, Enter opens one.
import { useEffect, useState } from "react";
import { isTyping } from "./keys";

export function useRows(count: number, open: (row: number) => void): [number, (row: number) => void] {
  const [row, setRow] = useState(-1);
  useEffect(() => {
    const down = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      if (event.key === "j" || event.key === "ArrowDown") setRow((at) => Math.min(count - 1, at + 1));
      else if (event.key === "k" || event.key === "ArrowUp") setRow((at) => Math.max(0, at - 1));
      else if (event.key === "Enter" && row >= 0 && row < count && !onControl(event.target)) open(row);
      else return;
      event.preventDefault();
    };
    window.addEventListener("keydown", down);
    return () => window.removeEventListener("keydown", down);
  }, [count, row, open]);
  return [Math.min(row, count - 1), setRow];
}

function onControl(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest("a, button, summary") !== null;
}
