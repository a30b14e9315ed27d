import assert from "node:assert/strict";
import test from "node:test";
import { load } from "../src/node.js";
import { folder, names, rows } from "./corpus.js";

for (const name of [...names(""), ...names("more/")]) {
  test(`ids and offsets of the corpus, ${name}`, async () => {
    const model = await load(folder(name)),
      given = rows(name);
    const odd = given.filter(
      ({ text, ids, offsets }) => JSON.stringify(model.encode(text)) !== JSON.stringify({ ids, offsets }),
    );
    assert.equal(odd.length, 0, `${odd.length} of ${given.length} differ, such as ${JSON.stringify(odd[0]?.text)}`);
  });
}

test("offsets count codepoints, not UTF-16 units", async () => {
  const { ids, offsets } = (await load(folder("wordpiece"))).encode("😀 the 😀");
  assert.deepEqual(offsets, [
    [0, 1],
    [2, 5],
    [6, 7],
  ]);
  assert.equal(ids.length, 3);
});

test("a text that is none is refused", async () => {
  const model = await load(folder("wordpiece"));
  assert.throws(() => model.encode(7), /7 came where a text was wanted/);
});
