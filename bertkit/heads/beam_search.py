"""Beam search: the likeliest text that a model finds, token after token."""

import keras
from keras import ops

BARRED = -1e9       # the log-probability of what cannot be; sums of it stay numbers


def beam_search(step, past, rows, ends, longest, beams=1, penalty=1.0):
    """Return the best texts found, int32 [rows,longest], filled up with the end.

    `step(tokens [R], place, past)` gives (log p of the next token [R,V], past), R = rows · beams, `past` a structure of
    tensors [R,...]; `ends` are the ids that a text begins and ends with. At each place the `beams` likeliest of all
    continuations go on, ended texts among them, by Σ log p; of the last ones that of the largest Σ log p /
    length^penalty is returned, its end counted (Sutskever, Vinyals and Le 2014, section 3.2; with one beam: greedy).
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
        scores, parents, tokens = best(scores, chances, ended, end)
        ids, ended, past = keras.tree.map_structure(lambda part: ops.take(part, parents, axis=0), (ids, ended, past))
        ids = ops.where((ops.arange(longest) == place)[None], tokens[:, None], ids)
        return place + 1, tokens, ids, scores, ops.logical_or(ended, tokens == end), past

    _, _, ids, scores, _, _ = ops.while_loop(goes_on, extended, state)
    lengths = ops.minimum(ops.sum(ops.cast(ids != end, "float32"), axis=-1) + 1, float(longest))
    means = scores / ops.reshape(lengths, (rows, beams)) ** penalty
    place = ops.cast(ops.argmax(means, axis=-1), "int32")
    return ops.take(ids, ops.arange(rows) * beams + place, axis=0)


def best(scores, chances, ended, end):
    """Return Σ log p [B,W], the rows [B·W] and the last tokens [B·W] of the W likeliest continuations of each B.

    scores [B,W] before, chances [B·W,V] of the next token, `ended` [B·W]: such a text goes on with the end, at no cost.
    """
    rows, beams, size = ops.shape(scores)[0], ops.shape(scores)[1], ops.shape(chances)[-1]
    still = ops.where(ops.arange(size) == end, 0.0, BARRED)[None]
    chances = ops.where(ended[:, None], still, chances)
    sums = ops.reshape(ops.reshape(scores, (-1, 1)) + chances, (rows, beams * size))
    scores, places = ops.top_k(sums, beams)
    places = ops.cast(places, "int32")
    parents = ops.arange(rows, dtype="int32")[:, None] * beams + places // size
    return scores, ops.reshape(parents, (-1,)), ops.reshape(places % size, (-1,))
