// One row per conversation, the latest first.
import { useCallback, useState } from "react";
import { type ConversationList, query } from "../api/client";
import { useQuery } from "../api/use-query";
import { count, moment, percent, tokens, usd } from "../app/format";
import { Link } from "../app/link";
import { navigate, setParameters, useParameter } from "../app/location";
import { RangeChoice, useRange } from "../app/range";
import { PageHead } from "../app/shell";
import { useRows } from "../app/use-rows";
import { Badge, Button, Card, Empty, Loaded, ModelName, Wide } from "../ui/ui";

const pageSize = 50;

export default function Conversations() {
  const range = useRange("24h");
  const [session, setSession] = useParameter("session");
  const [offset] = useParameter("offset", "0");
  // Each page is an address of its own, so that the browser's Back leads to the one before.
  const turn = (to: number) => setParameters({ offset: to === 0 ? "" : String(to) }, false);
  const at = Number(offset) || 0;
  const [draft, setDraft] = useState(session);
  const list = useQuery<ConversationList>(
    `/api/v1/conversations${query({ from: range.from, session_id: session, limit: pageSize, offset: at || undefined })}`, 10_000);
  const rows = list.data?.data ?? [];
  const open = useCallback((row: number) => {
    const one = rows[row];
    if (one) navigate(`/conversations/${encodeURIComponent(one.session_id)}/${encodeURIComponent(one.conversation_id)}`);
  }, [rows]);
  const [marked] = useRows(rows.length, open);
  return (
    <>
      <PageHead title="Conversations">
        <RangeChoice range={range} />
        <form onSubmit={(event) => { event.preventDefault(); setSession(draft.trim()); }}>
          <input className="field" type="search" data-search placeholder="Session id as you sent it  /" aria-label="Session id, as sent or as shown"
            value={draft} onChange={(event) => { setDraft(event.target.value); if (event.target.value === "") setSession(""); }} />
        </form>
      </PageHead>
      <Loaded query={list}>
        {(data) => data.total === 0 ? (
          <Card>
            <Empty title={session === "" ? "No conversation in this time" : "No such session in this time"}>
              <p>{session === "" ? "Requests of one conversation share x-session-id and x-conversation-id; without them the router tells them apart itself." : "Ids are kept as hashes; both the id that was sent and its hash are found."}</p>
              {session !== "" && <Button onClick={() => { setDraft(""); setSession(""); }}>Show all</Button>}
            </Empty>
          </Card>
        ) : (
          <Card flush>
            <Wide label="Conversations">
              <table className="table stacked">
                <thead>
                  <tr>
                    <th>Latest turn</th><th className="wide">Session / conversation</th><th>Models</th><th className="number">Turns</th>
                    <th className="number">Switches</th><th>Trouble</th><th className="number">Prompt</th>
                    <th className="number">Cached</th><th className="number">Cost</th>
                  </tr>
                </thead>
                <tbody>
                  {data.data.map((one, i) => (
                    <tr key={`${one.session_id}/${one.conversation_id}`} className={i === marked ? "marked" : undefined}>
                      <td>
                        <Link to={`/conversations/${encodeURIComponent(one.session_id)}/${encodeURIComponent(one.conversation_id)}`}>{moment(one.last)}</Link>
                        <div className="muted small">{one.last_decision || (one.models.length === 0 ? "refused" : "asked by name")}</div>
                      </td>
                      <td className="mono small wide">{one.session_id || "–"}<br />{one.conversation_id || "–"}</td>
                      <td>{one.models.map((model) => <div key={model}><ModelName name={model} /></div>)}</td>
                      <td className="number" data-label="Turns">{count(one.turns)}</td>
                      <td className="number" data-label="Switches">{count(one.switches)}</td>
                      <td>
                        {one.failed > 0 && <Badge tone="bad">{one.failed} failed</Badge>}{" "}
                        {one.unsafe_switches > 0 && <Badge tone="bad">{one.unsafe_switches} unsafe</Badge>}
                        {one.failed + one.unsafe_switches === 0 && <span className="muted">–</span>}
                      </td>
                      <td className="number" data-label="Prompt">{tokens(one.prompt_tokens)}</td>
                      <td className="number" data-label="Cached">{percent(one.prompt_tokens > 0 ? one.cached_prompt_tokens / one.prompt_tokens : undefined)}</td>
                      <td className="number" data-label="Cost">{usd(one.actual_cost, one.currency)}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </Wide>
            <div className="row-line" style={{ padding: "var(--space-3) var(--space-4)", justifyContent: "space-between" }}>
              <span className="muted small">
                Ids are shown as hashes; the search finds the session id that you sent.{" "}
                {count(at + 1)} to {count(at + data.count)} of {count(data.total)}
                {data.left_out > 0 && `; ${count(data.left_out)} older records are not summed`}
              </span>
              <span className="row-line">
                <Button disabled={at === 0} onClick={() => turn(Math.max(0, at - pageSize))}>Newer</Button>
                <Button disabled={!data.has_more} onClick={() => turn(at + pageSize)}>Older</Button>
              </span>
            </div>
          </Card>
        )}
      </Loaded>
    </>
  );
}
