/** The precompiled character map of a SentencePiece model; twin of bertkit/text/unicode/charsmap.py. */

import { BertkitError } from "../errors.js";
import { bytesOf, codesOf, isSurrogate, members } from "./unicode.js";

const CLUSTER = 6; // bytes from which on a grapheme cluster is not looked up as a whole

/** A double-array trie from texts to what they become (units of 32 bits with label, leaf flag and offset). */
class Charsmap {
  constructor(encoded) {
    const bytes = Uint8Array.from(atob(encoded), c => c.charCodeAt(0)),
      view = new DataView(bytes.buffer);
    const size = bytes.length < 4 ? 0 : view.getUint32(0, true);
    if (!size || size % 4 || 4 + size > bytes.length)
      throw new BertkitError("The character map is damaged; copy the folder again.");
    this.units = Uint32Array.from({ length: size / 4 }, (_, i) => view.getUint32(4 + 4 * i, true));
    this.texts = bytes.subarray(4 + size);
    this.known = new Map();
  }

  /** Return what a codepoint by itself becomes, or undefined. @param {number} c @returns {number[] | undefined} */
  one(c) {
    if (!this.known.has(c)) this.known.set(c, this.lookUp([c]));
    return this.known.get(c);
  }

  /** Return what some codepoints become, or undefined. @param {number[]} codes @returns {number[] | undefined} */
  lookUp(codes) {
    const bytes = codes.flatMap(bytesOf);
    if (bytes.length >= CLUSTER || bytes.includes(0) || codes.some(isSurrogate)) return undefined;
    let node = follow(0, this.units[0]),
      leaf = false;
    for (const byte of bytes) {
      const place = node ^ byte,
        unit = this.units[place];
      if (unit === undefined || (unit & 0x800000ff) !== byte) return undefined;
      leaf = ((unit >> 8) & 1) === 1;
      node = follow(place, unit);
    }
    return leaf ? this.textAt(this.units[node] & 0x7fffffff) : undefined;
  }

  textAt(begin) {
    const end = this.texts.indexOf(0, begin);
    return codesOf(new TextDecoder().decode(this.texts.subarray(begin, end < 0 ? begin : end)));
  }
}

function follow(place, unit) {
  return place ^ ((unit >>> 10) << ((unit & 512) >> 6));
}

/** Return the step of a character map: the grapheme clusters that may change are what it looks at.
 * @param {string} encoded the map in base64 */
export function charsmapStep(encoded) {
  if (!encoded) return text => text;
  const map = new Charsmap(encoded),
    sets = clusterSets(map);
  return ({ codes, sources }) => {
    const found = { codes: [], sources: [] };
    const put = (c, place) => {
      found.codes.push(c);
      found.sources.push(sources[place]);
    };
    let done = 0;
    const copy = end => {
      while (done < end) put(codes[done], done++);
    };
    for (let at = 0; at < codes.length; at++) {
      if (at < done || !sets.triggers(codes[at])) continue;
      for (const begin of at > done ? [at - 1, at] : [at]) {
        const end = clusterEnd(codes, begin, sets);
        if (end < 0) continue;
        copy(begin);
        becomes(map, codes.slice(begin, end), begin, put);
        done = end;
        break;
      }
    }
    copy(codes.length);
    return found;
  };
}

function clusterSets(map) {
  const extend = members("extend"),
    prepend = members("prepend"),
    control = members("control");
  return {
    extend: c => extend.has(c),
    prepend: c => prepend.has(c),
    control: c => control.has(c),
    base: c => c !== undefined && !extend.has(c) && !prepend.has(c) && !control.has(c),
    key: c => map.one(c) !== undefined,
    triggers: c => c > 0xffff || extend.has(c) || prepend.has(c) || map.one(c) !== undefined,
  };
}

/** Return where the grapheme cluster that begins here and may change ends, -1 for none. */
function clusterEnd(codes, at, { extend, prepend, control, base, key }) {
  const c = codes[at];
  const run = (has, from) => {
    while (from < codes.length && has(codes[from])) from++;
    return from;
  };
  if (c === 13 && codes[at + 1] === 10) return at + 2;
  if (control(c) && key(c)) return at + 1;
  if (prepend(c)) {
    const end = run(prepend, at);
    return run(extend, base(codes[end]) ? end + 1 : end);
  }
  if (base(c) && key(c)) return run(extend, at + 1);
  const marks = base(c) ? at + 1 : at;
  return extend(codes[marks]) ? run(extend, marks) : -1;
}

/** Put what a cluster becomes: the entry of its first beginning that has one, else each codepoint by itself. */
function becomes(map, cluster, begin, put) {
  const size = cluster.reduce((bytes, c) => bytes + bytesOf(c).length, 0);
  for (let end = 1; size < CLUSTER && end <= cluster.length; end++) {
    const found = map.lookUp(cluster.slice(0, end));
    if (found) {
      found.forEach((c, i) => put(c, begin + Math.min(i, cluster.length - 1)));
      return;
    }
  }
  cluster.forEach((c, place) => (map.one(c) ?? [c]).forEach(d => put(d, begin + place)));
}
