"use strict";

// Coarse border of California: latitude, longitude; from the north-west corner along the straight borders, down the
// Colorado, and back up the coast.
const BORDER = [
  [42.0, -124.21], [42.0, -120.0], [39.0, -120.0], [35.0, -114.63], [34.85, -114.57], [34.72, -114.48],
  [34.45, -114.34], [34.3, -114.14], [34.17, -114.23], [34.0, -114.46], [33.61, -114.53], [33.4, -114.72],
  [33.03, -114.5], [32.76, -114.53], [32.72, -114.72], [32.53, -117.12], [32.67, -117.24], [32.85, -117.28],
  [33.2, -117.39], [33.46, -117.71], [33.6, -117.93], [33.74, -118.11], [33.71, -118.29], [33.74, -118.41],
  [33.85, -118.4], [34.01, -118.5], [34.03, -118.68], [34.0, -118.8], [34.09, -119.1], [34.27, -119.29],
  [34.41, -119.69], [34.46, -120.03], [34.45, -120.47], [34.58, -120.65], [34.9, -120.67], [35.14, -120.64],
  [35.25, -120.9], [35.37, -120.87], [35.67, -121.28], [36.16, -121.68], [36.31, -121.9], [36.63, -121.94],
  [36.6, -121.88], [36.8, -121.79], [36.96, -122.0], [37.11, -122.33], [37.5, -122.5], [37.78, -122.52],
  [37.81, -122.4], [37.62, -122.37], [37.46, -122.05], [37.7, -122.2], [37.92, -122.4], [37.83, -122.53],
  [37.9, -122.7], [38.0, -123.02], [38.3, -123.06], [38.51, -123.25], [38.95, -123.74], [39.3, -123.81],
  [39.83, -123.85], [40.03, -124.08], [40.44, -124.41], [40.75, -124.24], [41.06, -124.15], [41.55, -124.08],
  [41.75, -124.24],
];

const CITIES = {
  Eureka: [40.8, -124.16], Redding: [40.59, -122.39], Sacramento: [38.58, -121.49], "San Francisco": [37.77, -122.42],
  Fresno: [36.74, -119.79], Bakersfield: [35.37, -119.02], "Los Angeles": [34.05, -118.24],
  "San Diego": [32.72, -117.16],
};
// Their names stand in the sea, to the left.
const HARBOURS = ["San Francisco", "San Diego"];

const NORTH = 42.1;
const WEST = -124.6;
const UNITS_PER_DEGREE = 50;
// A degree of longitude is shorter than one of latitude: at California's middle by this factor.
const NARROWING = Math.cos((37.3 * Math.PI) / 180);
const DOLLARS_PER_UNIT = 100000;
const SVG = "http://www.w3.org/2000/svg";

const byId = (id) => document.getElementById(id);
const inputs = {};
const titles = {};
let asked = 0;

function project([latitude, longitude]) {
  return [(longitude - WEST) * NARROWING * UNITS_PER_DEGREE, (NORTH - latitude) * UNITS_PER_DEGREE];
}

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function dollars(value, sign = "auto") {
  return value.toLocaleString("en-US", {
    style: "currency", currency: "USD", maximumFractionDigits: 0, signDisplay: sign,
  });
}

function shown(number) {
  return number.toLocaleString("en-US", { maximumFractionDigits: 2 });
}

function drawMap() {
  byId("land").setAttribute("d", `M${BORDER.map(project).join("L")}Z`);
  for (const [name, place] of Object.entries(CITIES)) {
    const [x, y] = project(place);
    const dot = document.createElementNS(SVG, "circle");
    const text = document.createElementNS(SVG, "text");
    for (const [attribute, value] of [["cx", x], ["cy", y], ["r", 2]]) dot.setAttribute(attribute, value);
    const left = HARBOURS.includes(name);
    for (const [attribute, value] of [
      ["x", left ? x - 18 : x + 7], ["y", y + 4], ["text-anchor", left ? "end" : "start"],
    ]) text.setAttribute(attribute, value);
    text.textContent = name;
    byId("cities").append(dot, text);
  }
}

function addField(name, schema, range) {
  const hint = range ? `The model has seen ${shown(range[0])} to ${shown(range[1])}.` : "";
  const input = element("input", {
    id: name, name, type: "number", step: "any", min: schema.minimum, max: schema.maximum, value: schema.examples[0],
    required: true, title: schema.description,
  });
  input.setAttribute("aria-describedby", `${name}-hint ${name}-fault`);
  const label = element("label", { htmlFor: name }, `${schema.title} `, element("small", {}, schema["x-unit"]));
  byId(name === "Latitude" || name === "Longitude" ? "place-fields" : "fields").append(
    element("div", { className: "field" }, label, input,
      element("span", { id: `${name}-hint`, className: "hint" }, hint),
      element("span", { id: `${name}-fault`, className: "fault" })),
  );
  inputs[name] = input;
  titles[name] = schema.title;
}

function moveTo(latitude, longitude) {
  for (const [name, value] of [["Latitude", latitude], ["Longitude", longitude]]) {
    const { min, max } = inputs[name];
    inputs[name].value = Math.min(Math.max(value, min), max).toFixed(2);
  }
  changed();
}

function placeMarker() {
  const [x, y] = project([inputs.Latitude.valueAsNumber, inputs.Longitude.valueAsNumber]);
  if (Number.isNaN(x + y)) return;
  byId("marker").setAttribute("transform", `translate(${x} ${y})`);
  byId("sea").hidden = byId("land").isPointInFill(new DOMPoint(x, y));
}

function listenToMap() {
  const map = byId("map");
  map.addEventListener("click", (event) => {
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(map.getScreenCTM().inverse());
    moveTo(NORTH - point.y / UNITS_PER_DEGREE, WEST + point.x / UNITS_PER_DEGREE / NARROWING);
  });
  map.addEventListener("keydown", (event) => {
    const steps = { ArrowUp: [1, 0], ArrowDown: [-1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    const step = steps[event.key];
    if (!step) return;
    event.preventDefault();
    const degrees = event.shiftKey ? 0.5 : 0.05;
    moveTo(inputs.Latitude.valueAsNumber + step[0] * degrees, inputs.Longitude.valueAsNumber + step[1] * degrees);
  });
}

let timer;
function changed() {
  placeMarker();
  clearTimeout(timer);
  timer = setTimeout(predict, 150);
}

async function predict() {
  const turn = ++asked;
  const features = {};
  for (const [name, input] of Object.entries(inputs)) {
    // What is no number is sent as it is: the service says what is wrong with it.
    features[name] = Number.isNaN(input.valueAsNumber) ? input.value : input.valueAsNumber;
  }
  const headers = { "content-type": "application/json" };
  if (byId("key").value) headers["x-api-key"] = byId("key").value;
  let response;
  let answer;
  try {
    response = await fetch("/explain", { method: "POST", headers, body: JSON.stringify(features) });
    answer = await response.json();
  } catch {
    answer = { detail: "The service did not answer. Is it still running?" };
  }
  // A later request may have been answered first.
  if (turn !== asked) return;
  byId("key-field").hidden = byId("key-field").hidden && response?.status !== 401;
  if (response?.ok) show(answer);
  else refuse(answer);
}

function markFaults(faults) {
  for (const [name, input] of Object.entries(inputs)) {
    const fault = faults.find((candidate) => candidate.field === name);
    input.setAttribute("aria-invalid", fault !== undefined);
    byId(`${name}-fault`).textContent = fault ? `Give ${fault.allowed}.` : "";
  }
}

function refuse(problem) {
  const faults = problem.errors ?? [];
  markFaults(faults);
  const names = faults.map((fault) => titles[fault.field]).filter(Boolean);
  byId("failure").textContent = names.length ? `Not accepted: ${names.join(", ")}.` : problem.detail;
  byId("failure").hidden = false;
  byId("value").textContent = "–";
  for (const id of ["interval", "unit"]) byId(id).textContent = "";
  for (const id of ["extrapolated", "pushes", "method"]) byId(id).hidden = true;
}

function show(answer) {
  markFaults([]);
  byId("failure").hidden = true;
  byId("value").textContent = dollars(answer.median_house_value * DOLLARS_PER_UNIT);
  byId("unit").textContent = `In dollars of 1990: ${answer.median_house_value.toFixed(4)} times ${answer.unit}.`;
  if (answer.interval) {
    const [low, high] = [answer.interval.low, answer.interval.high].map((end) => dollars(end * DOLLARS_PER_UNIT));
    byId("interval").replaceChildren("Nine times in ten from ", element("strong", {}, `${low} to ${high}`));
  }
  const beyond = answer.extrapolated.map((name) => titles[name]);
  byId("extrapolated").hidden = beyond.length === 0;
  byId("extrapolated").textContent = `Beyond all that the model has seen, so this is a guess: ${beyond.join(", ")}.`;
  drawBars(answer);
  for (const id of ["pushes", "method"]) byId(id).hidden = false;
}

function drawBars(answer) {
  // From the base value to the prediction, the longest push first, each bar beginning where the one before it ended.
  const pushes = Object.entries(answer.contributions).sort(([, a], [, b]) => Math.abs(b) - Math.abs(a));
  const rows = [{ title: "Start: the average", from: 0, to: answer.base_value, total: true }];
  for (const [name, push] of pushes) {
    const from = rows.at(-1).to;
    rows.push({ title: titles[name], name, from, to: from + push });
  }
  rows.push({ title: "Prediction", from: 0, to: answer.median_house_value, total: true });
  const ends = rows.map((row) => row.to);
  const [low, high] = [Math.min(0, ...ends), Math.max(...ends)];
  byId("bars").replaceChildren(...rows.map((row) => bar(row, low, high)));
}

function bar({ title, name, from, to, total }, low, high) {
  const share = (value) => `${(100 * value) / (high - low)}%`;
  const drawn = element("span", { className: total ? "total" : to < from ? "down" : "up" });
  drawn.style.left = share(Math.min(from, to) - low);
  drawn.style.width = share(Math.abs(to - from));
  const amount = dollars((to - from) * DOLLARS_PER_UNIT, total ? "auto" : "always");
  const row = element("tr", { className: total ? "total" : "" },
    element("th", { scope: "row" }, title),
    element("td", { className: "push" }, amount),
    element("td", { className: "bar" }, element("div", { className: "track" }, drawn)));
  if (name) Object.assign(row.dataset, { feature: name, push: to - from });
  return row;
}

async function start() {
  drawMap();
  const [document_, model] = await Promise.all(
    ["/docs/openapi.json", "/model"].map(async (path) => (await fetch(path)).json()));
  for (const [name, schema] of Object.entries(document_.components.schemas.Features.properties)) {
    addField(name, schema, model.ranges[name]);
  }
  byId("model").textContent = `${model.name}, version ${model.version}`;
  listenToMap();
  byId("form").addEventListener("input", changed);
  byId("form").addEventListener("submit", (event) => {
    event.preventDefault();
    changed();
  });
  changed();
}

start();
