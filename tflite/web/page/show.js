/** The answers of each task as elements; every text is set as text, so that none of it acts on the page. */

import { nearest } from "../bertkit/shared.js";

const NUMBERS = 8; // of a vector that are shown

function make(name, className, ...children) {
  const element = document.createElement(name);
  if (className) element.className = className;
  element.append(...children);
  return element;
}

/** Return the elements that show an answer.
 * @param {{name: string}} task @param {any} input @param {object} answer what `predict` gave
 * @param {object} [extra] what the form asked besides @returns {Node[]} */
export function shown(task, input, answer, extra) {
  return (SHOWN[task.name] ?? raw)(input, answer, extra);
}

const percent = p => `${(100 * p).toFixed(1)} %`;

/** Bars of shares from 0 to 1: [name, share, whether it is given]. */
function bars(rows, says = percent) {
  return make(
    "ul",
    "bars",
    ...rows.map(([name, share, given]) => {
      const fill = make("i");
      fill.style.width = `${Math.max(0, Math.min(1, share)) * 100}%`;
      return make(
        "li",
        "",
        make("span", given ? "name given" : "name", name),
        make("span", "bar", fill),
        make("span", "number", says(share)),
      );
    }),
  );
}

function classes(input, { label, labels, probabilities }) {
  const given = labels ?? [label],
    rows = Object.entries(probabilities).sort((a, b) => b[1] - a[1]);
  return [
    make("p", "first", given.join(", ") || "none of the labels"),
    bars(rows.map(([name, p]) => [name, p, given.includes(name)])),
  ];
}

function score(input, { score: value }) {
  return [make("p", "first", value.toFixed(3))];
}

/** A text with stretches marked: [start, end, note], in codepoints. */
function marked(text, stretches) {
  const codes = Array.from(text),
    found = make("p", "text");
  let done = 0;
  for (const [start, end, says] of stretches) {
    found.append(codes.slice(done, start).join(""));
    found.append(make("mark", "", codes.slice(start, end).join(""), ...(says ? [make("small", "", says)] : [])));
    done = end;
  }
  found.append(codes.slice(done).join(""));
  found.dir = "auto";
  return found;
}

function entities(input, { entities: found }) {
  const says = found.length === 1 ? "1 entity" : `${found.length || "no"} entities`;
  return [
    make("p", "first", says),
    marked(
      input,
      found.map(({ start, end, type }) => [start, end, type]),
    ),
  ];
}

function answered([, context], { answer, start, score: sure }) {
  const end = start + Array.from(answer).length;
  return [
    make("p", "first", answer || "no answer"),
    bars([["how sure", sure, false]]),
    marked(context, answer ? [[start, end, ""]] : []),
  ];
}

function chosen([, ...endings], { choice, probabilities }) {
  return [
    make("p", "first", endings[choice]),
    bars(endings.map((ending, i) => [ending, probabilities[i], i === choice])),
  ];
}

function vector(input, { embedding }, { texts, vectors }) {
  const found = nearest(embedding, vectors, texts.length),
    cosine = value => value.toFixed(3);
  return [
    bars(
      found.map(({ index, score: value }, i) => [texts[index], value, i === 0]),
      cosine,
    ),
    make(
      "p",
      "numbers",
      `${embedding.length} numbers: ${embedding
        .slice(0, NUMBERS)
        .map(x => x.toFixed(4))
        .join(" ")} ...`,
    ),
  ];
}

function ranked([, ...documents], { score: one, scores = [one] }) {
  const order = documents.map((text, i) => [text, scores[i]]).sort((a, b) => b[1] - a[1]);
  const low = Math.min(...scores),
    span = Math.max(...scores) - low || 1;
  return [
    bars(
      order.map(([text, value], i) => [text, (value - low) / span, i === 0]),
      share => (low + share * span).toFixed(2),
    ),
  ];
}

function summary(input, { sentences }) {
  return [
    marked(
      input,
      sentences.map(({ start, end }) => [start, end, ""]),
    ),
  ];
}

function raw(input, answer) {
  return [make("p", "numbers", JSON.stringify(answer))];
}

const SHOWN = {
  classify: classes,
  long_documents: classes,
  score,
  tag: entities,
  answer: answered,
  choose: chosen,
  embed: vector,
  rank: ranked,
  summarise: summary,
  "summarise-central": summary,
};
