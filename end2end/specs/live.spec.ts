// Live: the stream of events with its filters, and the figures beside it, on what was really sent.

import AxeBuilder from "@axe-core/playwright";
import { loaded } from "../fixtures/hydration.js";
import { expect, test } from "../fixtures/test.js";
import { Town, call, lines, tool } from "../fixtures/town.js";

test("events stand at the bottom as they come, errors in red, and a filter lives in the address", async ({ page, server, request }) => {
  const town = new Town(request, server.url, "stream");
  await town.send(call(1_200), tool(1), tool(2, { ok: false, file: "src/broken.rs" }));
  await page.goto("/t/stream/live");
  await loaded(page);
  const list = page.getByRole("log", { name: "Event stream" });
  const rows = list.locator("li");
  await expect(rows).toHaveCount(3);
  // Live: without loading the page again.
  await town.send(tool(77));
  await expect(rows.last()).toContainText("Tool77");
  const failed = rows.filter({ hasText: "src/broken.rs" });
  await expect(failed).toHaveAttribute("data-level", "error");
  await expect(failed.locator(".level")).toHaveText("ERROR");

  await page.getByRole("combobox", { name: "Level" }).selectOption("error");
  await expect(rows).toHaveCount(1);
  await expect(page).toHaveURL(/\?level=error$/);
  // What does not fit stays away, what fits comes.
  await town.send(tool(78), tool(79, { ok: false }));
  await expect(rows).toHaveCount(2);
  await expect(rows.last()).toContainText("Tool79");
  // The address is enough to see the same.
  await page.reload();
  await loaded(page);
  await expect(rows).toHaveCount(2);
  await expect(page.getByRole("combobox", { name: "Level" })).toHaveValue("error");
  await page.getByRole("button", { name: "Clear" }).click();
  await expect(rows).toHaveCount(6);
  await page.getByRole("searchbox", { name: "Text" }).fill("BROKEN");
  await expect(rows).toHaveCount(1);
  await expect(page).toHaveURL(/\?q=BROKEN$/);
});

test("a paused list stands still and says how many came; going on shows them", async ({ page, server, request }) => {
  const town = new Town(request, server.url, "pause");
  await town.send(tool(1), tool(2));
  await page.goto("/t/pause/live");
  await loaded(page);
  const rows = page.getByRole("log").locator("li");
  await expect(rows).toHaveCount(2);
  await page.getByRole("button", { name: "Pause" }).click();
  await town.send(tool(3), tool(4), tool(5));
  await expect(page.locator(".stream > header")).toContainText("3 new");
  await expect(rows).toHaveCount(2);
  await page.getByRole("button", { name: "Go on" }).click();
  await expect(rows).toHaveCount(5);
  await expect(rows.last()).toContainText("Tool5");
});

test("who scrolls up stays where he is, is told what came, and older events are read", async ({ page, server, request }) => {
  const town = new Town(request, server.url, "scroll");
  const past = Array.from({ length: 700 }, (_, n) => tool(n, { ts: new Date(Date.now() - (700 - n) * 1000).toISOString() }));
  await town.send(...past);
  await page.goto("/t/scroll/live");
  await loaded(page);
  const list = page.getByRole("log");
  await expect(list.locator("li").last()).toContainText("Tool699");
  // Only what is in sight is in the document.
  expect(await list.locator("li").count()).toBeLessThan(100);
  await list.evaluate((box) => { box.scrollTop -= 300; });
  const first = await list.evaluate((box) => {
    const top = box.getBoundingClientRect().top;
    return [...box.querySelectorAll("li")].find((line) => line.getBoundingClientRect().top >= top)?.textContent ?? "";
  });
  await town.send(tool(900), tool(901));
  await expect(page.getByRole("button", { name: "2 new" })).toBeVisible();
  const then = await list.evaluate((box) => {
    const top = box.getBoundingClientRect().top;
    return [...box.querySelectorAll("li")].find((line) => line.getBoundingClientRect().top >= top)?.textContent ?? "";
  });
  expect(then).toBe(first);
  await page.getByRole("button", { name: "2 new" }).click();
  await expect(list.locator("li").last()).toContainText("Tool901");
  await expect(page.getByRole("button", { name: "2 new" })).toBeHidden();
  // To the very beginning.
  await expect(async () => {
    await list.evaluate((box) => { box.scrollTop = 0; });
    await expect(list).toContainText("nothing is older", { timeout: 500 });
  }).toPass({ timeout: 20_000 });
  await list.evaluate((box) => { box.scrollTop = 0; });
  await expect(list.locator("li").first()).toContainText("Tool0");
});

test("the figures beside the stream are those of the API", async ({ page, server, request }) => {
  const town = new Town(request, server.url, "figures");
  await town.send(
    call(2_000, { duration_ms: 2_000, session: "s-1" }), call(1_000, { duration_ms: 4_000, session: "s-1", ok: false }),
    ...Array.from({ length: 100 }, (_, n) => tool(n + 1, { tool: "Bash" })), lines(5, 2),
  );
  await page.goto("/t/figures/live");
  await loaded(page);
  const stats = await (await request.get(`${server.url}/api/live/stats?town=figures`)).json();
  const bash = stats.latency.find((each: { window: string }) => each.window === "5m").tools[0];
  expect([bash.name, bash.n]).toEqual(["Bash", 100]);
  expect(Math.abs(bash.p95_ms - 95)).toBeLessThanOrEqual(0.95);
  const row = page.getByRole("region", { name: "Latency by tool" }).locator("tbody tr");
  await expect(row.locator("th")).toHaveText("Bash");
  await expect(row.locator("td").nth(0)).toHaveText("100");
  await expect(row.locator("td").nth(2)).toHaveText(`${Math.floor(bash.p95_ms)} ms`);
  await expect(row.locator("td").nth(4)).toHaveText("0 %");
  const calls = page.getByRole("region", { name: "Newest model calls" }).locator("li");
  await expect(calls).toHaveCount(2);
  await expect(calls.filter({ hasText: "error" })).toHaveCount(1);
  const reading = (name: string) => page.locator(".reading").filter({ has: page.locator(`dt:text-is("${name}")`) });
  await expect(reading("Errors").locator("dd").first()).toHaveText("1");
  await expect(reading("Errors")).toHaveClass(/bad/);
  await expect(reading("Messages").locator("dd").first()).toHaveText("103");
  const today = Number(stats.burn.today) / 1e9;
  await expect(reading("Today").locator("dd").first()).toHaveText(`$${today.toFixed(today < 0.1 ? 4 : 2)}`);
  // What a figure means is a Tab away.
  await reading("Month's end").focus();
  await expect(reading("Month's end").locator(".about")).toBeVisible();
  // A conversation in flight ticks.
  const flight = page.getByRole("region", { name: "Sessions in flight" }).locator("li").filter({ hasText: "toast" });
  const before = await flight.locator(".num").textContent();
  await expect(flight.locator(".num")).not.toHaveText(before ?? "");
});

test("a town that was never heard says that the watcher is not running", async ({ page, server }) => {
  await page.goto("/t/home/live");
  await loaded(page);
  await expect(page.getByText("Watcher not running")).toBeVisible();
  await expect(page.getByText("No session in flight")).toBeVisible();
  expect(server.url).toBeTruthy();
});

test("when the server goes, the figures stay and say how old they are", async ({ page, server, request, complaints }) => {
  complaints.expect(/ERR_CONNECTION_REFUSED|WebSocket|Failed to fetch/);
  await new Town(request, server.url, "gone").send(tool(5));
  await page.goto("/t/gone/live");
  await loaded(page);
  await expect(page.getByRole("log").locator("li")).toHaveCount(1);
  await server.stop();
  await expect(page.locator(".burn .freshness")).toContainText("Link down; these figures are from", { timeout: 15_000 });
  await expect(page.getByRole("log").locator("li")).toHaveCount(1);
});

for (const theme of ["dark", "light"] as const) {
  test(`axe finds nothing on the Live page (${theme})`, async ({ page, server, request }) => {
    await page.emulateMedia({ colorScheme: theme });
    await new Town(request, server.url, `axelive-${theme}`).send(call(1_200, { duration_ms: 900, session: "s-2" }), tool(1), tool(2, { ok: false }), call(5, { model: "nobody-knows-it" }));
    await page.goto(`/t/axelive-${theme}/live`);
    await loaded(page);
    await expect(page.getByRole("log").locator("li")).toHaveCount(4);
    const found = await new AxeBuilder({ page }).analyze();
    expect(found.violations.filter((violation) => ["serious", "critical"].includes(violation.impact ?? ""))).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBe(0);
  });
}
