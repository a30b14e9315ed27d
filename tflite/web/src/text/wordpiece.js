/** WordPiece: words are cut into the longest pieces, from the left; twin of bertkit/text/models/wordpiece.py. */

import { BertkitError } from "../errors.js";
import { Codepoints, DELETED, ISOLATED, JOINED } from "./codepoints.js";
import { Normalizer } from "./normalizer.js";
import { append, remembering, Word } from "./pieces.js";
import { codesOf } from "./unicode.js";

const FLAGS = { clean: "clean", split_ideographs: "ideographs", strip_accents: "accents", lowercase: "lowercase" };

export class WordPiece {
  /** Settings with which normal text is not changed. */
  static BARE = { normalization: [], clean: false, split_ideographs: false, strip_accents: false, lowercase: false };

  /** @param {string[]} vocabulary @param {string} unknown @param {object} settings those of ondevice.json */
  constructor(vocabulary, unknown, settings) {
    this.prefix = settings.prefix ?? "##";
    this.longestWord = settings.longest_word ?? 100;
    this.table = new Codepoints(settings);
    this.before = new Normalizer(settings.normalization ?? []);
    const flags = Object.keys(FLAGS)
      .filter(name => settings[name] ?? true)
      .map(name => FLAGS[name]);
    this.normalizer = new Normalizer([
      ...(settings.normalization ?? []),
      ...(flags.length ? [["bert", flags.join(" ")]] : []),
    ]);
    this.first = new Map();
    this.next = new Map();
    this.longestPiece = 1;
    vocabulary.forEach((entry, i) => {
      // of equal entries the last counts
      this.first.set(entry, i);
      if (entry.startsWith(this.prefix)) this.next.set(entry.slice(this.prefix.length), i);
      this.longestPiece = Math.max(this.longestPiece, codesOf(entry).length);
    });
    if (!this.first.has(unknown)) throw new BertkitError(`The vocabulary has no ${unknown}; copy the folder again.`);
    this.unknown = this.first.get(unknown);
    this.split = remembering(codes => this.cut(codes));
  }

  /** @param {number[]} codes a text @returns {{ids: number[], offsets: [number, number][]}} */
  encode(codes) {
    const { codes: normal, sources } = this.before.aligned(codes),
      text = this.table.finalSigmas(normal);
    const found = { ids: [], offsets: [] };
    for (const [begin, end] of this.words(text)) {
      append(found, this.split(text.slice(begin, end)), (a, b) => [sources[begin + a], sources[begin + b - 1] + 1]);
    }
    return found;
  }

  /** Yield the (start, end) of the words: one isolated codepoint, or a run of joined and deleted ones. */
  *words(codes) {
    const inside = c => c !== undefined && [JOINED, DELETED].includes(this.table.of(c).kind);
    for (let at = 0; at < codes.length;) {
      let end = at;
      while (inside(codes[end])) end++;
      if (end > at) yield [at, end];
      else if (this.table.of(codes[at]).kind === ISOLATED) yield [at, ++end];
      at = Math.max(end, at + 1);
    }
  }

  cut(raw) {
    const parts = raw.map(c => this.table.of(c).becomes),
      word = parts.flat();
    const sources = parts.flatMap((part, i) => part.map(() => i)),
      { ids, ends } = this.match(word);
    return { ids, offsets: ends.map((end, i) => [sources[i ? ends[i - 1] : 0], sources[end - 1] + 1]) };
  }

  /** Return the pieces of a normalised word and where each ends; a word that leaves a rest is unknown as a whole. */
  match(codes) {
    const word = new Word(codes),
      ids = [],
      ends = [];
    let start = 0,
      table = this.first;
    while (start < word.length && word.length <= this.longestWord) {
      let end = Math.min(word.length, start + this.longestPiece),
        id;
      while (end > start && (id = table.get(word.slice(start, end))) === undefined) end--;
      if (end === start) break;
      ids.push(id);
      ends.push(end);
      start = end;
      table = this.next;
    }
    return start === word.length ? { ids, ends } : { ids: [this.unknown], ends: [word.length] };
  }
}
