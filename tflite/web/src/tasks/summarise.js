/** The sentences of a document that say most of it; twin of bertkit/tasks/summarising.py. */

import { sentences } from "../text/sentences.js";
import { SECOND } from "../text/template.js";
import { codesOf, textOf } from "../text/unicode.js";
import { words } from "../text/words.js";
import { check, isText, parted } from "./task.js";

/** `count` sentences with the largest scores, in the order of the document. */
class Extraction {
  check(inputs) {
    return check(inputs, "single documents: give a string", isText);
  }

  answers(outputs, { origin }) {
    return parted(
      outputs,
      origin.map(({ rows }) => rows),
    ).map((rows, i) => {
      const { document, spans } = origin[i],
        scores = this.scores(origin[i], rows);
      const chosen = spans
        .map((_, k) => k)
        .sort((a, b) => scores[b] - scores[a] || a - b)
        .slice(0, this.count)
        .sort((a, b) => a - b);
      return {
        summary: chosen.map(k => textOf(document, ...spans[k])).join(" "),
        sentences: chosen.map(k => ({ start: spans[k][0], end: spans[k][1] })),
      };
    });
  }

  encoded(tokenizer, text) {
    const document = codesOf(text),
      spans = sentences(document);
    return { document, spans, ids: spans.map(span => tokenizer.encode(textOf(document, ...span)).ids) };
  }
}

/** Sentences that an encoder has learned to choose: each stands as [CLS] sentence [SEP] in a row of several. */
export class Summarising extends Extraction {
  output = "logits";
  width = 2;
  eachToken = true;

  constructor({ count = 3 }) {
    super();
    this.count = count;
  }

  pack(tokenizer, inputs, length) {
    const layout = tokenizer.template.layout(false).map(([part]) => part),
      ahead = Math.max(0, layout.indexOf(tokenizer.cls));
    const other = tokenizer.template.layout(true).find(([part]) => part === SECOND)?.[1] ?? 0,
      all = [];
    const origin = inputs.map(text => {
      const { document, spans, ids } = this.encoded(tokenizer, text),
        rows = [],
        places = [];
      let turn = 0;
      for (const sentence of ids) {
        const made = tokenizer.template.pack(sentence, null, length);
        if (!rows.length || rows[rows.length - 1].ids.length + made.ids.length > length) {
          rows.push({ ids: [], segments: [] });
          turn = 0;
        }
        const row = rows[rows.length - 1];
        places.push([rows.length - 1, row.ids.length + ahead]);
        row.ids.push(...made.ids);
        row.segments.push(...(turn++ % 2 ? made.ids.map(() => other) : made.segments));
      }
      all.push(...rows);
      return { document, spans, places, rows: rows.length };
    });
    return { rows: all, origin };
  }

  scores({ places }, rows) {
    return places.map(([row, place]) => Math.fround(rows[row][place][1] - rows[row][place][0]));
  }
}

/** The sentences that are most like the others, by the cosines of their vectors. */
export class LexRank extends Extraction {
  output = "embedding";

  constructor({ count = 3, least = 5, width = 0 }) {
    super();
    Object.assign(this, { count, least, width });
  }

  pack(tokenizer, inputs, length) {
    const origin = inputs.map(text => this.encoded(tokenizer, text));
    const rows = origin.flatMap(({ ids }) => ids.map(sentence => tokenizer.template.pack(sentence, null, length)));
    return { rows, origin: origin.map(({ document, spans }) => ({ document, spans, rows: spans.length })) };
  }

  scores({ document, spans }, rows) {
    const vectors = rows.map(row => {
      const size = Math.hypot(...row) || 1;
      return Array.from(row, x => x / size);
    });
    const sum = vectors[0]?.map((_, k) => vectors.reduce((total, vector) => total + vector[k], 0));
    return vectors.map(
      (vector, i) =>
        vector.reduce((total, x, k) => total + x * sum[k], 0) -
        (words(document.slice(...spans[i])).length < this.least ? 2 * vectors.length : 0),
    );
  }
}
