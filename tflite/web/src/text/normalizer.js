/**
 * The steps that a text goes through before it is cut into words, with alignment; twin of
 * bertkit/text/unicode/normalize.py.
 *
 * A text is `{codes, sources}`: its codepoints, and for each of them the number of the given codepoint that it comes
 * from.
 */

import { BertkitError } from "../errors.js";
import { charsmapStep } from "./charsmap.js";
import { bertStep } from "./codepoints.js";
import { BLANKS, codesOf, combiningClass, composition, decomposition, members, textOf } from "./unicode.js";

const UNCHANGED = { nfc: 0x300, nfd: 0xa0, nfkc: 0xa0, nfkd: 0xa0 }; // below it a form changes nothing

/** Steps of normalisation, applied in their order. */
export class Normalizer {
  /** @param {any[][]} steps as ondevice.json has them @param {string} [charsmap] the character map in base64 */
  constructor(steps, charsmap = "") {
    this.steps = steps.map(([name, ...values]) => {
      const make = STEPS[name];
      if (!make)
        throw new BertkitError(`The normalisation step ${name} is unknown; take a newer version of this package.`);
      return make(...(name === "charsmap" ? [charsmap] : values));
    });
  }

  /** @param {number[]} codes @returns {{codes: number[], sources: number[]}} */
  aligned(codes) {
    let found = { codes, sources: codes.map((_, i) => i) };
    for (const step of this.steps) found = step(found);
    return found;
  }

  /** @param {string} text @returns {string} */
  normalize(text) {
    return this.steps.length ? textOf(this.aligned(codesOf(text)).codes) : text;
  }
}

/** Return the (start, end) of given codepoints that normalised ones from start to end are from.
 * @param {number[]} sources @param {number} start @param {number} end @returns {[number, number]} */
export function span(sources, start, end) {
  const last = end > 0 ? sources[end - 1] + 1 : 0;
  return [start < end ? sources[start] : last, last];
}

/** Return the step that makes of each codepoint by itself what a function says. */
function alone(becomes) {
  return text => {
    const codes = [],
      sources = [];
    text.codes.forEach((c, i) => {
      for (const d of becomes(c)) {
        codes.push(d);
        sources.push(text.sources[i]);
      }
    });
    return { codes, sources };
  };
}

/** Return the step that puts new text where `find(codes, at)` gives an end; it stands for the last codepoint. */
function replaced(find, text) {
  const put = codesOf(text);
  return ({ codes, sources }) => {
    const found = { codes: [], sources: [] };
    for (let at = 0; at < codes.length;) {
      const end = find(codes, at);
      if (end > at) {
        for (const c of put) {
          found.codes.push(c);
          found.sources.push(sources[end - 1]);
        }
        at = end;
      } else {
        found.codes.push(codes[at]);
        found.sources.push(sources[at++]);
      }
    }
    return found;
  };
}

function runOf(has, codes, at) {
  while (at < codes.length && has(codes[at])) at++;
  return at;
}

const isBlank = c => BLANKS.has(c);

function form(name) {
  const compatible = name.startsWith("nfk"),
    composes = name.endsWith("c");
  return ({ codes, sources }) => {
    if (codes.every(c => c < UNCHANGED[name])) return { codes, sources };
    const ordered = decomposed(codes, compatible),
      pairs = composes ? composed(ordered) : ordered;
    const found = { codes: [], sources: [] };
    let taken = 0;
    for (const [c, change] of pairs) {
      // 1 is inserted, -n takes n more of the given codepoints
      found.codes.push(c);
      found.sources.push(sources[change > 0 ? taken - 1 : taken]);
      taken += Math.max(0, 1 - change);
    }
    return found;
  };
}

/** Return the full decomposition in canonical order: [codepoint, 1 if it is inserted, else 0]. */
function decomposed(codes, compatible) {
  const found = [];
  let marks = [];
  const settle = () => {
    found.push(...marks.sort((a, b) => combiningClass(a[0]) - combiningClass(b[0])));
    marks = [];
  };
  for (const c of codes) {
    (decomposition(c, compatible) ?? [c]).forEach((d, i) => {
      if (combiningClass(d) > 0) marks.push([d, i > 0 ? 1 : 0]);
      else {
        settle();
        found.push([d, i > 0 ? 1 : 0]);
      }
    });
  }
  settle();
  return found;
}

/** Compose what a decomposition holds (Unicode, section 3.11, D117). */
function composed(pairs) {
  const found = [];
  let starter = -1,
    last = 0;
  for (const [c, change] of pairs) {
    const cls = combiningClass(c),
      blocked = starter < 0 || (starter < found.length - 1 && last >= cls);
    const both = blocked ? undefined : composition(found[starter][0], c);
    if (both !== undefined) {
      found[starter] = [both, found[starter][1] + change - 1];
      continue;
    }
    if (cls === 0) starter = found.length;
    found.push([c, change]);
    last = cls;
  }
  return found;
}

function replace(old, text) {
  const wanted = codesOf(old);
  return replaced((codes, at) => (wanted.every((c, i) => codes[at + i] === c) ? at + wanted.length : at), text);
}

function squeezed(codes, at) {
  const end = runOf(c => c === 32, codes, at);
  return end - at >= 2 ? end : at;
}

function squeezedBlanks(codes, at) {
  const end = runOf(isBlank, codes, at);
  return end - at >= 2 ? end : [9, 10, 13].includes(codes[at]) ? at + 1 : at;
}

function cut({ codes, sources }, start, end) {
  return { codes: codes.slice(start, end), sources: sources.slice(start, end) };
}

function stripRight(text) {
  let end = text.codes.length;
  while (end && isBlank(text.codes[end - 1])) end--;
  return cut(text, 0, end);
}

const STEPS = {
  nfc: () => form("nfc"),
  nfd: () => form("nfd"),
  nfkc: () => form("nfkc"),
  nfkd: () => form("nfkd"),
  accents: () => alone(c => (members("accents").has(c) ? [] : [c])),
  lowercase: () => alone(bertStep(["lowercase"])),
  bert: flags => alone(bertStep(flags.split(" "))),
  replace,
  squeeze: text => replaced(squeezed, text),
  squeeze_blanks: text => replaced(squeezedBlanks, text),
  strip_left: () => text => cut(text, runOf(isBlank, text.codes, 0), text.codes.length),
  strip_right: () => stripRight,
  charsmap: charsmapStep,
};
