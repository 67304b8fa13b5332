// The charts tell zero from no data, loading from failed, and failed from a link that is down; and they find back.

import { chart, live } from "../fixtures/charts.js";
import { expect, test } from "../fixtures/test.js";
import { Town, call } from "../fixtures/town.js";

const CHARTS = "**/api/page/charts/**";

test("zero and no data have their own words", async ({ page, server, request }) => {
  const town = new Town(request, server.url, "zero");
  await town.send(call(10));
  await page.goto("/t/zero/observability?window=1h");
  await live(page);
  await expect(chart(page, "errors").locator(".plot-empty[data-kind=zero]")).toHaveText("No errors in this range");
  await expect(chart(page, "latency").locator(".plot-empty[data-kind=zero]")).toHaveText("No tool was timed in this range");
  await expect(chart(page, "tokens").locator(".plot-empty")).toHaveCount(0);
  await page.goto("/t/zero/observability?from=2020-01-01T00:00:00Z&to=2020-01-01T01:00:00Z");
  await expect(page.locator(".plot-empty[data-kind=empty]")).toHaveCount(8);
  await expect(chart(page, "errors").locator(".plot-empty")).toHaveText("Nothing recorded in this range");
});

test("with every API at 503 the charts keep what they have, say how old it is, and find back by themselves", async ({
  page, server, request, complaints,
}) => {
  complaints.expect(/503|Failed to load resource/);
  const town = new Town(request, server.url, "lost");
  await town.send(call(31_415, {}, 120));
  await page.goto("/t/lost/observability?window=1h");
  await live(page);
  const tokens = chart(page, "tokens");
  await expect(tokens).toHaveAttribute("data-truth", "fresh");
  await expect(tokens.locator(".truth")).toHaveCount(0);

  await page.route("**/api/**", (route) => route.fulfill({ status: 503, json: "unavailable" }));
  await page.getByRole("button", { name: "Compare with the period before" }).click();
  await expect(page.locator('.panel.chart[data-truth="failed"]')).toHaveCount(8);
  await expect(tokens.locator(".truth")).toHaveText(/^✕ Not refreshed, read \d+ (s|min) ago$/);
  const banner = page.getByRole("alert");
  await expect(banner).toContainText("The charts could not be read");
  await expect(page.locator("main")).toContainText(/What is shown is from (now|\d+ (s|min) ago)/);
  // What was there is there.
  await tokens.locator("summary").click();
  await expect(tokens.locator("tbody tr", { hasText: "31,415" })).toHaveCount(1);
  await expect(tokens).toHaveClass(/stale/);

  await page.unroute("**/api/**");
  await expect(page.locator('.panel.chart[data-truth="fresh"]')).toHaveCount(8, { timeout: 40_000 });
  await expect(banner).toHaveCount(0);
  await expect(page.locator(".toolbar .then")).toBeVisible();
  await expect(tokens).not.toHaveClass(/stale/);
});

test("what is asked for and not there yet is being read, and says so", async ({ page, server, request }) => {
  const town = new Town(request, server.url, "wait");
  await town.send(call(10, {}, 120));
  await page.goto("/t/wait/observability?window=1h");
  await live(page);
  let free = () => {};
  const held = new Promise<void>((done) => { free = done; });
  await page.route(CHARTS, async (route) => { await held; await route.continue(); });
  await page.getByRole("link", { name: "The last 24h" }).click();
  await expect(page.locator('.panel.chart[data-truth="reading"]')).toHaveCount(8);
  await expect(chart(page, "cost").locator(".truth")).toHaveText("… Reading");
  free();
  await expect(page.locator('.panel.chart[data-truth="fresh"]')).toHaveCount(8);
  await page.unroute(CHARTS);
});

test("without a link the charts say so and keep their last figures; what is over does not age", async ({
  page, server, request, complaints,
}) => {
  complaints.expect(/WebSocket|ERR_CONNECTION_REFUSED|Failed to load resource/);
  const town = new Town(request, server.url, "down");
  await town.send(call(27_182, {}, 120));
  const over = await page.context().newPage();
  await over.goto("/t/down/observability?from=2020-01-01T00:00:00Z&to=2020-01-01T01:00:00Z");
  await live(over);
  await page.goto("/t/down/observability?window=1h");
  await live(page);
  await server.kill();
  const tokens = chart(page, "tokens");
  await expect(page.locator('.panel.chart[data-truth="down"]')).toHaveCount(8, { timeout: 20_000 });
  await expect(tokens.locator(".truth")).toHaveText(/^⊘ Link down, read \d+ (s|min) ago$/);
  await tokens.locator("summary").click();
  await expect(tokens.locator("tbody tr", { hasText: "27,182" })).toHaveCount(1);
  await expect(over.locator(".link[data-link=down]")).toBeVisible({ timeout: 20_000 });
  await expect(chart(over, "tokens")).toHaveAttribute("data-truth", "fresh");
  await over.close();

  await server.startAgain();
  await expect(page.locator('.panel.chart[data-truth="fresh"]')).toHaveCount(8, { timeout: 60_000 });
});
