// What another model would have cost at this turn, taken apart.
import type { Verdict } from "../api/client";
import { usd } from "../app/format";
import { noPrice, priceOfOther, priceSentence } from "../app/price";

const signed = (n: number) => (n > 0 ? `+${usd(n)}` : usd(n));

export function SwitchPrice({ verdict, promptTokens }: { verdict: Verdict; promptTokens: number }) {
  const price = priceOfOther(verdict, promptTokens);
  if (!price) return <p className="price-sentence">{noPrice(verdict)}</p>;
  return (
    <>
      <p className="price-sentence"><strong>{priceSentence(verdict, price)}</strong></p>
      <table className="table price" aria-label={`What ${price.other} would have cost more or less`}>
        <tbody>
          {price.parts.map((part) => (
            <tr key={part.what}>
              <td>{part.what}<div className="small muted">{part.why}</div></td>
              <td className="number">{signed(part.usd)}</td>
            </tr>
          ))}
          <tr>
            <td><strong>In all</strong></td>
            <td className="number"><strong>{signed(price.usd)}</strong></td>
          </tr>
        </tbody>
      </table>
    </>
  );
}
