/** The package in a browser: files by fetch, and LiteRT.js from where the caller says. */

import { read } from "./addresses.js";
import { engineOf } from "./engine.js";
import { BertkitError } from "./errors.js";
import { loadFrom } from "./model.js";

export * from "./shared.js";

/** Load a folder that `bertkit export --to tflite` or `--to web` left.
 * @param {string | URL} folder its address @param {import("../index.d.ts").LoadOptions} [options] */
export function load(folder, options = {}) {
  return loadFrom({ read: address => read(String(new URL(address, document.baseURI))), start }, folder, options);
}

let running = null; // LiteRT.js is loaded once a page

function start(options) {
  running ??= loaded(options);
  running.catch(() => (running = null));
  return running;
}

async function loaded({ litert, wasm, threads }) {
  const module = litert && typeof litert === "object" ? litert : await imported(litert);
  if (!wasm)
    throw new BertkitError("Nothing says where the wasm files of LiteRT.js are; give load(folder, {wasm: ADDRESS}).");
  threads ??=
    globalThis.crossOriginIsolated &&
    (await module.supportsFeature("relaxedSimd")) &&
    (await module.supportsFeature("threads"));
  await module.loadLiteRt(String(new URL(wasm, document.baseURI)), threads ? { threads: true } : {});
  return engineOf(module);
}

/** A bundler resolves the name of the package; without one give its address as `litert`. */
function imported(address) {
  return address
    ? import(/* webpackIgnore: true */ /* @vite-ignore */ String(new URL(address, document.baseURI)))
    : import("@litertjs/core");
}
