/** Byte-pair merges: neighbours become one entry, in the order of a list; twin of bertkit/text/models/merges.py. */

import { BertkitError } from "../errors.js";

const IDS = 2 ** 26; // more than any vocabulary has

/** A queue from which the smallest number comes first. */
class Queue {
  constructor() {
    this.heap = [];
  }

  push(value) {
    const heap = this.heap;
    let at = heap.push(value) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (heap[parent] <= value) break;
      heap[at] = heap[parent];
      at = parent;
    }
    heap[at] = value;
  }

  pop() {
    const heap = this.heap,
      first = heap[0],
      value = heap.pop();
    if (!heap.length) return first;
    let at = 0;
    for (let child = 1; child < heap.length; child = 2 * at + 1) {
      if (child + 1 < heap.length && heap[child + 1] < heap[child]) child++;
      if (heap[child] >= value) break;
      heap[at] = heap[child];
      at = child;
    }
    heap[at] = value;
    return first;
  }
}

export class Merges {
  /** @param {Map<string, number>} ids the vocabulary @param {string[]} merges "left right", the first of them first */
  constructor(ids, merges) {
    this.table = new Map();
    merges.forEach((merge, rank) => {
      const space = merge.indexOf(" "),
        left = merge.slice(0, space),
        right = merge.slice(space + 1);
      if (![left, right, left + right].every(entry => ids.has(entry))) {
        throw new BertkitError(`The merge ${merge} is not of entries of the vocabulary; copy the folder again.`);
      }
      this.table.set(ids.get(left) * IDS + ids.get(right), [rank, ids.get(left + right)]);
    });
  }

  /** Merge all pairs of a list of ids, by rank and then from the left.
   * @param {number[]} given @returns {{ids: number[], ends: number[]}} the ids left and where each ends */
  merge(given) {
    const count = given.length,
      ids = given.slice(),
      before = given.map((_, i) => i - 1),
      after = given.map((_, i) => i + 1);
    const queue = new Queue(),
      pair = (i, j) => (i >= 0 && j < count ? this.table.get(ids[i] * IDS + ids[j]) : undefined);
    const offer = i => {
      const found = i >= 0 && pair(i, after[i]);
      if (found) queue.push(found[0] * IDS + i);
    };
    for (let i = 0; i < count; i++) offer(i);
    while (queue.heap.length) {
      const next = queue.pop(),
        i = next % IDS,
        rank = (next - i) / IDS,
        j = after[i];
      const found = ids[i] === -1 ? undefined : pair(i, j);
      if (!found || found[0] !== rank) continue; // one of the two is merged already
      ids[i] = found[1];
      ids[j] = -1;
      after[i] = after[j];
      if (after[i] < count) before[after[i]] = i;
      offer(before[i]);
      offer(i);
    }
    const kept = ids.map((_, i) => i).filter(i => ids[i] !== -1);
    return { ids: kept.map(i => ids[i]), ends: kept.map(i => after[i]) };
  }
}
