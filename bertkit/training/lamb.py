"""LAMB: Adam for batches of thousands of rows (You et al. 2019, arXiv 1904.00962)."""

from typing import Any

import keras
from keras import ops

from bertkit.training.optimizer import AdamW


@keras.saving.register_keras_serializable("bertkit")
class LAMB(AdamW):
    """LAMB with the clipping and the exceptions of `AdamW`: each matrix moves by a share of its own norm.

    g ← g · min(1, clip/‖g‖);  m ← β₁m + (1−β₁)g;  v ← β₂v + (1−β₂)g²;
    u = m̂/(√v̂ + ε) + λw;  w ← w − η (‖w‖/‖u‖) u, the ratio 1 where a norm is 0 (algorithm 2, φ(z) = z).

    m̂ and v̂ are bias-corrected. Biases and LayerNorm's scale and shift have ratio 1 and λ = 0, as in the authors' code.
    `keras.optimizers.Lamb` leaves λw out of u and makes no exceptions.

    Args:
        learning_rate: η, a number or a Keras schedule.
        weight_decay: λ, of matrices and tables alone.
        **options: The other arguments of `AdamW`.

    >>> float(LAMB(weight_decay=0.1).weight_decay)
    0.1
    """

    def __init__(self, learning_rate: float | keras.optimizers.schedules.LearningRateSchedule = 1e-3,
                 weight_decay: float = 0.01, **options: Any) -> None:
        super().__init__(learning_rate, weight_decay, **options)
        self.fused = False

    def update_step(self, gradient: Any, variable: keras.Variable, learning_rate: Any) -> None:
        """Update one variable and its moments.

        Args:
            gradient: The gradient, of the variable's shape, clipped.
            variable: The variable.
            learning_rate: η of this update, before the variable's factor.
        """
        rate, step = self.rate_and_step(variable, ops.cast(learning_rate, variable.dtype),
                                        ops.cast(self.iterations + 1, variable.dtype))
        index = self._get_variable_index(variable)
        m, v = self._momentums[index], self._velocities[index]
        self.assign_add(m, (gradient - m) * (1 - self.beta_1))
        self.assign_add(v, (ops.square(gradient) - v) * (1 - self.beta_2))
        update = m / (1 - self.beta_1 ** step) / (ops.sqrt(v / (1 - self.beta_2 ** step)) + self.epsilon)
        if self._use_weight_decay(variable):
            update = update + self.weight_decay * variable
            rate = rate * _ratio(variable, update)
        self.assign_sub(variable, rate * update)

    def _apply_weight_decay(self, variables):
        """Keras' decay beside the update, of which there is none: λw is part of u."""


def _ratio(variable, update):
    """Return ‖w‖/‖u‖, or 1 where either is 0."""
    weight, step = (ops.sqrt(ops.sum(ops.square(value))) for value in (variable, update))
    return ops.where(ops.logical_and(weight > 0, step > 0), weight / ops.where(step > 0, step, 1.0), 1.0)
