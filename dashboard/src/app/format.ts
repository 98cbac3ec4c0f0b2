// Numbers and times as people read them.

export function tokens(n: number | undefined): string {
  if (n === undefined) return "–";
  if (n < 1000) return String(n);
  if (n < 1_000_000) return `${(n / 1000).toFixed(n < 10_000 ? 1 : 0)}k`;
  return `${(n / 1_000_000).toFixed(n < 10_000_000 ? 2 : 1)}M`;
}

export function count(n: number): string {
  return n.toLocaleString("en-US");
}

// Money with as many digits as it takes to see it.
export function usd(n: number | undefined, currency: string | null = "USD"): string {
  if (n === undefined || Number.isNaN(n)) return "–";
  const sign = n < 0 ? "−" : "";
  const size = Math.abs(n);
  if (size > 0 && size < 1e-5) return `<${sign}$0.00001`;
  // Two figures of what is tiny: $0.000075.
  const digits = size === 0 ? 2 : size >= 1 ? 2 : size >= 0.01 ? 4 : 1 - Math.floor(Math.log10(size));
  const amount = size.toFixed(digits);
  return !currency || currency === "USD" ? `${sign}$${amount}` : `${sign}${amount} ${currency}`;
}

export function micros(us: number | undefined): string {
  if (us === undefined) return "–";
  if (us < 1000) return `${us.toFixed(us < 10 ? 1 : 0)} µs`;
  if (us < 1_000_000) return `${(us / 1000).toFixed(us < 10_000 ? 1 : 0)} ms`;
  return `${(us / 1_000_000).toFixed(1)} s`;
}

export function percent(share: number | undefined, digits = 0): string {
  return share === undefined || Number.isNaN(share) ? "–" : `${(share * 100).toFixed(digits)} %`;
}

export function clock(iso: string): string {
  return new Date(iso).toLocaleTimeString([], { hour12: false });
}

export function moment(iso: string): string {
  const date = new Date(iso);
  const sameDay = date.toDateString() === new Date().toDateString();
  return sameDay
    ? clock(iso)
    : date.toLocaleString([], { dateStyle: "short", timeStyle: "medium", hour12: false });
}

const monthDay = new Intl.DateTimeFormat([], { month: "short", day: "numeric" });

// The time of a row: of another day with its day.
export function rowTime(iso: string): string {
  const date = new Date(iso);
  return date.toDateString() === new Date().toDateString()
    ? clock(iso)
    : `${monthDay.format(date)}, ${clock(iso).slice(0, 5)}`;
}

export function duration(seconds: number): string {
  if (seconds < 60) return `${Math.round(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
  return `${Math.floor(seconds / 86_400)} d ${Math.floor((seconds % 86_400) / 3600)} h`;
}

// The part of a model's name that tells it from its neighbours.
export function shortModel(name: string): string {
  return name.slice(name.lastIndexOf("/") + 1);
}
