"""Classification of a text or a pair, and which of several texts is right."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from bertkit.encoder import Encoder
from bertkit.errors import Error
from bertkit.heads.task_model import TaskModel, check_labels
from bertkit.layers.batch_model import flatten_groups


@keras.saving.register_keras_serializable("bertkit")
class Classifier(TaskModel):
    """An encoder with a head that gives each of `labels` a logit; call(batch) -> [B,C] float32.

    By default the head is that of the family's paper (Devlin et al. 2018, section 4.1: logits = dropout(pooled) W + b).

    Args:
        encoder: The `Encoder` to read texts with.
        labels: The C names of the classes. A single one without `multi_label` is a score (a regression).
        dropout: The rate of dropout of the head, a probability; None takes that of the kind of head, or else of the
            encoder.
        multi_label: Whether any number of labels of a text may be right (a sigmoid each), and not just one (softmax).
        head_config: The kind of head, such as a `HeadConfig`, or its JSON; None takes that of the paper of the
            encoder's family.
        name: The name of the model.
        **options: Further arguments of `keras.Model`, such as `dtype` and `trainable`.

    Raises:
        Error: when there are no labels or one comes twice, or when the head reads a pooler that the encoder lacks.

    Example:
        >>> from bertkit.config import EncoderConfig
        >>> encoder = Encoder(EncoderConfig(100, num_layers=1, num_heads=2, hidden_dim=8, intermediate_dim=16))
        >>> tuple(Classifier(encoder, ["good", "bad"])({"token_ids": [[5, 6, 7]]}).shape)
        (1, 2)
    """

    def __init__(self, encoder: Encoder, labels: Sequence[str], dropout: float | None = None, multi_label: bool = False,
                 head_config: Any = None, name: str = "classifier", **options: Any) -> None:
        check_labels(labels)
        self.labels, self.multi_label = tuple(labels), multi_label
        super().__init__(encoder, {"classify": head_config}, {"classify": len(labels)}, dropout, name=name, **options)

    def settings(self) -> dict[str, Any]:
        """Return the constructor's arguments besides the encoder and those of Keras.

        Returns:
            A dict of JSON values.
        """
        return {"labels": list(self.labels), "multi_label": self.multi_label, **super().settings()}

    def loss_function(self) -> keras.losses.Loss:
        """Make the loss that this model is trained with, a mean over the batch.

        One right label: −log softmax(logits)[label]. Multi-label: Σ_c of each label's −log σ(±logit) / C. One label
        alone: (logit − score)².

        Returns:
            A Keras loss.
        """
        if self.multi_label:
            return keras.losses.BinaryCrossentropy(from_logits=True)
        if len(self.labels) == 1:
            return keras.losses.MeanSquaredError()
        return keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    def call(self, inputs: dict[str, Any], training: bool | None = None) -> Any:
        """Compute the logits of a batch.

        Args:
            inputs: The batch: "token_ids" int [B,T] and the other entries that the encoder reads.
            training: Whether dropout is applied; None leaves it to Keras.

        Returns:
            The logits [B,C] float32.
        """
        return self.logits(inputs, training)["classify"]


@keras.saving.register_keras_serializable("bertkit")
class MultipleChoice(TaskModel):
    """An encoder that gives each choice of an example a logit; call(batch of [B,choices,T]) -> [B,choices] float32.

    Devlin et al. 2018, section 4.4 (SWAG): a vector's product with the pooled token of each choice, and a softmax over
    the choices.

    Args:
        encoder: The `Encoder` to read texts with.
        dropout: The rate of dropout of the head, a probability; None takes that of the kind of head, or else of the
            encoder.
        head_config: The kind of head, such as a `HeadConfig`, or its JSON; None takes that of the paper of the
            encoder's family.
        name: The name of the model.
        **options: Further arguments of `keras.Model`, such as `dtype` and `trainable`.

    Raises:
        Error: when a call gets token_ids of another shape than [B,choices,T].

    Example:
        >>> from bertkit.config import EncoderConfig
        >>> encoder = Encoder(EncoderConfig(100, num_layers=1, num_heads=2, hidden_dim=8, intermediate_dim=16))
        >>> tuple(MultipleChoice(encoder)({"token_ids": ops.ones((1, 4, 3), "int32")}).shape)
        (1, 4)
    """

    grouped = True

    def __init__(self, encoder: Encoder, dropout: float | None = None, head_config: Any = None, name: str = "chooser",
                 **options: Any) -> None:
        super().__init__(encoder, {"choose": head_config}, {"choose": 1}, dropout, name=name, **options)

    def loss_function(self) -> keras.losses.Loss:
        """Make the loss −log softmax(logits over the choices)[right choice], a mean over the batch.

        Returns:
            A Keras loss.
        """
        return keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    def check_batch(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """Check a batch.

        Args:
            inputs: A batch, every entry [B,choices,T] but those by layer.

        Returns:
            The batch without the entries that are None.

        Raises:
            Error: when token_ids has another shape, or the encoder cannot read the rows.
        """
        super().check_batch(_flat(inputs))
        return {name: value for name, value in inputs.items() if value is not None}

    def call(self, inputs: dict[str, Any], training: bool | None = None) -> Any:
        """Compute a logit for each choice.

        Args:
            inputs: The batch: "token_ids" int [B,choices,T] and the other entries that the encoder reads.
            training: Whether dropout is applied; None leaves it to Keras.

        Returns:
            The logits [B,choices] float32.

        Raises:
            Error: when token_ids has another shape.
        """
        logits = self.logits(_flat(inputs), training)["choose"]
        return ops.reshape(logits, (-1, ops.shape(inputs["token_ids"])[1]))


def _flat(inputs):
    """Return a batch with entries [B·choices,T] for [B,choices,T]; those by layer stay as they are."""
    if not isinstance(inputs, dict) or len(getattr(inputs.get("token_ids"), "shape", ())) != 3:
        raise Error("token_ids has another shape than MultipleChoice reads; give arrays [B,choices,T].")
    return flatten_groups(inputs)
