"""The loss of a student: α of its labels, 1 − α of its teacher's answers, and the matches of what lies inside."""

from typing import Any

import keras
from keras import ops

from bertkit.compress.soft_targets import answer_distance, check_alpha_and_temperature, weighted_mean
from bertkit.errors import Error


class Distillation:
    """A function in place of a model's `compute_loss`: α L + (1 − α) · the distance from the teacher's answers.

    Hinton et al. 2015, section 2; the distances are those of `SoftTargets`, which asks a teacher in each step. Here the
    teacher has answered before: what `TaughtRows.beside` gives comes with the labels. A row without a label of its own
    adds nothing to L, which stays a mean over all rows of the batch.

    Args:
        student: The model that learns, a head of bertkit's on an encoder, not compiled.
        alpha: α, the share of the labels, 0 to 1.
        temperature: T, above 0.

    Raises:
        Error: when α or T is out of range, or there is no such distance for the model.
    """

    def __init__(self, student: Any, alpha: float = 0.5, temperature: float = 2.0) -> None:
        check_alpha_and_temperature(alpha, temperature)
        self.own, self.alpha, self.temperature = student.compute_loss, alpha, temperature
        self.student, self.distance = student, answer_distance(student)

    def __call__(self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None,
                 training: bool = True) -> Any:
        """Compute the loss, as `TaskModel.compute_loss` does.

        Args:
            x: The batch, {name: tensor}.
            y: {"labels", "answers": what the teacher's model gives, "labelled" [B]; of tags "words" [B,T]}.
            y_pred: The student's outputs.
            sample_weight: Weights [B] of the examples; None weighs all alike.
            training: Whether this is a training step.

        Returns:
            The loss, a scalar.

        Raises:
            Error: when the labels come without the teacher's answers.
        """
        if not isinstance(y, dict) or "answers" not in y:
            raise Error("The labels came without a teacher's answers; give what TaughtRows.beside returns with them.")
        weights = y["labelled"] if sample_weight is None else y["labelled"] * ops.cast(sample_weight, "float32")
        hard = self.own(x, y["labels"], y_pred, weights, training)
        outputs, given = keras.tree.map_structure(_float, y_pred), _float(y["answers"])
        if isinstance(outputs, dict):
            given = {name: given[..., i] for i, name in enumerate(outputs)}
        apart = self.distance(y.get("words", y["labels"]), given, outputs, self.temperature)
        return self.alpha * hard + (1 - self.alpha) * weighted_mean(apart, sample_weight)


def _float(x):
    return ops.cast(x, "float32")
