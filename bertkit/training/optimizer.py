"""AdamW as BERT is fine-tuned with it, in one pass over memory where TensorFlow allows."""

from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

from bertkit.distribution import sum_over_devices
from bertkit.errors import Error
from bertkit.training.schedules import WarmupLinear

# Decay shrinks matrices and tables; biases and LayerNorm's scale and shift are left alone
# (google-research/bert, optimization.py).
NOT_DECAYED = ("bias", "gamma", "beta")


@keras.saving.register_keras_serializable("bertkit")
class AdamW(keras.optimizers.AdamW):
    """AdamW with the decay rule of BERT, exact global clipping, and the gradient's norm kept to look at.

    g ← g · min(1, clip/‖g‖);  m ← β₁m + (1−β₁)g;  v ← β₂v + (1−β₂)g²;
    w ← w − η (m̂/(√v̂ + ε) + λw), m̂ and v̂ bias-corrected as in Kingma & Ba 2014, section 2 (ε as Keras adds
    it, to √v before correction; Loshchilov & Hutter 2017, arXiv 1711.05101, for λ).

    The norm is over all gradients together; rows of a table that occur several times in a batch are summed first.
    `gradient_norm` is its last value before clipping. Where several steps make one update
    (`gradient_accumulation_steps`), schedules and `lr_starts` count updates. Under TensorFlow on one device the whole
    update is one compiled function that reads and writes each number once; elsewhere, and with Keras' options that
    change the update, Keras' own code runs.

    Args:
        learning_rate: η, a number or a Keras schedule.
        weight_decay: λ, of matrices and tables alone.
        beta_1: β₁, decay of the first moment.
        beta_2: β₂, decay of the second moment.
        epsilon: ε.
        global_clipnorm: Largest norm of all gradients together, None for no limit.
        lr_scales: {path of a variable: factor on its learning rate}; 1 for variables that it does not name.
        lr_starts: {path of a variable: updates before its first}. Until then it has no gradient; its bias correction
            counts from there.
        **options: What every Keras optimizer takes.

    Raises:
        Error: When training begins, for a path that no trained variable has.

    >>> optimizer = AdamW(1e-3, lr_scales={"encoder/embeddings/token/embeddings": 0.5})
    >>> AdamW.from_config(optimizer.get_config()).lr_scales
    {'encoder/embeddings/token/embeddings': 0.5}
    """

    def __init__(self, learning_rate: float | keras.optimizers.schedules.LearningRateSchedule = 5e-5,
                 weight_decay: float = 0.01, beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-6,
                 global_clipnorm: float | None = 1.0, lr_scales: dict[str, float] | None = None,
                 lr_starts: dict[str, int] | None = None, **options: Any) -> None:
        super().__init__(learning_rate=learning_rate, weight_decay=weight_decay, beta_1=beta_1, beta_2=beta_2,
                         epsilon=epsilon, global_clipnorm=global_clipnorm, **options)
        self.exclude_from_weight_decay(var_names=list(NOT_DECAYED))
        if not all(isinstance(paths, Mapping | None) for paths in (lr_scales, lr_starts)):
            raise Error(f"lr_scales={lr_scales!r:.40}, lr_starts={lr_starts!r:.40}; give dicts {{path of a variable: "
                        "number}.")
        self.lr_scales, self.lr_starts = dict(lr_scales or {}), dict(lr_starts or {})
        self.own = {}                           # {key of a variable: (scale, start)}: backends know no paths
        self.fused = keras.backend.backend() == "tensorflow"
        if self.fused and self.gradient_accumulation_steps and self._distribution_strategy.num_replicas_in_sync > 1:
            raise Error("Several devices of one process cannot accumulate gradients under TensorFlow; start a worker "
                        "for each device, or accumulate none.")

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as JSON values.

        Returns:
            {argument: value}, from which `from_config` makes an equal optimizer, without its state.
        """
        return {**super().get_config(), "lr_scales": dict(self.lr_scales), "lr_starts": dict(self.lr_starts)}

    def build(self, variables: list[keras.Variable]) -> None:
        """Make the optimizer's own variables: both moments of each trained variable, and `gradient_norm`.

        Args:
            variables: The trained variables of the model.

        Raises:
            Error: When `lr_scales` or `lr_starts` names a path that none of them has.
        """
        _check_paths(self.lr_scales.keys() | self.lr_starts.keys(), variables)
        self.own = {self._var_key(v): (self.lr_scales.get(v.path, 1.0), self.lr_starts.get(v.path, 0))
                    for v in variables}
        super().build(variables)
        self.gradient_norm = self.add_variable((), initializer="zeros", name="gradient_norm",
                                               aggregation="only_first_replica")

    def apply(self, grads: list[Any], trainable_variables: list[keras.Variable] | None = None) -> Any:
        """Update all trained variables in place.

        Args:
            grads: One gradient for each variable, of its shape, or None; gradients of tables may be sparse.
            trainable_variables: The variables, by default those that `build` was given.

        Returns:
            The number of steps so far, as the backend gives it.
        """
        summed = sum_over_devices(grads)
        if self._plain() or not self.built and trainable_variables is None:     # Keras says what is missing
            return super().apply(summed, trainable_variables)
        from bertkit.training.fused import fused_step
        if not self.built and trainable_variables is not None:
            with keras.name_scope(self.name):
                self.build(trainable_variables)
        pairs = [(g, v) for g, v in zip(summed, trainable_variables or self._trainable_variables, strict=True)
                 if g is not None]
        fused_step(self, [g for g, _ in pairs], [v for _, v in pairs])
        return self.iterations.assign_add(1)

    def update_step(self, gradient: Any, variable: keras.Variable, learning_rate: Any) -> None:
        """Update one variable by Keras' own step.

        Where variables have rates of their own, the decay of this variable is done here too, at its own rate.

        Args:
            gradient: The gradient, of the variable's shape, clipped.
            variable: The variable.
            learning_rate: η of this update, before the variable's factor.
        """
        if self._varies():
            step = ops.cast(self.iterations + 1, variable.dtype)
            rate, own_step = self.rate_and_step(variable, ops.cast(learning_rate, variable.dtype), step)
            if self._use_weight_decay(variable):
                self.assign_sub(variable, variable * (self.weight_decay * rate))
            learning_rate = rate * self.correction(own_step) / self.correction(step)
        super().update_step(gradient, variable, learning_rate)

    def rate_and_step(self, variable: keras.Variable, rate: Any, step: Any) -> tuple[Any, Any]:
        """Return the learning rate and the step of one variable: 0 and 1 before its first update.

        Args:
            variable: A trained variable.
            rate: η of this update, a scalar.
            step: The number of the update, counted from 1, a scalar.

        Returns:
            The rate times the variable's factor, and the update counted from the variable's first one.
        """
        scale, start = self.own[self._var_key(variable)]
        if not start:
            return rate * scale, step
        return rate * scale * self.has_started(variable, step), ops.maximum(step - start, 1)

    def has_started(self, variable: keras.Variable, step: Any) -> Any:
        """Return whether a variable learns at an update.

        Args:
            variable: A trained variable.
            step: The number of the update, counted from 1, a scalar.

        Returns:
            1 if it learns, else 0, in the dtype of `step`.
        """
        return ops.cast(step > self.own[self._var_key(variable)][1], step.dtype)

    def correction(self, step: Any) -> Any:
        """Return √(1 − β₂ᵗ) / (1 − β₁ᵗ), which removes the bias of both moments at update t.

        Args:
            step: t, counted from 1, a scalar.

        Returns:
            A scalar.
        """
        return ops.sqrt(1 - self.beta_2 ** step) / (1 - self.beta_1 ** step)

    def _backend_apply_gradients(self, grads, trainable_variables):
        """Keras' hook before the plain update: make tables dense, which adds their rows; clear what has not begun."""
        from bertkit.training.fused import to_dense
        grads = [to_dense(g) if hasattr(g, "dense_shape") else g for g in grads]
        if self.lr_starts:
            step = ops.cast(self.iterations + 1, "float32")
            grads = [g * ops.cast(self.has_started(v, step), g.dtype)
                     for g, v in zip(grads, trainable_variables, strict=True)]
        super()._backend_apply_gradients(grads, trainable_variables)

    def _apply_weight_decay(self, variables):
        """Keras' decay of all variables at one rate; where rates differ, `update_step` decays each at its own."""
        if not self._varies():
            super()._apply_weight_decay(variables)

    def _varies(self):
        return bool(self.lr_scales or self.lr_starts)

    def _all_reduce_sum_gradients(self, grads_and_vars):
        """Keras' sum over devices, which comes after clipping: `apply` has summed."""
        return grads_and_vars

    def _clip_gradients(self, grads):
        """Keras' hook before the plain update: remember the norm; clip."""
        self.gradient_norm.assign(ops.sqrt(sum(ops.sum(ops.square(g)) for g in grads)))
        return super()._clip_gradients(grads)

    def _get_current_learning_rate(self):
        """Return the rate of this update; Keras counts steps, of which several may make one update."""
        if isinstance(self._learning_rate, keras.optimizers.schedules.LearningRateSchedule):
            return self._learning_rate(self.iterations)
        return super()._get_current_learning_rate()

    def _plain(self):
        """Whether Keras' own update must run: another backend, several replicas, or an option of Keras."""
        if not self.fused or self.gradient_accumulation_steps or self.use_ema or self.loss_scale_factor:
            return True
        return self._distribution_strategy.num_replicas_in_sync > 1


def _check_paths(paths, variables):
    known = [variable.path for variable in variables]
    for path in sorted(paths - set(known)):
        raise Error(f"lr_scales or lr_starts names {path}, and no variable that is trained has this path; give paths "
                    f"as `variable.path` says them, such as {known[0] if known else 'none'}.")


def adamw(learning_rate: float, steps: int, warmup: float = 0.1, weight_decay: float = 0.01, clip_norm: float = 1.0,
          **options: Any) -> AdamW:
    """Return the `AdamW` of a run, with linear warm-up and then linear decay of the learning rate.

    Args:
        learning_rate: The highest rate, reached after the warm-up.
        steps: Updates of the whole run.
        warmup: Share of the updates in which the rate rises.
        weight_decay: λ, of matrices and tables alone.
        clip_norm: Largest norm of all gradients together; 0 for no limit.
        **options: Further arguments of `AdamW`.

    Returns:
        The optimizer.

    >>> float(adamw(1e-3, steps=10).learning_rate)
    0.0
    """
    schedule = WarmupLinear(learning_rate, steps, warmup)
    return AdamW(schedule, weight_decay=weight_decay, global_clipnorm=clip_norm, **options)
