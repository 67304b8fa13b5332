// P4's peer: Node's `ws` sends the same frames to every viewer four times a second.
// Usage: node ws-peer.mjs FRAME_BYTES
// Prints its address, as the benchmark's own loop does, and runs until it is ended.
import { WebSocketServer } from "ws";

const TICK_MS = 250;
const [frameBytes] = process.argv.slice(2);
// The viewers count whole frames: 2 bytes of header up to 125 of payload, 4 beyond.
const payloadBytes = Number(frameBytes) - (Number(frameBytes) < 128 ? 2 : 4);

const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false, backlog: 4096 });
server.once("listening", () => console.log(`127.0.0.1:${server.address().port}`));
setInterval(() => {
  const stamp = `{"at":${Date.now() * 1000},`;
  const payload = Buffer.from(stamp.padEnd(payloadBytes, " "));
  for (const viewer of server.clients) viewer.send(payload, { binary: false });
}, TICK_MS);
