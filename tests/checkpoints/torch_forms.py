"""pytorch_model.bin written by hand, instruction by instruction, as torch would, and what reading it gives."""

import struct
import zipfile

import numpy as np
import pytest

from bertkit.checkpoints.torch_file import MAGIC, PROTOCOL, read_torch
from bertkit.errors import Error
from tests.recorded import GOLDEN

FOLDER = GOLDEN / "torch"
NUMBERS = np.arange(6, dtype="<f4")


def text(value):
    content = value.encode()
    return b"X" + struct.pack("<I", len(content)) + content


def number(value):
    size = value.bit_length() // 8 + 1
    return b"\x8a" + bytes([size]) + value.to_bytes(size, "little", signed=True)


def plain(value):
    """Return the instructions for a number, a tuple, None, or what is instructions already."""
    if isinstance(value, tuple):
        return b"(" + b"".join(map(plain, value)) + b"t"
    return value if isinstance(value, bytes) else b"N" if value is None else number(value)


def named(module, name):
    return f"c{module}\n{name}\n".encode()


def call(function, *arguments):
    return function + plain(arguments) + b"R"


SIX = b"G" + struct.pack(">d", 6)
ORDERED = call(named("collections", "OrderedDict"))


def storage(key="0", kind="Float", length=6, *view):
    return plain((text("storage"), named("torch", f"{kind}Storage"), text(key), text("cpu"), length, *view)) + b"Q"


def tensor(given=None, offset=0, sizes=(2, 3), strides=(3, 1)):
    function = named("torch._utils", "_rebuild_tensor_v2")
    return call(function, given or storage(), offset, sizes, strides, b"\x89", ORDERED)


def mapping(entries, start=b"}"):
    return start + b"(" + b"".join(text(name) + value for name, value in entries.items()) + b"u"


def zipped(path, body, storages=None, compression=zipfile.ZIP_STORED, **records):
    content = {"data.pkl": b"\x80\x02" + body + b".", "version": b"3\n", **records}
    content |= {f"data/{key}": value for key, value in (storages or {"0": NUMBERS.tobytes()}).items()}
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, value in content.items():
            archive.writestr(f"some_name/{name}", value)
    return path


def streamed(path, body, storages=None, lengths=None, keys=None):
    storages = storages or {"0": NUMBERS.tobytes()}
    keys = plain(tuple(map(text, storages))) if keys is None else keys
    head = [number(MAGIC), number(PROTOCOL), b"}", body, b"](" + keys[1:-1] + b"e"]
    content = b"".join(b"\x80\x02" + part + b"." for part in head)
    for key, value in storages.items():
        content += struct.pack("<q", (lengths or {}).get(key, len(value) // 4)) + value
    path.write_bytes(content)
    return path


FORMS = pytest.mark.parametrize("write", [zipped, streamed])


def values(path):
    tensors = read_torch(path)
    found = {name: tensors.read(name) for name in tensors.shapes}
    assert {name: array.shape for name, array in found.items()} == tensors.shapes
    return found


def refused(path, *words):
    with pytest.raises(Error) as caught:
        values(path)
    message = str(caught.value)
    assert "pytorch_model.bin" in message and all(word in message for word in words), message
