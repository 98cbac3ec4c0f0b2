// The address of the page is its state: every view can be linked and the browser's buttons work.
import { useCallback, useSyncExternalStore } from "react";

const changed = "vsr-location";

// Whether the browser's buttons led to this address, not a link.
let back = false;
window.addEventListener("popstate", () => {
  back = true;
});
export function cameBack(): boolean {
  return back;
}

export function navigate(to: string, replace = false): void {
  if (to === location.pathname + location.search) return;
  if (!replace) back = false;
  if (replace) history.replaceState(null, "", to);
  else history.pushState(null, "", to);
  window.dispatchEvent(new Event(changed));
}

function subscribe(listener: () => void): () => void {
  window.addEventListener("popstate", listener);
  window.addEventListener(changed, listener);
  return () => {
    window.removeEventListener("popstate", listener);
    window.removeEventListener(changed, listener);
  };
}

export function useLocation(): { path: string; search: URLSearchParams } {
  const text = useSyncExternalStore(subscribe, () => location.pathname + location.search);
  const at = text.indexOf("?");
  return {
    path: at < 0 ? text : text.slice(0, at),
    search: new URLSearchParams(at < 0 ? "" : text.slice(at)),
  };
}

// One parameter of the address; setting it to its default removes it.
export function useParameter(name: string, byDefault = ""): [string, (value: string) => void] {
  const { search } = useLocation();
  const value = search.get(name) ?? byDefault;
  const set = useCallback(
    (next: string) => setParameters({ [name]: next === byDefault ? "" : next }),
    [name, byDefault],
  );
  return [value, set];
}

// Several at once; an empty value removes its parameter. Without `replace` the state before is one
// step back.
export function setParameters(values: Record<string, string>, replace = true): void {
  const search = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(values)) {
    if (value === "") search.delete(name);
    else search.set(name, value);
  }
  const text = search.toString();
  navigate(location.pathname + (text === "" ? "" : `?${text}`), replace);
}
