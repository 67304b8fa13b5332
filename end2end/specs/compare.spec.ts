// Latency, errors, and the period before: the charts show what was sent, and what was there a period earlier.

import { chart, hoverUntil, live } from "../fixtures/charts.js";
import { expect, test } from "../fixtures/test.js";
import { Town, call, timed } from "../fixtures/town.js";

const button = "Compare with the period before";

test("the period before is read once on request, stands in the address, and its exact values in readout and table", async ({
  page, server, request,
}) => {
  const town = new Town(request, server.url, "ghost");
  // A bucket of half an hour ago, and the one exactly an hour before it.
  await town.send(call(7_001, {}, 1_800), call(1_234_567, {}, 5_400));
  await page.goto("/t/ghost/observability?window=1h");
  await live(page);
  let reads = 0;
  page.on("request", (asked) => { reads += asked.url().includes("/api/page/charts/") ? 1 : 0; });
  const tokens = chart(page, "tokens");
  const canvas = () => tokens.locator("canvas").first().evaluate((canvas: HTMLCanvasElement) => canvas.toDataURL());
  const without = await canvas();
  const compare = page.getByRole("button", { name: button });
  await expect(compare).toHaveAttribute("aria-pressed", "false");

  await compare.click();
  await expect(page).toHaveURL(/compare=before/);
  await expect(compare).toHaveAttribute("aria-pressed", "true");
  await expect(page.locator(".toolbar .then")).toContainText("before:");
  expect(await page.locator(".toolbar .then").getAttribute("title")).toContain("elapsed time");
  expect(reads).toBe(1);
  expect(await canvas(), "a line is drawn, and the axis makes room for it").not.toBe(without);

  const readout = await hoverUntil(page, tokens, 0.5, "7,001");
  expect(readout).toContain("before: 1,234,567");
  // Its time is an hour before that of the bucket.
  const time = await tokens.locator(".readout-time").textContent();
  const then = await tokens.locator(".readout-note").first().textContent();
  const clock = (text: string | null) => /(\d\d):(\d\d):(\d\d)/.exec(text ?? "")!.slice(1, 4).map(Number);
  const [at, before] = [clock(time), clock(then)];
  expect(before).toEqual([(at[0]! + 23) % 24, at[1], at[2]]);
  expect(then).toMatch(/^before: 1,234,577, /);

  await tokens.locator("summary").click();
  await expect(tokens.locator("thead")).toContainText("input before");
  const row = tokens.locator("tbody tr", { hasText: "7,001" });
  await expect(row).toContainText("1,234,567");
  await expect(tokens.locator("caption")).toContainText("elapsed time");

  // The address restores it, and a window keeps it.
  await page.reload();
  await live(page);
  await expect(page.getByRole("button", { name: button })).toHaveAttribute("aria-pressed", "true");
  await expect.poll(canvas).not.toBe(without);
  await page.getByRole("link", { name: "The last 6h" }).click();
  await expect(page).toHaveURL(/window=6h&compare=before/);
  await expect(page.locator(".toolbar .resolution")).toHaveText("1 min steps");

  const reading = reads;
  await page.getByRole("button", { name: button }).click();
  await expect(page).not.toHaveURL(/compare/);
  await expect(page.locator(".toolbar .then")).toHaveCount(0);
  expect(reads, "less is shown: nothing is read").toBe(reading);
  await hoverUntil(page, chart(page, "tokens"), 0.9, "input");
  await expect(chart(page, "tokens").locator(".readout")).not.toContainText("before");
});

test("zoomed in, the period before is the one directly before the zoom", async ({ page, server, request }) => {
  const town = new Town(request, server.url, "zoom");
  // Whole tens of seconds, ten minutes of them, half an hour ago.
  const from = Math.floor(Date.now() / 10_000) * 10 - 1_800;
  const at = (second: number) => new Date(second * 1_000).toISOString();
  await town.send(call(4_321, { ts: at(from + 305) }), call(8_765, { ts: at(from - 600 + 305) }));
  const address = (second: number) => at(second).replace(".000Z", "Z");
  await page.goto(`/t/zoom/observability?from=${address(from)}&to=${address(from + 600)}&compare=before`);
  await live(page);
  const tokens = chart(page, "tokens");
  expect(await hoverUntil(page, tokens, 0.5, "4,321")).toContain("before: 8,765");

  // A drag zooms on, and what is compared with moves along.
  const box = await tokens.locator(".plot-box").boundingBox();
  if (!box) throw new Error("the chart has no plot");
  const y = box.y + box.height / 2;
  await page.mouse.move(box.x + box.width * 0.4, y);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.7, y, { steps: 8 });
  await page.mouse.up();
  await expect(page).not.toHaveURL(new RegExp(encodeURIComponent(address(from))));
  await expect(page).toHaveURL(/compare=before/);
  await expect.poll(async () => {
    const readout = await hoverUntil(page, tokens, 0.36, "4,321");
    return readout.includes("8,765");
  }, { message: "the zoom is three minutes long: ten minutes before is not compared with" }).toBe(false);
  await page.getByRole("button", { name: "Back to the range before" }).click();
  await expect(page).toHaveURL(/compare=before/);
});

test("latency is that of all tools together, or of one; what did not run has none", async ({ page, server, request }) => {
  const town = new Town(request, server.url, "slow");
  const quick = Array.from({ length: 19 }, () => timed("Read", 40, {}, 600));
  await town.send(...quick, timed("Task", 61_000, {}, 600), timed("Task", 30_000, {}, 900));
  await page.goto("/t/slow/observability?window=1h");
  await live(page);
  const latency = chart(page, "latency");
  // 19 of 20 are quick.
  const together = await hoverUntil(page, latency, 1 - 600 / 3_600, "of 20 calls");
  expect(together).toMatch(/P95\s*40 ms/);

  // The coarsest tier, out of which the list is made, follows within seconds; the page reads it again by itself.
  const choice = latency.getByRole("combobox", { name: "Tool" });
  await expect.poll(async () => {
    await page.reload();
    return choice.locator("option").allTextContents();
  }, { timeout: 40_000, intervals: [3_000] }).toEqual(["all tools", "Read", "Task"]);
  await live(page);
  await choice.selectOption("Task");
  await expect(page).toHaveURL(/tool=Task/);
  const alone = await hoverUntil(page, latency, 1 - 600 / 3_600, "of 1 call");
  expect(alone).toMatch(/P95\s*1 min [01] s/);
  await page.reload();
  await live(page);
  await expect(choice).toHaveValue("Task");
  await choice.selectOption("");
  await expect(page).not.toHaveURL(/tool=/);
  await hoverUntil(page, latency, 1 - 600 / 3_600, "of 20 calls");

  await latency.locator("summary").click();
  await expect(latency.locator("tbody tr").filter({ has: page.getByRole("cell", { name: "20", exact: true }) })).toContainText("40 ms");
});

test("errors are counted exactly, those of tools apart from those of models", async ({ page, server, request }) => {
  const town = new Town(request, server.url, "errors");
  const failed = Array.from({ length: 7 }, () => timed("Bash", 10, { ok: false }, 600));
  await town.send(...failed, timed("Bash", 10, {}, 600), call(10, { ok: false }, 600), call(10, { ok: false }, 600));
  await page.goto("/t/errors/observability?window=1h");
  await live(page);
  const errors = chart(page, "errors");
  const readout = await hoverUntil(page, errors, 1 - 600 / 3_600, "tool calls7");
  expect(readout).toContain("model calls2");
  const api = await town.series("errors", "1h");
  expect(api.series.map(({ v }) => Math.round(v.reduce((sum: number, rate) => sum + (rate ?? 0), 0) * api.step_s))).toEqual([7, 2]);
  // A live one arrives without reading anything again.
  await town.send(timed("Bash", 10, { ok: false }));
  await hoverUntil(page, errors, 0.998, "tool calls1");
});
