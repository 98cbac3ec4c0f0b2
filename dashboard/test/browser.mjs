// A real Chromium for the tests: pages of one router, failures with a screenshot, and nothing that
// leaves this machine.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { chromium } from "playwright-core";

export const site = process.env.VSR_DASHBOARD ?? "http://127.0.0.1:8700";
export const api = process.env.VSR_API ?? "http://127.0.0.1:8899";
export const artefacts = process.env.VSR_ARTEFACTS ?? "/tmp/vsr-dashboard";
const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";

// Everything but loopback goes to a port where nobody listens, so a page that asked for something
// else would fail, and `foreign` says what it was.
export async function open({ width = 1280, height = 860, dark = false, timeoutMs = 20_000 } = {}) {
  const browser = await chromium.launch({
    executablePath,
    args: ["--no-sandbox", "--disable-dev-shm-usage", "--proxy-server=http://127.0.0.1:9", "--proxy-bypass-list=127.0.0.1"],
  });
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: dark ? "dark" : "light", reducedMotion: "reduce" });
  context.setDefaultTimeout(timeoutMs);
  const page = await context.newPage();
  const foreign = [];
  const errors = [];
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(site) && !url.startsWith("data:") && !url.startsWith("blob:")) foreign.push(url);
  });
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("console", (message) => {
    // A refused request is shown to the user where it matters; here it would only be noise.
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) errors.push(message.text());
  });
  return {
    page, context, foreign, errors,
    go: (to) => page.goto(site + to),
    async close() {
      await browser.close();
      assert.deepEqual(foreign, [], "requests that left the machine");
      assert.deepEqual(errors, [], "errors in the page");
    },
  };
}

export async function withPage(options, work) {
  const opened = await open(options);
  try {
    await work(opened);
  } catch (error) {
    fs.mkdirSync(artefacts, { recursive: true });
    await opened.page.screenshot({ path: path.join(artefacts, `failed-${Date.now()}.png`), fullPage: true }).catch(() => {});
    opened.foreign.length = 0;
    opened.errors.length = 0;
    await opened.close();
    throw error;
  }
  await opened.close();
}

export async function shoot(page, name) {
  fs.mkdirSync(artefacts, { recursive: true });
  await page.screenshot({ path: path.join(artefacts, `${name}.png`), fullPage: true });
}

const axeSource = fs.readFileSync(new URL("../node_modules/axe-core/axe.min.js", import.meta.url), "utf8");

// Serious accessibility errors of the page as it is, as short texts.
export async function seriousErrors(page) {
  await page.evaluate(axeSource);
  const result = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  return result.violations
    .filter((one) => one.impact === "serious" || one.impact === "critical")
    .map((one) => `${one.id}: ${one.help} at ${one.nodes.map((node) => node.target.join(" ")).slice(0, 3).join(", ")}`);
}

// Every page of `pages` ([name, address]…) at two widths, light and dark: shot, not wider than the
// window, without a serious accessibility error.
export async function shootPages(pages, prefix = "") {
  for (const dark of [false, true]) {
    for (const width of [1280, 390]) {
      await withPage({ width, dark }, async ({ page, go }) => {
        for (const [name, to] of pages) {
          await go(to);
          await page.locator("h1").first().waitFor();
          await page.waitForFunction(() => document.querySelector('[aria-label="Loading"], .record-list .skeleton') === null);
          await page.waitForTimeout(name === "topology" || name === "insights" ? 600 : 150);
          await shoot(page, `${prefix}${name}-${width}-${dark ? "dark" : "light"}`);
          const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
          assert.ok(wide <= 1, `${name} at ${width} px is ${wide} px too wide`);
          assert.deepEqual(await seriousErrors(page), [], `${name} at ${width} px ${dark ? "dark" : "light"}`);
        }
      });
    }
  }
}

export async function json(to, init) {
  const response = await fetch(site + to, init);
  return response.json();
}

export async function chat(prompt, headers = {}, body = {}) {
  const response = await fetch(`${api}/v1/chat/completions`, {
    method: "POST", headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ model: "auto", max_tokens: 16, messages: [{ role: "user", content: prompt }], ...body }),
  });
  return { status: response.status, id: response.headers.get("x-vsr-replay-id"), model: response.headers.get("x-vsr-selected-model"), body: await response.json() };
}

// Lets the encoder read these texts without a deadline, so that a busy machine decides as a quiet
// one does.
export async function warm(...prompts) {
  for (const text of prompts) {
    const response = await fetch(`${site}/api/v1/eval`, { method: "POST", body: JSON.stringify({ text }) });
    assert.equal(response.status, 200);
  }
}
