"""The loss of a student: α of its labels, 1 − α of its teacher's answers, and the matches of what lies inside."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from bertkit.compress.matches import Match, matches_of
from bertkit.compress.soft_targets import answer_distance, check_alpha_and_temperature, weighted_mean
from bertkit.compress.trace_pair import TracePair, projection_between
from bertkit.compress.tracing import KeptTrace
from bertkit.errors import Error

PLACE = "projection_to_teacher"     # the attribute of a student that holds what is thrown away after training
OF_TEACHER = "teacher/"             # what the names of the teacher's own inputs begin with


class Distillation:
    """A function in place of a model's `compute_loss`: α L + (1 − α) · the distance from the teacher's answers.

    Hinton et al. 2015, section 2; the distances are those of `SoftTargets`, which asks a teacher in each step. Here the
    teacher has answered before: what `TaughtRows.beside` gives comes with the labels. A row without a label of its own
    adds nothing to L, which stays a mean over all rows of the batch.

    Where there are matches of tokens, the loss adds Σ w L of them: the teacher's encoder reads its own ids in each
    step, and each token of the student is compared with the teacher's token of the same characters. The student's
    hidden vectors go through one projection W h + b to the teacher's width, if theirs is another; it belongs to the
    student until `finish` removes it.

    Args:
        student: The model that learns, a head of bertkit's on an encoder, not compiled.
        alpha: α, the share of the labels, 0 to 1.
        temperature: T, above 0.
        matches: A list of `Match`, or what else `matches_of` takes.
        teacher: The teacher's model, or its encoder; needed for matches of tokens.

    Raises:
        Error: when α or T is out of range, there is no such distance for the model, or a match does not fit.
    """

    def __init__(self, student: Any, alpha: float = 0.5, temperature: float = 2.0, matches: Any = (),
                 teacher: Any = None) -> None:
        check_alpha_and_temperature(alpha, temperature)
        self.own, self.alpha, self.temperature = student.compute_loss, alpha, temperature
        self.student, self.distance = student, answer_distance(student)
        self.teacher = getattr(teacher, "encoder", teacher)
        theirs = student.encoder.config if self.teacher is None else self.teacher.config
        self.matches: Sequence[Match] = matches_of(matches, theirs, student.encoder.config)
        self.weights = keras.Variable(np.array([match.weight for match in self.matches], "float32"), trainable=False,
                                      name="weights_of_matches")
        self.kept: KeptTrace | None = None
        if self.inside:
            self._begin()

    @property
    def inside(self) -> list[Match]:
        """The matches of tokens."""
        return [match for match in self.matches if match.of_tokens]

    def _begin(self):
        """Let the student keep its trace, and give it a projection where its width is another."""
        if self.teacher is None:
            raise Error(f"The match {self.inside[0]} needs the teacher; give its model.")
        self.kept = KeptTrace(self.student.encoder)
        made = projection_between(self.teacher.config, self.student.encoder.config, self.inside, PLACE)
        if made is not None:
            tracker = self.student._tracker         # a built model takes no layer, but as Keras' own LoRA does it
            tracker.unlock()
            setattr(self.student, PLACE, made)
            tracker.lock()

    def finish(self) -> None:
        """Make the student a plain model again: the projection is thrown away, and no trace is kept."""
        if self.kept is not None:
            self.kept.stop()
            self.kept = None
        if (made := getattr(self.student, PLACE, None)) is not None:
            tracker = self.student._tracker
            tracker.unlock()
            tracker.untrack(made)
            delattr(self.student, PLACE)
            tracker.lock()

    @property
    def in_training_only(self) -> bool:
        """Whether the loss reads what the student kept in a training step, so that nothing else can compute it."""
        return bool(self.inside)

    def __call__(self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None,
                 training: bool = True) -> Any:
        """Compute the loss, as `TaskModel.compute_loss` does.

        Args:
            x: The batch, {name: tensor}.
            y: {"labels", "answers": what the teacher's model gives, "labelled" [B]; of tags "words" [B,T]}; where there
                are matches of tokens also "places" [B,T], "same" [B] and the teacher's inputs, as `TaughtRows` gives
                them.
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
        total = self.weights[0] * (self.alpha * hard + (1 - self.alpha) * weighted_mean(apart, sample_weight))
        if not self.inside:
            return total
        share = 1.0 if sample_weight is None else ops.mean(ops.cast(sample_weight, "float32"))
        return total + share * self.matched(y)

    def matched(self, y: dict[str, Any]) -> Any:
        """Compute Σ w L of the matches of tokens, of the student's last call in training.

        Args:
            y: What the labels came with (see the call).

        Returns:
            The sum, a scalar.

        Raises:
            Error: when the student was not called in training before, or the teacher's inputs are missing.
        """
        ours = None if self.kept is None else self.kept.values
        if ours is None or "places" not in y:
            raise Error("Matches of tokens need a training step of the student, and the teacher's inputs in the batch.")
        rows = {name.removeprefix(OF_TEACHER): _rows(value) for name, value in y.items()
                if name.startswith(OF_TEACHER)}
        theirs = self.teacher(rows, trace=True, training=False)["trace"]
        places = _rows(y["places"])
        sides = TracePair(self.teacher, self.student.encoder, theirs, ours, ops.maximum(places, 0),
                          getattr(self.student, PLACE, None))
        real = ops.cast(places >= 0, "float32")
        whole = real * ops.cast(ops.reshape(y["same"], (-1, 1)), "float32")
        losses = [sides.loss(match, whole if match.teacher.startswith("attention") else real) for match in self.inside]
        return sum(self.weights[i] * loss for i, loss in enumerate(losses, start=1))


class Progressive(keras.callbacks.Callback):
    """Train a student layer by layer: first the matches of its lowest layer alone, then those of the next, and so on.

    Sun et al. 2020 (MobileBERT), section 3.6, progressive knowledge transfer, without their freezing of lower layers.
    After the last layer the student learns from labels and answers alone. What an epoch trains depends on its number
    only, so a run that was interrupted goes on alike.

    Args:
        distillation: The `Distillation`.
        epochs: Epochs for each layer.

    Raises:
        Error: when there are no matches of tokens, or `epochs` is below 1.
    """

    def __init__(self, distillation: Distillation, epochs: int) -> None:
        super().__init__()
        if epochs < 1 or not distillation.inside:
            raise Error(f"progressive={epochs} trains {len(distillation.inside)} matches of tokens layer by layer; "
                        "give 1 or more, and matches such as mobilebert.")
        self.distillation, self.epochs = distillation, epochs
        self.layers = sorted({match.layer("student") for match in distillation.inside})

    @property
    def before_answers(self) -> int:
        """The epochs before the student learns to answer."""
        return self.epochs * len(self.layers)

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Let the matches of one layer count, or the answers.

        Args:
            epoch: The number of the epoch, from 0.
            logs: Not used.
        """
        stage = epoch // self.epochs
        layer = self.layers[stage] if stage < len(self.layers) else None
        self.distillation.weights.assign([
            match.weight * (layer is not None and match.layer("student") == layer if match.of_tokens else layer is None)
            for match in self.distillation.matches])


def _rows(values):
    """Return [B·g,T] of [B,g,T]; [B,T] as it is."""
    return values if len(values.shape) == 2 else ops.reshape(values, (-1, ops.shape(values)[-1]))


def _float(x):
    return ops.cast(x, "float32")
