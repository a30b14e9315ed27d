"""Weights of 8 bits: every number is read exactly, and scales are multiplied in."""

import json
import struct

import numpy as np
import pytest
from safetensors.numpy import load_file

from bertkit import checkpoints
from bertkit.checkpoints.scales import with_scales
from bertkit.checkpoints.tensors import Tensors, read_safetensors
from bertkit.errors import Error

BATCH = {"token_ids": np.array([[2, 7, 8, 9, 3]], "int32")}
MATRIX = "bert.encoder.layer.0.intermediate.dense.weight"


def write(path, tensors):
    """Write a safetensors file of (dtype, shape, bytes), as its specification says."""
    header, content = {}, b""
    for name, (kind, shape, data) in tensors.items():
        header[name] = {"dtype": kind, "shape": list(shape), "data_offsets": [len(content), len(content) + len(data)]}
        content += data
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + content)


def value(byte, exponent_bits, mantissa_bits, bias):
    """Return the number of a byte: sign, exponent, mantissa (OCP's specification of 8-bit floating point, 2023)."""
    sign = -1.0 if byte & 128 else 1.0
    exponent, mantissa = (byte & 127) >> mantissa_bits, byte & (1 << mantissa_bits) - 1
    scale = 1 << mantissa_bits
    if exponent == 0:
        return sign * mantissa / scale * 2.0 ** (1 - bias)
    return sign * (1 + mantissa / scale) * 2.0 ** (exponent - bias)


@pytest.mark.parametrize("kind, bits, finite", [("F8_E4M3", (4, 3, 7), 127), ("F8_E5M2", (5, 2, 15), 124)])
def test_every_number_of_8_bits_is_read(tmp_path, kind, bits, finite):
    numbers = [byte for byte in range(256) if byte & 127 < finite]
    write(tmp_path / "x", {"first": ("F32", (1,), bytes(4)), "x": (kind, (len(numbers),), bytes(numbers))})
    found = read_safetensors([tmp_path / "x"], "x").read("x")
    assert found.dtype == "float32"
    np.testing.assert_array_equal(found, [value(byte, *bits) for byte in numbers])


def test_other_small_numbers_are_refused(tmp_path):
    write(tmp_path / "x", {"x": ("F8_E8M0", (2,), b"ab")})
    with pytest.raises(Error, match="x holds F8_E8M0, which bertkit does not read"):
        read_safetensors([tmp_path / "x"], tmp_path / "x").read("x")


@pytest.fixture
def quantized(copied):
    """Return a function (scale, its name) -> a classifier with a matrix of 8 bits, and one of what that stands for."""
    import ml_dtypes
    folder = copied("classifier")
    tensors = load_file(folder / "model.safetensors")
    path = folder / "model.safetensors"

    def made(scale, end="weight_scale_inv", **more):
        small = tensors[MATRIX].astype(ml_dtypes.float8_e4m3fn)
        plain = {name: ("F32", held.shape, held.tobytes()) for name, held in tensors.items()}
        scales = {MATRIX.removesuffix("weight") + end: ("F32", scale.shape, scale.astype("<f4").tobytes())}
        write(path, {**plain, MATRIX: ("F8_E4M3", small.shape, small.tobytes()), **scales, **more})
        return folder, {**tensors, MATRIX: small.astype("float32")}

    return made


SCALES = {"one": (np.array(0.5), 0.5), "one in a list": (np.array([3.0]), 3.0),
          "rows": (np.arange(64.0) + 1, (np.arange(64) + 1)[:, None]),
          "a column": ((np.arange(64.0) + 1)[:, None], (np.arange(64) + 1)[:, None]),
          "blocks": (np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]),
                     np.array([[1.0, 2, 3], [4, 5, 6]]).repeat(40, 0)[:64].repeat(15, 1)[:, :32])}


@pytest.mark.parametrize("name", SCALES)
@pytest.mark.parametrize("end", ["weight_scale", "weight_scale_inv"])
def test_scales_are_multiplied_in(quantized, name, end):
    scale, wanted = SCALES[name]
    folder, tensors = quantized(scale, end)
    if name == "blocks":
        path = folder / "config.json"
        path.write_text(json.dumps({**json.loads(path.read_text()),
                                    "quantization_config": {"weight_block_size": [40, 15]}}))
    found = {weight.path: weight for weight in checkpoints.load(folder).weights}
    kernel = next(np.asarray(found[path]) for path in found if path.endswith("block_0/inner/kernel"))
    np.testing.assert_allclose(kernel.T, tensors[MATRIX] * wanted, rtol=1e-6)


def test_scales_of_activations_are_named(quantized, caplog):
    folder, _ = quantized(np.array(2.0), **{MATRIX.replace("weight", "input_scale"): ("F32", (1,), bytes(4))})
    checkpoints.load(folder)
    assert "1 scales of activations" in caplog.text


@pytest.mark.parametrize("scale, block", [
    (np.ones(32), None), (np.ones((3, 2)), [40, 15]), (np.ones((2, 3)), [40, 0]), (np.ones((2, 3)), 40),
    (np.ones((1, 1, 2)), None)])
def test_a_scale_that_does_not_fit_is_refused(scale, block):
    values = {"x": np.ones((64, 32), "float32"), "x_scale": scale.astype("float32")}
    with pytest.raises(Error, match="x_scale has the shape|weight_block_size="):
        with_scales(Tensors("f", {name: held.shape for name, held in values.items()}, values.get),
                    {"quantization_config": {"weight_block_size": block}}).read("x")
