// Tables of bars: how likely each class is, and how each feature pushed the prediction.

import { byId, element } from "./element.js";
import { percent, plain, shown } from "./numbers.js";

const MOST = 10;
let all = false;

function bar({ title, note, amount, from, to, className }, low, high) {
  const share = (value) => `${(100 * value) / (high - low || 1)}%`;
  const drawn = element("span", { className });
  drawn.style.left = share(Math.min(from, to) - low);
  drawn.style.width = share(Math.abs(to - from));
  return element("tr", { className },
    element("th", { scope: "row" }, title, ...(note ? [" ", element("small", {}, note)] : [])),
    element("td", { className: "amount" }, amount),
    element("td", { className: "bar" }, element("div", { className: "track" }, drawn)));
}

// Classes by probability; those in `set`, the labels of which one is right nine times in ten, are marked.
export function drawProbabilities(probabilities, set) {
  const classes = Object.entries(probabilities).sort(([, a], [, b]) => b - a);
  const kept = classes.filter(([name], place) => place < MOST || set.includes(name));
  const rows = kept.map(([title, share]) => {
    const marked = set.includes(title);
    return { title, to: share, note: marked ? "in the 90 % set" : "", className: marked ? "up" : "total" };
  });
  if (kept.length < classes.length) {
    const rest = 1 - kept.reduce((sum, [, share]) => sum + share, 0);
    rows.push({ title: `${classes.length - kept.length} others`, to: Math.max(0, rest), className: "total" });
  }
  byId("classes").replaceChildren(...rows.map((row) => bar({ ...row, from: 0, amount: percent(row.to) }, 0, 1)));
}

// From the base value to the prediction, the longest push first, each bar beginning where the one before it ended.
export function drawPushes({ base_value: base, contributions, contributions_unit: score }, titles, show) {
  const amount = (value, sign) => (score ? plain(value, sign) : shown(value, show, sign));
  const pushes = Object.entries(contributions).sort(([, a], [, b]) => Math.abs(b) - Math.abs(a));
  const short = pushes.length > MOST + 2 && !all;
  const kept = (short ? pushes.slice(0, MOST) : pushes).map(([name, push]) => [titles.get(name) ?? name, push, name]);
  if (short) {
    const rest = pushes.slice(MOST).reduce((sum, [, push]) => sum + push, 0);
    kept.push([`${pushes.length - MOST} others`, rest]);
  }
  const total = { className: "total", from: 0 };
  const rows = [{ ...total, title: score ? "Start" : "Start: the average", to: base, amount: amount(base) }];
  for (const [title, push, name] of kept) {
    const from = rows.at(-1).to;
    const className = push < 0 ? "down" : "up";
    rows.push({ title, name, push, from, to: from + push, className, amount: amount(push, "always") });
  }
  const end = rows.at(-1).to;
  rows.push({ ...total, title: score ? "Sum" : "Prediction", to: end, amount: amount(end) });
  const ends = rows.map((row) => row.to);
  const [low, high] = [Math.min(0, ...ends), Math.max(0, ...ends)];
  byId("bars").replaceChildren(...rows.map((row) => {
    const drawn = bar(row, low, high);
    if (row.name !== undefined) Object.assign(drawn.dataset, { feature: row.name, push: row.push });
    return drawn;
  }));
  byId("all").hidden = pushes.length <= MOST + 2;
  byId("all").textContent = all ? `Show the ${MOST} longest` : `Show all ${pushes.length}`;
  byId("all").onclick = () => {
    all = !all;
    drawPushes({ base_value: base, contributions, contributions_unit: score }, titles, show);
  };
}
