"""One vector for a whole text: what retrieval and similarity compare."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from bertkit.encoder import Encoder
from bertkit.errors import Error
from bertkit.heads.head_layers import REDUCTIONS
from bertkit.heads.task_model import TaskModel
from bertkit.layers.activation import FUNCTIONS
from bertkit.layers.batch_model import flatten_groups
from bertkit.layers.initializer import truncated_normal

SMALLEST = 1e-12    # the length below which a vector is not scaled to length 1
BARRED = -1e30      # below every real value, so no maximum takes it


@keras.saving.register_keras_serializable("bertkit")
class SentenceEmbedder(TaskModel):
    """An encoder whose tokens are pooled into one vector a text; call(batch) -> [B,D] float32.

    Reimers & Gurevych 2019 (SBERT), section 3. Entries of a batch may be [B,g,T], g texts an example (query, positive,
    negatives); a call then returns [B,g,D].

    Args:
        encoder: The `Encoder` to read texts with.
        pooling: How the vectors xᵢ of the tokens that the padding mask keeps become one: "mean"; "cls", the first;
            "lasttoken", the last; "max", the largest value of each feature; "mean_sqrt_len", Σ xᵢ / √n;
            "weightedmean", Σ i·xᵢ / Σ i, where i counts from 1 at the first. Several are joined by "+", as in
            "cls+mean", and their vectors stand side by side.
        normalize: Whether vectors are scaled to length 1, x / max(‖x‖, ε).
        projections: Dense layers after the pooling, in order: {"width", "activation", "bias"} of each.
        name: The name of the model.
        **options: Further arguments of `keras.Model`, such as `dtype` and `trainable`.

    Raises:
        Error: when the pooling is unknown, or a projection is malformed.

    Example:
        >>> from bertkit.config import EncoderConfig
        >>> encoder = Encoder(EncoderConfig(100, num_layers=1, num_heads=2, hidden_dim=8, intermediate_dim=16))
        >>> tuple(SentenceEmbedder(encoder)({"token_ids": [[5, 6, 7]]}).shape)
        (1, 8)
    """

    def __init__(self, encoder: Encoder, pooling: str = "mean", normalize: bool = True,
                 projections: Sequence[dict[str, Any]] = (), name: str = "embedder", **options: Any) -> None:
        if not isinstance(pooling, str) or not set(pooling.split("+")) <= set(POOLINGS):
            raise Error(f"pooling={pooling!r}; wanted one of {', '.join(POOLINGS)}, or several joined by \"+\".")
        self.pooling, self.normalize = pooling, bool(normalize)
        self.projections = tuple(map(_checked_projection, projections))
        self.in_training = self.vectors         # `training.gradient_cache` puts another way to the same vectors here
        super().__init__(encoder, {}, name=name, **options)

    def build(self, _: Any = None) -> None:
        """Create the weights.

        Args:
            _: Not used; the sizes are those of the config.
        """
        super().build()
        width, self.dense = self._pooled_width, []
        for number, kind in enumerate(self.projections):
            layer = keras.layers.Dense(kind["width"], activation=FUNCTIONS[kind["activation"]], use_bias=kind["bias"],
                                       kernel_initializer=truncated_normal(self.encoder.config),
                                       name=f"projection_{number}", dtype="float32")
            layer.build((None, width))
            self.dense.append(layer)
            width = kind["width"]

    @property
    def _pooled_width(self):
        return len(self.pooling.split("+")) * self.encoder.config.output_dim

    @property
    def width(self) -> int:
        """The numbers of a vector."""
        return self.projections[-1]["width"] if self.projections else self._pooled_width

    def check_batch(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """Check a batch, and make int32 arrays of its lists and arrays.

        Args:
            inputs: A batch, entries [B,T] or [B,g,T].

        Returns:
            The batch as this model computes with it.

        Raises:
            BatchError: when the encoder cannot read it.
        """
        rows = flatten_if_grouped(inputs)
        found = super().check_batch(rows)
        return found if rows is inputs else {name: value for name, value in inputs.items() if value is not None}

    def call(self, inputs: dict[str, Any], training: bool | None = None) -> Any:
        """Compute one vector for each text.

        Args:
            inputs: The batch: "token_ids" int [B,T] or [B,g,T], and the other entries that the encoder reads.
            training: Whether dropout is applied; None leaves it to Keras.

        Returns:
            The vectors [B,D] or [B,g,D] float32.
        """
        rows = flatten_if_grouped(inputs)
        vectors = self.in_training(rows, training=True) if training else self.vectors(rows)
        if rows is inputs:
            return vectors
        return ops.reshape(vectors, (-1, ops.shape(inputs["token_ids"])[1], vectors.shape[-1]))

    def vectors(self, rows: dict[str, Any], training: bool | None = None) -> Any:
        """Compute the vectors of rows.

        Args:
            rows: A batch whose entries are [B,T].
            training: Whether dropout is applied; None leaves it to Keras.

        Returns:
            The vectors [B,D] float32.
        """
        tokens = ops.cast(self.encoder(rows, training=training)["sequence"], "float32")
        pooled = [POOLINGS[name]({"sequence": tokens}, rows.get("padding_mask")) for name in self.pooling.split("+")]
        vectors = pooled[0] if len(pooled) == 1 else ops.concatenate(pooled, axis=-1)
        for layer in self.dense:
            vectors = layer(vectors)
        if not self.normalize:
            return vectors
        return vectors * ops.rsqrt(ops.maximum(ops.sum(ops.square(vectors), -1, keepdims=True), SMALLEST**2))

    def settings(self) -> dict[str, Any]:
        """Return the constructor's arguments besides the encoder and those of Keras.

        Returns:
            A dict of JSON values.
        """
        more = {"projections": [dict(kind) for kind in self.projections]} if self.projections else {}
        return {"pooling": self.pooling, "normalize": self.normalize, **more}


def flatten_if_grouped(inputs: dict[str, Any]) -> dict[str, Any]:
    """Make rows of groups of texts: [B,g,T] -> [B·g,T] for every entry but those by layer.

    Args:
        inputs: A batch, entries [B,T] or [B,g,T].

    Returns:
        The batch with entries [B·g,T]; a batch with entries [B,T] itself.
    """
    if not isinstance(inputs, dict) or len(getattr(inputs.get("token_ids"), "shape", ())) != 3:
        return inputs
    return flatten_groups(inputs)


def _checked_projection(kind):
    """Return {"width", "activation", "bias"} of a projection."""
    kind = {"activation": "linear", "bias": True, **kind} if isinstance(kind, dict) else {}
    if not (kind.keys() == {"width", "activation", "bias"} and type(kind["width"]) is int and kind["width"] > 0
            and kind["activation"] in FUNCTIONS and type(kind["bias"]) is bool):
        raise Error(f"The projection {kind!r:.80} is none; give {{\"width\": 256, \"activation\": "
                    f"\"tanh\", \"bias\": true}}, with an activation of {', '.join(FUNCTIONS)}.")
    return kind


def _real(x, mask):
    """Return 1 for real tokens and 0 for padding, float [B,T]."""
    return ops.ones_like(x[..., 0]) if mask is None else ops.cast(mask, x.dtype)


def _largest(outputs, mask):
    x = outputs["sequence"]
    return ops.max(ops.where(_real(x, mask)[:, :, None] > 0, x, BARRED), axis=1)


def _mean_by_root(outputs, mask):
    x = outputs["sequence"]
    weights = _real(x, mask)[:, :, None]
    return ops.sum(x * weights, axis=1) / ops.sqrt(ops.sum(weights, axis=1))


def _weighted_mean(outputs, mask):
    x = outputs["sequence"]
    real = _real(x, mask)
    first = ops.cast(ops.argmax(ops.cast(real, "int32"), axis=1), x.dtype)
    places = ops.cast(ops.arange(ops.shape(x)[1]), x.dtype)[None] - first[:, None] + 1
    weights = (real * places)[:, :, None]
    return ops.sum(x * weights, axis=1) / ops.sum(weights, axis=1)


def _last_real(outputs, mask):
    x = outputs["sequence"]
    behind = ops.cast(ops.argmax(ops.flip(ops.cast(_real(x, mask), "int32"), axis=1), axis=1), "int32")
    last = ops.shape(x)[1] - 1 - behind
    return ops.take_along_axis(x, last[:, None, None], axis=1)[:, 0]


POOLINGS = {"mean": REDUCTIONS["real"], "cls": REDUCTIONS["start"], "max": _largest, "mean_sqrt_len": _mean_by_root,
            "weightedmean": _weighted_mean, "lasttoken": _last_real}
