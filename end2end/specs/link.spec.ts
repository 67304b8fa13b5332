// The page is honest about its link, and finds back by itself.

import { expect, test } from "../fixtures/test.js";
import { Town, call } from "../fixtures/town.js";

test("a stopped server shows as disconnected, with what was last known; a restart is found by itself", async ({
  page, server, request, complaints,
}) => {
  complaints.expect(/WebSocket|ERR_CONNECTION_REFUSED|Failed to load resource/);
  const town = new Town(request, server.url);
  await town.send(call(600_000));
  await page.goto("/t/home");
  await expect(page.locator(".link[data-link=live]")).toBeVisible();
  await server.kill();
  await expect(page.locator(".link[data-link=down]")).toBeVisible({ timeout: 20_000 });
  await expect(page.getByText("The server cannot be reached")).toBeVisible();
  await expect(page.locator("section.gauge.stale")).toHaveCount(5);
  await expect(page.locator('section.gauge[aria-label="Tokens"] .figure strong')).not.toHaveText("–");

  await server.startAgain();
  await expect(page.locator(".link[data-link=live]")).toBeVisible({ timeout: 40_000 });
  await expect(page.getByText("The server cannot be reached")).toBeHidden();
  // What was acknowledged before the kill is there, and what comes now shows.
  await town.send(call(1_200_000, { agent: "after-restart" }));
  await expect(page.getByText("after-restart").first()).toBeVisible();
});
