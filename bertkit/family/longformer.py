"""Longformer: The Long-Document Transformer (Beltagy et al. 2020, arXiv 2004.05150).

RoBERTa that attends to near tokens and to a few global ones, which have projections of their own, over 4096 tokens.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from bertkit.config import EncoderConfig
from bertkit.errors import Error
from bertkit.family import entries, roberta
from bertkit.kinds import Absolute, PostNorm, Summed, Window

CHANGES = {"max_sequence_length": 4098, "attention": Window(512), "inputs": Summed(separator=2), "family": "longformer"}
CONFIG = roberta.CONFIG.but(**CHANGES)
SIZES = {"longformer-base-4096": CONFIG, "longformer-large-4096": roberta.LARGE.but(**CHANGES)}

# Section 3.1: the classification token is global, or the question; of a choice, its own text.
HEADS = roberta.HEADS | {name: replace(roberta.HEADS[name], watch=tokens) for name, tokens in {
    "classify": "first", "answer": "question", "choose": "choice"}.items()}
PRETRAINING = roberta.PRETRAINING



def longformer_config(config: EncoderConfig, tokens: int, window: int = 512) -> EncoderConfig:
    """Return the config of the Longformer that is made of a BERT or a RoBERTa.

    A RoBERTa becomes a Longformer of this page; others keep their family.

    Args:
        config: config of the encoder.
        tokens: number of tokens that get positions.
        window: width of the attention window, in tokens.

    Returns:
        An `EncoderConfig`.

    Raises:
        Error: when the config has no table of positions to repeat, or other blocks than BERT's.
    """
    if not isinstance(config.positions, Absolute) or not isinstance(config.block, PostNorm):
        raise Error("A Longformer is made of an encoder with learned positions and plain blocks, such as BERT and "
                    f"RoBERTa, and this {config.family} is another; take one of these, or --strategy windows.")
    longest: Any = config.max_length                   # a number, because the positions are Absolute
    kept = config.max_sequence_length - longest
    page = {"family": "longformer", "inputs": CONFIG.inputs} if config.family == "roberta" else {}
    return config.but(attention=Window(window), max_sequence_length=kept + tokens, **page)


def tile_positions(table: np.ndarray, rows: int, kept: int) -> np.ndarray:
    """Return a table of positions with more rows: its first ones, then the others again and again.

    So a token knows its place within the length that the encoder was trained on (section 5).

    Args:
        table: float [positions, D].
        rows: number of rows of the new table.
        kept: number of first rows that are not repeated.

    Returns:
        [rows, D], of the same dtype.

    Example:
        >>> tile_positions(np.array([[9], [1], [2]]), 6, kept=1).ravel().tolist()
        [9, 1, 2, 1, 2, 1]
    """
    return table[np.concatenate([np.arange(kept), kept + np.arange(rows - kept) % (len(table) - kept)])]


def _windows(values):
    """Return the kind of each layer, or of all where they are one."""
    window = values.get("attention_window", 512)
    sizes = window if isinstance(window, list) else [window]
    layers = values.get("num_hidden_layers", CONFIG.num_layers)
    if any(isinstance(size, bool) or not isinstance(size, int) or size < 2 or size % 2 for size in sizes) or (
            isinstance(window, list) and len(window) != layers):
        raise Error(f"attention_window={window!r}; wanted an even number of 2 or more, or a list of one for each of "
                    f"{layers} layers.")
    return Window(sizes[0]) if len(set(sizes)) == 1 else tuple(map(Window, sizes))


def _read(values):
    return {"attention": _windows(values), "positions": Absolute(pad_id=entries.whole(values, "pad_token_id", 1)),
            "inputs": Summed(separator=entries.whole(values, "sep_token_id", 2))}


def _write(config):
    return {"attention_window": [config.attention_of(i).size // 2 * 2 for i in range(config.num_layers)],
            "pad_token_id": config.positions.pad_id, "sep_token_id": config.inputs.separator}


_GLOBAL = {f"encoder/block_{{i}}/attention/global_{name}": f"encoder.layer.{{i}}.attention.self.{name}_global"
           for name in ("query", "key", "value")}
HUGGINGFACE = roberta.HUGGINGFACE.but(
    type="longformer", class_name="Longformer", prefix="longformer.", names=roberta.HUGGINGFACE.names | _GLOBAL,
    defaults={**roberta.HUGGINGFACE.defaults, "vocab_size": 30522}, read=_read, write=_write)
