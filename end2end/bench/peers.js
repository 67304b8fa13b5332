// The charting libraries that P5 draws beside ours: each behind the same four calls.
// `columns` is [t, a, b, c] of plain arrays; t in seconds.
import Chart from "chart.js/auto";
import * as echarts from "echarts";
import React from "react";
import { createRoot } from "react-dom/client";
import { flushSync } from "react-dom";
import { CartesianGrid, Line, LineChart, XAxis, YAxis } from "recharts";
import uPlot from "uplot";

const colours = ["#3b82f6", "#10b981", "#f59e0b"];
const size = { width: 1200, height: 320 };

function uplot(host, columns) {
  const series = [{}, ...colours.map((stroke) => ({ stroke, width: 1.5, points: { show: false } }))];
  const chart = new uPlot({ ...size, series, legend: { show: false } }, columns, host);
  return {
    zoom: (from, to) => chart.setScale("x", { min: from, max: to }),
    stream: (next) => chart.setData(next),
    hover: (x) => chart.setCursor({ left: x, top: 100 }),
  };
}

function chartjs(host, columns) {
  const canvas = host.appendChild(Object.assign(document.createElement("canvas"), size));
  const points = (c) => [1, 2, 3].map((s) => c[0].map((t, i) => ({ x: t, y: c[s][i] })));
  const chart = new Chart(canvas, {
    type: "line",
    data: {
      datasets: points(columns).map((data, i) => ({ data, borderColor: colours[i], borderWidth: 1.5, pointRadius: 0 })),
    },
    options: {
      animation: false, parsing: false, normalized: true, responsive: false, events: [],
      plugins: { legend: { display: false }, decimation: { enabled: true, algorithm: "min-max" } },
      scales: { x: { type: "linear" } },
    },
  });
  return {
    zoom: (from, to) => { Object.assign(chart.options.scales.x, { min: from, max: to }); chart.update("none"); },
    stream: (next) => { points(next).forEach((data, i) => { chart.data.datasets[i].data = data; }); chart.update("none"); },
  };
}

function echartsLine(host, columns) {
  const inner = host.appendChild(document.createElement("div"));
  Object.assign(inner.style, { width: `${size.width}px`, height: `${size.height}px` });
  const chart = echarts.init(inner, null, { renderer: "canvas" });
  const series = (c) => [1, 2, 3].map((s, i) => ({
    type: "line", showSymbol: false, animation: false, sampling: "lttb", lineStyle: { width: 1.5, color: colours[i] },
    data: c[0].map((t, k) => [t, c[s][k]]),
  }));
  chart.setOption({ animation: false, xAxis: { type: "value", scale: true }, yAxis: {}, series: series(columns) });
  return {
    zoom: (from, to) => chart.setOption({ xAxis: { min: from, max: to } }),
    stream: (next) => chart.setOption({ series: series(next) }),
  };
}

function recharts(host, columns) {
  const root = createRoot(host);
  const rows = (c) => c[0].map((t, i) => ({ t, a: c[1][i], b: c[2][i], c: c[3][i] }));
  const draw = (data, domain) => flushSync(() => root.render(
    React.createElement(LineChart, { ...size, data },
      React.createElement(CartesianGrid), React.createElement(YAxis),
      React.createElement(XAxis, { dataKey: "t", type: "number", domain: domain ?? ["dataMin", "dataMax"], allowDataOverflow: true }),
      ...["a", "b", "c"].map((key, i) => React.createElement(Line, {
        key, dataKey: key, stroke: colours[i], dot: false, isAnimationActive: false,
      })))));
  let last = rows(columns);
  draw(last);
  return {
    zoom: (from, to) => draw(last, [from, to]),
    stream: (next) => { last = rows(next); draw(last); },
  };
}

window.peers = { uplot, chartjs, echarts: echartsLine, recharts };
