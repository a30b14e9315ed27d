"""Classification of documents whose windows are read together: first within each window, then across them."""

import math

import keras
import numpy as np
from keras import ops

from bertkit.config import EncoderConfig
from bertkit.errors import Error
from bertkit.heads.classifier import Classifier
from bertkit.heads.defaults import completed
from bertkit.heads.head_layers import REDUCTIONS
from bertkit.layers import trunk
from bertkit.layers.attention import EXACT
from bertkit.layers.configured import ConfiguredLayer
from bertkit.layers.initializer import truncated_normal


@keras.saving.register_keras_serializable("bertkit")
class DocumentClassifier(Classifier):
    """A classifier of documents, each of any number of rows; call(batch) -> [B,C] float32.

    A window's vector is what the head's readout reads of its row; these go through `layers` Transformer blocks
    (Pappagari et al. 2019, section 3.3) and are pooled by attention (see `WindowPooling`), and the head gives logits of
    what comes out. Entries of a batch are [R,T], the rows of all documents without gaps, and "windows" [B,W] says which
    of these each document has, -1 after the last; without it each row is a document. Without layers a document of one
    window gets what a `Classifier` of the same weights gives. Raises `Error` on windows that no row is.
    """

    together = True
    own_entries = ("windows",)

    def __init__(self, encoder, labels, dropout=None, multi_label=False, head_config=None, layers=1,
                 name="document_classifier", **options):
        if isinstance(layers, bool) or not isinstance(layers, int) or not 0 <= layers <= 100:
            raise Error(f"layers={layers!r}; wanted a whole number of 0 to 100.")
        self.depth = layers
        super().__init__(encoder, labels, dropout, multi_label, head_config, name, **options)

    def build(self, _=None):
        if not self.built:
            self.across = WindowPooling(self.encoder.config, self.depth, name="across", dtype=self.dtype_policy)
            self.across.build((None, None, self.encoder.config.output_dim))
        super().build()

    def checked(self, inputs):
        if isinstance(inputs, dict) and isinstance(inputs.get("windows"), list | np.ndarray):
            inputs = {**inputs, "windows": _numbers(inputs["windows"], len(inputs.get("token_ids", ())))}
        return super().checked(inputs)

    def call(self, inputs, training=None):
        kind, head = self.kinds["classify"], self.heads["classify"]
        found = self.encoder(self.rows(completed(inputs, kind, self.encoder.config)), training=training)
        vectors = REDUCTIONS[kind.reduce](found, inputs.get("padding_mask"))
        windows = inputs.get("windows")
        windows = ops.arange(ops.shape(vectors)[0])[:, None] if windows is None else ops.cast(windows, "int32")
        x = self.across(ops.take(vectors, ops.maximum(windows, 0), axis=0), windows >= 0, training=training)
        return head({"sequence": x[:, None], "pooled": x}, inputs={}, training=training)

    def settings(self):
        return {**super().settings(), "layers": self.depth}


@keras.saving.register_keras_serializable("bertkit")
class WindowPooling(ConfiguredLayer):
    """The vectors of a document's windows as one: Transformer blocks over them, in no order, then Σ_w a_w x_w.

    a = softmax(uᵀ tanh(W x + b)) over the real windows (Yang et al. 2016, equations 8 to 10). call(x [B,W,D], real
    [B,W]) -> [B,D].
    """

    def __init__(self, config, layers, **options):
        super().__init__(config, **options)
        config, self.depth = self.config, layers
        policy, width = {"dtype": self.dtype_policy}, config.output_dim
        self.blocks = [] if not layers else trunk.blocks(EncoderConfig(
            1, layers, math.gcd(config.num_heads, width), width, 4 * width, dropout=config.dropout,
            attention_dropout=config.attention_dropout, initializer_range=config.initializer_range), **policy)
        self.dense = keras.layers.Dense(width, activation="tanh", kernel_initializer=truncated_normal(config),
                                        name="dense", **policy)
        self.context = keras.layers.Dense(1, use_bias=False, kernel_initializer=truncated_normal(config),
                                          name="context", **policy)

    def get_config(self):
        return {**super().get_config(), "layers": self.depth}

    def build(self, shape):
        for layer in (*self.blocks, self.dense, self.context):
            layer.build(shape)

    def call(self, x, real, training=None):
        for block in self.blocks:
            x = block(x, context={"padding_mask": ops.cast(real, "int32")}, training=training)
        scores = ops.cast(self.context(self.dense(x))[..., 0], "float32")
        shares = ops.softmax(ops.where(real, scores, EXACT), axis=-1)
        return ops.sum(x * ops.cast(shares, x.dtype)[..., None], axis=1)


def _numbers(windows, rows):
    """Return "windows" as an int32 array [B,W], after looking at it; raises `Error`."""
    try:
        found = np.asarray(windows)
    except ValueError:                      # lists of unlike length
        found = np.zeros(0)
    if found.ndim != 2 or found.dtype.kind not in "iu" or not ((found >= -1) & (found < rows)).all() or (
            (found < 0).all(axis=1).any()):
        raise Error(f"windows={str(windows)[:80]}; wanted for each document the numbers of its rows, one or more of 0 "
                    f"to {rows - 1}, and -1 after the last, in an array [B,W].")
    return found.astype("int32")
