"""Presets with something wrong are refused with a sentence that names it, and run no code."""

import json

import h5py
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bertkit import checkpoints
from bertkit.errors import Error
from tests.checkpoints.copies import change_json, refused


@pytest.mark.parametrize("kept", [0, 0.1, 0.5, 0.99])
def test_a_truncated_preset(copied, kept):
    folder = copied("preset")
    path = folder / "model.weights.h5"
    content = path.read_bytes()
    path.write_bytes(content[:int(kept * len(content))])
    refused(folder, "model.weights.h5 is not a whole HDF5 file", "copy it again")


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 12_000), value=st.integers(1, 255))
def test_whatever_the_damage_to_a_preset_it_is_one_error(copied, place, value):
    """HDF5 keeps no sums: a changed weight goes unseen, but nothing else than an Error comes of it."""
    folder = copied("preset")
    content = bytearray((folder / "model.weights.h5").read_bytes())
    content[place] ^= value
    (folder / "model.weights.h5").write_bytes(content)
    try:
        checkpoints.load(folder)
    except Error as error:
        assert "model.weights.h5" in str(error)


def _change_dataset(change):
    def changed(folder):
        with h5py.File(folder / "model.weights.h5", "r+") as file:
            change(file)

    return changed


POOLER = "layers/dense/vars"


@pytest.mark.parametrize("change, words", [
    (lambda file: file.__delitem__(f"{POOLER}/1"), (f"missing: {POOLER}/1",)),
    (lambda file: file.create_dataset("layers/extra/vars/0", data=[1.0]), ("unread: layers/extra/vars/0",)),
    (lambda file: (file.__delitem__(f"{POOLER}/1"), file.create_dataset(f"{POOLER}/1", data=[1.0])),
     (f"misshapen: {POOLER}/1 is [1], wanted [32]",)),
    (lambda file: (file.__delitem__(f"{POOLER}/1"), file.create_dataset(
        f"{POOLER}/1", (32,), "f4", external=[("secret.bin", 0, 128)])),
     (f"{POOLER}/1 keeps its values in another file; refused",)),
], ids=["missing", "extra", "shape", "external"])
def test_a_preset_whose_arrays_do_not_fit(copied, change, words):
    folder = copied("preset")
    _change_dataset(change)(folder)
    refused(folder, "model.weights.h5", *words)


@pytest.mark.parametrize("changes, words", [
    ({"class_name": "GPT2Backbone"}, ("describes a 'GPT2Backbone', which bertkit does not load",)),
    ({"class_name": None}, ("describes a None",)), ({"config": None}, ("has no config of a BertBackbone",))])
def test_a_preset_of_something_else(copied, changes, words):
    folder = copied("preset")
    change_json(folder / "config.json", **changes)
    refused(folder, *words)


def test_a_preset_with_a_wrong_type_in_its_config(copied):
    folder = copied("preset")
    values = json.loads((folder / "config.json").read_text())
    change_json(folder / "config.json", config={**values["config"], "num_layers": "2"})
    refused(folder, "config.json", 'num_layers="2" is no size')


def test_a_preset_names_no_code_that_runs(copied, tmp_path):
    """Keras would import and build what config.json names; here it is only text."""
    folder = copied("preset")
    witness = tmp_path / "ran"
    layer = {"module": "builtins", "class_name": "exec", "config": {"code": f"open({str(witness)!r}, 'w')"}}
    values = json.loads((folder / "config.json").read_text())
    change_json(folder / "config.json", module="os", registered_name="system",
                config={**values["config"], "dtype": layer})
    checkpoints.load(folder)
    assert not witness.exists()
