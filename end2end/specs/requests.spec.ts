// Requests in flight and lines of logs on the Live page: what begins appears and ticks, what ends goes, what is lost says so.

import { loaded } from "../fixtures/hydration.js";
import { expect, test } from "../fixtures/test.js";
import { Town } from "../fixtures/town.js";

const request_ = (id: string, state: string, more: Record<string, unknown> = {}) => ({
  type: "request", ts: new Date().toISOString(), request_id: id, state, session: "s-1", agent: "toast", rig: "gastown",
  role: "polecat", model: "claude-sonnet-4-5", ...more,
});

const log = (level: string, message: string) => ({
  type: "log", ts: new Date().toISOString(), level, source: "gateway", message, rig: "gastown",
});

const ago = (seconds: number) => new Date(Date.now() - seconds * 1000).toISOString();

test("an active request appears, ticks and goes", async ({ page, server, request }) => {
  const town = new Town(request, server.url, "flights");
  await town.send(request_("other", "started", { ts: ago(200) }), request_("other", "ended", { ts: ago(190) }));
  await page.goto("/t/flights/live");
  await loaded(page);
  const reading = page.locator(".reading").filter({ has: page.locator(`dt:text-is("Requests")`) }).locator("dd").first();
  await expect(page.getByText("No active requests")).toBeVisible();
  await expect(page.getByText("lost after 10 min")).toBeVisible();
  await expect(reading).toHaveText("0");

  await town.send(request_("one", "started", { ts: ago(65) }));
  const row = page.getByRole("region", { name: "Requests in flight" }).locator("li");
  await expect(row).toHaveCount(1, { timeout: 10_000 });
  await expect(row).toContainText("toast");
  await expect(row).toContainText("claude-sonnet-4-5 · api");
  await expect(reading).toHaveText("1");
  await expect(row.locator(".num")).toHaveText(/^1:\d\d$/);
  const before = await row.locator(".num").textContent();
  await expect(row.locator(".num")).not.toHaveText(before ?? "");

  await town.send(request_("one", "ended", { duration_ms: 66_000 }));
  await expect(page.getByText("No active requests")).toBeVisible({ timeout: 10_000 });
  await expect(reading).toHaveText("0");
  const ended = page.getByRole("log", { name: "Event stream" }).locator("li").last();
  await expect(ended).toContainText("claude-sonnet-4-5 ended");
  await expect(ended).toHaveAttribute("data-level", "info");
});

test("a request whose end never came is shown as lost, and a late end takes its place", async ({ page, server, request }) => {
  const town = new Town(request, server.url, "lost");
  await town.send(request_("gone", "started", { ts: ago(601) }));
  await page.goto("/t/lost/live");
  await loaded(page);
  await expect(page.getByText("No active requests")).toBeVisible();
  const rows = page.getByRole("log", { name: "Event stream" }).locator("li");
  const lost = rows.filter({ hasText: "claude-sonnet-4-5 lost" });
  await expect(lost).toHaveCount(1, { timeout: 15_000 });
  await expect(lost).toHaveAttribute("data-level", "warn");
  await expect(lost.locator(".level")).toHaveText("WARN");
  await town.send(request_("gone", "ended", { ok: false }));
  const ended = rows.filter({ hasText: "claude-sonnet-4-5 ended" });
  await expect(ended).toHaveAttribute("data-level", "error");
  await expect(lost).toHaveCount(0);
});

test("lines of logs stand in the stream with level and source, and a source in the address shows nothing else", async ({ page, server, request }) => {
  const town = new Town(request, server.url, "logs");
  // One after the other: of two in one millisecond neither is the earlier.
  await town.send(log("info", "listening"));
  await town.send(log("warn", "ann@example.org is slow"));
  await page.goto("/t/logs/live");
  await loaded(page);
  const rows = page.getByRole("log", { name: "Event stream" }).locator("li");
  await expect(rows).toHaveCount(2);
  await expect(rows.first()).toContainText("gateway: listening");
  await expect(rows.first().locator(".source")).toHaveText("api");
  await expect(rows.last()).toContainText("gateway: [e-mail] is slow");
  await expect(rows.last().locator(".level")).toHaveText("WARN");
  // Live, and in red.
  await town.send(log("error", "upstream refused sk-ant-REDACTED"));
  await expect(rows.last()).toContainText("upstream refused [secret]");
  await expect(rows.last()).toHaveAttribute("data-level", "error");
  const colour = (line: typeof rows) => line.locator(".what").evaluate((what) => getComputedStyle(what).color);
  expect(await colour(rows.last())).not.toBe(await colour(rows.first()));

  // What came by another way.
  const exported = {
    resourceLogs: [{ resource: { attributes: [{ key: "service.name", value: { stringValue: "claude-code" } }] }, scopeLogs: [{
      scope: { name: "x" }, logRecords: [{ timeUnixNano: `${Date.now()}000000`, body: { stringValue: "claude_code.tool_result" }, attributes: [
        { key: "event.name", value: { stringValue: "tool_result" } }, { key: "session.id", value: { stringValue: "s-9" } },
        { key: "tool_name", value: { stringValue: "Grep" } }, { key: "success", value: { stringValue: "true" } },
        { key: "duration_ms", value: { intValue: "12" } },
      ] }] }] }],
  };
  expect((await request.post(`${server.url}/v1/logs?town=logs`, { data: exported })).ok()).toBe(true);
  await expect(rows).toHaveCount(4);
  await expect(rows.filter({ hasText: "Grep" }).locator(".source")).toHaveText("claude code otel");
  await page.getByRole("combobox", { name: "Kind" }).selectOption("log");
  await expect(rows).toHaveCount(3);
  await page.goto("/t/logs/live?source=claude_code_otel");
  await loaded(page);
  await expect(rows).toHaveCount(1);
  await expect(rows).toContainText("Grep");
  await expect(page.getByRole("combobox", { name: "Source" })).toHaveValue("claude_code_otel");
  await page.getByRole("combobox", { name: "Source" }).selectOption("api");
  await expect(page).toHaveURL(/\?source=api$/);
  await expect(rows).toHaveCount(3);
});
