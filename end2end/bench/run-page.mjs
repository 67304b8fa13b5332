// P6: bytes of WASM, JS and CSS on the wire, and time to interactive under a 4 x slower CPU and 10 Mbit/s.
// Usage: node run-page.mjs OUR_URL READY_SELECTOR [ROUNDS]
// The peer is a React + Recharts page, served with brotli from this process.
import { build } from "esbuild";
import { createServer } from "node:http";
import { brotliCompressSync } from "node:zlib";
import { chromium } from "playwright-core";

const [ours, ready, rounds = "5"] = process.argv.slice(2);
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

/** Loads a page with an empty cache; interactive is when `selector` is there. */
async function load(url, selector) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  const page = await context.newPage();
  const cdp = await context.newCDPSession(page);
  await cdp.send("Network.enable");
  await cdp.send("Network.emulateNetworkConditions", {
    offline: false, latency: 20, downloadThroughput: 10e6 / 8, uploadThroughput: 10e6 / 8,
  });
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
  const begun = Date.now();
  await page.goto(url, { waitUntil: "commit" });
  await page.waitForSelector(selector, { state: "attached", timeout: 60_000 });
  const interactive = Date.now() - begun;
  await page.waitForTimeout(500);
  await context.close();
  return { interactive, bytes };
}

const seen = { ours: { interactive: [], bytes: [] }, peer: { interactive: [], bytes: [] } };
for (let round = 0; round < Number(rounds); round++) {
  for (const [name, url, selector] of [["peer", peer, "svg path.recharts-line-curve"], ["ours", ours, ready]]) {
    const { interactive, bytes } = await load(url, selector);
    seen[name].interactive.push(interactive);
    seen[name].bytes.push(bytes);
  }
}
await browser.close();
peerServer.close();

const line = (what, unit, limit, ours, wanted, peer) => console.log(JSON.stringify({ target: "P6", what, unit, limit, peer, ours, wanted }));
line("WASM + JS + CSS of the first route, as transferred", "B", [200 * 1024], seen.ours.bytes, "≤ 1", seen.peer.bytes);
line("time to interactive, 4 x CPU, 10 Mbit/s", "ms", seen.peer.interactive, seen.ours.interactive, "≤ 0.6", seen.peer.interactive);
