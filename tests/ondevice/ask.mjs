// Read a question as JSON, import the modules of tflite/web and print what they say.
import { readFileSync, writeSync } from "node:fs";

const [source] = process.argv.slice(2), { texts, convention } = JSON.parse(readFileSync(0, "utf8"));
const { words } = await import(`${source}/text/words.js`), { sentences } = await import(`${source}/text/sentences.js`);
const { Convention, atApostrophes, isUnbroken } = await import(`${source}/text/convention.js`);
const { codesOf } = await import(`${source}/text/unicode.js`), made = new Convention(convention);
const said = JSON.stringify(texts.map(text => {
  const codes = codesOf(text), found = words(codes);
  return { words: found, sentences: sentences(codes), convention: made.words(codes), unbroken: isUnbroken(codes),
           parts: found.map(([start, end]) => atApostrophes(codes, start, end)) };
}));
for (let at = 0, bytes = Buffer.from(said); at < bytes.length;) at += writeSync(1, bytes, at);
