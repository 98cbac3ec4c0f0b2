// A page that fails must not take the others with it.
import { Component, type ReactNode, useCallback, useEffect, useState } from "react";
import { Button, Notice } from "../ui/ui";

// A part of the dashboard that is loaded when it is first shown could not be had.
class PartMissing extends Error {}

// Loads a page's code; the router may not answer just now.
export async function part<T>(load: Promise<T>): Promise<T> {
  try {
    return await load;
  } catch (error) {
    throw new PartMissing(String(error));
  }
}

export class Fence extends Component<{ path: string; children: ReactNode }, { error?: Error; path: string }> {
  override state: { error?: Error; path: string } = { path: this.props.path };
  static getDerivedStateFromError(error: Error) {
    return { error };
  }
  static getDerivedStateFromProps(props: { path: string }, state: { path: string }) {
    return props.path === state.path ? null : { path: props.path, error: undefined };
  }
  override render() {
    const { error } = this.state;
    if (!error) return this.props.children;
    if (error instanceof PartMissing) return <Waiting />;
    return (
      <Notice tone="bad" action={<Button onClick={() => location.reload()}>Load again</Button>}>
        This page could not be shown: {error.message}
      </Notice>
    );
  }
}

const askEveryMs = 2_000;

// What failed to load stays failed in this document, so it is loaded anew, but not before the
// router answers: the browser's own error page would take its place.
function Waiting() {
  const [tried, setTried] = useState(0);
  const ask = useCallback(async () => {
    try {
      if ((await fetch("/healthz")).ok) location.reload();
    } catch {
      setTried((n) => n + 1);
    }
  }, []);
  useEffect(() => {
    const timer = setInterval(() => void ask(), askEveryMs);
    return () => clearInterval(timer);
  }, [ask]);
  return (
    <Notice tone="bad" action={<Button onClick={() => void ask()}>Load again</Button>}>
      This page is not loaded yet, and the router does not answer. It is shown as soon as the router is back
      {tried > 0 && ` (asked ${tried === 1 ? "once" : `${tried} times`})`}.
    </Notice>
  );
}
