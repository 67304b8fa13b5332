// P2: from sending a POST to the number being painted, with 1,000 events/s under way and 100 viewers connected.
// Usage: node run-pixel.mjs BASE_URL LINES_SELECTOR [PROBES]
// Each probe posts lines that change the dial's number; the page notes the frame in which the new text is painted.
import { chromium } from "playwright-core";
import WebSocket from "ws";

const [base, selector, probes = "60"] = process.argv.slice(2);
const town = "pixel";
const post = (events) => fetch(`${base}/api/ingest?town=${town}`, {
  method: "POST", headers: { "content-type": "application/x-ndjson" }, body: events.map((e) => JSON.stringify(e)).join("\n"),
}).then((answer) => {
  if (!answer.ok) throw new Error(`ingest answered ${answer.status}`);
});

let number = 0;
const background = () => Array.from({ length: 50 }, () => ({
  type: "model_call", ts: new Date().toISOString(), id: `load-${number++}`, agent: `agent-${number % 40}`, role: "polecat",
  model: "claude-haiku-4-5", input_tokens: 20, output_tokens: 100,
}));
await post(background());
const viewers = Array.from({ length: 100 }, () => new WebSocket(`${base.replace("http", "ws")}/live?town=${town}`, { origin: base }));
await Promise.all(viewers.map((socket) => new Promise((done, fail) => {
  socket.once("open", done).once("error", fail);
})));
// 50 events every 50 ms.
const load = setInterval(() => post(background()).catch(() => {}), 50);

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync"],
});
const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
await page.goto(`${base}/t/${town}`);
await page.waitForSelector(selector);
await page.waitForTimeout(2_000);

const pixel = [], frame = [];
for (let probe = 0; probe < Number(probes); probe++) {
  const seen = page.evaluate((s) => new Promise((done) => {
    const dial = document.querySelector(s);
    const before = dial.textContent;
    const watch = new MutationObserver(() => {
      if (dial.textContent === before) return;
      watch.disconnect();
      // The next frame paints the text and the needle's first step.
      requestAnimationFrame(() => setTimeout(() => done(Date.now()), 0));
    });
    watch.observe(dial, { characterData: true, childList: true, subtree: true });
  }), selector);
  const framed = new Promise((done) => viewers[0].once("message", () => done(Date.now())));
  await page.waitForTimeout(5 + Math.random() * 250);
  const sent = Date.now();
  await post([{ type: "lines_changed", ts: new Date().toISOString(), id: `probe-${probe}`, agent: "probe", added: 6_000 * (probe + 1), removed: 0 }]);
  pixel.push((await seen) - sent);
  frame.push(Math.max(0, (await framed) - sent));
}
clearInterval(load);
viewers.forEach((socket) => socket.terminate());
await browser.close();

const at = (xs, share) => [...xs].sort((a, b) => a - b)[Math.min(xs.length - 1, Math.floor(xs.length * share))];
const line = (what, limit, ours) => console.log(JSON.stringify({
  target: "P2", what, unit: "ms", limit: [limit], peer: [2_000], ours: [ours], ratio: ours / limit, wanted: "≤ 1", limit_spread: 0,
}));
line("event to pixel, p50", 150, at(pixel, 0.5));
line("event to pixel, p95", 150, at(pixel, 0.95));
line("event to pixel, p99", 300, at(pixel, 0.99));
process.exit(0);
