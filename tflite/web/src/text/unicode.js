/** The Unicode tables of bertkit, which are the same in every browser; see tables.js for their versions. */

import { MAPS, SETS } from "./tables.js";

const SIZE = 0x110000;
const HANGUL = 0xac00,
  LEADING = 0x1100,
  VOWEL = 0x1161,
  TRAILING = 0x11a7,
  SYLLABLES = 11172;
const sets = new Map(),
  maps = new Map();
/** Unicode's White_Space. */
export const BLANKS = new Set([
  9, 10, 11, 12, 13, 32, 0x85, 0xa0, 0x1680, 0x2000, 0x2001, 0x2002, 0x2003, 0x2004, 0x2005, 0x2006, 0x2007, 0x2008,
  0x2009, 0x200a, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000,
]);
/** What Python takes for a blank where it strips texts. */
export const PYTHON_BLANKS = new Set([...BLANKS, 0x1c, 0x1d, 0x1e, 0x1f]);

/** A set of codepoints. */
export class CodeSet {
  /** @param {Iterable<[number, number]>} ranges first and last of each run */
  constructor(ranges) {
    this.words = new Uint32Array(SIZE / 32);
    for (const [first, last] of ranges) for (let c = first; c <= last; c++) this.words[c >> 5] |= 1 << (c & 31);
  }

  /** @param {number | undefined} c @returns {boolean} false for undefined, which is what stands behind an end */
  has(c) {
    return c !== undefined && ((this.words[c >> 5] >>> (c & 31)) & 1) === 1;
  }
}

/** Return a set of tables.js. @param {string} name @returns {CodeSet} */
export function members(name) {
  if (!sets.has(name)) sets.set(name, new CodeSet(ranges(SETS[name])));
  return sets.get(name);
}

function* ranges(text) {
  let at = 0,
    first = null;
  for (const step of text ? text.split(" ") : []) {
    at += parseInt(step, 36);
    if (first === null) first = at;
    else {
      yield [first, at - 1];
      first = null;
    }
  }
}

/** Return a map of tables.js from a codepoint to codepoints. @param {string} name @returns {Map<number, number[]>} */
export function mapping(name) {
  if (!maps.has(name)) {
    const found = new Map();
    let c = 0;
    for (const row of MAPS[name].split(" ")) {
      const [step, becomes] = row.split(":");
      c += parseInt(step, 36);
      found.set(c, becomes ? becomes.split(",").map(distance => c + parseInt(distance, 36)) : []);
    }
    maps.set(name, found);
  }
  return maps.get(name);
}

/** Return the full decomposition of a codepoint, undefined where it has none.
 * @param {number} c @param {boolean} compatible @returns {number[] | undefined} */
export function decomposition(c, compatible) {
  if (c >= HANGUL && c < HANGUL + SYLLABLES) return jamo(c - HANGUL);
  return (compatible && mapping("compatibility").get(c)) || mapping("canonical").get(c);
}

function jamo(number) {
  const trailing = number % 28,
    rest = (number - trailing) / 28,
    vowel = rest % 21;
  const found = [LEADING + (rest - vowel) / 21, VOWEL + vowel];
  return trailing ? [...found, TRAILING + trailing] : found;
}

let pairs = null;

/** Return what two codepoints compose, undefined for nothing. @param {number} a @param {number} b */
export function composition(a, b) {
  if (a >= LEADING && a < LEADING + 19 && b >= VOWEL && b < VOWEL + 21)
    return HANGUL + ((a - LEADING) * 21 + b - VOWEL) * 28;
  if (a >= HANGUL && a < HANGUL + SYLLABLES && (a - HANGUL) % 28 === 0 && b > TRAILING && b < TRAILING + 28)
    return a + b - TRAILING;
  pairs ??= new Map([...mapping("compositions")].map(([c, [first, second]]) => [first * SIZE + second, c]));
  return pairs.get(a * SIZE + b);
}

/** Return the canonical combining class, 0 for a starter. @param {number} c @returns {number} */
export function combiningClass(c) {
  return c < 0x300 ? 0 : (mapping("classes").get(c)?.[0] ?? 0);
}

/** Return the codepoints of a text. @param {string} text @returns {number[]} */
export function codesOf(text) {
  const codes = [];
  for (let i = 0; i < text.length; i++) {
    const c = text.codePointAt(i);
    codes.push(c);
    if (c > 0xffff) i++;
  }
  return codes;
}

/** Return the text of codepoints. @param {ArrayLike<number>} codes @param {number} [start] @param {number} [end] */
export function textOf(codes, start = 0, end = codes.length) {
  let text = "";
  for (let i = start; i < end; i++) text += String.fromCodePoint(codes[i]);
  return text;
}

/** Whether a codepoint is half of a surrogate pair. @param {number} c */
export function isSurrogate(c) {
  return c >= 0xd800 && c < 0xe000;
}

/** Return the UTF-8 bytes of a codepoint; half of a surrogate pair is read as U+FFFD.
 * @param {number} c @returns {number[]} */
export function bytesOf(c) {
  if (isSurrogate(c)) c = 0xfffd;
  if (c < 0x80) return [c];
  if (c < 0x800) return [0xc0 | (c >> 6), 0x80 | (c & 63)];
  if (c < 0x10000) return [0xe0 | (c >> 12), 0x80 | ((c >> 6) & 63), 0x80 | (c & 63)];
  return [0xf0 | (c >> 18), 0x80 | ((c >> 12) & 63), 0x80 | ((c >> 6) & 63), 0x80 | (c & 63)];
}
