// The map: two features that are a place, set by mouse or arrow keys. Outline and places come with the table.

import { byId } from "./element.js";

const SVG = "http://www.w3.org/2000/svg";
const [WIDTH, HEIGHT, MARGIN] = [440, 450, 32];
const [LINE, GAP] = [14, 8];

function draw(name, attributes, text = "") {
  const made = document.createElementNS(SVG, name);
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value);
  made.textContent = text;
  return made;
}

// From degrees to the drawing and back, with the size of a step for the keys.
function projection(points) {
  const [latitudes, longitudes] = [0, 1].map((axis) => points.map((point) => point[axis]));
  const [north, south] = [Math.max(...latitudes), Math.min(...latitudes)];
  const [west, east] = [Math.min(...longitudes), Math.max(...longitudes)];
  // A degree of longitude is shorter than one of latitude.
  const narrowing = Math.max(0.2, Math.cos((((north + south) / 2) * Math.PI) / 180));
  const [wide, high] = [(east - west) * narrowing || 1, north - south || 1];
  const scale = Math.min(WIDTH / wide, HEIGHT / high);
  const span = Math.max(east - west, high);
  const digits = Math.max(0, 3 - Math.floor(Math.log10(span)));
  return {
    there: ([latitude, longitude]) => [(longitude - west) * narrowing * scale, (north - latitude) * scale],
    back: ({ x, y }) => [north - y / scale, west + x / scale / narrowing],
    box: [-MARGIN, -MARGIN, wide * scale + 2 * MARGIN, high * scale + 2 * MARGIN],
    step: Number((span / 200).toFixed(digits)),
    digits,
  };
}

// Whether a point lies within an outline: a line from it to the east crosses the outline an odd number of times.
function within([y, x], outline) {
  let inside = false;
  outline.forEach(([y1, x1], i) => {
    const [y2, x2] = outline.at(i - 1);
    if (y1 > y !== y2 > y && x < x1 + ((y - y1) / (y2 - y1)) * (x2 - x1)) inside = !inside;
  });
  return inside;
}

// A place's name stands to its left if that is outside the outline, as in the sea of a coast; else to its right.
function drawPlace({ name, latitude, longitude }, { there, back, box }, outline) {
  const [x, y] = there([latitude, longitude]);
  const text = draw("text", { x: x + GAP, y: y + LINE / 3 }, name);
  byId("places").append(draw("circle", { cx: x, cy: y, r: 2 }), text);
  const length = text.getComputedTextLength() + GAP;
  const leftFits = x - length > box[0];
  const rightFits = x + length < box[0] + box[2];
  const outside = [x - 2 * GAP, x - length].every((end) => !within(back({ x: end, y }), outline));
  if (leftFits && (outside || !rightFits)) {
    text.setAttribute("x", x - GAP);
    text.setAttribute("text-anchor", "end");
  }
}

// Draws the map and listens to it; `changed` is called after each move. Returns {follow(), outside()}.
export function makeMap({ outline, places }, latitude, longitude, changed) {
  const chart = byId("map");
  const plan = projection([...outline, ...places.map((place) => [place.latitude, place.longitude])]);
  const { there, back, box, step, digits } = plan;
  chart.setAttribute("aria-label", `Map: ${latitude.feature.title} and ${longitude.feature.title}`);
  chart.setAttribute("viewBox", box.join(" "));
  if (outline.length) byId("land").setAttribute("d", `M${outline.map(there).join("L")}Z`);
  for (const place of places) drawPlace(place, plan, outline);

  const here = () => [latitude.value(), longitude.value()];
  const known = () => here().every((degrees) => typeof degrees === "number");

  function moveTo(degrees) {
    for (const [i, field] of [latitude, longitude].entries()) {
      const { low, high } = field.feature;
      field.write(Math.min(Math.max(degrees[i], low ?? -Infinity), high ?? Infinity).toFixed(digits));
    }
    changed();
  }

  chart.addEventListener("click", (event) => {
    moveTo(back(new DOMPoint(event.clientX, event.clientY).matrixTransform(chart.getScreenCTM().inverse())));
  });
  chart.addEventListener("keydown", (event) => {
    const direction = { ArrowUp: [1, 0], ArrowDown: [-1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (!direction || !known()) return;
    event.preventDefault();
    const far = event.shiftKey ? 10 * step : step;
    moveTo(here().map((degrees, i) => degrees + direction[i] * far));
  });
  return {
    follow() {
      byId("marker").classList.toggle("unknown", !known());
      if (known()) byId("marker").setAttribute("transform", `translate(${there(here())})`);
    },
    outside: () => outline.length > 0 && known() && !within(here(), outline),
  };
}
