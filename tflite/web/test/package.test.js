import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { BertkitError, cosine, load, nearest, normalize } from "../src/node.js";
import { folder, rows } from "./corpus.js";

function copied(name, change) {
  const place = mkdtempSync(join(tmpdir(), "bertkit-web-"));
  cpSync(folder(name), place, { recursive: true });
  change(place);
  return place;
}

test("a text that was normalised has the ids of the text", async () => {
  const model = await load(folder("wordpiece")),
    texts = rows("wordpiece").map(row => row.text);
  const odd = texts.filter(text => String(model.encode(text).ids) !== String(model.encode(model.normalize(text)).ids));
  assert.deepEqual(odd, []);
  assert.equal(normalize("Café ΟΔΟΣ"), "cafe οδοσ");
  assert.equal(normalize("ΟΔΟΣ", { rules: "google" }), "οδος");
  assert.equal(normalize("Café", { lowercase: false, strip_accents: false }), "Café");
});

test("cosine and nearest", () => {
  assert.equal(cosine([1, 0], [2, 0]), 1);
  assert.equal(cosine([1, 0], [0, 0]), 0);
  const vectors = [
    [0, 1],
    [2, 0],
    [1, 1],
  ];
  assert.deepEqual(
    nearest([1, 0], vectors, 2).map(({ index }) => index),
    [1, 2],
  );
});

test("what is missing, damaged or of another kind is said in one sentence", async () => {
  const said = (place, words) =>
    assert.rejects(load(place), error => error instanceof BertkitError && words.test(error.message));
  await said("/nowhere", /nowhere.* cannot be read \(ENOENT\); give the whole folder/);
  const damaged = copied("wordpiece", place => writeFileSync(join(place, "vocab.txt"), "[PAD]\n"));
  await said(damaged, /vocab.txt is not the file that ondevice.json describes/);
  const change = (place, from, to) => {
    const path = join(place, "ondevice.json");
    writeFileSync(path, readFileSync(path, "utf8").replace(from, to));
  };
  await said(
    copied("wordpiece", place => change(place, '"format": 1', '"format": 2')),
    /has the format 2, wanted 1/,
  );
  await said(
    copied("wordpiece", place => change(place, '"name": "embed"', '"name": "paint"')),
    /A model of the task paint came/,
  );
  await said(
    copied("wordpiece", place => change(place, '"wordpiece"', '"japanese"')),
    /of the kind japanese came, which needs a dictionary/,
  );
  await said(
    copied("bpe", place => change(place, '"bytelevel"', '"bytelevel", "words": "llama3"')),
    /cuts words by other rules than GPT-2's/,
  );
});

test("a folder without a model encodes, and says that it predicts nothing", async () => {
  const model = await load(folder("bpe"));
  assert.ok(model.encode("a text").ids.length > 0);
  await assert.rejects(model.predict(["a text"]), /has no model.tflite/);
});

test("progress is told", async () => {
  const seen = [];
  await load(folder("unigram"), { progress: ({ file, loaded, total }) => seen.push([file, loaded === total]) });
  assert.deepEqual(seen, [
    ["ondevice.json", true],
    ["vocabulary.json", true],
  ]);
});
