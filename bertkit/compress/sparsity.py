"""Weights that become zero while a model is trained: the schedule of Zhu and Gupta 2017 as a Keras callback."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

from bertkit.errors import Error


class MagnitudePruning(keras.callbacks.Callback):
    """Set the smallest weights of each matrix to zero, more and more of them, and keep them there.

    s_t = s_f + (s_i − s_f) (1 − (t − t₀) / (t₁ − t₀))³ is the share of zeros at step t, t₀ to t₁ (Zhu and Gupta 2017,
    arXiv 1710.01878, equation 1). A mask is drawn anew every few steps, and put on after every step, so a weight that
    was masked stays zero.

    A file of LiteRT gains nothing by it: it stores and multiplies zeros as any other number, so it is neither smaller
    nor faster; only an archive (zip) of it is smaller. What makes a model faster is what `bertkit slim` removes.

    Args:
        final: s_f, the share of zeros at the end, 0 to 1.
        begin: t₀, the step at which it begins, from 0.
        end: t₁, the step at which `final` is reached.
        initial: s_i, the share of zeros at `begin`.
        every: Steps between two masks.
        prunes: Function (path of a variable, variable) -> whether it is pruned; by default matrices of the blocks.

    Raises:
        Error: when the shares are none, or the steps do not follow each other.

    Example:
        >>> from bertkit.compress import MagnitudePruning
        >>> pruning = MagnitudePruning(final=0.8, begin=100, end=1100)
        >>> [round(pruning.sparsity(step), 3) for step in (0, 100, 600, 1100, 5000)]
        [0.0, 0.0, 0.7, 0.8, 0.8]
    """

    def __init__(self, final: float, begin: int, end: int, initial: float = 0.0, every: int = 100,
                 prunes: Callable[[str, Any], bool] | None = None) -> None:
        super().__init__()
        if not 0 <= initial <= final < 1:
            raise Error(f"initial={initial}, final={final}; give shares of zeros from 0 to below 1, the final one not "
                        "below the initial one.")
        if not 0 <= begin < end or every < 1:
            raise Error(f"begin={begin}, end={end}, every={every}; give a begin of 0 or more, an end after it, and 1 "
                        "or more steps between two masks.")
        self.final, self.begin, self.end, self.initial, self.every = final, begin, end, initial, every
        self.prunes, self.step = prunes or _of_block, 0
        self.masks: dict[str, Any] = {}

    def sparsity(self, step: int) -> float:
        """Return the share of zeros at a step.

        Args:
            step: The number of the step, from 0.

        Returns:
            A share from 0 to `final`.
        """
        if step < self.begin:
            return 0.0
        left = 1 - (min(step, self.end) - self.begin) / (self.end - self.begin)
        return self.final + (self.initial - self.final) * left**3

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Begin to count where the optimizer does, so that a run that goes on has the zeros of its step.

        Args:
            logs: Not used.

        Raises:
            Error: When the model has no matrix that is pruned.
        """
        if not self._pruned():
            raise Error("The model has no trained matrix to prune; give `prunes`, a function that says which are.")
        self.step = int(self.model.optimizer.iterations)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Put the masks on, new ones where it is time for them.

        Args:
            batch: Not used.
            logs: Not used.
        """
        self.step += 1
        if self.step < self.begin:
            return
        due = (self.step - self.begin) % self.every == 0 and self.step <= self.end or self.step == self.end
        for variable in self._pruned():
            if due or variable.path not in self.masks:
                self.masks[variable.path] = ops.convert_to_tensor(_mask(variable, self.sparsity(self.step)))
            variable.assign(variable * ops.cast(self.masks[variable.path], variable.dtype))

    def _pruned(self):
        return [variable for variable in self.model.trainable_variables if self.prunes(variable.path, variable)]


def _of_block(path, variable):
    return "/block_" in path and len(variable.shape) >= 2


def _mask(variable, sparsity):
    """Return 0 for the smallest weights of a variable, 1 for others, float32."""
    size = np.abs(np.asarray(variable, "float32"))
    mask = np.ones(size.size, "float32")
    mask[np.argsort(size, axis=None, kind="stable")[:round(sparsity * size.size)]] = 0
    return mask.reshape(size.shape)
