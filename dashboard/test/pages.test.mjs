// Each page's main task, and its empty, failing and stale states, over a router with a simulated
// backend (tests/e2e/test_dashboard.py starts both).
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { chat, json, open, shootPages, site, warm, withPage } from "./browser.mjs";

const design = "Design the architecture of a sharded event store with exactly-once delivery and explain the failure modes.";
const hard = "Refactor the concurrent scheduler: find the deadlock, redesign the locking architecture and prove there is no race condition.";
const simple = "What is 17 * 23? Answer with only the number.";
const secret = "My API key is sk_live_123456. Is it safe to paste this into a public issue?";
const ids = { "x-session-id": "pages-session", "x-conversation-id": "pages-run" };
const tools = [{ type: "function", function: { name: "read_file", parameters: { type: "object" } } }];
const records = {};

before(async () => {
  await warm(design, hard, simple, secret);
  records.design = await chat(design, ids, { tools });
  records.tool = await chat("", ids, {
    tools,
    messages: [
      { role: "user", content: design },
      { role: "assistant", content: null, tool_calls: [{ id: "call_pages", type: "function", function: { name: "read_file", arguments: "{}" } }] },
      { role: "tool", tool_call_id: "call_pages", content: "int main() {}" },
    ],
  });
  records.simple = await chat(simple, { "x-session-id": "pages-session", "x-conversation-id": "pages-run-2" });
  records.secret = await chat(secret, ids);
  // After a hard task an easy question stays on the model that holds the conversation.
  const held = { "x-session-id": "pages-held", "x-conversation-id": "pages-held" };
  const first = await chat(hard, held);
  const question = { role: "user", content: simple };
  records.stay = await chat("", held, { messages: [{ role: "user", content: hard }, first.body.choices[0].message, question] });
  for (let i = 0; i < 25; i++) await chat(`Write a friendly plan for weekend number ${i} in the mountains.`, { "x-session-id": `load-${i % 5}`, "x-conversation-id": `load-${i}` });
  for (const one of Object.values(records)) assert.equal(one.status, 200);
});

const pages = [
  ["live", "/live"], ["conversations", "/conversations"], ["insights", "/insights?range=1h"], ["topology", "/topology"],
  ["playground", "/playground"], ["recipes", "/recipes"], ["models", "/models"], ["system", "/system"], ["welcome", "/welcome"],
];

test("every page, at two widths, light and dark: shown whole, accessible", async () => {
  const all = [...pages, ["record", `/records/${records.design.id}`], ["record-private", `/records/${records.secret.id}`]];
  const row = (await json("/api/v1/conversations?session_id=pages-session")).data.find((one) => one.turns > 1);
  all.push(["conversation", `/conversations/${row.session_id}/${row.conversation_id}`]);
  await shootPages(all);
});

test("Live: requests come in by themselves, pausing holds them, the filter is in the address", async () => {
  await withPage({}, async ({ page, go }) => {
    await go("/live");
    await page.getByText("live", { exact: true }).waitFor();
    await chat("A live request about a purple giraffe.");
    await page.getByText("purple giraffe").waitFor();
    await page.getByRole("button", { name: "Pause" }).click();
    await chat("A held request about a green walrus.");
    await page.getByRole("button", { name: "Resume (1 new)" }).waitFor();
    assert.equal(await page.getByText("green walrus").count(), 0);
    await page.getByRole("button", { name: "Resume (1 new)" }).click();
    await page.getByText("green walrus").waitFor();
    await page.getByRole("searchbox").fill("giraffe");
    await page.waitForFunction(() => !document.body.textContent.includes("green walrus"));
    assert.match(page.url(), /q=giraffe/);
    await page.getByRole("searchbox").fill("no such request at all");
    await page.getByText("Nothing matches").waitFor();
  });
});

test("Live → Record → Conversation with the keyboard alone", async () => {
  await withPage({}, async ({ page, go }) => {
    await go("/models");
    await page.locator("h1").waitFor();
    await page.keyboard.press("g");
    await page.keyboard.press("l");
    await page.waitForURL("**/live");
    await page.locator("a.record-row").first().waitFor();
    await page.keyboard.press("/");
    await page.keyboard.type("exactly-once");
    await page.keyboard.press("Escape");
    await page.waitForFunction(() => document.querySelectorAll("a.record-row").length === 2);
    await page.keyboard.press("j");
    await page.keyboard.press("Enter");
    await page.waitForURL("**/records/*");
    const link = page.getByRole("link", { name: "Conversation", exact: true });
    await link.waitFor();
    await link.focus();
    await page.keyboard.press("Enter");
    await page.waitForURL("**/conversations/**");
    await page.getByText("tool loop").first().waitFor();
  });
});

test("Record: why it stayed, in words and money; a private one shows labels", async () => {
  await withPage({}, async ({ page, go }) => {
    await go(`/records/${records.tool.id}`);
    await page.getByText(/Locked to .* a result of a tool call/).waitFor();
    await page.getByText("tool result call_pages").waitFor();
    assert.deepEqual(await page.locator(".tool-steps li").allInnerTexts(), ["called before read_file call_pages", "result delivered read_file call_pages"]);
    await go(`/records/${records.design.id}`);
    await page.getByText(/this is the first turn/).waitFor();
    await page.getByRole("cell", { name: /lowest/ }).first().waitFor();
    await page.getByText("projection:is_code").first().waitFor();
    await page.getByRole("row", { name: /keyword:code_hard_words/ }).locator("mark", { hasText: "architecture" }).waitFor();
    await page.getByText("1 tool was offered; outside a tool loop.").waitFor();
    await page.getByRole("button", { name: /^All \d+$/ }).click();
    await page.getByRole("cell", { name: "structure:tiny_prompt" }).waitFor();
    await go(`/records/${records.secret.id}`);
    await page.locator(".span-label", { hasText: "API_KEY" }).first().waitFor();
    assert.equal(await page.getByText("sk_live_123456").count(), 0);
    await go("/records/00000000000000000000000000000000");
    await page.getByText("There is no such record").waitFor();
  });
});

test("Record: what a switch would have cost, taken apart, also on a phone", async () => {
  const verdict = (await json(`/v1/router_replay/${records.stay.id}`)).learning.adaptations.session_aware;
  assert.equal(verdict.action, "stay");
  const score = (model) => verdict.candidates.find((one) => one.model === model).score_usd;
  const more = score(verdict.proposal_model) - score(verdict.final_model);
  for (const width of [1280, 390]) {
    await withPage({ width }, async ({ page, go }) => {
      await go(`/records/${records.stay.id}`);
      await page.getByText(`Switching to qwen3.6-rocm would have cost $${more.toFixed(4)} more in expectation`).waitFor();
      const table = page.getByRole("table", { name: /What qwen.* would have cost/ });
      assert.match(await table.innerText(), new RegExp(`In all\\s+\\+\\$${more.toFixed(4)}`));
      await page.getByText(/the recipe counts a failed round as \$/).waitFor();
      // Every value of the candidates is in sight.
      const right = await page.locator("td.number strong").evaluateAll((cells) => Math.max(...cells.map((cell) => cell.getBoundingClientRect().right)));
      assert.ok(right <= width, `a value ends at ${right} px of ${width}`);
      await page.getByText("Stayed on").first().waitFor();
      await go(`/records/${records.tool.id}`);
      await page.getByText(/A lock asks no price/).waitFor();
    });
  }
});

test("Record: refused and failed requests say what went wrong", async () => {
  const refused = await chat(simple, {}, { model: "nosuch" });
  assert.equal(refused.status, 400);
  const sim = (await json("/api/v1/models")).models[0].endpoints[0].connects_to;
  await fetch(`http://${sim}/sim/script`, { method: "POST", body: JSON.stringify({ answers: [{ status: 400 }] }) });
  const failed = await chat("Write a friendly plan for a week in Lisbon.");
  assert.equal(failed.status, 400);
  await withPage({}, async ({ page, go }) => {
    await go(`/records/${refused.id}`);
    await page.getByText("Refused with status 400 before any model was called: the caller asked for nosuch, and the recipe has no such model.").waitFor();
    await go(`/records/${failed.id}`);
    await page.getByText(/^Failed: .* was chosen, but its backend answered with status 400/).waitFor();
    await go("/live?q=Lisbon");
    await page.getByText("backend error").waitFor();
  });
});

test("Record: a copy as curl says what it cannot hold", async () => {
  await withPage({}, async ({ page, context, go }) => {
    await context.grantPermissions(["clipboard-read", "clipboard-write"]);
    const copied = async (id, name) => {
      await go(`/records/${id}`);
      await page.getByRole("button", { name }).click();
      await page.getByText("Copied").waitFor();
      return page.evaluate(() => navigator.clipboard.readText());
    };
    assert.match(await copied(records.secret.id, "Copy as curl, text incomplete"), /^# The stored text is redacted.*\n# Ids .* hashes.*\ncurl .*"role":"user"/);
    assert.match(await copied(records.design.id, "Copy as curl"), /x-session-id: YOUR-SESSION.*sharded event store/);
  });
});

test("Record: another recipe decides the turn and its conversation again", async () => {
  await withPage({ timeoutMs: 40_000 }, async ({ page, go }) => {
    await go(`/records/${records.stay.id}`);
    await page.getByRole("link", { name: "What if another recipe" }).click();
    const other = page.getByLabel("The other recipe: edit this copy of the running one");
    await page.waitForFunction(() => document.querySelector("textarea.mono")?.value.includes("version: v0.3"));
    await page.getByRole("button", { name: "Compare", exact: true }).click();
    await page.getByText("The other recipe decides this turn as it was decided.").waitFor();
    await page.getByText(/^2 of its 2 turns were decided again; 0 go to another model/).waitFor();
    // If failing costs nothing, the free model takes the easy question.
    await page.getByLabel("A failed round counts, in USD").fill("0.0001");
    await page.getByRole("button", { name: "Compare", exact: true }).click();
    await page.getByText(/of its 2 turns were decided again; [12] go to another model/).waitFor();
    await page.getByLabel("A failed round counts, in USD").fill("");
    const yaml = await other.inputValue();
    assert.match(yaml, /name: simple_math_fast_path/);
    await other.fill(yaml.replaceAll("simple_math_fast_path", "renamed_fast_path"));
    await page.getByRole("button", { name: "Compare", exact: true }).click();
    await page.getByText("with it").waitFor();
    await page.getByText("As a first turn: no model before it, no cache and no belief.").waitFor();
    // The edited copy is there again after a look elsewhere.
    await page.keyboard.press("Escape");
    await page.getByRole("link", { name: "Live", exact: true }).click();
    await page.locator("a.record-row").first().waitFor();
    await page.goBack();
    await page.waitForFunction(() => document.querySelector("textarea.mono")?.value.includes("renamed_fast_path"));
    await go(`/playground?record=${records.secret.id}`);
    await page.getByText(/The text of this record is redacted/).waitFor();
  });
});

test("Record: what if opens the Playground with the record's prompt", async () => {
  await withPage({}, async ({ page, go }) => {
    await go(`/records/${records.simple.id}`);
    await page.getByRole("link", { name: "What if another recipe" }).click();
    await page.getByText("This turn under another recipe").waitFor();
    await page.waitForFunction((text) => document.querySelector("textarea[data-search]")?.value === text, simple);
    const other = page.getByLabel("The other recipe: edit this copy of the running one");
    await page.waitForFunction(() => document.querySelector("textarea.mono")?.value.includes("version: v0.3"));
    const yaml = await other.inputValue();
    await other.fill(yaml.replaceAll("simple_math_fast_path", "renamed_fast_path"));
    await page.getByRole("button", { name: "Compare", exact: true }).click();
    await page.getByText("renamed_fast_path").first().waitFor();
    await page.getByText("simple_math_fast_path").first().waitFor();
  });
});

test("Conversations: found by the id that was sent; the timeline says what happened", async () => {
  await withPage({}, async ({ page, go }) => {
    await go("/conversations?range=1h");
    await page.getByRole("searchbox").fill("pages-session");
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => document.querySelectorAll("tbody tr").length === 2);
    await page.getByRole("row").nth(2).getByRole("link").click();
    await page.getByText("Cost so far, and had one model answered everything").waitFor();
    await page.getByRole("link", { name: /Turn 1 at .*select missing_previous_model/ }).first().waitFor();
    await page.getByText(/always qwen/).first().waitFor();
    // The chart ends with the sums that the aggregate has, all under one cache model.
    const ids = "session_id=pages-held&conversation_id=pages-held";
    const { as_routed_under_cache_model: routed, always_one_model: always } = await json(`/v1/router_replay/aggregate?${ids}`);
    const sums = (await json(`/v1/router_replay/trajectory?${ids}`)).sums_under_cache_model;
    assert.equal(sums.as_routed.length, 2);
    assert.equal(sums.as_routed.at(-1), routed.cost);
    for (const one of always) assert.equal(sums.always_one_model.find(({ model }) => model === one.model).cost.at(-1), one.cost);
    const { session_id, conversation_id } = await json(`/v1/router_replay/${records.stay.id}`);
    await go(`/conversations/${session_id}/${conversation_id}`);
    const [first] = (await page.getByRole("img", { name: /^as routed/ }).getAttribute("aria-label")).split(",");
    assert.ok(Math.abs(Number(first.split("$")[1]) / routed.cost - 1) < 0.05, `${first}, the router says ${routed.cost}`);
    await go("/conversations?session=nobody&range=1h");
    await page.getByText("No such session in this time").waitFor();
  });
});

test("Insights: a slice leads to its records", async () => {
  await withPage({}, async ({ page, go }) => {
    await go("/insights?range=1h");
    await page.locator("canvas").first().waitFor();
    await page.getByRole("link", { name: "local_privacy_policy" }).first().click();
    await page.getByRole("button", { name: "Remove the filter decision local_privacy_policy" }).waitFor();
    const region = page.getByRole("region", { name: "Records" });
    await region.getByText(secret.replace("sk_live_123456", "[API_KEY]")).waitFor();
    assert.deepEqual([...new Set(await region.locator("a.record-row > :nth-child(4)").allInnerTexts())], ["local_privacy_policy"]);
    assert.match(page.url(), /decision=local_privacy_policy/);
    await go("/insights?range=1h&decision=nothing_of_that_name");
    await page.getByText("Nothing in this time has what the filter asks for").waitFor();
    await go("/insights?range=1h");
    await page.getByRole("searchbox").fill("weekend number 3");
    await page.keyboard.press("Enter");
    await page.waitForURL(/search=weekend/);
    await page.getByText("The one record").waitFor();
    // What has no decision, model or action can be reached as well.
    await go("/insights?range=1h");
    for (const [link, filter] of [["no decision", "decision"], ["no model: refused", "model"], ["nothing: refused, or learning is off", "action"]]) {
      await page.getByRole("link", { name: link }).click();
      await page.getByRole("button", { name: `Remove the filter ${filter} none` }).waitFor();
      await page.locator("a.record-row").first().waitFor();
      await page.getByRole("button", { name: `Remove the filter ${filter} none` }).click();
    }
    await go("/insights?range=1h&status=failed");
    await page.locator("a.record-row").first().waitFor();
    assert.ok(!(await page.locator("main").innerText()).includes("null"));
  });
});

test("Topology: a prompt lights its path, focus and families", async () => {
  await withPage({}, async ({ page, go }) => {
    await go("/topology");
    await page.locator(".topo-node", { hasText: "local_privacy_policy" }).waitFor();
    assert.equal(await page.locator(".topo-node", { hasText: /^(local|simple|medium|complex|domain|default)_/ }).count(), 12);
    await page.getByLabel("Prompt to try").fill(secret);
    await page.keyboard.press("Enter");
    await page.locator(".topo-node.won", { hasText: "local_privacy_policy" }).waitFor();
    await page.locator(".topo-node.won", { hasText: "qwen3.6-rocm" }).waitFor();
    assert.ok(!page.url().includes("sk_live"), "a typed prompt is in the address");
    // Titles stand over their columns, also when the first one is high.
    const columnsAgree = async () => {
      const title = await page.locator(".topo-heads span", { hasText: "Decisions" }).boundingBox();
      const node = await page.locator(".topo-node", { hasText: "local_privacy_policy" }).boundingBox();
      assert.ok(Math.abs(title.x - node.x) < 4, `title at ${title.x}, column at ${node.x}`);
    };
    await columnsAgree();
    await page.getByRole("button", { name: "Every signal" }).click();
    await page.locator(".topo-node.lit", { hasText: "sensitive_data" }).waitFor();
    await page.getByRole("searchbox").fill("hard_words");
    await page.locator(".topo-node.found", { hasText: "code_hard_words" }).waitFor();
    assert.match(page.url(), /find=hard_words/);
    await columnsAgree();
    await go(`/topology?record=${records.stay.id}`);
    await page.getByText("by learning").waitFor();
    await page.getByText(/^Stayed on/).waitFor();
    await go(`/topology?record=${records.design.id}`);
    await page.locator(".topo-node.won", { hasText: "domain_code_complex" }).waitFor();
    const latest = await chat(secret);
    await go("/topology");
    await page.getByLabel("A record to show").selectOption(latest.id);
    await page.locator(".topo-node.won", { hasText: "local_privacy_policy" }).waitFor();
  });
});

test("Playground: streaming, headers in words, a tool loop by hand, a probe", async () => {
  await withPage({}, async ({ page, go }) => {
    await go("/playground");
    await page.getByLabel("offer a tool").check();
    await page.getByLabel("Prompt", { exact: true }).fill(design);
    await page.getByRole("button", { name: "Send" }).click();
    await page.getByText("domain_code_complex").first().waitFor();
    await page.getByRole("button", { name: "Simulate a tool call" }).click();
    await page.getByRole("button", { name: "Deliver the tool result" }).click();
    await page.getByText("hard_lock=tool_loop").first().waitFor();
    const sent = (await json("/v1/router_replay?limit=1")).total;
    await page.getByRole("button", { name: "Replay" }).click();
    await page.waitForFunction(async (n) => (await (await fetch("/v1/router_replay?limit=1")).json()).total === n, sent + 1);
    await page.getByText("hard_lock=tool_loop").first().waitFor();
    const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Save as probe" }).click()]);
    assert.equal(file.suggestedFilename(), "playground.probes.yaml");
    await page.getByRole("link", { name: "why" }).last().click();
    await page.waitForURL("**/records/*");
    await page.getByText(/Locked to/).waitFor();
    // The chat is there again.
    await page.goBack();
    await page.getByText("hard_lock=tool_loop").first().waitFor();
  });
});

test("Recipes: an edit outlives a look elsewhere, and is asked about when another is activated", async () => {
  await withPage({}, async ({ page, go }) => {
    await go("/recipes");
    await page.locator(".cm-content").click();
    await page.keyboard.press("Control+Home");
    await page.keyboard.insertText("# A draft.\n");
    await page.getByText("edited, not active").waitFor();
    await page.getByRole("link", { name: "Live", exact: true }).click();
    await page.locator("a.record-row").first().waitFor();
    const running = await (await fetch(`${site}/api/v1/config`)).text();
    const put = (text) => fetch(`${site}/api/v1/config`, { method: "PUT", body: text, headers: { "x-vsr-request": "1" } });
    assert.equal((await put(`# Of somebody else.\n${running}`)).status, 200);
    await page.goBack();
    await page.locator(".cm-content").getByText("# A draft.").waitFor();
    await page.getByText(/Another recipe has been activated/).waitFor();
    await page.getByRole("button", { name: "Load the running one" }).click();
    await page.locator(".cm-content").getByText("# Of somebody else.").waitFor();
    assert.equal((await put(running)).status, 200);
  });
});

test("Recipes: errors at their line, activation, a version back", async () => {
  await withPage({}, async ({ page, go }) => {
    await go("/recipes");
    await page.locator(".cm-content").waitFor();
    const type = async (text) => {
      await page.locator(".cm-content").click();
      await page.keyboard.press("Control+Home");
      await page.keyboard.insertText(text);
    };
    await type("nonsense: [\n");
    await page.getByText("has errors").first().waitFor();
    await page.locator(".cm-lint-marker-error").first().waitFor();
    assert.ok(await page.getByRole("button", { name: "Activate" }).isDisabled());
    await page.getByRole("button", { name: "Discard changes" }).click();
    await type("# Edited in the dashboard.\n");
    await page.getByRole("tab", { name: "Differences" }).click();
    await page.locator(".cm-changedLine").first().waitFor();
    await page.getByRole("button", { name: "Activate" }).click();
    await page.getByText(/Version \d+ is active/).waitFor();
    assert.match(await (await fetch(`${site}/api/v1/config`)).text(), /^# Edited in the dashboard\./);
    await page.getByRole("button", { name: "Roll back" }).first().click();
    await page.waitForFunction(async () => !(await (await fetch("/api/v1/config")).text()).startsWith("# Edited"));
    assert.equal((await chat(simple)).status, 200);
  });
});

test("Recipes: probes run before activation", async () => {
  await withPage({ timeoutMs: 120_000 }, async ({ page, go }) => {
    await go("/recipes");
    await page.getByRole("button", { name: "Run the probes" }).click();
    await page.getByText(/^480 passed, 0 failed/).waitFor();
  });
});

test("Recipes: import by paste shows what is wrong and activates nothing", async () => {
  await withPage({}, async ({ page, go }) => {
    await go("/recipes");
    await page.getByRole("button", { name: "Import" }).click();
    await page.getByLabel("Or paste it").fill("version: v0.3\nprovidrs: {}\n");
    await page.getByRole("button", { name: "Check the pasted text" }).click();
    await page.getByText(/providrs/).last().waitFor();
    await page.getByLabel("Address of a recipe").fill("http://127.0.0.1:9/recipe.yaml");
    await page.getByRole("button", { name: "Fetch" }).click();
    await page.getByRole("alert").getByText(/127\.0\.0\.1/).waitFor();
  });
});

test("Models: an endpoint is drained and enabled", async () => {
  await withPage({}, async ({ page, go }) => {
    await go("/models");
    await page.getByText(/prompt tokens/).first().waitFor();
    // The simulator's own count of its prefix cache.
    await page.getByTitle(/^[\d,]+ of [\d,]+ prompt tokens$/).first().waitFor();
    // The endpoint is the only one of all models.
    await page.getByText(/Shared with/).first().waitFor();
    await page.getByRole("button", { name: "Drain" }).first().click();
    await page.getByText(/is the last endpoint that can serve qwen/).waitFor();
    await page.getByRole("button", { name: "Leave it" }).click();
    assert.equal((await chat(simple)).status, 200);
    await page.getByRole("button", { name: "Drain" }).first().click();
    await page.getByRole("button", { name: "Drain it" }).click();
    await page.getByText("drained").first().waitFor();
    assert.equal((await chat(simple)).status, 503);
    await page.getByRole("button", { name: "Enable" }).first().click();
    await page.waitForFunction(() => document.querySelector("table")?.textContent.includes("drained") === false);
    assert.equal((await chat(simple)).status, 200);
  });
});

test("System: what runs, where, and its log", async () => {
  await withPage({}, async ({ page, go }) => {
    await go("/system");
    await page.getByText("sqlite").first().waitFor();
    await page.getByRole("region", { name: "Log" }).getByText(/serving http/).waitFor();
  });
});

test("a page of nothing, and a router that does not answer any more", async () => {
  await withPage({}, async ({ page, go }) => {
    await go("/nothing/here");
    await page.getByText("There is no such page").waitFor();
    await go("/models");
    await page.getByText(/prompt tokens/).first().waitFor();
    await page.route("**/api/v1/models", (route) => route.abort());
    await page.getByText(/As of .*The router does not answer/).waitFor();
    await page.unroute("**/api/v1/models");
    await page.getByRole("button", { name: "Try again" }).first().click();
    await page.waitForFunction(() => !document.body.textContent.includes("As of "));
    await page.route("**/v1/router_replay/aggregate**", (route) => route.fulfill({ status: 500, contentType: "application/json", body: '{"error":{"message":"The store is busy; try again.","code":"internal"}}' }));
    await page.route("**/api/v1/events", (route) => route.abort());
    await go("/insights");
    await page.getByText("The store is busy; try again.").waitFor();
    await go("/live");
    await page.getByText("connection lost, trying again").waitFor();
  });
});

test("a page that could not be loaded is shown when the router is back", async () => {
  await withPage({}, async ({ page, errors, go }) => {
    await go("/live");
    await page.locator("a.record-row").first().waitFor();
    for (const path of ["**/assets/**", "**/healthz"]) await page.route(path, (route) => route.abort());
    await page.getByRole("link", { name: "Topology", exact: true }).click();
    await page.getByText(/This page is not loaded yet/).waitFor();
    for (const path of ["**/assets/**", "**/healthz"]) await page.unroute(path);
    await page.locator(".topo-node").first().waitFor();
    // That it could not be loaded is in the console, and nothing else is.
    assert.deepEqual(errors.filter((text) => !/preload|dynamically imported/.test(text)), []);
    errors.length = 0;
  });
});

test("Live: the last minute counts what came before the page was opened", async () => {
  const sent = 130;
  for (let i = 0; i < sent; i += 13) {
    await Promise.all(Array.from({ length: 13 }, () => chat(simple, { "x-session-id": "minute", "x-conversation-id": "minute" })));
  }
  await withPage({}, async ({ page, go }) => {
    await go("/live");
    await page.waitForFunction((sent) => {
      const tile = [...document.querySelectorAll(".stat")].find((one) => one.textContent.startsWith("Requests, last minute"));
      return Number(tile?.querySelector(".value")?.textContent.replace(",", "")) >= sent;
    }, sent);
  });
});

test("a flood of requests: every one is counted, the rows stay virtual, the page answers", async () => {
  await withPage({}, async ({ page, go }) => {
    const flood = 400;
    await go("/live?q=flood");
    await page.getByText("live", { exact: true }).waitFor();
    let sent = 0;
    const worker = async () => {
      while (sent < flood) {
        sent += 1;
        await chat(`${simple} This one is of the flood.`, { "x-session-id": "flood", "x-conversation-id": `flood-${sent % 20}` });
      }
    };
    await Promise.all(Array.from({ length: 8 }, worker));
    // All are in the list: as high as that many rows, of which only those in sight are there.
    await page.waitForFunction((rows) => (document.querySelector(".record-list > div:nth-child(2)")?.clientHeight ?? 0) >= rows * 38, flood);
    const rows = await page.locator("a.record-row").count();
    assert.ok(rows > 5 && rows < 60, `${rows} rows in the document`);
    await page.getByRole("button", { name: "Pause" }).click();
    await page.getByRole("button", { name: /Resume/ }).waitFor();
  });
});

test("the first load is small, and what is immutable is kept", async () => {
  const opened = await open();
  let bytes = 0;
  opened.page.on("response", async (response) => {
    if (!response.url().startsWith(site)) return;
    const length = Number((await response.allHeaders())["content-length"] ?? 0);
    if (/\.(js|css|svg)$|\/live$/.test(new URL(response.url()).pathname)) bytes += length;
  });
  await opened.go("/live");
  await opened.page.locator("a.record-row").first().waitFor();
  assert.ok(bytes > 20_000 && bytes <= 300 * 1024, `first load of ${bytes} bytes`);
  await opened.close();
});
