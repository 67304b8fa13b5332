// P6's peer: the smallest page that shows one chart with React and Recharts.
import React from "react";
import { createRoot } from "react-dom/client";
import { CartesianGrid, Line, LineChart, Tooltip, XAxis, YAxis } from "recharts";

const data = Array.from({ length: 360 }, (_, i) => ({ t: i * 10, a: 100 + 50 * Math.sin(i / 20), b: 80 + 30 * Math.cos(i / 15) }));

function Page() {
  return React.createElement(LineChart, { width: 1200, height: 320, data },
    React.createElement(CartesianGrid), React.createElement(XAxis, { dataKey: "t" }), React.createElement(YAxis),
    React.createElement(Tooltip),
    React.createElement(Line, { dataKey: "a", dot: false, isAnimationActive: false }),
    React.createElement(Line, { dataKey: "b", dot: false, isAnimationActive: false }));
}
createRoot(document.getElementById("root")).render(React.createElement(Page));
