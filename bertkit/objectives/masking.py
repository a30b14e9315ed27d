"""Functions that choose which tokens are hidden, and what stands in their places.

A choice takes (seed, keys [B], candidates bool [B,T], counts int [B], words int [B,T]) and returns the chosen spans as
int [B,T]: the number of the span that a token is chosen with, from 1, or 0 for a token that is not chosen. One draw for
each span decides whether its tokens become [MASK], a random entry, or stay. Draws are functions of (seed, key).
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from bertkit.corpus.randomness import randint, uniform

APART = 1 << 16         # distance between the numbers of words that are not neighbours; larger than any span


def word_numbers(candidates: np.ndarray, begins: np.ndarray) -> np.ndarray:
    """Number the word of each token.

    Words that follow each other have consecutive numbers. A token that is no candidate stands between the words before
    it and the words after it, so their numbers are not consecutive.

    Args:
        candidates: bool [B,T], True where a token may be chosen.
        begins: bool [B,T], True where a word begins.

    Returns:
        The number of each token's word, int [B,T].

    Example:
        >>> word_numbers(np.array([[False, True, True, False]]), np.array([[True, True, False, True]])).tolist()
        [[65536, 65537, 65537, 131073]]
    """
    first = candidates & ~np.pad(candidates, ((0, 0), (1, 0)))[:, :-1]
    return np.cumsum(np.where(candidates, begins | first, APART), axis=1)


def tokens(seed: int, keys: np.ndarray, candidates: np.ndarray, counts: np.ndarray,
           words: np.ndarray) -> np.ndarray:
    """Choose single tokens, where every candidate has the same chance (Devlin et al. 2018, section 3.1).

    Args:
        seed: The seed of the draws.
        keys: int [B], the key of each row.
        candidates: bool [B,T], True where a token may be chosen.
        counts: int [B], how many tokens of each row to choose.
        words: int [B,T], not used here.

    Returns:
        int [B,T], a number of its own for each chosen token, from 1, and 0 elsewhere.

    Example:
        >>> tokens(0, np.array([0]), np.ones((1, 8), bool), np.array([2]), words=np.arange(8)[None]).tolist()
        [[0, 0, 3, 0, 0, 0, 7, 0]]
    """
    draws = np.where(candidates, uniform(seed, "tokens", keys, candidates.shape[1]), 2.0)
    largest = np.take_along_axis(np.sort(draws, axis=1), np.maximum(counts, 1)[:, None] - 1, axis=1)
    return _each(candidates & (draws <= largest))


def independent(seed: int, keys: np.ndarray, candidates: np.ndarray, rate: float) -> np.ndarray:
    """Choose each candidate with the probability `rate`, independently of the others (Liu et al. 2019, RoBERTa).

    Args:
        seed: The seed of the draws.
        keys: int [B], the key of each row.
        candidates: bool [B,T], True where a token may be chosen.
        rate: The probability, between 0 and 1.

    Returns:
        int [B,T], a number of its own for each chosen token, from 1, and 0 elsewhere.

    Example:
        >>> independent(0, np.array([0]), np.ones((1, 8), bool), rate=0.25).tolist()
        [[0, 2, 3, 0, 0, 0, 7, 0]]
    """
    return _each(candidates & (uniform(seed, "tokens", keys, candidates.shape[1]) < rate))


def ngrams(seed: int, keys: np.ndarray, candidates: np.ndarray, counts: np.ndarray, words: np.ndarray,
           longest: int = 3) -> np.ndarray:
    """Choose n-grams of 1 to `longest` whole words, P(n) ∝ 1/n, until `counts` tokens are chosen.

    The words of a row are tried in a random order. Each begins an n-gram of a drawn length, which is cut to the words
    that the text still has and to the number of tokens that is still to be chosen. A word is skipped where it does not
    fit itself, or where one word of its n-gram is chosen already. Each token is a span of its own (Lan et al. 2019,
    section 3.1 and code; for single words Devlin et al. 2018's code).

    Args:
        seed: The seed of the draws.
        keys: int [B], the key of each row.
        candidates: bool [B,T], True where a token may be chosen.
        counts: int [B], how many tokens of each row to choose.
        words: int [B,T], the number of each token's word, see `word_numbers`.
        longest: The most words of an n-gram.

    Returns:
        int [B,T], a number of its own for each chosen token, from 1, and 0 elsewhere.

    Example:
        >>> ngrams(0, np.array([0]), np.ones((1, 8), bool), np.array([4]), words=np.arange(8)[None]).tolist()
        [[0, 2, 0, 0, 5, 6, 0, 8]]
    """
    width = words.shape[1]
    lengths = _draw_lengths(seed, keys, width, 1 / np.arange(1, longest + 1))
    first = candidates & (words != np.pad(words, ((0, 0), (1, 0)))[:, :-1])
    ahead = np.pad(words, ((0, 0), (0, 1)), constant_values=words.max(initial=0) + APART)
    chosen, left = np.zeros_like(candidates), counts.copy()
    for rows, at in _draw_anchors(seed, keys, first, left):
        fitting = ahead[rows, np.minimum(at + left[rows], width)] - words[rows, at]
        new = _tokens_of_words(words, rows, at, np.minimum(lengths[rows, at], fitting))
        new &= ~(new & chosen[rows]).any(axis=1, keepdims=True)
        chosen[rows] |= new
        left[rows] -= new.sum(axis=1)
    return _each(chosen)


def spans(seed: int, keys: np.ndarray, candidates: np.ndarray, counts: np.ndarray, words: np.ndarray,
          p: float = 0.2, longest: int = 10) -> np.ndarray:
    """Choose spans of 1 to `longest` whole words, P(n) ∝ p(1 − p)ⁿ⁻¹, until `counts` tokens are chosen.

    Each span begins with the word of a token that is drawn among those not chosen yet. The last span ends where the
    count is reached. Spans that touch or overlap become one span (Joshi et al. 2019, SpanBERT, section 3.1 and code).

    Args:
        seed: The seed of the draws.
        keys: int [B], the key of each row.
        candidates: bool [B,T], True where a token may be chosen.
        counts: int [B], how many tokens of each row to choose.
        words: int [B,T], the number of each token's word, see `word_numbers`.
        p: The parameter of the geometric distribution of lengths.
        longest: The most words of a span.

    Returns:
        int [B,T], the number of the span of each chosen token, from 1, and 0 elsewhere.

    Example:
        >>> spans(0, np.array([0]), np.ones((1, 8), bool), np.array([4]), words=np.arange(8)[None]).tolist()
        [[1, 1, 1, 1, 0, 0, 0, 0]]
    """
    lengths = _draw_lengths(seed, keys, words.shape[1], p * (1 - p) ** np.arange(longest))
    chosen, left = np.zeros_like(candidates), counts.copy()
    for rows, at in _draw_anchors(seed, keys, candidates, left):
        new = _tokens_of_words(words, rows, at, lengths[rows, at]) & ~chosen[rows]
        new &= ~chosen[rows, at][:, None]
        new &= np.cumsum(new, axis=1) <= left[rows][:, None]
        chosen[rows] |= new
        left[rows] -= new.sum(axis=1)
    return run_numbers(chosen)


def run_numbers(chosen: np.ndarray) -> np.ndarray:
    """Number the runs of chosen tokens.

    Args:
        chosen: bool [B,T].

    Returns:
        int [B,T], the number of each chosen token's run, from 1, and 0 elsewhere.

    Example:
        >>> run_numbers(np.array([[True, True, False, True]])).tolist()
        [[1, 1, 0, 2]]
    """
    first = chosen & ~np.pad(chosen, ((0, 0), (1, 0)))[:, :-1]
    return np.where(chosen, np.cumsum(first, axis=1), 0)


def count_to_choose(rate: float, real: np.ndarray, candidates: np.ndarray) -> np.ndarray:
    """Count the tokens to choose in each row: max(1, round(rate · real tokens)), at most all candidates.

    Args:
        rate: The share of the tokens to choose, between 0 and 1.
        real: bool [B,T], False where there is padding.
        candidates: bool [B,T], True where a token may be chosen.

    Returns:
        int64 [B].

    Example:
        >>> count_to_choose(0.15, np.ones((1, 20), bool), np.ones((1, 20), bool)).tolist()
        [3]
    """
    wanted = np.maximum(1, np.round(rate * real.sum(axis=1))).astype("int64")
    return np.minimum(wanted, candidates.sum(axis=1))


def count_to_choose_rounded_up(rate: float, real: np.ndarray, candidates: np.ndarray) -> np.ndarray:
    """Count the tokens to choose in each row: ⌈rate · candidates⌉ (SpanBERT's code).

    Args:
        rate: The share of the candidates to choose, between 0 and 1.
        real: bool [B,T], not used here.
        candidates: bool [B,T], True where a token may be chosen.

    Returns:
        int64 [B].

    Example:
        >>> count_to_choose_rounded_up(0.15, np.ones((1, 20), bool), np.ones((1, 10), bool)).tolist()
        [2]
    """
    return np.ceil(rate * candidates.sum(axis=1)).astype("int64")


class Choice(NamedTuple):
    """A way to choose tokens, and how many of them it chooses.

    Args:
        choose: The function that chooses, such as `tokens`, `ngrams` or `spans`.
        count: The function that counts how many tokens of each row to choose, `count_to_choose` or
            `count_to_choose_rounded_up`.

    Example:
        >>> CHOICES["spans"].choose.__name__, CHOICES["spans"].count.__name__
        ('spans', 'count_to_choose_rounded_up')
    """

    choose: Callable[..., np.ndarray]
    count: Any = count_to_choose


CHOICES = {"tokens": Choice(tokens), "words": Choice(partial(ngrams, longest=1)), "ngrams": Choice(ngrams),
           "spans": Choice(spans, count_to_choose_rounded_up)}


def replace_tokens(seed: int, keys: np.ndarray, ids: np.ndarray, spans: np.ndarray, shares: Sequence[float],
                   mask_id: int, size: int) -> np.ndarray:
    """Replace the chosen tokens by [MASK] or by random entries, or leave them as they are.

    What happens is drawn once for each span; a random entry is drawn for each token.

    Args:
        seed: The seed of the draws.
        keys: int [B], the key of each row.
        ids: int [B,T], the token ids.
        spans: int [B,T], the span of each chosen token, from 1, and 0 for tokens that are not chosen.
        shares: The share of the spans that become [MASK], and the share that become random entries.
        mask_id: The id of [MASK].
        size: The number of entries of the vocabulary, from which random entries are drawn.

    Returns:
        The new ids, int32 [B,T].

    Example:
        >>> ids, spans = np.array([[5, 6, 7, 8]]), np.array([[0, 1, 1, 0]])
        >>> replace_tokens(0, np.array([0]), ids, spans, shares=(1.0, 0.0), mask_id=4, size=9).tolist()
        [[5, 4, 4, 8]]
    """
    width = ids.shape[1]
    kind = np.take_along_axis(uniform(seed, "kinds", keys, width + 1), spans, axis=1)
    random_ids = randint(uniform(seed, "entries", keys, width), size)
    hidden = np.where(kind < shares[0], mask_id, np.where(kind < shares[0] + shares[1], random_ids, ids))
    return np.where(spans > 0, hidden, ids).astype("int32")


def list_targets(chosen: np.ndarray, ids: np.ndarray) -> dict[str, np.ndarray]:
    """List the positions and the labels of the chosen tokens of each row.

    Args:
        chosen: bool [B,T], True where a token is chosen.
        ids: int [B,T], the token ids before they were hidden.

    Returns:
        "masked_positions" and "masked_labels" int32 [B,K], "masked_weights" float32 [B,K]. K is the largest number of
        chosen tokens in a row, at least 1. The positions of a row are in order, and its weights are 0 after its last
        one.

    Example:
        >>> list_targets(np.array([[False, True, True]]), np.array([[5, 6, 7]]))["masked_labels"].tolist()
        [[6, 7]]
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


def _draw_lengths(seed, keys, width, weights):
    """Return lengths n with P(n) ∝ weights[n − 1], int [B,width]."""
    return 1 + np.searchsorted(np.cumsum(weights)[:-1] / np.sum(weights), uniform(seed, "lengths", keys, width),
                               side="right")


def _draw_anchors(seed, keys, anchors, left):
    """Yield (rows, the anchor of each), in an order drawn for each row, for the rows alone that have tokens `left`.

    The papers' code draws again where a row's anchor is chosen already; to skip it in the order is the same.
    """
    draws = np.where(anchors, uniform(seed, "anchors", keys, anchors.shape[1]), 2.0)
    order, counts = np.argsort(draws, axis=1), anchors.sum(axis=1)
    for rank in range(anchors.shape[1]):
        rows = np.flatnonzero((left > 0) & (rank < counts))
        if not len(rows):
            return
        yield rows, order[rows, rank]


def _tokens_of_words(words, rows, at, lengths):
    """Return which tokens belong to the `lengths` words that begin at the anchors, bool [rows,T]."""
    words = words[rows] - words[rows, at][:, None]
    return (words >= 0) & (words < lengths[:, None])
