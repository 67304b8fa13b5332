// Tanks: a top-up by the form, a provider that corrects the meter, low and empty, a window from a status line.

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { Provider } from "../fixtures/provider.js";
import { BINARY, Server } from "../fixtures/server.js";
import { expect, test } from "../fixtures/test.js";
import { Town, call } from "../fixtures/town.js";

const card = (page: Page, name: string) => page.locator(".tank-card").filter({ has: page.getByRole("heading", { name, exact: true }) });
const rows = (page: Page) => page.locator(".ledger tbody tr");

/** Chromium's own word for a page that was not ready in time to be faded in after a click on a link. */
const TRANSITION = /Transition was skipped/;

async function live(page: Page, path: string): Promise<void> {
  await page.goto(path);
  await expect(page.locator(".link[data-link=live]")).toBeVisible();
}

test("a tank is filled by the form, by keyboard alone, once per press; what is no amount is refused with words", async ({ page, server, request }) => {
  const town = new Town(request, server.url, "form");
  await town.send(call(10));
  await live(page, "/t/form/tank");
  await expect(card(page, "Meter")).toContainText("no balance yet");
  await expect(page.locator(".ledger-panel")).toContainText("No entries yet");
  await expect(page.getByText("towngauge topup --town form --usd 50")).toBeVisible();

  await page.getByLabel("Dollars", { exact: true }).fill("fifty");
  await page.keyboard.press("Enter");
  await expect(page.locator(".topup .sent")).toContainText("is not an amount of dollars");
  await page.getByLabel("Dollars", { exact: true }).fill("50");
  await page.getByLabel("Note").fill("March");
  await page.keyboard.press("Enter");
  await expect(page.locator(".topup .sent")).toHaveText("Filled $50.00.");
  await expect(card(page, "Meter").locator(".figure strong")).toHaveText("$50.00");
  await expect(rows(page)).toHaveCount(1);
  await expect(rows(page).first()).toContainText("Top-up");
  await expect(rows(page).first()).toContainText("+$50.00");
  await expect(rows(page).first()).toContainText("March");

  // What agents burn shows here too, live.
  await town.send(call(1_000_000));
  await expect(card(page, "Meter").locator(".figure strong")).toHaveText("$47.00");

  await page.getByLabel("Full, dollars").fill("200");
  await page.getByRole("button", { name: "Set", exact: true }).click();
  await expect(page.locator(".capacity")).toContainText("A full tank holds $200.00, as set by you.");
  await expect(card(page, "Meter")).toContainText("below half");
  await page.getByRole("button", { name: "Use the last top-up" }).click();
  await expect(card(page, "Meter")).toContainText("above half");
});

test("a top-up whose answer was lost fills in once when it is sent again", async ({ page, server, request, complaints }) => {
  complaints.expect(/ERR_FAILED/);
  const town = new Town(request, server.url, "lost");
  await town.send(call(10));
  await live(page, "/t/lost/tank");
  let lost = 0;
  await page.route("**/topup", async (route) => {
    if (lost++ > 0) return route.continue();
    await route.fetch();
    await route.abort();
  });
  await page.getByLabel("Dollars", { exact: true }).fill("30");
  await page.keyboard.press("Enter");
  await expect(page.locator(".topup .sent")).toContainText("The server cannot be reached");
  await page.keyboard.press("Enter");
  await expect(page.locator(".topup .sent")).toHaveText("Filled $30.00.");
  await expect(rows(page)).toHaveCount(1);
  await expect(card(page, "Meter").locator(".figure strong")).toHaveText("$30.00");
});

test("yellow, red and empty: the zone in words, and at empty a banner on the overview that leads here", async ({ page, server, request, complaints }) => {
  complaints.expect(TRANSITION);
  const town = new Town(request, server.url, "low");
  await town.send(call(10));
  await town.topup("10");
  await live(page, "/t/low/tank");
  const meter = card(page, "Meter");
  await expect(meter).toContainText("above half");
  for (const [tokens, words, state] of [[2_000_000, "below half", "yellow"], [1_000_000, "low", "red"]] as const) {
    await town.send(call(tokens));
    await expect(meter.locator(".zone-word")).toHaveText(words);
    await expect(meter).toHaveAttribute("data-state", state);
  }
  await live(page, "/t/low");
  const tank = page.locator('section.gauge[aria-label="Gas tank"]');
  await expect(tank).toHaveAttribute("data-state", "red");
  await expect(page.locator(".banner[data-kind=empty]")).toHaveCount(0);
  await town.send(call(1_000_000));
  const banner = page.locator(".banner[data-kind=empty]");
  await expect(banner).toContainText("The tank is empty.");
  await expect(tank).toHaveAttribute("data-state", "empty");
  await banner.getByRole("link", { name: "Open the tank" }).click();
  await expect(page).toHaveURL(/\/t\/low\/tank$/);
  await expect(meter.locator(".zone-word")).toHaveText("empty");
});

test("a status line tells a window, and the dial shows the tank that runs dry first", async ({ page, server, request, complaints }) => {
  complaints.expect(TRANSITION);
  const town = new Town(request, server.url, "window");
  // Long enough ago that nothing is spent at the moment.
  await town.send(call(10, {}, 400));
  await town.topup("50");
  await live(page, "/t/window");
  const tank = page.locator('section.gauge[aria-label="Gas tank"]');
  await expect(tank.locator(".figure")).toHaveText(/\$50\.00\s+remaining/);

  const resets = Math.floor(Date.now() / 1000) + 2 * 3600 + 630;
  const status = { cost: { total_cost_usd: 1.234 }, rate_limits: {
    five_hour: { used_percentage: 88, resets_at: resets }, seven_day: { used_percentage: 12, resets_at: resets + 86_400 } } };
  const statusline = (input: string, url: string) =>
    spawnSync(BINARY, ["statusline", "--town", "window", "--url", url], { input, encoding: "utf8", timeout: 10_000 });
  const told = statusline(JSON.stringify(status), server.url);
  expect([told.status, told.stdout, told.stderr]).toEqual([0, "5 h 88 % · 7 d 12 % · $1.23\n", ""]);
  // Nothing in it may fail a prompt: no server, no JSON.
  expect(statusline(JSON.stringify(status), "http://127.0.0.1:1").status).toBe(0);
  const broken = statusline("{", server.url);
  expect([broken.status, broken.stdout]).toEqual([0, "Towngauge\n"]);

  await expect(tank.locator(".figure")).toHaveText(/12 %\s+left/);
  await expect(tank).toContainText("Claude Code 5 h, first of 3 tanks");
  await expect(tank).toContainText("resets in 2 h 10 min");
  await tank.getByRole("link", { name: "All tanks" }).click();
  await expect(page).toHaveURL(/\/t\/window\/tank$/);
  await expect(page.locator(".tank-card")).toHaveCount(3);
  const shortest = card(page, "Claude Code 5 h");
  await expect(shortest).toContainText("runs dry first");
  await expect(shortest.locator(".zone-word")).toHaveText("low");
  await expect(card(page, "Claude Code 7 d").locator(".figure")).toHaveText(/88 %\s+left/);
});

test("a provider's balance fills the meter, corrects it in the ledger, and its refusal is told in plain words", async ({ page, complaints }) => {
  test.setTimeout(120_000);
  complaints.expect(/WebSocket|ERR_/);
  const provider = await Provider.start();
  const folder = mkdtempSync(join(tmpdir(), "towngauge-tank-"));
  const [config, key] = [join(folder, "towngauge.toml"), join(folder, "key")];
  writeFileSync(key, "sk-end2end\n");
  writeFileSync(config, `[[balance]]\nprovider = "openrouter"\nbase_url = "${provider.url}"\nkey_file = "${key}"\npoll_s = 10\n`);
  const server = await Server.start(["--config", config]);
  try {
    await live(page, `${server.url}/t/home/tank`);
    const meter = card(page, "OpenRouter");
    await expect(meter.locator(".figure")).toHaveText(/\$74\.75\s+remaining/);
    await expect(rows(page)).toHaveCount(1);
    await expect(rows(page).first()).toContainText("OpenRouter says $74.75: the meter begins with it");
    expect(provider.keys[0]).toBe("Bearer sk-end2end");

    provider.balance = 70.5;
    // Too low has to be seen twice.
    await expect(meter.locator(".figure")).toHaveText(/\$70\.50\s+remaining/, { timeout: 40_000 });
    await expect(rows(page).first()).toContainText("Correction");
    await expect(rows(page).first()).toContainText("-$4.25");
    await expect(rows(page).first()).toContainText("OpenRouter says $70.50, the meter said $74.75");

    provider.failing = 401;
    await expect(meter.locator(".trouble")).toContainText("does not accept the key", { timeout: 20_000 });
    await expect(meter.locator(".figure")).toHaveText(/\$70\.50\s+remaining/);
    expect(server.output).not.toContain("sk-end2end");
  } finally {
    await page.close();
    await server.discard();
    await provider.stop();
    rmSync(folder, { recursive: true, force: true });
  }
});

test("the first paint of the page carries real numbers, before any script runs", async ({ browser, server, request }) => {
  const town = new Town(request, server.url, "paint");
  await town.send(call(10));
  await town.topup("12.50");
  const context = await browser.newContext({ javaScriptEnabled: false, baseURL: server.url });
  const page = await context.newPage();
  await page.goto("/t/paint/tank");
  await expect(card(page, "Meter").locator(".figure strong")).toHaveText("$12.50");
  await expect(rows(page)).toHaveCount(1);
  await context.close();
});

for (const colorScheme of ["dark", "light"] as const) {
  for (const width of [1440, 390]) {
    test(`no serious findings on the tank page: ${colorScheme}, ${width} px`, async ({ page, server, request }) => {
      const town = new Town(request, server.url, "axe");
      await town.send(call(10));
      await town.topup("1");
      const windows = [{ name: "Codex 5 h", used_percent: 91, resets_at: Math.floor(Date.now() / 1000) + 3600 }];
      const told = await request.post(`${server.url}/api/towns/axe/windows`, { data: { source: "codex", windows } });
      expect(told.ok()).toBe(true);
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 900 });
      await live(page, "/t/axe/tank");
      await expect(page.locator(".tank-card")).toHaveCount(2);
      const { violations } = await new AxeBuilder({ page }).analyze();
      const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
      expect(serious.map(({ id, nodes }) => `${id} at ${nodes.map((n) => n.target).join(", ")}`)).toEqual([]);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      expect(overflow, "it is wider than the screen").toBeLessThanOrEqual(0);
    });
  }
}
