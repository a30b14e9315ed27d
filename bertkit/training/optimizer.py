"""AdamW as BERT is fine-tuned with it, in one pass over memory where TensorFlow allows."""

import keras
from keras import ops

from bertkit.distribution import total
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

    def __init__(self, learning_rate=5e-5, weight_decay: float = 0.01, beta_1: float = 0.9, beta_2: float = 0.999,
                 epsilon: float = 1e-6, global_clipnorm: float | None = 1.0, lr_scales: dict | None = None,
                 lr_starts: dict | None = None, **options):
        super().__init__(learning_rate=learning_rate, weight_decay=weight_decay, beta_1=beta_1, beta_2=beta_2,
                         epsilon=epsilon, global_clipnorm=global_clipnorm, **options)
        self.exclude_from_weight_decay(var_names=list(NOT_DECAYED))
        self.lr_scales, self.lr_starts = dict(lr_scales or {}), dict(lr_starts or {})
        self.own = {}                           # {key of a variable: (scale, start)}: backends know no paths
        self.fused = keras.backend.backend() == "tensorflow"
        if self.fused and self.gradient_accumulation_steps and self._distribution_strategy.num_replicas_in_sync > 1:
            raise Error("Several devices of one process cannot accumulate gradients under TensorFlow; start a worker "
                        "for each device, or accumulate none.")

    def get_config(self) -> dict:
        return {**super().get_config(), "lr_scales": dict(self.lr_scales), "lr_starts": dict(self.lr_starts)}

    def build(self, variables):
        _check_paths(self.lr_scales.keys() | self.lr_starts.keys(), variables)
        self.own = {self._var_key(v): (self.lr_scales.get(v.path, 1.0), self.lr_starts.get(v.path, 0))
                    for v in variables}
        super().build(variables)
        self.gradient_norm = self.add_variable((), initializer="zeros", name="gradient_norm",
                                               aggregation="only_first_replica")

    def apply(self, grads, trainable_variables=None):
        grads = total(grads)
        if self._plain():
            return super().apply(grads, trainable_variables)
        from bertkit.training.fused import fused_step
        if not self.built:
            with keras.name_scope(self.name):
                self.build(trainable_variables)
        pairs = [(g, v) for g, v in zip(grads, trainable_variables or self._trainable_variables, strict=True)
                 if g is not None]
        fused_step(self, [g for g, _ in pairs], [v for _, v in pairs])
        return self.iterations.assign_add(1)

    def update_step(self, gradient, variable, learning_rate):
        """Keras' update of one variable; at a rate of its own also its decay, which Keras has one rate for."""
        if self._varies():
            step = ops.cast(self.iterations + 1, variable.dtype)
            rate, own_step = self.paced(variable, ops.cast(learning_rate, variable.dtype), step)
            if self._use_weight_decay(variable):
                self.assign_sub(variable, variable * (self.weight_decay * rate))
            learning_rate = rate * self.correction(own_step) / self.correction(step)
        super().update_step(gradient, variable, learning_rate)

    def paced(self, variable, rate, step):
        """Return (rate, step) as they are for one variable: 0 and 1 before it begins."""
        scale, start = self.own[self._var_key(variable)]
        if not start:
            return rate * scale, step
        return rate * scale * self.begun(variable, step), ops.maximum(step - start, 1)

    def begun(self, variable, step):
        """Return 1 if a variable learns at the update `step`, counted from 1, else 0; the dtype is the step's."""
        return ops.cast(step > self.own[self._var_key(variable)][1], step.dtype)

    def correction(self, step):
        """Return √(1 − β₂ᵗ) / (1 − β₁ᵗ), which undoes the bias of both moments at update t."""
        return ops.sqrt(1 - self.beta_2 ** step) / (1 - self.beta_1 ** step)

    def _backend_apply_gradients(self, grads, trainable_variables):
        """Keras' hook before the plain update: make tables dense, which adds their rows; clear what has not begun."""
        from bertkit.training.fused import dense
        grads = [dense(g) if hasattr(g, "dense_shape") else g for g in grads]
        if self.lr_starts:
            step = ops.cast(self.iterations + 1, "float32")
            grads = [g * ops.cast(self.begun(v, step), g.dtype)
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


def adamw(learning_rate, steps, warmup=0.1, weight_decay=0.01, clip_norm=1.0, **options):
    """Return the `AdamW` of a run of `steps` updates: linear warm-up over `warmup` of them, then linear decay."""
    schedule = WarmupLinear(learning_rate, steps, warmup)
    return AdamW(schedule, weight_decay=weight_decay, global_clipnorm=clip_norm, **options)
