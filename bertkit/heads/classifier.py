"""Classification of a text or a pair, and which of several texts is right."""

import keras
from keras import ops

from bertkit.encoder import LAYERED
from bertkit.errors import Error
from bertkit.heads.task_model import TaskModel


@keras.saving.register_keras_serializable("bertkit")
class Classifier(TaskModel):
    """An encoder with a head that gives each of `labels` a logit; call(batch) -> [B,C] float32.

    One label of a text is right (softmax), or with `multi_label` any number of them (a sigmoid each); a single label
    without `multi_label` is a score (a regression).
    `dropout` is the head's rate, by default the encoder's; `head_config` what the head reads, by default what the
    family's paper does (Devlin et al. 2018, section 4.1: logits = dropout(pooled) W + b). Raises `Error` without
    labels, or without a pooler where that is read.
    """

    def __init__(self, encoder, labels, dropout=None, multi_label=False, head_config=None, name="classifier",
                 **options):
        if len(labels) < 1 or len(set(labels)) != len(labels):
            raise Error(f"labels={list(labels)!r}; wanted one or more different names.")
        self.labels, self.multi_label = tuple(labels), multi_label
        super().__init__(encoder, {"classify": head_config}, {"classify": len(labels)}, dropout, name=name, **options)

    def settings(self):
        return {"labels": list(self.labels), "multi_label": self.multi_label, **super().settings()}

    def loss_function(self):
        """Return −log softmax(logits)[label], Σ_c of each label's −log σ(±logit) / C (multi-label), or (logit − score)²
        (one label alone); batch means."""
        if self.multi_label:
            return keras.losses.BinaryCrossentropy(from_logits=True)
        if len(self.labels) == 1:
            return keras.losses.MeanSquaredError()
        return keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    def call(self, inputs, training=None):
        return self.logits(inputs, training)["classify"]


@keras.saving.register_keras_serializable("bertkit")
class MultipleChoice(TaskModel):
    """An encoder that gives each choice of a row a logit; every entry of a batch is [B,choices,T] -> [B,choices].

    Devlin et al. 2018, section 4.4 (SWAG): a vector's product with the pooled token of each choice, softmax over them.
    """

    grouped = True

    def __init__(self, encoder, dropout=None, head_config=None, name="chooser", **options):
        super().__init__(encoder, {"choose": head_config}, {"choose": 1}, dropout, name=name, **options)

    def loss_function(self):
        """Return −log softmax(logits over the choices)[right one], the batch mean."""
        return keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    def checked(self, inputs):
        super().checked(_flat(inputs))
        return {name: value for name, value in inputs.items() if value is not None}

    def call(self, inputs, training=None):
        logits = self.logits(_flat(inputs), training)["choose"]
        return ops.reshape(logits, (-1, ops.shape(inputs["token_ids"])[1]))


def _flat(inputs):
    """[B,choices,T] -> [B·choices,T] for every entry but those by layer, which are not of one row or another."""
    if not isinstance(inputs, dict) or len(getattr(inputs.get("token_ids"), "shape", ())) != 3:
        raise Error("A multiple chooser takes arrays [B,choices,T]; token_ids of another shape came.")
    return {name: value if name in LAYERED else ops.reshape(value, (-1, ops.shape(value)[-1]))
            if not hasattr(value, "reshape") else value.reshape(-1, value.shape[-1])
            for name, value in inputs.items() if value is not None}
