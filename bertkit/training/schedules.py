"""Learning rates as functions of the step."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("bertkit")
class WarmupLinear(keras.optimizers.schedules.LearningRateSchedule):
    """peak · t/W for t < W, then peak · (T − t)/(T − W), never below 0; the last step is T − 1.

    The schedule of BERT fine-tuning (Devlin et al. 2018, appendix A.2) as Hugging Face's
    `get_linear_schedule_with_warmup` computes it; W is `warmup` · T, rounded. The first step has rate 0.

    Args:
        peak: The highest learning rate, at step W.
        steps: T, the steps of the whole run.
        warmup: Share of the steps in which the rate rises.

    >>> schedule = WarmupLinear(peak=1.0, steps=10, warmup=0.2)
    >>> [round(float(schedule(t)), 3) for t in (0, 1, 2, 6, 10)]
    [0.0, 0.5, 1.0, 0.5, 0.0]
    """

    def __init__(self, peak: float, steps: int, warmup: float = 0.1) -> None:
        self.peak, self.steps, self.warmup = peak, steps, warmup

    def __call__(self, step: Any) -> Any:
        """Return the learning rate of a step, a float32 scalar.

        Args:
            step: The number of the step, counted from 0.

        Returns:
            The learning rate.
        """
        step = ops.cast(step, "float32")
        rising = round(self.warmup * self.steps)
        up = step / max(rising, 1)
        down = (self.steps - step) / max(self.steps - rising, 1)
        return self.peak * ops.maximum(ops.where(step < rising, up, down), 0.0)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments.

        Returns:
            {argument: value}, from which `from_config` makes an equal schedule.
        """
        return {"peak": self.peak, "steps": self.steps, "warmup": self.warmup}
