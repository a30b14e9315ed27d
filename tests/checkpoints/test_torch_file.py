"""pytorch_model.bin: the very numbers of torch.save."""

import struct
import tracemalloc

import numpy as np
import pytest
from safetensors.numpy import load_file

from bertkit.checkpoints.torch_file import LARGEST_PICKLE, read_torch
from tests.checkpoints.torch_forms import (
    FOLDER,
    FORMS,
    NUMBERS,
    ORDERED,
    call,
    mapping,
    named,
    number,
    refused,
    storage,
    streamed,
    tensor,
    values,
    zipped,
)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "pytorch_model.bin"


@pytest.mark.parametrize("name", ["zip", "stream", "protocol4"])
def test_what_torch_saved_is_read_to_the_bit(name):
    found, wanted = values(FOLDER / f"{name}.bin"), np.load(FOLDER / "expected.npz")
    assert len(found) == 22 and {array.dtype.name for array in found.values()} >= {
        "float64", "float32", "float16", "int64", "int32", "int16", "int8", "uint8", "bool"}
    for name, array in found.items():
        assert array.dtype == wanted[name].dtype and array.flags.c_contiguous
        np.testing.assert_array_equal(array, wanted[name])


def test_a_state_dict_among_other_things(caplog):
    wanted = np.load(FOLDER / "expected.npz")
    with caplog.at_level("INFO", "bertkit"):
        found = values(FOLDER / "module.bin")
    assert list(found) == ["0.weight", "0.bias", "1.weight", "1.bias", "parameter"]
    for name, array in found.items():
        np.testing.assert_array_equal(array, wanted[name])
    assert "state_dict is read; set aside: epoch" in caplog.text


@pytest.mark.parametrize("form, weights", [
    ("bert_bin_gamma_beta", "bert/pretraining"), ("bert_bin_legacy_serialization", "bert/pretraining"),
    ("roberta_bin", "roberta/mlm")])
def test_published_forms_hold_the_same_as_safetensors(shared, form, weights):
    found = {name.replace("gamma", "weight").replace("beta", "bias"): array
             for name, array in values(shared(f"checkpoints/formats/{form}") / "pytorch_model.bin").items()}
    wanted = load_file(shared(f"checkpoints/{weights}") / "model.safetensors")
    assert set(wanted) <= set(found)
    for name, array in wanted.items():
        np.testing.assert_array_equal(found[name], array)


@FORMS
def test_a_file_written_by_hand(path, write):
    body = mapping({"a": tensor(), "b": tensor(offset=1, sizes=(5,), strides=(1,)),
                    "c": tensor(sizes=(3, 2), strides=(1, 3)), "d": tensor(offset=5, sizes=(), strides=()),
                    "e": tensor(storage("1", "Half", 2), 0, (2,), (1,))})
    found = values(write(path, body, {"0": NUMBERS.tobytes(), "1": np.array([1, 2], "<f2").tobytes()},
                         **({"lengths": {"1": 2}} if write is streamed else {})))
    np.testing.assert_array_equal(found["a"], NUMBERS.reshape(2, 3))
    np.testing.assert_array_equal(found["b"], NUMBERS[1:])
    np.testing.assert_array_equal(found["c"], NUMBERS.reshape(2, 3).T)
    np.testing.assert_array_equal(found["d"], 5)
    np.testing.assert_array_equal(found["e"], [1, 2])


@FORMS
@pytest.mark.parametrize("inside", ["state_dict", "model_state_dict", "model"])
def test_a_mapping_inside_a_mapping(path, write, inside):
    body = mapping({"optimizer": mapping({"rate": b"G" + struct.pack(">d", 1e-3)}),
                    inside: mapping({"a": tensor(), "_metadata": b"}"}, ORDERED) + mapping({"_metadata": b"}"}) + b"b"})
    assert list(values(write(path, body))) == ["a"]


@FORMS
def test_keys_of_an_optimizer_are_small_numbers(path, write):
    for key, accepted in ((0, True), (2**32 - 1, True), (2**32, False), (-1, False)):
        write(path, mapping({"state_dict": mapping({"a": tensor()}), "optimizer": b"}" + number(key) + b"Ns"}))
        assert list(values(path)) == ["a"] if accepted else refused(path, "nor a small number") is None


@FORMS
def test_older_ways_to_write_a_tensor(path, write):
    older = call(named("torch._utils", "_rebuild_tensor"), storage("0", "Float", 6, None), 0, (6,), (1,))
    parameter = call(named("torch._utils", "_rebuild_parameter"), tensor(), b"\x88", ORDERED)
    found = values(write(path, mapping({"a": older, "b": parameter})))
    np.testing.assert_array_equal(found["a"].reshape(2, 3), found["b"])


def test_numbers_of_another_order_of_bytes(path):
    body = mapping({"a": tensor(), "b": tensor(storage("1", "BFloat16", 2), 0, (2,), (1,))})
    big = {"0": NUMBERS.astype(">f4").tobytes(), "1": b"\x3f\x80\xc0\x00"}
    found = values(zipped(path, body, big, byteorder=b"big"))
    np.testing.assert_array_equal(found["a"], NUMBERS.reshape(2, 3))
    np.testing.assert_array_equal(found["b"], [1, -2])
    refused(zipped(path, body, big, byteorder=b"middle"), "its byteorder is b'middle'")


def test_a_truth_value_is_whatever_is_not_0(path):
    found = values(zipped(path, mapping({"a": tensor(storage("0", "Bool", 3), 0, (3,), (1,))}), {"0": b"\x00\x01\x07"}))
    assert found["a"].view("u1").tolist() == [0, 1, 1]


def test_numbers_are_read_when_they_are_asked_for(path):
    """A file of 4 GB, with holes where the disk has none."""
    length = 2**30
    body = mapping({"large": tensor(storage("0", length=length), 0, (length,), (1,)),
                    "end": tensor(storage("1", length=6), 0, (6,), (1,))})
    streamed(path, body, {"0": b"", "1": b""}, {"0": length})
    head = path.stat().st_size - 8
    with open(path, "r+b") as file:
        file.truncate(head + 4 * length)
        file.seek(head + 4 * length)
        file.write(struct.pack("<q", 6) + NUMBERS.tobytes())
    tracemalloc.start()
    tensors = read_torch(path)
    np.testing.assert_array_equal(tensors.read("end"), NUMBERS)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert tensors.shapes["large"] == (length,) and peak < 3 * LARGEST_PICKLE
