"""Measurements inside a model while it is trained, layer by layer. They draw nothing, so they change no training."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from bertkit.errors import Error
from bertkit.heads.defaults import add_default_entries
from bertkit.training.fused import global_norm, sum_repeated_rows

ROWS = 8                # rows that are measured, at most
NUMBERS = 1 << 24       # of attention that the measured rows may have together


def encoder_of(model: Any) -> Any:
    """Return the encoder in a model.

    Args:
        model: A head of bertkit's, a `Pretrainer`, an `Encoder`, or a Keras model with an `Encoder` among its layers.

    Returns:
        The `Encoder`.

    Raises:
        Error: When the model has none.
    """
    from bertkit.encoder import Encoder
    found = getattr(model, "encoder", None) or next(
        (layer for layer in model._flatten_layers() if isinstance(layer, Encoder)), None)
    if found is None:
        raise Error(f"The model {model.name} has no encoder of bertkit's, whose layers are to be watched; use "
                    "keras.callbacks.TensorBoard for it.")
    return found


def layer_groups(model: Any) -> dict[str, list[Any]]:
    """Return the variables that a model trains, by layer.

    Args:
        model: A model with an encoder (see `encoder_of`).

    Returns:
        {"embeddings", "layer_1" to "layer_L", "head"}: their variables; a group that trains nothing is left out. Blocks
        that are shared stand at their first layer. The head is all else, the pooler too.
    """
    encoder = encoder_of(model)
    parts: dict[str, Any] = {"embeddings": encoder.embeddings}
    for layer, number in enumerate(encoder.order, start=1):
        if encoder.blocks[number] not in parts.values():
            parts[f"layer_{layer}"] = encoder.blocks[number]
    owner = {id(variable): name for name, part in reversed(parts.items()) for variable in part.variables}
    groups: dict[str, list[Any]] = {name: [] for name in (*parts, "head")}
    for variable in model.trainable_variables:
        groups[owner.get(id(variable), "head")].append(variable)
    return {name: variables for name, variables in groups.items() if variables}


def value_of(variable: Any) -> Any:
    """Return the value of a variable, of which several devices may each hold a copy.

    Args:
        variable: A Keras variable or a tensor, float of any shape.

    Returns:
        A tensor of its shape.
    """
    value = getattr(variable, "value", variable)
    if keras.backend.backend() != "tensorflow":
        return value
    return tf.distribute.get_strategy().experimental_local_results(value)[0]


class WeightWatch:
    """How large the weights of each layer are, and how much of them one step changes.

    weight_norm = ‖w‖ and update_ratio = ‖w' - w‖ / ‖w‖, over all trained weights of a layer. A ratio of about 1e-3 is
    usual; one of 0 says that a layer does not learn.

    Args:
        model: A model with an encoder (see `encoder_of`).
    """

    def __init__(self, model: Any) -> None:
        self.groups = layer_groups(model)
        self.before: dict[str, list[Any]] = {}

    def begin_step(self) -> None:
        """Keep the weights as they are before a step."""
        self.before = {name: [ops.copy(ops.convert_to_tensor(value_of(variable))) for variable in variables]
                       for name, variables in self.groups.items()}

    def end_step(self) -> dict[str, float]:
        """Measure the weights after a step.

        Returns:
            {"weight_norm/GROUP", "update_ratio/GROUP": number}; the ratios only where `begin_step` was called.
        """
        before, self.before, found = self.before, {}, {}
        for name, variables in self.groups.items():
            values = [ops.convert_to_tensor(value_of(variable)) for variable in variables]
            norm = _norm(values)
            found[f"weight_norm/{name}"] = norm
            if name in before:
                changes = [after - first for after, first in zip(values, before[name], strict=True)]
                found[f"update_ratio/{name}"] = _norm(changes) / norm if norm else 0.0
        return found


def _norm(values):
    """Return √(Σ x²) over tensors, a float."""
    return float(ops.sqrt(sum(ops.sum(ops.square(ops.cast(value, "float32"))) for value in values)))


def row_count(config: Any, length: int) -> int:
    """Return how many rows can be measured without much memory.

    Args:
        config: The `EncoderConfig`.
        length: Tokens of a row.

    Returns:
        From 2 to `ROWS`.

    >>> from bertkit.family import bert
    >>> row_count(bert.CONFIG, 128), row_count(bert.CONFIG, 512)
    (7, 2)
    """
    each = config.num_layers * config.num_heads * length**2
    return max(2, min(ROWS, NUMBERS // each))


def attention_and_activations(model: Any, rows: dict[str, Any]) -> dict[str, float]:
    """Measure attention and hidden states of rows, without dropout.

    attention_entropy/layer_i is the mean over heads and real tokens of -Σⱼ pᵢⱼ log pᵢⱼ, in nats: 0 where each head
    looks at one token, log T where it looks at all alike. activation_outliers/layer_i is max |x| / √(mean x²) over the
    real tokens of hidden state i (0: the embeddings); some 5 for a normal distribution, far more where a few numbers
    are large, which 8-bit files suffer from (Bondarenko et al. 2021).

    Args:
        model: A model with an encoder.
        rows: A batch of rows, {name: int [B,T]}.

    Returns:
        {name: number}; attention that is not over all tokens of a row has no entropy here.
    """
    encoder = encoder_of(model)
    inputs = model.encoder_inputs(rows) if hasattr(model, "encoder_inputs") else rows
    for kind in getattr(model, "kinds", {}).values():
        inputs = add_default_entries(inputs, kind, encoder.config)
    trace = encoder({name: ops.convert_to_tensor(value) for name, value in inputs.items()}, trace=True)["trace"]
    real, found = np.asarray(rows["padding_mask"]) > 0, {}
    for name, value in trace.items():
        part, layer = name.split("/")
        if part == "hidden" and value.shape[:2] == real.shape:
            x = np.asarray(ops.cast(value, "float32"))[real]
            found[f"activation_outliers/layer_{layer}"] = float(np.abs(x).max() / np.sqrt(np.square(x).mean()))
        elif part == "attention" and value.shape[-2:] == (real.shape[1], real.shape[1]):
            p = np.asarray(ops.cast(value, "float32"))
            each = -(p * np.log(np.maximum(p, 1e-30))).sum(axis=-1).mean(axis=1)
            found[f"attention_entropy/layer_{layer}"] = float(each[real].mean())
    return found


def gradient_norms(model: Any, loss: Callable[[], Any]) -> dict[str, float]:
    """Compute ‖gradient‖ of a loss for each layer, with TensorFlow; on another backend nothing.

    Args:
        model: A model with an encoder.
        loss: Computes the loss, a scalar.

    Returns:
        {"gradient_norm/GROUP": norm} with the groups of `layer_groups`.
    """
    if keras.backend.backend() != "tensorflow":
        return {}
    groups = layer_groups(model)
    with tf.GradientTape() as tape:
        value = loss()
    found = tape.gradient(value, {name: list(map(value_of, variables)) for name, variables in groups.items()})
    return {f"gradient_norm/{name}": float(global_norm([sum_repeated_rows(each) for each in parts if each is not None]))
            for name, parts in found.items() if any(each is not None for each in parts)}


def batch_loss(model: Any, batch: Sequence[Any]) -> Any:
    """Compute the loss of a batch as training computes it, without dropout.

    Args:
        model: A compiled Keras model.
        batch: (inputs, labels) or (inputs, labels, weights).

    Returns:
        The loss, a scalar.
    """
    inputs, labels, weights = keras.utils.unpack_x_y_sample_weight(tuple(batch))
    inputs, labels, weights = keras.tree.map_structure(
        lambda each: None if each is None else ops.convert_to_tensor(each), (inputs, labels, weights))
    return model.compute_loss(inputs, labels, model(inputs, training=False), weights, training=False)
