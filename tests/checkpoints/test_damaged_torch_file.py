"""pytorch_model.bin that does not fit, is something else, or is cut or changed: one sentence, or no harm."""

import io
import pickle
import struct
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bertkit.checkpoints import pickled
from bertkit.checkpoints.torch_file import MAGIC, PROTOCOL, read_torch
from bertkit.errors import Error
from tests.checkpoints.torch_forms import (
    FOLDER,
    FORMS,
    NUMBERS,
    ORDERED,
    SIX,
    mapping,
    named,
    number,
    plain,
    refused,
    storage,
    streamed,
    tensor,
    text,
    values,
)

# ------------------------------------------------------------------------------------------- what does not fit


@FORMS
@pytest.mark.parametrize("offset, sizes, strides", [
    (1, (2, 3), (3, 1)), (0, (7,), (1,)), (0, (2, 3), (4, 1)), (0, (2, 3), (3, 2)), (6, (1,), (1,)), (6, (), ()),
    (-1, (2,), (1,)), (0, (-2,), (1,)), (5, (2,), (-1,)), (0, (2, 3), (3,)), (0, (6,), (3, 1)), (0, (2,), (0, 0)),
    (0, (1,) * 9, (1,) * 9), (2**63, (0,), (1,)), (0, (b"\x88",), (1,)), (None, (2,), (1,)), (0, b"](K\x02e", (1,)),
    (0, (text("2"),), (1,)), (0, 6, 1), (0, (2**62, 4), (0, 0))])
def test_a_view_beyond_its_storage(path, write, offset, sizes, strides):
    refused(write(path, mapping({"a": tensor(offset=offset, sizes=sizes, strides=strides)})), "its tensor a is no view")


@FORMS
@pytest.mark.parametrize("given", [
    storage(length=-1), storage("0", "Float", 6, 1), storage("0", "Float", 6, None, None), b"N", b"}", ORDERED,
    plain((text("module"), named("torch", "FloatStorage"), text("0"), text("cpu"), 6)) + b"Q",
    plain((text("storage"), text("Quaternion"), text("0"), text("cpu"), 6)) + b"Q",
    plain((text("storage"), named("torch", "FloatStorage"), 0, text("cpu"), 6)) + b"Q",
    plain((text("storage"), named("torch", "FloatStorage"), text("0"), text("cpu"), SIX)) + b"Q",
    storage("1"), storage("../../0"), storage(length=5), storage(length=7), storage("0", "Double", 6),
    storage("0", "Complex", 6)])
def test_what_is_no_storage_of_the_file(path, write, given):
    refused(write(path, mapping({"a": tensor(given, 0, (1,), (1,))})))


@FORMS
@pytest.mark.parametrize("body", [
    b"N", tensor(), b"]" + tensor() + b"a", mapping({"a": b"K\x01"}), mapping({"a": mapping({"b": tensor()})}),
    mapping({"a": tensor(), "b": b"]"}), b"}K\x01" + tensor() + b"s", b"})" + tensor() + b"s",
    b"}\x88" + tensor() + b"s", b"}" + number(2**40) + tensor() + b"s", b"}" + (text("a") + tensor() + b"s") * 2,
    b"}(" + text("a") + b"u", mapping({"model": mapping({"model": b"N"})})])
def test_what_is_no_mapping_of_names_to_tensors(path, write, body):
    refused(write(path, body))


def test_a_stream_whose_storages_are_not_those_of_its_tensors(path):
    body = mapping({"a": tensor()})
    two = {"0": NUMBERS.tobytes(), "1": NUMBERS.tobytes()}
    for content in ({"storages": two}, {"lengths": {"0": 5}}, {"lengths": {"0": -1}}, {"keys": b"(t"},
                    {"keys": plain((0,))}, {"keys": plain((text("0"), text("0")))}, {"storages": {"0": bytes(25)}},
                    {"keys": plain((text("0"), None))}):
        refused(streamed(path, body, **content))
    twice = mapping({"a": tensor(), "b": tensor(storage("0", "Int"))})
    refused(streamed(path, twice), "its storage 0 is described twice")
    path.write_bytes(streamed(path, body).read_bytes() + b"more")
    refused(path, "its tensors end at")


@pytest.mark.parametrize("content", [
    b"", b"P", b"PK\x03\x04", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", b"<!DOCTYPE html>",
    pickle.dumps(MAGIC, 2), struct.pack("<Q", 2) + b"{}"])
def test_what_torch_never_saved(path, content):
    path.write_bytes(content)
    refused(path)


def test_a_stream_that_begins_otherwise(path):
    content = streamed(path, mapping({"a": tensor()})).read_bytes()
    for old, new in ((MAGIC, MAGIC + 1), (PROTOCOL, PROTOCOL + 1)):
        path.write_bytes(content.replace(number(old), number(new)))
        refused(path, "does not begin as files of torch.save do")


@pytest.mark.parametrize("names", [[], ["a/version"], ["data.pkl"], ["a/data.pkl", "b/data.pkl"], ["a/b/data.pkl"]])
def test_another_zip(path, names):
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, b"\x80\x02}.")
    refused(path)


def test_a_file_that_is_not_there_or_changes(path):
    refused(path, "No such file")
    tensors = read_torch(streamed(path, mapping({"a": tensor()})))
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(Error, match="pytorch_model.bin is not a whole file"):
        tensors.read("a")


# ---------------------------------------------------------------------------------------------- any damage


def outcome(path, content, wanted, summed):
    """Refused with a sentence, or equal: what has no sum to check, a stream, may differ in its numbers."""
    path.write_bytes(content)
    try:
        found = values(path)
    except Error as error:
        assert "pytorch_model.bin" in str(error)
        return
    if summed:
        np.testing.assert_equal(found, wanted)


EXAMPLES = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.parametrize("name", ["zip", "stream", "module"])
@EXAMPLES
@given(place=st.floats(0, 1, exclude_max=True), value=st.integers(1, 255), cut=st.booleans())
def test_whatever_is_cut_or_changed_is_an_error_or_harmless(path, name, place, value, cut):
    content = bytearray((FOLDER / f"{name}.bin").read_bytes())
    place = int(place * len(content))
    content[place] ^= value
    if cut:
        path.write_bytes(content[:place])
        refused(path)
    else:
        outcome(path, content, values(FOLDER / f"{name}.bin"), summed=name != "stream")


PIECES = st.sampled_from([
    *(bytes([code]) for code in b"}()](tuesaRQbN\x88\x85\x86\x87\x93\x94."), b"q\x00", b"h\x00", b"K\x00",
    number(2**40), plain((2, 3)), text("a"), text("storage"), storage(), tensor(), ORDERED,
    named("collections", "OrderedDict"), named("torch", "FloatStorage"), named("torch._utils", "_rebuild_parameter"),
    named("torch._utils", "_rebuild_tensor_v2")])


@FORMS
@EXAMPLES
@given(pieces=st.lists(PIECES, max_size=30))
def test_any_program_is_an_error_or_a_mapping(path, write, pieces):
    write(path, b"".join(pieces))
    try:
        found = values(path)
    except Error as error:
        assert "pytorch_model.bin" in str(error)
    else:
        assert all(isinstance(array, np.ndarray) for array in found.values())


def test_a_pickle_ends_where_it_ends():
    stream = io.BytesIO(b"\x80\x02K\x05.rest")
    assert pickled.unpickle(stream, {}, None) == 5 and stream.read() == b"rest"
