// Machines that ship their events here, on the Sources page: how to connect one, and how it stands with each.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import AxeBuilder from "@axe-core/playwright";
import type { APIRequestContext, Page } from "@playwright/test";
import { loaded } from "../fixtures/hydration.js";
import { Program } from "../fixtures/process.js";
import { BINARY } from "../fixtures/server.js";
import { expect, test } from "../fixtures/test.js";
import { Town, call } from "../fixtures/town.js";

const panel = (page: Page) => page.getByRole("region", { name: "Machines" });
const row = (page: Page, name: string) => page.locator(`li.shipper[data-machine="${name}"]`);
const count = (page: Page, name: string, of: string) => row(page, name).locator(`.count[data-count="${of}"] .n`);

/** A sign of life as `towngauge watch --to` sends it, with bad lines of a batch. */
async function ship(request: APIRequestContext, url: string, town: string, name: string, head: object = {}, batch = 0, bad = 0): Promise<void> {
  const id = Buffer.from(name.padEnd(16, "x")).toString("hex").slice(0, 32);
  const shipper = id.replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, "$1-$2-$3-$4-$5");
  const lines: object[] = [{ ship: 1, shipper, name, host: "linux x86_64", version: "9.9", waiting_bytes: 0, oldest_us: null, parked: 0, error: null, ...head }];
  if (batch > 0) lines.push({ batch: { seq: batch, more: false } });
  for (let n = 1; n <= bad; n++) lines.push({ rejected: { source: "codex", place: `a.jsonl:${n}`, reason: "no JSON" } });
  const answer = await request.post(`${url}/api/ship?town=${town}`, {
    headers: { "content-type": "application/x-ndjson" },
    data: lines.map((line) => JSON.stringify(line)).join("\n") + "\n",
  });
  expect(answer.status(), await answer.text()).toBe(200);
}

test("without any machine the page says how to ship, and what it says, pasted on another, brings that machine and its counts", async ({ page, server, request, context }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await new Town(request, server.url, "shipped").send(call(10));
  await page.goto("/t/shipped/sources");
  await loaded(page);
  await expect(panel(page)).toContainText("No other machine ships here");
  await expect(panel(page)).toContainText("towngauge key create --scope ingest laptop");
  await panel(page).getByRole("button", { name: /Copy: There/ }).click();
  const pasted = await page.evaluate(() => navigator.clipboard.readText());
  expect(pasted).toBe(`towngauge watch --to ${server.url} --key-env TOWNGAUGE_KEY --town shipped`);

  const home = mkdtempSync(join(tmpdir(), "towngauge-elsewhere-"));
  const sessions = join(home, ".claude/projects/-work");
  mkdirSync(sessions, { recursive: true });
  const message = { id: "msg_1", type: "message", role: "assistant", model: "claude-sonnet-4-5", content: [], usage: { input_tokens: 5, output_tokens: 7 } };
  const line = { type: "assistant", uuid: "u1", timestamp: new Date().toISOString(), sessionId: "s1", requestId: "req_1", cwd: "/work", message };
  writeFileSync(join(sessions, "s1.jsonl"), `${JSON.stringify(line)}\n`);
  // As somebody does who pastes it there: another home, the program on the path, the key in the environment.
  const env = `HOME=${home} TOWNGAUGE_KEY=tg_none PATH=${dirname(BINARY)}:${process.env.PATH ?? ""}`;
  const shipper = new Program("/bin/sh", ["-c", `unset XDG_STATE_HOME CLAUDE_CONFIG_DIR; export ${env}; exec ${pasted} --name elsewhere`]);
  try {
    // The page is not loaded again.
    await expect(row(page, "elsewhere"), shipper.output).toBeVisible({ timeout: 30_000 });
    await expect(row(page, "elsewhere")).toHaveAttribute("data-standing", "connected");
    await expect(row(page, "elsewhere").locator(".standing")).toHaveText("Connected");
    // The beginning of the session, and the call.
    await expect(count(page, "elsewhere", "Received")).toHaveText("2");
    await expect(count(page, "elsewhere", "Stored")).toHaveText("2");
    await expect(panel(page)).toContainText("1 connected");
    await expect(panel(page)).not.toContainText("No other machine");
  } finally {
    await shipper.stop(10_000);
    rmSync(home, { recursive: true, force: true });
  }
});

test("each machine tells what waits, how far it is behind, what was put aside and what was dropped; and counts go on while the page is open", async ({ page, browser, server, request }) => {
  await new Town(request, server.url, "several").send(call(10));
  const minuteAgo = (Date.now() - 5 * 60_000) * 1_000;
  await ship(request, server.url, "several", "desk", {}, 1, 2);
  await ship(request, server.url, "several", "laptop", { waiting_bytes: 1_234_567, oldest_us: minuteAgo, parked: 3, dropped: 7, error: "the server answered 503" });

  const plain = await browser.newContext({ javaScriptEnabled: false, baseURL: server.url });
  const first = await plain.newPage();
  await first.goto("/t/several/sources");
  await expect(count(first, "desk", "Rejected")).toHaveText("2");
  await plain.close();

  await page.goto("/t/several/sources");
  await loaded(page);
  await expect(panel(page)).toContainText("2 connected");
  await expect(count(page, "desk", "Received")).toHaveText("2");
  await expect(row(page, "desk").locator('[data-cell="waiting"]')).toContainText("none");
  await expect(row(page, "desk").locator(".shipper-note")).toHaveCount(0);
  const laptop = row(page, "laptop");
  await expect(laptop.locator('[data-cell="waiting"]')).toContainText("1.2 MB");
  await expect(laptop.locator('[data-cell="lag"]')).toContainText("5 min");
  await expect(laptop.locator('[data-cell="aside"]')).toContainText("3");
  await expect(laptop.locator(".shipper-note")).toContainText("Heard again after: the server answered 503");
  await expect(laptop.locator(".shipper-note")).toContainText("7 older of these are gone");

  await ship(request, server.url, "several", "desk", { waiting_bytes: 900 }, 2, 1);
  for (const [of, n] of [["Received", "3"], ["Stored", "0"], ["Duplicate", "0"], ["Rejected", "3"]] as const) {
    await expect(count(page, "desk", of)).toHaveText(n);
  }
  await expect(row(page, "desk").locator('[data-cell="waiting"]')).toContainText("900 B");
});

for (const colorScheme of ["dark", "light"] as const) {
  test(`axe finds nothing serious among machines, and nothing sticks out at 390 px: ${colorScheme}`, async ({ page, server, request }) => {
    await new Town(request, server.url, "axe-machines").send(call(10));
    await page.emulateMedia({ colorScheme });
    for (const shown of ["none", "some"]) {
      if (shown === "some") {
        await ship(request, server.url, "axe-machines", "a-laptop-with-a-name-that-is-rather-long", { parked: 1, dropped: 2 }, 1, 1);
      }
      for (const width of [1440, 390, 360]) {
        await page.setViewportSize({ width, height: 900 });
        await page.goto("/t/axe-machines/sources");
        await loaded(page);
        const { violations } = await new AxeBuilder({ page }).include(".machines").analyze();
        const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
        expect(serious.map(({ id, nodes }) => `${width}: ${id} at ${nodes.map((n) => n.target).join(", ")}`)).toEqual([]);
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        expect(overflow, `${width} px, ${shown}`).toBeLessThanOrEqual(0);
      }
    }
  });
}
