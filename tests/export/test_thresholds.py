"""A threshold that dev chose decides on the phone and in the SavedModel as in the bundle."""

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from bertkit import ondevice
from bertkit.card import Card
from bertkit.checkpoints import bundle
from bertkit.checkpoints.familiarity import Familiarity
from bertkit.export import export_saved_model, export_tflite, saved_model
from bertkit.heads.vectors import HeadVectors
from bertkit.predictor import Predictor
from bertkit.tasks.classification import Classification
from bertkit.training import scoring
from tests import exported, tiny

TEXTS = tiny.texts(40, seed=9)[0]


def thresholded(folder, several):
    """Write a bundle whose threshold makes it decide otherwise than at a half."""
    model = exported.spread(tiny.classifier(3, ("no", "yes"), multi_label=several))
    kind = Classification(("no", "yes"), several, positive=None if several else "no")
    bundle.save(folder, model, tiny.tokenizer(), Card("tiny", "classify", bundle.describe(model)), None,
                length=exported.LENGTH, task=kind)
    p = np.array(Predictor(folder).predictions(TEXTS))[:, 0]
    values = np.unique(p[(p > 0.02) & (p < 0.48)] if ((p > 0.02) & (p < 0.48)).any() else p)
    middle = float(values[:2].mean())
    kind = Classification(("no", "yes"), several, positive=kind.positive, threshold=middle)
    assert (p > middle).tolist() != (p > 0.5).tolist(), "the threshold changes nothing, so nothing is tested"
    bundle.save(folder, model, tiny.tokenizer(), Card("tiny", "classify", bundle.describe(model)), None,
                length=exported.LENGTH, task=kind)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("several", [False, True])
def test_every_client_decides_as_the_bundle(tmp_path, monkeypatch, several):
    folder = thresholded(tmp_path / "bundle", several)
    name = "labels" if several else "label"
    wanted = [answer[name] for answer in Predictor(folder).predict(TEXTS)]
    monkeypatch.setattr("bertkit.export.candidates.convert", exported.in_process)
    export_tflite(folder, tmp_path / "phone", "float32")
    assert [answer[name] for answer in ondevice.load(tmp_path / "phone").predict(TEXTS)] == wanted
    monkeypatch.setattr(saved_model, "_reloaded", exported.reloaded_here)
    export_saved_model(folder, tmp_path / "served")
    found = tf.saved_model.load(tmp_path / "served").signatures["serving_default"](text=tf.constant(TEXTS))
    if several:
        given = [[label for label, yes in zip(("no", "yes"), row, strict=True) if yes]
                 for row in found["given"].numpy()]
    else:
        given = [label.decode() for label in found["label"].numpy()]
    assert given == wanted


@pytest.mark.slow
def test_limits_and_familiarity_are_those_of_the_bundle(tmp_path, monkeypatch):
    """On the device there is no familiarity, and that is said."""
    model = exported.spread(tiny.classifier(3, exported.LABELS))
    task = Classification(exported.LABELS)
    held = [np.array(scoring.outputs(HeadVectors(model), tiny.features(60, seed))) for seed in (1, 2)]
    p = np.array(Predictor(model, tiny.tokenizer(), exported.LENGTH).predictions(TEXTS))
    task = replace(task, abstain_below=float(np.median(p.max(1))) + 1e-4,
                   set_from=float(np.median(np.sort(p, 1)[:, 1])) + 1e-4)
    bundle.save(tmp_path / "bundle", model, tiny.tokenizer(), Card("tiny", "classify", bundle.describe(model)),
                length=exported.LENGTH, task=task, familiarity=Familiarity.fit(held[0], np.arange(60) % 3, held[1]))
    wanted = Predictor(tmp_path / "bundle").predict(TEXTS)
    assert len({answer["abstain"] for answer in wanted}) == 2 and len({len(one["set"]) for one in wanted}) > 1
    assert len({answer["familiarity"] for answer in wanted}) > 5
    monkeypatch.setattr("bertkit.export.candidates.convert", exported.in_process)
    export_tflite(tmp_path / "bundle", tmp_path / "phone", "float32")
    for one, other in zip(ondevice.load(tmp_path / "phone").predict(TEXTS), wanted, strict=True):
        assert (one["abstain"], one["set"], "familiarity" in one) == (other["abstain"], other["set"], False)
    monkeypatch.setattr(saved_model, "_reloaded", exported.reloaded_here)
    export_saved_model(tmp_path / "bundle", tmp_path / "served")
    found = tf.saved_model.load(tmp_path / "served").signatures["serving_default"](text=tf.constant(TEXTS))
    assert found["abstain"].numpy().tolist() == [answer["abstain"] for answer in wanted]
    assert [[label for label, yes in zip(exported.LABELS, row, strict=True) if yes] for row in found["set"].numpy()] \
        == [answer["set"] for answer in wanted]
    np.testing.assert_allclose(found["familiarity"].numpy(), [answer["familiarity"] for answer in wanted], atol=0.02)
