// The card: the prediction, what it is worth, and how the model gets there.

import { drawProbabilities, drawPushes } from "./bars.js";
import { byId, element } from "./element.js";
import { countedOut, percent, plain, shown } from "./numbers.js";

const MOST_NAMES = 3;

const label = (value) => (typeof value === "boolean" ? (value ? "yes" : "no") : String(value));

// The titles of fields, each leading there.
function links(fields) {
  const named = fields.slice(0, MOST_NAMES).flatMap(({ control, feature }, i) => [
    i ? ", " : "", element("a", { href: `#${control.id}` }, feature.title),
  ]);
  return fields.length > MOST_NAMES ? [...named, ` and ${fields.length - MOST_NAMES} more`] : named;
}

// A card for the target of `schema`. `outside` tells whether the place lies outside the map.
export function makeCard({ target }, fields, outside) {
  const titles = new Map(fields.map(({ feature }) => [feature.name, feature.title]));
  const isNumber = target.kind === "number";
  byId("target").textContent = target.title;

  const text = (value) => shown(value, target.show);
  const withUnit = (value) => (target.show || !target.unit ? text(value) : `${text(value)} ${target.unit}`);

  function showNumber(value, interval, guess) {
    byId("value").replaceChildren(text(value));
    if (!target.show && target.unit) byId("value").append(element("small", {}, ` ${target.unit}`));
    const said = countedOut(value, target.unit) ? `${plain(value)} × ${target.unit}` : `${plain(value)} ${target.unit}`;
    byId("unit").textContent = target.show ? `The API says ${said}.` : "";
    if (!interval) return byId("likely").replaceChildren();
    const ends = element("strong", {}, `${text(interval.low)} to ${withUnit(interval.high)}`);
    byId("likely").replaceChildren(
      ...(guess ? ["The usual interval, ", ends, ", does not hold here."] : ["Nine times in ten from ", ends]));
  }

  function showClass({ label: predicted, probabilities, set }, guess) {
    const name = label(predicted);
    byId("value").replaceChildren(name);
    byId("unit").textContent = "";
    const labels = (set ?? []).map(label);
    const likely = [`Probability ${percent(new Map(Object.entries(probabilities)).get(name))}`];
    if (labels.length && !guess) {
      likely.push(labels.length > 1 ? "; nine times in ten one of " : "; nine times in ten ",
        element("strong", {}, labels.slice(0, MOST_NAMES).join(", ")));
      if (labels.length > MOST_NAMES) likely.push(` and ${labels.length - MOST_NAMES} more`);
    }
    byId("likely").replaceChildren(...likely);
    drawProbabilities(probabilities, labels);
  }

  function doubts({ extrapolated, interval, set }, value) {
    const beyond = fields.filter(({ feature }) => extrapolated.includes(feature.name));
    for (const field of beyond) field.keep(true);
    const found = [];
    const guess = [outside() && "outside the map", beyond.length && "beyond what the model has seen"].filter(Boolean);
    if (guess.length) found.push(`A guess, ${guess.join(" and ")}`);
    if (beyond.length) found.push(": ", ...links(beyond));
    if (guess.length) found.push(". ");
    if (isNumber && interval && interval.low >= 0 && interval.high - interval.low > value) {
      found.push("A rough idea: the interval is wider than the value itself. ");
    }
    if (set && set.length !== 1) {
      found.push(set.length ? "Undecided: more than one is likely. " : "A guess: no class is likely enough. ");
    }
    return { found, guess: guess.length > 0 };
  }

  function reset(faults) {
    for (const field of fields) {
      const fault = faults.find((candidate) => candidate.field === field.feature.name);
      field.mark(fault ? (fault.allowed ? `Give ${fault.allowed}.` : `${fault.problem}.`) : "");
      field.keep(fault !== undefined);
    }
    return fields.filter(({ feature }) => faults.some((fault) => fault.field === feature.name));
  }

  function warn(id, parts) {
    byId(id).replaceChildren(...parts);
    byId(id).hidden = parts.length === 0;
  }

  return {
    // What the service answered.
    show(answer) {
      reset([]);
      warn("failure", []);
      const value = answer[target.answer];
      const { found, guess } = doubts(answer, value);
      warn("doubts", found);
      byId("result").classList.remove("stale");
      byId("value").classList.toggle("doubtful", found.length > 0);
      byId("said").classList.toggle("guess", guess);
      byId("said").style.minHeight = "";
      if (isNumber) showNumber(value, answer.interval, guess);
      else showClass(answer, guess);
      byId("probabilities").hidden = isNumber;
      byId("explanation").hidden = !answer.contributions;
      if (!answer.contributions) return;
      const score = answer.contributions_unit;
      byId("in").textContent = score ? `, in ${score}` : "";
      byId("sum").textContent = score ? `the ${score} that the prediction is made of` : "the prediction";
      drawPushes(answer, titles, target.show);
    },
    // Why there is no answer. What stood below stays, faintly, so that nothing jumps.
    refuse(problem) {
      byId("said").style.minHeight = `${byId("said").getBoundingClientRect().height}px`;
      const wrong = reset(problem.errors ?? []);
      warn("failure", wrong.length ? ["Not accepted: ", ...links(wrong), "."] : [problem.detail]);
      warn("doubts", []);
      byId("result").classList.add("stale");
      byId("value").replaceChildren("–");
      byId("value").classList.remove("doubtful");
      for (const id of ["likely", "unit"]) byId(id).replaceChildren();
    },
  };
}
