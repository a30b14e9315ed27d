/** Tasks with several rows an input: endings to choose from, documents to rank, vectors of texts. */

import { areTexts, argmax, check, isText, parted, softmax, textRow } from "./task.js";

/** Pairs of the first text with each other one. */
function pairRows(tokenizer, inputs, length) {
  const rows = inputs.flatMap(([first, ...others]) => others.map(other => textRow(tokenizer, [first, other], length)));
  return { rows, origin: inputs.map(input => input.length - 1) };
}

/** The most probable ending of [prompt, ending, ending, ...]. */
export class Choosing {
  output = "logits";
  width = 1;

  check(inputs) {
    return check(inputs, "lists of a prompt and two or more endings", input => areTexts(input, 3));
  }

  pack(tokenizer, inputs, length) {
    return pairRows(tokenizer, inputs, length);
  }

  answers(outputs, { origin }) {
    return parted(outputs, origin).map(part => {
      const probabilities = softmax(part.map(row => row[0]));
      return { choice: argmax(probabilities), probabilities };
    });
  }
}

/** A score for each [query, document], or for each document of [query, document, document, ...]. */
export class Ranking {
  output = "score";
  width = 1;

  check(inputs) {
    return check(inputs, "lists of a query and a document, or several", input => areTexts(input, 2));
  }

  pack(tokenizer, inputs, length) {
    return pairRows(tokenizer, inputs, length);
  }

  answers(outputs, { origin }) {
    return parted(outputs, origin).map(part => {
      const scores = part.map(row => row[0]);
      return scores.length === 1 ? { score: scores[0] } : { scores };
    });
  }
}

/** The vector of a text, or of each text of a list. */
export class Embedding {
  output = "embedding";

  constructor({ width = 0, prompt = "" }) {
    Object.assign(this, { width, prompt });
  }

  check(inputs) {
    return check(inputs, "texts, or lists of texts", input => isText(input) || areTexts(input, 1));
  }

  pack(tokenizer, inputs, length) {
    const texts = inputs.map(input => (Array.isArray(input) ? input : [input]));
    const rows = texts.flat().map(text => textRow(tokenizer, this.prompt + text, length));
    return { rows, origin: texts.map(group => group.length) };
  }

  answers(outputs, { origin }, inputs) {
    return parted(outputs, origin).map((part, i) => {
      const vectors = part.map(row => Array.from(row));
      return { embedding: Array.isArray(inputs[i]) ? vectors : vectors[0] };
    });
  }
}
