// The server is up, and its first page comes alive without a complaint.

import { loaded } from "../fixtures/hydration.js";
import { expect, test } from "../fixtures/test.js";

test("health answers ok, with version and uptime", async ({ request }) => {
  const response = await request.get("/health");
  expect(response.status()).toBe(200);
  expect(await response.json()).toMatchObject({ status: "ok", version: expect.any(String) });
});

test("the first page loads its client without complaints", async ({ page }) => {
  const response = await page.goto("/");
  expect(response?.status()).toBe(200);
  await loaded(page);
  await expect(page).toHaveTitle(/Towngauge/i);
});
