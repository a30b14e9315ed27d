"""Knobs of trust: what dev chooses changes no label, and is measured on rows that did not choose."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from bertkit.card import Card
from bertkit.checkpoints import bundle
from bertkit.checkpoints.familiarity import Familiarity, read_familiarity, shrunk_covariance, write_familiarity
from bertkit.data.features import features_of
from bertkit.data.splits import EvalSplit
from bertkit.errors import Error
from bertkit.predictor import Predictor
from bertkit.tasks.classification import Classification
from bertkit.tasks.registry import metadata, task
from bertkit.tasks.regression import Regression
from bertkit.training.config import TrainConfig
from bertkit.training.trust import check_trust, familiarity_of, scale_logits, with_limits
from tests import exported, tiny

LABELS = ("a", "b", "c")
CLASSES = Classification(LABELS)


def held(count=60, seed=5, several=False):
    texts, _ = tiny.texts(count, seed)
    rng = np.random.default_rng(seed)
    targets = rng.integers(0, 2, (count, 3)) if several else rng.integers(0, 3, count)
    targets = targets.astype("int32")
    packed = Classification(LABELS, several).pack(tiny.tokenizer(), texts, 16, targets)
    return texts, EvalSplit(texts, targets, packed, features_of(packed, tiny.tokenizer()))


@pytest.mark.parametrize("several", [False, True])
def test_a_temperature_changes_no_label_and_lowers_the_loss(several):
    model = exported.spread(tiny.classifier(2, LABELS, multi_label=several))
    texts, dev = held(several=several)
    kind = Classification(LABELS, several)

    def answers():
        p = np.array(Predictor(model, tiny.tokenizer(), 16).predictions(texts))
        return kind.predicted_classes(p).tolist(), kind.loss(dev.targets, p), p

    before, (said, sentence), after = answers(), scale_logits(model, kind, dev), answers()
    assert after[0] == before[0] and after[1] < before[1] - 1e-3
    assert said["loss_after"] == pytest.approx(after[1], abs=1e-5) and f"{said['temperature']:.4f}" in sentence
    assert said["loss_before"] == pytest.approx(before[1], abs=1e-5)
    assert several or np.allclose(after[2].sum(1), 1, atol=1e-6)


def test_limits_say_what_they_were_chosen_for_and_what_they_reach():
    rng = np.random.default_rng(0)
    logits = 2 * rng.normal(size=(2000, 3))
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    targets = (p.cumsum(1) > rng.random((len(p), 1))).argmax(1)
    kind, said, sentences = with_limits(CLASSES, targets, p, TrainConfig(risk=0.1, coverage=0.9), seed=1)
    assert said["risk"]["low"] < 0.1 < said["risk"]["high"] and said["coverage"]["low"] < 0.9 < said["coverage"]["high"]
    assert said["risk"]["rows"] == said["coverage"]["rows"] == 1000 and len(sentences) == 2
    found = kind.answers([None] * 2000, p)
    kept = np.array([not answer["abstain"] for answer in found])
    right = np.array([LABELS[label] == answer["label"] for label, answer in zip(targets, found, strict=True)])
    assert 0.07 < 1 - right[kept].mean() < 0.13 and 0.2 < kept.mean() < 0.99
    assert all(answer["label"] in answer["set"] for answer in found)
    assert [answer["label"] for answer in found] == [answer["label"] for answer in CLASSES.answers([None] * 2000, p)]
    assert task(json.loads(json.dumps(metadata(kind)))) == kind
    curve = said["risk"]["curve"]
    assert curve[-1]["coverage"] == 1 and (np.diff([point["coverage"] for point in curve]) > 0).all()


def test_what_cannot_be_promised_is_said():
    p = np.array([[0.9, 0.1]] * 20)
    kind, said, sentences = with_limits(Classification(("a", "b")), np.ones(20, int), p, TrainConfig(risk=0.1), 0)
    assert kind.abstain_below is None and "not even the surest" in sentences[0] and "abstain_below" not in said["risk"]
    kind, _, sentences = with_limits(Classification(("a", "b")), np.zeros(6, int), p[:6], TrainConfig(coverage=0.9), 0)
    assert kind.set_from == 0 and "too few rows" in sentences[0]
    assert kind.answers([""], p[:1])[0]["set"] == ["a", "b"]


def test_without_the_knobs_nothing_changes():
    assert with_limits(CLASSES, [0], [[1, 0, 0]], TrainConfig(), 0) == (CLASSES, {}, [])
    assert metadata(CLASSES) == {"name": "classify", "labels": list(LABELS), "multi_label": False, "pairs": False,
                                 "positive": None, "threshold": 0.5}


@pytest.mark.parametrize("kind, knobs, sentence", [
    (Regression(), {"temperature": True}, "temperature is a knob of `bertkit classify`, and the task is score"),
    (Classification(LABELS, True), {"risk": 0.1}, "risk is for one class of each text"),
    (Classification(LABELS, True), {"coverage": 0.9}, "coverage is for one class of each text")])
def test_where_they_do_not_fit_they_are_refused(kind, knobs, sentence):
    with pytest.raises(Error, match=sentence):
        check_trust(tiny.classifier(), kind, TrainConfig(**knobs))


def test_a_task_takes_limits_from_0_to_1():
    with pytest.raises(Error, match="set_from=2 does not fit"):
        Classification(LABELS, set_from=2)
    with pytest.raises(Error, match="abstain_below=0.5 does not fit"):
        Classification(LABELS, True, abstain_below=0.5)


def test_distances_are_those_of_numpy_and_familiarity_is_a_rank():
    rng = np.random.default_rng(4)
    mix = rng.normal(size=(5, 5))
    train, dev, far = (rng.normal(size=(count, 5)) @ mix for count in (4000, 400, 3))
    classes = rng.integers(0, 2, 4000)
    centre = np.array([[0.0] * 5, [30.0] * 5])
    kept = Familiarity.fit(train + centre[classes], classes, dev + centre[np.arange(400) % 2])
    means = [(train + centre[classes])[classes == number].mean(0) for number in (0, 1)]
    inverse = np.linalg.inv(np.cov((train + centre[classes] - np.array(means)[classes]).T, bias=True))
    rows = np.concatenate([dev[:20], 40 + far])
    wanted = [min((row - mean) @ inverse @ (row - mean) for mean in means) for row in rows]
    np.testing.assert_allclose(kept.distance(rows), wanted, rtol=0.08)         # but for the shrinking
    scores = kept.scores(dev + centre[np.arange(400) % 2])
    assert sorted(scores)[::-1] == pytest.approx([(401 - place) / 401 for place in range(400)], abs=1e-9)
    assert kept.scores(1e3 + far) == [1 / 401] * 3 and kept.scores(means) == [1.0, 1.0]


@pytest.mark.parametrize("rows", [3, 30, 3000])
def test_shrinking_comes_nearer_to_the_true_covariance(rows):
    rng = np.random.default_rng(5)
    deviations = np.linspace(1, 3, 20)
    x = rng.normal(size=(rows, 20)) * deviations
    true, found = np.diag(deviations**2), shrunk_covariance(x)
    assert ((found - true)**2).sum() <= ((x.T @ x / rows - true)**2).sum() * 1.001
    kept = Familiarity.fit(x, np.zeros(rows, int), x)
    assert np.isfinite(kept.whitening).all()


@pytest.mark.slow
def test_texts_of_another_kind_are_less_familiar(tmp_path):
    """The bundle keeps it, `predict` gives it, and a damaged file is refused."""
    model = exported.spread(tiny.classifier(2, LABELS))
    texts, dev = held(200)
    train = SimpleNamespace(inputs=held(300, 6)[0], targets=held(300, 6)[1].targets)
    kept = familiarity_of(model, CLASSES, tiny.tokenizer(), 16, train, dev, seed=0)
    bundle.save(tmp_path / "bundle", model, tiny.tokenizer(), Card("tiny", "classify", bundle.describe(model)),
                length=16, task=CLASSES, familiarity=kept)
    predictor = Predictor(tmp_path / "bundle")
    near = [answer["familiarity"] for answer in predictor.predict(held(100, 7)[0])]
    far = [answer["familiarity"] for answer in predictor.predict(["x q z z q k", "k k k k k", "! ! . ,", "zzz qqq jj"])]
    assert 0.3 < np.mean(near) < 0.7 and np.mean(far) < 0.15, (np.mean(near), far)
    rows = [{"text": "a good film"}, {"text": "zq"}]
    assert [set(row) - {"text"} for row in predictor.predict_rows(rows)] == [{"label", "probabilities",
                                                                              "familiarity"}] * 2
    write_familiarity(tmp_path, kept._replace(means=kept.means[:, 1:]))
    with pytest.raises(Error, match="does not hold whitening, means, distances that fit"):
        read_familiarity(tmp_path)
