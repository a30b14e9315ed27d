/** The stretch of a context that answers a question; twin of bertkit/tasks/answering.py. */

import { codesOf, textOf } from "../text/unicode.js";
import { maxContext, windows } from "../text/windows.js";
import { isBlank } from "../text/words.js";
import { areTexts, check, parted } from "./task.js";

export class Answering {
  output = "logits";
  width = 2;
  eachToken = true;

  constructor({ version = "1.1", threshold = 0.5, query = 64, stride = 128, longest = 30, most = 20 }) {
    Object.assign(this, { version, threshold, query, stride, longest, most });
  }

  check(inputs) {
    return check(inputs, "lists of a question and a context", input => areTexts(input, 2, 2));
  }

  pack(tokenizer, inputs, length) {
    const origin = inputs.map(([question, context]) => {
      const { ids, offsets } = tokenizer.encode(context),
        query = tokenizer.encode(question).ids.slice(0, this.query);
      const cut = windows(tokenizer, ids, length, query, this.stride);
      return { context: codesOf(context), offsets, cut, chosen: maxContext(cut, ids.length) };
    });
    return { rows: origin.flatMap(({ cut }) => cut.map(window => window.row)), origin };
  }

  /** @param {ArrayLike<number>[][]} outputs start and end logits of each row's tokens */
  answers(outputs, { origin }) {
    return parted(
      outputs,
      origin.map(({ cut }) => cut.length),
    ).map((rows, i) => this.answer(origin[i], rows));
  }

  answer({ context, offsets, cut, chosen }, rows) {
    let best = { score: -Infinity, first: -1, last: -1 };
    rows.forEach((logits, number) => {
      const found = this.best(cut[number], number, chosen, logits);
      if (found.score > best.score) best = found;
    });
    const nulls = rows.map((logits, i) => (logits.length ? logits[cut[i].cls][0] + logits[cut[i].cls][1] : 0));
    const none = 1 / (1 + Math.exp(Math.min(best.score - Math.min(...nulls), 700)));
    let [start, end] = best.first < 0 ? [0, 0] : [offsets[best.first][0], offsets[best.last][1]];
    while (start < end && isBlank(context[start])) start++;
    while (start < end && isBlank(context[end - 1])) end--;
    if (start >= end || (this.version === "2.0" && none > this.threshold))
      return { answer: "", start: -1, score: none };
    return { answer: textOf(context, start, end), start, score: 1 - none };
  }

  /** Return the largest sum of a window, and the first and last token of the context that give it. */
  best(window, number, chosen, logits) {
    const top = side =>
      logits
        .map((_, i) => i)
        .sort((a, b) => logits[b][side] - logits[a][side] || a - b)
        .slice(0, this.most);
    const token = place => place - window.place + window.start,
      inside = t => t >= window.start && t < window.end;
    const starts = top(0).filter(place => inside(token(place)) && chosen[token(place)] === number);
    const ends = top(1).filter(place => inside(token(place)));
    let best = { score: -Infinity, first: -1, last: -1 };
    for (const start of starts) {
      for (const end of ends) {
        const score = logits[start][0] + logits[end][1],
          pieces = end - start + 1;
        if (pieces >= 1 && pieces <= this.longest && score > best.score)
          best = { score, first: token(start), last: token(end) };
      }
    }
    return best;
  }
}
