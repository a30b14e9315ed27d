/**
 * The words of a text, and the pieces that cover them; twin of bertkit/text/words.py. Texts are lists of codepoints.
 */

import { codesOf, members, PYTHON_BLANKS } from "./unicode.js";

/** Return a function that tells whether a codepoint is in a text of single ones and ranges "a-z".
 * @param {string} text @returns {(c: number | undefined) => boolean} */
export function oneOf(text) {
  const codes = codesOf(text),
    ranges = [];
  for (let i = 0; i < codes.length; i++) {
    const isRange = codes[i + 1] === 45 && i + 2 < codes.length;
    ranges.push([codes[i], isRange ? codes[i + 2] : codes[i]]);
    if (isRange) i += 2;
  }
  return c => c !== undefined && ranges.some(([first, last]) => c >= first && c <= last);
}

// These are always words of their own: ideographs, as in BERT's own tokenization, the marks between them, and the dash.
const isAlone = oneOf(
  "\u2014\u3001-\u3003\u3008-\u301f\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff01-\uff0f\uff1a-\uff20" +
    "\uff3b-\uff40\uff5b-\uff65\u{20000}-\u{3ffff}",
);
const isEmoji = oneOf("\u231a\u231b\u23e9-\u23fa\u2600-\u27bf\u2b05-\u2b55\u{1f000}-\u{1faff}");
const isJoiner = oneOf("\u200d\u20e3\ufe0f\u{e0020}-\u{e007f}");
const isOpening = oneOf('"\u201c\u201e\u00ab\u2039([{<\u00bf\u00a1'),
  isQuote = oneOf("'\u2018");
const isApostrophe = oneOf("'\u2019"),
  isSign = oneOf("@#&%*/\\");
const DOT = 46;

/**
 * Whether a codepoint belongs to a word of a regular expression: a letter, a digit or _.
 * @param {number | undefined} c
 */
export function isWordPart(c) {
  return c === 95 || members("alnum").has(c);
}

/** Whether Python takes a codepoint for a blank. @param {number | undefined} c */
export function isBlank(c) {
  return PYTHON_BLANKS.has(c);
}

/** Return where the words of a text are.
 * @param {number[]} text @param {number} [start] @param {number} [end]
 * @param {object | null} [convention] a `Convention`, which knows words that keep the mark at their end
 * @returns {[number, number][]} */
export function words(text, start = 0, end = text.length, convention = null) {
  const found = [];
  for (let at = start; at < end;) {
    const stop = stretchEnd(text, at, end);
    if (stop > at) found.push(...split(text, at, stop, convention));
    at = Math.max(stop, at + 1);
  }
  return found;
}

function stretchEnd(text, at, end) {
  const run = (has, from) => {
    while (from < end && has(text[from])) from++;
    return from;
  };
  if (isAlone(text[at])) return at + 1;
  if (isEmoji(text[at])) return run(c => isEmoji(c) || isJoiner(c), at + 1);
  return run(c => !isBlank(c) && !isAlone(c) && !isEmoji(c), at);
}

/** Return the words of a stretch without blanks. */
function split(text, start, end, convention) {
  const isPlain = c => members("alnum").has(c),
    before = [],
    after = [];
  if (!text.slice(start, end).some(isPlain)) return [[start, end]];
  while (opens(text, start, end)) before.push([start, ++start]);
  while (closes(text, start, end) && !convention?.isWhole(text.slice(start, end))) after.unshift([--end, end + 1]);
  const genitive = !convention || convention.genitive;
  if (genitive && end - 2 > start && isApostrophe(text[end - 2]) && [115, 83].includes(text[end - 1])) {
    after.unshift([end - 2, end]);
    end -= 2;
  }
  return [...before, [start, end], ...after];
}

/** Whether a mark opens what follows; 's and 've are words. */
function opens(text, start, end) {
  if (start >= end) return false;
  if (isOpening(text[start])) return true;
  let letters = start + 1;
  while (letters < end && isWordPart(text[letters])) letters++;
  return isQuote(text[start]) && ![1, 2].includes(letters - start - 1);
}

/** Whether the last codepoint of a word is a mark behind it. */
function closes(text, start, end) {
  const last = text[end - 1];
  if (last === DOT && isShortened(text, start, end)) return false;
  return last === 34 || last === 62 || (members("closing").has(last) && !isSign(last));
}

/** J. U.S. Ph.D. */
function isShortened(text, start, end) {
  const sizes = [];
  for (let at = start; at < end; at++) {
    const begin = at;
    while (at < end && isWordPart(text[at])) at++;
    if (text[at] !== DOT || at >= end || at === begin || at - begin > 2) return false;
    sizes.push(at - begin);
  }
  return sizes.length > 0 && (sizes.every(size => size === 1) || sizes.length > 1);
}

/** Join words by single blanks.
 * @param {number[][]} parts @returns {{text: number[], spans: [number, number][]}} */
export function joinWords(parts) {
  const text = [],
    spans = [];
  parts.forEach((part, i) => {
    if (i) text.push(32);
    spans.push([text.length, text.length + part.length]);
    for (const c of part) text.push(c);
  });
  return { text, spans };
}

/** Return the first and the last piece that cover each span, -1 where none does.
 * @param {[number, number][]} offsets of the pieces, in order @param {[number, number][]} spans
 * @returns {[number, number][]} */
export function coveringPieces(offsets, spans) {
  const pieces = offsets.map((_, i) => i).filter(i => offsets[i][0] < offsets[i][1]); // some stand for no character
  const count = holds => {
    let low = 0,
      high = pieces.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (holds(offsets[pieces[middle]])) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  return spans.map(([begin, stop]) => {
    const first = count(([, end]) => end <= begin),
      last = count(([start]) => start < stop) - 1;
    return first <= last && begin < stop ? [pieces[first], pieces[last]] : [-1, -1];
  });
}
