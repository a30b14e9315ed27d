/**
 * The page that `bertkit export --to web` leaves: it loads the folder, reads the form, and shows what the model says.
 */

import { load } from "../bertkit/browser.js";
import { formOf } from "./form.js";
import { shown } from "./show.js";

const WAIT = 150; // milliseconds after the last key before an answer is computed
const at = id => document.getElementById(id);
const folder = new URL("../", import.meta.url);
const megabytes = bytes => (bytes / 1e6).toFixed(1);

/** Show how much of the files has come. @param {import("../../index.d.ts").Progress} progress */
function progress({ file, loaded, total }) {
  at("loaded").textContent = total
    ? `Loading ${file}: ${megabytes(loaded)} of ${megabytes(total)} MB`
    : `Loading ${file}`;
  if (total) at("bar").value = loaded / total;
  if (file === "model.tflite" && loaded === total) {
    at("loaded").textContent = "Starting the model";
    at("bar").removeAttribute("value");
  }
}

function wrong(error) {
  at("wrong").textContent = error.message ?? String(error);
  at("wrong").hidden = false;
  at("answer").hidden = true;
}

/** Compute the answer to what the form says, and show it with what it cost. */
async function answer(model, form) {
  const input = form.input(),
    begin = performance.now();
  try {
    const [found] = await model.predict([input]),
      extra = await form.more?.(model, input, found);
    const milliseconds = performance.now() - begin;
    if (form.input().toString() !== input.toString()) return; // another text came meanwhile
    at("wrong").hidden = true;
    at("answer").replaceChildren(...shown(model.facts.task, input, found, extra));
    at("answer").hidden = false;
    at("cost").textContent = cost(model, milliseconds);
  } catch (error) {
    wrong(error);
  }
}

function cost(model, milliseconds) {
  const memory = model.memory(),
    { rows, length } = model.last,
    heap = performance.memory?.usedJSHeapSize ?? 0;
  const parts = [
    `${milliseconds < 10 ? milliseconds.toFixed(1) : Math.round(milliseconds)} ms`,
    `${rows} ${rows === 1 ? "row" : "rows"} of ${length} tokens`,
  ];
  if (memory) parts.push(`${megabytes(memory + heap)} MB of memory`);
  return parts.join(" · ");
}

function ready(model) {
  const form = formOf(model.facts.task, at("fields"));
  let timer = 0;
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(() => answer(model, form), WAIT);
  };
  at("says").textContent = form.says;
  at("form").addEventListener("submit", event => {
    event.preventDefault();
    clearTimeout(timer);
    answer(model, form);
  });
  at("form").addEventListener("input", soon);
  at("form").addEventListener("keydown", event => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) at("form").requestSubmit();
  });
  at("example").addEventListener("click", () => {
    form.example();
    answer(model, form);
  });
  at("loading").hidden = true;
  at("form").hidden = false;
  form.example();
  return answer(model, form).then(() => answer(model, form)); // the first run also prepares
}

async function about() {
  const { precision, bytes, lengths, litert } = await (await fetch(new URL("page/about.json", folder))).json();
  const computing = crossOriginIsolated ? `up to ${navigator.hardwareConcurrency} threads` : "one thread";
  at("about").textContent =
    `${precision}, ${megabytes(bytes)} MB, rows of ${lengths.join(", ")} tokens, LiteRT.js ${litert}, ${computing}.`;
}

window.bertkit = load(folder, {
  litert: String(new URL("litert/index.js", folder)),
  wasm: new URL("litert/wasm/", folder),
  progress,
});
window.bertkit.then(ready).catch(error => {
  at("loading").hidden = true;
  wrong(error);
});
about().catch(() => null);
