"""Files of torch.save (pytorch_model.bin), read without torch: numbers only, nothing in them is executed.

    zip       TOP/data.pkl, TOP/data/0, 1, ... (a storage each, not compressed), perhaps TOP/byteorder; PyTorch 1.6
    stream    five pickles (magic number, protocol, system, the mapping, the storages' keys), then each storage: its
              length, int64, and its numbers, little-endian; before
"""

import logging
import zipfile
from contextlib import contextmanager
from functools import lru_cache
from io import BytesIO
from pathlib import Path

from bertkit.checkpoints.pickled import unpickle
from bertkit.checkpoints.strided import DTYPES, Storage, View, check_views, read_array
from bertkit.checkpoints.tensors import Tensors
from bertkit.errors import Error

log = logging.getLogger("bertkit")

MAGIC, PROTOCOL = 0x1950a86a20f9469cfc6c, 1001
INSIDE = ("state_dict", "model_state_dict", "model")       # where training scripts put the mapping
LARGEST_PICKLE = 2**24                                     # bytes; the pickle of 1,000 tensors has 2^18


def read_torch(path: str | Path) -> Tensors:
    """Return the tensors of a file that torch.save wrote; the numbers of each are read when they are asked for.

    The file holds a mapping of names to tensors, or one under "state_dict", "model_state_dict" or "model". bfloat16,
    which numpy lacks, is widened to float32.

    Args:
        path: The file.

    Returns:
        The `Tensors`.

    Raises:
        Error: When the file is damaged, cut or compressed, holds a name that tensors do not need, or a view that goes
            beyond its storage.
    """
    path = Path(path)
    with _refusing(path):
        with open(path, "rb") as file:
            zipped = file.read(4) == b"PK\x03\x04"
        value, content, order = _open_zip(path) if zipped else _open_stream(path)
        views = _mapping(value)
        check_views(views, path.stat().st_size)
    content = lru_cache(maxsize=1)(content)                # tensors that lie side by side in one storage

    def read(name):
        view = views[name]
        with _refusing(path):
            return read_array(view, content(view.storage), order)

    return Tensors(path, {name: view.sizes for name, view in views.items()}, read)


@contextmanager
def _refusing(path):
    """Turn whatever a damaged file leads to into an `Error` that names it."""
    try:
        yield
    except Error as error:
        raise Error(f"{path}: {error}") from None
    except (zipfile.BadZipFile, OSError, EOFError, ValueError, RuntimeError, OverflowError) as error:
        raise Error(f"{path} is not a whole file of torch.save ({error}); copy it again.") from None


# ------------------------------------------------------------------------------------------- two forms


def _open_zip(path):
    """Return the pickled value, a function Storage -> its bytes, and the order of a number's bytes."""
    archive = zipfile.ZipFile(path)
    records = _records(archive.infolist(), path.stat().st_size)

    def storage(reference):
        stored = _storage(reference)
        record = records.get(f"data/{stored.key}")
        if record is None or record.file_size != stored.bytes:
            raise Error(f"its storage {stored.key:.40} is missing or has not {stored.bytes} bytes; copy the file "
                        "again.")
        return stored

    order = archive.read(records["byteorder"]) if "byteorder" in records else b"little"
    if order not in (b"little", b"big"):
        raise Error(f"its byteorder is {order[:20]!r}; wanted little or big.")
    value = unpickle(BytesIO(archive.read(records["data.pkl"])), NAMES, storage)
    return value, lambda storage: archive.read(records[f"data/{storage.key}"]), "<" if order == b"little" else ">"


def _records(infos, held):
    """Return {name below the top folder: ZipInfo}, none compressed, together no longer than the file."""
    tops = [info.filename.removesuffix("data.pkl") for info in infos
            if info.filename.count("/") == 1 and info.filename.endswith("/data.pkl")]
    if len(tops) != 1 or len({info.filename for info in infos}) < len(infos):
        raise Error("it is a zip, but not one that torch.save wrote: wanted one data.pkl in one folder.")
    if sum(info.file_size for info in infos) > held or any(
            info.compress_type != zipfile.ZIP_STORED or info.compress_size != info.file_size for info in infos):
        raise Error("its records are compressed or longer than the file, which torch.save never does; it is refused.")
    records = {info.filename.removeprefix(tops[0]): info for info in infos}
    if records["data.pkl"].file_size > LARGEST_PICKLE:
        raise Error(f"its data.pkl has more than {LARGEST_PICKLE} bytes, which no mapping of tensors needs; refused.")
    return records


def _open_stream(path):
    """Return the same of the older form."""
    storages = {}

    def storage(reference):
        stored = _storage(reference)
        if storages.setdefault(stored.key, stored) != stored:
            raise Error(f"its storage {stored.key:.40} is described twice, differently; copy the file again.")
        return stored

    with open(path, "rb") as file:
        head = BytesIO(file.read(LARGEST_PICKLE))
        pickles = (unpickle(head, NAMES, storage) for _ in range(5))
        if next(pickles) != MAGIC or next(pickles) != PROTOCOL:
            raise Error("it does not begin as files of torch.save do; give the right file.")
        _, value, keys = pickles
        starts = _walk(file, head.tell(), storages, keys)

    def numbers(storage):
        with open(path, "rb") as file:
            file.seek(starts[storage.key])
            return file.read(storage.bytes)

    return value, numbers, "<"


def _walk(file, place, storages, keys):
    """Return {key: where its numbers begin}, after seeing that the file holds every storage whole and no more."""
    starts, end = {}, file.seek(0, 2)
    if type(keys) is not list or any(type(key) is not str for key in keys) or sorted(keys) != sorted(storages):
        raise Error("its list of storages is not that of its tensors; copy the file again.")
    for key in keys:
        file.seek(min(place, end))
        if int.from_bytes(file.read(8), "little") != storages[key].length:
            raise Error(f"its storage {key:.40} has not {storages[key].length} numbers; copy the file again.")
        starts[key] = place + 8
        place += 8 + storages[key].bytes
    if place != end:
        raise Error(f"it has {end} bytes, and its tensors end at {place}; copy the file again.")
    return starts


# ------------------------------------------------------------------------------------------- stand-ins


def _storage(reference):
    """Return the `Storage` of a persistent id: ("storage", kind, key, device, length), perhaps with a last None."""
    word, kind, key, _, length, *view = reference
    if not (word == "storage" and type(kind) is str and kind in DTYPES and type(key) is str and type(length) is int
            and view in ([], [None])):
        raise Error("its pickle refers to something that is no storage of numbers; the file is refused.")
    return Storage(kind, key, length)


def _tensor(storage, offset, sizes, strides, *_):
    return View(storage, offset, sizes, strides)


def _parameter(tensor, *_):
    return tensor


def _ordered():
    return {}


# All that a file may name, and what stands for it here.
NAMES = {"collections.OrderedDict": _ordered, "torch._utils._rebuild_tensor": _tensor,
         "torch._utils._rebuild_tensor_v2": _tensor, "torch._utils._rebuild_parameter": _parameter,
         **{f"torch.{kind}Storage": kind for kind in DTYPES}}


def _mapping(value):
    """Return {name: View}: the value itself, or what lies in it under a name of INSIDE."""
    for name in INSIDE:
        if type(value) is dict and type(value.get(name)) is dict:
            if beside := [str(other) for other in value if other != name]:
                log.info("%s is read; set aside: %s", name, ", ".join(beside))
            value = value[name]
    if type(value) is not dict:
        raise Error("it holds no mapping of names to tensors; give the file of a model's weights.")
    views = {name: view for name, view in value.items() if name != "_metadata"}
    for name, view in views.items():
        if type(name) is not str or type(view) is not View:
            raise Error(f"it holds {str(name):.80}, which is no tensor; give the file of a model's weights.")
    return views
