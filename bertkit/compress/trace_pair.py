"""The traces of a teacher and a student of the same texts, and the losses of matches between them."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from bertkit.compress.match_losses import (
           attention_divergence,
           hidden_cosine,
           hidden_error,
           relation_divergence,
           score_error,
           scores,
)
from bertkit.compress.matches import PROJECTED, RELATIONS, Match
from bertkit.compress.tracing import projections
from bertkit.config import EncoderConfig
from bertkit.layers.initializer import truncated_normal


class TracePair:
    """What lies inside a teacher and inside a student, at the tokens of the student.

    Args:
        teacher: The teacher's `Encoder`.
        student: The student's `Encoder`.
        theirs: The teacher's trace, {name: tensor}, such as "hidden/1" [B,T',D']; no gradient passes it.
        ours: The student's trace, such as "hidden/1" [B,T,D].
        places: int [B,T], the place in the teacher's row of each token of the student; None where the rows are the
            same.
        projection: A layer from the student's width to the teacher's, or None.
    """

    def __init__(self, teacher: Any, student: Any, theirs: dict[str, Any], ours: dict[str, Any], places: Any = None,
                 projection: Any = None) -> None:
        self.teacher, self.student, self.places, self.projection = teacher, student, places, projection
        self.theirs = {name: ops.stop_gradient(_float(value)) for name, value in theirs.items()}
        self.ours = {name: _float(value) for name, value in ours.items()}

    def loss(self, match: Match, real: Any) -> Any:
        """Compute the loss of a match, without its weight.

        Args:
            match: The `Match`, of tokens.
            real: [B,T], 1 where a token of the student counts and 0 elsewhere.

        Returns:
            A float32 scalar.
        """
        if match.loss in PROJECTED:
            return self._of_projections(match, real)
        one, other = self.theirs[match.teacher], self.ours[match.student]
        if match.teacher.startswith("attention"):
            compared = attention_divergence if match.loss == "kl" else score_error
            return compared(self._moved(self._moved(one, 2), 3), other, real)
        if self.projection is not None:
            other = self.projection(other)
        return (hidden_cosine if match.loss == "cosine" else hidden_error)(self._moved(one, 1), other, real)

    def _of_projections(self, match, real):
        given = projections(self.teacher, self.theirs, match.layer("teacher"))
        one = [self._moved(ops.stop_gradient(_float(each)), 2) for each in given]
        other = [_float(each) for each in projections(self.student, self.ours, match.layer("student"))]
        if match.loss == "scores":
            return score_error(scores(*one[:2]), scores(*other[:2]), real)
        which, heads = RELATIONS.index(match.loss), match.relation_heads(self.teacher.config, self.student.config)
        return relation_divergence(one[which], other[which], real, heads)

    def _moved(self, values, axis):
        """Return what the teacher has of its tokens, along an axis, at the tokens of the student."""
        if self.places is None:
            return values
        shape = [1] * len(values.shape)
        shape[0], shape[axis] = -1, ops.shape(self.places)[1]
        return ops.take_along_axis(values, ops.reshape(self.places, shape), axis=axis)


def projection_between(teacher: EncoderConfig, student: EncoderConfig, matches: Sequence[Match],
                       name: str) -> keras.layers.Layer | None:
    """Make the layer W h + b from a student's width to its teacher's, which serves all layers (TinyBERT's code).

    Args:
        teacher: The `EncoderConfig` of the teacher.
        student: That of the student.
        matches: The matches of tokens.
        name: The name of the layer.

    Returns:
        A Dense layer, built; None where no match needs it.
    """
    if teacher.hidden_dim == student.hidden_dim or not any(match.teacher.startswith("hidden") for match in matches):
        return None
    made = keras.layers.Dense(teacher.hidden_dim, kernel_initializer=truncated_normal(student), name=name,
                              dtype="float32")
    made.build((None, None, student.hidden_dim))
    return made


def _float(x):
    return ops.cast(x, "float32")
