"""What is exported: a bundle's model in float32, and rows of ids to try it on."""

import keras
import numpy as np

from bertkit.checkpoints import bundle
from bertkit.predictor import Predictor

# Texts that every export is tried on: empty, plain, accents, other scripts, longer than any length.
PROBES = ("", "a warm, funny film", "Ça coûte 5 € à l'été!", "中文 and ελληνικά", "\U0001f600 don't\tpanic",
          "word " * 600)
# Rows of random ids, where a bundle keeps no calibration rows.
RANDOM_ROWS = 16


def opened(folder):
    """Return the `Predictor` of a bundle, computing in float32 whatever precision this process trains in."""
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    try:
        return Predictor(folder)
    finally:
        keras.config.set_dtype_policy(policy)


def calibration_rows(folder, tokenizer, length):
    """Return a bundle's calibration rows at `length` tokens, {name: int32 [rows, length]}, or None.

    A longer row keeps its first `length` − 1 tokens and its last, the separator.
    """
    batch = bundle.calibration(folder)
    if batch is None:
        return None
    lengths = batch["padding_mask"].sum(axis=1)
    long, found = lengths > length, {}
    for name, rows in batch.items():
        filling = tokenizer.pad_id if name == "token_ids" else 0
        cut = np.full((len(rows), length), filling, "int32")
        cut[:, :rows.shape[1]] = rows[:, :length]
        cut[long, -1] = rows[long, lengths[long] - 1]
        found[name] = cut
    return found


def random_rows(tokenizer, length):
    """Return rows of random entries of the vocabulary, with padding: enough to compare runs of a model."""
    rng = np.random.default_rng(0)
    texts = [rng.integers(len(tokenizer), size=size) for size in rng.integers(1, length + 1, RANDOM_ROWS)]
    return tokenizer.batch([tokenizer.pack_ids(text.tolist(), None, length) for text in texts], length)
