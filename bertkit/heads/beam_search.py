"""Beam search: the likeliest text that a model finds, token after token."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
from keras import ops

BARRED = -1e9       # the log-probability of what is impossible; finite, so that sums are no NaN


def beam_search(step: Callable[..., Any], past: Any, rows: Any, ends: Sequence[int], longest: int, beams: int = 1,
                penalty: float = 1.0) -> Any:
    """Search the likeliest text that a model finds, one token after another.

    At each position the `beams` likeliest of all continuations go on, ended texts among them, by Σ log p. Of the last
    ones the text with the largest Σ log p / length^penalty is returned, its end counted (Sutskever, Vinyals and Le
    2014, section 3.2). With one beam the search is greedy.

    Args:
        step: step(tokens [R], place, past) -> (log p of the next token [R,V], past), where R = rows · beams.
        past: What `step` keeps of the earlier tokens, a structure of tensors [R,...].
        rows: The number of texts.
        ends: The id that a text begins with, and the id that it ends with.
        longest: The largest number of tokens of a text.
        beams: The number of continuations that are kept for each text.
        penalty: The exponent of the length.

    Returns:
        The best texts found, int32 [rows,longest], filled up with the end.
    """
    begin, end = ends
    first = ops.where(ops.arange(beams) == 0, 0.0, BARRED)      # all beams are alike before the first token
    state = (ops.zeros((), "int32"), ops.full((rows * beams,), begin, "int32"),
             ops.full((rows * beams, longest), end, "int32"), ops.broadcast_to(first[None], (rows, beams)),
             ops.zeros((rows * beams,), "bool"), past)

    def goes_on(place, tokens, ids, scores, ended, past):
        return ops.logical_and(place < longest, ops.logical_not(ops.all(ended)))

    def extended(place, tokens, ids, scores, ended, past):
        chances, past = step(tokens, place, past)
        scores, parents, tokens = best_continuations(scores, chances, ended, end)
        ids, ended, past = keras.tree.map_structure(lambda part: ops.take(part, parents, axis=0), (ids, ended, past))
        ids = ops.where((ops.arange(longest) == place)[None], tokens[:, None], ids)
        return place + 1, tokens, ids, scores, ops.logical_or(ended, tokens == end), past

    _, _, ids, scores, _, _ = ops.while_loop(goes_on, extended, state)
    lengths = ops.minimum(ops.sum(ops.cast(ids != end, "float32"), axis=-1) + 1, float(longest))
    means = scores / ops.reshape(lengths, (rows, beams)) ** penalty
    place = ops.cast(ops.argmax(means, axis=-1), "int32")
    return ops.take(ids, ops.arange(rows) * beams + place, axis=0)


def best_continuations(scores: Any, chances: Any, ended: Any, end: int) -> tuple[Any, Any, Any]:
    """Choose the W likeliest continuations of each of B texts.

    Args:
        scores: Σ log p of the texts so far, [B,W].
        chances: log p of the next token, [B·W,V].
        ended: Whether a text has ended, bool [B·W]; such a text goes on with the end, which costs nothing.
        end: The id of the end.

    Returns:
        Σ log p [B,W], the rows that were continued int32 [B·W], and their new tokens int32 [B·W].
    """
    rows, beams, size = ops.shape(scores)[0], ops.shape(scores)[1], ops.shape(chances)[-1]
    still = ops.where(ops.arange(size) == end, 0.0, BARRED)[None]
    chances = ops.where(ended[:, None], still, chances)
    sums = ops.reshape(ops.reshape(scores, (-1, 1)) + chances, (rows, beams * size))
    scores, places = ops.top_k(sums, beams)
    places = ops.cast(places, "int32")
    parents = ops.arange(rows, dtype="int32")[:, None] * beams + places // size
    return scores, ops.reshape(parents, (-1,)), ops.reshape(places % size, (-1,))
