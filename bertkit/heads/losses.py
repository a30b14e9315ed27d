"""What heads are trained by, where Keras has no such loss."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("bertkit")
class TokenCrossEntropy(keras.losses.Loss):
    """Σ −w log softmax(logits)[label] / number of labels, over the labels of a batch that are not −1.

    Called with labels [B,T] and logits [B,T,C]; `sample_weight` is w, of each row [B] or of each token [B,T]. Without
    it this is the mean over the labelled tokens of the batch (Devlin et al. 2018, section 5.3).

    Args:
        name: Name of the loss.
        **options: What every Keras loss takes: `reduction`, `dtype`.

    >>> loss = TokenCrossEntropy()
    >>> round(float(loss([[0, -1]], [[[0.0, 0.0], [5.0, 1.0]]])), 4)
    0.6931
    """

    def __init__(self, name: str = "token_cross_entropy", **options):
        super().__init__(name=name, **options)

    def __call__(self, y_true, y_pred, sample_weight=None):
        if sample_weight is not None:
            axes = len(ops.shape(y_true)) - len(ops.shape(sample_weight))
            sample_weight = ops.reshape(sample_weight, (*ops.shape(sample_weight), *[1] * axes))
        return super().__call__(y_true, y_pred, sample_weight)

    def call(self, labels, logits):
        """Return each label's loss, scaled so that the mean over all places is that over those with a label."""
        labels = ops.cast(labels, "int32")
        real = ops.cast(labels >= 0, logits.dtype)
        losses = self.each(ops.maximum(labels, 0), logits) * real
        places = ops.cast(ops.size(labels), logits.dtype)
        return losses * (places / ops.maximum(ops.sum(real), 1.0))

    def each(self, labels, logits):
        """Return −log softmax(logits [...,C])[labels [...]], [...]."""
        return keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)


@keras.saving.register_keras_serializable("bertkit")
class SpanCrossEntropy(keras.losses.Loss):
    """(−log softmax(start)[first] − log softmax(end)[last]) / 2 of each row, the mean over the batch.

    Devlin et al. 2018, section 4.2. Called with labels [B,2] and {"start_logits", "end_logits"} [B,T]; `sample_weight`
    [B] weighs rows.

    Args:
        name: Name of the loss.
        **options: What every Keras loss takes: `reduction`, `dtype`.

    >>> logits = [[0.0, 0.0]]
    >>> round(float(SpanCrossEntropy()([[0, 1]], {"start_logits": logits, "end_logits": logits})), 4)
    0.6931
    """

    def __init__(self, name: str = "span_cross_entropy", **options):
        super().__init__(name=name, **options)

    def call(self, labels, outputs):
        sides = (outputs["start_logits"], outputs["end_logits"])
        return sum(keras.losses.sparse_categorical_crossentropy(labels[:, i], logits, from_logits=True)
                   for i, logits in enumerate(sides)) / 2
