"""Weights that are no finite floating-point numbers are refused by the name of their tensor, in every form."""

import json
import struct

import h5py
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from bertkit import checkpoints, family
from bertkit.card import Card
from bertkit.checkpoints import bundle, preset
from bertkit.checkpoints.huggingface import LEAVES
from bertkit.checkpoints.tensors import floats, read_safetensors, variables, weight_mapping
from bertkit.encoder import Encoder
from bertkit.errors import Error
from bertkit.files import manifest
from bertkit.predictor import Predictor
from tests import json_files, tiny

NAME = "encoder/block_0/attention/value/kernel"


@pytest.fixture
def saved(tmp_path):
    bundle.save(tmp_path / "m", tiny.classifier(), tiny.tokenizer(), Card("film", "classify", {}), length=16)
    return tmp_path / "m"


def resign(folder):
    """Write the manifest as someone who changed the weights would."""
    path = folder / "bundle.json"
    json_files.change(path, files=manifest.describe(folder, json.loads(path.read_text())["files"]))


def spoilt(values, number):
    copy = values.copy()
    copy.flat[3] = number
    return copy


OTHER = {
    "nan": (lambda values: spoilt(values, np.nan), "holds NaN or infinity in 1 of 256 numbers"),
    "infinity": (lambda values: spoilt(values, -np.inf), "holds NaN or infinity in 1 of 256 numbers"),
    "too large": (lambda values: spoilt(values.astype("float64"), 1e300), "holds NaN or infinity in 1 of 256"),
    "nan in half": (lambda values: spoilt(values.astype("float16"), np.nan), "holds NaN or infinity in 1 of 256"),
    **{name: (lambda values, name=name: values.astype(name), f"holds {name}; weights are float32")
       for name in ("bool", "int8", "uint8", "int64", "complex64")},
}


@pytest.mark.parametrize("change, words", OTHER.values(), ids=OTHER)
def test_a_bundle_with_right_sums(saved, change, words):
    tensors = load_file(saved / "weights.safetensors")
    save_file({**tensors, NAME: change(tensors[NAME])}, saved / "weights.safetensors")
    resign(saved)
    with pytest.raises(Error, match=f"weights.safetensors: {NAME} {words}"):
        checkpoints.load(saved)


@pytest.mark.parametrize("kind", ["float16", "float64"])
def test_other_floating_point_numbers_are_weights(saved, kind):
    tensors = load_file(saved / "weights.safetensors")
    save_file({name: value.astype(kind) for name, value in tensors.items()}, saved / "weights.safetensors")
    resign(saved)
    checkpoints.load(saved)


def test_numbers_that_numpy_lacks_are_named(tmp_path):
    header = json.dumps({"a": {"dtype": "F8_E8M0", "shape": [2], "data_offsets": [0, 2]}}).encode()
    (tmp_path / "a.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + b"\0\0")
    tensors = read_safetensors([tmp_path / "a.safetensors"], tmp_path / "a.safetensors")
    try:
        with pytest.raises(Error, match="a.safetensors: a holds F8_E8M0, which bertkit does not read"):
            tensors.read("a")
    except AssertionError:                          # where a library has given numpy such numbers
        with pytest.raises(Error, match="a holds float8_e4m3fn; weights are"):
            floats(tensors.read("a"), "a", tmp_path)


@pytest.mark.parametrize("values", [
    np.zeros((2, 2), "int32"), np.zeros((2, 2), "complex64"), np.array([[b"abc", b"d"]] * 2),
    np.zeros((2, 2), [("a", "<f4"), ("b", "<i4")]), np.full((2, 2), np.nan)],
    ids=["integer", "complex", "string", "compound", "nan"])
def test_a_preset(tmp_path, values):
    with h5py.File(tmp_path / "model.weights.h5", "w") as file:
        file["layers/pooled_dense/vars/0"] = values
    tensors = preset.weights(tmp_path)
    with pytest.raises(Error, match="layers/pooled_dense/vars/0 holds"):
        floats(tensors.read("layers/pooled_dense/vars/0"), "layers/pooled_dense/vars/0", tensors.path)


def test_a_hugging_face_folder(tmp_path):
    model, page = Encoder(tiny.CONFIG), family.page("bert")
    places = weight_mapping(variables(model), page.HUGGINGFACE.names, LEAVES, transposed=True)
    from bertkit.checkpoints import convert
    bundle.save(tmp_path / "m", model, tiny.tokenizer(), Card("film", "encode", {}))
    convert.convert(tmp_path / "m", tmp_path / "hf", "huggingface")
    path = tmp_path / "hf" / "model.safetensors"
    tensors, name = load_file(path), places[NAME].name
    save_file({**tensors, name: spoilt(tensors[name], np.nan)}, path)
    with pytest.raises(Error, match=f"model.safetensors: {name} holds NaN or infinity"):
        checkpoints.load(tmp_path / "hf")


def test_an_answer_is_never_nan(saved):
    predictor = Predictor(saved)
    kernel = next(weight for weight in predictor.model.weights if weight.path.endswith("logits/kernel"))
    kernel.assign(np.full(kernel.shape, np.nan))
    with pytest.raises(Error, match="The model gives NaN, which is no answer"):
        predictor.predict(["good film"])
