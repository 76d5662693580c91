// What the service has been asked, and how far that is from training; asked for again while the panel is open.

import { byId, element } from "./element.js";
import { percent } from "./numbers.js";

const EVERY = 10_000;
const MOST = 5;
const SOME = 0.1;
const MUCH = 0.2;
let timer;

// The population stability index in a word and two digits.
function drifted(index) {
  if (index === null) return "not known";
  return `${index < SOME ? "no" : index < MUCH ? "some" : "much"} (${index.toFixed(2)})`;
}

function row(title, cells, tell) {
  return element("tr", {}, element("th", { scope: "row" }, title),
    ...cells.map((cell) => element("td", { className: "amount" }, tell(cell))));
}

// The features that have moved farthest, in the last hour if it has rows enough, else since the start.
function farthest(times, titles) {
  const [found = []] = times.map(({ features }) => Object.entries(features).filter(([, { drift }]) => drift !== null))
    .filter((features) => features.length);
  found.sort(([, a], [, b]) => b.drift - a.drift);
  return found.slice(0, MOST).map(([name]) => row(`Drift of ${titles.get(name) ?? name}`,
    times.map(({ features }) => features[name].drift), drifted));
}

function show({ since, last_hour: hour, since_start: start }, titles) {
  const times = [hour, start];
  const counted = (count) => count.toLocaleString("en-US");
  byId("live-since").textContent = new Date(since).toLocaleString();
  byId("live-rows").replaceChildren(
    row("Requests", times.map(({ requests }) => requests), counted),
    row("refused", times.map(({ refused }) => refused), counted),
    row("failed", times.map(({ failed }) => failed), counted),
    row("Predictions", times.map(({ rows }) => rows), counted),
    row("with a value beyond training", times.map(({ extrapolated }) => extrapolated), percent),
    row("with a missing value", times.map(({ missing }) => missing), percent),
    row("Unknown categories", times.map(({ unknown_category: unknown }) => unknown), percent),
    row("Drift of the predictions", times.map(({ prediction_drift: drift }) => drift), drifted),
    ...farthest(times, titles),
  );
}

// `load` asks the service which model serves, and says with it what it has been asked.
export function watch(features, load) {
  const titles = new Map(features.map(({ name, title }) => [name, title]));
  const panel = byId("live");

  async function refresh() {
    clearTimeout(timer);
    if (!panel.open) return;
    try {
      show((await load()).live, titles);
      byId("live-trouble").textContent = "";
    } catch {
      byId("live-trouble").textContent = "The service did not answer; these are its last figures.";
    }
    timer = setTimeout(refresh, EVERY);
  }

  panel.addEventListener("toggle", refresh);
  panel.hidden = false;
}
