/** What the tasks share: which inputs they take, and the numbers of a row. The tasks are the twins of bertkit/tasks. */

import { BertkitError } from "../errors.js";

/** Stop unless each input is what a task reads.
 * @param {any[]} inputs @param {string} wanted how to say it @param {(input: any) => boolean} fits */
export function check(inputs, wanted, fits) {
  if (!Array.isArray(inputs))
    throw new BertkitError(`${short(inputs)} came where a list of inputs was wanted; put it in [].`);
  inputs.forEach((input, i) => {
    if (!fits(input)) throw new BertkitError(`Row ${i + 1} is ${short(input)}; this model reads ${wanted}.`);
  });
  return inputs;
}

function short(value) {
  return (JSON.stringify(value) ?? String(value)).slice(0, 60);
}

export const isText = value => typeof value === "string";

/** Whether a value is a list of texts, of so many. @param {any} value @param {number} least @param {number} [most] */
export function areTexts(value, least, most = Infinity) {
  return Array.isArray(value) && value.every(isText) && value.length >= least && value.length <= most;
}

/** Return a row of a text, or of a pair. @param {import("../text/tokenizer.js").Tokenizer} tokenizer */
export function textRow(tokenizer, input, length) {
  const [first, second] = Array.isArray(input) ? input : [input];
  const ids = text => tokenizer.encode(text).ids;
  return tokenizer.template.pack(ids(first), second === undefined ? null : ids(second), length);
}

/** Return the place of the largest number, the first on ties. @param {ArrayLike<number>} numbers */
export function argmax(numbers) {
  let best = 0;
  for (let i = 1; i < numbers.length; i++) if (numbers[i] > numbers[best]) best = i;
  return best;
}

/** exp(z) / Σ exp(z), as float32. @param {ArrayLike<number>} logits @returns {number[]} */
export function softmax(logits) {
  const values = Array.from(logits),
    most = Math.max(...values),
    powers = values.map(z => Math.exp(z - most));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map(power => Math.fround(power / sum));
}

/** Return parts of a list, of these sizes. @template T @param {T[]} list @param {number[]} sizes @returns {T[][]} */
export function parted(list, sizes) {
  let at = 0;
  return sizes.map(size => list.slice(at, (at += size)));
}
