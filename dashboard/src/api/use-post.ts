import { useEffect, useState } from "react";
import { ApiError, asApiError, post } from "./client";

// POST of a question that changes nothing, asked again when its text changes. `path` null: nothing.
export function usePost<T>(path: string | null, json: unknown): {
  data: T | undefined; error: ApiError | undefined; loading: boolean;
} {
  const key = path === null ? null : `${path} ${JSON.stringify(json)}`;
  const [state, setState] = useState<{ key: string | null; data?: T; error?: ApiError }>({ key: null });
  useEffect(() => {
    if (path === null || key === null) return;
    const abort = new AbortController();
    post<T>(path, json, abort.signal)
      .then((data) => setState({ key, data }))
      .catch((error: unknown) => {
        if (abort.signal.aborted) return;
        setState({ key, error: asApiError(error) });
      });
    return () => abort.abort();
    // `key` holds path and json.
  }, [key]);
  const mine = state.key === key ? state : { key };
  return { data: mine.data, error: mine.error, loading: key !== null && !mine.data && !mine.error };
}
