/** Words of a text by codepoints, and a memory of how words were cut. */

import { textOf } from "./unicode.js";

const WORDS = 1 << 14,
  LONGEST = 100;

/** A word as a JavaScript string, which vocabularies have, addressed by codepoints. */
export class Word {
  /** @param {number[]} codes */
  constructor(codes) {
    this.text = textOf(codes);
    this.length = codes.length;
    this.places = [0];
    for (const c of codes) this.places.push(this.places[this.places.length - 1] + (c > 0xffff ? 2 : 1));
  }

  /** @param {number} start @param {number} end @returns {string} */
  slice(start, end) {
    return this.text.slice(this.places[start], this.places[Math.min(end, this.length)]);
  }
}

/** Return a function of a word's codepoints that remembers what it gave.
 * @template T @param {(codes: number[]) => T} split @returns {(codes: number[]) => T} */
export function remembering(split) {
  const known = new Map();
  return codes => {
    if (codes.length > LONGEST) return split(codes);
    const key = textOf(codes);
    let found = known.get(key);
    if (!found) {
      if (known.size >= WORDS) known.clear();
      known.set(key, (found = split(codes)));
    }
    return found;
  };
}

/** Put the pieces of a word at the end of those of a text.
 * @param {{ids: number[], offsets: [number, number][]}} found
 * @param {{ids: number[], offsets: [number, number][]}} pieces
 * @param {(start: number, end: number) => [number, number]} place what makes an offset in the text of one in the
 *   word */
export function append(found, pieces, place) {
  pieces.ids.forEach((id, i) => {
    found.ids.push(id);
    found.offsets.push(place(pieces.offsets[i][0], pieces.offsets[i][1]));
  });
}
