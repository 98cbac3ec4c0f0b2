// Shares of a whole as bars with their numbers, the largest first.
import type { ReactNode } from "react";
import { count, percent } from "../app/format";
import { Link } from "../app/link";
import { Bar, Id } from "./ui";

export function Distribution({ values, name, to, colour }: {
  values: Record<string, number>; name?: (key: string) => ReactNode; to?: (key: string) => string;
  colour?: (key: string) => string;
}) {
  const rows = Object.entries(values).sort((a, b) => b[1] - a[1]);
  const whole = rows.reduce((sum, [, n]) => sum + n, 0);
  if (rows.length === 0) return <p className="muted">Nothing in this time.</p>;
  return (
    <table className="table distribution">
      <tbody>
        {rows.map(([key, n]) => {
          const shown = name ? name(key) : <Id id={key} />;
          return (
            <tr key={key}>
              <td>{to ? <Link to={to(key)}>{shown}</Link> : shown}</td>
              <td><Bar share={n / whole} label={key} colour={colour?.(key)} /></td>
              <td className="number">{count(n)}</td>
              <td className="number muted">{percent(n / whole)}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
