// Sources: what came from where, what was wrong with it, and how to connect another.

import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { loaded } from "../fixtures/hydration.js";
import { expect, test } from "../fixtures/test.js";
import { Town, call } from "../fixtures/town.js";

const row = (page: Page, name: string) => page.locator(`li.source[data-source="${name}"]`);
const count = (page: Page, name: string, of: string) => row(page, name).locator(`.count[data-count="${of}"] .n`);

/** A call that costs $3.00 by the price book, and so much by its agent. */
const costs = (usd: number) => call(1_000_000, { input_tokens: 100_000, output_tokens: 180_000, model: "claude-sonnet-4-5", cost_usd: usd });

test("opens by a click; a post makes HTTP live with exact counts, and a bad item shows with its reason", async ({ page, server, request }) => {
  const town = new Town(request, server.url, "posts");
  const known = call(10);
  await town.send(known);
  await page.goto("/t/posts");
  await page.getByRole("link", { name: "Sources", exact: true }).click();
  await expect(page).toHaveURL(/\/t\/posts\/sources$/);
  await expect(page.getByRole("heading", { name: "Sources", exact: true })).toBeVisible();
  await expect(row(page, "api")).toHaveAttribute("data-standing", "live");
  await expect(count(page, "api", "Received")).toHaveText("1");

  // One new, one known, one that is not understood.
  const body = [call(20), known, { type: "model_call", ts: new Date().toISOString(), modle: "a secret" }];
  const answer = await (await request.post(`${server.url}/api/ingest?town=posts`, { data: body })).json();
  expect(answer).toMatchObject({ received: 3, stored: 1, duplicate: 1, rejected: 1 });
  await expect(row(page, "api")).toHaveAttribute("data-standing", "refused");
  for (const [of, n] of [["Received", "4"], ["Stored", "2"], ["Duplicate", "1"], ["Rejected", "1"]] as const) {
    await expect(count(page, "api", of)).toHaveText(n);
  }
  await row(page, "api").locator("summary").click();
  const refused = row(page, "api").locator("table.refused");
  await expect(refused).toContainText("item 3");
  await expect(refused).toContainText("modle");
  await expect(page.getByText("a secret")).toHaveCount(0);
  // It stays open while its figures are read again.
  await town.send(call(30));
  await expect(row(page, "api")).toHaveAttribute("data-standing", "live");
  await expect(count(page, "api", "Stored")).toHaveText("3");
  await expect(refused).toBeVisible();
});

test("the first paint has the counts without any script, and details open by keyboard", async ({ browser, page, server, request }) => {
  await new Town(request, server.url, "first").send(call(10), call(20));
  const context = await browser.newContext({ javaScriptEnabled: false, baseURL: server.url });
  const plain = await context.newPage();
  await plain.goto("/t/first/sources");
  await expect(count(plain, "api", "Stored")).toHaveText("2");
  await expect(plain.getByText(`${server.url}/api/ingest?town=first`).first()).toBeVisible();
  await context.close();

  await page.goto("/t/first/sources");
  await loaded(page);
  await row(page, "api").locator("summary").focus();
  await page.keyboard.press("Enter");
  await expect(row(page, "api").getByText("Input is without cache already")).toBeVisible();
});

test("a name that nobody understands appears under its source, by name and number", async ({ page, server, request }) => {
  const record = { timeUnixNano: `${Date.now()}000000`, attributes: [{ key: "event.name", value: { stringValue: "strange.thing" } }] };
  const body = { resourceLogs: [{ scopeLogs: [{ logRecords: [record, record] }] }] };
  expect((await request.post(`${server.url}/v1/logs`, { data: body })).status()).toBe(200);
  await page.goto("/t/home/sources");
  await expect(row(page, "otel")).toContainText("nothing of it is understood");
  await row(page, "otel").locator("summary").click();
  await expect(row(page, "otel").locator(".unmapped")).toContainText("strange.thing × 2");
});

test("costs five percent apart warn, two percent apart do not", async ({ page, server, request }) => {
  await new Town(request, server.url, "apart").send(costs(3.15));
  await new Town(request, server.url, "near").send(costs(3.06));
  const drift = row(page, "api").locator('[data-cell="drift"]');
  await page.goto("/t/apart/sources");
  await expect(drift).toContainText("+5.00 %");
  await expect(drift).toHaveAttribute("data-warn", "true");
  await row(page, "api").locator("summary").click();
  await expect(row(page, "api")).toContainText("Agents report $3.15; for the same calls the price book says $3.00");
  await page.goto("/t/near/sources");
  await expect(drift).toContainText("+2.00 %");
  await expect(drift).toHaveAttribute("data-warn", "false");
});

test("every agent is told how to connect, with this server's address and what is known of it", async ({ page, server, request, context }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await new Town(request, server.url, "guided").send(call(10));
  await page.goto("/t/guided/sources");
  await loaded(page);
  const names = ["Claude Code", "Codex", "Gemini CLI", "OpenCode", "Kilo CLI", "Gas Town", "Beads", "OpenTelemetry gen_ai", "Plain HTTP", "Another machine"];
  for (const name of names) await expect(page.locator(".guide").getByRole("heading", { name, exact: true })).toBeVisible();
  const codex = page.locator("#connect-codex");
  await expect(codex).toContainText("Never started");
  await codex.getByRole("button", { name: /Copy/ }).first().click();
  await expect(codex.getByText("Copied")).toBeVisible();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toContain(`endpoint = "${server.url}/v1/logs?town=guided"`);
  const machine = page.locator("#connect-machine");
  await expect(machine).toContainText(`towngauge watch --to ${server.url} --key-env TOWNGAUGE_KEY --town guided`);
});

for (const colorScheme of ["dark", "light"] as const) {
  test(`axe finds nothing serious, and nothing sticks out at 390 px: ${colorScheme}`, async ({ page, server, request }) => {
    const town = new Town(request, server.url, "axe-sources");
    await town.send(costs(3.15));
    await request.post(`${server.url}/api/ingest?town=axe-sources`, { data: [call(1), { type: "nothing" }] });
    await page.emulateMedia({ colorScheme });
    for (const width of [1440, 390, 360]) {
      await page.setViewportSize({ width, height: 900 });
      await page.goto("/t/axe-sources/sources");
      await loaded(page);
      await row(page, "api").locator("summary").click();
      const { violations } = await new AxeBuilder({ page }).analyze();
      const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
      expect(serious.map(({ id, nodes }) => `${width}: ${id} at ${nodes.map((n) => n.target).join(", ")}`)).toEqual([]);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      expect(overflow, `${width} px`).toBeLessThanOrEqual(0);
    }
  });
}

test("a killed server leaves the figures with their age, and a restart is found by itself", async ({ page, server, request, complaints }) => {
  complaints.expect(/WebSocket|ERR_CONNECTION_REFUSED|Failed to load resource/);
  const town = new Town(request, server.url, "killed");
  await town.send(call(10));
  await page.goto("/t/killed/sources");
  await expect(page.locator(".link[data-link=live]")).toBeVisible();
  await server.kill();
  await expect(page.getByText(/Link down; these figures are from \d+ s ago/)).toBeVisible({ timeout: 20_000 });
  await expect(count(page, "api", "Stored")).toHaveText("1");
  await expect(page.locator(".source-list.stale")).toBeVisible();

  await server.startAgain();
  await expect(page.getByText(/these figures are from/)).toBeHidden({ timeout: 40_000 });
  await town.send(call(20));
  await expect(count(page, "api", "Stored")).toHaveText("2");
});
