// Sources and Tank by keyboard alone: everything is reached in the order in which it is read, seen when it is, and used.

import type { Page } from "@playwright/test";
import { loaded } from "../fixtures/hydration.js";
import { expect, test } from "../fixtures/test.js";
import { Town, call } from "../fixtures/town.js";

/** What Tab came to. */
interface Stop {
  /** Its place among all that can be used, in the order of the document. */
  at: number;
  name: string;
  outline: boolean;
  /** Nothing lies over it, and it is on the screen. */
  seen: boolean;
}

const USABLE = 'a[href], button, input, select, summary, [tabindex="0"]';

/** Presses Tab until the page is left. */
async function walk(page: Page): Promise<{ stops: Stop[]; usable: string[] }> {
  const usable = await page.evaluate((usable) => {
    const name = (element: Element): string =>
      (element.getAttribute("aria-label") ?? element.textContent ?? "").trim().replace(/\s+/g, " ").slice(0, 60) || element.tagName;
    const all = [...document.querySelectorAll<HTMLElement>(usable)].filter((element) => element.checkVisibility());
    Object.assign(window, { usableElements: all });
    return all.map(name);
  }, USABLE);
  const stops: Stop[] = [];
  for (let presses = 0; presses < usable.length + 5; presses++) {
    await page.keyboard.press("Tab");
    const stop = await page.evaluate(() => {
      const element = document.activeElement as HTMLElement | null;
      if (!element || element === document.body) return null;
      const all = (window as unknown as { usableElements: HTMLElement[] }).usableElements;
      const style = getComputedStyle(element);
      const box = element.getBoundingClientRect();
      const [x, y] = [box.left + Math.min(box.width / 2, 40), box.top + Math.min(box.height / 2, 20)];
      const hit = document.elementFromPoint(x, y);
      return {
        at: all.indexOf(element),
        name: (element.getAttribute("aria-label") ?? element.textContent ?? element.tagName).trim().slice(0, 60),
        outline: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
        seen: hit !== null && (element.contains(hit) || hit.contains(element)) && box.bottom > 0 && box.top < innerHeight,
      };
    });
    if (!stop) break;
    stops.push(stop);
  }
  return { stops, usable };
}

async function checkWalk(page: Page): Promise<void> {
  const { stops, usable } = await walk(page);
  // Every control once, in the document's order; the first is the way past the header.
  expect(stops.map((stop) => stop.at)).toEqual(usable.map((_, index) => index));
  expect(stops[0]?.name).toBe("Skip to content");
  expect(stops.filter((stop) => !stop.outline).map((stop) => stop.name), "without a ring").toEqual([]);
  expect(stops.filter((stop) => !stop.seen).map((stop) => stop.name), "not to be seen").toEqual([]);
}

/** Focuses by Tab what has this name. */
async function tabTo(page: Page, name: RegExp): Promise<void> {
  for (let presses = 0; presses < 120; presses++) {
    await page.keyboard.press("Tab");
    const found = await page.evaluate(() => {
      const element = document.activeElement;
      const label = element instanceof HTMLInputElement ? element.labels?.[0]?.textContent : null;
      return element?.getAttribute("aria-label") ?? label ?? element?.textContent ?? "";
    });
    if (name.test(found.trim())) return;
  }
  throw new Error(`Tab never came to ${name}`);
}

for (const width of [1440, 390]) {
  test(`Sources is walked through by Tab, in order and always in sight: ${width} px`, async ({ page, server, request }) => {
    const town = new Town(request, server.url, `walk-${width}`);
    await town.send(call(10), call(10, { model: "nobody-prices-this" }));
    await request.post(`${server.url}/api/ingest?town=walk-${width}`, { data: [{ type: "nothing" }] });
    await page.setViewportSize({ width, height: 800 });
    await page.goto(`/t/walk-${width}/sources`);
    await loaded(page);
    await checkWalk(page);
  });

  test(`Tank is walked through by Tab, in order and always in sight: ${width} px`, async ({ page, server, request }) => {
    const town = new Town(request, server.url, `walk-tank-${width}`);
    await town.send(call(10));
    await town.topup("10");
    await page.setViewportSize({ width, height: 800 });
    await page.goto(`/t/walk-tank-${width}/tank`);
    await loaded(page);
    await expect(page.locator(".ledger tbody tr")).toHaveCount(1);
    await checkWalk(page);
  });
}

test("a source opens with Enter and closes with Escape, which leaves the focus on it; a command is copied with Space", async ({ page, server, request, context }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await new Town(request, server.url, "keys").send(call(10));
  await page.goto("/t/keys/sources");
  await loaded(page);
  const source = page.locator('li.source[data-source="api"]');
  await tabTo(page, /^HTTP|posted JSON/);
  await expect(source.locator("summary")).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(source.getByText("Input is without cache already")).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(source.getByText("Input is without cache already")).toBeHidden();
  await expect(source.locator("summary")).toBeFocused();
  await tabTo(page, /^Copy: There/);
  await page.keyboard.press("Space");
  await expect(page.getByText("Copied")).toBeVisible();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toContain("towngauge watch --to");
});

test("a tank is filled without a pointer, and the focus stays where it was", async ({ page, server, request }) => {
  await new Town(request, server.url, "fill").send(call(10));
  await page.goto("/t/fill/tank");
  await loaded(page);
  await tabTo(page, /^Dollars/);
  await page.keyboard.type("25");
  await tabTo(page, /^Note/);
  await page.keyboard.type("by Tab");
  await tabTo(page, /^Fill up$/);
  await page.keyboard.press("Enter");
  await expect(page.locator(".topup .sent")).toHaveText("Filled $25.00.");
  await expect(page.locator(".ledger tbody tr").first()).toContainText("by Tab");
  await expect(page.getByRole("button", { name: "Fill up" })).toBeFocused();
});
