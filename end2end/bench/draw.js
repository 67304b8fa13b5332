// Runs in the page: the same data, the same steps, for every library and for ours.
import init, { DrawBench } from "./draw_bench.js";

const ready = init({ module_or_path: "./draw_bench_bg.wasm" });
const frame = () => new Promise((done) => requestAnimationFrame(() => done(performance.now())));

/** Three series that look like throughput: a daily wave, noise, and bursts. */
function columns(points) {
  let seed = 42;
  const random = () => ((seed = (seed * 1103515245 + 12345) % 2147483648) / 2147483648);
  const t = [], series = [[], [], []];
  for (let i = 0; i < points; i++) {
    t.push(1_700_000_000 + i * 10);
    const wave = 60 + 50 * Math.sin((i / points) * 12);
    series.forEach((s, k) => s.push(wave * (k + 1) * (0.5 + random()) * (random() > 0.995 ? 4 : 1)));
  }
  return [t, ...series];
}

function ours(host, data) {
  const canvas = () => {
    const c = document.createElement("canvas");
    Object.assign(c.style, { position: "absolute", inset: "0", width: "1200px", height: "320px" });
    return host.appendChild(c);
  };
  const bench = new DrawBench(canvas(), canvas(), 1200, 320, window.devicePixelRatio);
  bench.load(...data.map((c) => new Float64Array(c)));
  bench.draw();
  return {
    zoom: (from, to) => { bench.zoom(from, to); bench.draw(); },
    // A ring of columns in WASM: only the new bucket crosses over.
    stream: (next) => { const last = next[0].length - 1; bench.push(...next.map((c) => c[last])); bench.draw(); },
    hover: (x) => bench.hover(data[0][Math.floor((x / 1200) * (data[0].length - 1))]),
  };
}

window.measure = async (name, points) => {
  await ready;
  const host = document.getElementById("host");
  host.replaceChildren();
  const make = name === "ours" ? ours : window.peers[name];
  const data = columns(points);
  await frame(); await frame();

  // What the library does until its first frame is on its way.
  let begun = performance.now();
  const chart = make(host, data);
  await frame(); await frame();
  const cold = performance.now() - begun;

  const [first, last] = [data[0][0], data[0][points - 1]];
  const zooms = [];
  for (let i = 0; i < 15; i++) {
    const from = first + ((last - first) * i) / 40;
    begun = performance.now();
    chart.zoom(from, from + (last - first) / 2);
    // uPlot draws in a microtask, ECharts and Chart.js at once or in the next frame: give each its frame.
    await Promise.resolve();
    zooms.push(performance.now() - begun);
    await frame();
  }
  const hovers = [];
  for (let i = 0; chart.hover && i < 200; i++) {
    begun = performance.now();
    chart.hover(100 + i * 5);
    hovers.push(performance.now() - begun);
  }
  const middle = (xs) => (xs.length ? xs.sort((a, b) => a - b)[xs.length >> 1] : null);
  return { cold, zoom: middle(zooms), hover: middle(hovers) };
};

window.stream = async (name, points, seconds) => {
  await ready;
  const host = document.getElementById("host");
  host.replaceChildren();
  const data = columns(points);
  const chart = (name === "ours" ? ours : window.peers[name])(host, data);
  await frame();
  const end = performance.now() + seconds * 1000;
  let frames = 0;
  while (performance.now() < end) {
    for (const [k, column] of data.entries()) {
      column.shift();
      column.push(k === 0 ? column[column.length - 1] + 10 : 100 + 50 * Math.random());
    }
    chart.stream(data);
    frames++;
    await frame();
  }
  return { frames };
};
