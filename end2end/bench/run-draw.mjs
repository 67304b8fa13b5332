// P5: drives draw.html in headless Chromium, libraries interleaved, and prints one JSON line per measurement.
// Usage: node run-draw.mjs DIR_WITH_THE_BUILT_PAGE [ROUNDS]
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { extname, join, normalize } from "node:path";
import { chromium } from "playwright-core";

const [dir, rounds = "5"] = process.argv.slice(2);
const types = { ".html": "text/html", ".js": "text/javascript", ".wasm": "application/wasm", ".css": "text/css" };
const server = createServer(async (request, response) => {
  try {
    const path = normalize(new URL(request.url, "http://x").pathname).replace(/^(\.\.[/\\])+/, "");
    // First: what is not there, as a picture for the tab, must not begin an answer.
    const content = await readFile(join(dir, path));
    response.writeHead(200, { "content-type": types[extname(path)] ?? "text/plain" });
    response.end(content);
  } catch {
    response.writeHead(404).end();
  }
}).listen(0, "127.0.0.1");
await new Promise((done) => server.once("listening", done));
const base = `http://127.0.0.1:${server.address().port}/draw.html`;

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync"],
});
const names = ["uplot", "ours", "chartjs", "echarts", "recharts"];
const seen = Object.fromEntries(names.map((n) => [n, { cold: [], zoom: [], hover: [], main: [] }]));
for (let round = 0; round < Number(rounds); round++) {
  for (const name of names) {
    // Recharts takes seconds for one frame; once is enough for the record.
    if (name === "recharts" && round > 0) continue;
    const page = await browser.newPage({ viewport: { width: 1280, height: 400 } });
    await page.goto(base);
    const { cold, zoom, hover } = await page.evaluate(([n, p]) => window.measure(n, p), [name, 55_550]);
    seen[name].cold.push(cold);
    seen[name].zoom.push(zoom);
    if (hover !== null) seen[name].hover.push(hover);
    const cdp = await page.context().newCDPSession(page);
    await cdp.send("Performance.enable");
    const busy = async () => {
      const { metrics } = await cdp.send("Performance.getMetrics");
      const of = (n) => metrics.find((m) => m.name === n).value;
      return [of("TaskDuration"), of("Timestamp")];
    };
    const [task, at] = await busy();
    const seconds = name === "recharts" ? 2 : 4;
    await page.evaluate(([n, p, s]) => window.stream(n, p, s), [name, 3_600, seconds]);
    const [taskEnd, atEnd] = await busy();
    seen[name].main.push(((taskEnd - task) / (atEnd - at)) * 100);
    await page.close();
  }
}
await browser.close();
server.close();

const middle = (xs) => [...xs].sort((a, b) => a - b)[xs.length >> 1] ?? null;
const rows = [
  ["cold", "first frame of 166,650 points", "ms", "≤ 0.75"],
  ["zoom", "redraw after zoom", "ms", "≤ 0.6"],
  ["main", "streaming 3 x 3,600 points at 60 fps, main thread", "%", "≤ 0.8"],
  ["hover", "hover redraw, of 1 ms", "ms", "≤ 1"],
];
for (const [key, what, unit, wanted] of rows) {
  const peer = seen.uplot[key], ours = seen.ours[key];
  const limit = key === "hover" ? [1] : peer;
  const others = Object.fromEntries(["chartjs", "echarts", "recharts"].map((n) => [n, middle(seen[n][key])]));
  console.log(JSON.stringify({ target: "P5", what, unit, limit, peer, ours, wanted, others }));
}
