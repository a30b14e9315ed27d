"""bertkit's own form: what is saved comes back bit for bit, whole or not at all, and guarded by sums."""

import errno
import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bertkit import checkpoints
from bertkit.card import Card
from bertkit.checkpoints import bundle
from bertkit.checkpoints.tensors import variables
from bertkit.encoder import Encoder
from bertkit.errors import Error
from bertkit.files import folders as files
from bertkit.heads import Classifier
from tests import tiny

CARD = Card(name="film", task="classify", model={})
ROWS = tiny.features(8).batch(range(4))


def save(folder, model=None, **options):
    model = model or tiny.classifier()
    bundle.save(folder, model, tiny.tokenizer(), CARD, ROWS, length=16, **options)
    return model


def change_json(path, **changes):
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def weights(model):
    return {name: np.asarray(variable) for name, variable in variables(model).items()}


MODELS = {
    "classifier": lambda: tiny.classifier(1),
    "multi-label": lambda: tiny.classifier(2, labels=("a", "b", "c"), multi_label=True, dropout=0.3),
    "encoder": lambda: Encoder(tiny.CONFIG),
    "no pooler": lambda: Encoder(tiny.CONFIG.but(pooler=None)),
    "tanh": lambda: Encoder(tiny.CONFIG.but(activation="gelu_tanh", layer_norm_epsilon=1e-5)),
    "another name": lambda: Classifier(Encoder(tiny.CONFIG, name="student"), ["a", "b"], name="pupil"),
    "half precision": lambda: Encoder(tiny.CONFIG, dtype="mixed_bfloat16"),
}


def test_weights_that_are_stored_in_half_are_rounded_once(tmp_path):
    model = save(tmp_path / "half", storage="float16")
    save(tmp_path / "whole", model)
    found = weights(checkpoints.load(tmp_path / "half"))
    for name, value in weights(model).items():
        assert found[name].dtype == value.dtype == "float32"
        np.testing.assert_array_equal(found[name], value.astype("float16").astype("float32"))
    half, whole = ((tmp_path / name / "weights.safetensors").stat().st_size for name in ("half", "whole"))
    assert half < 0.6 * whole


@pytest.mark.parametrize("kind", MODELS)
def test_what_is_saved_comes_back_bit_for_bit(tmp_path, kind):
    model = MODELS[kind]()
    rng = np.random.default_rng(1)
    for variable in variables(model).values():
        variable.assign(rng.standard_normal(variable.shape))
    save(tmp_path / "saved", model)
    loaded = checkpoints.load(tmp_path / "saved")
    assert bundle.describe(loaded) == bundle.describe(model)
    assert getattr(loaded, "encoder", loaded).config == getattr(model, "encoder", model).config
    np.testing.assert_equal(weights(loaded), weights(model))


def test_frozen_weights_are_saved_and_loaded_too(tmp_path):
    model = tiny.classifier()
    model.encoder.trainable = False
    save(tmp_path / "saved", model)
    np.testing.assert_equal(weights(checkpoints.load(tmp_path / "saved")), weights(model))
    assert len(weights(model)) == len(weights(tiny.classifier()))


def test_answers_come_back_bit_for_bit(tmp_path):
    model = save(tmp_path / "saved")
    np.testing.assert_array_equal(checkpoints.load(tmp_path / "saved")(ROWS), model(ROWS))


def test_the_encoder_alone(tmp_path):
    model = save(tmp_path / "saved")
    encoder = checkpoints.load(tmp_path / "saved", part="encoder", activation="relu")
    assert isinstance(encoder, Encoder) and encoder.config.activation == "relu"
    np.testing.assert_equal(weights(encoder), weights(model.encoder))


def test_calibration_rows_come_back_or_are_not_there(tmp_path):
    save(tmp_path / "saved")
    np.testing.assert_equal(bundle.calibration(tmp_path / "saved"), ROWS)
    bundle.save(tmp_path / "without", tiny.classifier(), tiny.tokenizer(), CARD)
    assert bundle.calibration(tmp_path / "without") is None


def test_the_tokenizer_and_the_length_come_back(tmp_path):
    save(tmp_path / "saved")
    values = bundle.read_metadata(tmp_path / "saved")
    assert values["length"] == 16
    rows = tiny.texts()[0]
    assert bundle.tokenizer(tmp_path / "saved", values).ids(rows) == tiny.tokenizer().ids(rows)


# ------------------------------------------------------------------------------------------- damage


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundles") / "saved"
    save(folder)
    return folder


def refused(folder, *words):
    with pytest.raises(Error) as caught:
        checkpoints.load(folder)
    assert all(word in str(caught.value) for word in words), caught.value


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(["weights.safetensors", "vocab.txt", "card.json", "calibration.safetensors"]),
       place=st.floats(0, 1, exclude_max=True), value=st.integers(1, 255), cut=st.booleans())
def test_one_changed_byte_of_any_file_is_seen(saved, name, place, value, cut):
    whole = (saved / name).read_bytes()
    content, place = bytearray(whole), int(place * len(whole))
    content[place] ^= value
    (saved / name).write_bytes(content[:place] if cut else content)
    try:
        refused(saved, name, "is not the file that was written", "copy the bundle again")
    finally:
        (saved / name).write_bytes(whole)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0, 1, exclude_max=True), value=st.integers(1, 255), cut=st.booleans())
def test_whatever_the_damage_to_the_manifest_it_is_one_error(saved, place, value, cut):
    path = saved / "bundle.json"
    whole = path.read_bytes()
    content, place = bytearray(whole), int(place * len(whole))
    content[place] ^= value
    path.write_bytes(content[:place] if cut else content)
    try:
        checkpoints.load(saved)
    except Error as error:
        assert len(str(error)) > 20
    finally:
        path.write_bytes(whole)


@pytest.mark.parametrize("name", ["weights.safetensors", "vocab.txt", "card.json"])
def test_a_missing_file_is_named(tmp_path, name):
    save(tmp_path / "saved")
    (tmp_path / "saved" / name).unlink()
    refused(tmp_path / "saved", name, "is missing")


@pytest.mark.parametrize("changes, words", [
    ({"format": 2}, ("format 2", "reads 1")), ({"format": None}, ("format None",)),
    ({"model": None}, ("says nothing usable about model",)),
    ({"files": []}, ("says nothing usable about files",)),
    ({"config": [], "length": "5"}, ("nothing usable about config, length",)),
    ({"files": {}}, ("weights.safetensors", "is not the file that was written")),
    ({"files": {"../../secret": {}}}, ("is missing, and the bundle's manifest names it",)),
    ({"model": {"kind": "Oracle"}}, ("holds a 'Oracle'",)),
    ({"model": {"kind": "Classifier"}}, ("does not describe a Classifier",)),
    ({"model": {"kind": "Encoder"}}, ("unread: classify/logits/",)),
])
def test_a_manifest_that_does_not_fit(tmp_path, changes, words):
    save(tmp_path / "saved")
    change_json(tmp_path / "saved" / "bundle.json", **changes)
    refused(tmp_path / "saved", *words)


@pytest.mark.parametrize("changes, words", [
    ({"num_layers": 1}, ("unread: encoder/block_1/",)), ({"num_layers": 3}, ("missing: encoder/block_2/",)),
    ({"num_layers": 9_999}, ("its config describes",)),
    ({"num_layers": 10**9}, ("more than any encoder has",)), ({"alibi": True}, ("does not know",)),
    ({"hidden_dim": 32}, ("misshapen: ", "encoder/block_0/attention/value/bias is [16], wanted [32]")),
    ({"attention": {"kind": "Cone"}}, ("names the kind 'Cone'",)),
    ({"attention": {"kind": "Full", "causal": "no"}}, ("causal='no'",))])
def test_a_config_that_does_not_fit(tmp_path, changes, words):
    save(tmp_path / "saved")
    path = tmp_path / "saved" / "bundle.json"
    config = json.loads(path.read_text())["config"]
    change_json(path, config={**config, **changes})
    refused(tmp_path / "saved", *words)


# ------------------------------------------------------------------------------------------ writing


def disk_full(*_, **__):
    raise OSError(errno.ENOSPC, "No space left on device")


def interrupted(*_, **__):
    raise KeyboardInterrupt


@pytest.mark.parametrize("there", [False, True], ids=["nothing there", "a bundle there"])
@pytest.mark.parametrize("module, name", [
    (bundle, "write_bytes"), (bundle, "write_json"), (bundle, "sha256"), (files.os, "fsync")])
@pytest.mark.parametrize("fault, raised", [(disk_full, Error), (interrupted, KeyboardInterrupt)])
def test_an_interrupted_save_leaves_nothing(tmp_path, monkeypatch, there, module, name, fault, raised):
    old = save(tmp_path / "saved", tiny.classifier(1)) if there else None
    with monkeypatch.context() as patched:
        patched.setattr(module, name, fault)
        with pytest.raises(raised) as caught:
            save(tmp_path / "saved", tiny.classifier(2))
    if raised is Error:
        assert "No space left on device" in str(caught.value) and "saved" in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["saved"] * there
    if there:
        np.testing.assert_equal(weights(checkpoints.load(tmp_path / "saved")), weights(old))


def test_a_failing_last_step_puts_the_old_bundle_back(tmp_path, monkeypatch):
    old = save(tmp_path / "saved", tiny.classifier(1))
    replace = files.os.replace

    def fails_once(source, target):
        if target == tmp_path / "saved" and ".old." not in str(source):
            disk_full()
        replace(source, target)

    with monkeypatch.context() as patched:
        patched.setattr(files.os, "replace", fails_once)
        with pytest.raises(Error, match="No space left"):
            save(tmp_path / "saved", tiny.classifier(2))
    assert [path.name for path in tmp_path.iterdir()] == ["saved"]
    np.testing.assert_equal(weights(checkpoints.load(tmp_path / "saved")), weights(old))


def test_a_bundle_is_replaced_by_the_next(tmp_path):
    save(tmp_path / "saved", tiny.classifier(1))
    new = save(tmp_path / "saved", tiny.classifier(2))
    np.testing.assert_equal(weights(checkpoints.load(tmp_path / "saved")), weights(new))
    assert [path.name for path in tmp_path.iterdir()] == ["saved"]


def test_a_folder_of_something_else_is_not_overwritten(tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("years of work")
    with pytest.raises(Error, match="thesis is a folder with other things in it; choose a new --out"):
        save(tmp_path / "thesis")
    assert [path.name for path in tmp_path.rglob("*")] == ["thesis", "chapter.txt"]


def test_an_empty_folder_is_used_and_a_file_is_not(tmp_path):
    (tmp_path / "empty").mkdir()
    save(tmp_path / "empty")
    checkpoints.load(tmp_path / "empty")
    (tmp_path / "note").write_text("mine")
    with pytest.raises(Error, match="note"):
        save(tmp_path / "note")
    assert (tmp_path / "note").read_text() == "mine"


def test_the_folder_one_stands_in_can_be_the_bundle(tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    save(".")
    checkpoints.load(tmp_path / "here")
    assert [path.name for path in tmp_path.iterdir()] == ["here"]


def test_what_is_no_bundle_is_said(tmp_path):
    with pytest.raises(Error, match="is no bundle: it holds no bundle.json"):
        bundle.read_metadata(tmp_path)
