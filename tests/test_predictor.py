"""A bundle that answers: the same numbers as its model, the same meaning as its task."""

import numpy as np
import pytest

from bertkit import ondevice
from bertkit.card import Card
from bertkit.checkpoints import bundle
from bertkit.data.columns import Columns
from bertkit.data.features import featurize
from bertkit.errors import Error
from bertkit.predictor import Predictor
from bertkit.tasks.classification import Classification, softmax
from tests import exported, tiny


@pytest.fixture(scope="module")
def predictor():
    return Predictor(exported.bundled())


def test_probabilities_are_the_models(predictor):
    texts, _ = tiny.texts(40)
    features = featurize(tiny.tokenizer(), texts, None, exported.LENGTH)
    logits = np.asarray(predictor.model(features.batch(range(40))))
    np.testing.assert_allclose(predictor.predictions(texts), softmax(logits), atol=1e-6)


def test_an_answer_does_not_depend_on_what_else_is_asked(predictor):
    texts, _ = tiny.texts(40)
    together = np.array(predictor.predictions(texts))
    alone = np.concatenate([predictor.predictions([text]) for text in texts[:5]])
    np.testing.assert_allclose(together[:5], alone, atol=1e-6)
    assert np.ptp(together, axis=0).max() > 0.1


def test_nothing_asked_is_nothing_answered(predictor):
    assert predictor.predict([]) == []


def test_pairs_and_single_texts_are_not_mixed_up(predictor):
    with pytest.raises(Error, match="Row 1 is .*reads single texts"):
        predictor.predict([("a", "b")])
    with pytest.raises(Error, match=r"Row 1 is 'a'; this model reads tuples \(first text, second text\)"):
        Predictor(exported.bundled(**exported.PAIRS)).predict(["a"])


def test_intervals_are_around_the_scores(predictor):
    path = exported.dev(40)
    scores, intervals = (predictor.evaluate(path, Columns(), intervals=intervals) for intervals in (False, True))
    assert scores.pop("rows") == intervals.pop("rows") == 40
    for name, score in scores.items():
        assert intervals[name]["score"] == score
        assert intervals[name]["low"] < score < intervals[name]["high"]


def test_one_output_is_a_score(tmp_path):
    model = tiny.classifier(labels=("score",))
    bundle.save(tmp_path / "one", model, tiny.tokenizer(), Card("one", "score", bundle.describe(model)))
    answer, = Predictor(tmp_path / "one").predict(["good"])
    assert isinstance(answer["score"], float)


def test_one_label_of_a_multi_label_model_is_one(tmp_path):
    model = tiny.classifier(labels=("spam",), multi_label=True)
    bundle.save(tmp_path / "one", model, tiny.tokenizer(), Card("one", "classify", bundle.describe(model)))
    answer, = Predictor(tmp_path / "one").predict(["good"])
    assert set(answer["probabilities"]) == {"spam"}


def test_a_file_of_another_bundle_is_refused(monkeypatch, tmp_path):
    class Device:
        task, tokenizer, length = Classification(("other", "labels")), None, 16

    monkeypatch.setattr(ondevice, "load", lambda folder, model: Device())
    with pytest.raises(Error, match="exported from another bundle: its task is .*other.*labels"):
        Predictor(exported.bundled(), tflite=tmp_path / "model.tflite")
