"""Whether a model has learnt anything: its score beside that of the commonest answer, whatever the input."""

import math
from typing import Any

from bertkit.report.partial_input import commonest


def baseline_warning(task: Any, metric: str, train: tuple[Any, Any], dev: tuple[Any, Any], measured: dict[str, float],
                     auto: bool = True) -> str:
    """Return a warning if a model is no better than the commonest answer.

    A correlation is no better than that of a constant answer (0) where its interval reaches 0.

    Args:
        task: The model's task.
        metric: The metric that decides, such as "accuracy".
        train: (inputs, targets) that it was trained on, which give the commonest answer.
        dev: (inputs, targets) that it was scored on.
        measured: {"score", "low", "high"} of the metric on dev.
        auto: Whether epochs, batch size and rate were chosen by bertkit.

    Returns:
        A sentence with what to try; "" if the model is better, or the task has no commonest answer.
    """
    constant = commonest(task, train, dev)
    if constant is None:
        return ""
    base, score = (0.0 if math.isnan(value) else value for value in (constant[metric], measured["score"]))
    sign = -1 if metric in task.less_is_better else 1
    shown = measured["low"] if task.constant_is_0 and sign == 1 else score
    if sign * shown > sign * base:
        return ""
    remedy = ("more rows, a larger encoder (--model) or other knobs (bertkit sweep)" if auto else
              "--epochs auto, --batch-size auto and --learning-rate auto, which suit the rows and the encoder")
    return (f"The model is no better than {task.commonest}: {metric} on dev is {score:.4f}, and that answer to "
            f"everything gives {base:.4f}. Try {remedy}; look into whether the labels follow from the texts.")
