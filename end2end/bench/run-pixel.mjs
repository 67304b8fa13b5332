// P2: from sending a POST to the number being painted, with 1,000 events/s under way and 100 viewers connected.
// Usage: node run-pixel.mjs BASE_URL LINES_SELECTOR [PROBES]
// Each probe posts lines that change the dial's number; the page notes the frame in which the new text is painted, and a
// viewer when the frame came that counts them. Only probes move the number as long as none is older than the dial's minute.
import { chromium } from "playwright-core";
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import WebSocket from "ws";

const [base, selector, probes = "60"] = process.argv.slice(2);
const town = "pixel";
const post = (events) => fetch(`${base}/api/ingest?town=${town}`, {
  method: "POST", headers: { "content-type": "application/x-ndjson" }, body: events.map((e) => JSON.stringify(e)).join("\n"),
}).then((answer) => {
  if (!answer.ok) throw new Error(`ingest answered ${answer.status}`);
});

/** Milliseconds for one commit's worth of bytes to reach the disk, several times. */
function fdatasyncs() {
  const folder = mkdtempSync(join(tmpdir(), "towngauge-bench-"));
  const file = openSync(join(folder, "wal"), "w");
  const taken = Array.from({ length: 50 }, () => {
    const begun = performance.now();
    writeSync(file, Buffer.alloc(8_192));
    fdatasyncSync(file);
    return performance.now() - begun;
  });
  closeSync(file);
  rmSync(folder, { recursive: true });
  return taken;
}

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
const disk = fdatasyncs();
const begun = Date.now();
let lines = 0;
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
  const added = 6_000 * (probe + 1);
  lines += added;
  const framed = new Promise((done) => {
    viewers[0].on("message", function counts(text) {
      if ((JSON.parse(text).gauges?.flow?.lines ?? 0) < lines) return;
      viewers[0].off("message", counts);
      done(Date.now());
    });
  });
  await page.waitForTimeout(5 + Math.random() * 250);
  const sent = Date.now();
  await post([{ type: "lines_changed", ts: new Date().toISOString(), id: `probe-${probe}`, agent: "probe", added, removed: 0 }]);
  pixel.push((await seen) - sent);
  frame.push((await framed) - sent);
}
if (Date.now() - begun > 55_000) throw new Error("the probes took too long: the first left the dial's minute; ask for fewer");
clearInterval(load);
viewers.forEach((socket) => socket.terminate());
await browser.close();

const at = (xs, share) => [...xs].sort((a, b) => a - b)[Math.min(xs.length - 1, Math.floor(xs.length * share))];
const line = (what, limit, ours, peer) => console.log(JSON.stringify({
  target: "P2", what, unit: "ms", limit: [limit], peer, ours: [ours], wanted: "≤ 1",
}));
// The best that is stated elsewhere: under two seconds.
line("event to pixel, p95", 150, at(pixel, 0.95), [2_000]);
line("event to pixel, p99", 300, at(pixel, 0.99), [2_000]);
line("POST to frame, p99, of 25 x fdatasync and the tick", 25 * at(disk, 0.5) + 250, at(frame, 0.99), []);
process.exit(0);
