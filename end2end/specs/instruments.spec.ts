// Every instrument of every page tells zero, no data, silent, never heard, stale, a lost database, a refusal and a lost
// link apart: by an attribute for its look, and in words.

import type { Locator, Page } from "@playwright/test";
import { Database } from "../fixtures/database.js";
import { loaded } from "../fixtures/hydration.js";
import { type Instrument, OVERVIEW, PAGES, type Place, open } from "../fixtures/instruments.js";
import { Machine } from "../fixtures/machine.js";
import { expect, test } from "../fixtures/test.js";
import { Town, call, lines, tool } from "../fixtures/town.js";

/** Sign and words of a state beside an instrument's name. */
const WORDS: Record<string, RegExp> = {
  stale: /^▲ Stale(, read \d+ (s|min) ago)?$/,
  degraded: /^▲ Database lost(, read (now|\d+ (s|min) ago))?$/,
  down: /^⊘ Link down(, read (now|\d+ (s|min) ago))?$/,
  failed: /^✕ Not refreshed, read (now|\d+ (s|min) ago)$/,
  silent: /^○ Silent for \d+ min$/,
  never: /^○ Never heard$/,
};

/** Each instrument says so by its attribute, those with room for words in words, and what is old is dimmed. */
async function all(page: Page, place: Place, state: string, of: (one: Instrument) => boolean = () => true): Promise<void> {
  for (const one of place.instruments.filter(of)) {
    const found = page.locator(one.at);
    const name = `${place.name} ${one.at} ${state}`;
    await expect(found.first(), name).toHaveAttribute("data-truth", state, { timeout: 45_000 });
    if (one.count) await expect(page.locator(`${one.at}[data-truth=${state}]`), name).toHaveCount(one.count);
    if (one.words) await expect(found.locator(".truth").first(), name).toHaveText(WORDS[state] ?? /^$/);
    if (!["silent", "never"].includes(state) && one.dims) await expect(found.first(), name).toHaveClass(/stale/);
  }
}

/** A town in which every instrument has something to show. */
async function furnished(town: Town, ago = 0): Promise<void> {
  await town.send(call(60_000, { session: "s-1" }, ago + 5), { ...lines(12, 3, ago + 4) }, { ...tool(40), ts: new Date(Date.now() - ago * 1000).toISOString() });
  await town.topup("25");
  await new Machine(town.client, town.url, town.name, "laptop").report(23.4);
}

async function everywhere(page: Page, town: Town, watch: (tab: Page) => Promise<void>): Promise<[Place, Page][]> {
  const opened: [Place, Page][] = [];
  for (const [nth, place] of PAGES.entries()) {
    const tab = nth === 0 ? page : await page.context().newPage();
    if (nth > 0) await watch(tab);
    await open(tab, town, place);
    opened.push([place, tab]);
  }
  return opened;
}

test("a town that lives says of no instrument that it is anything else", async ({ page, server, request }) => {
  const town = new Town(request, server.url, "lives");
  await furnished(town);
  for (const place of PAGES) {
    await open(page, town, place);
    for (const one of place.instruments) {
      await expect(page.locator(one.at).first(), `${place.name} ${one.at}`).toHaveAttribute("data-truth", "fresh");
    }
    await expect(page.locator("main .truth:not(:empty)")).toHaveCount(0);
  }
});

test("a town that was never heard says so, and shows no zero that nobody counted", async ({ page, server, request }) => {
  const town = new Town(request, server.url, "home");
  for (const place of PAGES) {
    await open(page, town, place);
    await all(page, place, "never", (one) => one.quiet);
  }
  await page.goto("/t/home");
  for (const name of ["Tokens", "Lines of code", "Cost", "Active agents"]) {
    await expect(page.locator(`section.gauge[aria-label="${name}"]`)).toHaveAttribute("data-state", "none");
    await expect(page.locator(`section.gauge[aria-label="${name}"] .figure strong`)).toHaveText("–");
  }
  await expect(page.locator(".stats dd")).toHaveText(["–", "–", "–", "–", "–"]);
  await page.goto("/t/home/live");
  await loaded(page);
  await expect(page.locator('.banner[data-cause="never_started"]')).toContainText("Watcher not running");
  await expect(page.locator(".burn dd:not(.about)").first()).toHaveText("–");
  await expect(page.getByText("No source was ever heard")).toBeVisible();
  await page.goto("/t/home/observability?window=1h");
  await expect(page.locator(".plot-empty[data-kind=never]")).toHaveCount(8);
  await page.goto("/t/home/sources");
  await expect(page.getByText("No source has been heard yet")).toBeVisible();
});

test("a town that fell silent says for how long, and its zeros are zeros", async ({ page, server, request }) => {
  const town = new Town(request, server.url, "silent");
  await furnished(town, 8 * 60);
  for (const place of PAGES) {
    await open(page, town, place);
    await all(page, place, "silent", (one) => one.quiet);
  }
  await page.goto("/t/silent");
  await expect(page.locator('section.gauge[aria-label="Tokens"] .figure strong')).toHaveText("0");
  // Balance and beads are as true as before.
  await expect(page.locator('section.gauge[aria-label="Gas tank"]')).toHaveAttribute("data-truth", "fresh");
});

test("channels that are silent, refused or deaf have banners in words that fit", async ({ page, server, request }) => {
  const town = new Town(request, server.url, "causes");
  await town.send(call(10));
  const banner = page.locator(".live-page .banner[data-cause]");
  const channel = page.locator(".channel-list li").filter({ hasText: "HTTP" });
  await open(page, town, { name: "Live", path: "/live", instruments: [] });
  await expect(channel.locator(".mark")).toHaveText("live");
  await expect(banner).toHaveCount(0);

  const typo = await request.post(`${server.url}/api/ingest?town=causes`, { data: [call(12), { ...call(1), modle: "x" }] });
  expect((await typo.json()).rejected).toBe(1);
  await expect(banner).toHaveAttribute("data-cause", "refused");
  await expect(banner.locator("b")).toHaveText("Something was refused");
  await expect(channel.locator(".mark")).toHaveText("refused");
  await banner.getByRole("link").click();
  await expect(page).toHaveURL(/\/t\/causes\/sources$/);
  await town.send(call(11));

  // Five minutes of silence, and a reader that ended, as the server would tell of them.
  let tells: (state: { state: string; words: string }) => void = () => {};
  await page.route("**/api/page/live/**", async (route) => {
    const answer = await route.fetch();
    const stats = await answer.json();
    for (const source of stats.sources) if (source.state !== "never_started") tells(source);
    await route.fulfill({ json: stats });
  });
  tells = (source) => Object.assign(source, { state: "silent", words: "Nothing came for a while." });
  await page.goto("/t/causes/live");
  await expect(banner).toHaveAttribute("data-cause", "silent");
  await expect(banner).toContainText("Nothing comes in");
  await expect(channel.locator(".mark")).toHaveText("silent");
  tells = (source) => Object.assign(source, { state: "error", words: "The watcher is not running: restart the server." });
  await expect(banner).toHaveAttribute("data-cause", "error");
  await expect(banner).toContainText("Watcher not running");
  await expect(channel.locator(".mark")).toHaveText("error");
});

test("a link that says nothing makes what lives by it stale, by a timer", async ({ page, server, request }) => {
  test.slow();
  const town = new Town(request, server.url, "muted");
  await furnished(town);
  let muted = false;
  await page.routeWebSocket(/\/live\?/, (socket) => {
    const there = socket.connectToServer();
    there.onMessage((message) => { if (!muted) socket.send(message); });
  });
  const place = OVERVIEW;
  await open(page, town, place);
  muted = true;
  await all(page, place, "stale");
  await expect(page.locator(".link")).toHaveAttribute("data-link", "stale");
});

test("with every API answering 503 each instrument that reads says that it was not refreshed", async ({ page, server, request, complaints }) => {
  test.slow();
  complaints.expect(/status of 503/);
  const town = new Town(request, server.url, "unread");
  await furnished(town);
  for (const place of PAGES.filter((place) => place !== OVERVIEW)) {
    await page.unroute("**/api/**");
    await open(page, town, place);
    await page.route("**/api/**", (route) => route.fulfill({ status: 503, json: { error: "unavailable" } }));
    await place.again?.(page, town);
    await all(page, place, "failed", (one) => one.reads);
  }
});

test("with the database lost, and then the server, every instrument says which", async ({ page, server, request, complaints }) => {
  test.slow();
  complaints.expect(/status of 503|WebSocket|ERR_CONNECTION_REFUSED|Failed to (load|fetch)/);
  const town = new Town(request, server.url, "lost");
  await furnished(town);
  const opened = await everywhere(page, town, (tab) => complaints.watch(tab));
  const towns = await page.context().newPage();
  await complaints.watch(towns);
  await towns.goto(`${server.url}/`);
  await loaded(towns);
  const card: Locator = towns.locator(".town-list");
  await expect(card).toHaveAttribute("data-truth", "fresh");
  const database = new Database(server);
  database.lose();
  try {
    for (const [place, tab] of opened) {
      await place.again?.(tab, town).catch(() => undefined);
      // Readings of machines do not go through the database.
      await all(tab, place, "degraded", (one) => !one.apart);
    }
  } finally {
    database.giveBack();
  }
  for (const [place, tab] of opened) {
    await expect(tab.locator(".link"), place.name).toHaveAttribute("data-link", "live", { timeout: 40_000 });
  }
  await server.kill();
  for (const [place, tab] of opened) {
    await place.again?.(tab, town).catch(() => undefined);
    await all(tab, place, "down");
  }
  await expect(card).toHaveAttribute("data-truth", "down", { timeout: 15_000 });
  await expect(towns.locator(".banner")).toContainText(/The server cannot be reached\. What is shown is from/);
  await server.startAgain();
  for (const [place, tab] of opened) {
    await expect(tab.locator(".link"), place.name).toHaveAttribute("data-link", "live", { timeout: 60_000 });
    await expect(tab.locator("main .truth").filter({ hasText: /down|lost|Not refreshed/ }), place.name).toHaveCount(0, { timeout: 40_000 });
  }
});
