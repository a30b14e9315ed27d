"""What `TrainConfig` asks of a model and its optimizer before `fit()`, and what is undone after it."""

import keras
from keras import ops

from bertkit.errors import Error
from bertkit.training import lora
from bertkit.training.lr_scales import depths, freeze, lr_scales, lr_starts
from bertkit.training.optimizer import adamw

# β of L2-SP (Li et al. 2018, section 4.2): what is new, such as the head, is drawn to 0.
NEW = 0.01


def adapt(model, tuning):
    """Freeze, anchor or LoRA a model's weights as `tuning` says; between making it and compiling it.

    Weights are anchored where they are now, so an interrupted run's state comes after. Raises `Error` on what does not
    fit the encoder.
    """
    if tuning.layer_decay != 1 or tuning.unfreeze:
        depths(model)                                   # raises where these do not fit
    if tuning.frozen_layers is not None:
        freeze(model, tuning.frozen_layers)
    if tuning.l2_sp:
        anchor(model, tuning.l2_sp)
    if tuning.lora:
        lora.add(model, tuning.lora, tuning.lora_alpha)


def optimizer(model, learning_rate, steps, steps_per_epoch, tuning):
    """Return the `AdamW` of a run of `steps` batches, `tuning.accumulate` of which make one update.

    Warm-up, decay and `unfreeze` count updates; the last batches, if they fill none, change nothing. Raises `Error`
    where there is no update.
    """
    updates = steps // tuning.accumulate
    if not updates:
        raise Error(f"accumulate={tuning.accumulate} batches make one update, and the run has {steps}; give a smaller "
                    "number or more epochs.")
    return adamw(learning_rate, updates, tuning.warmup, 0.0 if tuning.l2_sp else tuning.weight_decay, tuning.clip_norm,
                 lr_scales=lr_scales(model, tuning.layer_decay),
                 lr_starts=lr_starts(model, tuning.unfreeze, steps_per_epoch / tuning.accumulate),
                 gradient_accumulation_steps=tuning.accumulate if tuning.accumulate > 1 else None)


def settle(model):
    """Make a model plain after `fit()`: LoRA's matrices become part of the weights; before scoring and saving."""
    lora.merge(model)


class StartingPoint(keras.regularizers.Regularizer):
    """α/2 ‖w − w⁰‖², w⁰ the weight's value when this was made (Li et al. 2018, equation 3)."""

    def __init__(self, alpha, weight):
        self.alpha, self.start = alpha, keras.Variable(weight, trainable=False, name="starting_point")

    def __call__(self, weight):
        return self.alpha / 2 * ops.sum(ops.square(weight - self.start))


def anchor(model, alpha):
    """Add L2-SP to a model's loss: α/2 ‖w − w⁰‖² of the encoder's weights, β/2 ‖w‖² of others, β = 0.01."""
    known = {id(weight) for weight in model.encoder.weights}
    for weight in model.trainable_weights:
        weight.regularizer = StartingPoint(alpha, weight) if id(weight) in known else keras.regularizers.L2(NEW / 2)
