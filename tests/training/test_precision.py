"""The faster precision of a machine: measured once, kept, and taken only where it is much faster."""

import json

import keras
import numpy as np
import pytest

from bertkit.errors import Error
from bertkit.predictor import Predictor
from bertkit.training import precision as precisions
from tests import exported, tiny


@pytest.fixture
def measured(tmp_path, monkeypatch):
    """Return the list of measurements that are made; each gives the times that its first entry says."""
    calls, monkeypatched = [], {"float32": 1.0, "bfloat16": 0.5}
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(precisions, "measure", lambda: calls.append(monkeypatched) or dict(monkeypatched))
    return calls, monkeypatched


def test_a_machine_is_measured_once(measured, tmp_path, monkeypatch):
    calls, times = measured
    assert [precisions.fastest(), precisions.fastest()] == ["bfloat16"] * 2 and len(calls) == 1
    (key, kept), = json.loads((tmp_path / "bertkit/precision.json").read_text()).items()
    assert kept == times and "tensorflow" in key
    monkeypatch.setattr(precisions, "_machine", lambda: "another processor")
    times["bfloat16"] = 0.95            # hardly faster: not worth other digits
    assert precisions.fastest() == "float32" and len(calls) == 2
    assert len(json.loads((tmp_path / "bertkit/precision.json").read_text())) == 2


def test_a_cache_that_cannot_be_used_is_said(measured, tmp_path, capsys):
    calls, _ = measured
    file = tmp_path / "bertkit/precision.json"
    file.parent.mkdir()
    file.write_text('{"a": 1')
    assert precisions.fastest() == "bfloat16" and "measured again" in capsys.readouterr().err
    assert precisions.fastest() == "bfloat16" and len(calls) == 1
    file.unlink()
    file.mkdir()
    assert precisions.fastest() == "bfloat16" and "could not be kept" in capsys.readouterr().err


def test_both_precisions_are_measured():
    times = precisions.measure(seconds=0.0)
    assert set(times) == {"float32", "bfloat16"} and min(times.values()) > 0
    assert keras.config.dtype_policy().name == "float32"


def test_a_predictor_computes_in_what_it_is_told(measured):
    texts, _ = tiny.texts(20)
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        exact = Predictor(exported.bundled())
    finally:
        keras.config.set_dtype_policy("float32")
    rough = Predictor(exported.bundled(), precision="auto")
    assert (exact.precision, rough.precision) == ("float32", "bfloat16")
    difference = np.abs(np.array(exact.predictions(texts)) - rough.predictions(texts)).max()
    assert 1e-5 < difference < 0.1
    np.testing.assert_allclose(exact.predictions(texts), Predictor(exported.bundled()).predictions(texts), atol=1e-6)


def test_a_precision_that_cannot_be_is_refused():
    with pytest.raises(Error, match="precision='float8'"):
        Predictor(exported.bundled(), precision="float8")
    with pytest.raises(Error, match="a model in memory computes as it is"):
        Predictor(tiny.classifier(0, exported.LABELS), tiny.tokenizer(), precision="auto")
    with pytest.raises(Error, match=r"a \.tflite file computes as it is"):
        Predictor(exported.bundled(), tflite="model.tflite", precision="auto")
