"""How much a model owes to each of its heads and feed-forward rows, measured on data; under TensorFlow."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from bertkit.compress.removal import check_parts
from bertkit.errors import Error


def gradient_importance(model: Any, loss: Callable,
                        batches: Iterable[tuple[Any, ...]]) -> tuple[np.ndarray, np.ndarray]:
    """Measure how much the loss depends on each head and each feed-forward row.

    I_h = E_x |∂L(x)/∂ξ_h| = E_x |Att_h(x)ᵀ ∂L(x)/∂Att_h(x)|, where ξ_h = 1 multiplies what head h gives (Michel et al.
    2019, section 4.1, equations 2 and 3); of a feed-forward row the same, where ξ multiplies its activation. A block
    that several layers share has one ξ for all of them.

    Args:
        model: A head of bertkit's on an encoder.
        loss: Function (labels, outputs) -> the mean loss of the examples of a batch, such as `model.loss_function()`.
        batches: (inputs by name, labels), without dropout; L(x) is an example's share of its batch's loss, times the
            examples.

    Returns:
        float64 [blocks,N] of heads and [blocks,I] of rows; the blocks are the distinct ones.

    Raises:
        Error: when heads and rows of such an encoder cannot be told apart, or there is no batch.
    """
    config, pairs = model.encoder.config, _second_matrices(model.encoder)
    layers = [layer for pair in pairs for layer in pair]
    sums = [0.0] * len(layers)
    count = 0
    for inputs, labels, *_ in batches:
        examples = len(inputs["token_ids"])
        with tf.GradientTape() as tape, inputs_of(layers, tape.watch) as seen:
            total = loss(labels, model(inputs, training=False)) * examples
        slopes = tape.gradient(total, [value for _, value in seen], unconnected_gradients="zero")
        for number, slope in _slopes(seen, slopes, examples, config):
            sums[number] += np.abs(slope).sum(axis=0)
        count += examples
    if not count:
        raise Error("There are no examples to measure importance on; give at least one batch.")
    return np.stack(sums[0::2]) / count, np.stack(sums[1::2]) / count


def activation_importance(model: Any, batches: Iterable[tuple[Any, ...]]) -> np.ndarray:
    """Measure how much each feed-forward row adds to the vectors of tokens.

    I_r = E |z_r| · ‖W₂[r]‖, z = act(W₁ a + b₁) of a real token, which is E ‖z_r W₂[r]‖, the mean length of what row r
    adds. Layers that share a block are counted together.

    Args:
        model: A head of bertkit's on an encoder.
        batches: (inputs by name, ...) without dropout; labels are not read.

    Returns:
        float64 [blocks,I]; the blocks are the distinct ones.

    Raises:
        Error: when rows of such an encoder cannot be told apart, or there is no batch.
    """
    layers = [outer for _, outer in _second_matrices(model.encoder)]
    sums, tokens = [0.0] * len(layers), 0.0
    for inputs, *_ in batches:
        rows = _rows(inputs)
        real = _real(rows)
        with inputs_of(layers) as seen:
            model.encoder(rows, training=False)
        for number, value in seen:
            sums[number] += np.einsum("bt,bti->i", real, np.abs(np.asarray(value, "float64")))
        tokens += real.sum()
    if not tokens:
        raise Error("There are no tokens to measure importance on; give at least one batch.")
    lengths = [np.linalg.norm(np.asarray(layer.kernel, "float64"), axis=1) for layer in layers]
    return np.stack([total / tokens * length for total, length in zip(sums, lengths, strict=True)])


def feature_importance(model: Any, batches: Iterable[tuple[Any, ...]]) -> np.ndarray:
    """Measure how large each feature of the vectors of tokens is.

    I_d = E |h_d| over real tokens, and over the embeddings and the outputs of all layers.

    Args:
        model: A head of bertkit's on an encoder.
        batches: (inputs by name, ...) without dropout; labels are not read.

    Returns:
        float64 [D].

    Raises:
        Error: when there is no batch.
    """
    width, sums, tokens = model.encoder.config.hidden_dim, 0.0, 0.0
    for inputs, *_ in batches:
        rows = _rows(inputs)
        real = _real(rows)
        states = [value for name, value in model.encoder(rows, trace=True, training=False)["trace"].items()
                  if name.startswith("hidden/") and value.shape[-1] == width]
        sums = sums + sum(np.einsum("bt,btd->d", real, np.abs(np.asarray(state, "float64"))) for state in states)
        tokens += real.sum()
    if not tokens:
        raise Error("There are no tokens to measure importance on; give at least one batch.")
    return np.asarray(sums) / tokens


def _rows(inputs):
    """Return the rows of a batch one below the other, [B·g,T] of [B,g,T]."""
    return {name: np.reshape(value, (-1, np.shape(value)[-1])) for name, value in inputs.items()
            if name in ("token_ids", "segment_ids", "padding_mask")}


def _real(rows):
    return np.asarray(rows.get("padding_mask", np.ones_like(rows["token_ids"])), "float64")


def strongest(importance: np.ndarray, count: int) -> list[list[int]]:
    """Return which parts of each block stay: those of the largest importance.

    Args:
        importance: float [blocks,parts].
        count: How many stay.

    Returns:
        The numbers of those that stay, ascending, for each block; of equal ones the first.

    Example:
        >>> strongest(np.array([[0.1, 0.4, 0.2], [0.5, 0.0, 0.5]]), 2)
        [[1, 2], [0, 2]]
    """
    return [sorted(np.argsort(-part, kind="stable")[:count].tolist()) for part in importance]


@contextmanager
def inputs_of(layers: Sequence[keras.layers.Layer], watch: Callable = lambda _: None) -> Iterator[list]:
    """Note what layers are called with, while the `with` block runs; Keras has no hook for it.

    Args:
        layers: The layers, built.
        watch: Function that each input is given to before the layer.

    Yields:
        A list that gets (number of the layer, its input) of every call, in their order.
    """
    seen: list[tuple[int, Any]] = []

    def noting(number, call):
        def called(inputs, *others, **named):
            watch(inputs)
            seen.append((number, inputs))
            return call(inputs, *others, **named)
        return called

    for number, layer in enumerate(layers):
        layer.call = noting(number, layer.call)
    try:
        yield seen
    finally:
        for layer in layers:
            del layer.call


def _second_matrices(encoder):
    """Return (the layer after the heads, the layer after the activations) of each distinct block."""
    check_parts(encoder.config)
    return [(block.attention.output_dense, block.outer) for block in encoder.blocks]


def _slopes(seen, slopes, examples, config):
    """Yield (number of a layer, ∂L(x)/∂ξ [examples,parts]) of all layers that were called."""
    totals: dict[int, np.ndarray] = {}
    for (number, value), slope in zip(seen, slopes, strict=True):
        product = np.asarray(value, "float64") * np.asarray(slope, "float64")
        product = product.reshape(examples, -1, product.shape[-1]).sum(axis=1)
        if number % 2 == 0:
            product = product.reshape(examples, config.num_heads, -1).sum(axis=-1)
        totals[number] = totals.get(number, 0.0) + product
    yield from totals.items()
