/** Search among vectors, such as those that a model of the task embed gives. */

/**
 * Return uᵀv / (‖u‖ ‖v‖), 0 where a vector is 0.
 * @param {ArrayLike<number>} u
 * @param {ArrayLike<number>} v
 * @returns {number}
 */
export function cosine(u, v) {
  let product = 0,
    first = 0,
    second = 0;
  for (let i = 0; i < u.length; i++) {
    product += u[i] * v[i];
    first += u[i] * u[i];
    second += v[i] * v[i];
  }
  return product / (Math.sqrt(first * second) || 1);
}

/** Return the vectors with the largest cosines, the best first.
 * @param {ArrayLike<number>} query @param {ArrayLike<number>[]} vectors @param {number} [count]
 * @returns {{index: number, score: number}[]} */
export function nearest(query, vectors, count = 10) {
  const found = vectors.map((vector, index) => ({ index, score: cosine(query, vector) }));
  return found.sort((a, b) => b.score - a.score || a.index - b.index).slice(0, count);
}
