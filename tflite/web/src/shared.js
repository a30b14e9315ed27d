/** What both entries of the package export beside `load`. */

export { BertkitError } from "./errors.js";
export { cosine, nearest } from "./search.js";
export { normalize } from "./text/codepoints.js";
export { Tokenizer } from "./text/tokenizer.js";
