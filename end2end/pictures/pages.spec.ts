// Pictures of every page in every state, dark and light, wide and narrow, for a person to look at. The demo town is made
// from its fixed seed at a fixed time, so that two runs show the same.

import { join } from "node:path";
import { type Page, test } from "@playwright/test";
import { Server } from "../fixtures/server.js";

const FOLDER = process.env.TOWNGAUGE_PICTURES ?? "test-results/pictures";
// A Thursday afternoon: the town is at work.
const CLOCK = "2026-02-26T15:20:00Z";
const SIZES = [
  { width: 1440, height: 900 },
  { width: 390, height: 844 },
];
const PAGES = { towns: "/", overview: "/t/demo", live: "/t/demo/live", observability: "/t/demo/observability?window=24h", machine: "/t/demo/machine", sources: "/t/demo/sources", tank: "/t/demo/tank" };
const NOTHING = { "first-run": "/", "empty-overview": "/t/home", "empty-live": "/t/home/live", "empty-observability": "/t/home/observability", "machine-home": "/t/home/machine", "empty-sources": "/t/home/sources", "empty-tank": "/t/home/tank", "no-town": "/t/nowhere" };
const MACHINE = { ship: 1, shipper: "00000000-0000-0000-0000-000000000001", name: "desk", host: "linux x86_64", version: "0.1.0", waiting_bytes: 0, oldest_us: null, parked: 0, error: null };
const MACHINES = [
  {},
  { shipper: "00000000-0000-0000-0000-000000000002", name: "laptop", host: "macos aarch64", waiting_bytes: 1_234_567, oldest_us: Date.parse(CLOCK) * 1_000 - 400e6, parked: 3, error: "the server answered 503" },
];
// Needles come to rest, charts are drawn.
const SETTLE_MS = 2_500;

for (const colorScheme of ["dark", "light"] as const) {
  for (const viewport of SIZES) {
    test.describe(`${colorScheme} ${viewport.width}`, () => {
      test.use({ colorScheme, viewport, timezoneId: "Europe/Zurich" });
      const take = async (page: Page, name: string) => {
        await page.waitForTimeout(SETTLE_MS);
        const path = join(FOLDER, `${name}-${colorScheme}-${viewport.width}.png`);
        await page.screenshot({ path, fullPage: viewport.width < 600 });
      };

      test("live, and then disconnected", async ({ page, request }) => {
        test.setTimeout(120_000);
        const server = await Server.start(["--clock", CLOCK]);
        try {
          await request.post(`${server.url}/api/demo`);
          for (const [name, path] of Object.entries(PAGES)) {
            await page.goto(server.url + path);
            await take(page, name);
          }
          await page.goto(`${server.url}${PAGES.observability}`);
          await page.waitForTimeout(SETTLE_MS);
          await page.locator(".plot-box").first().hover({ position: { x: viewport.width * 0.6, y: 80 } });
          await take(page, "observability-hover");
          await page.goto(`${server.url}${PAGES.overview}`);
          await page.locator(".link[data-link=live]").waitFor();
          await page.locator("button.machine").click();
          await take(page, "machine-popover");
          await server.kill();
          await page.locator(".link[data-link=down]").waitFor({ timeout: 30_000 });
          await take(page, "overview-disconnected");
          await server.startAgain();
          await page.goto(`${server.url}${PAGES.sources}`);
          await page.locator(".link[data-link=live]").waitFor();
          await page.locator("li.source summary").first().click();
          await server.kill();
          await page.locator('.freshness[data-stale="true"]').waitFor({ timeout: 30_000 });
          await take(page, "sources-disconnected");
        } finally {
          await server.discard();
        }
      });

      test("without data, and with little", async ({ page, request }) => {
        const server = await Server.start(["--clock", CLOCK]);
        try {
          for (const [name, path] of Object.entries(NOTHING)) {
            await page.goto(server.url + path);
            await take(page, name);
          }
          // One tank, and machines in every state but stale, which needs time to pass.
          await request.post(`${server.url}/api/ingest?town=one`, { data: [{ type: "session", ts: CLOCK, session: "s", state: "started" }] });
          await request.post(`${server.url}/api/towns/one/topup`, { data: { usd: "50", note: "March" } });
          await page.goto(`${server.url}/t/one/tank`);
          await take(page, "one-tank");
          for (const head of MACHINES) {
            const headers = { "content-type": "application/x-ndjson" };
            await request.post(`${server.url}/api/ship?town=one`, { headers, data: `${JSON.stringify({ ...MACHINE, ...head })}\n` });
          }
          await page.goto(`${server.url}/t/one/sources`);
          await take(page, "sources-machines");
        } finally {
          await server.discard();
        }
      });
    });
  }
}
