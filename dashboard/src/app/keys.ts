// Keys of the whole dashboard: `/` to the search field, `g` and a letter to a page, `?` for help;
// lists take j, k and Enter themselves (use-rows.ts). Nothing happens while somebody types.
import { useEffect } from "react";
import { navigate } from "./location";

export const pageKeys: Record<string, { to: string; name: string }> = {
  l: { to: "/live", name: "Live" },
  c: { to: "/conversations", name: "Conversations" },
  i: { to: "/insights", name: "Insights" },
  t: { to: "/topology", name: "Topology" },
  p: { to: "/playground", name: "Playground" },
  r: { to: "/recipes", name: "Recipes" },
  m: { to: "/models", name: "Models" },
  s: { to: "/system", name: "System" },
};

export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return (
    target.isContentEditable ||
    target instanceof HTMLInputElement ||
    target instanceof HTMLTextAreaElement ||
    target instanceof HTMLSelectElement
  );
}

const goMs = 1200;

export function useGlobalKeys(onHelp: () => void): void {
  useEffect(() => {
    let goUntil = 0;
    const down = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (isTyping(event.target)) {
        if (event.key === "Escape") {
          // A search field would empty itself.
          event.preventDefault();
          (event.target as HTMLElement).blur();
        }
        return;
      }
      if (Date.now() < goUntil) {
        const page = pageKeys[event.key];
        goUntil = 0;
        if (page) {
          event.preventDefault();
          navigate(page.to);
          return;
        }
      }
      if (event.key === "g") goUntil = Date.now() + goMs;
      if (event.key === "?") onHelp();
      if (event.key === "/") {
        const field = document.querySelector<HTMLInputElement>("[data-search]");
        if (field) {
          event.preventDefault();
          field.focus();
          field.select();
        }
      }
    };
    window.addEventListener("keydown", down);
    return () => window.removeEventListener("keydown", down);
  }, [onHelp]);
}
