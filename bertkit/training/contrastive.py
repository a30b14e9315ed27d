"""What embeddings are trained with: losses over the vectors of a batch, [B,g,D], g texts an example.

Every loss is called as Keras calls it, (labels [B] or [B,2], vectors [B,g,D]) -> the mean over the batch.
"""

from typing import Any

import keras
from keras import ops

from bertkit.errors import Error

SCALE = 20.0        # of cosines, Reimers & Gurevych 2019 in their code (MultipleNegativesRankingLoss)
MARGIN = 1.0        # of distances, the same paper, section 3.1
SMALLEST = 1e-12    # the length below which a vector has no direction


@keras.saving.register_keras_serializable("bertkit")
class InfoNCE(keras.losses.Loss):
    """The loss of finding a query's text among all texts of the batch, which serve as negatives.

    −log exp(s·cos(qᵢ,pᵢ)) / Σ_c exp(s·cos(qᵢ,c)): van den Oord et al. 2018 (arXiv 1807.03748), section 2.3, with
    in-batch negatives (Henderson et al. 2017, section 4.4).

    An example is (query, positive, negatives ...); the candidates c are the positives and the negatives of all
    examples. Labels [B,2] number the texts of query and positive: the positive of an example that has the same query
    or the same positive, and a positive that is the query itself, is no negative. Called with these labels and vectors
    [B,g,D], g texts an example.

    Args:
        scale: s, the factor on cosines.
        symmetric: Whether to add the loss of finding a positive's query, and halve the sum (Radford et al. 2021, CLIP,
            figure 3).
        name: Name of the loss.
        **options: What every Keras loss takes: `reduction`, `dtype`.

    >>> import numpy as np
    >>> vectors = np.array([[[1.0, 0.0], [1.0, 0.0]], [[0.0, 1.0], [0.0, 1.0]]])
    >>> round(float(InfoNCE(scale=1.0)(np.array([[0, 1], [2, 3]]), vectors)), 4)
    0.3133
    """

    def __init__(self, scale: float = SCALE, symmetric: bool = False, name: str = "info_nce",
                 **options: Any) -> None:
        super().__init__(name=name, **options)
        self.scale, self.symmetric = scale, symmetric

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments.

        Returns:
            {argument: value}, from which `from_config` makes an equal loss.
        """
        return {**super().get_config(), "scale": self.scale, "symmetric": self.symmetric}

    def call(self, labels: Any, vectors: Any) -> Any:
        """Return the loss of each example.

        Args:
            labels: Numbers of the texts of query and positive, integers [B,2].
            vectors: Vectors of query, positive and negatives, [B,g,D].

        Returns:
            Losses [B].
        """
        vectors = unit_vectors(vectors)
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
    """The squared error of a cosine against a score: (cos(u, v) − y)² of examples (u, v) scored y.

    Reimers & Gurevych 2019, section 3.1 (regression). Called with scores [B] and vectors [B,2,D].

    Args:
        name: Name of the loss.
        **options: What every Keras loss takes: `reduction`, `dtype`.

    >>> import numpy as np
    >>> float(CosineError()(np.array([0.5]), np.array([[[1.0, 0.0], [0.0, 2.0]]])))
    0.25
    """

    def __init__(self, name: str = "cosine_error", **options: Any) -> None:
        super().__init__(name=name, **options)

    def call(self, labels: Any, vectors: Any) -> Any:
        """Return the loss of each example.

        Args:
            labels: Scores y, floats [B] or [B,1].
            vectors: Vectors of both texts, [B,2,D].

        Returns:
            Losses [B].
        """
        vectors = unit_vectors(vectors)
        return ops.square(ops.sum(vectors[:, 0] * vectors[:, 1], axis=-1) - ops.reshape(labels, (-1,)))


@keras.saving.register_keras_serializable("bertkit")
class Triplet(keras.losses.Loss):
    """The loss of an anchor nearer to a negative than to its positive: max(‖a − p‖ − ‖a − n‖ + margin, 0).

    Reimers & Gurevych 2019, section 3.1. Called with labels, which are not used, and vectors [B,3,D] of (anchor,
    positive, negative).

    Args:
        margin: How much farther the negative has to be than the positive.
        name: Name of the loss.
        **options: What every Keras loss takes: `reduction`, `dtype`.

    >>> import numpy as np
    >>> float(Triplet()(np.zeros(1), np.array([[[0.0, 0.0], [3.0, 4.0], [0.0, 2.0]]])))
    4.0
    """

    def __init__(self, margin: float = MARGIN, name: str = "triplet", **options: Any) -> None:
        super().__init__(name=name, **options)
        self.margin = margin

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments.

        Returns:
            {argument: value}, from which `from_config` makes an equal loss.
        """
        return {**super().get_config(), "margin": self.margin}

    def call(self, labels: Any, vectors: Any) -> Any:
        """Return the loss of each example.

        Args:
            labels: Not used.
            vectors: Vectors of anchor, positive and negative, [B,3,D].

        Returns:
            Losses [B].
        """
        near, far = (vector_lengths(vectors[:, 0] - vectors[:, place])[:, 0] for place in (1, 2))
        return ops.maximum(near - far + self.margin, 0.0)


def contrastive_loss(features: Any, name: str | None = None) -> keras.losses.Loss:
    """Return the loss that suits an embedder's training rows.

    Groups with scores, float labels, are trained by `CosineError`; pairs and triples by `InfoNCE`, triples also by
    `Triplet`.

    Args:
        features: The `Features` of the training rows.
        name: "contrastive", "cosine" or "triplet"; None takes the first that fits.

    Returns:
        The loss.

    Raises:
        Error: When the named loss does not fit the rows.
    """
    scored = features.labels.dtype.kind == "f"
    fitting = {"cosine": CosineError} if scored else {"contrastive": InfoNCE} | (
        {"triplet": Triplet} if features.group == 3 else {})
    if name is not None and name not in fitting:
        raise Error(f"loss={name} does not fit rows of {features.group} texts {'with' if scored else 'without'} "
                    f"scores; they take {' or '.join(fitting)}.")
    return fitting[name or next(iter(fitting))]()


def unit_vectors(vectors: Any) -> Any:
    """Return vectors scaled to length 1; a zero vector stays zero.

    Args:
        vectors: Vectors [...,D].

    Returns:
        Vectors [...,D].

    Example:
        >>> [round(float(y), 4) for y in unit_vectors(ops.array([3.0, 4.0]))]
        [0.6, 0.8]
    """
    return vectors / vector_lengths(vectors)


def vector_lengths(vectors: Any) -> Any:
    """Return the length ‖x‖ of each vector, never below `SMALLEST`: a square root has no slope at 0.

    Args:
        vectors: Vectors [...,D].

    Returns:
        Lengths [...,1].

    Example:
        >>> float(vector_lengths(ops.array([3.0, 4.0]))[0])
        5.0
    """
    return ops.sqrt(ops.maximum(ops.sum(ops.square(vectors), axis=-1, keepdims=True), SMALLEST**2))


def _related(labels):
    """Return True at [i,j] where the positive of another example j is known not to be wrong for the query i [B,B]."""
    queries, positives = labels[:, :1], labels[:, 1:]
    theirs = ops.transpose(positives)
    related = (queries == ops.transpose(queries)) | (positives == theirs) | (queries == theirs)
    return related & ops.logical_not(ops.eye(ops.shape(labels)[0], dtype="bool"))
