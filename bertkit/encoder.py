"""The encoder: embed, block after block, pool. Every family is this class under another config."""

import keras
import numpy as np

from bertkit.errors import Error
from bertkit.layers.attention import EXACT
from bertkit.layers.block import Block
from bertkit.layers.embeddings import Embeddings
from bertkit.layers.initializer import truncated_normal


class Encoder(keras.Model):
    """A bidirectional Transformer encoder (Devlin et al. 2018, section 3).

    call({"token_ids" [B,T], "segment_ids", "padding_mask", "position_ids" (each optional) [B,T]}) ->
    {"sequence" [B,T,D], "pooled" [B,D] where the config has a pooler}. With `trace=True` also "trace":
    {"hidden/0" (the embeddings) ... "hidden/L" [B,T,D], "attention/1" ... "attention/L" [B,N,T,T]}.
    Raises `Error` on arrays with ids that have no row, more tokens than positions, or unlike shapes.

    >>> from bertkit.config import EncoderConfig
    >>> encoder = Encoder(EncoderConfig(100, num_layers=1, num_heads=2, hidden_dim=8, intermediate_dim=16))
    >>> tuple(encoder({"token_ids": [[5, 6, 7]]})["sequence"].shape)
    (1, 3, 8)
    """

    def __init__(self, config, name="encoder", **options):
        super().__init__(name=name, **options)
        self.config = config
        self.masked_score = EXACT
        policy = {"dtype": self.dtype_policy}
        self.embeddings = Embeddings(config, name="embeddings", **policy)
        self.blocks = [Block(config, name=f"block_{i}", **policy) for i in range(config.num_layers)]
        self.pooler = None
        if config.pooler:
            self.pooler = keras.layers.Dense(config.hidden_dim, activation="tanh", name="pooler",
                                             kernel_initializer=truncated_normal(config), **policy)
        self.build()

    def build(self, _=None):
        if self.built:
            return
        self.embeddings.build((None, None))
        for block in self.blocks:
            block.build((None, None, self.config.hidden_dim))
        if self.pooler is not None:
            self.pooler.build((None, self.config.hidden_dim))

    def __call__(self, inputs, **options):
        return super().__call__(checked(inputs, self.config), **options)

    def call(self, inputs, trace=False, training=None):
        mask = inputs.get("padding_mask")
        x = self.embeddings(inputs["token_ids"], inputs.get("segment_ids"), inputs.get("position_ids"),
                            training=training)
        traced = {"hidden/0": x}
        for i, block in enumerate(self.blocks, start=1):
            x = block(x, padding_mask=mask, trace=trace, masked_score=self.masked_score,
                      training=training)
            if trace:
                x, traced[f"attention/{i}"] = x
                traced[f"hidden/{i}"] = x
        outputs = {"sequence": x}
        if self.pooler is not None:
            outputs["pooled"] = self.pooler(x[:, 0])
        return {**outputs, "trace": traced} if trace else outputs


def checked(inputs, config):
    """Return a batch with lists and arrays as int32 arrays, after looking at them.

    Symbolic and accelerator tensors pass as they are: the data pipeline has checked them. Raises `Error` on numbers
    that int32 does not hold as they are, ids without a row, and shapes that do not fit.
    """
    if not isinstance(inputs, dict) or "token_ids" not in inputs:
        raise Error("An encoder takes a dict with token_ids [B,T] and optionally segment_ids, "
                    f"padding_mask and position_ids; {type(inputs).__name__} came.")
    inputs = {name: _whole(name, value) if isinstance(value, list | tuple | np.ndarray) else value
              for name, value in inputs.items() if value is not None}
    arrays = {name: value for name, value in inputs.items() if isinstance(value, np.ndarray)}
    limits = {"token_ids": config.vocabulary_size, "segment_ids": config.num_segments,
              "position_ids": config.max_sequence_length, "padding_mask": 2}
    shape = tuple(inputs["token_ids"].shape)
    for name, array in arrays.items():
        if name in limits:
            _check_array(name, array, shape, limits[name])
    if len(shape) == 2 and shape[1] is not None and shape[1] > config.max_sequence_length:
        raise Error(f"The batch has {shape[1]} tokens a row and the encoder "
                    f"{config.max_sequence_length} positions; cut the rows.")
    return inputs


def _whole(name, value):
    """Return numbers as an int32 array; rounds and wraps none."""
    try:
        given = np.asarray(value)
        with np.errstate(invalid="ignore"):
            array = given.astype("int32")
    except (TypeError, ValueError, OverflowError):
        raise Error(f"{name} is no table of numbers: its rows differ in length or hold other things; pad the rows "
                    "to one length.") from None
    if given.dtype.kind not in "biuf" or not np.array_equal(array, given):
        raise Error(f"{name} holds {given.dtype} values that are no whole numbers of 32 bits; give ids.")
    return array


def _check_array(name, array, shape, limit):
    if array.ndim != 2 or array.shape != shape:
        raise Error(f"{name} has shape {array.shape}; wanted [B,T] as token_ids, {shape}.")
    if array.size and (array.min() < 0 or array.max() >= limit):
        wrong = int(array.max() if array.max() >= limit else array.min())
        raise Error(f"{name} holds {wrong}; the encoder has rows 0 to {limit - 1}. Does the "
                    "vocabulary belong to this checkpoint?")


