// P6: bytes of WASM, JS and CSS on the wire, and time to interactive under a 4 x slower CPU and 10 Mbit/s.
// Usage: node run-page.mjs OUR_URL READY_SELECTOR BUTTON_SELECTOR [ROUNDS]
// The peer is a React + Recharts page, served with brotli from this process.
import { build } from "esbuild";
import { createServer } from "node:http";
import { brotliCompressSync } from "node:zlib";
import { chromium } from "playwright-core";

const [ours, ready, button, rounds = "5"] = process.argv.slice(2);
const bundle = await build({
  entryPoints: [new URL("recharts-page.js", import.meta.url).pathname], bundle: true, minify: true, write: false,
  define: { "process.env.NODE_ENV": '"production"' },
});
const script = brotliCompressSync(bundle.outputFiles[0].contents);
const peerServer = createServer((request, response) => {
  if (request.url === "/page.js") {
    response.writeHead(200, { "content-type": "text/javascript", "content-encoding": "br" }).end(script);
  } else {
    response.writeHead(200, { "content-type": "text/html" });
    response.end('<!doctype html><html lang="en"><title>peer</title><div id="root"></div><script src="/page.js"></script>');
  }
}).listen(0, "127.0.0.1");
await new Promise((done) => peerServer.once("listening", done));
const peer = `http://127.0.0.1:${peerServer.address().port}/`;

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync"],
});

/**
 * Runs in the page before anything else: notes when `selector` is there and the frame with it is drawn, so that the main
 * thread is free for a click. By the page's own clock, because Playwright looks every half second only.
 */
function note(selector) {
  window.interactive = new Promise((done) => {
    const look = () => {
      if (!document.querySelector(selector)) return;
      observer.disconnect();
      requestAnimationFrame(() => setTimeout(() => done(performance.now())));
    };
    const observer = new MutationObserver(look);
    observer.observe(document, { subtree: true, childList: true, attributes: true });
  });
}

/**
 * Loads a page with an empty cache and says when it was interactive, in ms since the navigation began. A page with a
 * `button` must then answer a click on it by changing its words.
 */
async function load(url, selector, button) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  const page = await context.newPage();
  await page.addInitScript(note, selector);
  const cdp = await context.newCDPSession(page);
  await cdp.send("Network.enable");
  await cdp.send("Network.emulateNetworkConditions", {
    offline: false, latency: 20, downloadThroughput: 10e6 / 8, uploadThroughput: 10e6 / 8,
  });
  // A new window keeps the browser busy with itself for a moment; that is nobody's page.
  await page.waitForTimeout(1000);
  await cdp.send("Emulation.setCPUThrottlingRate", { rate: 4 });
  const kinds = new Map();
  let bytes = 0;
  cdp.on("Network.responseReceived", ({ requestId, type, response }) => {
    const code = type === "Script" || type === "Stylesheet" || response.mimeType === "application/wasm";
    if (code) kinds.set(requestId, response.url);
  });
  cdp.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
    if (kinds.has(requestId)) bytes += encodedDataLength;
  });
  await page.goto(url, { waitUntil: "commit" });
  const interactive = await page.evaluate(() => window.interactive);
  const answered = !button || await page.evaluate((selector) => {
    const pressed = document.querySelector(selector);
    const before = pressed.textContent;
    pressed.click();
    return new Promise((done) => setTimeout(() => done(pressed.textContent !== before)));
  }, button);
  if (!answered) throw new Error(`${url} says that it is interactive, but ${button} answers no click`);
  await page.waitForTimeout(500);
  await context.close();
  return { interactive, bytes };
}

const seen = { ours: { interactive: [], bytes: [] }, peer: { interactive: [], bytes: [] } };
for (let round = 0; round < Number(rounds); round++) {
  for (const [name, ...page] of [["peer", peer, "svg path.recharts-line-curve"], ["ours", ours, ready, button]]) {
    const { interactive, bytes } = await load(...page);
    seen[name].interactive.push(interactive);
    seen[name].bytes.push(bytes);
  }
}
await browser.close();
peerServer.close();

const line = (what, unit, limit, ours, wanted, peer) => console.log(JSON.stringify({ target: "P6", what, unit, limit, peer, ours, wanted }));
line("WASM + JS + CSS of the first route, as transferred", "B", [200 * 1024], seen.ours.bytes, "≤ 1", seen.peer.bytes);
line("time to interactive, 4 x CPU, 10 Mbit/s", "ms", seen.peer.interactive, seen.ours.interactive, "≤ 0.6", seen.peer.interactive);
