"""What a model is trained by, against the formulas in numpy."""

import numpy as np
import pytest

from bertkit.encoder import Encoder
from bertkit.errors import Error
from bertkit.heads import Classifier, LanguageModel, MultipleChoice, QuestionAnswering, TokenClassifier
from bertkit.training.config import TrainConfig
from bertkit.training.losses import KNOBS, Fit, balanced_class_weights, check_no_loss_knobs, loss
from tests import tiny

RNG = np.random.default_rng(0)
LABELS = ("a", "b", "c")
ENCODER = Encoder(tiny.CONFIG.but(num_layers=1))
CLASSIFIER, TAGGER = Classifier(ENCODER, LABELS), TokenClassifier(ENCODER, LABELS)
LOGITS, CLASSES = RNG.normal(size=(4, 3)).astype("float32"), np.array([2, 0, 0, 1])
TAG_LOGITS, TAGS = RNG.normal(size=(4, 5, 3)).astype("float32"), RNG.integers(-1, 3, (4, 5))


def log_softmax(z):
    z = z.astype("float64")
    return z - np.log(np.exp(z).sum(-1, keepdims=True))


def cross_entropy(labels, logits, smoothing=0.0, weights=None):
    """The mean over labels that are not −1, one by one."""
    log, found = log_softmax(logits), []
    for place in np.ndindex(labels.shape):
        if labels[place] >= 0:
            target = np.full(logits.shape[-1], smoothing / logits.shape[-1])
            target[labels[place]] += 1 - smoothing
            found.append(-(target * log[place]).sum() * (1 if weights is None else weights[labels[place]]))
    return np.mean(found)


def symmetric(a, b):
    p, q = log_softmax(a), log_softmax(b)
    return ((np.exp(p) * (p - q)).sum(-1) + (np.exp(q) * (q - p)).sum(-1)) / 2


def of(model, tuning, labels, outputs, seen=None):
    return float(loss(model, TrainConfig(**tuning), seen)(labels, outputs))


@pytest.mark.parametrize("model, labels, logits", [(CLASSIFIER, CLASSES, LOGITS), (TAGGER, TAGS, TAG_LOGITS)])
def test_smoothed_labels_and_weighted_classes(model, labels, logits):
    seen = np.array([0, 0, 0, 0, 1, -1, 2, 2])
    weights = np.array([7 / 12, 7 / 3, 7 / 6])
    np.testing.assert_allclose(balanced_class_weights(seen, 3), weights)
    for knobs, smoothing, used in (({}, 0, None), ({"label_smoothing": 0.1}, 0.1, None),
                                   ({"class_weights": "balanced"}, 0, weights),
                                   ({"label_smoothing": 0.2, "class_weights": "balanced"}, 0.2, weights)):
        found = of(model, knobs, labels, logits, seen)
        assert found == pytest.approx(cross_entropy(labels, logits, smoothing, used), rel=1e-5)
        assert abs(found - cross_entropy(labels, logits, smoothing + 0.05, used)) > 1e-4      # the planted fault


def test_smoothed_labels_of_several_a_row():
    model, labels = Classifier(ENCODER, LABELS, multi_label=True), RNG.integers(0, 2, (4, 3)).astype("float32")
    target, p = labels * 0.9 + 0.05, 1 / (1 + np.exp(-LOGITS.astype("float64")))
    wanted = -(target * np.log(p) + (1 - target) * np.log(1 - p)).mean()
    assert of(model, {"label_smoothing": 0.1}, labels, LOGITS) == pytest.approx(wanted, rel=1e-5)


def test_r_drop_of_classes():
    labels = np.tile(CLASSES[:2], 2)
    wanted = cross_entropy(labels, LOGITS) + 3 * symmetric(LOGITS[:2], LOGITS[2:]).mean()
    assert of(CLASSIFIER, {"r_drop": 3.0}, labels, LOGITS) == pytest.approx(wanted, rel=1e-5)
    neighbours = cross_entropy(labels, LOGITS) + 3 * symmetric(LOGITS[::2], LOGITS[1::2]).mean()
    assert abs(wanted - neighbours) > 1e-2                                  # the planted fault


def test_r_drop_of_tags_counts_where_there_is_a_label():
    labels = np.tile(TAGS[:2], (2, 1))
    distances = symmetric(TAG_LOGITS[:2], TAG_LOGITS[2:])[labels[:2] >= 0]
    wanted = cross_entropy(labels, TAG_LOGITS) + 2 * distances.mean()
    assert of(TAGGER, {"r_drop": 2.0}, labels, TAG_LOGITS) == pytest.approx(wanted, rel=1e-5)


def test_r_drop_of_several_a_row():
    model, labels = Classifier(ENCODER, LABELS, multi_label=True), np.ones((4, 3), "float32")
    p = 1 / (1 + np.exp(-LOGITS.astype("float64")))
    both = np.log(np.stack([p, 1 - p], axis=-1))                            # each label as two classes
    wanted = -np.log(p).mean() + 2 * symmetric(both[:2], both[2:]).mean()
    assert of(model, {"r_drop": 2.0}, labels, LOGITS) == pytest.approx(wanted, rel=1e-5)


def test_r_drop_of_spans():
    starts, ends = (RNG.normal(size=(4, 6)).astype("float32") for _ in range(2))
    places = np.tile([[1, 2], [0, 5]], (2, 1))
    wanted = (cross_entropy(places[:, 0], starts) + cross_entropy(places[:, 1], ends)) / 2 + 1.5 * (
        symmetric(starts[:2], starts[2:]).mean() + symmetric(ends[:2], ends[2:]).mean()) / 2
    found = of(QuestionAnswering(ENCODER), {"r_drop": 1.5}, places, {"start_logits": starts, "end_logits": ends})
    assert found == pytest.approx(wanted, rel=1e-5)


def test_r_drop_of_a_score():
    values, targets = RNG.normal(size=(4, 1)).astype("float32"), np.tile([[1.0], [2.0]], (2, 1)).astype("float32")
    wanted = ((values - targets) ** 2).mean() + 0.5 * ((values[:2] - values[2:]) ** 2).mean()
    assert of(Classifier(ENCODER, ["score"]), {"r_drop": 0.5}, targets, values) == pytest.approx(wanted, rel=1e-5)


def test_r_drop_of_choices():
    labels = np.tile(CLASSES[:2], 2)
    wanted = cross_entropy(labels, LOGITS, 0.1) + symmetric(LOGITS[:2], LOGITS[2:]).mean()
    found = of(MultipleChoice(ENCODER), {"r_drop": 1.0, "label_smoothing": 0.1}, labels, LOGITS)
    assert found == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize("model, knobs, words", [
    (Classifier(ENCODER, ["score"]), {"label_smoothing": 0.1}, "label_smoothing does not fit a score, a regression"),
    (Classifier(ENCODER, LABELS, multi_label=True), {"class_weights": "balanced"}, "does not fit a class.* of several"),
    (QuestionAnswering(ENCODER), {"label_smoothing": 0.1},
     "label_smoothing does not fit an answerer, which takes r_drop"),
    (MultipleChoice(ENCODER), {"class_weights": "balanced"}, "does not fit a multiple chooser"),
    (LanguageModel(ENCODER), {"r_drop": 1.0}, "r_drop does not fit a LanguageModel, which takes no such knob"),
    (CLASSIFIER, {"class_weights": "balanced"}, "needs the training rows' labels")])
def test_what_does_not_fit_is_an_error(model, knobs, words):
    with pytest.raises(Error, match=words):
        loss(model, TrainConfig(**knobs))


def test_r_drop_of_a_fit_without_a_distance_is_an_error(monkeypatch):
    monkeypatch.setattr("bertkit.training.losses.find_fit", lambda model: Fit("a head of mine", KNOBS))
    with pytest.raises(Error, match="r_drop does not fit a head of mine, which has no distance"):
        loss(CLASSIFIER, TrainConfig(r_drop=1.0))


def test_a_training_with_its_own_loss_takes_none_of_these():
    check_no_loss_knobs(TrainConfig(lora=8))
    with pytest.raises(Error, match="r_drop is for labelled texts"):
        check_no_loss_knobs(TrainConfig(r_drop=1.0))
