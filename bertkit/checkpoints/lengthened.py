"""A Longformer out of a BERT or RoBERTa that reads short rows (Beltagy et al. 2020, section 5)."""

from dataclasses import replace

import numpy as np

from bertkit import family
from bertkit.checkpoints.tensors import variables
from bertkit.encoder import Encoder
from bertkit.family import longformer
from bertkit.kinds import Full, Window

POSITIONS = "encoder/embeddings/position/embeddings"


def lengthened(encoder, tokens, window=512):
    """Return a Longformer of up to `tokens` tokens with the weights of `encoder`, ready to be trained further.

    An encoder whose attention is not full, such as a Longformer or a BigBird, is returned as it is.
    Positions are the encoder's again and again (see `family.longformer.repeated`), and the projections of global tokens
    begin as those of the others. So rows that fit both give what `encoder` gives, where the window spans them.
    Raises `Error` for an encoder that is none of the kind (see `family.longformer.lengthened`).
    """
    config = encoder.config
    if config.attention != Full():
        return encoder
    made = Encoder(longformer.lengthened(config, tokens, window), dtype=encoder.dtype_policy)
    given = variables(encoder)
    for name, variable in variables(made).items():
        values = np.asarray(given[name.replace("global_", "")])
        if name == POSITIONS:
            values = longformer.repeated(values, variable.shape[0], config.max_sequence_length - config.longest)
        variable.assign(values)
    return made


def watching(encoder):
    """Return the readout of a classifier on `encoder` that makes the first token global, None where it has none."""
    if not isinstance(encoder.config.attention_of(0), Window):
        return None
    return replace(family.page(encoder.config.family).HEADS["classify"], watch="first")
