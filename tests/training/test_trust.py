"""Knobs of trust: what dev chooses changes no label, and is measured on rows that did not choose."""

import json

import numpy as np
import pytest

from bertkit.data.features import features_of
from bertkit.data.splits import EvalSplit
from bertkit.errors import Error
from bertkit.predictor import Predictor
from bertkit.tasks.classification import Classification
from bertkit.tasks.registry import metadata, task
from bertkit.tasks.regression import Regression
from bertkit.training.config import TrainConfig
from bertkit.training.trust import check_trust, scale_logits, with_limits
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
    assert curve[-1]["coverage"] == 1 and all(one["coverage"] < two["coverage"] for one, two in zip(curve, curve[1:]))


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
