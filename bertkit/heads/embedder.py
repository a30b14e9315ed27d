"""One vector for a whole text: what retrieval and similarity compare."""

from typing import Any

import keras
from keras import ops

from bertkit.encoder import Encoder
from bertkit.errors import Error
from bertkit.heads.head_layers import REDUCTIONS
from bertkit.heads.task_model import TaskModel
from bertkit.layers.batch_model import flatten_groups

SMALLEST = 1e-12    # the length below which a vector is not scaled to length 1
BARRED = -1e30      # below every real value, so no maximum takes it


@keras.saving.register_keras_serializable("bertkit")
class SentenceEmbedder(TaskModel):
    """An encoder whose tokens are pooled into one vector a text; call(batch) -> [B,D] float32.

    Reimers & Gurevych 2019 (SBERT), section 3. Entries of a batch may be [B,g,T], g texts an example (query, positive,
    negatives); a call then returns [B,g,D].

    Args:
        encoder: The `Encoder` to read texts with.
        pooling: "mean": Σ mᵢxᵢ / Σ mᵢ over the tokens that the padding mask m keeps; "cls": the first of them; "max":
            the largest value of each feature.
        normalize: Whether vectors are scaled to length 1, x / max(‖x‖, ε).
        name: The name of the model.
        **options: Further arguments of `keras.Model`, such as `dtype` and `trainable`.

    Raises:
        Error: when the pooling is unknown.

    Example:
        >>> from bertkit.config import EncoderConfig
        >>> encoder = Encoder(EncoderConfig(100, num_layers=1, num_heads=2, hidden_dim=8, intermediate_dim=16))
        >>> tuple(SentenceEmbedder(encoder)({"token_ids": [[5, 6, 7]]}).shape)
        (1, 8)
    """

    def __init__(self, encoder: Encoder, pooling: str = "mean", normalize: bool = True, name: str = "embedder",
                 **options: Any) -> None:
        if pooling not in POOLINGS:
            raise Error(f"pooling={pooling!r}; wanted one of {', '.join(POOLINGS)}.")
        self.pooling, self.normalize = pooling, bool(normalize)
        self.in_training = self.vectors         # `training.gradient_cache` puts another way to the same vectors here
        super().__init__(encoder, {}, name=name, **options)

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
        vectors = POOLINGS[self.pooling]({"sequence": tokens}, rows.get("padding_mask"))
        if not self.normalize:
            return vectors
        return vectors * ops.rsqrt(ops.maximum(ops.sum(ops.square(vectors), -1, keepdims=True), SMALLEST**2))

    def settings(self) -> dict[str, Any]:
        """Return the constructor's arguments besides the encoder and those of Keras.

        Returns:
            A dict of JSON values.
        """
        return {"pooling": self.pooling, "normalize": self.normalize}


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


def _largest(outputs, mask):
    x = outputs["sequence"]
    if mask is not None:
        x = ops.where(ops.cast(mask, "bool")[:, :, None], x, BARRED)
    return ops.max(x, axis=1)


POOLINGS = {"mean": REDUCTIONS["real"], "cls": REDUCTIONS["start"], "max": _largest}
