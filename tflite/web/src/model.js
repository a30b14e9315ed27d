/** A folder that `bertkit export` left, loaded: texts in, answers out; twin of bertkit/ondevice/runner.py. */

import { BertkitError } from "./errors.js";
import { taskOf } from "./tasks/index.js";
import { normalize } from "./text/codepoints.js";
import { Tokenizer } from "./text/tokenizer.js";
import { codesOf, textOf } from "./text/unicode.js";
import { WordPiece } from "./text/wordpiece.js";

const MODEL = "model.tflite",
  FACTS = "ondevice.json",
  FORMAT = 1;

/** Load a folder.
 * @param {{read: Function, start: Function}} platform what reads files, and starts LiteRT.js
 * @param {string | URL} folder @param {import("../index.d.ts").LoadOptions} options @returns {Promise<Model>} */
export async function loadFrom(platform, folder, options) {
  const read = await platform.read(folder),
    said = progress(options.progress);
  const facts = parsed(await read(FACTS, said), FACTS);
  if (facts.format !== FORMAT)
    throw new BertkitError(
      `${FACTS} has the format ${facts.format}, wanted ${FORMAT}; take the package of the bertkit that exported it.`,
    );
  const sizes = Object.fromEntries(Object.entries(facts.files).map(([name, file]) => [name, file.bytes]));
  const whole = async name =>
    checked(await read(name, progress(options.progress, sizes[name])), facts.files[name], name);
  const tokenizer = await tokenizerOf(facts.tokenizer, whole);
  if (!(MODEL in facts.files)) return new Model(facts, tokenizer, null);
  const [content, engine] = await Promise.all([whole(MODEL), platform.start(options)]);
  return new Model(facts, tokenizer, await engine(content));
}

/** Return what tells the caller how far a file is, by its name, bytes so far and bytes in all. */
function progress(tell, total) {
  return (name, loaded, size) => tell?.({ file: name, loaded, total: total ?? size });
}

async function checked(bytes, file, name) {
  // Pages without https have no crypto.subtle.
  const sum = globalThis.crypto?.subtle ? await crypto.subtle.digest("SHA-256", bytes) : null;
  const hex = sum && Array.from(new Uint8Array(sum), byte => byte.toString(16).padStart(2, "0")).join("");
  if (!file || bytes.length !== file.bytes || (hex !== null && hex !== file.sha256)) {
    throw new BertkitError(`${name} is not the file that ${FACTS} describes; copy the whole folder again.`);
  }
  return bytes;
}

function parsed(bytes, name) {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw new BertkitError(`${name} is no JSON; copy the whole folder again.`);
  }
}

async function tokenizerOf(settings, whole) {
  if (["wordpiece", "japanese"].includes(settings.kind)) {
    const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(await whole("vocab.txt"));
    return new Tokenizer(
      text
        .replace(/\n$/, "")
        .split("\n")
        .map(entry => entry.replace(/\r$/, "")),
      settings,
    );
  }
  const { vocabulary, ...tables } = parsed(await whole("vocabulary.json"), "vocabulary.json");
  return new Tokenizer(vocabulary, { ...settings, ...tables });
}

/** What `load` gives. Rows are computed one after the other. */
export class Model {
  constructor(facts, tokenizer, engine) {
    this.facts = facts;
    this.tokenizer = tokenizer;
    this.task = taskOf(facts.task);
    this.lengths = facts.lengths ?? [facts.length];
    this.engine = engine;
    this.turn = Promise.resolve();
    /** How many rows the last call computed, and the largest length of one. */
    this.last = { rows: 0, length: 0 };
  }

  /** Return how many bytes LiteRT.js holds, 0 where it does not say. */
  memory() {
    return this.engine?.memory?.() ?? 0;
  }

  /** Return the ids and offsets of a text. @param {string} text */
  encode(text) {
    return this.tokenizer.encode(text);
  }

  /** Return a text as the tokenizer normalises it. @param {string} text */
  normalize(text) {
    const { model } = this.tokenizer;
    if (!(model instanceof WordPiece)) return model.normalizer.normalize(text);
    return normalize(textOf(model.before.aligned(codesOf(text)).codes), this.facts.tokenizer);
  }

  /**
   * Return the answer to each input, as `bertkit predict` gives them.
   * @param {any[]} inputs
   * @returns {Promise<object[]>}
   */
  predict(inputs) {
    const answers = this.turn.then(() => this.answers(inputs));
    this.turn = answers.catch(() => null);
    return answers;
  }

  async answers(inputs) {
    const packed = this.task.pack(this.tokenizer, this.task.check(inputs), this.facts.length),
      outputs = [];
    this.last = { rows: packed.rows.length, length: Math.max(0, ...packed.rows.map(row => this.fitting(row))) };
    for (const row of packed.rows) outputs.push(await this.output(row));
    return this.task.answers(outputs, packed, inputs);
  }

  /** Return the smallest length that holds a row. */
  fitting(row) {
    return this.lengths.find(size => size >= row.ids.length) ?? this.facts.length;
  }

  /** Compute the output of a row: its numbers, or a list of numbers for each token. */
  async output(row) {
    if (!this.engine) throw new BertkitError(`The folder has no ${MODEL}; it can encode texts and predicts nothing.`);
    const length = this.fitting(row),
      { width, output, eachToken } = this.task;
    const batch = this.tokenizer.batch(row, length);
    const values = await this.engine(this.lengths.length > 1 ? `length_${length}` : null, batch, length, output);
    if (values.length !== width * (eachToken ? length : 1))
      throw new BertkitError(
        `${MODEL} gives ${values.length} numbers a row, which is not what ${FACTS} says; copy the folder again.`,
      );
    if (!values.every(Number.isFinite)) throw new BertkitError(`${MODEL} gives NaN or infinity; export it again.`);
    if (!eachToken) return values;
    const tokens = Array.from({ length }, (_, i) => i).filter(i => batch.padding_mask[i] === 1);
    return tokens.map(i => values.subarray(i * width, (i + 1) * width));
  }
}
