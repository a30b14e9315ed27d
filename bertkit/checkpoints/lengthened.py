"""A Longformer out of a BERT or RoBERTa that reads short rows (Beltagy et al. 2020, section 5)."""

from dataclasses import replace
from typing import Any

import numpy as np

from bertkit import family
from bertkit.checkpoints.tensors import variables
from bertkit.encoder import Encoder
from bertkit.family import longformer
from bertkit.kinds import Full, Window

POSITIONS = "encoder/embeddings/position/embeddings"


def to_longformer(encoder: Encoder, tokens: int, window: int = 512) -> Encoder:
    """Return a Longformer that reads longer rows, with the weights of another encoder, ready to be trained further.

    An encoder whose attention is not full, such as a Longformer or a BigBird, is returned as it is.
    The encoder's positions are repeated (see `family.longformer.tile_positions`), and the projections of global tokens
    begin as copies of the others. So rows that fit both give what `encoder` gives, where the window spans them.

    Args:
        encoder: A BERT or RoBERTa encoder.
        tokens: The most tokens of a row.
        window: Tokens that a token attends to, itself in the middle.

    Returns:
        The Longformer.

    Raises:
        Error: When the encoder is of another kind (see `family.longformer.longformer_config`).
    """
    config = encoder.config
    if config.attention != Full():
        return encoder
    made = Encoder(longformer.longformer_config(config, tokens, window), dtype=encoder.dtype_policy)
    given = variables(encoder)
    for name, variable in variables(made).items():
        values = np.asarray(given[name.replace("global_", "")])
        if name == POSITIONS and config.max_length is not None:
            offset = config.max_sequence_length - config.max_length
            values = longformer.tile_positions(values, variable.shape[0], offset)
        variable.assign(values)
    return made


def with_global_attention(encoder: Encoder) -> Any:
    """Return the readout of a classifier that makes the first token global.

    Args:
        encoder: The encoder.

    Returns:
        A `HeadConfig`; None where the encoder's attention has no global tokens.
    """
    if not isinstance(encoder.config.attention_of(0), Window):
        return None
    return replace(family.page(encoder.config.family).HEADS["classify"], watch="first")
