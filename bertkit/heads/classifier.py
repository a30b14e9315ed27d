"""Classification of a text or a pair: the pooled first token, dropped, through one matrix."""

import keras

from bertkit.encoder import checked
from bertkit.errors import Error
from bertkit.layers.initializer import truncated_normal


class ClassifierHead(keras.layers.Layer):
    """logits = dropout(pooled) W + b (Devlin et al. 2018, section 4.1); [B,D] -> [B,C]."""

    def __init__(self, config, classes, dropout, **options):
        super().__init__(**options)
        self.drop = keras.layers.Dropout(dropout, name="dropout", dtype=self.dtype_policy)
        self.logits = keras.layers.Dense(classes, kernel_initializer=truncated_normal(config),
                                         dtype="float32", name="logits")

    def build(self, shape):
        self.logits.build(shape)

    def call(self, pooled, training=None):
        return self.logits(self.drop(pooled, training=training))


class Classifier(keras.Model):
    """An encoder with a head that gives each of `labels` a logit; call(batch) -> [B,C] float32.

    One label of a text is right (softmax), or with `multi_label` any number of them (a sigmoid each).
    `dropout` is the head's rate, by default the encoder's. Raises `Error` without labels or pooler.
    """

    def __init__(self, encoder, labels, dropout=None, multi_label=False, name="classifier", **options):
        super().__init__(name=name, **options)
        if len(labels) < 1 or len(set(labels)) != len(labels):
            raise Error(f"labels={list(labels)!r}; wanted one or more different names.")
        if encoder.pooler is None:
            raise Error("This encoder has no pooler, which a Classifier reads.")
        self.encoder, self.labels, self.multi_label = encoder, tuple(labels), multi_label
        self.dropout = encoder.config.dropout if dropout is None else dropout
        self.head = ClassifierHead(encoder.config, len(labels), self.dropout, name="head")
        self.build()

    def build(self, _=None):
        if not self.built:
            self.head.build((None, self.encoder.config.hidden_dim))

    def __call__(self, inputs, **options):
        return super().__call__(checked(inputs, self.encoder.config), **options)

    def loss_function(self):
        """Return the mean cross entropy of the right label, or of each label's yes or no (multi-label)."""
        if self.multi_label:
            return keras.losses.BinaryCrossentropy(from_logits=True)
        return keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    def call(self, inputs, training=None):
        return self.head(self.encoder(inputs, training=training)["pooled"], training=training)
