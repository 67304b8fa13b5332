// axe finds nothing serious, in both themes, wide and narrow.

import AxeBuilder from "@axe-core/playwright";
import { loaded } from "../fixtures/hydration.js";
import { expect, test } from "../fixtures/test.js";
import { Town, call, lines } from "../fixtures/town.js";

for (const colorScheme of ["dark", "light"] as const) {
  for (const width of [1440, 390]) {
    test(`no serious findings: ${colorScheme}, ${width} px`, async ({ page, server, request }) => {
      const town = new Town(request, server.url, "axe");
      await town.send(call(5_000), lines(10, 2), call(100, { model: "unknown-model" }));
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 900 });
      for (const path of ["/", "/t/axe", "/t/axe/live", "/t/axe/observability", "/t/axe/observability?window=6h&compare=before", "/t/axe/machine", "/t/axe/sources"]) {
        await page.goto(path);
        await loaded(page);
        const { violations } = await new AxeBuilder({ page }).analyze();
        const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
        expect(serious.map(({ id, nodes }) => `${path}: ${id} at ${nodes.map((n) => n.target).join(", ")}`)).toEqual([]);
        // Nothing sticks out at the side.
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        expect(overflow, `${path} is wider than the screen`).toBeLessThanOrEqual(0);
      }
    });
  }
}
