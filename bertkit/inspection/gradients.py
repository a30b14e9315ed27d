"""Logits as a function of the vectors of tokens, and their gradients; under TensorFlow."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
import tensorflow as tf

TOKENS = 2048       # of which gradients are computed together, so that long rows fit into memory
NODES, WEIGHTS = np.polynomial.legendre.leggauss(16)
MOST = 1024         # points of the path at which a gradient is computed; a row that needs more is left inexact
SAME = 2e-5         # a score that smaller parts change by less, relative to the largest score, is exact enough
LOST = 1e-4         # the same for what the scores of a part lack of the logit's change over that part


@contextmanager
def token_vectors(encoder: Any, change: Callable) -> Iterator[None]:
    """Put other vectors in the place of those that an encoder looks up for its tokens, while the `with` block runs.

    It is done where the table of tokens is read, before positions, segments and a norm, so it serves every family.
    Keras has no hook for it.

    Args:
        encoder: The `Encoder`.
        change: Function (vectors [B,T,E]) -> the vectors to use.

    Yields:
        Nothing.
    """
    table = encoder.embeddings.token
    look_up = table.call
    table.call = lambda ids, *others, **named: change(look_up(ids, *others, **named))
    try:
        yield
    finally:
        del table.call


def vectors_of(encoder: Any, ids: np.ndarray) -> np.ndarray:
    """Return what an encoder looks up for tokens.

    Args:
        encoder: The `Encoder`.
        ids: Token ids int [...].

    Returns:
        float32 [...,E].
    """
    return keras.ops.convert_to_numpy(encoder.embeddings.token(ids)).astype("float32")


def slopes(model: Any, batch: dict[str, np.ndarray], pick: Callable, base: np.ndarray, step: np.ndarray,
           places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Compute a logit z and its slope dᵢ · ∂z/∂eᵢ of each token, at points e = b + α d of a line.

    Args:
        model: A model on an encoder.
        batch: One row, entries int [1,T].
        pick: Function (what the model gives) -> the explained number z of each row, [B].
        base: b, float32 [1,T,E], vectors of tokens.
        step: d, float32 [1,T,E].
        places: The values of α, float [P].

    Returns:
        (the logits, float64 [P], the slopes, float64 [P,T]).
    """
    logits, found = [], []
    size = max(1, TOKENS // max(1, base.shape[1]))
    for part in np.split(np.asarray(places, "float32")[:, None, None], range(size, len(places), size)):
        vectors = tf.convert_to_tensor(base + part * step)
        rows = {name: np.repeat(value, len(part), axis=0) for name, value in batch.items()}
        with tf.GradientTape() as tape:
            tape.watch(vectors)
            with token_vectors(model.encoder, lambda own, vectors=vectors: tf.cast(vectors, own.dtype)):
                logit = pick(model(rows, training=False))
        logits.append(logit.numpy().astype("float64"))
        found.append((tape.gradient(logit, vectors).numpy().astype("float64") * step).sum(-1))
    return np.concatenate(logits), np.concatenate(found)


def gradient_x_input(model: Any, batch: dict[str, np.ndarray], pick: Callable) -> np.ndarray:
    """Compute eᵢ · ∂z/∂eᵢ of each token, eᵢ its vector and z the logit (Shrikumar et al. 2017, section 3).

    Args:
        model: A model on an encoder.
        batch: One row, entries int [1,T].
        pick: Function (what the model gives) -> the explained number z of each row, [B].

    Returns:
        float64 [T].
    """
    vectors = vectors_of(model.encoder, batch["token_ids"])
    return slopes(model, batch, pick, np.zeros_like(vectors), vectors, np.ones(1))[1][0]


def integrated_gradients(model: Any, batch: dict[str, np.ndarray], base_ids: np.ndarray, pick: Callable) -> np.ndarray:
    """Compute (eᵢ − bᵢ) · ∫₀¹ ∂z/∂eᵢ at b + α (e − b) dα of each token (Sundararajan et al. 2017, equation 1).

    e are the vectors of tokens, b those of the baseline. The logit of a sure model jumps on a short part of the path.
    So a part of the path (Gauss and Legendre, 16 nodes) is halved until halves give the same scores and their sum is
    the change of the logit.

    Args:
        model: A model on an encoder.
        batch: One row, entries int [1,T].
        base_ids: int [1,T], the tokens of the baseline.
        pick: Function (what the model gives) -> the explained number z of each row, [B].

    Returns:
        float64 [T].
    """
    end, base = (vectors_of(model.encoder, ids) for ids in (batch["token_ids"], base_ids))

    def integrals(spans):
        """Return the scores of parts of the path [S,T], and what their sums lack of the logit's change [S]."""
        inside = np.array([0, *(NODES + 1) / 2, 1])
        places = spans[:, :1] + (spans[:, 1:] - spans[:, :1]) * inside
        logits, found = slopes(model, batch, pick, base, end - base, places.reshape(-1))
        logits, found = logits.reshape(places.shape), found.reshape(*places.shape, -1)
        scores = np.einsum("s,n,snt->st", spans[:, 1] - spans[:, 0], WEIGHTS / 2, found[:, 1:-1])
        return scores, np.abs(scores.sum(-1) - (logits[:, -1] - logits[:, 0]))

    return _halved(integrals)


def _halved(integrals):
    """Add the integrals of parts of the path, each halved until it is exact enough or `MOST` points are used up."""
    spans = np.array([[0.0, 1.0]])
    coarse, asked, total = integrals(spans)[0], 0, 0.0
    while len(spans):
        middle = spans.mean(axis=1)
        halves = np.stack([spans[:, 0], middle, middle, spans[:, 1]], axis=1).reshape(-1, 2)
        scores, lost = integrals(halves)
        asked += len(halves) * len(NODES)
        scores = scores.reshape(len(spans), 2, -1)
        fine = scores.sum(axis=1)
        scale = max(1.0, np.abs(total + fine.sum(axis=0)).max(initial=0))
        rough = (np.abs(fine - coarse).max(axis=1, initial=0) > SAME * scale) | (
            lost.reshape(-1, 2).max(axis=1) > LOST * scale)
        rough &= asked < MOST
        total = total + fine[~rough].sum(axis=0)
        spans, coarse = halves.reshape(-1, 2, 2)[rough].reshape(-1, 2), scores[rough].reshape(-1, fine.shape[1])
    return total
