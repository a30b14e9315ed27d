"""What a model is trained by: its own loss, or that with smoothed labels, weighted classes and R-Drop."""

from collections.abc import Callable
from dataclasses import dataclass

import keras
import numpy as np
from keras import ops

from bertkit.errors import Error
from bertkit.heads.losses import TokenCrossEntropy

KNOBS = ("r_drop", "label_smoothing", "class_weights")


def loss(model, tuning, labels=None):
    """Return the Keras loss (labels, outputs) of a model, with what `tuning` adds to the model's own.

    `labels` are those of the training rows, whole numbers, −1 not scored; `class_weights` counts them. R-Drop wants
    each batch's rows twice over, first all of them and then all again (`BatchSampler.copies`). Raises `Error` for a
    knob that the head has no use for.
    """
    fit = fit_of(model)
    for knob in _set(tuning):
        if knob not in fit.knobs:
            raise Error(f"{knob} does not fit {fit.what}, which takes {', '.join(fit.knobs) or 'no such knob'}; "
                        "leave it out.")
    made = model.loss_function()
    if tuning.label_smoothing and fit is FITS["several"]:
        made = keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=tuning.label_smoothing)
    elif tuning.label_smoothing or tuning.class_weights:
        weights = balanced(labels, len(model.labels)).tolist() if tuning.class_weights else None
        made = CrossEntropy(tuning.label_smoothing, weights)
    return RDrop(made, tuning.r_drop, fit.distance) if tuning.r_drop else made


def plain(tuning):
    """Raise `Error` if `tuning` asks for what only `loss` gives: for what is trained by a loss of its own."""
    for knob in _set(tuning):
        raise Error(f"{knob} is for labelled texts and does not fit this training; leave it out.")


def _set(tuning):
    return [knob for knob in KNOBS if getattr(tuning, knob)]


def balanced(labels, classes):
    """Return n / (C · n_c) for each class c, C the number of those that occur (King and Zeng 2001); 0 for others.

    >>> balanced(np.array([0, 0, 0, 1, -1]), 3).round(3).tolist()
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

    def __init__(self, smoothing: float = 0.0, weights: list | None = None, name: str = "cross_entropy", **options):
        super().__init__(name=name, **options)
        self.smoothing, self.weights = smoothing, None if weights is None else [float(weight) for weight in weights]

    def get_config(self) -> dict:
        return {**super().get_config(), "smoothing": self.smoothing, "weights": self.weights}

    def each(self, labels, logits):
        """Return each label's loss, [...]."""
        log = ops.log_softmax(logits, axis=-1)
        right = ops.take_along_axis(log, labels[..., None], axis=-1)[..., 0]
        losses = -(1 - self.smoothing) * right - self.smoothing * ops.mean(log, axis=-1)
        if self.weights is not None:
            losses = losses * ops.take(ops.convert_to_tensor(self.weights, losses.dtype), labels)
        return losses


@keras.saving.register_keras_serializable("bertkit")
class RDrop(keras.losses.Loss):
    """plain + α · distance of two passes of the same rows, which differ by their dropout (Liang et al. 2021, R-Drop).

    Called with labels [2B,...] and outputs [2B,...]: row i and row B + i are the same. The plain loss is the mean over
    both passes, as in the paper's code, where equation 3 has their sum. `sample_weight` [2B] weighs rows.

    Args:
        plain: The loss of one pass, a Keras loss.
        alpha: α, what the distance counts.
        distance: Function (labels [B,...], outputs, others) -> the distance of each place, [B,...].
        name: Name of the loss.
    """

    def __init__(self, plain: Callable, alpha: float, distance: Callable, name: str = "r_drop", **options):
        super().__init__(name=name, **options)
        self.plain, self.alpha, self.distance = plain, alpha, distance

    def __call__(self, y_true, y_pred, sample_weight=None):
        y_pred = keras.tree.map_structure(lambda x: ops.cast(x, self.dtype), y_pred)
        first, second = (keras.tree.map_structure(half, y_pred) for half in (_first, _second))
        apart = self.distance(_first(y_true), first, second)
        if sample_weight is not None:
            weights = ops.cast(_first(sample_weight), apart.dtype)
            apart = apart * ops.reshape(weights, (-1, *[1] * (len(apart.shape) - 1)))
        return self.plain(y_true, y_pred, sample_weight=sample_weight) + self.alpha * ops.mean(apart)

    def get_config(self) -> dict:
        return {**super().get_config(), "plain": keras.saving.serialize_keras_object(self.plain), "alpha": self.alpha,
                "distance": keras.saving.serialize_keras_object(self.distance)}

    @classmethod
    def from_config(cls, config: dict) -> "RDrop":
        return cls(**{**config, **{name: keras.saving.deserialize_keras_object(config[name])
                                   for name in ("plain", "distance")}})


def _first(x):
    return x[:ops.shape(x)[0] // 2]


def _second(x):
    return x[ops.shape(x)[0] // 2:]


def scored(labels):
    """Return 1 for each label that counts, 0 for −1, float32."""
    return ops.cast(labels >= 0, "float32")


def divergence(logits, others):
    """Return ½ (KL(p‖q) + KL(q‖p)) = ½ Σ_c (p_c − q_c)(log p_c − log q_c), [...,C] and [...,C] -> [...]."""
    p, q = ops.log_softmax(logits, axis=-1), ops.log_softmax(others, axis=-1)
    return ops.sum((ops.exp(p) - ops.exp(q)) * (p - q), axis=-1) / 2


@keras.saving.register_keras_serializable("bertkit")
def of_classes(labels, logits, others):
    """Return the divergence of the classes' probabilities where there is a label; its mean is that over the labels."""
    real = scored(ops.cast(labels, "int32"))
    return divergence(logits, others) * real / ops.maximum(ops.mean(real), 1.0 / ops.cast(ops.size(real), real.dtype))


@keras.saving.register_keras_serializable("bertkit")
def of_several(labels, logits, others):
    """Return the divergence of each label's being given or not: ½ (σ(a) − σ(b))(a − b)."""
    return (ops.sigmoid(logits) - ops.sigmoid(others)) * (logits - others) / 2


@keras.saving.register_keras_serializable("bertkit")
def of_spans(labels, outputs, others):
    """Return the mean of the divergences of where the answer starts and of where it ends, for each row."""
    return sum(divergence(outputs[name], others[name]) for name in ("start_logits", "end_logits")) / 2


@keras.saving.register_keras_serializable("bertkit")
def of_numbers(labels, values, others):
    """Return the square of the difference (Liang et al. 2021, section 3.3: regression)."""
    return ops.square(values - others)


@dataclass(frozen=True)
class Fit:
    """What a kind of model is called, which of `KNOBS` suit its loss, and the distance of two passes for R-Drop."""

    what: str
    knobs: tuple = ()
    distance: Callable | None = None


FITS = {"Classifier": Fit("a classifier", KNOBS, of_classes),
        "several": Fit("a classifier of several labels a row", KNOBS[:2], of_several),
        "score": Fit("a score, a regression", KNOBS[:1], of_numbers),
        "TokenClassifier": Fit("a tagger", KNOBS, of_classes),
        "MultipleChoice": Fit("a multiple chooser", KNOBS[:2], of_classes),
        "QuestionAnswering": Fit("an answerer", KNOBS[:1], of_spans)}


def fit_of(model):
    """Return the `Fit` of a model."""
    name = type(model).__name__
    if name == "Classifier" and model.multi_label:
        return FITS["several"]
    if name == "Classifier" and len(model.labels) == 1:
        return FITS["score"]
    return FITS.get(name, Fit(f"a {name}"))
