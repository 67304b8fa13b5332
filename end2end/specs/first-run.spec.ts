// A fresh start offers two things: connect a source, or open the demo.

import { expect, test } from "../fixtures/test.js";

test("with no data at all, the first page says how to begin, and opens the demo, marked as one", async ({ page }) => {
  await page.goto("/");
  await expect(page.getByRole("heading", { name: "No agent has been heard yet" })).toBeVisible();
  await expect(page.getByText("towngauge backfill claude-code").first()).toBeVisible();
  // Every agent, not one of them.
  for (const name of ["Codex", "Gemini CLI", "OpenCode", "Kilo CLI", "Gas Town", "Plain HTTP"]) {
    await expect(page.getByRole("heading", { name, exact: true })).toBeVisible();
  }
  await page.getByRole("button", { name: "Open the demo town" }).click();
  await expect(page).toHaveURL(/\/t\/demo/, { timeout: 60_000 });
  await expect(page.locator("header").getByText("Demo", { exact: true })).toBeVisible();
  await expect(page.locator(".link[data-link=live]")).toBeVisible();
  await expect(page.locator('section.gauge[aria-label="Tokens"] .figure strong')).not.toHaveText("–");
  await page.getByRole("link", { name: "Observability" }).click();
  await expect(page.locator(".panel.chart")).toHaveCount(8);
  await page.goto("/");
  await expect(page.getByRole("link", { name: /demo/ }).first()).toBeVisible();
});
