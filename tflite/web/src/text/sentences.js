/** The sentences of a text, by fixed rules and a list of abbreviations; twin of bertkit/text/sentences.py. */

import { members, textOf } from "./unicode.js";
import { isBlank, isWordPart, oneOf } from "./words.js";

// A dot after these ends no sentence: titles, Latin abbreviations, parts of addresses.
const SHORT = (
  "mr|mrs|ms|dr|prof|rev|hon|st|sr|jr|gen|col|maj|capt|cmdr|lt|sgt|sen|rep|gov|pres|vs|cf|etc|al|ca|approx|no|" +
  "vol|pp|fig|eq|sec|dept|univ|inc|ltd|co|corp|mt|ave|jan|feb|mar|apr|jun|jul|aug|sep|sept|oct|nov|dec|e.g|i.e"
).split("|");
const BARE = "\u3002\uff01\uff1f\u0964\u0965\u061f\u06d4",
  LINE = 10,
  DOT = 46;
const isStop = oneOf(".!?\u2026"),
  isBare = oneOf(BARE),
  isBareOrMark = oneOf(`!?${BARE}`);
const closesStop = oneOf("\"'\u201d\u2019\u00bb)]"),
  closesBare = oneOf("\"'\u201d\u2019\u00bb\u300d\u300f");

/** Return where the sentences of a text are, without the blanks around them.
 * @param {number[]} text @returns {[number, number][]} */
export function sentences(text) {
  const spans = [];
  let start = 0;
  for (let at = 0; at < text.length;) {
    const end = breakEnd(text, at);
    if (end > at && ends(text, at, end)) {
      spans.push([start, end]);
      start = end;
    }
    at = Math.max(end, at + 1);
  }
  return [...spans, [start, text.length]].map(([a, b]) => stripped(text, a, b)).filter(([a, b]) => a < b);
}

function run(text, at, has) {
  while (at < text.length && has(text[at])) at++;
  return at;
}

/** Return where a break that begins here ends, -1 where none does. */
function breakEnd(text, at) {
  if (text[at] === LINE) return isEmptyLine(text, at) ? run(text, at, isBlank) : -1;
  if (isStop(text[at])) {
    const quotes = run(text, run(text, at, isStop), closesStop);
    return isBlank(text[quotes]) ? run(text, quotes, isBlank) : -1;
  }
  return isBare(text[at]) ? run(text, run(text, run(text, at, isBareOrMark), closesBare), isBlank) : -1;
}

/** Whether two line ends with blanks alone between them begin here. */
function isEmptyLine(text, at) {
  return text[run(text, at + 1, c => isBlank(c) && c !== LINE)] === LINE;
}

/** Whether a break ends a sentence. */
function ends(text, begin, end) {
  if (!isStop(text[begin])) return true;
  for (let at = begin; at < end; at++) if (text[at] === LINE && isEmptyLine(text.slice(0, end), at)) return true;
  return !members("lower").has(text[end]) && !isAbbreviated(text, begin);
}

/** Whether a dot here stands behind an initial or an abbreviation. */
function isAbbreviated(text, at) {
  if (text[at] !== DOT) return false;
  const letter = text[at - 1],
    isInitial = isWordPart(letter) && letter !== 95 && !members("decimal").has(letter);
  if (isInitial && (!isWordPart(text[at - 2]) || text[at - 2] === DOT)) return true;
  return SHORT.some(word => {
    const start = at - word.length;
    return start >= 0 && !isWordPart(text[start - 1]) && textOf(text, start, at).toLowerCase() === word;
  });
}

function stripped(text, start, end) {
  while (start < end && isBlank(text[start])) start++;
  while (start < end && isBlank(text[end - 1])) end--;
  return [start, end];
}
