/**
 * Added tokens: entries that are found in a text before the model cuts the rest of it; twin of bertkit/text/added.py.
 */

import { BLANKS, codesOf, members } from "./unicode.js";

/** Return an added token with all its flags. @param {string | object} value as ondevice.json has it */
export function addedOf(value) {
  const plain = { special: true, lstrip: false, rstrip: false, single_word: false, normalized: false };
  return typeof value === "string" ? { content: value, ...plain } : { ...plain, ...value };
}

/** Cuts texts at tokens; of tokens that begin at the same place the longest one counts. */
export class Splitter {
  /**
   * @param {object[]} tokens those of `addedOf`
   * @param {(text: string) => string} [normalize] what is looked for instead
   */
  constructor(tokens, normalize = text => text) {
    const wanted = new Map();
    for (const token of tokens) {
      const text = normalize(token.content);
      if (text && !wanted.has(text)) wanted.set(text, token);
    }
    this.first = new Map(); // {first codepoint: [[codepoints, token], the longest first]}
    for (const [text, token] of wanted) {
      const codes = codesOf(text);
      this.first.set(codes[0], [...(this.first.get(codes[0]) ?? []), [codes, token]]);
    }
    for (const list of this.first.values()) list.sort((a, b) => b[0].length - a[0].length);
  }

  get isEmpty() {
    return this.first.size === 0;
  }

  /** Yield [begin, end, content]: the content of each token, null for the text between them.
   * @param {number[]} codes @returns {Generator<[number, number, string | null]>} */
  *split(codes) {
    let done = 0;
    for (const [begin, end, token] of this.found(codes)) {
      if (token.single_word && (inWord(codes[begin - 1]) || inWord(codes[end]))) continue;
      let before = begin;
      if (token.lstrip) {
        before = Math.max(done, begin);
        while (before > done && BLANKS.has(codes[before - 1])) before--;
      }
      if (done < before) yield [done, before, null];
      yield [begin, end, token.content];
      done = end;
      while (token.rstrip && BLANKS.has(codes[done])) done++;
    }
    if (done < codes.length) yield [done, codes.length, null];
  }

  *found(codes) {
    for (let at = 0; at < codes.length;) {
      const match = this.first.get(codes[at])?.find(([wanted]) => wanted.every((c, i) => codes[at + i] === c));
      if (match) yield [at, at + match[0].length, match[1]];
      at += match ? match[0].length : 1;
    }
  }
}

function inWord(c) {
  return members("in_words").has(c);
}
