/** Texts to token ids with offsets, and rows to padded batches; twin of bertkit/text/tokenizer.py. */

import { BertkitError } from "../errors.js";
import { addedOf, Splitter } from "./added.js";
import { ByteLevel } from "./bytelevel.js";
import { span } from "./normalizer.js";
import { BPE, ByteFallback, Unigram } from "./sentencepiece.js";
import { Template } from "./template.js";
import { codesOf } from "./unicode.js";
import { WordPiece } from "./wordpiece.js";

const MODELS = { wordpiece: WordPiece, bytelevel: ByteLevel, unigram: Unigram, bpe: BPE, bytefallback: ByteFallback };

/** The tokenizer of an exported folder. */
export class Tokenizer {
  /** @param {string[]} vocabulary the entries in the order of their ids
   * @param {object} settings `tokenizer` of ondevice.json, with the tables of vocabulary.json */
  constructor(vocabulary, settings) {
    const kind = settings.kind ?? "wordpiece",
      make = MODELS[kind];
    if (!make)
      throw new BertkitError(
        `A tokenizer of the kind ${kind} came, which needs a dictionary; ` +
          `this package has ${Object.keys(MODELS).join(", ")}.`,
      );
    const special = settings.special ?? {},
      added = (settings.added ?? []).map(addedOf);
    this.ids = new Map(vocabulary.map((entry, i) => [entry, i]));
    let size = vocabulary.length;
    for (const { content } of added) if (!this.ids.has(content)) this.ids.set(content, size++);
    const roles = new Set(Object.values(special)),
      recognised = added.filter(token => !roles.has(token.content));
    this.model = new make(vocabulary, special.unk ?? undefined, settings);
    this.raw = new Splitter(recognised.filter(token => !token.normalized));
    this.normal = new Splitter(
      recognised.filter(token => token.normalized),
      text => this.model.normalizer.normalize(text),
    );
    // What stands between normalised tokens is normalised already.
    const bare = added.some(token => token.normalized);
    this.bare = bare ? new make(vocabulary, special.unk ?? undefined, { ...settings, ...make.BARE }) : this.model;
    this.template = new Template(settings.template, token => this.id(token));
    this.padding = special.pad ? this.id(special.pad) : 0;
    this.cls = special.cls ? this.id(special.cls) : -1;
  }

  /** Return the id of an entry. @param {string} token @returns {number} */
  id(token) {
    if (!this.ids.has(token)) throw new BertkitError(`The vocabulary has no ${token}; copy the folder again.`);
    return this.ids.get(token);
  }

  /** Return the ids of a text, and which codepoints of it each token covers; no special tokens are added.
   * @param {string} text @returns {{ids: number[], offsets: [number, number][]}} */
  encode(text) {
    if (typeof text !== "string")
      throw new BertkitError(`${JSON.stringify(text)} came where a text was wanted; give a string.`);
    const codes = codesOf(text),
      ids = [],
      offsets = [];
    for (const [begin, end, token] of this.raw.isEmpty ? whole(codes) : this.raw.split(codes)) {
      const found =
        token === null ? this.between(codes.slice(begin, end)) : { ids: [this.id(token)], offsets: [[0, end - begin]] };
      for (const id of found.ids) ids.push(id);
      for (const [a, b] of found.offsets) offsets.push([begin + a, begin + b]);
    }
    return { ids, offsets };
  }

  /** Return the pieces of a text between added tokens. */
  between(codes) {
    if (this.normal.isEmpty) return this.model.encode(codes);
    const { codes: normal, sources } = this.model.normalizer.aligned(codes),
      ids = [],
      offsets = [];
    for (const [begin, end, token] of this.normal.split(normal)) {
      const found =
        token === null
          ? this.bare.encode(normal.slice(begin, end))
          : { ids: [this.id(token)], offsets: [[0, end - begin]] };
      for (const id of found.ids) ids.push(id);
      for (const [a, b] of found.offsets) offsets.push(span(sources, begin + a, begin + b));
    }
    return { ids, offsets };
  }

  /** Return a row padded to a length, as the inputs of a model.
   * @param {{ids: number[], segments: number[]}} row @param {number} length */
  batch(row, length) {
    const start = this.template.side === "left" ? length - row.ids.length : 0;
    const found = {
      token_ids: new Int32Array(length).fill(this.padding),
      padding_mask: new Int32Array(length),
      segment_ids: new Int32Array(length).fill(this.template.segment),
    };
    found.token_ids.set(row.ids, start);
    found.segment_ids.set(row.segments, start);
    found.padding_mask.fill(1, start, start + row.ids.length);
    return found;
  }
}

function whole(codes) {
  return codes.length ? [[0, codes.length, null]] : [];
}
