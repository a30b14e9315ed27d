"""pytorch_model.bin: whatever else stands in it executes nothing, and is told in one sentence."""

import io
import os
import pickle
import struct
import tracemalloc
import zipfile

import pytest

from bertkit.checkpoints import pickled
from bertkit.checkpoints.torch_file import LARGEST_PICKLE, NAMES, read_torch
from bertkit.errors import Error
from tests.checkpoints.torch_forms import (
    FORMS,
    NUMBERS,
    ORDERED,
    call,
    mapping,
    named,
    plain,
    refused,
    storage,
    streamed,
    tensor,
    text,
    values,
    zipped,
)

# ------------------------------------------------------------------------------------- what executes nothing


class Bomb:
    """Makes a folder when something executes its pickle."""

    def __init__(self, made):
        self.made = made

    def __reduce__(self):
        return os.mkdir, (self.made,)


@FORMS
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_that_acts(path, tmp_path, write, protocol):
    made = str(tmp_path / "made")
    for value in ({"a": Bomb(made)}, Bomb(made), {"state_dict": [Bomb(made)]}, {Bomb: 1}):
        body = pickle.dumps(value, protocol)[:-1]
        refused(write(path, body), "refused")
        assert not os.path.exists(made)
    pickle.loads(pickle.dumps(Bomb(made)))
    assert os.path.exists(made), "the bomb does not go off"


@FORMS
@pytest.mark.parametrize("module, name", [
    ("posix", "mkdir"), ("builtins", "eval"), ("os", "system"), ("torch", "load"), ("torch.hub", "load"),
    ("torch._utils", "_rebuild_tensor_v3"), ("torch", "FloatStorage.__new__"), ("collections", "OrderedDict.__init__"),
    ("collections.OrderedDict", ""), ("bertkit.checkpoints.torch_file", "read_torch"), ("numpy", "load"), ("", "")])
def test_a_name_that_tensors_do_not_need(path, write, module, name):
    asked = f"asks for {module}.{name}, which tensors do not need; nothing was executed"
    refused(write(path, mapping({"a": named(module, name)})), asked)
    refused(write(path, mapping({"a": call(named(module, name), text("x"))})), asked)
    refused(write(path, b"\x8c" + bytes([len(module)]) + module.encode() + b"\x8c" + bytes([len(name)]) + name.encode()
                  + b"\x93"), asked)


@pytest.mark.parametrize("body, words", [
    (b"(ios\nmkdir\n", "INST os mkdir"), (b"(" + ORDERED + b"o", "OBJ"), (ORDERED + b")\x81", "NEWOBJ"),
    (ORDERED + b")}\x92", "NEWOBJ_EX"), (b"\x82\x01", "EXT1"), (b"P0\n", "PERSID"), (b"C\x00", "SHORT_BINBYTES"),
    (b"\x97", "NEXT_BUFFER"), (b"\x8b\x01\x00\x00\x00\x01", "LONG4"), (b"I01\n", "INT"), (b"(d", "DICT"),
    (b"20", "DUP"), (b"\x8f", "EMPTY_SET")])
def test_an_instruction_that_tensors_do_not_need(path, body, words):
    refused(zipped(path, body), f"the instruction {words}", "nothing was executed")


@pytest.mark.parametrize("body", [
    ORDERED + b")R", tensor() + b")R", b"})R", text("os.mkdir") + b")R", named("torch", "FloatStorage") + b")R",
    named("collections", "OrderedDict") + b"]R", named("collections", "OrderedDict") + b"(}tR",
    named("torch._utils", "_rebuild_tensor_v2") + b")R", mapping({"a": tensor() + mapping({"offset": b"N"}) + b"b"}),
    named("collections", "OrderedDict") + mapping({"__code__": b"N"}) + b"b", b"R", b"0", b"h\x05", b"t", b"u", b"a",
    b"s", b"}(K\x01u", b"]K\x01K\x02s", b"}K\x01a", b")Q", b"K\x01Q", text("storage") + b"Q", b"K\x01K\x02\x93",
    text("os") + b"K\x02\x93", b"", b"(((((", b"\x85", b"b"])
def test_calls_of_what_is_no_function_and_other_tricks(path, body):
    refused(zipped(path, body))


@pytest.mark.parametrize("stand_in", [list, {}.update, os.getcwd, text, 5],
                         ids=["class", "method", "system", "ours", "5"])
def test_only_a_function_of_ours_is_called(stand_in):
    read = pickled.unpickle
    if stand_in is text:
        assert read(io.BytesIO(b"ca\nb\nX\x01\x00\x00\x00x\x85R."), {"a.b": text}, None) == text("x")
    else:
        with pytest.raises(Error, match="a call of what is no function"):
            read(io.BytesIO(b"ca\nb\n)R."), {"a.b": stand_in}, None)


def test_a_file_names_functions_of_ours_alone():
    functions = {name: value for name, value in NAMES.items() if not isinstance(value, str)}
    assert {value.__module__ for value in functions.values()} == {"bertkit.checkpoints.torch_file"}
    assert not any(hasattr(pickled, name) for name in ("importlib", "sys", "pickle", "builtins", "getattr"))


# --------------------------------------------------------------------------------------------------- bombs


def within(megabytes, path, *words):
    tracemalloc.start()
    try:
        refused(path, *words)
        assert tracemalloc.get_traced_memory()[1] < megabytes * 2**20
    finally:
        tracemalloc.stop()


DEEP = b")" + b"\x85" * 20_000                       # ((((...),),),)
DOUBLED = b")" + b"q\x00h\x00\x86" * 60               # 2^60 empty tuples, if they were followed


@FORMS
@pytest.mark.parametrize("value", [DEEP, DOUBLED, b"]" + b"q\x00h\x00a" * 1000], ids=["deep", "doubled", "in itself"])
def test_what_must_not_be_followed(path, write, value):
    """As a value, key, name, persistent id or part of one, size, stride, argument, state, and as a storage's key."""
    for body in (value, mapping({"a": value}), b"}" + value + b"Ns", value + value + b"\x93", value + b"Q",
                 plain((text("storage"), value, text("0"), text("cpu"), 6)) + b"Q",
                 plain((value, named("torch", "FloatStorage"), value, value, value, value)) + b"Q",
                 mapping({"a": tensor(value, value, value, value)}), tensor(sizes=value), tensor(strides=value),
                 tensor() + value + b"b", value + value + b"R", call(named("collections", "OrderedDict"), value)):
        refused(write(path, body))
    refused(streamed(path, mapping({"a": tensor()}), keys=b"(" + value + b"t"))
    assert list(values(write(path, mapping({"a": tensor(), "_metadata": value})))) == ["a"]


def test_numbers_without_end(path):
    huge = b"\x8a\xff" + b"\x7f" * 255
    refused(zipped(path, mapping({"a": tensor(sizes=(huge, huge), strides=(huge, huge))})), "its tensor a is no view")
    refused(zipped(path, mapping({"a": tensor(storage(length=huge))})), "its storage 0")
    refused(streamed(path, mapping({"a": tensor(storage(length=huge))})), "its storage 0")
    refused(zipped(path, b"L" + b"9" * 10_000 + b"L\n"), "damaged")
    refused(zipped(path, b"\x8b" + struct.pack("<I", 10_000) + b"\x7f" * 10_000))


@pytest.mark.slow
def test_a_pickle_without_end(path):
    within(200, zipped(path, b"}0" * 10), "POP")
    within(200, zipped(path, b"}" * (pickled.MOST_STEPS + 5)), f"more than {pickled.MOST_STEPS} steps")
    within(60, zipped(path, b"}" * LARGEST_PICKLE), f"data.pkl has more than {LARGEST_PICKLE} bytes")
    within(60, zipped(path, b"X\xff\xff\xff\x7fabc"), "damaged")
    within(60, zipped(path, b"\x8d" + b"\xff" * 7 + b"\x7fabc"), "damaged")
    within(60, zipped(path, b"}r\xff\xff\xff\xff(K\x01u"), "damaged")


@FORMS
def test_a_small_file_cannot_fill_the_memory(path, write):
    refused(write(path, mapping({"a": tensor(sizes=(10**9,), strides=(0,))})), "its tensor a is no view")
    many = tensor(storage(length=4096), 0, (4096,), (1,))
    body = mapping({f"name{i}": many for i in range(100)})
    within(60, write(path, body, {"0": bytes(4 * 4096)}), "no weights are shared so often")
    tied = mapping({f"name{i}": many for i in range(24)})
    assert len(values(write(path, tied, {"0": bytes(4 * 4096)}))) == 24


def test_a_zip_that_grows(path):
    body = mapping({"a": tensor(storage(length=2**24), 0, (2**24,), (1,))})
    within(200, zipped(path, body, {"0": bytes(2**26)}, zipfile.ZIP_DEFLATED), "compressed")
    body = mapping({"a": tensor(storage(length=2**29), 0, (1,), (1,))})
    one = zipped(path, body, {"0": NUMBERS.tobytes()}).read_bytes()
    for place, lie in ((20, b"\0\0\0\x80"), (24, b"\0\0\0\x80"), (20, b"\0\0\0\x80" * 2)):
        content = bytearray(one)
        start = content.rindex(b"PK\x01\x02") + place   # the sizes of the last record in the directory
        content[start:start + len(lie)] = lie
        path.write_bytes(content)
        with pytest.raises(Error, match="pytorch_model.bin"):
            read_torch(path)


def test_a_record_that_is_said_to_be_compressed(path):
    content = bytearray(zipped(path, mapping({"a": tensor()})).read_bytes())
    for mark, place in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        content[content.rindex(mark) + place] = zipfile.ZIP_DEFLATED
    path.write_bytes(content)
    refused(path, "its records are compressed")


def test_records_that_overlap_or_come_twice(path):
    with pytest.warns(UserWarning, match="Duplicate name"):
        path = zipped(path, mapping({"a": tensor()}))
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr("some_name/data/0", bytes(24))
    refused(path, "not one that torch.save wrote")
    path = zipped(path, mapping({"a": tensor(), "b": tensor(storage("1"))}), {"0": bytes(24), "1": bytes(24)})
    content = path.read_bytes()
    first, second = (content.rindex(b"some_name/data/" + key) - 46 for key in (b"0", b"1"))
    content = bytearray(content)
    content[second + 42:second + 46] = content[first + 42:first + 46]         # where the record begins
    path.write_bytes(content)
    refused(path)
