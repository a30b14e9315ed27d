"""What is exported: a bundle's model in float32, and rows of ids to try it on."""

from pathlib import Path
from typing import Any

import numpy as np

from bertkit.checkpoints import bundle
from bertkit.data.features import NAMES
from bertkit.errors import Error
from bertkit.predictor import Predictor
from bertkit.text.template import FIRST

# Texts that every export is tried on: empty, plain, accents, other scripts, longer than any length.
PROBES = ("", "a warm, funny film", "Ça coûte 5 € à l'été!", "中文 and ελληνικά", "\U0001f600 don't\tpanic",
          "word " * 600)
# Rows of random ids, where a bundle keeps no calibration rows.
RANDOM_ROWS = 16


def open_predictor(folder: str | Path) -> Predictor:
    """Return the `Predictor` of a bundle, computing in float32 whatever precision this process trains in.

    Args:
        folder: The folder of the bundle.

    Returns:
        The `Predictor`.

    Raises:
        Error: When the folder is no bundle, or its model does not answer one row in one pass.
    """
    predictor = Predictor(folder)
    if predictor.task.name == "write":
        raise Error("This model writes token after token, and bertkit exports what answers in one pass; answer with "
                    "`bertkit predict`.")
    if predictor.model.together:
        raise Error("This model reads all windows of a document together, and what is exported takes one row; answer "
                    "with `bertkit predict`, or train with --strategy windows, which goes --to tflite.")
    return predictor


def probes(task: Any) -> list[Any]:
    """Return texts as inputs of a task.

    Args:
        task: The task.

    Returns:
        `PROBES` alone, or tuples of each beside the ones before it where the task reads several texts.
    """
    count = len(task.reads) - (task.reads[-1] == "...")
    if count == 1:
        return list(PROBES)
    return [tuple(PROBES[i - place] for place in range(count)) for i in range(len(PROBES))]


def calibration_rows(folder: str | Path, tokenizer: Any, length: int) -> dict[str, np.ndarray] | None:
    """Return the calibration rows of a bundle at another length.

    A longer row loses tokens before the special ones at its end.

    Args:
        folder: The folder of the bundle.
        tokenizer: Its `Tokenizer`.
        length: Tokens of a row, special tokens included.

    Returns:
        {name: int32 [rows, length]}; None if the bundle keeps none.
    """
    batch = bundle.calibration(folder)
    if batch is None:
        return None
    rows = []
    for ids, segments, mask in zip(*(batch[name] for name in NAMES), strict=True):
        real = np.flatnonzero(mask)
        kept = real[kept_places(tokenizer, len(real), length)]
        rows.append((ids[kept], segments[kept]))
    return tokenizer.batch(rows, length)


def kept_places(tokenizer: Any, tokens: int, length: int) -> np.ndarray:
    """Return which places of a row stay where it is cut to a length: the first, and the special ones at the end.

    Args:
        tokenizer: The `Tokenizer`.
        tokens: Tokens of the row.
        length: The most tokens that stay.

    Returns:
        Numbers of places, int64 [places], at most `length`.
    """
    if tokens <= length:
        return np.arange(tokens)
    parts = [part for part, _ in tokenizer.template.single]
    end = len(parts) - 1 - parts.index(FIRST)
    return np.concatenate([np.arange(length - end), np.arange(tokens - end, tokens)])


def random_rows(tokenizer: Any, length: int) -> dict[str, np.ndarray]:
    """Return rows of random entries of the vocabulary, with padding: enough to compare two runs of a model.

    Args:
        tokenizer: The `Tokenizer`.
        length: Tokens of a row, special tokens included.

    Returns:
        {name: int32 [RANDOM_ROWS, length]}.
    """
    rng = np.random.default_rng(0)
    texts = [rng.integers(len(tokenizer), size=size) for size in rng.integers(1, length + 1, RANDOM_ROWS)]
    return tokenizer.batch([tokenizer.pack_ids(text.tolist(), None, length) for text in texts], length)
