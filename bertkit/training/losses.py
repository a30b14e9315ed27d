"""What a model is trained by: its own loss, or that with smoothed labels, weighted classes and R-Drop."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

from bertkit.errors import Error
from bertkit.heads.losses import TokenCrossEntropy
from bertkit.tasks.registry import entry_of_model
from bertkit.training.config import TrainConfig

KNOBS = ("r_drop", "label_smoothing", "class_weights")


def loss(model: Any, tuning: TrainConfig, labels: np.ndarray | None = None) -> Callable:
    """Return the loss that a model is trained by: its own, with what the knobs of `tuning` add.

    R-Drop needs each batch's rows twice, first all of them and then all again (`BatchSampler.copies`).

    Args:
        model: A head of bertkit's.
        tuning: The `TrainConfig`; `r_drop`, `label_smoothing` and `class_weights` are read.
        labels: Labels of the training rows, int [B], or of their tokens, end to end, -1 where one is not scored;
            `class_weights` counts them.

    Returns:
        A Keras loss, a function of (labels, outputs).

    Raises:
        Error: When a knob does not fit the head, or `class_weights` comes without labels.
    """
    fit = find_fit(model)
    for knob in _set(tuning):
        if knob not in fit.knobs:
            raise Error(f"{knob} does not fit {fit.what}, which takes {', '.join(fit.knobs) or 'no such knob'}; "
                        "leave it out.")
    made = model.loss_function()
    if tuning.label_smoothing and fit is SEVERAL:
        made = keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=tuning.label_smoothing)
    elif tuning.label_smoothing or tuning.class_weights:
        weights = balanced_class_weights(labels, len(model.labels)).tolist() if tuning.class_weights else None
        made = CrossEntropy(tuning.label_smoothing, weights)
    if not tuning.r_drop:
        return made
    if fit.distance is None:
        raise Error(f"r_drop does not fit {fit.what}, which has no distance of two passes; leave it out.")
    return RDrop(made, tuning.r_drop, fit.distance)


def check_no_loss_knobs(tuning: TrainConfig) -> None:
    """Check that `tuning` sets nothing that only `loss` gives, for a training that has a loss of its own.

    Args:
        tuning: The `TrainConfig`.

    Raises:
        Error: When `r_drop`, `label_smoothing` or `class_weights` is set.
    """
    for knob in _set(tuning):
        raise Error(f"{knob} is for labelled texts and does not fit this training; leave it out.")


def _set(tuning):
    return [knob for knob in KNOBS if getattr(tuning, knob)]


def balanced_class_weights(labels: Any, classes: int) -> np.ndarray:
    """Return a weight for each class that makes all classes count alike.

    n / (C · n_c) for class c, C the number of classes that occur (King and Zeng 2001); 0 for a class that does not.

    Args:
        labels: Labels [...], integers, -1 where a place is not scored.
        classes: The number of all classes.

    Returns:
        float64 [classes].

    Raises:
        Error: When `labels` is None.

    >>> balanced_class_weights(np.array([0, 0, 0, 1, -1]), 3).round(3).tolist()
    [0.667, 2.0, 0.0]
    """
    if labels is None:
        raise Error("class_weights=balanced needs the training rows' labels; leave it out where there are none.")
    labels = np.asarray(labels)
    counts = np.bincount(labels[labels >= 0].astype("int64"), minlength=classes)
    present = counts > 0
    return np.where(present, counts.sum() / (present.sum() * np.maximum(counts, 1)), 0.0)


@keras.saving.register_keras_serializable("bertkit")
class CrossEntropy(TokenCrossEntropy):
    """−w_y Σ_c q_c log p_c, q = (1 − ε) · 1[c = y] + ε/C, as the mean of all labels y but −1.

    ε as in Szegedy et al. 2016, section 7. Called with labels [...] and logits [...,C]; `sample_weight` weighs rows or
    labels.

    Args:
        smoothing: ε, the share of each label that all classes get.
        weights: w of each class [C], by default 1.
        name: Name of the loss.
        **options: What every Keras loss takes: `reduction`, `dtype`.

    >>> loss = CrossEntropy(smoothing=0.1, weights=[1.0, 2.0])
    >>> round(float(loss(np.array([1]), np.array([[0.0, 0.0]]))), 4)
    1.3863
    """

    def __init__(self, smoothing: float = 0.0, weights: list[float] | None = None, name: str = "cross_entropy",
                 **options: Any) -> None:
        super().__init__(name=name, **options)
        self.smoothing, self.weights = smoothing, None if weights is None else [float(weight) for weight in weights]

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments.

        Returns:
            {argument: value}, from which `from_config` makes an equal loss.
        """
        return {**super().get_config(), "smoothing": self.smoothing, "weights": self.weights}

    def per_label(self, labels: Any, logits: Any) -> Any:
        """Return the loss of each label.

        Args:
            labels: Classes [...], integers, 0 to C - 1.
            logits: Logits [...,C].

        Returns:
            Losses [...], in the dtype of the logits.
        """
        log = ops.log_softmax(logits, axis=-1)
        right = ops.take_along_axis(log, labels[..., None], axis=-1)[..., 0]
        losses = -(1 - self.smoothing) * right - self.smoothing * ops.mean(log, axis=-1)
        if self.weights is not None:
            losses = losses * ops.take(ops.convert_to_tensor(self.weights, losses.dtype), labels)
        return losses


@keras.saving.register_keras_serializable("bertkit")
class RDrop(keras.losses.Loss):
    """The loss of two passes of the same rows, plus α times the distance between the passes (Liang et al. 2021).

    The two passes differ by their dropout. Called with labels [2B,...] and outputs [2B,...]: row i and row B + i are
    the same. The plain loss is the mean over both passes, as in the paper's code, where equation 3 has their sum.
    `sample_weight` [2B] weighs rows.

    Args:
        plain: The loss of one pass, a Keras loss.
        alpha: α, the weight of the distance.
        distance: Function (labels [B,...], outputs, others) -> the distance of each place, [B,...].
        name: Name of the loss.
        **options: What every Keras loss takes: `reduction`, `dtype`.

    >>> loss = RDrop(CrossEntropy(), alpha=1.0, distance=distance_of_classes)
    >>> round(float(loss(np.array([0, 0]), np.array([[0.0, 0.0], [0.0, 0.0]]))), 4)
    0.6931
    """

    def __init__(self, plain: Callable, alpha: float, distance: Callable, name: str = "r_drop",
                 **options: Any) -> None:
        super().__init__(name=name, **options)
        self.plain, self.alpha, self.distance = plain, alpha, distance

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        y_pred = keras.tree.map_structure(lambda x: ops.cast(x, self.dtype), y_pred)
        first, second = (keras.tree.map_structure(half, y_pred) for half in (_first, _second))
        apart = self.distance(_first(y_true), first, second)
        if sample_weight is not None:
            weights = ops.cast(_first(sample_weight), apart.dtype)
            apart = apart * ops.reshape(weights, (-1, *[1] * (len(apart.shape) - 1)))
        return self.plain(y_true, y_pred, sample_weight=sample_weight) + self.alpha * ops.mean(apart)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, the plain loss and the distance serialised.

        Returns:
            {argument: value}, from which `from_config` makes an equal loss.
        """
        return {**super().get_config(), "plain": keras.saving.serialize_keras_object(self.plain), "alpha": self.alpha,
                "distance": keras.saving.serialize_keras_object(self.distance)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "RDrop":
        """Return the loss that a config describes.

        Args:
            config: What `get_config` returned.

        Returns:
            An equal loss.
        """
        return cls(**{**config, **{name: keras.saving.deserialize_keras_object(config[name])
                                   for name in ("plain", "distance")}})


def _first(x):
    return x[:ops.shape(x)[0] // 2]


def _second(x):
    return x[ops.shape(x)[0] // 2:]


def labelled_positions(labels: Any) -> Any:
    """Return which labels count.

    Args:
        labels: Labels [...], integers, -1 where a place is not scored.

    Returns:
        float32 [...]: 1 for each label that counts, 0 for -1.

    Example:
        >>> [float(y) for y in labelled_positions(np.array([2, -1, 0]))]
        [1.0, 0.0, 1.0]
    """
    return ops.cast(labels >= 0, "float32")


def divergence(logits: Any, others: Any) -> Any:
    """Return the symmetric divergence of two distributions.

    ½ (KL(p‖q) + KL(q‖p)) = ½ Σ_c (p_c − q_c)(log p_c − log q_c), p and q the softmax of each side.

    Args:
        logits: Logits of p, [...,C].
        others: Logits of q, [...,C].

    Returns:
        The divergence of each place, [...].

    Example:
        >>> round(float(divergence(np.array([0.0, 0.0]), np.array([0.0, 1.0]))), 4)
        0.1155
    """
    p, q = ops.log_softmax(logits, axis=-1), ops.log_softmax(others, axis=-1)
    return ops.sum((ops.exp(p) - ops.exp(q)) * (p - q), axis=-1) / 2


@keras.saving.register_keras_serializable("bertkit")
def distance_of_classes(labels: Any, logits: Any, others: Any) -> Any:
    """Return the distance of two passes of a classifier or tagger: the divergence of the classes' probabilities.

    It is scaled so that its mean over all places is the mean over the places that have a label.

    Args:
        labels: Labels [...], integers, -1 where a place is not scored.
        logits: Logits of one pass, [...,C].
        others: Logits of the other pass, [...,C].

    Returns:
        The distance of each place, [...]; 0 where there is no label.
    """
    real = labelled_positions(ops.cast(labels, "int32"))
    return divergence(logits, others) * real / ops.maximum(ops.mean(real), 1.0 / ops.cast(ops.size(real), real.dtype))


@keras.saving.register_keras_serializable("bertkit")
def distance_of_several(labels: Any, logits: Any, others: Any) -> Any:
    """Return the distance of two passes of a multi-label classifier: ½ (σ(a) − σ(b))(a − b) of each label.

    Args:
        labels: Labels [B,C]; not used.
        logits: a, the logits of one pass, [B,C].
        others: b, the logits of the other pass, [B,C].

    Returns:
        The distance of each label, [B,C].
    """
    return (ops.sigmoid(logits) - ops.sigmoid(others)) * (logits - others) / 2


@keras.saving.register_keras_serializable("bertkit")
def distance_of_spans(labels: Any, outputs: dict[str, Any], others: dict[str, Any]) -> Any:
    """Return the distance of two passes of a `QuestionAnswering`: the mean divergence of start and end.

    Args:
        labels: The places of the answers; not used.
        outputs: {"start_logits", "end_logits"} of one pass, each [B,T].
        others: The same of the other pass.

    Returns:
        The distance of each row, [B].
    """
    return sum(divergence(outputs[name], others[name]) for name in ("start_logits", "end_logits")) / 2


@keras.saving.register_keras_serializable("bertkit")
def distance_of_numbers(labels: Any, values: Any, others: Any) -> Any:
    """Return the distance of two passes of a regression: the square of the difference.

    Liang et al. 2021, section 3.3.

    Args:
        labels: The numbers wanted; not used.
        values: Outputs of one pass, [B,1].
        others: Outputs of the other pass, [B,1].

    Returns:
        The distance of each row, [B,1].
    """
    return ops.square(values - others)


@dataclass(frozen=True)
class Fit:
    """Which knobs of `KNOBS` fit the loss of a kind of model.

    Args:
        what: The name of the kind in error messages, such as "a tagger".
        knobs: The knobs that fit.
        distance: The distance of two passes for R-Drop, a function (labels, outputs, others), or None.
    """

    what: str
    knobs: tuple = ()
    distance: Callable | None = None


SEVERAL = Fit("a classifier of several labels a row", KNOBS[:2], distance_of_several)


def fit_of_classifier(model: Any) -> Fit:
    """Return the `Fit` of a `Classifier`: of one label a row, of several, or of a score.

    Args:
        model: The `Classifier`.

    Returns:
        The `Fit`.
    """
    if model.multi_label:
        return SEVERAL
    if len(model.labels) == 1:
        return Fit("a score, a regression", KNOBS[:1], distance_of_numbers)
    return Fit("a classifier", KNOBS, distance_of_classes)


def fit_of_tagger(model: Any) -> Fit:
    """Return the `Fit` of a `TokenClassifier`.

    Args:
        model: The `TokenClassifier`.

    Returns:
        The `Fit`.
    """
    return Fit("a tagger", KNOBS, distance_of_classes)


def fit_of_chooser(model: Any) -> Fit:
    """Return the `Fit` of a `MultipleChoice`.

    Args:
        model: The `MultipleChoice`.

    Returns:
        The `Fit`.
    """
    return Fit("a multiple chooser", KNOBS[:2], distance_of_classes)


def fit_of_answerer(model: Any) -> Fit:
    """Return the `Fit` of a `QuestionAnswering`.

    Args:
        model: The `QuestionAnswering`.

    Returns:
        The `Fit`.
    """
    return Fit("an answerer", KNOBS[:1], distance_of_spans)


def find_fit(model: Any) -> Fit:
    """Return the `Fit` of a model, which its task declares.

    Args:
        model: A head of bertkit's.

    Returns:
        The `Fit`; one without knobs where no task declares any.
    """
    entry = entry_of_model(model)
    fit = entry and entry.part("fit")
    return fit(model) if fit else Fit(f"a {type(model).__name__}")
