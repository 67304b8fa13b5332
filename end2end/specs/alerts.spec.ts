// The strip of alerts: appears by itself on every page, leads to where to look, is snoozed by hand or by key, and goes.

import AxeBuilder from "@axe-core/playwright";
import type { Locator, Page } from "@playwright/test";
import { Server } from "../fixtures/server.js";
import { expect, test } from "../fixtures/test.js";
import { Town } from "../fixtures/town.js";

/** Chromium's own word for a page that was not ready in time to be faded in after a click on a link. */
const TRANSITION = /Transition was skipped/;

// Looks each second, and waits for nothing to hold.
let quick: Server;
test.beforeAll(async () => {
  quick = await Server.start(["--alert", "every_s=1,error_hold_s=0"]);
});
test.afterAll(async () => quick.discard());

let sent = 0;
const ts = () => new Date().toISOString();
const tool = (ok: boolean) => ({
  type: "tool_call", ts: ts(), id: `alerts-${sent++}`, rig: "gastown", role: "polecat", agent: "toast", tool: "Bash", ok,
});
const started = (agent: string) => {
  const id = `alerts-${sent++}`;
  return { type: "session", state: "started", ts: ts(), id, session: id, rig: "gastown", role: "polecat", agent };
};
const many = <T>(count: number, make: () => T) => Array.from({ length: count }, make);

const strip = (page: Page) => page.locator("#alerts");
const shown = (page: Page) => strip(page).locator("> ul > li");
const snooze = (line: Locator) => line.getByRole("button", { name: /^Snooze: / });
const choice = (page: Page, name: string) => page.locator(".snooze-menu:popover-open").getByRole("button", { name });

async function live(page: Page, path: string): Promise<void> {
  await page.goto(quick.url + path);
  await expect(page.locator(".link[data-link=live]")).toBeVisible();
}

test("an alert appears by itself, on every page, leads to where to look, and goes when it is over", async ({ page, request, complaints }) => {
  complaints.expect(TRANSITION);
  const town = new Town(request, quick.url, "spike");
  await town.send(tool(true));
  await live(page, "/t/spike");
  await expect(strip(page)).toBeHidden();
  const before = await page.locator("main").boundingBox();
  await town.send(...many(12, () => tool(false)));
  await expect(shown(page)).toHaveCount(1);
  await expect(shown(page)).toContainText("Critical");
  await expect(shown(page)).toContainText("12 of 13 calls failed within 5 min");
  // Since when, by a clock that goes on.
  await expect(shown(page).locator("time")).toHaveText(/^(now|\d+ s ago)$/);
  await expect(page.locator("#alerts-said")).toHaveText(/One alert: 12 of 13 calls failed/);
  for (const path of ["live", "observability", "machine", "sources", "tank"]) {
    const html = await (await request.get(`${quick.url}/t/spike/${path}`)).text();
    expect(html, path).toContain("12 of 13 calls failed within 5 min");
  }
  await shown(page).getByRole("link").click();
  await expect(page).toHaveURL(/\/t\/spike\/live\?level=error$/);
  await expect(shown(page)).toHaveCount(1);
  // Few of many: the spike is over, and leaves no room behind.
  await live(page, "/t/spike");
  await town.send(...many(200, () => tool(true)));
  await expect(strip(page)).toBeHidden();
  expect((await page.locator("main").boundingBox())?.y).toBe(before?.y);
  await expect(page.locator("#alerts-said")).toHaveText("No alerts");
});

test("by keyboard alone it is snoozed, unfolded and woken, and another tab sees it", async ({ page, context, request }) => {
  const town = new Town(request, quick.url, "keys");
  await town.send(...many(6, () => started("toast")));
  await live(page, "/t/keys");
  await expect(shown(page)).toContainText("gastown/toast was started 6 times within 10 min");
  await expect(shown(page)).toContainText("Warning");
  const other = await context.newPage();
  await live(other, "/t/keys/sources");

  await snooze(shown(page)).focus();
  await page.keyboard.press("Enter");
  await expect(choice(page, "15 min")).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.locator(".snooze-menu:popover-open")).toHaveCount(0);
  await expect(snooze(shown(page))).toBeFocused();
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  await expect(choice(page, "15 min")).toBeFocused();
  await page.keyboard.press("Tab");
  await expect(choice(page, "1 h")).toBeFocused();
  await page.keyboard.press("Enter");

  const folded = page.locator("#alerts-snoozed");
  await expect(folded.locator("summary")).toHaveText("1 snoozed");
  await expect(shown(page)).toHaveCount(0);
  await expect(folded.locator("li")).toBeHidden();
  await expect(other.locator("#alerts-snoozed summary")).toHaveText("1 snoozed");
  // The keyboard is still in the strip.
  expect(await page.evaluate(() => document.querySelector("#alerts")?.contains(document.activeElement))).toBe(true);
  await page.reload();
  await expect(folded.locator("summary")).toHaveText("1 snoozed");
  await expect(page.locator(".link[data-link=live]")).toBeVisible();

  await folded.locator("summary").focus();
  await page.keyboard.press("Enter");
  await expect(folded.locator("li time")).toHaveText(/^(59 min|1 h) left$/);
  // News moves the strip; what is unfolded stays so.
  await town.send(...many(6, () => started("nux")));
  await expect(shown(page)).toContainText("gastown/nux");
  await expect(folded.locator("li")).toBeVisible();
  await folded.getByRole("button", { name: /^Wake: / }).focus();
  await page.keyboard.press("Enter");
  await expect(shown(page)).toHaveCount(2);
  await expect(folded).toHaveCount(0);
  await other.close();
});

test("until tomorrow means eight in the morning here, and what ended meanwhile stays gone", async ({ page, request }) => {
  const town = new Town(request, quick.url, "tomorrow");
  await town.send(...many(12, () => tool(false)));
  await live(page, "/t/tomorrow/tank");
  await snooze(shown(page)).click();
  await choice(page, "Until tomorrow, 8:00").click();
  await expect(page.locator("#alerts-snoozed summary")).toHaveText("1 snoozed");
  const { alerts } = await (await request.get(`${quick.url}/api/towns/tomorrow/alerts`)).json();
  const until = new Date(alerts[0].snoozed_until / 1000);
  expect([until.getUTCHours(), until.getUTCDate()]).toEqual([8, new Date(Date.now() + 86_400_000).getUTCDate()]);
  await town.send(...many(200, () => tool(true)));
  await expect(strip(page)).toBeHidden();
});

test("a snooze ends by itself", async ({ page, request }) => {
  test.setTimeout(120_000);
  const town = new Town(request, quick.url, "minute");
  await town.send(...many(6, () => started("toast")));
  await live(page, "/t/minute");
  await expect(shown(page)).toHaveCount(1);
  const { alerts } = await (await request.get(`${quick.url}/api/towns/minute/alerts`)).json();
  const answer = await request.post(`${quick.url}/api/towns/minute/alerts/${alerts[0].id}/snooze`, { data: { minutes: 1 } });
  expect(answer.status()).toBe(200);
  await expect(page.locator("#alerts-snoozed summary")).toHaveText("1 snoozed");
  await expect(shown(page)).toHaveCount(1, { timeout: 80_000 });
  await expect(page.locator("#alerts-snoozed")).toHaveCount(0);
});

test("what the server refuses is said, and nothing is lost", async ({ page, request, complaints }) => {
  complaints.expect(/403|ERR_FAILED/);
  const town = new Town(request, quick.url, "refused");
  await town.send(...many(6, () => started("toast")));
  await live(page, "/t/refused");
  let answers = 0;
  await page.route("**/snooze", async (route) => (answers++ === 0 ? route.fulfill({ status: 403 }) : route.abort()));
  for (const words of ["it takes scope “admin”", "Try again."]) {
    await snooze(shown(page)).click();
    await choice(page, "15 min").click();
    await expect(page.locator("#alerts-said")).toContainText(words);
    await expect(page.locator("#alerts-said")).toBeVisible();
  }
  await expect(shown(page)).toHaveCount(1);
});

for (const colorScheme of ["dark", "light"] as const) {
  test(`three at most are shown, also on a phone, and axe finds nothing: ${colorScheme}`, async ({ page, request }) => {
    const town = new Town(request, quick.url, `many-${colorScheme}`);
    await town.send(...["a", "b", "c", "d"].flatMap((agent) => many(6, () => started(agent))), ...many(12, () => tool(false)));
    await page.emulateMedia({ colorScheme });
    for (const width of [1440, 390]) {
      await page.setViewportSize({ width, height: 900 });
      await live(page, `/t/many-${colorScheme}`);
      await expect(shown(page)).toHaveCount(3);
      await expect(shown(page).first()).toContainText("Critical");
      const more = page.locator("#alerts-more");
      await expect(more.locator("summary")).toHaveText("and 2 more");
      await more.locator("summary").click();
      await expect(more.locator("li").first()).toBeVisible();
      await snooze(shown(page).first()).click();
      const menu = page.locator(".snooze-menu:popover-open");
      await expect(menu).toBeVisible();
      const box = await menu.boundingBox();
      expect(box && box.x >= 0 && box.x + box.width <= width, `the menu is on the screen at ${width} px`).toBe(true);
      const { violations } = await new AxeBuilder({ page }).analyze();
      const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
      expect(serious.map(({ id, nodes }) => `${id} at ${nodes.map((n) => n.target).join(", ")}`)).toEqual([]);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      expect(overflow, `wider than ${width} px`).toBeLessThanOrEqual(0);
      if (process.env.TOWNGAUGE_STRIPS) await page.screenshot({ path: `${process.env.TOWNGAUGE_STRIPS}/${colorScheme}-${width}.png` });
      await page.keyboard.press("Escape");
    }
  });
}
