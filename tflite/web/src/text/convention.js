/** How the data that a tagger was trained on part words; twin of bertkit/text/convention.py. */

import { codesOf, members, textOf } from "./unicode.js";
import { oneOf, words } from "./words.js";

const IDEOGRAPHS = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u{20000}-\u{3ffff}";
const isIdeograph = oneOf(IDEOGRAPHS);
// Scripts that are written without blanks between words: Thai, Lao, Burmese, Khmer, kana, ideographs.
const hasNoBlanks = oneOf(
  "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u19e0-\u19ff\u3041-\u30ff\u31f0-\u31ff\ua9e0-\ua9ff" +
    `\uaa60-\uaa7f\uff66-\uff9d${IDEOGRAPHS}`,
);
const APOSTROPHE = 39,
  MODIFIER = 0x2bc;
const APOSTROPHES = new Set([0x2019, 0x2018, 0x2bc, 0x2032, 0xff07, 0x55a]);

/** Return a word as conventions compare it: in lower case, with ' for every apostrophe, as long as it was.
 * @param {number[]} word @returns {string} */
export function plain(word) {
  const lower = codesOf(textOf(word).toLowerCase());
  return textOf((lower.length === word.length ? lower : word).map(c => (APOSTROPHES.has(c) ? APOSTROPHE : c)));
}

function isMark(c) {
  return members("sign").has(c) || c === MODIFIER;
}

function isLetter(c) {
  return (members("alnum").has(c) && c !== MODIFIER) || members("mark").has(c);
}

/** Part a word after each apostrophe that stands between letters.
 * @param {number[]} text @param {number} start @param {number} end @returns {[number, number][]} */
export function atApostrophes(text, start, end) {
  const found = [];
  for (let at = start + 1, begin = start; at <= end; at++) {
    const cuts =
      at === end || (at - 1 > start && plain([text[at - 1]]) === "'" && isLetter(text[at - 2]) && isLetter(text[at]));
    if (!cuts) continue;
    found.push([begin, at]);
    begin = at;
  }
  return found;
}

/** Yield the (start, end) of each ideograph and of the runs between them. */
function* ideographsAndRuns(text, start, end) {
  for (let at = start; at < end;) {
    let stop = at + 1;
    while (!isIdeograph(text[at]) && stop < end && !isIdeograph(text[stop])) stop++;
    yield [at, stop];
    at = stop;
  }
}

/** Whether a word holds a script without blanks other than ideographs, so that it may be several words.
 * @param {number[]} text @returns {boolean} */
export function isUnbroken(text) {
  return [...ideographsAndRuns(text, 0, text.length)].some(([a, b]) => b - a > 1 && text.slice(a, b).some(hasNoBlanks));
}

/** The words and marks of ondevice.json's `convention`. */
export class Convention {
  /** @param {{after: string[], alone: string[], prefixes: string[], suffixes: string[], wholes: string[],
   *   unbroken: string[], genitive: boolean}} settings */
  constructor({ after = [], alone = [], prefixes = [], suffixes = [], wholes = [], unbroken = [], genitive = true }) {
    this.after = new Set(after);
    this.alone = new Set(alone);
    this.suffixes = new Set(suffixes);
    this.known = new Set([...prefixes, ...wholes]);
    this.genitive = genitive;
    this.dictionary = new Map(); // {first codepoint: words that begin with it, the longest first}
    for (const word of unbroken.map(codesOf).sort((a, b) => b.length - a.length)) {
      this.dictionary.set(word[0], [...(this.dictionary.get(word[0]) ?? []), word]);
    }
  }

  /** Return where the words of a text are. @param {number[]} text @returns {[number, number][]} */
  words(text) {
    const found = [];
    let done = 0;
    for (let at = 0; this.dictionary.size && at < text.length; at++) {
      if (!hasNoBlanks(text[at])) continue;
      let end = at;
      while (hasNoBlanks(text[end])) end++;
      found.push(...this.parted(text, done, at), ...this.lookedUp(text, at, end));
      at = done = end;
    }
    return [...found, ...this.parted(text, done, text.length)];
  }

  /** Whether a word stays as it is, in spite of the marks in it or at its end. @param {number[]} word */
  isWhole(word) {
    return this.known.has(plain(word));
  }

  parted(text, start, end) {
    return words(text, start, end, this).flatMap(([a, b]) => this.atMarks(text, a, b));
  }

  atMarks(text, start, end) {
    const found = [],
      last = end - 1;
    const put = (...stops) => {
      for (const stop of stops) found.push([start, (start = stop)]);
    };
    for (let at = start + 1; at < last; at++) {
      if (at <= start || !(isMark(text[at]) && isLetter(text[at - 1]) && isLetter(text[at + 1]))) continue;
      if (this.isWhole(text.slice(start, end))) break;
      const mark = plain([text[at]]),
        joins = mark === "'" && this.isWhole(text.slice(start, at + 1));
      if (mark === "'" && !joins && this.suffixes.has(plain(text.slice(at, end)))) put(at);
      else if (this.after.has(mark) || joins) put(at + 1);
      else if (this.alone.has(mark)) put(at, at + 1);
    }
    return start < end ? [...found, [start, end]] : found;
  }

  /** Return the words of a text without blanks: the longest that the data have, and what is between them. */
  lookedUp(text, start, end) {
    const found = [];
    let unknown = start,
      at = start;
    while (at < end) {
      const fits = word => at + word.length <= end && word.every((c, i) => text[at + i] === c);
      const word = members("mark").has(text[at]) ? undefined : this.dictionary.get(text[at])?.find(fits);
      if (!word) {
        at++;
        continue;
      }
      found.push(...ideographsAndRuns(text, unknown, at), [at, at + word.length]);
      unknown = at += word.length;
    }
    return [...found, ...ideographsAndRuns(text, unknown, end)];
  }
}
