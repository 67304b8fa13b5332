// Machine: the popover in the header, the page, and what both say when there is nothing or nothing new.

import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { loaded } from "../fixtures/hydration.js";
import { Machine, space } from "../fixtures/machine.js";
import { expect, test } from "../fixtures/test.js";
import { Town, call } from "../fixtures/town.js";

const chip = (page: Page) => page.locator("button.machine");
const popover = (page: Page) => page.locator("#machine");
const row = (page: Page, label: string) => popover(page).locator(`dt:text-is("${label}") + dd`);
const dial = (page: Page, host: string, instrument: string) => page.locator(`section.host[data-host="${host}"] .host-dial[data-instrument="${instrument}"] .host-figure`);

test("the popover opens by a click and by a key, follows, and closes on Escape and on a click elsewhere", async ({ page, server, request }) => {
  await new Town(request, server.url, "pop").send(call(1_200));
  const machine = new Machine(request, server.url, "pop", "laptop");
  await machine.report(23.4);
  await page.goto("/t/pop");
  await loaded(page);
  await expect(chip(page)).toContainText("CPU 23 %");
  await expect(popover(page)).toBeHidden();
  await chip(page).click();
  await expect(popover(page)).toBeVisible();
  await expect(popover(page).getByRole("heading")).toContainText("laptop");
  await expect(row(page, "CPU")).toHaveText("23 %");
  await expect(row(page, "Memory")).toHaveText("12.0 of 32.0 GiB · 38 %");
  await expect(row(page, "GPU")).toHaveText("Not available");
  await expect(row(page, "VRAM")).toHaveText("Not available");
  await expect(row(page, "Tokens, this run")).toHaveText("1.21k");

  // Live, without opening it again.
  await machine.report(71, { percent: 88, vram: space(6, 24) });
  await expect(row(page, "CPU")).toHaveText("71 %");
  await expect(row(page, "GPU")).toHaveText("88 %");
  await expect(row(page, "VRAM")).toHaveText("6.0 of 24.0 GiB · 25 %");
  await expect(chip(page)).toHaveAttribute("data-machine", "Live");

  await page.keyboard.press("Escape");
  await expect(popover(page)).toBeHidden();
  await expect(chip(page)).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(popover(page)).toBeVisible();
  // Into it by keyboard, and back out of it.
  await page.keyboard.press("Tab");
  await expect(popover(page).getByRole("link")).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(popover(page)).toBeHidden();
  await expect(chip(page)).toBeFocused();
  await chip(page).click();
  await expect(popover(page)).toBeVisible();
  await page.locator("main").click({ position: { x: 10, y: 300 } });
  await expect(popover(page)).toBeHidden();

  await chip(page).click();
  await popover(page).getByRole("link").click();
  await expect(page).toHaveURL(/\/t\/pop\/machine$/);
});

test("it stands in the header of every page of a town", async ({ page, server, request }) => {
  test.slow();
  await new Town(request, server.url, "every").send(call(10));
  await new Machine(request, server.url, "every", "laptop").report(5);
  for (const path of ["", "/observability", "/machine", "/sources", "/tank"]) {
    await page.goto(`/t/every${path}`);
    await loaded(page);
    await chip(page).click();
    await expect(row(page, "CPU")).toHaveText("5 %");
  }
});

test("values older than ten seconds are dimmed and called stale, by a timer", async ({ page, server, request }) => {
  await new Town(request, server.url, "stale").send(call(10));
  const machine = new Machine(request, server.url, "stale", "laptop");
  await machine.report(23.4);
  await page.goto("/t/stale/machine");
  await loaded(page);
  const host = page.locator('section.host[data-host="laptop"]');
  await expect(chip(page)).toHaveAttribute("data-machine", "Live");
  await expect(host).toHaveAttribute("data-machine", "Live");
  // Nothing comes any more.
  await expect(chip(page)).toHaveAttribute("data-machine", "Stale", { timeout: 15_000 });
  await expect(host).toHaveClass(/stale/);
  await expect(host.locator(".host-note")).toContainText(/were read \d+ s ago/);
  await expect(dial(page, "laptop", "cpu")).toHaveText("23.4 %");
  await chip(page).click();
  await expect(popover(page)).toContainText(/Stale: read \d+ s ago/);
  const colour = (of: string) => popover(page).locator(of).first().evaluate((element) => getComputedStyle(element).color);
  expect(await colour("dd")).toBe(await colour("dt"));
  await machine.report(30);
  await expect(chip(page)).toHaveAttribute("data-machine", "Live");
  expect(await colour("dd")).not.toBe(await colour("dt"));
});

test("the page shows what the API says, of every host, and the first paint too", async ({ browser, page, server, request }) => {
  test.slow();
  await new Town(request, server.url, "many").send(call(10));
  await new Machine(request, server.url, "many", "anvil").report(61.5, { percent: 0, vram: space(1, 24) });
  await new Machine(request, server.url, "many", "bellows").report(7.2);
  const { hosts } = await (await request.get(`${server.url}/api/towns/many/hosts`)).json();
  expect(hosts.map((host: { type: string; host: string }) => [host.type, host.host])).toEqual([["perf_metrics", "anvil"], ["perf_metrics", "bellows"]]);
  const context = await browser.newContext({ javaScriptEnabled: false, baseURL: server.url });
  const plain = await context.newPage();
  for (const [view, hydrated] of [[plain, false], [page, true]] as const) {
    await view.goto("/t/many/machine");
    if (hydrated) await loaded(view);
    for (const host of hosts) {
      await expect(dial(view, host.host, "cpu")).toHaveText(`${host.cpu.percent.toFixed(1)} %`);
      await expect(dial(view, host.host, "memory")).toHaveText(`${host.memory.percent.toFixed(1)} %`);
      await expect(dial(view, host.host, "disk")).toHaveText(`${host.disk.percent.toFixed(1)} %`);
    }
    await expect(dial(view, "anvil", "gpu")).toHaveText("0.0 %");
    await expect(dial(view, "bellows", "gpu")).toHaveText("Not available");
    await expect(dial(view, "bellows", "vram")).toHaveText("Not available");
  }
  await context.close();
  // The chip stays with its machine while both report.
  await expect(chip(page)).toContainText("CPU 62 %");
  await expect(page.locator(".own")).toContainText("Queue");
  await expect(page.locator(".own dd").first()).toHaveText(/\d %/, { timeout: 15_000 });
});

test("how long an event takes until it is seen is measured on the page itself", async ({ page, server, request }) => {
  await new Town(request, server.url, "aged").send(call(10));
  await page.goto("/t/aged/machine");
  await loaded(page);
  const age = page.locator('.own dt:text-is("Event to pixel") + dd');
  await expect(age).toHaveText(/^\d+ ms · worst \d+ ms$/, { timeout: 15_000 });
  const told = (await (await request.get(`${server.url}/api/system/cost`)).json()).event_to_pixel;
  expect(told.back).toBeGreaterThan(0);
  // Painted within the second, and not before it was sent.
  expect(told.median_ms).toBeGreaterThan(0);
  expect(told.median_ms).toBeLessThan(5_000);
  expect(told.worst_ms).toBeGreaterThanOrEqual(told.median_ms);
  // Nothing of it is an event.
  expect((await (await request.get(`${server.url}/api/towns/aged/events`)).json()).events).toHaveLength(1);
});

test("this machine's own past shows as exact values, under the pointer, by keyboard, and in a table", async ({ page, server, request }) => {
  await new Town(request, server.url).send(call(10));
  await page.goto("/t/home/machine");
  await loaded(page);
  const cpu = page.locator('.host-chart[data-instrument="cpu"]');
  // The server has read its own machine since it started; a step is stored when it is over.
  await expect(async () => {
    const past = await (await request.get(`${server.url}/api/towns/home/hosts/history?window=1h`)).json();
    expect(past.hosts[0]?.cpu_percent.filter((share: number | null) => share !== null).length).toBeGreaterThan(0);
  }).toPass({ timeout: 45_000 });
  await page.reload();
  await loaded(page);
  const past = await (await request.get(`${server.url}/api/towns/home/hosts/history?window=1h`)).json();
  const last: number = past.hosts[0].cpu_percent.findLast((share: number | null) => share !== null);
  await cpu.locator(".plot").focus();
  await page.keyboard.press("End");
  await expect(cpu.locator(".readout")).toHaveClass(/shown/);
  for (let step = 0; step < 4 && (await cpu.locator(".readout td").textContent()) === "no data"; step++) await page.keyboard.press("ArrowLeft");
  await expect(cpu.locator(".readout td")).toHaveText(/^\d+\.\d %$/);
  await page.keyboard.press("Escape");
  await expect(cpu.locator(".readout")).not.toHaveClass(/shown/);
  await page.locator("details.twin summary").first().click();
  await expect(page.locator(".twin tbody td").getByText(`${last.toFixed(1)} %`).first()).toBeVisible();

  await page.getByRole("link", { name: "The last 7d" }).click();
  await expect(page).toHaveURL(/window=7d$/);
  await expect(page.locator(".resolution")).toHaveText("30 min means");
  await page.goBack();
  await expect(page.locator(".resolution")).toHaveText("15 s means");
});

test("a town whose machines nobody reads says what to do", async ({ page, server, request }) => {
  await new Town(request, server.url, "none").send(call(10));
  await page.goto("/t/none/machine");
  await loaded(page);
  await expect(page.getByText("No machine of this town has been read")).toBeVisible();
  await expect(page.locator(".no-host code")).toContainText(`towngauge watch --to ${server.url}`);
  await expect(page.locator(".no-host code")).toContainText("--town none");
  await chip(page).click();
  await expect(popover(page)).toContainText("No machine of this town is read");
});

test("with the server gone the page keeps its figures and says that they are old", async ({ page, server, request, complaints }) => {
  complaints.expect(/WebSocket|ERR_CONNECTION_REFUSED|Failed to load resource/);
  await new Town(request, server.url, "gone").send(call(10));
  await new Machine(request, server.url, "gone", "laptop").report(23.4);
  await page.goto("/t/gone/machine");
  await expect(page.locator(".link[data-link=live]")).toBeVisible();
  await server.kill();
  await expect(page.locator(".link[data-link=down]")).toBeVisible({ timeout: 20_000 });
  await expect(page.locator("section.host.stale")).toHaveCount(1);
  await expect(dial(page, "laptop", "cpu")).toHaveText("23.4 %");
  await expect(chip(page)).toHaveAttribute("data-machine", "Stale", { timeout: 15_000 });
  await server.startAgain();
  await expect(page.locator(".link[data-link=live]")).toBeVisible({ timeout: 40_000 });
});

test("axe finds nothing in the page, and nothing in the open popover", async ({ page, server, request }) => {
  test.slow();
  await new Town(request, server.url, "axed").send(call(10));
  await new Machine(request, server.url, "axed", "laptop").report(23.4);
  for (const colorScheme of ["dark", "light"] as const) {
    for (const width of [1440, 390]) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 900 });
      await page.goto("/t/axed/machine");
      await loaded(page);
      await chip(page).click();
      await expect(popover(page)).toBeVisible();
      const { violations } = await new AxeBuilder({ page }).analyze();
      expect(violations.map(({ id, nodes }) => `${id} at ${nodes.map((n) => n.target).join(", ")}`)).toEqual([]);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      expect(overflow, `wider than ${width} px`).toBeLessThanOrEqual(0);
    }
  }
});
