import { useCallback, useEffect, useRef, useState } from "react";
import { ApiError, asApiError, get } from "./client";

export interface Query<T> {
  data: T | undefined;
  error: ApiError | undefined;
  loading: boolean;
  // The latest attempt to renew `data` failed: what is shown is of `at`.
  stale: boolean;
  at: number;
  reload: () => void;
}

// GET of a path, again every `everyMs` while the page is visible. A path of `null` asks nothing.
// The data of the same path stays while it is renewed.
export function useQuery<T>(path: string | null, everyMs = 0): Query<T> {
  const [state, setState] = useState<{
    path: string | null;
    data?: T;
    error?: ApiError;
    at: number;
  }>({ path, at: 0 });
  const [round, setRound] = useState(0);
  const current = useRef(path);
  current.current = path;
  const reload = useCallback(() => setRound((n) => n + 1), []);

  useEffect(() => {
    if (path === null) return;
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const ask = async () => {
      if (document.hidden && everyMs > 0) {
        timer = setTimeout(ask, everyMs);
        return;
      }
      try {
        const data = await get<T>(path, abort.signal);
        setState({ path, data, at: Date.now() });
      } catch (error) {
        if (abort.signal.aborted) return;
        const known = asApiError(error);
        setState((before) =>
          before.path === path ? { ...before, error: known } : { path, error: known, at: 0 },
        );
      }
      if (everyMs > 0 && !abort.signal.aborted) timer = setTimeout(ask, everyMs);
    };
    void ask();
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [path, everyMs, round]);

  const mine = state.path === path ? state : { path, at: 0 };
  return {
    data: mine.data,
    error: mine.error,
    loading: path !== null && mine.data === undefined && mine.error === undefined,
    stale: mine.data !== undefined && mine.error !== undefined,
    at: mine.at,
    reload,
  };
}
