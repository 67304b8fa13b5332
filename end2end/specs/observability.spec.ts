// Observability: the charts show, at every zoom, what the API gives.

import { chart, hoverUntil, live } from "../fixtures/charts.js";
import { expect, test } from "../fixtures/test.js";
import { type SeriesAnswer, Town, call, lines } from "../fixtures/town.js";

/** Where the largest value of a series stands, as a share of the time shown, and the value. */
function highest(answer: SeriesAnswer, name: string): { at: number; rate: number } {
  const values = answer.series.find((series) => series.name === name)?.v.map((v) => v ?? 0) ?? [];
  const rate = Math.max(...values);
  return { at: (values.indexOf(rate) + 0.5) / values.length, rate };
}

test("it opens by click, a window switches, and hover shows the exact value of the API", async ({ page, server, request }) => {
  const town = new Town(request, server.url);
  // One bucket with a figure that occurs nowhere else, half an hour ago.
  await town.send(call(1_234_567, {}, 1_800), lines(777, 0, 1_800), call(50, {}, 3_000));
  await page.goto("/t/home");
  await live(page);
  await page.getByRole("link", { name: "Observability" }).click();
  await expect(page).toHaveURL(/\/t\/home\/observability/);

  const api = await town.series("tokens", "1h");
  expect(api.step_s).toBe(10);
  const hour = highest(api, "input");
  expect(Math.round(hour.rate * api.step_s)).toBe(1_234_567);
  const readout = await hoverUntil(page, chart(page, "tokens"), hour.at, "1,234,567");
  expect(readout).toContain(hour.rate.toLocaleString("en-US", { maximumFractionDigits: 1 }));
  expect(readout).toContain(api.unit);

  await page.getByRole("link", { name: "The last 6h" }).click();
  await expect(page).toHaveURL(/window=6h/);
  // The coarser tier follows within seconds.
  await expect.poll(async () => Math.round(highest(await town.series("tokens", "6h"), "input").rate * 60)).toBe(1_234_567);
  const wider = await town.series("tokens", "6h");
  expect(wider.step_s).toBe(60);
  const sixHours = highest(wider, "input");
  await expect(page.locator(".toolbar .resolution")).toHaveText("1 min steps");
  // The page may have read the chart before the tier had followed: it reads its newest end again by itself.
  await expect(async () => {
    const readout6h = await hoverUntil(page, chart(page, "tokens"), sixHours.at, "1,234,567");
    expect(readout6h).toContain(sixHours.rate.toLocaleString("en-US", { maximumFractionDigits: 1 }));
  }).toPass({ timeout: 20_000 });
});

test("a drag zooms all charts, the way back leads back, and the address restores the view", async ({ page, server, request }) => {
  const town = new Town(request, server.url);
  await town.send(call(4_000, {}, 600));
  await page.goto("/t/home/observability?window=1h");
  await live(page);
  const box = await chart(page, "tokens").locator(".plot-box").boundingBox();
  if (!box) throw new Error("the chart has no plot");
  const y = box.y + box.height / 2;
  await page.mouse.move(box.x + box.width * 0.6, y);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.8, y, { steps: 8 });
  await page.mouse.up();
  await expect(page).toHaveURL(/from=.*to=/);
  const zoomed = page.url();
  const range = await page.locator(".toolbar .range").textContent();

  await page.getByRole("button", { name: "Back to the range before" }).click();
  await expect(page).toHaveURL(/window=1h/);
  await page.getByRole("button", { name: "Forward" }).click();
  await expect(page).toHaveURL(/from=.*to=/);

  await page.goto(zoomed);
  await live(page);
  await expect(page.locator(".toolbar .range")).toHaveText(range ?? "");
});

test("a window changes the page in place, and the browser's own way back leads back", async ({ page, server, request }) => {
  const town = new Town(request, server.url);
  await town.send(call(100_000));
  await page.goto("/t/home/observability?window=1h");
  await live(page);
  // Gone when the page is loaded anew.
  await page.evaluate(() => document.body.setAttribute("data-kept", "yes"));
  await page.getByRole("link", { name: "The last 24h" }).click();
  await expect(page).toHaveURL(/window=24h/);
  await expect(page.getByText("5 min steps")).toBeVisible();
  await page.goBack();
  await expect(page).toHaveURL(/window=1h/);
  await expect(page.getByText("10 s steps")).toBeVisible();
  await page.goForward();
  await expect(page.getByText("5 min steps")).toBeVisible();
  await expect(page.locator("body")).toHaveAttribute("data-kept", "yes");
});

test("the keyboard moves one cursor over all charts", async ({ page, server, request }) => {
  const town = new Town(request, server.url, "keys");
  await town.send(call(2_468, {}, 300), lines(135, 0, 300));
  await page.goto("/t/keys/observability?window=1h");
  await live(page);
  const plot = chart(page, "tokens").locator(".plot-box [tabindex='0']").first();
  await plot.focus();
  await page.keyboard.press("End");
  const readout = chart(page, "tokens").locator(".readout");
  await expect(readout).toHaveClass(/shown/);
  const last = await readout.locator(".readout-time").textContent();
  await page.keyboard.press("ArrowLeft");
  await expect(readout.locator(".readout-time")).not.toHaveText(last ?? "");
  await page.keyboard.press("Escape");
  await expect(readout).not.toHaveClass(/shown/);
});

test("the right edge is live: a posted event appears without reloading", async ({ page, server, request }) => {
  const town = new Town(request, server.url, "edge");
  await town.send(call(10, {}, 900));
  await page.goto("/t/edge/observability?window=1h");
  await live(page);
  await town.send(call(7_654_321));
  await hoverUntil(page, chart(page, "tokens"), 0.998, "7,654,321");
});

test("the text twin holds the same figures", async ({ page, server, request }) => {
  const town = new Town(request, server.url, "twin");
  await town.send(call(31_415, {}, 120));
  await page.goto("/t/twin/observability?window=1h");
  await live(page);
  const tokens = chart(page, "tokens");
  await tokens.locator("summary").click();
  await expect(tokens.locator("table", { hasText: "31,415" }).first()).toBeVisible();
});

test("CSV holds what is shown", async ({ page, server, request }) => {
  const town = new Town(request, server.url, "csv");
  await town.send(call(27_182, {}, 120));
  await page.goto("/t/csv/observability?window=1h");
  await live(page);
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: "Save token throughput as CSV" }).click();
  const stream = await (await download).createReadStream();
  let text = "";
  for await (const chunk of stream) text += chunk.toString();
  expect(text.split("\n").length).toBeGreaterThan(300);
  expect(text).toContain("27182");
});

test("a span that was priced again is marked, and the readout and the table say so", async ({ page, server, request }) => {
  const town = new Town(request, server.url);
  await town.send(call(1_000_000, { model: "unheard-of-1", agent: "nux" }, 1_200));
  const unpriced = async () => (await (await request.get(`${server.url}/api/towns/home/unpriced`)).json()).unpriced;
  expect((await unpriced())[0]).toMatchObject({ model: "unheard-of-1", calls: 1, input_tokens: 1_000_000 });
  const price = { model: "unheard-of-1", effective: "2026-01-01", input: "3", output: "0" };
  expect((await request.post(`${server.url}/api/prices`, { data: price })).status()).toBe(201);
  const order = { from: "2026-01-01T00:00:00Z", model: "unheard-of-1" };
  expect((await request.post(`${server.url}/api/towns/home/reprice`, { data: order })).status()).toBe(202);
  await expect.poll(unpriced).toEqual([]);

  await page.goto("/t/home/observability");
  await live(page);
  const said = "1 of 1 calls of unheard-of-1 repriced: $0.00 before, $3.00 now";
  const readout = await hoverUntil(page, chart(page, "cost"), 1 - 1_200 / 3_600, "repriced");
  expect(readout).toContain(said);
  expect(readout).toContain("$3.000000");
  await chart(page, "cost").getByText("Table").click();
  await expect(chart(page, "cost").locator("caption")).toContainText(said);
  await expect(page.locator("#told-cost")).toContainText(said);
});
