"""A model that learns from what another one answers, beside the labels (Hinton et al. 2015, arXiv 1503.02531)."""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from bertkit.errors import Error
from bertkit.heads import Classifier, MultipleChoice, QuestionAnswering, SentenceEmbedder, TokenClassifier
from bertkit.training.contrastive import unit_vectors
from bertkit.training.losses import labelled_positions


class SoftTargets:
    """A function in place of a model's `compute_loss`: α L + (1 − α) · the distance from the teacher's answers.

    Hinton et al. 2015, section 2. The distance is T² KL(p‖q) where there are classes (see `divergence_of_classes`), for
    several labels the same of each label, of numbers the square of the difference, of vectors 1 − cos.

    Args:
        student: The model that learns, a head of bertkit's on an encoder, not compiled.
        teacher: A model of the same class and labels.
        ids: For each of the student's token ids the teacher's, int [V]; None where they are the same. The teacher reads
            the pieces that the student reads.
        alpha: α, the share of the student's own loss, 0 to 1.
        temperature: T, above 0.

    Raises:
        Error: when α or T is out of range, or there is no such distance for the model.
    """

    def __init__(self, student: Any, teacher: Any, ids: Any = None, alpha: float = 0.5,
                 temperature: float = 2.0) -> None:
        check_alpha_and_temperature(alpha, temperature)
        self.own, self.teacher, self.alpha, self.temperature = student.compute_loss, teacher, alpha, temperature
        self.ids, self.distance = ids, answer_distance(student)

    def __call__(self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None,
                 training: bool = True) -> Any:
        """Compute the loss, as `TaskModel.compute_loss` does.

        Args:
            x: The batch, {name: tensor}.
            y: The labels.
            y_pred: The student's outputs.
            sample_weight: Weights [B] of the examples; None weighs all alike.
            training: Whether this is a training step.

        Returns:
            The loss, a scalar.
        """
        hard = self.own(x, y, y_pred, sample_weight, training)
        asked = x if self.ids is None else {**x, "token_ids": ops.take(self.ids, x["token_ids"], axis=0)}
        given = keras.tree.map_structure(lambda x: ops.stop_gradient(_float(x)), self.teacher(asked, training=False))
        apart = self.distance(y, given, keras.tree.map_structure(_float, y_pred), self.temperature)
        return self.alpha * hard + (1 - self.alpha) * weighted_mean(apart, sample_weight)


def weighted_mean(apart: Any, sample_weight: Any = None) -> Any:
    """Return the mean of numbers whose examples have weights.

    Args:
        apart: Numbers [B,...].
        sample_weight: Weights [B]; None weighs all alike.

    Returns:
        The mean, a scalar: Σ w x over the number of the x.
    """
    if sample_weight is not None:
        weights = ops.cast(sample_weight, apart.dtype)
        apart = apart * ops.reshape(weights, (-1, *[1] * (len(apart.shape) - 1)))
    return ops.mean(apart)


def check_alpha_and_temperature(alpha: float, temperature: float) -> None:
    """Check that the share of the labels is one, and that logits can be divided by the temperature.

    Args:
        alpha: α, the share of the labels in the loss.
        temperature: T.

    Raises:
        Error: when α is not from 0 to 1, or T is not above 0.

    Example:
        >>> check_alpha_and_temperature(alpha=1.5, temperature=2.0)        # doctest: +ELLIPSIS
        Traceback (most recent call last):
        ...
        bertkit.errors.Error: alpha=1.5, temperature=2.0; give an alpha from 0 to 1, and a temperature above 0, ...
    """
    if not (0 <= alpha <= 1 and 0 < temperature < float("inf")):
        raise Error(f"alpha={alpha}, temperature={temperature}; give an alpha from 0 to 1, and a temperature above 0, "
                    "such as 2.")


def divergence_of_classes(teacher: Any, student: Any, temperature: float) -> Any:
    """Compute T² Σ_c p_c (log p_c − log q_c), p = softmax(teacher / T), q = softmax(student / T).

    T² keeps the size of the gradients, which shrink as 1/T² (Hinton et al. 2015, section 2.1).

    Args:
        teacher: Logits [...,C].
        student: Logits [...,C].
        temperature: T.

    Returns:
        The divergence of each place, [...].

    Example:
        >>> round(float(divergence_of_classes(ops.array([0.0, 1.0]), ops.array([0.0, 0.0]), 1.0)), 4)
        0.1109
    """
    p, q = (ops.log_softmax(logits / temperature, axis=-1) for logits in (teacher, student))
    return temperature**2 * ops.sum(ops.exp(p) * (p - q), axis=-1)


def divergence_of_labels(teacher: Any, student: Any, temperature: float) -> Any:
    """Compute T² (p log(p / q) + (1 − p) log((1 − p) / (1 − q))), p = σ(teacher / T), q = σ(student / T).

    Args:
        teacher: Logits [...].
        student: Logits [...].
        temperature: T.

    Returns:
        The divergence of each label, [...].

    Example:
        >>> round(float(divergence_of_labels(ops.array(1.0), ops.array(0.0), 1.0)), 4)
        0.1109
    """
    p, q = teacher / temperature, student / temperature
    share = ops.sigmoid(p)
    return temperature**2 * (ops.softplus(q) - ops.softplus(p) - share * (q - p))


def divergence_of_cosines(teacher: Any, student: Any) -> Any:
    """Compare how alike the texts of a batch are to either model, whose vectors may differ in width.

    1/n Σ_j (cos(t_i, t_j) − cos(s_i, s_j))² of each text i among the n of the batch (Tung & Mori 2019, arXiv
    1907.09682, section 3, with cosines in place of their scaled products).

    Args:
        teacher: Vectors [...,D] of n texts.
        student: Vectors [...,D'] of the same texts.

    Returns:
        The divergence of each text, [...].

    Example:
        >>> one, other = ops.array([[1.0, 0.0], [0.0, 1.0]]), ops.array([[1.0], [1.0]])
        >>> [float(each) for each in divergence_of_cosines(one, other)]
        [0.5, 0.5]
    """
    sides = [unit_vectors(ops.reshape(side, (-1, ops.shape(side)[-1]))) for side in (teacher, student)]
    one, other = (ops.matmul(side, ops.transpose(side)) for side in sides)
    return ops.reshape(ops.mean(ops.square(one - other), axis=-1), ops.shape(student)[:-1])


def _float(x):
    return ops.cast(x, "float32")


def _of_tags(labels, teacher, student, temperature):
    """Return the divergence of the tokens that have a label, scaled so that its mean over all places is theirs."""
    real = labelled_positions(ops.cast(labels, "int32"))
    share = ops.maximum(ops.mean(real), 1.0 / ops.cast(ops.size(real), real.dtype))
    return divergence_of_classes(teacher, student, temperature) * real / share


def _of_spans(_, teacher, student, temperature):
    return sum(divergence_of_classes(teacher[name], student[name], temperature) for name in teacher) / len(teacher)


def _of_vectors(_, teacher, student, temperature):
    if teacher.shape[-1] is None or teacher.shape[-1] != student.shape[-1]:
        return divergence_of_cosines(teacher, student)
    return 1 - ops.sum(unit_vectors(teacher) * unit_vectors(student), axis=-1)


def _of_classifier(model: Any) -> Callable:
    if model.multi_label:
        return lambda _, teacher, student, temperature: divergence_of_labels(teacher, student, temperature)
    if len(model.labels) == 1:
        return lambda _, teacher, student, temperature: ops.square(teacher - student)
    return _of_rows


def _of_rows(_, teacher, student, temperature):
    return divergence_of_classes(teacher, student, temperature)


_DISTANCES: dict[type, Callable] = {TokenClassifier: lambda _: _of_tags, QuestionAnswering: lambda _: _of_spans,
                                    MultipleChoice: lambda _: _of_rows, SentenceEmbedder: lambda _: _of_vectors,
                                    Classifier: _of_classifier}


def answer_distance(model: Any) -> Callable:
    """Return how far the answers of a student are from those of its teacher.

    Args:
        model: The student, a head of bertkit's on an encoder.

    Returns:
        Function (labels, teacher's outputs, student's outputs, temperature) -> distances [B,...]; of labels only tags
        read, at which tokens they are −1.

    Raises:
        Error: when there is no such distance for the model.
    """
    for kind, distance in _DISTANCES.items():
        if isinstance(model, kind):
            return distance(model)
    raise Error(f"What a {type(model).__name__} answers cannot be learnt from another one here; the models that can "
                f"are {', '.join(kind.__name__ for kind in _DISTANCES)}.")
