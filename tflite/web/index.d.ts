/** A file that is being loaded. `total` is undefined where nobody says how long the file is. */
export interface Progress {
  file: string;
  loaded: number;
  total?: number;
}

export interface LoadOptions {
  /** The module @litertjs/core, or in a browser its address, in Node a node_modules folder that holds it. */
  litert?: object | string;
  /** In a browser: the address of the folder `wasm` of @litertjs/core. */
  wasm?: string | URL;
  /** In a browser: whether several threads compute; by default where the page is cross-origin isolated. */
  threads?: boolean;
  /** Called as files come. */
  progress?: (progress: Progress) => void;
}

/** Token ids, and the half-open range of codepoints of the text that each covers. */
export interface Encoding {
  ids: number[];
  offsets: [number, number][];
}

/** A text; for tasks of several texts the list of them, such as [question, context]. */
export type Input = string | string[];

export interface Entity {
  text: string;
  type: string;
  start: number;
  end: number;
}

/** What `bertkit predict` answers; which of these keys there are depends on the task. */
export interface Answer {
  label?: string;
  labels?: string[];
  probabilities?: Record<string, number> | number[];
  score?: number;
  scores?: number[];
  entities?: Entity[];
  answer?: string;
  start?: number;
  choice?: number;
  embedding?: number[] | number[][];
  summary?: string;
  sentences?: { start: number; end: number }[];
}

export interface Model {
  /** What ondevice.json says. */
  readonly facts: {
    task: { name: string; [setting: string]: unknown };
    length: number;
    lengths?: number[];
    [name: string]: unknown;
  };
  /** Token ids and offsets of a text, without special tokens. */
  encode(text: string): Encoding;
  /** The text as the tokenizer normalises it. */
  normalize(text: string): string;
  /** An answer to each input, in order. */
  predict(inputs: Input[]): Promise<Answer[]>;
  /** How many bytes LiteRT.js holds, 0 where it does not say. */
  memory(): number;
  /** How many rows the last call computed, and the largest length of one. */
  readonly last: { rows: number; length: number };
}

/** Load a folder that `bertkit export --to tflite` or `--to web` left: an address, or in Node a path. */
export function load(folder: string | URL, options?: LoadOptions): Promise<Model>;

export interface Rules {
  rules?: "huggingface" | "google";
  lowercase?: boolean;
  strip_accents?: boolean;
  clean?: boolean;
  split_ideographs?: boolean;
}

/** A text as BERT's normalisation leaves it, for programs with one of their own: MediaPipe then finds bertkit's ids. */
export function normalize(text: string, rules?: Rules): string;

/** The cosine of two vectors, 0 where one of them is 0. */
export function cosine(u: ArrayLike<number>, v: ArrayLike<number>): number;

/** The vectors with the largest cosines, the best first. */
export function nearest(
  query: ArrayLike<number>,
  vectors: ArrayLike<number>[],
  count?: number,
): { index: number; score: number }[];

/** The tokenizer alone: a vocabulary, and `tokenizer` of ondevice.json with the tables of vocabulary.json. */
export class Tokenizer {
  constructor(vocabulary: string[], settings: object);
  encode(text: string): Encoding;
}

/** What a user can cause; its message says what came, what was wanted, and what to do. */
export class BertkitError extends Error {}
