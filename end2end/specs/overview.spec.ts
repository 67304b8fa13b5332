// The Overview shows what was posted: first from the server, then live.

import { expect, test } from "../fixtures/test.js";
import { Town, call, compact, lines } from "../fixtures/town.js";

const number = (name: string) => `section.gauge[aria-label="${name}"] .figure strong`;

test("the dials move when events are posted, to the number that the API gives", async ({ page, server, request }) => {
  const town = new Town(request, server.url);
  await town.send(call(60));
  await page.goto("/t/home");
  await expect(page.locator(".link[data-link=live]")).toBeVisible();
  const before = await page.textContent(number("Tokens"));

  await town.send(call(120_000), lines(90, 30), call(3_000, { agent: "nux" }));
  await expect(page.locator(number("Tokens"))).not.toHaveText(before ?? "");
  // Rates decay by the second: dial and API are read until both are of the same second.
  await expect(async () => {
    const api = await town.gauges();
    expect(api.tokens_per_s).toBeGreaterThan(1_000);
    expect(await page.textContent(number("Tokens"))).toBe(compact(api.tokens_per_s ?? NaN));
    expect(await page.textContent(number("Lines of code"))).toBe(compact(api.lines_per_s ?? NaN));
    expect(await page.textContent(number("Cost"))).toBe(compact(api.cost_microdollars_per_s ?? NaN));
    expect(await page.textContent(number("Active agents"))).toBe(String(api.agents.working));
  }).toPass({ timeout: 20_000 });
  await expect(page.getByText("nux").first()).toBeVisible();
});

test("the first paint carries real numbers, before any script runs", async ({ browser, server, request }) => {
  const town = new Town(request, server.url);
  await town.send(call(90_000));
  const context = await browser.newContext({ javaScriptEnabled: false, baseURL: server.url });
  const page = await context.newPage();
  await page.goto("/t/home");
  const shown = await page.textContent(number("Tokens"));
  expect(shown).toMatch(/^[\d.]+k?$/);
  expect(shown).not.toBe("0");
  await context.close();
});

test("the tank: no balance, then a top-up, then what the agents burn", async ({ page, server, request }) => {
  const town = new Town(request, server.url, "tank");
  await town.send(call(10));
  await page.goto("/t/tank");
  const tank = page.locator('section.gauge[aria-label="Gas tank"]');
  await expect(tank).toContainText("no balance yet");
  await expect(tank).toContainText("towngauge topup --town tank --usd 50");
  await town.topup("50");
  await expect(tank.locator(".figure")).toHaveText(/\$50\.00\s+remaining/);
  // 1,000,000 input tokens at $3 per million, and ten of output at $15.
  await town.send(call(1_000_000));
  await expect(tank.locator(".figure")).toHaveText(/\$47\.00\s+remaining/);
  await expect(tank.locator(".note")).toContainText("at pace");
});

test("a model without a price is unpriced, never $0", async ({ page, server, request }) => {
  const town = new Town(request, server.url, "unpriced");
  await town.send(call(5_000, { model: "nobody-knows-this-model" }));
  await page.goto("/t/unpriced");
  const cost = page.locator('section.gauge[aria-label="Cost"]');
  await expect(cost).toContainText("5,010 tokens unpriced");
  await expect(cost.locator(".figure strong")).toHaveText("–");
});

test("an unknown town says so, with status 404", async ({ page, complaints }) => {
  complaints.expect(/404/);
  const answer = await page.goto("/t/nowhere");
  expect(answer?.status()).toBe(404);
  await expect(page.getByText("nowhere").first()).toBeVisible();
});
