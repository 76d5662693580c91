// How people write numbers, and how they are shown to them.

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const MINUS = "\u2212";
// A unit that counts in thousands or the like, as "1,000 kg" does.
const COUNTED = /^(1[0,]*0)\s+(\S.*)$/;

// A finite number, or what was written if it is none: the service says what is wrong with that.
export function read(text) {
  const written = text.trim().replace(MINUS, "-");
  const number = Number(written);
  return NUMBER.test(written) && Number.isFinite(number) ? number : text;
}

// What to write instead of a number with commas; "" if it has none.
export function withoutCommas(text) {
  const written = text.trim();
  if (!/^[+\u2212-]?[\d.]*,[\d.,]*$/.test(written)) return "";
  const [point, none] = [written.replace(",", "."), written.replaceAll(",", "")];
  if (written.includes(".") || written.indexOf(",") !== written.lastIndexOf(",")) return `Write ${none}, without commas.`;
  if (/^\D?\d{1,3},\d{3}$/.test(written)) return `Write ${point} or ${none}: the comma may mean either.`;
  return `Write ${point}, with a point.`;
}

function formatted(number, options) {
  return number.toLocaleString("en-US", options).replace("-", MINUS);
}

// Four digits that count, all digits before the point.
export function plain(number, signDisplay = "auto") {
  const size = Math.abs(number);
  if (size >= 1e15 || (size > 0 && size < 1e-6)) {
    return formatted(number, { notation: "scientific", maximumFractionDigits: 3, signDisplay });
  }
  return formatted(number, size >= 1000 ? { maximumFractionDigits: 0, signDisplay }
    : { maximumSignificantDigits: 4, signDisplay });
}

// A number of the target, as its table wants it shown: {prefix, suffix, factor, digits} or null.
export function shown(number, show, signDisplay = "auto") {
  if (!show) return plain(number, signDisplay);
  const { prefix, suffix, factor, digits } = show;
  const text = formatted(number * factor, { minimumFractionDigits: digits, maximumFractionDigits: digits, signDisplay });
  const [, sign, rest] = text.match(/^([+\u2212]?)(.*)$/);
  return `${sign}${prefix}${rest}${suffix}`;
}

export function percent(share) {
  if (share > 0 && share < 0.001) return "under 0.1 %";
  if (share < 1 && share > 0.999) return "over 99.9 %";
  return `${formatted(100 * share, { maximumFractionDigits: 1 })} %`;
}

// "2,500 kg" for 2.5 in units of "1,000 kg"; "" for a unit that counts nothing.
export function countedOut(number, unit) {
  const [, count, what] = unit.match(COUNTED) ?? [];
  if (!count || typeof number !== "number") return "";
  return `${formatted(number * Number(count.replaceAll(",", "")), { maximumFractionDigits: 2 })} ${what}`;
}
