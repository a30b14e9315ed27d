"""The losses of heads that Keras does not have."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("bertkit")
class TokenCrossEntropy(keras.losses.Loss):
    """The cross entropy of the labelled tokens: Σ −w log softmax(logits)[label] / number of labels that are not −1.

    Called with labels [B,T] and logits [B,T,C]; `sample_weight` is w, of each row [B] or of each token [B,T]. Without
    it this is the mean over the labelled tokens of the batch (Devlin et al. 2018, section 5.3).

    Args:
        name: The name of the loss.
        **options: Further arguments of a Keras loss: `reduction`, `dtype`.

    Example:
        >>> loss = TokenCrossEntropy()
        >>> round(float(loss(ops.array([[0, -1]]), ops.array([[[0.0, 0.0], [5.0, 1.0]]]))), 4)
        0.6931
    """

    def __init__(self, name: str = "token_cross_entropy", **options: Any) -> None:
        super().__init__(name=name, **options)

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        if sample_weight is not None:
            axes = len(ops.shape(y_true)) - len(ops.shape(sample_weight))
            sample_weight = ops.reshape(sample_weight, (*ops.shape(sample_weight), *[1] * axes))
        return super().__call__(y_true, y_pred, sample_weight)

    def call(self, labels: Any, logits: Any) -> Any:
        """Compute each label's loss, scaled so that the mean over all places is the mean over those with a label.

        Args:
            labels: int [B,T]; −1 where there is no label.
            logits: [B,T,C].

        Returns:
            The losses [B,T].
        """
        labels = ops.cast(labels, "int32")
        real = ops.cast(labels >= 0, logits.dtype)
        losses = self.per_label(ops.maximum(labels, 0), logits) * real
        places = ops.cast(ops.size(labels), logits.dtype)
        return losses * (places / ops.maximum(ops.sum(real), 1.0))

    def per_label(self, labels: Any, logits: Any) -> Any:
        """Compute −log softmax(logits)[label] of each label.

        Args:
            labels: int [...].
            logits: [...,C].

        Returns:
            The losses [...].
        """
        return keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)


@keras.saving.register_keras_serializable("bertkit")
class SpanCrossEntropy(keras.losses.Loss):
    """The cross entropy of the first and the last token of an answer.

    (−log softmax(start)[first] − log softmax(end)[last]) / 2 of each row, the mean over the batch.

    Devlin et al. 2018, section 4.2. Called with labels [B,2] and {"start_logits", "end_logits"} [B,T]; `sample_weight`
    [B] weighs rows.

    Args:
        name: The name of the loss.
        **options: Further arguments of a Keras loss: `reduction`, `dtype`.

    Example:
        >>> logits = ops.array([[0.0, 0.0]])
        >>> round(float(SpanCrossEntropy()(ops.array([[0, 1]]), {"start_logits": logits, "end_logits": logits})), 4)
        0.6931
    """

    def __init__(self, name: str = "span_cross_entropy", **options: Any) -> None:
        super().__init__(name=name, **options)

    def call(self, labels: Any, outputs: dict[str, Any]) -> Any:
        """Compute each row's loss.

        Args:
            labels: int [B,2], the positions of the answer's first and last token.
            outputs: {"start_logits", "end_logits"} [B,T].

        Returns:
            The losses [B].
        """
        sides = (outputs["start_logits"], outputs["end_logits"])
        return sum(keras.losses.sparse_categorical_crossentropy(labels[:, i], logits, from_logits=True)
                   for i, logits in enumerate(sides)) / 2
