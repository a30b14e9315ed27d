"""The SavedModel: strings in, answers out, where nothing but TensorFlow and its text operations is known."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from bertkit.card import Card
from bertkit.errors import Error
from bertkit.export import export_saved_model, saved_model, source
from tests import exported

ALONE = """
import runpy, sys
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("bertkit", "keras_nlp", "keras_hub", "transformers", "torch"):
            raise ImportError(name + " must not be imported here")
sys.meta_path.insert(0, Blocker())
runpy.run_path({script!r}, run_name="__main__")
"""


@pytest.mark.slow
def test_strings_in_answers_out_where_only_tensorflow_is_known(tmp_path, monkeypatch):
    script, reloaded, found = tmp_path / "alone.py", saved_model._reloaded, {}
    script.write_text(ALONE.format(script=saved_model.reload.__file__))
    monkeypatch.setattr(saved_model.reload, "__file__", str(script))
    monkeypatch.setattr(saved_model, "_reloaded", lambda *asked: found.update(reloaded(*asked)) or found)
    export_saved_model(exported.bundled(), tmp_path / "served")
    wanted = exported.probabilities(source.PROBES)
    assert np.ptp(wanted, axis=0).min() > 0.1, "the model says the same of every text, so nothing is tested"
    np.testing.assert_allclose(found["serving_default/probabilities"], wanted, atol=1e-5)
    assert found["tokens/logits"].shape == (source.RANDOM_ROWS, 3)
    assert found["serving_default/label"].tolist() == [exported.LABELS[i] for i in wanted.argmax(axis=1)]
    card = Card.read(tmp_path / "served" / "card.json")
    assert card.parity["texts"]["rows"] == len(source.PROBES)
    weights = (exported.bundled() / "weights.safetensors").stat().st_size
    stored = (tmp_path / "served" / "variables" / "variables.data-00000-of-00001").stat().st_size
    assert stored < 1.5 * weights, "the weights are stored twice"


@pytest.fixture
def unchecked(monkeypatch):
    """Let what another process would find be what the model says, changed by a function."""
    def plant(bundle, change):
        def found(place, rows, texts):
            inputs = list(zip(*texts.values(), strict=True)) if len(texts) > 1 else texts["text"]
            return change({"tokens/logits": bundle.model.predict_on_batch(rows),
                           "serving_default/probabilities": np.array(bundle.predictions(inputs))})
        monkeypatch.setattr(saved_model, "_reloaded", found)
    return plant


@pytest.mark.slow
def test_pairs_and_several_labels(tmp_path, unchecked):
    bundle = source.open_predictor(exported.bundled(**exported.PAIRS))
    unchecked(bundle, dict)
    export_saved_model(exported.bundled(**exported.PAIRS), tmp_path / "served")
    serve = tf.saved_model.load(tmp_path / "served").signatures["serving_default"]
    texts = list(source.PROBES), list(source.PROBES[::-1])
    found = serve(text=tf.constant(texts[0]), second=tf.constant(texts[1]))
    wanted = np.array(bundle.predictions(list(zip(*texts, strict=True))))
    np.testing.assert_allclose(found["probabilities"], wanted, atol=1e-5)
    np.testing.assert_array_equal(found["given"], wanted > 0.5)


@pytest.mark.parametrize("output", ["tokens/logits", "serving_default/probabilities"])
def test_a_file_that_answers_otherwise_is_refused(tmp_path, monkeypatch, unchecked, output):
    unchecked(source.open_predictor(exported.bundled()), lambda found: {**found, output: found[output][::-1]})
    monkeypatch.setattr(saved_model, "_write", lambda bundle, served, place: (place / "saved_model.pb").touch())
    with pytest.raises(Error, match="answers otherwise than the model"):
        export_saved_model(exported.bundled(), tmp_path / "served")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("message", [
    "{{function_node SaveV2}} /x/part-0; No space left on device [Op:SaveV2]",
    "/x/saved_model.pb.tmp1; No space left on device"])
def test_a_full_disk_is_one_sentence_and_leaves_nothing(tmp_path, monkeypatch, message):
    def full(*_, **__):
        raise tf.errors.ResourceExhaustedError(None, None, message)

    monkeypatch.setattr(type(keras.export.ExportArchive()), "write_out", full)
    out = tmp_path / "served"
    with pytest.raises(Error) as caught:
        export_saved_model(exported.bundled(), out)
    assert str(caught.value) == f"Writing {out} failed (No space left on device); nothing was left there."
    assert list(tmp_path.iterdir()) == []


def test_what_fails_in_the_fresh_process_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(saved_model.reload, "__file__", str(tmp_path / "nothing.py"))
    with pytest.raises(Error, match="does not load in a fresh process"):
        saved_model._reloaded(tmp_path, {}, {})
