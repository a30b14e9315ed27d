"""A threshold that dev chose decides on the phone and in the SavedModel as in the bundle."""

import numpy as np
import pytest
import tensorflow as tf

from bertkit import ondevice
from bertkit.card import Card
from bertkit.checkpoints import bundle
from bertkit.export import export_saved_model, export_tflite, saved_model
from bertkit.predictor import Predictor
from bertkit.tasks.classification import Classification
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
