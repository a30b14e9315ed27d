"""Contrastive training on batches that do not fit in memory (Gao et al. 2021, arXiv 2101.06983), under TensorFlow.

A loss over the vectors of a batch needs all of them, but what lies between a text and its vector only while that
text's own gradient is computed. So the vectors are computed chunk by chunk and nothing else is kept; given the slope
of the loss at each vector, each chunk is computed again, with its dropout, and its gradients are added up.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any

import keras
import tensorflow as tf

from bertkit.errors import Error


def cache_gradients(embedder: Any, chunk: int) -> None:
    """Let a `SentenceEmbedder` compute few texts at a time in training; its vectors and gradients stay the same.

    In memory are the activations of one chunk, all vectors, and one dense gradient of each parameter; every vector is
    computed twice.

    Args:
        embedder: The `SentenceEmbedder`.
        chunk: Texts that are computed together.

    Raises:
        Error: When `chunk` is below 1, or Keras runs on another backend than TensorFlow.
    """
    if chunk < 1:
        raise Error(f"chunk={chunk} holds no text; give 1 or more.")
    if keras.backend.backend() != "tensorflow":
        raise Error(f"Gradient caching runs under TensorFlow and not under {keras.backend.backend()}; leave chunk out.")
    embedder.in_training = partial(in_chunks, embedder, chunk)


def in_chunks(embedder: Any, chunk: int, rows: dict[str, Any], training: bool = True) -> tf.Tensor:
    """Return the vectors of rows as `embedder.vectors` gives them in training, computed chunk by chunk.

    Args:
        embedder: The `SentenceEmbedder`.
        chunk: Rows that are computed together.
        rows: {name: int32 [B,T]}.
        training: Not used; dropout is always on.

    Returns:
        Vectors, float32 [B,D], whose gradient is computed chunk by chunk too.
    """
    weights = {id(weight) for weight in embedder.weights}
    seeds = [variable for variable in embedder.variables if id(variable) not in weights]
    fixed = [(weight, tf.stop_gradient(weight.value)) for weight in embedder.non_trainable_weights]
    rows = {name: tf.convert_to_tensor(value) for name, value in rows.items() if value is not None}
    chunks = Chunks(embedder, rows, chunk, fixed, seeds)

    @tf.custom_gradient
    def embedded(*given):
        values, began = [tf.stop_gradient(value) for value in given], [tf.identity(seed.value) for seed in seeds]
        vectors, ended = chunks.vectors(values, began)
        for seed, value in zip(seeds, ended, strict=True):
            seed.assign(value)
        return vectors, lambda slope: chunks.gradients(values, began, slope)

    return embedded(*[tf.convert_to_tensor(weight.value) for weight in embedder.trainable_weights])


@dataclass(frozen=True)
class Chunks:
    """Rows through a model, a few at a time, as a function of the values of its weights and seeds.

    Args:
        model: The `SentenceEmbedder`.
        rows: {name: int32 [B,T]}.
        size: Rows that are computed together.
        fixed: (weight, value) of the weights that are not trained.
        seeds: The variables that dropout is drawn from.
    """

    model: keras.Model
    rows: dict
    size: int
    fixed: list
    seeds: list

    def vectors(self, values: list[tf.Tensor], seeds: list[tf.Tensor]) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """Return the vectors of all rows.

        Args:
            values: Values of the trained weights, of their shapes and dtypes.
            seeds: Values of the seeds before the first chunk, of their shapes and dtypes.

        Returns:
            Vectors, float32 [B,D], and the seeds after the last chunk.
        """
        array = tf.TensorArray("float32", self._count(), infer_shape=False, clear_after_read=True)

        def step(number, array, seeds):
            vectors, seeds = self._run(number, values, seeds)
            return number + 1, array.write(number, vectors), seeds

        _, array, seeds = self._loop(step, array, seeds)
        return tf.ensure_shape(array.concat(), (None, self.model.encoder.config.output_dim)), seeds

    def gradients(self, values: list[tf.Tensor], seeds: list[tf.Tensor], slope: tf.Tensor) -> list[tf.Tensor]:
        """Return the gradients of Σ slope · vectors with respect to the weights, added up chunk by chunk.

        Args:
            values: Values of the trained weights, of their shapes and dtypes.
            seeds: Values of the seeds before the first chunk, of their shapes and dtypes.
            slope: The gradient of the loss with respect to the vectors, float32 [B,D].

        Returns:
            One dense gradient for each of `values`, of its shape and dtype.
        """
        def step(number, sums, seeds):
            with tf.GradientTape() as tape:
                tape.watch(values)
                vectors, seeds = self._run(number, values, seeds)
            more = tape.gradient(vectors, values, self._part(slope, number), tf.UnconnectedGradients.ZERO)
            return number + 1, [one + tf.convert_to_tensor(other) for one, other in zip(sums, more, strict=True)], seeds

        _, sums, _ = self._loop(step, [tf.zeros_like(value) for value in values], seeds)
        return sums

    def _loop(self, step, state, seeds):
        count = self._count()
        return tf.while_loop(lambda number, *_: number < count, step, (0, state, seeds), parallel_iterations=1)

    def _run(self, number, values, seeds):
        mapping = [*self.fixed, *zip(self.model.trainable_weights, values, strict=True),
                   *zip(self.seeds, seeds, strict=True)]
        rows = {name: self._part(value, number) for name, value in self.rows.items()}
        with keras.StatelessScope(state_mapping=mapping) as scope:
            vectors = self.model.vectors(rows, training=True)
        return vectors, [scope.get_current_value(seed) for seed in self.seeds]

    def _part(self, values, number):
        return values[number * self.size:(number + 1) * self.size]

    def _count(self):
        return -(-tf.shape(self.rows["token_ids"])[0] // self.size)
