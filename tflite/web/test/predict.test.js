import assert from "node:assert/strict";
import test from "node:test";
import { load } from "../src/node.js";
import { folder, LITERT, names, rows } from "./corpus.js";

const skip = LITERT === null && "LiteRT.js is not here; BERTKIT_LITERT names a node_modules that holds @litertjs/core";

/** Where two answers differ, or null; fractions may by the tolerance. */
function differs(found, wanted, place = "answer") {
  if (typeof wanted === "number" && typeof found === "number")
    return Math.abs(found - wanted) <= 1e-4 ? null : `${place}: ${found}, wanted ${wanted}`;
  if (wanted === null || typeof wanted !== "object")
    return found === wanted ? null : `${place}: ${found}, wanted ${wanted}`;
  const keys = Object.keys(wanted);
  if (typeof found !== "object" || Object.keys(found).sort().join() !== keys.sort().join())
    return `${place}: ${JSON.stringify(found)}`;
  return keys.map(key => differs(found[key], wanted[key], `${place}.${key}`)).find(Boolean) ?? null;
}

for (const name of names("answers/")) {
  test(`answers of the corpus, ${name}`, { skip }, async () => {
    const model = await load(folder(name), { litert: LITERT }),
      given = rows(name);
    const found = await model.predict(given.map(row => row.input));
    const odd = given
      .map((row, i) => [row.input, differs(found[i], row.answer)])
      .filter(([, difference]) => difference);
    assert.equal(odd.length, 0, `${odd.length} of ${given.length} differ, such as ${JSON.stringify(odd[0])}`);
  });
}

test("inputs that the task does not read are refused", { skip }, async () => {
  const model = await load(folder("answers/classify"), { litert: LITERT });
  await assert.rejects(model.predict("a text"), /put it in \[\]/);
  await assert.rejects(model.predict([["a", "pair"]]), /Row 1 is \["a","pair"\]; this model reads single texts/);
  assert.deepEqual(await model.predict([]), []);
});

test("several calls at once have their own answers", { skip }, async () => {
  const model = await load(folder("answers/classify"), { litert: LITERT }),
    given = rows("answers/classify").slice(0, 8);
  const found = await Promise.all(given.map(row => model.predict([row.input])));
  assert.deepEqual(
    found.map(([answer]) => answer.label),
    given.map(row => row.answer.label),
  );
});

test("a row is computed at the smallest length that holds it", { skip }, async () => {
  const model = await load(folder("answers/classify"), { litert: LITERT });
  assert.deepEqual(model.lengths, [16, 32]);
  for (const [text, length] of [
    ["a", 16],
    ["a ".repeat(14), 16],
    ["a ".repeat(15), 32],
    ["a ".repeat(90), 32],
  ]) {
    await model.predict([text]);
    assert.deepEqual(model.last, { rows: 1, length }, text);
  }
});
