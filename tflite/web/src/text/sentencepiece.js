/** SentencePiece models: words behind a ▁ are cut into pieces; twin of bertkit/text/models/sentencepiece.py. */

import { BertkitError } from "../errors.js";
import { Merges } from "./merges.js";
import { Normalizer } from "./normalizer.js";
import { append, remembering, Word } from "./pieces.js";
import { BLANKS, bytesOf, codesOf, textOf } from "./unicode.js";

const MARK = 0x2581,
  PENALTY = 10;

/** What the models share: the normalisation, the words, the places of their pieces. */
class SentencePiece {
  /** Settings with which normal text is not changed. */
  static BARE = { normalization: [] };

  /** @param {string[]} vocabulary @param {string} unknown @param {object} settings with the tables */
  constructor(vocabulary, unknown, settings) {
    this.atSpaces = settings.words === "spaces";
    this.prefix = settings.prefix ?? true;
    this.normalizer = new Normalizer(settings.normalization ?? [], settings.charsmap ?? "");
    this.ids = new Map(vocabulary.map((entry, i) => [entry, i])); // of equal entries the last counts
    if (!this.ids.has(unknown)) throw new BertkitError(`The vocabulary has no ${unknown}; copy the folder again.`);
    this.unknown = this.ids.get(unknown);
    this.pieces = new Map(this.ids);
    for (const control of [unknown, "", ...(settings.controls ?? [])]) this.pieces.delete(control);
    this.split = remembering(codes => this.cut(codes));
  }

  /** @param {number[]} codes a text @returns {{ids: number[], offsets: [number, number][]}} */
  encode(codes) {
    const { codes: text, sources } = this.normalizer.aligned(codes),
      found = { ids: [], offsets: [] };
    for (const [begin, end] of this.words(text)) {
      append(found, this.split(text.slice(begin, end)), (a, b) => [sources[begin + a], sources[begin + b - 1] + 1]);
    }
    return found;
  }

  /** Yield the (start, end) of the words: with the ▁ before them, cut at blanks or before spaces. */
  *words(codes) {
    const begins = c => c === MARK || (this.atSpaces && c === 32);
    const inside = c => c !== undefined && c !== MARK && (this.atSpaces ? c !== 32 : !BLANKS.has(c));
    for (let at = 0; at < codes.length;) {
      let end = begins(codes[at]) ? at + 1 : at;
      while (inside(codes[end])) end++;
      if (end > at) yield [at, end];
      at = Math.max(end, at + 1);
    }
  }

  cut(raw) {
    const word = raw.map(c => (c === 32 ? MARK : c)),
      shift = this.prefix && word[0] !== MARK ? 1 : 0;
    const { ids, ends } = this.match(shift ? [MARK, ...word] : word);
    // The ▁ that is put before a word stands for the character behind it.
    return {
      ids,
      offsets: ends.map((end, i) => [Math.max((i ? ends[i - 1] : 0) - shift, 0), Math.max(end - shift, 1)]),
    };
  }
}

/** The most probable pieces of a word; on ties the way whose last piece is longest. */
export class Unigram extends SentencePiece {
  constructor(vocabulary, unknown, settings) {
    super(vocabulary, unknown, settings);
    this.scores = settings.scores ?? [];
    if (this.scores.length !== vocabulary.length)
      throw new BertkitError("The vocabulary has not a score for each entry; copy the folder again.");
    this.unknownScore = this.scores.reduce((a, b) => Math.min(a, b)) - PENALTY;
    this.lengths = new Map(); // {two first characters: the lengths of such pieces, ascending}
    for (const piece of this.pieces.keys()) {
      const codes = codesOf(piece),
        key = textOf(codes, 0, Math.min(2, codes.length));
      if (codes.length > 1) this.lengths.set(key, (this.lengths.get(key) ?? new Set()).add(codes.length));
    }
    for (const [key, lengths] of this.lengths)
      this.lengths.set(
        key,
        [...lengths].sort((a, b) => a - b),
      );
  }

  match(codes) {
    const last = this.search(new Word(codes)),
      ids = [],
      ends = [];
    for (let end = codes.length; end > 0;) {
      const [start, piece] = last[end];
      if (piece !== this.unknown || ids[ids.length - 1] !== this.unknown) {
        ids.push(piece);
        ends.push(end);
      }
      end = start;
    }
    return { ids: ids.reverse(), ends: ends.reverse() };
  }

  /** Return for each end the start and the id of the last piece on the best way to it (Viterbi). */
  search(word) {
    const best = new Float64Array(word.length + 1).fill(-Infinity),
      last = new Array(word.length + 1);
    best[0] = 0;
    const offer = (start, end, score, piece) => {
      if (best[start] + score > best[end]) {
        best[end] = best[start] + score;
        last[end] = [start, piece];
      }
    };
    for (let start = 0; start < word.length; start++) {
      const one = this.pieces.get(word.slice(start, start + 1)) ?? this.unknown;
      offer(start, start + 1, one === this.unknown ? this.unknownScore : this.scores[one], one);
      for (const length of this.lengths.get(word.slice(start, start + 2)) ?? []) {
        const longer = start + length <= word.length ? this.pieces.get(word.slice(start, start + length)) : undefined;
        if (longer !== undefined) offer(start, start + length, this.scores[longer], longer);
      }
    }
    return last;
  }
}

/** Merges of the characters of a word; unknown characters in a row are one unknown token. */
export class BPE extends SentencePiece {
  constructor(vocabulary, unknown, settings) {
    super(vocabulary, unknown, settings);
    this.merges = new Merges(this.ids, settings.merges ?? []);
  }

  match(codes) {
    const symbols = [],
      places = [];
    codes.forEach((c, i) => {
      const symbol = this.pieces.get(String.fromCodePoint(c)) ?? this.unknown;
      if (symbol === this.unknown && symbols[symbols.length - 1] === symbol) places[places.length - 1] = i + 1;
      else {
        symbols.push(symbol);
        places.push(i + 1);
      }
    });
    const { ids, ends } = this.merges.merge(symbols);
    return { ids, ends: ends.map(end => places[end - 1]) };
  }
}

/** BPE on whole texts that writes a character which is no entry as the entries <0x00> to <0xFF> of its bytes. */
export class ByteFallback extends BPE {
  constructor(vocabulary, unknown, settings) {
    super(vocabulary, unknown, { ...settings, words: "spaces", prefix: false });
    this.byteIds = Array.from({ length: 256 }, (_, b) =>
      this.ids.get(`<0x${b.toString(16).toUpperCase().padStart(2, "0")}>`),
    );
    this.cutsAtSpaces = !(settings.merges ?? []).some(merge => /[^▁]▁/u.test(merge.replace(" ", "")));
  }

  *words(codes) {
    for (let at = 0, end; at < codes.length; at = end) {
      end = at;
      while (codes[end] === MARK) end++;
      while (end < codes.length && codes[end] !== MARK) end++;
      if (!this.cutsAtSpaces) end = codes.length;
      yield [at, end];
    }
  }

  cut(raw) {
    const symbols = [],
      places = [];
    raw.forEach((c, place) => {
      const own = this.pieces.get(String.fromCodePoint(c));
      for (const id of own === undefined ? bytesOf(c).map(byte => this.byteIds[byte]) : [own]) {
        symbols.push(id);
        places.push(place);
      }
    });
    const { ids, ends } = this.merges.merge(symbols);
    return { ids, offsets: ends.map((end, i) => [places[i ? ends[i - 1] : 0], places[end - 1] + 1]) };
  }
}
