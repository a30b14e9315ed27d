"""Rows of a batch with the words that a model fills in. Nothing is drawn, so the training stays as it is."""

from typing import Any

import numpy as np
from keras import ops

from bertkit.text import Tokenizer

ROWS = 8                # rows of a batch that are measured
SHOWN = 5               # rows whose filled-in words are shown


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
