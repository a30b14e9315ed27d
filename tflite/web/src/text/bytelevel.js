/** Byte-level BPE: the bytes of words are merged; twin of bertkit/text/models/bytelevel.py. */

import { BertkitError } from "../errors.js";
import { Merges } from "./merges.js";
import { Normalizer, span } from "./normalizer.js";
import { append, remembering } from "./pieces.js";
import { BLANKS, bytesOf, members } from "./unicode.js";

const ENDINGS = ["s", "t", "m", "d", "re", "ve", "ll"].map(ending => [...ending].map(c => c.charCodeAt(0)));

/** Return the 256 letters that stand for bytes in the entries of a vocabulary. */
function letters() {
  const isPrintable = b => (b >= 0x21 && b < 0x7f) || (b >= 0xa1 && b < 0x100 && b !== 0xad);
  let other = 0x100;
  return Array.from({ length: 256 }, (_, b) => String.fromCharCode(isPrintable(b) ? b : other++));
}

export class ByteLevel {
  /** Settings with which normal text is not changed. */
  static BARE = { normalization: [] };

  /** @param {string[]} vocabulary @param {string | undefined} unknown @param {object} settings with the merges */
  constructor(vocabulary, unknown, settings) {
    if ((settings.words ?? "gpt2") !== "gpt2" || settings.whole_words)
      throw new BertkitError(
        "The tokenizer cuts words by other rules than GPT-2's, such as EuroBERT's, which this client does not know; " +
          "answer in Python.",
      );
    const ids = new Map(vocabulary.map((entry, i) => [entry, i]));
    this.byteIds = letters().map(
      letter => ids.get(letter) ?? (settings.unknown_bytes ? ids.get(unknown ?? "") : undefined),
    );
    if (!letters().some(letter => ids.has(letter)))
      throw new BertkitError("The vocabulary has no bytes; copy the folder again.");
    this.merges = new Merges(ids, settings.merges ?? []);
    this.prefixSpace = settings.prefix_space ?? false;
    this.normalizer = new Normalizer(settings.normalization ?? []);
    this.split = remembering(codes => this.cut(codes));
  }

  /** @param {number[]} codes a text @returns {{ids: number[], offsets: [number, number][]}} */
  encode(codes) {
    const text = this.normalizer.aligned(codes),
      found = { ids: [], offsets: [] };
    const prefix = this.prefixSpace && text.codes.length && text.codes[0] !== 32 ? [32] : [];
    const all = [...prefix, ...text.codes];
    for (const [start, end] of words(all)) {
      const begin = start - prefix.length;
      append(found, this.split(all.slice(start, end)), (a, b) => span(text.sources, begin + a, begin + b));
    }
    return found;
  }

  cut(word) {
    const data = [],
      places = [],
      known = [];
    word.forEach((c, place) =>
      bytesOf(c).forEach(byte => {
        if (this.byteIds[byte] === undefined) return;
        data.push(byte);
        known.push(this.byteIds[byte]);
        places.push(place);
      }),
    );
    const { ids, ends } = this.merges.merge(known);
    return { ids, offsets: ends.map((end, i) => trimmed(data, places, i ? ends[i - 1] : 0, end)) };
  }
}

/** Return the range of codepoints of the bytes from one place to another, without the spaces at its ends. */
function trimmed(data, places, from, to) {
  let left = 0,
    right = 0;
  while (from + left < to && data[from + left] === 32) left++;
  while (from < to - right && data[to - 1 - right] === 32) right++;
  const end = places[to - 1] + 1,
    start = Math.min(places[from] + left, end);
  return [start, Math.max(end - right, start)];
}

/** Yield the (start, end) of the words of GPT-2's pattern. */
function* words(codes) {
  for (let at = 0, end; at < codes.length; at = end) {
    end = endingAt(codes, at) ?? runAt(codes, at) ?? blanksAt(codes, at);
    yield [at, end];
  }
}

/** An English ending such as 's. */
function endingAt(codes, at) {
  const found = codes[at] === 39 && ENDINGS.find(ending => ending.every((c, i) => codes[at + 1 + i] === c));
  return found ? at + 1 + found.length : undefined;
}

/** A run of letters, of numbers or of other signs, with the space before it. */
function runAt(codes, at) {
  const start = codes[at] === 32 ? at + 1 : at;
  if (start >= codes.length || BLANKS.has(codes[start])) return undefined;
  const kind = kindOf(codes[start]);
  let end = start + 1;
  while (end < codes.length && kindOf(codes[end]) === kind) end++;
  return end;
}

/** Blanks; the last one is left to the word behind them. */
function blanksAt(codes, at) {
  let end = at;
  while (end < codes.length && BLANKS.has(codes[end])) end++;
  return end < codes.length && end - at > 1 ? end - 1 : end;
}

function kindOf(c) {
  return BLANKS.has(c) ? 0 : members("bytelevel.letter").has(c) ? 1 : members("bytelevel.number").has(c) ? 2 : 3;
}
