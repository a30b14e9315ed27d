/** The package in Node: files of a folder, and LiteRT.js with what it misses there. */

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { runInThisContext } from "node:vm";
import { read as readUrl } from "./addresses.js";
import { engineOf } from "./engine.js";
import { BertkitError } from "./errors.js";
import { loadFrom } from "./model.js";

export * from "./shared.js";

/** Load a folder that `bertkit export --to tflite` or `--to web` left.
 * @param {string | URL} folder its path, or an address @param {import("../index.d.ts").LoadOptions} [options] */
export function load(folder, options = {}) {
  return loadFrom({ read, start }, folder, options);
}

async function read(folder) {
  const address = String(folder);
  if (/^https?:/.test(address)) return readUrl(address);
  const path = address.startsWith("file:") ? fileURLToPath(address) : address;
  return async (name, said) => {
    try {
      const bytes = new Uint8Array(await readFile(join(path, name)));
      said(name, bytes.length, bytes.length);
      return bytes;
    } catch (error) {
      throw new BertkitError(
        `${join(path, name)} cannot be read (${error.code}); give the whole folder that bertkit export wrote.`,
      );
    }
  };
}

let running = null; // LiteRT.js is loaded once a process

function start({ litert }) {
  running ??= loaded(litert);
  running.catch(() => (running = null));
  return running;
}

async function loaded(given) {
  if (given && typeof given === "object") return engineOf(given);
  const require = createRequire(given ? join(given, "any.js") : import.meta.url);
  let entry;
  try {
    entry = require.resolve("@litertjs/core");
  } catch {
    throw new BertkitError("LiteRT.js is not installed; run: npm install @litertjs/core");
  }
  const litert = await import(pathToFileURL(entry)),
    wasm = join(dirname(entry), "../wasm");
  await withBrowserNames(require, wasm, () => litert.loadLiteRt(wasm + "/"));
  return engineOf(litert);
}

/** LiteRT.js is made for browsers; while it loads, names stand in for what it looks for. */
async function withBrowserNames(require, folder, action) {
  const names = {
    self: globalThis,
    require,
    __dirname: folder,
    __filename: "",
    importScripts: path => runInThisContext(require("node:fs").readFileSync(path, "utf8"), { filename: path }),
  };
  const before = Object.keys(names).map(name => [name, Object.getOwnPropertyDescriptor(globalThis, name)]);
  for (const [name, value] of Object.entries(names))
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  try {
    return await action();
  } finally {
    for (const [name, descriptor] of before) {
      if (descriptor) Object.defineProperty(globalThis, name, descriptor);
      else delete globalThis[name];
    }
  }
}
