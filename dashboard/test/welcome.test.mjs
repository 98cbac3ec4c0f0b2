// From an empty state folder to the first routed request, in the browser alone.
import assert from "node:assert/strict";
import { test } from "node:test";
import { json, seriousErrors, shoot, withPage } from "./browser.mjs";

test("onboarding: a recipe, a backend, a first request; no restart", async () => {
  await withPage({ timeoutMs: 60_000 }, async ({ page, go }) => {
    assert.equal((await json("/readyz")).ready, false);
    await go("/");
    await page.waitForURL("**/welcome");
    await shoot(page, "onboarding");
    assert.deepEqual(await seriousErrors(page), []);
    assert.ok(await page.getByRole("button", { name: "Send it" }).isDisabled());
    await page.getByRole("button", { name: "agentic-saars" }).click();
    await page.getByText(/12 decisions over 5 models/).waitFor();
    await page.getByRole("button", { name: "Activate this recipe" }).click();
    await page.getByText("can serve").first().waitFor();
    await page.getByRole("button", { name: "Send it" }).click();
    await page.getByText("simple_math_fast_path").first().waitFor();
    await page.getByRole("link", { name: "See why it went there" }).click();
    await page.waitForURL("**/records/*");
    await page.getByText(/this is the first turn/).waitFor();
  });
  assert.equal((await json("/readyz")).ready, true);
  assert.match((await json("/api/v1/system")).config, /config\.yaml$/);
});
