// The lists over a hundred thousand records (tests/e2e/test_dashboard.py makes them): every record
// in its place however far one scrolls, and only those in sight in the document.
import assert from "node:assert/strict";
import { test } from "node:test";
import { chat, json, withPage } from "./browser.mjs";

const pageRows = 100; // src/api/records.ts
const pagesKept = 12;
const domRowsMax = 60;
const stepRows = 14; // what is in sight
const archived = 100_000;

// Ids as the API gives them, the newest first.
async function ids(filter, pages) {
  const out = [];
  let cursor = "";
  for (let page = 0; page < pages; page++) {
    const list = await json(`/v1/router_replay?${filter}&limit=${pageRows}${cursor && `&cursor=${cursor}`}`);
    out.push(...list.data.map((record) => record.id));
    if (!list.has_more) break;
    cursor = list.next_cursor;
  }
  return out;
}

const list = (page) => page.locator(".record-list");

// The rows in the document, [number, id], once none of them is still being read.
async function rowsOf(page) {
  await page.waitForFunction(() => document.querySelector(".record-list [data-row]") && !document.querySelector(".record-list .skeleton"));
  return page.evaluate(() => [...document.querySelectorAll(".record-list [data-row]")].map((row) => [Number(row.dataset.row), row.getAttribute("href").slice("/records/".length)]));
}

// Scrolls from row `from` to row `to` in steps that pass every row, and gives what stood where.
async function walk(page, from, to) {
  const seen = new Map();
  const height = await page.evaluate(() => document.querySelector(".record-list [data-row]").offsetHeight);
  const stops = [];
  for (let row = Math.min(from, to); row < Math.max(from, to); row += stepRows) stops.push(row);
  stops.push(Math.max(from, to));
  if (from > to) stops.reverse();
  for (const row of stops) {
    await list(page).evaluate((box, top) => box.scrollTo({ top }), row * height);
    // A row of each end that the step before did not show.
    await page.waitForFunction(([first, last]) => {
      const there = (at) => document.querySelector(`.record-list [data-row="${at}"]`) !== null;
      return there(first) && (there(last) || document.querySelector(".record-tail").textContent.startsWith("The oldest"));
    }, [row, row + stepRows - 1]);
    const rows = await rowsOf(page);
    assert.ok(rows.length <= domRowsMax, `${rows.length} rows in the document`);
    for (const [index, id] of rows) {
      assert.equal(seen.get(index) ?? id, id, `row ${index} changed`);
      seen.set(index, id);
    }
  }
  return seen;
}

function assertInOrder(seen, expected, rows) {
  assert.deepEqual(Array.from({ length: rows }, (_, i) => seen.get(i)), expected.slice(0, rows));
  assert.equal(new Set(expected.slice(0, rows)).size, rows, "no record twice");
}

// Counts what is asked of the list of records.
function countReads(page) {
  const reads = [];
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (url.pathname === "/v1/router_replay" && url.searchParams.get("limit") === String(pageRows)) reads.push(url.searchParams.get("cursor"));
  });
  return reads;
}

test("Live: pages down and up again show each record once, in order; few rows are held", async () => {
  const pages = 20;
  const expected = await ids("", pages + 2);
  await withPage({}, async ({ page, go }) => {
    const reads = countReads(page);
    await go("/live");
    await page.locator("[data-row]").first().waitFor();
    assert.equal((await json("/v1/router_replay?limit=1")).total, archived);
    const down = pages * pageRows;
    assertInOrder(await walk(page, 0, down), expected, down);
    const cursors = reads.filter(Boolean);
    assert.equal(new Set(cursors).size, cursors.length, "on the way down no page is read twice");
    assert.ok(cursors.length <= pages + 1, `${cursors.length} pages read for ${pages}`);
    const back = reads.length;
    assertInOrder(await walk(page, down, 0), expected, down);
    const again = reads.slice(back).filter(Boolean);
    assert.ok(again.length >= pages - pagesKept, `${again.length} pages read again: the others were held`);
    assert.ok(again.length <= pages, `${again.length} pages read again`);
  });
});

test("Live: what comes while one reads older records waits, and moves nothing", async () => {
  await withPage({}, async ({ page, go }) => {
    await go("/live");
    await page.getByText("live", { exact: true }).waitFor();
    await page.locator("[data-row]").first().waitFor();
    await walk(page, 0, 140);
    const before = await rowsOf(page);
    await chat("A request while somebody reads the archive.");
    await page.getByRole("button", { name: "Resume (1 new)" }).waitFor();
    assert.deepEqual(await rowsOf(page), before);
    await page.getByRole("button", { name: "Resume (1 new)" }).click();
    await page.locator('[data-row="0"]', { hasText: "while somebody reads" }).waitFor();
    await page.getByRole("button", { name: "Pause" }).waitFor();
  });
});

test("Live: a time long ago is one step away, down to the oldest record", async () => {
  const { total } = await json("/v1/router_replay?limit=1");
  const there = (await json(`/v1/router_replay?limit=1&offset=${total - 250}`)).data[0];
  await withPage({}, async ({ page, go }) => {
    await go("/live");
    const local = await page.evaluate((iso) => {
      const at = new Date(iso);
      return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
    }, there.timestamp);
    await page.getByLabel("before").fill(local);
    await page.waitForURL(/to=/);
    const to = await page.evaluate((text) => new Date(text).toISOString(), local);
    const expected = await ids(`to=${to}`, 3);
    assert.ok(expected.length > 200 && expected.length <= 250);
    await page.locator(`[data-row="0"][href="/records/${expected[0]}"]`).waitFor();
    const seen = await walk(page, 0, expected.length - 1);
    assertInOrder(seen, expected, expected.length);
    await page.getByText(`The oldest of ${expected.length} records`).waitFor();
  });
});

test("Live: a filter asks the store; the keyboard walks, opens and comes back to its place", async () => {
  const expected = await ids("action=bypass", 3);
  await withPage({}, async ({ page, go }) => {
    await go("/live");
    await page.getByLabel("Kind of requests").selectOption("bypasses");
    await page.waitForURL(/action=bypass/);
    await page.locator(`[data-row="0"][href="/records/${expected[0]}"]`).waitFor();
    assertInOrder(await walk(page, 0, 150), expected, 150);
    await list(page).evaluate((box) => box.scrollTo({ top: 0 }));
    for (let i = 0; i < 41; i++) await page.keyboard.press("j");
    await page.keyboard.press("k");
    await page.locator('[data-row="39"].marked').waitFor();
    const top = await list(page).evaluate((box) => box.scrollTop);
    assert.ok(top > 0);
    await page.keyboard.press("Enter");
    await page.waitForURL(`**/records/${expected[39]}`);
    await page.goBack();
    await page.locator('[data-row="39"]').waitFor();
    assert.equal(await list(page).evaluate((box) => box.scrollTop), top);
  });
});

test("Insights: the records behind a slice, as many as it has; a page that fails is read again", async () => {
  await withPage({}, async ({ page, go }) => {
    const reads = countReads(page);
    await go("/insights?range=30d");
    await page.getByText(/^The [\d,]+ records$/).waitFor();
    await page.getByRole("link", { name: "local_privacy_policy" }).first().click();
    await page.waitForURL(/decision=local_privacy_policy/);
    const { total } = await json("/v1/router_replay?decision=local_privacy_policy&limit=1");
    await page.getByText(`The ${total.toLocaleString("en-US")} records`).waitFor();
    const expected = await ids("decision=local_privacy_policy", 8);
    await page.locator(`[data-row="0"][href="/records/${expected[0]}"]`).waitFor();
    assertInOrder(await walk(page, 0, 300), expected, 300);

    await page.route("**/v1/router_replay?*cursor=*", (route) => route.fulfill({ status: 503, contentType: "application/json", body: '{"error":{"message":"The store is busy; try again.","code":"internal"}}' }));
    await list(page).evaluate((box) => box.scrollTo({ top: box.scrollHeight }));
    await page.getByText("The store is busy; try again.").waitFor();
    const failed = reads.length;
    await page.unroute("**/v1/router_replay?*cursor=*");
    await list(page).getByRole("button", { name: "Try again" }).click();
    assertInOrder(new Map([...(await walk(page, 0, 300)), ...(await walk(page, 300, 600))]), expected, 600);
    assert.ok(reads.length > failed);
  });
});

test("Conversations: the latest first, older pages, and a timeline", async () => {
  await withPage({}, async ({ page, go }) => {
    await go("/conversations?range=30d");
    await page.locator("tbody tr").first().waitFor();
    const { data } = await json("/api/v1/conversations?limit=1&offset=50");
    await page.getByRole("button", { name: "Older" }).click();
    await page.waitForURL(/offset=50/);
    await page.getByText(data[0].conversation_id).first().waitFor();
    await page.locator("tbody a").first().click();
    await page.getByText("Cost so far, and had one model answered everything").waitFor();
  });
});
