"""Measurements inside a model that is being pre-trained. They draw nothing, so they do not change the training."""

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from keras import ops

from bertkit.files.atomic import write_text
from bertkit.text import Tokenizer

ROWS = 8                # rows of a batch that are measured
SHOWN = 5               # rows whose filled-in words are shown
PROJECTED = 2000        # entries of the vocabulary


def first_rows(batch: dict[str, Any], count: int = ROWS) -> dict[str, Any]:
    """Return the first rows of a batch.

    Args:
        batch: Arrays by name, [B, ...].
        count: How many rows.

    Returns:
        Arrays by name, [count, ...].

    Example:
        >>> first_rows({"keys": [1, 2, 3]}, 2)
        {'keys': [1, 2]}
    """
    return {name: value[:count] for name, value in batch.items()}


def entropies(pretrainer: Any, batch: dict[str, Any]) -> dict[str, float]:
    """Compute the attention entropy of each layer: the mean over heads and real tokens of −Σⱼ pᵢⱼ log pᵢⱼ, in nats.

    Args:
        pretrainer: The `Pretrainer`.
        batch: A batch as `Pretrainer.corrupt` returns it.

    Returns:
        {"layer_i": entropy}; layers with sparse attention are left out.
    """
    batch = first_rows(batch)
    names = ("token_ids", "segment_ids", "padding_mask")
    trace = pretrainer.encoder({name: ops.convert_to_tensor(batch[name]) for name in names}, trace=True)["trace"]
    means, real = {}, batch["padding_mask"] > 0
    for name, value in trace.items():
        if name.startswith("attention/") and value.shape[-2:] == (real.shape[1], real.shape[1]):
            p = np.asarray(ops.cast(value, "float32"))
            each = -(p * np.log(np.maximum(p, 1e-30))).sum(axis=-1).mean(axis=1)
            means[f"layer_{name.split('/')[1]}"] = float(each[real].mean())
    return means


def gradient_norms(pretrainer: Any, batch: dict[str, Any]) -> dict[str, float]:
    """Compute ‖gradient‖ of the loss without dropout for the embeddings, each block and each head.

    Args:
        pretrainer: The `Pretrainer`.
        batch: A batch as `Pretrainer.corrupt` returns it.

    Returns:
        {part: norm}.
    """
    batch = {name: ops.convert_to_tensor(value) for name, value in first_rows(batch).items()}
    with tf.GradientTape() as tape:
        losses = pretrainer.weighted_losses(pretrainer(batch, training=False), batch)
    variables, strategy = pretrainer.trainable_variables, tf.distribute.get_strategy()
    values = [strategy.experimental_local_results(variable.value)[0] for variable in variables]
    gradients = tape.gradient(losses["loss"], values)
    sums: dict[str, float] = {}
    for variable, gradient in zip(variables, gradients, strict=True):
        if gradient is not None:
            part = _part(variable.path)
            sums[part] = sums.get(part, 0.0) + float(tf.reduce_sum(tf.square(tf.convert_to_tensor(gradient))))
    return {part: value ** 0.5 for part, value in sums.items()}


def _part(path):
    """Return the layer of a variable, the first two parts of its path: encoder_block_0, mlm ..."""
    return "_".join(path.split("/")[:-1][:2])


def fill_mask_examples(pretrainer: Any, tokenizer: Tokenizer, batch: dict[str, Any]) -> str:
    """Show what the model predicts in the place of each hidden word, as Markdown.

    Args:
        pretrainer: The `Pretrainer`.
        tokenizer: The `Tokenizer` of the batch.
        batch: A batch as `Pretrainer.corrupt` returns it.

    Returns:
        A paragraph for each row, with **predicted** where the prediction is correct, else **predicted** (hidden word).
    """
    if "masked_positions" not in batch:
        return "no words were hidden"
    batch = first_rows(batch, SHOWN)
    outputs = pretrainer({name: ops.convert_to_tensor(value) for name, value in batch.items()}, training=False)
    logits = next(outputs[name] for name in ("mlm_logits", "generator_logits") if name in outputs)
    rows = []
    for row, guesses in enumerate(np.asarray(ops.argmax(logits, axis=-1))):
        real = batch["padding_mask"][row] > 0
        words = [tokenizer.vocabulary[i] for i in batch["token_ids"][row]]
        for place, label, weight, guess in zip(batch["masked_positions"][row], batch["masked_labels"][row],
                                               batch["masked_weights"][row], guesses, strict=True):
            if weight:
                word, predicted = tokenizer.vocabulary[label], tokenizer.vocabulary[guess]
                words[place] = f"**{predicted}**" if predicted == word else f"**{predicted}** ({word})"
        rows.append(" ".join(word for word, kept in zip(words, real, strict=True) if kept))
    return "\n\n".join(rows)


def write_projector(logs: Path, encoder: Any, tokenizer: Tokenizer) -> None:
    """Write the first entries of the token table for TensorBoard's projector, beside the events.

    Args:
        logs: The folder of the events.
        encoder: The `Encoder`.
        tokenizer: The `Tokenizer`, whose entries are the names.
    """
    folder = logs / "projector"
    folder.mkdir(parents=True, exist_ok=True)
    table = np.asarray(ops.cast(encoder.embeddings.token.embeddings, "float32"))[:min(PROJECTED, len(tokenizer))]
    write_text(folder / "vectors.tsv", "".join("\t".join(f"{x:.5g}" for x in row) + "\n" for row in table))
    write_text(folder / "pieces.tsv", "".join(f"{piece}\n" for piece in tokenizer.vocabulary[:len(table)]))
    write_text(logs / "projector_config.pbtxt",
               'embeddings {\n  tensor_name: "token_table"\n  tensor_path: "projector/vectors.tsv"\n'
               '  metadata_path: "projector/pieces.tsv"\n}\n')
