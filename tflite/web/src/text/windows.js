/** Long texts as overlapping windows that fit a model's length; twin of bertkit/text/windows.py. */

import { BertkitError } from "../errors.js";
import { FIRST, SECOND, truncatedLengths } from "./template.js";

/** Split the token ids of a text into overlapping windows.
 * @param {import("./tokenizer.js").Tokenizer} tokenizer @param {number[]} text @param {number} length
 * @param {number[] | null} query ids that stand before each window @param {number} stride
 * @returns {{row: {ids: number[], segments: number[]}, start: number, end: number, place: number, cls: number}[]}
 *   `place` is where the token `start` is in the row */
export function windows(tokenizer, text, length, query, stride) {
  const { template, cls } = tokenizer,
    paired = query !== null;
  let room = template.room(length, paired);
  if (paired) {
    query = query.slice(0, truncatedLengths(query.length, text.length, room)[0]);
    room -= query.length;
  }
  if (text.length && room < 1) throw new BertkitError(`${length} tokens have no room for a text; export with more.`);
  const step = Math.max(1, Math.min(stride, Math.floor(room / 2))),
    found = [];
  for (let start = 0; start < Math.max(1, text.length - room + step); start += step) {
    const end = Math.min(start + room, text.length),
      part = text.slice(start, end);
    const row = paired ? template.pack(query, part, length) : template.pack(part, null, length),
      places = new Map();
    let at = 0;
    for (const [name] of template.layout(paired)) {
      if (!places.has(name)) places.set(name, at);
      at += name === FIRST ? (paired ? query : part).length : name === SECOND ? part.length : 1;
    }
    found.push({ row, start, end, place: places.get(paired ? SECOND : FIRST), cls: places.get(cls) ?? 0 });
  }
  return found;
}

/** Return which window counts for each token of a text: the one where it has most context, the first on ties.
 * @param {{start: number, end: number}[]} cut @param {number} tokens @returns {number[]} */
export function maxContext(cut, tokens) {
  const best = new Array(tokens).fill(-1),
    chosen = new Array(tokens).fill(0);
  cut.forEach(({ start, end }, number) => {
    for (let token = start; token < end; token++) {
      const context = 100 * Math.min(token - start, end - 1 - token) + end - start;
      if (context > best[token]) [best[token], chosen[token]] = [context, number];
    }
  });
  return chosen;
}
