/** Files of a folder at an address. */

import { BertkitError } from "./errors.js";

/** Return a function that reads the files of a folder. @param {string} folder an address */
export async function read(folder) {
  const base = folder.endsWith("/") ? folder : `${folder}/`;
  return async (name, said) => {
    let response;
    try {
      response = await fetch(new URL(name, base));
    } catch (error) {
      throw new BertkitError(`${base}${name} cannot be read (${error.message}); is the file server running?`);
    }
    if (!response.ok)
      throw new BertkitError(
        `${base}${name} cannot be read (status ${response.status}); give the whole folder that bertkit export wrote.`,
      );
    return streamed(response, (loaded, size) => said(name, loaded, size));
  };
}

/** Return the bytes of a response, and say how many there are as they come. */
async function streamed(response, said) {
  const size = Number(response.headers.get("Content-Length")) || undefined,
    parts = [];
  let loaded = 0;
  for (const reader = response.body.getReader(); ;) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    said((loaded += value.length), size);
  }
  const bytes = new Uint8Array(loaded);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
