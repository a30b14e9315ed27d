"""Classification of documents whose windows are read together: first within each window, then across them."""

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from bertkit.config import EncoderConfig
from bertkit.encoder import Encoder
from bertkit.errors import Error
from bertkit.heads.classifier import Classifier
from bertkit.heads.defaults import add_default_entries
from bertkit.heads.head_layers import REDUCTIONS
from bertkit.layers import trunk
from bertkit.layers.attention import EXACT
from bertkit.layers.configured import ConfiguredLayer
from bertkit.layers.initializer import truncated_normal


@keras.saving.register_keras_serializable("bertkit")
class DocumentClassifier(Classifier):
    """A classifier of documents, each of any number of rows (windows); call(batch) -> [B,C] float32.

    A window's vector is what the head reads of its row. The vectors go through `layers` Transformer blocks (Pappagari
    et al. 2019, section 3.3) and are pooled by attention (see `WindowPooling`), and the head gives the logits of the
    result. Entries of a batch are [R,T], the rows of all documents without gaps, and "windows" [B,W] says which of
    these each document has, −1 after the last; without it each row is a document. Without layers a document of one
    window gets what a `Classifier` of the same weights gives.

    Args:
        encoder: The `Encoder` to read texts with.
        labels: The C names of the classes. A single one without `multi_label` is a score (a regression).
        dropout: The rate of dropout of the head, a probability; None takes that of the kind of head, or else of the
            encoder.
        multi_label: Whether any number of labels of a document may be right (a sigmoid each), and not just one
            (softmax).
        head_config: The kind of head, such as a `HeadConfig`, or its JSON; None takes that of the paper of the
            encoder's family.
        layers: The number of Transformer blocks over the windows, 0 to 100.
        name: The name of the model.
        **options: Further arguments of `keras.Model`, such as `dtype` and `trainable`.

    Raises:
        Error: when `layers` is no such number, or when a call gets "windows" that name no row.

    Example:
        >>> encoder = Encoder(EncoderConfig(100, num_layers=1, num_heads=2, hidden_dim=8, intermediate_dim=16))
        >>> model = DocumentClassifier(encoder, ["good", "bad"])
        >>> batch = {"token_ids": [[5, 6], [7, 8], [9, 5]], "windows": [[0, 1], [2, -1]]}       # 2 documents, 3 windows
        >>> tuple(model(batch).shape)
        (2, 2)
    """

    together = True
    own_entries = ("windows",)

    def __init__(self, encoder: Encoder, labels: Sequence[str], dropout: float | None = None, multi_label: bool = False,
                 head_config: Any = None, layers: int = 1, name: str = "document_classifier", **options: Any) -> None:
        if isinstance(layers, bool) or not isinstance(layers, int) or not 0 <= layers <= 100:
            raise Error(f"layers={layers!r}; wanted a whole number of 0 to 100.")
        self.depth = layers
        super().__init__(encoder, labels, dropout, multi_label, head_config, name, **options)

    def build(self, _: Any = None) -> None:
        """Create the weights.

        Args:
            _: Not used; the sizes are those of the config.
        """
        if not self.built:
            self.across = WindowPooling(self.encoder.config, self.depth, name="across", dtype=self.dtype_policy)
            self.across.build((None, None, self.encoder.config.output_dim))
        super().build()

    def check_batch(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """Check a batch, and make int32 arrays of its lists and arrays.

        Args:
            inputs: A batch; entries [R,T] and "windows" [B,W].

        Returns:
            The batch as this model computes with it.

        Raises:
            Error: when "windows" names a row that is not there, or the encoder cannot read the rows.
        """
        if isinstance(inputs, dict) and isinstance(inputs.get("windows"), list | np.ndarray):
            inputs = {**inputs, "windows": _numbers(inputs["windows"], len(inputs.get("token_ids", ())))}
        return super().check_batch(inputs)

    def call(self, inputs: dict[str, Any], training: bool | None = None) -> Any:
        """Compute the logits of the documents.

        Args:
            inputs: The batch: entries [R,T] that the encoder reads, and optionally "windows" int [B,W].
            training: Whether dropout is applied; None leaves it to Keras.

        Returns:
            The logits [B,C] float32.
        """
        kind, head = self.kinds["classify"], self.heads["classify"]
        inputs = add_default_entries(inputs, kind, self.encoder.config)
        outputs = self.encoder(self.encoder_inputs(inputs), training=training)
        # A head that averages logits reads one vector of a window, the mean of its tokens.
        vectors = REDUCTIONS["real" if kind.reduce == "late" else kind.reduce](outputs, inputs.get("padding_mask"))
        windows = inputs.get("windows")
        windows = ops.arange(ops.shape(vectors)[0])[:, None] if windows is None else ops.cast(windows, "int32")
        x = self.across(ops.take(vectors, ops.maximum(windows, 0), axis=0), windows >= 0, training=training)
        return head({"sequence": x[:, None], "pooled": x}, inputs={}, training=training)

    def settings(self) -> dict[str, Any]:
        """Return the constructor's arguments besides the encoder and those of Keras.

        Returns:
            A dict of JSON values.
        """
        return {**super().settings(), "layers": self.depth}


@keras.saving.register_keras_serializable("bertkit")
class WindowPooling(ConfiguredLayer):
    """The vectors of a document's windows as one vector: Transformer blocks over them, in no order, then Σ_w a_w x_w.

    a = softmax(uᵀ tanh(W x + b)) over the real windows (Yang et al. 2016, equations 8 to 10). call(x [B,W,D], real
    [B,W]) -> [B,D].

    Args:
        config: The `EncoderConfig` of the encoder, or the dict that its `to_json` gives.
        layers: The number of Transformer blocks.
        **options: Further arguments of a Keras layer: `name`, `dtype`, `trainable`.
    """

    def __init__(self, config: EncoderConfig | dict[str, Any], layers: int, **options: Any) -> None:
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

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs to make this object again.

        Returns:
            A dict of JSON values.
        """
        return {**super().get_config(), "layers": self.depth}

    def build(self, shape: Any) -> None:
        """Create the weights.

        Args:
            shape: The shape of the input, (B, T, D) with None for what is not known.
        """
        for layer in (*self.blocks, self.dense, self.context):
            layer.build(shape)

    def call(self, x: Any, real: Any, training: bool | None = None) -> Any:
        """Pool the windows of each document.

        Args:
            x: The windows' vectors [B,W,D].
            real: bool [B,W], true where there is a window.
            training: Whether dropout is applied; None leaves it to Keras.

        Returns:
            The documents' vectors [B,D].
        """
        for block in self.blocks:
            x = block(x, context={"padding_mask": ops.cast(real, "int32")}, training=training)
        scores = ops.cast(self.context(self.dense(x))[..., 0], "float32")
        shares = ops.softmax(ops.where(real, scores, EXACT), axis=-1)
        return ops.sum(x * ops.cast(shares, x.dtype)[..., None], axis=1)


def _numbers(windows, rows):
    """Return "windows" as an int32 array [B,W], after looking at it; raises `Error`."""
    try:
        numbers = np.asarray(windows)
    except ValueError:                      # lists of unlike length
        numbers = np.zeros(0)
    if numbers.ndim != 2 or numbers.dtype.kind not in "iu" or not ((numbers >= -1) & (numbers < rows)).all() or (
            (numbers < 0).all(axis=1).any()):
        raise Error(f"windows={str(windows)[:80]}; wanted for each document the numbers of its rows, one or more of 0 "
                    f"to {rows - 1}, and -1 after the last, in an array [B,W].")
    return numbers.astype("int32")
