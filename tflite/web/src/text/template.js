/** Where special tokens and segments go, and what is cut when texts are long; twin of bertkit/text/template.py. */

import { BertkitError } from "../errors.js";

export const FIRST = "$first",
  SECOND = "$second";

/** Return how many tokens of each text of a pair stay: the longer one is cut first, at its end.
 * @param {number} first @param {number} second @param {number} places @returns {[number, number]} */
export function truncatedLengths(first, second, places) {
  if (first > second) return truncatedLengths(second, first, places).reverse();
  const kept = Math.min(first, Math.floor(places / 2));
  return [kept, Math.min(second, places - kept)];
}

/** The order of texts and special tokens in a row. */
export class Template {
  /** @param {object} settings those of ondevice.json @param {(token: string) => number} id */
  constructor(settings, id) {
    this.side = settings.padding_side ?? "right";
    this.segment = settings.padding_segment ?? 0;
    const layout = parts => parts.map(([part, segment]) => [[FIRST, SECOND].includes(part) ? part : id(part), segment]);
    this.layouts = { single: layout(settings.single), pair: layout(settings.pair) };
  }

  /**
   * Return [part, segment] in order: a part is "$first", "$second" or the id of a special token.
   * @param {boolean} paired
   */
  layout(paired) {
    return paired ? this.layouts.pair : this.layouts.single;
  }

  /** Return how many tokens of text fit beside the special tokens. @param {number} length @param {boolean} paired */
  room(length, paired) {
    const special = this.layout(paired).length - (paired ? 2 : 1);
    if (length < special)
      throw new BertkitError(`${length} tokens are too few for the ${special} special tokens; export with more.`);
    return length - special;
  }

  /** Return one row with special tokens, cut to a length and not padded.
   * @param {number[]} first
   * @param {number[] | null} second
   * @param {number} length
   * @returns {{ids: number[], segments: number[]}} */
  pack(first, second, length) {
    const paired = second !== null,
      room = this.room(length, paired);
    const sizes = paired ? truncatedLengths(first.length, second.length, room) : [Math.min(first.length, room), 0];
    const texts = { [FIRST]: first.slice(0, sizes[0]), [SECOND]: paired ? second.slice(0, sizes[1]) : [] };
    const row = { ids: [], segments: [] };
    for (const [part, segment] of this.layout(paired)) {
      for (const id of texts[part] ?? [part]) {
        row.ids.push(id);
        row.segments.push(segment);
      }
    }
    return row;
  }
}
