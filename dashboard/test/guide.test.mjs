// The guide's checklist, walked through the dashboard over the embedded model.
import assert from "node:assert/strict";
import { test } from "node:test";
import { chat, json, shoot, shootPages, warm, withPage } from "./browser.mjs";

const simple = "What is 17 * 23? Answer with only the number.";
const secret = "My API key is sk_live_123456. Is it safe to paste this into a public issue?";
const design = "Design the architecture of a sharded event store with exactly-once delivery and explain the failure modes.";

// Sends a prompt and gives the text of its route line.
async function say(page, prompt) {
  const before = await page.locator(".route-line").count();
  await page.getByLabel("Prompt", { exact: true }).fill(prompt);
  await page.getByRole("button", { name: "Send" }).click();
  const line = page.locator(".route-line summary").nth(before);
  await line.waitFor();
  await page.getByRole("button", { name: "Stop" }).waitFor({ state: "detached" });
  return line.innerText();
}

test("the guide's checklist in the browser", async () => {
  await warm(simple, secret, design);
  await withPage({ timeoutMs: 120_000 }, async ({ page, go }) => {
    // The recipe is imported and can be activated.
    await go("/recipes");
    await page.getByRole("button", { name: "Import" }).click();
    await page.getByRole("button", { name: "agentic-saars" }).click();
    await page.getByText(/12 decisions, 5 models/).waitFor();
    await page.keyboard.press("Escape");

    // A simple prompt, a private one; each answer beside its route.
    await go("/playground");
    const first = await say(page, simple);
    assert.match(first, /simple_math_fast_path/);
    assert.match(first, /select/);
    const secretLine = await say(page, secret);
    assert.match(secretLine, /local_privacy_policy/);
    assert.match(secretLine, /bypass/);
    await shoot(page, "guide-playground");

    // Conversation scope: a new conversation is routed anew.
    await page.getByRole("button", { name: "New conversation" }).click();
    await page.getByLabel("offer a tool").check();
    const designed = await say(page, design);
    assert.match(designed, /domain_code_complex/);
    assert.match(designed, /select/);

    // The tool loop holds its model.
    // A small model seldom calls a tool by itself; if it did, its own call is answered.
    const simulate = page.getByRole("button", { name: "Simulate a tool call" });
    if ((await simulate.count()) > 0) await simulate.click();
    await page.getByRole("button", { name: "Deliver the tool result" }).click();
    await page.getByText("hard_lock=tool_loop").first().waitFor();

    // The record by its id.
    await page.locator(".route-line summary").last().getByRole("link", { name: "why" }).click();
    await page.waitForURL("**/records/*");
    await page.getByText(/Locked to/).waitFor();
    await shoot(page, "guide-record");

    // The scope is switched in the recipe and observed.
    await go("/recipes");
    await page.locator(".cm-content").waitFor();
    await page.locator(".cm-content").click();
    await page.keyboard.press("Control+f");
    await page.locator(".cm-search input[name=search]").fill("scope: conversation");
    await page.keyboard.press("Enter");
    await page.locator(".cm-search input[name=replace]").fill("scope: session");
    await page.getByRole("button", { name: "replace all" }).click();
    await page.getByRole("button", { name: "Activate" }).click();
    await page.getByText(/Version \d+ is active/).waitFor();
    await go("/playground");
    assert.match(await say(page, design), /domain_code_complex/);
    await page.getByRole("button", { name: "New conversation" }).click();
    const kept = await say(page, simple);
    assert.match(kept, /session_scope_protect/);
    await go("/recipes");
    await page.getByRole("button", { name: "Roll back" }).first().click();
    await page.getByText(/Version \d+ is active/).waitFor();

    // Counters of the prefix cache.
    await go("/models");
    const line = page.getByText(/: [\d,]+ of [\d,]+ prompt tokens/).first();
    await line.waitFor();
    const models = await json("/api/v1/models");
    assert.ok(models.models.some((model) => model.cached_tokens > 0), "some prompt tokens came from cache");
    // And as the backend itself counts them.
    await page.getByTitle(/^[\d,]+ of [\d,]+ prompt tokens$/).first().waitFor();
    await shoot(page, "guide-models");
  });
});

// Enough of everything for each page to have something to show: several decisions, a tool loop over
// some turns, a private request, conversations that went on.
async function traffic() {
  const tools = [{ type: "function", function: { name: "read_file", parameters: { type: "object" } } }];
  const ids = { "x-session-id": "guide-shots", "x-conversation-id": "guide-loop" };
  const messages = [{ role: "user", content: design }];
  const designed = await chat("", ids, { tools, messages });
  for (let i = 0; i < 3; i++) {
    messages.push(
      { role: "assistant", content: null, tool_calls: [{ id: `call_${i}`, type: "function", function: { name: "read_file", arguments: `{"path": "part${i}.c"}` } }] },
      { role: "tool", tool_call_id: `call_${i}`, content: `int part${i}(void) { return ${i}; }` },
    );
    await chat("", ids, { tools, messages });
  }
  messages.push({ role: "assistant", content: "It has three parts." }, { role: "user", content: simple });
  await chat("", ids, { messages });
  await chat(secret, ids);
  for (let i = 0; i < 6; i++) {
    await chat(`Write a friendly plan for weekend number ${i} in the mountains.`, { "x-session-id": "guide-shots", "x-conversation-id": `guide-${i % 2}` });
  }
  return designed.id;
}

test("every page over the embedded model: shot at two widths, light and dark", async () => {
  const id = await traffic();
  const record = await json(`/v1/router_replay/${id}`);
  await shootPages([
    ["live", "/live"], ["record", `/records/${id}`], ["conversations", "/conversations"],
    ["conversation", `/conversations/${record.session_id}/${record.conversation_id}`],
    ["insights", "/insights?range=1h"], ["topology", `/topology?record=${id}`],
    ["playground", `/playground?record=${id}`], ["recipes", "/recipes"], ["models", "/models"], ["system", "/system"],
  ], "guide-");
});
