"""One vector for a whole text: what retrieval and similarity compare."""

import keras
import numpy as np
from keras import ops

from bertkit.encoder import LAYERED
from bertkit.errors import Error
from bertkit.heads.head_layers import REDUCTIONS
from bertkit.heads.task_model import TaskModel

SMALLEST = 1e-12    # the length below which a vector is not scaled to length 1
BARRED = -1e30      # what no maximum takes


@keras.saving.register_keras_serializable("bertkit")
class SentenceEmbedder(TaskModel):
    """An encoder whose tokens are pooled into one vector a text; call(batch) -> [B,D] float32.

    Reimers & Gurevych 2019 (SBERT), section 3: "mean" Σ mᵢxᵢ / Σ mᵢ over the tokens that the padding mask m keeps,
    "cls" the first of them, "max" the largest of each feature; `normalize` then scales to length 1, x / max(‖x‖, ε).
    Entries of a batch may be [B,g,T], g texts an example (query, positive, negatives): -> [B,g,D].
    Raises `Error` on another pooling.
    """

    def __init__(self, encoder, pooling="mean", normalize=True, name="embedder", **options):
        if pooling not in POOLINGS:
            raise Error(f"pooling={pooling!r}; wanted one of {', '.join(POOLINGS)}.")
        self.pooling, self.normalize = pooling, bool(normalize)
        self.in_training = self.vectors         # `training.gradient_cache` puts another way to the same vectors here
        super().__init__(encoder, {}, name=name, **options)

    def checked(self, inputs):
        rows = flattened(inputs)
        found = super().checked(rows)
        return found if rows is inputs else {name: value for name, value in inputs.items() if value is not None}

    def call(self, inputs, training=None):
        rows = flattened(inputs)
        vectors = self.in_training(rows, training=True) if training else self.vectors(rows)
        if rows is inputs:
            return vectors
        return ops.reshape(vectors, (-1, ops.shape(inputs["token_ids"])[1], vectors.shape[-1]))

    def vectors(self, rows, training=None):
        """Return the vectors of rows {name: [B,T]}, [B,D] float32."""
        tokens = ops.cast(self.encoder(rows, training=training)["sequence"], "float32")
        vectors = POOLINGS[self.pooling]({"sequence": tokens}, rows.get("padding_mask"))
        if not self.normalize:
            return vectors
        return vectors * ops.rsqrt(ops.maximum(ops.sum(ops.square(vectors), -1, keepdims=True), SMALLEST**2))

    def settings(self):
        return {"pooling": self.pooling, "normalize": self.normalize}


def flattened(inputs):
    """[B,g,T] -> [B·g,T] for every entry but those by layer; entries [B,T] are returned as they came."""
    if not isinstance(inputs, dict) or len(getattr(inputs.get("token_ids"), "shape", ())) != 3:
        return inputs
    return {name: value if name in LAYERED else ops.reshape(value, (-1, ops.shape(value)[-1]))
            if not isinstance(value, np.ndarray) else value.reshape(-1, value.shape[-1])
            for name, value in inputs.items() if value is not None}


def _largest(found, mask):
    x = found["sequence"]
    if mask is not None:
        x = ops.where(ops.cast(mask, "bool")[:, :, None], x, BARRED)
    return ops.max(x, axis=1)


POOLINGS = {"mean": REDUCTIONS["real"], "cls": REDUCTIONS["start"], "max": _largest}
