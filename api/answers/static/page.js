// The page builds itself from what the service says of the table, and asks /explain at each change.

import { makeCard } from "./answer.js";
import { byId } from "./element.js";
import { makeField } from "./fields.js";
import { watch } from "./live.js";
import { makeMap } from "./map.js";

const MANY = 15;
const NO_ANSWER = "The service did not answer. Is it still running?";
let asked = 0;
let timer;

async function explain(fields) {
  const row = fields.map((field) => [field.feature.name, field.value()]).filter(([, value]) => value !== undefined);
  const headers = { "content-type": "application/json" };
  if (byId("key").value) headers["x-api-key"] = byId("key").value;
  // Not an object that is filled: a column may be called __proto__.
  const body = JSON.stringify(Object.fromEntries(row));
  let response;
  try {
    response = await fetch("/explain", { method: "POST", headers, body });
  } catch {
    return { ok: false, answer: { detail: NO_ANSWER } };
  }
  const { ok, status } = response;
  // What stands in front of the service may refuse in another language.
  const answer = await response.json().catch(() => null);
  return { ok: ok && answer !== null, status, answer: { detail: `The service answered ${status}.`, ...answer } };
}

function describe({ title, description, row, features }, model) {
  document.title = `${title}: try the model`;
  byId("title").textContent = title;
  byId("description").textContent = description;
  byId("row").textContent = row;
  byId("model").textContent = `${model.name}, version ${model.version}`;
  byId("filter-field").hidden = features.length <= MANY;
  byId("filter-label").textContent = `Find among ${features.length} columns`;
}

function listen(fields, changed) {
  byId("form").addEventListener("input", ({ target }) => target.id === "filter" || changed());
  byId("filter").addEventListener("input", () => {
    const words = byId("filter").value.trim().toLowerCase();
    for (const field of fields) field.box.classList.toggle("filtered", !field.matches(words));
  });
  for (const id of ["form", "key-form"]) {
    byId(id).addEventListener("submit", (event) => {
      event.preventDefault();
      changed();
    });
  }
}

function build(schema) {
  const fields = schema.features.map(makeField);
  const find = (name) => fields.find(({ feature }) => feature.name === name);
  const place = schema.map ? [find(schema.map.latitude), find(schema.map.longitude)] : [];
  byId("place-fields").append(...place.map(({ box }) => box));
  byId("fields").append(...fields.filter((field) => !place.includes(field)).map(({ box }) => box));
  byId("place").hidden = place.length === 0;
  byId("main").hidden = false;
  const chart = schema.map ? makeMap(schema.map, ...place, changed) : { follow() {}, outside: () => false };
  const card = makeCard(schema, fields, chart.outside);

  async function predict() {
    const turn = ++asked;
    const { ok, status, answer } = await explain(fields);
    // A later request may have been answered first.
    if (turn !== asked) return;
    if (status === 401) byId("key-form").hidden = false;
    if (!ok) return card.refuse(answer);
    if (byId("key-form").contains(document.activeElement)) byId("result").focus();
    byId("key-form").hidden = true;
    card.show(answer);
  }

  function changed() {
    chart.follow();
    clearTimeout(timer);
    timer = setTimeout(predict, 150);
  }

  listen(fields, changed);
  chart.follow();
  predict();
}

async function load(path) {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path} answered ${response.status}`);
  return response.json();
}

async function start() {
  let described;
  try {
    described = await Promise.all([load("/static/table.json"), load("/model")]);
  } catch {
    byId("trouble").textContent = NO_ANSWER;
    byId("trouble").hidden = false;
    return;
  }
  const [schema, model] = described;
  describe(schema, model);
  build(schema);
  watch(schema.features, () => load("/model"));
}

start();
