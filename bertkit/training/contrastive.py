"""What embeddings are trained with: losses over the vectors of a batch, [B,g,D], g texts an example.

Every loss is called as Keras calls it, (labels [B] or [B,2], vectors [B,g,D]) -> the mean over the batch.
"""

import keras
from keras import ops

from bertkit.errors import Error

SCALE = 20.0        # of cosines, Reimers & Gurevych 2019 in their code (MultipleNegativesRankingLoss)
MARGIN = 1.0        # of distances, the same paper, section 3.1
SMALLEST = 1e-12    # the length below which a vector has no direction


@keras.saving.register_keras_serializable("bertkit")
class InfoNCE(keras.losses.Loss):
    """−log exp(s·cos(qᵢ,pᵢ)) / Σ_c exp(s·cos(qᵢ,c)): which text of the batch answers this query?

    van den Oord et al. 2018 (arXiv 1807.03748), section 2.3, with in-batch negatives (Henderson et al. 2017, section
    4.4). An example is (query, positive, negatives ...); the candidates c are the positives and the negatives of all
    examples. Labels [B,2] number the texts of query and positive: the positive of an example that has the same query
    or the same positive, and a positive that is the query itself, is no negative. `symmetric` adds the query that a
    positive answers, and halves the sum (Radford et al. 2021, CLIP, figure 3).
    """

    def __init__(self, scale=SCALE, symmetric=False, name="info_nce", **options):
        super().__init__(name=name, **options)
        self.scale, self.symmetric = scale, symmetric

    def get_config(self):
        return {**super().get_config(), "scale": self.scale, "symmetric": self.symmetric}

    def call(self, labels, vectors):
        vectors = directions(vectors)
        queries, positives, width = vectors[:, 0], vectors[:, 1], vectors.shape[-1]
        negatives = ops.reshape(vectors[:, 2:], (-1, width))
        near = self.scale * ops.matmul(queries, ops.transpose(positives))
        near = ops.where(_related(labels), -1e9, near)
        far = self.scale * ops.matmul(queries, ops.transpose(negatives))
        right = ops.diagonal(near)
        losses = ops.logsumexp(ops.concatenate([near, far], axis=1), axis=1) - right
        return (losses + ops.logsumexp(near, axis=0) - right) / 2 if self.symmetric else losses


@keras.saving.register_keras_serializable("bertkit")
class CosineError(keras.losses.Loss):
    """(cos(u, v) − y)² of examples (u, v) scored y (Reimers & Gurevych 2019, section 3.1, regression)."""

    def __init__(self, name="cosine_error", **options):
        super().__init__(name=name, **options)

    def call(self, labels, vectors):
        vectors = directions(vectors)
        return ops.square(ops.sum(vectors[:, 0] * vectors[:, 1], axis=-1) - ops.reshape(labels, (-1,)))


@keras.saving.register_keras_serializable("bertkit")
class Triplet(keras.losses.Loss):
    """max(‖a − p‖ − ‖a − n‖ + margin, 0) of (anchor, positive, negative); Reimers & Gurevych 2019, section 3.1."""

    def __init__(self, margin=MARGIN, name="triplet", **options):
        super().__init__(name=name, **options)
        self.margin = margin

    def get_config(self):
        return {**super().get_config(), "margin": self.margin}

    def call(self, labels, vectors):
        near, far = (lengths(vectors[:, 0] - vectors[:, place])[:, 0] for place in (1, 2))
        return ops.maximum(near - far + self.margin, 0.0)


def objective(features, name=None):
    """Return the loss for `Features` to train on: "contrastive", "cosine", "triplet", or what fits where none is named.

    Groups with scores, float labels, are trained by `CosineError`; pairs and triples by `InfoNCE`, triples also by
    `Triplet`. Raises `Error` for a name that does not fit.
    """
    scored = features.labels.dtype.kind == "f"
    fitting = {"cosine": CosineError} if scored else {"contrastive": InfoNCE} | (
        {"triplet": Triplet} if features.group == 3 else {})
    if name is not None and name not in fitting:
        raise Error(f"loss={name} does not fit rows of {features.group} texts {'with' if scored else 'without'} "
                    f"scores; they take {' or '.join(fitting)}.")
    return fitting[name or next(iter(fitting))]()


def directions(vectors):
    """Return vectors [...,D] scaled to length 1; zero stays zero."""
    return vectors / lengths(vectors)


def lengths(vectors):
    """Return ‖x‖ [...,1], never below `SMALLEST`: a square root has no slope at 0."""
    return ops.sqrt(ops.maximum(ops.sum(ops.square(vectors), axis=-1, keepdims=True), SMALLEST**2))


def _related(labels):
    """Return True at [i,j] where the positive of another example j is known not to be wrong for the query i [B,B]."""
    queries, positives = labels[:, :1], labels[:, 1:]
    theirs = ops.transpose(positives)
    related = (queries == ops.transpose(queries)) | (positives == theirs) | (queries == theirs)
    return related & ops.logical_not(ops.eye(ops.shape(labels)[0], dtype="bool"))
