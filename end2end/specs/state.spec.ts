// What is not so must not look so: on every page of a town, with every API answering 503, with the link cut, and with
// the database lost, the figures stay, say that they are old, and recover by themselves.

import type { Locator, Page } from "@playwright/test";
import { Database } from "../fixtures/database.js";
import { loaded } from "../fixtures/hydration.js";
import { Machine } from "../fixtures/machine.js";
import { expect, test } from "../fixtures/test.js";
import { Town, call, lines, tool } from "../fixtures/town.js";

type Case = {
  name: string;
  /** Behind `/t/TOWN`. */
  path: string;
  /** A figure that must stay. */
  figure: (page: Page) => Locator;
  /** How to make it read again at once, where it reads seldom. */
  again?: (page: Page, town: Town) => Promise<void>;
};

/** How old the figures are, in the words of the pages. */
const AGE = /(these figures are|What is shown is) from (now|\d+ (s|min)( ago)?)/;

const CASES: Case[] = [
  { name: "Live", path: "/live", figure: (page) => page.getByRole("log").locator("li").first() },
  {
    name: "Observability", path: "/observability", figure: (page) => page.locator(".panel.chart[data-metric=tokens] .current strong"),
    again: (page) => page.locator('nav.windows a:has-text("6h")').click(),
  },
  { name: "Machine", path: "/machine", figure: (page) => page.locator("section.host .host-figure").first() },
  { name: "Sources", path: "/sources", figure: (page) => page.locator("li.source").first() },
  {
    name: "Tank", path: "/tank", figure: (page) => page.locator(".tank-card .figure").first(),
    // The ledger is read when it changed.
    again: (_, town) => town.topup("0.01"),
  },
];
/** Everything on it comes over the link. */
const OVERVIEW: Case = {
  name: "Overview", path: "", figure: (page) => page.locator('section.gauge[aria-label="Active agents"] .figure strong'),
};

const link = (page: Page, state: string) => page.locator(`.link[data-link=${state}]`);

/** A town in which there is something to see on every page. */
async function furnished(town: Town, machine: Machine): Promise<void> {
  await town.send(call(60_000, {}, 5), lines(12, 3, 4), tool(40), tool(41, { ok: false }));
  await town.topup("25");
  await machine.report(23.4);
}

test("with every API answering 503 the overview goes on: it lives by its link", async ({ page, server, request, complaints }) => {
  complaints.expect(/status of 503/);
  const town = new Town(request, server.url, "linked");
  await furnished(town, new Machine(request, server.url, town.name, "laptop"));
  await page.route("**/api/**", (route) => route.fulfill({ status: 503, json: { error: "unavailable" } }));
  await page.goto(`/t/${town.name}`);
  await expect(link(page, "live")).toBeVisible();
  await town.send(call(10, { agent: "late" }));
  await expect(page.getByText("late").first()).toBeVisible();
  await expect(page.locator(".banner")).toHaveCount(0);
});

for (const { name, path, figure, again } of CASES) {
  test(`with every API answering 503, ${name} keeps its figures, says how old they are, and recovers`, async ({
    page, server, request, complaints,
  }) => {
    complaints.expect(/status of 503/);
    const town = new Town(request, server.url, `refused-${name.toLowerCase()}`);
    await furnished(town, new Machine(request, server.url, town.name, "laptop"));
    await page.goto(`/t/${town.name}${path}`);
    await expect(link(page, "live")).toBeVisible();
    await loaded(page);
    await expect(figure(page)).toBeAttached();
    await page.route("**/api/**", (route) => route.fulfill({ status: 503, json: { error: "unavailable" } }));
    await again?.(page, town);
    await expect(page.locator("main")).toContainText(AGE, { timeout: 15_000 });
    await expect(figure(page)).toBeAttached();
    expect((await figure(page).textContent())?.trim()).not.toBe("");
    // The link is up: it must not be said that the server is gone.
    await expect(link(page, "live")).toBeVisible();

    await page.unroute("**/api/**");
    await again?.(page, town);
    await expect(page.locator("main")).not.toContainText(AGE, { timeout: 20_000 });
  });
}

test("with the database lost every page says so, keeps its figures, and recovers by itself", async ({
  page, server, request, complaints,
}) => {
  test.slow();
  complaints.expect(/status of 503/);
  const town = new Town(request, server.url, "lost");
  await furnished(town, new Machine(request, server.url, town.name, "laptop"));
  const pages = await Promise.all(
    [OVERVIEW, ...CASES].map(async (one, place) => {
      const tab = place === 0 ? page : await page.context().newPage();
      if (place > 0) await complaints.watch(tab);
      await tab.goto(`${server.url}/t/${town.name}${one.path}`);
      await expect(link(tab, "live"), one.name).toBeVisible();
      return { ...one, tab, before: "" };
    }),
  );
  const database = new Database(server);
  database.lose();
  try {
    for (const { name, tab, figure } of pages) {
      await expect(link(tab, "degraded"), name).toBeVisible({ timeout: 20_000 });
      await expect(tab.getByText(/The server has lost its database.*The figures are from/), name).toBeVisible();
      expect((await figure(tab).textContent())?.trim(), name).not.toBe("");
    }
    await expect(page.locator("section.gauge.stale")).toHaveCount(5);
    // The dials hold: at zero they would say that nobody works.
    await expect(page.locator('section.gauge[aria-label="Tokens"] .figure strong')).not.toHaveText("0");
    const refused = await request.post(`${server.url}/api/ingest?town=${town.name}`, { data: [call(1)] });
    expect(refused.status(), "what cannot be stored is not acknowledged").toBe(503);
    expect(refused.headers()["retry-after"]).toMatch(/^\d+$/);
    // Who comes now is told as well, and the page comes by itself when it can.
    const late = await page.context().newPage();
    await late.goto(`${server.url}/t/${town.name}/sources`);
    await expect(late.locator("main")).toContainText(/store|database/i);
    await late.close();
  } finally {
    database.giveBack();
  }
  for (const { name, tab, figure } of pages) {
    await expect(link(tab, "live"), name).toBeVisible({ timeout: 40_000 });
    await expect(tab.getByText("The server has lost its database"), name).toBeHidden();
    await expect(tab.locator("main"), name).not.toContainText(AGE, { timeout: 40_000 });
    expect((await figure(tab).textContent())?.trim(), name).not.toBe("");
  }
  await town.send(call(10, { agent: "afterwards" }));
  await expect(page.getByText("afterwards").first()).toBeVisible();
});

test("a page of a town opens one link and keeps it when the client takes over", async ({ page, server, request }) => {
  const town = new Town(request, server.url, "single");
  await town.send(call(10));
  const links: string[] = [];
  page.on("websocket", (socket) => links.push(socket.url()));
  await page.goto(`/t/${town.name}`);
  await expect(link(page, "live")).toBeVisible();
  await town.send(call(10, { agent: "through-it" }));
  await expect(page.getByText("through-it").first()).toBeVisible();
  expect(links).toEqual([`${server.url.replace("http", "ws")}/live?town=${town.name}`]);
});
