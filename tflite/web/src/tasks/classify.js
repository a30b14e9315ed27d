/** Classes of texts or pairs, of long documents in windows, and scores. */

import { BertkitError } from "../errors.js";
import { windows } from "../text/windows.js";
import { areTexts, argmax, check, isText, parted, softmax, textRow } from "./task.js";

/** A text, or a pair where the task reads pairs; where no training file told, either. */
class TextsOrPairs {
  constructor({ pairs = false }) {
    this.pairs = pairs;
  }

  check(inputs) {
    const isPair = input => areTexts(input, 2, 2);
    if (this.pairs === null)
      return check(inputs, "texts, or pairs: lists of two texts", input => isText(input) || isPair(input));
    return this.pairs
      ? check(inputs, "pairs: lists of two texts", isPair)
      : check(inputs, "single texts: give a string", isText);
  }

  pack(tokenizer, inputs, length) {
    return { rows: inputs.map(input => textRow(tokenizer, input, length)) };
  }
}

/** One of `labels`, or with `multi_label` any number of them. */
export class Classification extends TextsOrPairs {
  output = "probabilities";

  constructor({ labels, multi_label = false, positive = null, threshold = 0.5, abstain_below = null, set_from = null, ...others }) {
    super(others);
    Object.assign(this, { labels, multiLabel: multi_label, threshold, width: labels.length });
    Object.assign(this, { abstainBelow: abstain_below, setFrom: set_from });
    this.positive = labels.indexOf(positive ?? labels[1]);
  }

  /** @param {ArrayLike<number>[]} outputs the probabilities of each input */
  answers(outputs) {
    return outputs.map(row => {
      const probabilities = Object.fromEntries(this.labels.map((label, i) => [label, row[i]]));
      if (!this.multiLabel) {
        const given = this.decided(row);
        return { label: this.labels[given], probabilities, ...this.trust(row, given) };
      }
      return { labels: this.labels.filter((_, i) => row[i] > Math.fround(this.threshold)), probabilities };
    });
  }

  /** What the limits that dev chose say of an answer: whether it abstains, and which classes belong to its set. */
  trust(row, given) {
    const found = {};
    if (this.abstainBelow !== null) found.abstain = row[given] < Math.fround(this.abstainBelow);
    if (this.setFrom !== null)
      found.set = this.labels.filter((_, i) => i === given || row[i] >= Math.fround(this.setFrom));
    return found;
  }

  decided(row) {
    if (this.threshold === 0.5) return argmax(row);
    return row[this.positive] > Math.fround(this.threshold) ? this.positive : 1 - this.positive;
  }
}

/** Classes of texts that are read in windows, whose logits are pooled. */
export class Documents extends Classification {
  output = "logits";

  constructor({ most_windows = 8, pooling = "mean", ...others }) {
    super(others);
    if (!["mean", "max"].includes(pooling))
      throw new BertkitError(
        `A model with pooling ${pooling} came, which reads windows together; it does not run here.`,
      );
    Object.assign(this, { most: most_windows, pooling });
  }

  pack(tokenizer, inputs, length) {
    const room = tokenizer.template.room(length, false),
      read = room + (this.most - 1) * Math.max(1, Math.floor(room / 2));
    const cut = inputs.map(text => windows(tokenizer, tokenizer.encode(text).ids.slice(0, read), length, null, length));
    return { rows: cut.flat().map(window => window.row), origin: cut.map(part => part.length) };
  }

  answers(outputs, { origin }) {
    return super.answers(
      parted(outputs, origin).map(part => {
        const logits = this.labels.map((_, i) =>
          this.pooling === "max"
            ? Math.max(...part.map(row => row[i]))
            : part.reduce((sum, row) => sum + row[i], 0) / part.length,
        );
        return this.multiLabel ? logits.map(z => Math.fround(1 / (1 + Math.exp(-z)))) : softmax(logits);
      }),
    );
  }
}

/** A number for each text or pair. */
export class Regression extends TextsOrPairs {
  output = "score";
  width = 1;

  constructor({ pairs = true }) {
    super({ pairs });
  }

  answers(outputs) {
    return outputs.map(row => ({ score: row[0] }));
  }
}
