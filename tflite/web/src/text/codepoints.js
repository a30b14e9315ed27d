/** What BERT's normalisation makes of each codepoint; the twin of bertkit/text/unicode/codepoints.py. */

import { codesOf, decomposition, isSurrogate, mapping, members, textOf } from "./unicode.js";
import { SETS } from "./tables.js";

export const JOINED = 0,
  DELETED = 1,
  SPACE = 2,
  ISOLATED = 3;
const SIGMA = 0x3a3,
  FINAL_SIGMA = 0x3c2;

/** The codepoint table of one set of rules, with each step on or off. */
export class Codepoints {
  /**
   * @param {{rules?: string, lowercase?: boolean, strip_accents?: boolean, clean?: boolean, split_ideographs?:
   *   boolean}} options
   */
  constructor({
    rules = "huggingface",
    lowercase = true,
    strip_accents = true,
    clean = true,
    split_ideographs = true,
  } = {}) {
    this.set = name => members(`${rules}.${name}`);
    this.clean = clean;
    this.splits = split_ideographs;
    this.known = new Map();
    this.steps = [...(strip_accents ? [stripping(rules)] : []), ...(lowercase ? [lowering(rules)] : [])];
    if (rules === "google") this.steps.reverse();
    this.hasSigmas = lowercase && `${rules}.cased` in SETS;
  }

  /**
   * Return the kind of a codepoint and what it becomes.
   * @param {number} c
   * @returns {{kind: number, becomes: number[]}}
   */
  of(c) {
    let found = this.known.get(c);
    if (!found) {
      let becomes = [c];
      for (const step of this.steps) becomes = becomes.flatMap(step);
      const kind = this.kind(c, becomes);
      this.known.set(c, (found = { kind, becomes: kind === DELETED ? [] : becomes }));
    }
    return found;
  }

  kind(c, becomes) {
    if (this.clean && this.set("delete").has(c)) return DELETED;
    if (this.clean && this.set("blank").has(c)) return SPACE;
    if (this.splits && this.set("ideograph").has(c)) return ISOLATED;
    const first = becomes[0];
    if (first === undefined || isSurrogate(first)) return DELETED;
    return this.set("punctuation").has(first) ? ISOLATED : this.set("space").has(first) ? SPACE : JOINED;
  }

  /** Return codepoints with a final sigma in the place of each capital sigma that ends a word (Unicode 3.13).
   * @param {number[]} codes @returns {number[]} */
  finalSigmas(codes) {
    if (!this.hasSigmas || !codes.includes(SIGMA)) return codes;
    const counted = codes.map((_, i) => i).filter(i => !this.isIgnorable(codes[i])),
      found = codes.slice();
    counted.forEach((place, i) => {
      const before = codes[counted[i - 1]],
        after = codes[counted[i + 1]],
        cased = this.set("cased");
      if (codes[place] === SIGMA && cased.has(before) && !cased.has(after)) found[place] = FINAL_SIGMA;
    });
    return found;
  }

  isIgnorable(c) {
    return this.set("ignorable").has(c) || this.of(c).kind === DELETED;
  }
}

function lowering(rules) {
  const lower = mapping(`${rules}.lower`);
  return c => lower.get(c) ?? [c];
}

function stripping(rules) {
  const odd = mapping(`${rules}.strip`),
    accents = members("accents");
  return c => odd.get(c) ?? (accents.has(c) ? [] : (decomposition(c, false)?.filter(d => !accents.has(d)) ?? [c]));
}

/** Return what makes of a codepoint what the normalisation of BERT in the library `tokenizers` does.
 * @param {string[]} flags some of clean, ideographs, accents, lowercase @returns {(c: number) => number[]} */
export function bertStep(flags) {
  const has = name => flags.includes(name),
    splits = has("ideographs");
  const table = new Codepoints({
    lowercase: has("lowercase"),
    strip_accents: has("accents"),
    clean: has("clean"),
    split_ideographs: splits,
  });
  return c => {
    if (isSurrogate(c)) return [c];
    const { kind, becomes } = table.of(c),
      text = table.clean && kind === SPACE ? [32] : becomes;
    return splits && table.set("ideograph").has(c) ? [32, ...text, 32] : text;
  };
}

/**
 * Return a text as BERT's normalisation leaves it, for programs whose own normalisation is another one, as MediaPipe's.
 * @param {string} text
 * @param {{rules?: string, lowercase?: boolean, strip_accents?: boolean}} [options]
 * @returns {string} */
export function normalize(text, options = {}) {
  const table = new Codepoints(options),
    found = [];
  for (const c of table.finalSigmas(codesOf(text))) {
    const { kind, becomes } = table.of(c);
    if (kind === SPACE) found.push(32);
    else if (table.splits && table.set("ideograph").has(c)) found.push(32, ...becomes, 32);
    else found.push(...becomes);
  }
  return textOf(found);
}
