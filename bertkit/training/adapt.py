"""What `TrainConfig` asks of a model and its optimizer before `fit()`, and what is undone after it."""

from typing import Any

import keras
from keras import ops

from bertkit.errors import Error
from bertkit.training import lora
from bertkit.training.config import TrainConfig
from bertkit.training.lr_scales import freeze, lr_scales, lr_starts, weight_depths
from bertkit.training.optimizer import AdamW, adamw

# β of L2-SP (Li et al. 2018, section 4.2): what is new, such as the head, is drawn to 0.
NEW = 0.01


def adapt(model: Any, tuning: TrainConfig) -> None:
    """Freeze, anchor or LoRA the weights of a model as `tuning` says; call it before the model is compiled.

    Weights are anchored where they are now, so the state of an interrupted run is restored afterwards.

    Args:
        model: A head of bertkit's on an encoder.
        tuning: The `TrainConfig`; `frozen_layers`, `l2_sp`, `lora`, `lora_alpha`, `layer_decay` and `unfreeze` are
            read.

    Raises:
        Error: When a knob does not fit the encoder.
    """
    if tuning.layer_decay != 1 or tuning.unfreeze:
        weight_depths(model)                                   # raises where these do not fit
    if tuning.frozen_layers is not None:
        freeze(model, tuning.frozen_layers)
    if tuning.l2_sp:
        anchor(model, tuning.l2_sp)
    if tuning.lora:
        lora.add(model, tuning.lora, tuning.lora_alpha)


def optimizer(model: Any, learning_rate: float, steps: int, steps_per_epoch: int, tuning: TrainConfig) -> AdamW:
    """Return the `AdamW` of a run.

    `tuning.accumulate` batches make one update. Warm-up, decay and `unfreeze` count updates.

    Args:
        model: The model, adapted.
        learning_rate: The highest rate, after the warm-up.
        steps: Batches of the whole run.
        steps_per_epoch: Batches of one epoch.
        tuning: The `TrainConfig`.

    Returns:
        The optimizer.

    Raises:
        Error: When the batches are too few for one update.
    """
    updates = steps // tuning.accumulate
    if not updates:
        raise Error(f"accumulate={tuning.accumulate} batches make one update, and the run has {steps}; give a smaller "
                    "number or more epochs.")
    return adamw(learning_rate, updates, tuning.warmup, 0.0 if tuning.l2_sp else tuning.weight_decay, tuning.clip_norm,
                 lr_scales=lr_scales(model, tuning.layer_decay),
                 lr_starts=lr_starts(model, tuning.unfreeze, steps_per_epoch / tuning.accumulate),
                 gradient_accumulation_steps=tuning.accumulate if tuning.accumulate > 1 else None)


def merge_adapters(model: Any) -> None:
    """Make a model plain after `fit()`: LoRA's matrices become part of the weights. Call it before scoring and saving.

    Args:
        model: The trained model.
    """
    lora.merge(model)


class StartingPoint(keras.regularizers.Regularizer):
    """The regularizer α/2 ‖w − w⁰‖², w⁰ the value of the weight when this was made (Li et al. 2018, equation 3).

    Args:
        alpha: α.
        weight: The weight, whose value now is w⁰.
    """

    def __init__(self, alpha: float, weight: keras.Variable) -> None:
        self.alpha, self.start = alpha, keras.Variable(weight, trainable=False, name="starting_point")

    def __call__(self, weight: Any) -> Any:
        return self.alpha / 2 * ops.sum(ops.square(weight - self.start))


def anchor(model: Any, alpha: float) -> None:
    """Add L2-SP to the loss of a model: α/2 ‖w − w⁰‖² of the encoder's weights, β/2 ‖w‖² of all others, β = 0.01.

    Li et al. 2018, section 4.2.

    Args:
        model: A head of bertkit's on an encoder.
        alpha: α.
    """
    known = {id(weight) for weight in model.encoder.weights}
    for weight in model.trainable_weights:
        weight.regularizer = StartingPoint(alpha, weight) if id(weight) in known else keras.regularizers.L2(NEW / 2)
