"""Logits as a function of the vectors of tokens, and their gradients; under TensorFlow."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
import tensorflow as tf

ROWS = 32           # of which gradients are computed together
FEWEST, MOST = 16, 512      # nodes of the integral
SAME = 2e-5         # a score that more nodes change by less, relative to the largest one, is exact enough


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


def slopes(model: Any, batch: dict[str, np.ndarray], vectors: np.ndarray, column: int) -> np.ndarray:
    """Compute the gradient of a logit by the vectors of tokens.

    Args:
        model: A model that gives logits [B,C].
        batch: One row, entries int [1,T].
        vectors: float32 [B,T,E], vectors for that row's tokens.
        column: The number of the logit.

    Returns:
        float64 [B,T,E].
    """
    found = []
    for start in range(0, len(vectors), ROWS):
        part = tf.convert_to_tensor(vectors[start:start + ROWS])
        rows = {name: np.repeat(value, len(part), axis=0) for name, value in batch.items()}
        with tf.GradientTape() as tape:
            tape.watch(part)
            with token_vectors(model.encoder, lambda own, part=part: tf.cast(part, own.dtype)):
                logit = model(rows, training=False)[:, column]
        found.append(tape.gradient(logit, part).numpy().astype("float64"))
    return np.concatenate(found)


def gradient_x_input(model: Any, batch: dict[str, np.ndarray], column: int) -> np.ndarray:
    """Compute eᵢ · ∂z/∂eᵢ of each token, eᵢ its vector and z the logit (Shrikumar et al. 2017, section 3).

    Args:
        model: A model that gives logits [B,C].
        batch: One row, entries int [1,T].
        column: The number of the logit.

    Returns:
        float64 [T].
    """
    vectors = vectors_of(model.encoder, batch["token_ids"])
    return (vectors * slopes(model, batch, vectors, column)).sum(-1)[0]


def integrated_gradients(model: Any, batch: dict[str, np.ndarray], base_ids: np.ndarray, column: int) -> np.ndarray:
    """Compute (eᵢ − bᵢ) · ∫₀¹ ∂z/∂eᵢ at b + α (e − b) dα of each token (Sundararajan et al. 2017, equation 1).

    e are the vectors of tokens, b those of the baseline. The integral is that of Gauss and Legendre, whose nodes are
    doubled until no score changes any more; their sum is then z(e) − z(b).

    Args:
        model: A model that gives logits [B,C].
        batch: One row, entries int [1,T].
        base_ids: int [1,T], the tokens of the baseline.
        column: The number of the logit.

    Returns:
        float64 [T].
    """
    end, base = (vectors_of(model.encoder, ids) for ids in (batch["token_ids"], base_ids))
    before, count = np.full(end.shape[1], np.inf), FEWEST
    while True:
        nodes, weights = np.polynomial.legendre.leggauss(count)
        path = base + ((nodes + 1) / 2).astype("float32")[:, None, None] * (end - base)
        mean = np.einsum("n,nte->te", weights / 2, slopes(model, batch, path, column))
        scores = ((end - base)[0] * mean).sum(-1)
        if np.abs(scores - before).max(initial=0) <= SAME * max(1.0, np.abs(scores).max(initial=0)) or count >= MOST:
            return scores
        before, count = scores, 2 * count
