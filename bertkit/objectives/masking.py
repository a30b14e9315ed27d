"""Which tokens are hidden, and behind what.

A choice takes (seed, keys [B], candidates bool [B,T], counts int [B], words int [B,T]) and returns the chosen spans as
int [B,T]: the number of the span that a token is chosen with, from 1, or 0. What lies behind [MASK] and what behind a
random entry is drawn once for each span. Draws are functions of (seed, key).
"""

from functools import partial
from typing import NamedTuple

import numpy as np

from bertkit.corpus.randomness import randint, uniform

APART = 1 << 16         # between the numbers of words that are not neighbours; more than a span is long


def numbered(candidates, begins):
    """Return the number of each token's word, int [B,T]; `begins` bool [B,T] says where words do.

    Words that follow each other have numbers that do; what is no candidate parts the words before it from those behind.

    >>> numbered(np.array([[False, True, True, False]]), np.array([[True, True, False, True]])).tolist()
    [[65536, 65537, 65537, 131073]]
    """
    first = candidates & ~np.pad(candidates, ((0, 0), (1, 0)))[:, :-1]
    return np.cumsum(np.where(candidates, begins | first, APART), axis=1)


def tokens(seed, keys, candidates, counts, words):
    """Choose single tokens, all candidates alike (Devlin et al. 2018, section 3.1); each is a span of its own."""
    draws = np.where(candidates, uniform(seed, "tokens", keys, candidates.shape[1]), 2.0)
    most = np.take_along_axis(np.sort(draws, axis=1), np.maximum(counts, 1)[:, None] - 1, axis=1)
    return _each(candidates & (draws <= most))


def independent(seed, keys, candidates, rate):
    """Choose each candidate with the probability `rate`, whatever becomes of the others (Liu et al. 2019, RoBERTa)."""
    return _each(candidates & (uniform(seed, "tokens", keys, candidates.shape[1]) < rate))


def ngrams(seed, keys, candidates, counts, words, longest=3):
    """Choose 1 to `longest` whole words that follow each other, P(n) ∝ 1/n, until `counts` tokens are chosen.

    Words are tried in a drawn order, each with as many as it draws, as its text has and as still fit; it is passed over
    where it does not fit itself, or one of them is chosen already. Each token is a span of its own (Lan et al. 2019,
    section 3.1 and code; for single words Devlin et al. 2018's code).
    """
    width = words.shape[1]
    lengths = _drawn(seed, keys, width, 1 / np.arange(1, longest + 1))
    first = candidates & (words != np.pad(words, ((0, 0), (1, 0)))[:, :-1])
    ahead = np.pad(words, ((0, 0), (0, 1)), constant_values=words.max(initial=0) + APART)
    chosen, left = np.zeros_like(candidates), counts.copy()
    for rows, at in _walk(seed, keys, first, left):
        fitting = ahead[rows, np.minimum(at + left[rows], width)] - words[rows, at]
        new = _behind(words, rows, at, np.minimum(lengths[rows, at], fitting))
        new &= ~(new & chosen[rows]).any(axis=1, keepdims=True)
        chosen[rows] |= new
        left[rows] -= new.sum(axis=1)
    return _each(chosen)


def spans(seed, keys, candidates, counts, words, p=0.2, longest=10):
    """Choose 1 to `longest` whole words that follow each other, P(n) ∝ p(1 − p)ⁿ⁻¹, until `counts` tokens are chosen.

    Each begins with the word of a token drawn among those not chosen; the last one ends where the count is reached.
    Neighbours and those that overlap are one span (Joshi et al. 2019, SpanBERT, section 3.1 and code).
    """
    lengths = _drawn(seed, keys, words.shape[1], p * (1 - p) ** np.arange(longest))
    chosen, left = np.zeros_like(candidates), counts.copy()
    for rows, at in _walk(seed, keys, candidates, left):
        new = _behind(words, rows, at, lengths[rows, at]) & ~chosen[rows]
        new &= ~chosen[rows, at][:, None]
        new &= np.cumsum(new, axis=1) <= left[rows][:, None]
        chosen[rows] |= new
        left[rows] -= new.sum(axis=1)
    return runs(chosen)


def runs(chosen):
    """Return the number of each run of chosen tokens, from 1, and 0 elsewhere: int [B,T].

    >>> runs(np.array([[True, True, False, True]])).tolist()
    [[1, 1, 0, 2]]
    """
    first = chosen & ~np.pad(chosen, ((0, 0), (1, 0)))[:, :-1]
    return np.where(chosen, np.cumsum(first, axis=1), 0)


def rounded(rate, real, candidates):
    """Return how many tokens of each row to choose: max(1, round(rate · real ones)), as far as there are candidates."""
    wanted = np.maximum(1, np.round(rate * real.sum(axis=1))).astype("int64")
    return np.minimum(wanted, candidates.sum(axis=1))


def rounded_up(rate, real, candidates):
    """Return how many tokens of each row to choose: ⌈rate · candidates⌉ (SpanBERT's code)."""
    return np.ceil(rate * candidates.sum(axis=1)).astype("int64")


class Choice(NamedTuple):
    """A way to choose tokens, and how many of them."""

    choose: object
    count: object = rounded


CHOICES = {"tokens": Choice(tokens), "words": Choice(partial(ngrams, longest=1)), "ngrams": Choice(ngrams),
           "spans": Choice(spans, rounded_up)}


def replaced(seed, keys, ids, spans, shares, mask_id, size):
    """Return ids with the chosen tokens behind [MASK], behind random entries, or as they are: int32 [B,T].

    `shares` are those of the first two; the draw is one for each span, the random entry one for each token.
    """
    width = ids.shape[1]
    kind = np.take_along_axis(uniform(seed, "kinds", keys, width + 1), spans, axis=1)
    drawn = randint(uniform(seed, "entries", keys, width), size)
    hidden = np.where(kind < shares[0], mask_id, np.where(kind < shares[0] + shares[1], drawn, ids))
    return np.where(spans > 0, hidden, ids).astype("int32")


def slots(chosen, ids):
    """Return ("masked_positions", "masked_labels" int32, "masked_weights" float32), [B,K] each, of a choice [B,T].

    K is the most that a row has, at least 1; a row's slots are in order, and weights 0 after its last.
    """
    counts = chosen.sum(axis=1)
    order = np.argsort(~chosen, axis=1, kind="stable")[:, :max(1, counts.max(initial=0))]
    weights = np.arange(order.shape[1]) < counts[:, None]
    positions = np.where(weights, order, 0)
    return {"masked_positions": positions.astype("int32"), "masked_weights": weights.astype("float32"),
            "masked_labels": np.take_along_axis(ids, positions, axis=1).astype("int32")}


def _each(chosen):
    """Return a number of its own for each chosen token, from 1, and 0 elsewhere: int [B,T]."""
    return np.where(chosen, np.arange(1, chosen.shape[1] + 1), 0)


def _drawn(seed, keys, width, weights):
    """Return lengths n with P(n) ∝ weights[n − 1], int [B,width]."""
    return 1 + np.searchsorted(np.cumsum(weights)[:-1] / np.sum(weights), uniform(seed, "lengths", keys, width),
                               side="right")


def _walk(seed, keys, anchors, left):
    """Yield (rows, the anchor of each), in an order drawn for each row, those rows alone that have tokens `left`.

    An anchor that a row chose already is drawn again in the papers' code: passing it over in the order is the same.
    """
    draws = np.where(anchors, uniform(seed, "anchors", keys, anchors.shape[1]), 2.0)
    order, counts = np.argsort(draws, axis=1), anchors.sum(axis=1)
    for rank in range(anchors.shape[1]):
        rows = np.flatnonzero((left > 0) & (rank < counts))
        if not len(rows):
            return
        yield rows, order[rows, rank]


def _behind(words, rows, at, lengths):
    """Return the tokens of so many words from the anchors' on, bool [rows,T]."""
    words = words[rows] - words[rows, at][:, None]
    return (words >= 0) & (words < lengths[:, None])
