/** The corpus of tflite/conformance, and LiteRT.js where the environment says that it is. */

import { existsSync, readdirSync, readFileSync } from "node:fs";

const CORPUS = new URL("../../conformance/", import.meta.url);
/** A node_modules that holds @litertjs/core. */
export const LITERT =
  process.env.BERTKIT_LITERT ||
  (existsSync(new URL("../node_modules/@litertjs/core", import.meta.url)) ? undefined : null);

/** Return the names of the files of rows in a folder of the corpus. @param {string} folder */
export function names(folder) {
  return readdirSync(new URL(folder, CORPUS))
    .filter(name => name.endsWith(".jsonl"))
    .map(name => folder + name.replace(".jsonl", ""));
}

/** @param {string} name */
export function rows(name) {
  return readFileSync(new URL(`${name}.jsonl`, CORPUS), "utf8")
    .split("\n")
    .filter(Boolean)
    .map(line => JSON.parse(line));
}

/** @param {string} name */
export function folder(name) {
  return new URL(name, CORPUS);
}
