/** A model in LiteRT.js: the numbers of one row. */

import { BertkitError } from "./errors.js";

/** Return a function that compiles a model, and one that runs it.
 * @param {object} litert the module @litertjs/core, loaded
 * @returns {(content: Uint8Array) => Promise<(signature: string | null, batch: object, length: number, output:
 *   string) => Promise<Float32Array>>} */
export function engineOf(litert) {
  return async content => {
    let model;
    try {
      model = await litert.loadAndCompile(content, { accelerator: "wasm" });
    } catch (error) {
      throw new BertkitError(
        `model.tflite is no model that LiteRT.js runs (${error.message ?? error}); export it with another precision.`,
      );
    }
    const run = async (signature, batch, length, output) => {
      const runner = signature === null ? Object.values(model.signatures)[0] : model.signatures[signature];
      if (!runner) throw new BertkitError(`model.tflite has no signature ${signature}; copy the whole folder again.`);
      const inputs = {};
      try {
        for (const { name } of runner.getInputDetails()) inputs[name] = new litert.Tensor(batch[name], [1, length]);
        return await valuesOf(await runner.run(inputs), output);
      } finally {
        for (const tensor of Object.values(inputs)) tensor.delete();
      }
    };
    return Object.assign(run, { memory: () => litert.getGlobalLiteRt?.()?.liteRtWasm?.HEAPU8?.byteLength ?? 0 });
  };
}

async function valuesOf(results, output) {
  try {
    if (!(output in results))
      throw new BertkitError(
        `model.tflite gives ${Object.keys(results).join(", ")}, wanted ${output}; copy the whole folder again.`,
      );
    return Float32Array.from(await results[output].data());
  } finally {
    for (const tensor of Object.values(results)) tensor.delete();
  }
}
