"""Masked language model: hide 15 % of the tokens and guess them (Devlin et al. 2018, section 3.1)."""

import keras
import tensorflow as tf
from keras import ops

from bertkit.family import page
from bertkit.heads.readout import LanguageHead
from bertkit.text import Tokenizer

MASK, RANDOM = 0.8, 0.1         # of the chosen tokens; the rest stay as they are (same section)


class MLM:
    """L = −Σ_{i chosen} log softmax(logits_i)[token_i] / number chosen.

    `vocabulary` is a Tokenizer or the path of a vocab.txt. In every row max(1, round(rate · tokens)) positions are
    chosen among those that are not special (google-research/bert, create_pretraining_data.py): 80 % become [MASK],
    10 % a token drawn from the whole vocabulary, 10 % stay.
    """

    name = "mlm"

    def __init__(self, vocabulary, rate=0.15, seed=0):
        tokenizer = vocabulary if isinstance(vocabulary, Tokenizer) else Tokenizer.load(vocabulary)
        self.rate, self.seed, self.size, self.mask_id = rate, seed, len(tokenizer), tokenizer.mask_id
        special = [tokenizer.id(token) for token in tokenizer.special.values()]
        self.special = tf.scatter_nd([[i] for i in special], [True] * len(special), [self.size])

    def corrupt(self, features):
        """Return features with hidden tokens, and which: a pure function of (seed, features["step"], features).

        Adds "masked_positions" and "masked_labels" int32 [B,K], "masked_weights" float32 [B,K], 1 where a slot is real;
        K is the most that a row of the batch has.
        """
        ids, step = features["token_ids"], features.get("step", 0)
        positions, weights = self._choose(features, self._seed(step, 0))
        labels = tf.gather(ids, positions, batch_dims=1)
        shape = tf.shape(positions)
        kind = tf.random.stateless_uniform(shape, self._seed(step, 1))
        drawn = tf.random.stateless_uniform(shape, self._seed(step, 2), maxval=self.size, dtype=tf.int32)
        hidden = tf.where(kind < MASK, self.mask_id, tf.where(kind < MASK + RANDOM, drawn, labels))
        hidden = tf.where(weights > 0, hidden, labels)
        rows = tf.broadcast_to(tf.range(shape[0])[:, None], shape)
        corrupted = tf.tensor_scatter_nd_update(ids, tf.stack([rows, positions], axis=-1), hidden)
        return {**features, "token_ids": corrupted, "masked_positions": positions, "masked_labels": labels,
                "masked_weights": weights}

    def build_head(self, encoder):
        """Return the layer that guesses: call(outputs of the encoder, inputs=features) -> logits [B,K,V]."""
        head = LanguageHead(encoder, page(encoder.config.family).HEADS["mlm"], name="mlm")
        head.build((None, None, encoder.config.output_dim))
        return head

    def loss(self, logits, features):
        """Return the mean loss over the slots that are real, a float32 scalar."""
        losses = keras.losses.sparse_categorical_crossentropy(features["masked_labels"], logits, from_logits=True)
        weights = ops.cast(features["masked_weights"], losses.dtype)
        return ops.sum(losses * weights) / ops.maximum(ops.sum(weights), 1.0)

    def _choose(self, features, seed):
        """Return (positions [B,K], weights [B,K]): the candidates with the smallest draws."""
        real = features["padding_mask"] > 0
        candidates = real & ~tf.gather(self.special, features["token_ids"])
        draws = tf.where(candidates, tf.random.stateless_uniform(tf.shape(real), seed), 2.0)
        lengths = tf.reduce_sum(tf.cast(real, tf.float32), axis=1)
        wanted = tf.maximum(1, tf.cast(tf.round(self.rate * lengths), tf.int32))
        counts = tf.minimum(wanted, tf.reduce_sum(tf.cast(candidates, tf.int32), axis=1))
        slots = tf.maximum(1, tf.reduce_max(counts))
        positions = tf.argsort(draws, axis=1)[:, :slots]
        return positions, tf.cast(tf.range(slots) < counts[:, None], tf.float32)

    def _seed(self, step, purpose):
        return tf.stack([self.seed * 4 + purpose, tf.cast(step, tf.int32)])
