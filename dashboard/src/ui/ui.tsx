// The small parts that every page is made of.
import { type ButtonHTMLAttributes, type ReactNode, useEffect, useRef, useState } from "react";
import type { ApiError } from "../api/client";
import { modelColour } from "../app/colour";
import { clock, shortModel } from "../app/format";
import {
  CopyIcon, DashIcon, LockIcon, SelectIcon, ShieldIcon, StayIcon, SwitchIcon,
} from "./icons";
import "./ui.css";

export type Tone = "good" | "warn" | "bad" | "accent" | "plain";

export function Card({ title, aside, children, className = "", flush = false, label }: {
  title?: ReactNode; aside?: ReactNode; children: ReactNode; className?: string; flush?: boolean;
  label?: string;
}) {
  return (
    <section className={`card ${className}`} aria-label={label}>
      {title !== undefined && (
        <header>
          <h2>{title}</h2>
          {aside}
        </header>
      )}
      {flush ? children : <div className="body">{children}</div>}
    </section>
  );
}

export function Button({ kind = "", className = "", ...rest }: {
  kind?: "primary" | "danger" | "plain" | "";
} & ButtonHTMLAttributes<HTMLButtonElement>) {
  return <button type="button" className={`button ${kind} ${className}`} {...rest} />;
}

export function Badge({ tone = "plain", title, children }: {
  tone?: Tone; title?: string; children: ReactNode;
}) {
  return <span className={`badge ${tone}`} title={title}>{children}</span>;
}

const actions: Record<string, { tone: Tone; icon: () => ReactNode; says: string }> = {
  select: { tone: "plain", icon: SelectIcon, says: "first model of this conversation" },
  stay: { tone: "plain", icon: StayIcon, says: "kept the model it had" },
  switch: { tone: "accent", icon: SwitchIcon, says: "changed the model" },
  hard_lock: { tone: "warn", icon: LockIcon, says: "must not change the model now" },
  bypass: { tone: "good", icon: ShieldIcon, says: "the decision's model, learning steps aside" },
  noop: { tone: "plain", icon: DashIcon, says: "learning had nothing to say" },
};

// What learning did; the icon differs as well as the colour.
export function ActionBadge({ action }: { action: string | undefined }) {
  if (!action) return <span className="muted">–</span>;
  const known = actions[action];
  if (!known) return <Badge>{action}</Badge>;
  const Icon = known.icon;
  return (
    <Badge tone={known.tone} title={known.says}>
      <Icon />
      {action.replace("_", " ")}
    </Badge>
  );
}

export function ModelName({ name, full = false }: { name: string | undefined; full?: boolean }) {
  if (!name) return <span className="muted">–</span>;
  return (
    <span className="model-name" title={name}>
      <i style={{ background: modelColour(name) }} />
      <span>{full ? name : shortModel(name)}</span>
    </span>
  );
}

// A name that may be broken between its words, and nowhere else.
export function Id({ id }: { id: string }) {
  return <span className="id">{id.split(/(?<=[:_/])/).map((word, i) => <span key={i}>{word}<wbr /></span>)}</span>;
}

export function Stat({ label, value, hint, children }: {
  label: string; value: ReactNode; hint?: ReactNode; children?: ReactNode;
}) {
  return (
    <div className="card stat">
      <div className="muted small">{label}</div>
      <div className="value">{value}</div>
      {hint !== undefined && <div className="muted small">{hint}</div>}
      {children}
    </div>
  );
}

export function Notice({ tone, children, action }: {
  tone: "good" | "warn" | "bad" | "info"; children: ReactNode; action?: ReactNode;
}) {
  return (
    <div className={`notice ${tone}`} role={tone === "bad" ? "alert" : "status"}>
      <div>{children}</div>
      {action}
    </div>
  );
}

export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="empty">
      <h2>{title}</h2>
      {children}
    </div>
  );
}

export function Skeleton({ lines = 6 }: { lines?: number }) {
  return (
    <div aria-busy="true" aria-label="Loading" role="status" className="stack">
      {Array.from({ length: lines }, (_, i) => (
        <div key={i} className="skeleton" style={{ height: 18, width: `${92 - ((i * 17) % 40)}%` }} />
      ))}
    </div>
  );
}

export function ErrorNotice({ error, retry }: { error: ApiError; retry?: () => void }) {
  return (
    <Notice tone="bad" action={retry && <Button onClick={retry}>Try again</Button>}>
      {error.message}
    </Notice>
  );
}

// Loading, failed and stale around whatever a query shows.
export function Loaded<T>({ query, children, lines }: {
  query: { data: T | undefined; error: ApiError | undefined; stale: boolean; at: number; reload: () => void };
  children: (data: T) => ReactNode; lines?: number;
}) {
  if (query.data === undefined) {
    return query.error ? <ErrorNotice error={query.error} retry={query.reload} /> : <Skeleton lines={lines} />;
  }
  return (
    <>
      {query.stale && (
        <Notice tone="warn" action={<Button onClick={query.reload}>Try again</Button>}>
          As of {clock(new Date(query.at).toISOString())}: {query.error?.message}
        </Notice>
      )}
      {children(query.data)}
    </>
  );
}

// A table that may be wider than its card; the keyboard can scroll it.
export function Wide({ label, children }: { label: string; children: ReactNode }) {
  return <div className="scroll-x" tabIndex={0} role="region" aria-label={label}>{children}</div>;
}

// A share from 0 to 1; `label` says of what.
export function Bar({ share, label, colour }: { share: number; label: string; colour?: string }) {
  const width = `${Math.max(0, Math.min(1, share)) * 100}%`;
  return (
    <div className="bar" role="img" aria-label={`${label}: ${Math.round(share * 100)} percent`}>
      <i style={{ width, background: colour }} />
    </div>
  );
}

export function CopyButton({ text, children }: { text: string; children: ReactNode }) {
  const [done, setDone] = useState(false);
  useEffect(() => {
    if (!done) return;
    const timer = setTimeout(() => setDone(false), 1500);
    return () => clearTimeout(timer);
  }, [done]);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Without permission for the clipboard the old way still works.
      const area = document.createElement("textarea");
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    setDone(true);
  };
  return (
    <Button onClick={copy}>
      <CopyIcon />
      <span aria-live="polite">{done ? "Copied" : children}</span>
    </Button>
  );
}

// A dialog over the page; Escape and a click beside it close it.
export function Sheet({ title, onClose, children }: {
  title: string; onClose: () => void; children: ReactNode;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const element = dialog.current;
    element?.showModal();
    return () => element?.close();
  }, []);
  return (
    <dialog ref={dialog} className="sheet" aria-label={title} onCancel={onClose}
      onClick={(event) => event.target === dialog.current && onClose()}>
      <div className="row-line" style={{ justifyContent: "space-between", marginBottom: "var(--space-3)" }}>
        <h2>{title}</h2>
        <Button kind="plain" onClick={onClose}>Close</Button>
      </div>
      {children}
    </dialog>
  );
}
