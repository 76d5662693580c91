// One field of the form for each feature, whatever its name: names are data, never ids or keys.

import { element } from "./element.js";
import { countedOut, plain, read, withoutCommas } from "./numbers.js";

const MANY = 20;

// Each kind's control; `read` gives the value to send, `write` takes one.
const CONTROLS = {
  number: numberControl,
  integer: numberControl,
  boolean: (feature) => selectControl(feature, [true, false], ["yes", "no"]),
  category: (feature) => {
    const names = feature.categories.map((category) => String(category) || "(empty)");
    const make = names.length > MANY ? searchControl : selectControl;
    return make(feature, feature.categories, names);
  },
};

function numberControl({ kind, low }) {
  // A phone's number pads have no minus.
  const inputMode = low === null || low < 0 ? "text" : kind === "integer" ? "numeric" : "decimal";
  const control = element("input", { type: "text", inputMode, autocomplete: "off", spellcheck: false });
  return {
    control,
    read: () => read(control.value),
    write: (value) => { control.value = String(value); },
    remark: () => withoutCommas(control.value),
  };
}

function selectControl(_, values, names) {
  const control = element("select", {}, ...names.map((name) => element("option", {}, name)));
  return {
    control,
    read: () => values[control.selectedIndex],
    write: (value) => { control.selectedIndex = Math.max(0, values.indexOf(value)); },
  };
}

function searchControl(feature, values, names) {
  const list = element("datalist", {}, ...names.map((name) => element("option", { value: name })));
  const control = element("input", { type: "text", autocomplete: "off", spellcheck: false });
  return {
    control,
    list,
    read: () => values[names.indexOf(control.value)] ?? control.value,
    write: (value) => { control.value = names[Math.max(0, values.indexOf(value))]; },
  };
}

// What the form begins with where the table gives no example.
function start({ kind, example, range, low, categories }) {
  if (example !== null) return example;
  if (kind === "boolean") return false;
  if (kind === "category") return categories[0];
  return range?.[0] ?? low ?? 0;
}

function hint({ kind, range, categories }) {
  if (range) return `Seen in training: ${plain(range[0])} to ${plain(range[1])}.`;
  return kind === "category" && categories.length > MANY ? `One of ${plain(categories.length)}: type to search.` : "";
}

// A feature's field: {feature, box, control, value(), write(), mark(), keep(), matches()}.
export function makeField(feature, index) {
  const id = `field-${index}`;
  const { control, list, read: value, write, remark = () => "" } = CONTROLS[feature.kind](feature);
  const known = element("span", { className: "hint", id: `${id}-hint` }, hint(feature));
  const sum = element("span", { className: "hint", id: `${id}-sum` });
  const fault = element("span", { className: "fault", id: `${id}-fault` });
  const help = element("span", { className: "help", id: `${id}-help` }, feature.description);
  Object.assign(control, { id, required: !feature.missing });
  control.setAttribute("aria-describedby", [help, sum, known, fault].map((said) => said.id).join(" "));
  const unit = feature.unit ? [" ", element("small", {}, feature.unit)] : [];
  const entry = element("span", { className: "entry" }, control, sum);
  if (list) {
    list.id = `${id}-list`;
    control.setAttribute("list", list.id);
    entry.append(list);
  }
  const absent = element("input", { type: "checkbox", id: `${id}-absent` });
  if (feature.missing) {
    absent.setAttribute("aria-label", `${feature.title}: not known`);
    entry.append(element("label", { className: "absent" }, absent, " not known"));
  }
  const box = element("div", { className: "field" },
    element("label", { htmlFor: id }, feature.title, ...unit), help, entry,
    element("span", { className: "notes" }, known, fault));

  function changed() {
    control.disabled = absent.checked;
    const counted = absent.checked ? "" : countedOut(value(), feature.unit);
    sum.textContent = counted && `= ${counted}`;
  }

  function set(given) {
    absent.checked = false;
    write(given);
    changed();
  }

  set(start(feature));
  absent.checked = feature.missing && feature.example === null;
  changed();
  box.addEventListener("input", changed);
  const searched = [feature.name, feature.title, feature.description].join("\n").toLowerCase();
  return {
    feature,
    box,
    control,
    write: set,
    // Undefined: left out.
    value: () => (absent.checked ? undefined : value()),
    // Says what is wrong with the value; "" for nothing.
    mark(problem) {
      fault.textContent = problem && (remark() || problem);
      control.setAttribute("aria-invalid", Boolean(problem));
    },
    // A field that the answer speaks of is kept in sight, whatever is searched for.
    keep: (kept) => box.classList.toggle("kept", kept),
    matches: (words) => searched.includes(words),
  };
}
