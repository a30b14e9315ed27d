"""What a model is trained by: its own loss, or that with smoothed labels, weighted classes and R-Drop."""

from collections.abc import Callable
from dataclasses import dataclass

import keras
import numpy as np
from keras import ops

from bertkit.errors import Error

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
        weights = balanced(labels, len(model.labels)) if tuning.class_weights else None
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


class CrossEntropy(keras.losses.Loss):
    """−w_y Σ_c q_c log p_c, q = (1 − ε) · 1[c = y] + ε/C, as the mean of all labels y but −1.

    ε as in Szegedy et al. 2016, section 7; `weights` [C] are w, by default 1. call(labels [...], logits [...,C]).
    """

    def __init__(self, smoothing=0.0, weights=None):
        super().__init__(name="cross_entropy", reduction=None)
        self.smoothing, self.weights = smoothing, weights

    def call(self, labels, logits):
        labels, log = ops.cast(labels, "int32"), ops.log_softmax(logits, axis=-1)
        real, labels = scored(labels), ops.maximum(labels, 0)
        right = ops.take_along_axis(log, labels[..., None], axis=-1)[..., 0]
        losses = -(1 - self.smoothing) * right - self.smoothing * ops.mean(log, axis=-1)
        if self.weights is not None:
            losses = losses * ops.take(ops.convert_to_tensor(self.weights, losses.dtype), labels)
        return mean(losses, real)


class RDrop(keras.losses.Loss):
    """plain + α · distance of two passes of the same rows, which differ by their dropout (Liang et al. 2021, R-Drop).

    call(labels [2B,...], outputs [2B,...]): row i and row B + i are the same. The plain loss is the mean over both
    passes, as in the paper's code, where equation 3 has their sum.
    """

    def __init__(self, plain, alpha, distance):
        super().__init__(name="r_drop", reduction=None)
        self.plain, self.alpha, self.distance = plain, alpha, distance

    def call(self, labels, outputs):
        first, second = (keras.tree.map_structure(half, outputs) for half in (_first, _second))
        return self.plain(labels, outputs) + self.alpha * self.distance(_first(labels), first, second)


def _first(x):
    return x[:ops.shape(x)[0] // 2]


def _second(x):
    return x[ops.shape(x)[0] // 2:]


def scored(labels):
    """Return 1 for each label that counts, 0 for −1, float32."""
    return ops.cast(labels >= 0, "float32")


def mean(values, real):
    """Return Σ values · real / Σ real; 0 where nothing is real."""
    return ops.sum(values * real) / ops.maximum(ops.sum(real), 1.0)


def divergence(logits, others):
    """Return ½ (KL(p‖q) + KL(q‖p)) = ½ Σ_c (p_c − q_c)(log p_c − log q_c), [...,C] and [...,C] -> [...]."""
    p, q = ops.log_softmax(logits, axis=-1), ops.log_softmax(others, axis=-1)
    return ops.sum((ops.exp(p) - ops.exp(q)) * (p - q), axis=-1) / 2


def of_classes(labels, logits, others):
    """Return the mean divergence of the classes' probabilities where there is a label."""
    return mean(divergence(logits, others), scored(ops.cast(labels, "int32")))


def of_several(labels, logits, others):
    """Return the mean divergence of each label's being given or not: ½ (σ(a) − σ(b))(a − b)."""
    return ops.mean((ops.sigmoid(logits) - ops.sigmoid(others)) * (logits - others)) / 2


def of_spans(labels, outputs, others):
    """Return the mean divergence of where answers start and of where they end."""
    return sum(ops.mean(divergence(outputs[name], others[name])) for name in ("start_logits", "end_logits")) / 2


def of_numbers(labels, values, others):
    """Return the mean square of the difference (Liang et al. 2021, section 3.3: regression)."""
    return ops.mean(ops.square(values - others))


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
