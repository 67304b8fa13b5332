// How the browser tests run: one worker, the system's Chromium, results for `cargo xtask test` as JSON.

import { existsSync } from "node:fs";
import { defineConfig } from "@playwright/test";

const chromium = process.env.CHROMIUM ?? "/usr/bin/chromium";
if (!existsSync(chromium)) {
  throw new Error(`no browser at ${chromium}: set CHROMIUM to the path of a Chromium or Chrome`);
}

export default defineConfig({
  // `cargo xtask screenshots` takes the other one.
  testDir: process.env.TOWNGAUGE_PICTURES ? "pictures" : "specs",
  outputDir: "test-results",
  workers: 1,
  fullyParallel: false,
  // A test that passes only the second time is a bug to look at.
  retries: 0,
  forbidOnly: Boolean(process.env.CI),
  timeout: 60_000,
  expect: { timeout: 10_000 },
  reporter: [["list"], ["json", { outputFile: process.env.TOWNGAUGE_END2END_RESULTS ?? "test-results/results.json" }]],
  use: {
    locale: "en-GB",
    timezoneId: "UTC",
    viewport: { width: 1440, height: 900 },
    trace: "retain-on-failure",
    screenshot: "only-on-failure",
    launchOptions: {
      executablePath: chromium,
      args: [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    },
  },
});
