"""From a file's tensors to a model's variables, every one accounted for.

A format gives a `Tensors` (names, shapes, a way to read one) and the name it wants for each variable. All
shapes are compared before the first byte of weights is read.
"""

import logging
import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
from safetensors import SafetensorError, safe_open

from bertkit.cost import parameters
from bertkit.encoder import Encoder
from bertkit.errors import Error
from bertkit.files import schema
from bertkit.files.bounded import check_regular, opened

log = logging.getLogger("bertkit")

# safetensors' names of numbers of 8 bits -> numpy's types; ml_dtypes comes with TensorFlow.
FLOAT8 = {"F8_E4M3": ml_dtypes.float8_e4m3fn, "F8_E5M2": ml_dtypes.float8_e5m2,
          "F8_E4M3FNUZ": ml_dtypes.float8_e4m3fnuz, "F8_E5M2FNUZ": ml_dtypes.float8_e5m2fnuz}
_HEADER = {"dtype": schema.Choice(*FLOAT8), "shape": [schema.Whole()],
           "data_offsets": schema.Several(schema.Whole(), 2)}
# A config may describe this many more numbers than its file holds before it is called absurd.
SLACK = 2**24
# The layers that a family's table numbers: blocks, blocks of groups, several of a kind in a block.
NUMBERED = re.compile(r"(?:block|feed)_(\d+)(?:_(\d+))?/")

@dataclass(frozen=True)
class Tensors:
    """The tensors of a file, which are read one by one.

    Args:
        path: The file, for error messages.
        shapes: {name of a tensor: its shape}.
        read: Function that returns a tensor, given its name.
    """

    path: Path
    shapes: dict[str, tuple[int, ...]]
    read: Callable[[str], np.ndarray]


def read_safetensors(paths: Iterable[str | Path], where: str | Path) -> Tensors:
    """Return the tensors of one or several safetensors files; only their headers are read now.

    Args:
        paths: The files.
        where: The name of them all in error messages.

    Returns:
        One `Tensors` over all files.

    Raises:
        Error: When a file is damaged, or two hold a tensor of the same name.
    """
    shapes, homes, places = {}, {}, {}
    for path in paths:
        check_regular(path)
        try:
            file = safe_open(path, framework="np")
        except (SafetensorError, OSError) as error:
            raise Error(f"{path} is not a whole safetensors file ({error}); copy it again.") from None
        for name in sorted(file.keys()):
            if name in shapes:
                raise Error(f"{path} holds {name}, which another shard of {where} holds too.")
            shapes[name], homes[name], places[name] = tuple(file.get_slice(name).get_shape()), file, path

    def read(name):
        try:
            return homes[name].get_tensor(name)
        except (TypeError, AttributeError):             # numpy has no such numbers
            kind = homes[name].get_slice(name).get_dtype()
            if kind in FLOAT8:
                return _read_float8(places[name], name)
            raise Error(f"{where}: {name} holds {kind}, which bertkit does not read; give the file as it was before it "
                        "was quantized.") from None

    return Tensors(Path(where), shapes, read)


def _read_float8(path, name):
    """Return a tensor of 8 bits, which safetensors' reader does not give numpy, as float32, which holds them all."""
    with opened(path) as file:
        size = int.from_bytes(file.read(8), "little")
        entry = schema.parse(file.read(size), path, {name: _HEADER})[name]
        start, end = entry["data_offsets"]
        file.seek(8 + size + start)
        numbers = np.frombuffer(file.read(end - start), FLOAT8[entry["dtype"]])
    return numbers.reshape(entry["shape"]).astype("float32")


@dataclass(frozen=True)
class WeightMapping:
    """Where the values of a variable lie in a file.

    Args:
        name: The name of the tensor in the file.
        transposed: Whether the file holds the matrix transposed.
        part: The part of a stack [n,...] of tensors that belongs to the variable; None where there is no stack. Where
            a part is given and the tensor is no stack, all layers share it.
    """

    name: str
    transposed: bool = False
    part: int | None = None

    def shape_error(self, shape: Sequence[int], variable: Any) -> str | None:
        """Return what is wrong with the shape of the file's tensor.

        Args:
            shape: The shape of the tensor in the file.
            variable: The variable that gets its values.

        Returns:
            Words that end a sentence; None if the shape is right.
        """
        wanted = tuple(variable.shape)[::-1] if self.transposed else tuple(variable.shape)
        if self.part is not None and tuple(shape) != wanted:
            stacked = len(shape) == len(wanted) + 1 and shape[0] > self.part and tuple(shape[1:]) == wanted
            return None if stacked else f"{list(shape)}, wanted [{self.part + 1} or more, {str(list(wanted))[1:]}"
        return None if tuple(shape) == wanted else f"{list(shape)}, wanted {list(wanted)}"

    def values(self, tensors: Tensors, variable: Any) -> np.ndarray:
        """Return the values of a variable.

        Args:
            tensors: The `Tensors` of the file.
            variable: The variable.

        Returns:
            An array of the variable's shape, of the dtype that the file has.

        Raises:
            Error: When the tensor holds other values than finite numbers.
        """
        values = floats(tensors.read(self.name), self.name, tensors.path)
        values = values[self.part] if values.ndim > len(variable.shape) else values
        return values.T if self.transposed else values


def floats(values: np.ndarray, name: str, path: Path) -> np.ndarray:
    """Return a tensor that holds finite numbers.

    Args:
        values: The tensor [...], of any dtype.
        name: Its name in the file.
        path: The file.

    Returns:
        The tensor [...], float16, bfloat16, float32 or float64.

    Raises:
        Error: When it is of another type than float16, bfloat16, float32 or float64, or holds NaN, infinity or a number
            that float32 does not.
    """
    if values.dtype.kind != "f" and values.dtype.name != "bfloat16":
        raise Error(f"{path}: {name} holds {values.dtype!s:.60}; weights are float32, float16, bfloat16 or float64, so "
                    "give the file as it was before it was quantized or changed.")
    with np.errstate(over="ignore"):
        wrong = values.size - np.count_nonzero(np.isfinite(values.astype("float32", copy=False)))
    if wrong:
        raise Error(f"{path}: {name} holds NaN or infinity in {wrong} of {values.size} numbers, so that every answer "
                    "would be NaN; give another checkpoint.")
    return values


def encoder_for(config: Any, tensors: Tensors) -> Encoder:
    """Return a new encoder, if its config can belong to a file.

    Args:
        config: The `EncoderConfig`.
        tensors: The `Tensors` of the file.

    Returns:
        An `Encoder` with random weights.

    Raises:
        Error: When the config describes far more numbers or layers than the file holds; no memory was taken yet.
    """
    held, described = sum(map(math.prod, tensors.shapes.values())), parameters(config)
    layers = config.num_layers if config.shared is None else config.shared.groups * config.shared.inner
    if described > 2 * held + SLACK or layers > len(tensors.shapes):
        raise Error(f"{tensors.path} holds {held} numbers in {len(tensors.shapes)} tensors, and its config "
                    f"describes {described} in {config.num_layers} layers; does the config belong to it?")
    return Encoder(config)


def variables(model: Any) -> dict[str, Any]:
    """Return all weights of a model by name, frozen ones too.

    Args:
        model: An `Encoder`, or a head of bertkit's on one.

    Returns:
        {"encoder/..." or "NAME OF A HEAD/...": variable}.
    """
    encoder = getattr(model, "encoder", model)
    found = {"encoder/" + weight.path.partition(encoder.name + "/")[2]: weight for weight in encoder.weights}
    inside = set(map(id, encoder.weights))
    return found | {weight.path.partition("/")[2]: weight for weight in model.weights if id(weight) not in inside}


def weight_mapping(paths: Iterable[str], table: dict[str, str], leaves: dict[str, str],
                   transposed: bool = False) -> dict[str, WeightMapping]:
    """Return where each variable of a model lies in a file, from a family's table of layers.

    Args:
        paths: Names of variables, see `variables`.
        table: {our layer: its name in the file}. A path that stands in the table itself has its exact name there (see
            `family.formats`).
        leaves: {"kernel", "bias", "gamma", "beta" or "embeddings": what follows the layer's name in the file}.
        transposed: Whether the file holds matrices transposed.

    Returns:
        {our variable: its `WeightMapping`}; variables that have no place in the table are left out.
    """
    mapping, order = {}, list(dict.fromkeys(block[0] for block in map(NUMBERED.search, paths) if block))
    for path in paths:
        numbers = [number for groups in NUMBERED.findall(path) for number in groups if number]
        key = path
        for letter, number in zip("ij", numbers, strict=False):
            key = key.replace(f"_{number}", f"_{{{letter}}}", 1)
        layer, leaf = key.rsplit("/", 1)
        if key in table:
            name, is_transposed = table[key].removesuffix(".T"), table[key].endswith(".T")
        elif layer in table and leaf in leaves:
            name, is_transposed = table[layer] + leaves[leaf], transposed and leaf == "kernel"
        else:
            continue
        for letter, number in zip("ij", numbers, strict=False):
            name = name.replace(f"{{{letter}}}", number)
        if "{n}" in name and (block := NUMBERED.search(path)):
            name = name.replace("{n}", str(order.index(block[0])))
        stack = re.fullmatch(r"(.+)\[(\d+)\]", name)
        mapping[path] = WeightMapping(stack[1], False, int(stack[2])) if stack else WeightMapping(name, is_transposed)
    return mapping


def assign(model: Any, tensors: Tensors, places: dict[str, WeightMapping], unused: Iterable[str] = (),
           ignored: Iterable[str] = (), new: Iterable[str] = ()) -> None:
    """Give every variable of a model its tensor, or raise one error that lists all that is wrong.

    Args:
        model: An `Encoder`, or a head of bertkit's on one.
        tensors: The `Tensors` of the file.
        places: {name of a variable: its `WeightMapping`}.
        unused: Beginnings of names in the file that belong to known heads that were not asked for: they are not read,
            and are named in the log.
        ignored: Beginnings of names in the file that are not read, without a word.
        new: Beginnings of names of layers that the file may lack as a whole: they keep their random values, and are
            named in the log.

    Raises:
        Error: When a tensor is missing, unread or misshapen (no variable was changed then), or holds other values than
            finite numbers.
    """
    ours = variables(model)
    new = [prefix for prefix in new if not any(
        path.startswith(prefix) and path in places and places[path].name in tensors.shapes for path in ours)]
    missing, fresh, misshapen = [], [], []
    for path, variable in ours.items():
        mapping = places.get(path)
        if mapping is None or mapping.name not in tensors.shapes:
            (fresh if path.startswith(tuple(new)) else missing).append(mapping.name if mapping else path)
        elif (wrong := mapping.shape_error(tensors.shapes[mapping.name], variable)):
            misshapen.append(f"{mapping.name} is {wrong}")
    used = {places[path].name for path in ours if path in places}
    rest = [name for name in tensors.shapes if name not in used and not name.startswith(tuple(ignored))]
    set_aside = [name for name in rest if name.startswith(tuple(unused))]
    unread = [name for name in rest if name not in set_aside]
    _refuse(tensors.path, missing, unread, misshapen)
    if set_aside:
        log.info("%s: set aside, not asked for: %s", tensors.path, ", ".join(set_aside))
    if fresh:
        log.warning("%s holds no %s; newly initialised, so train before use.", tensors.path,
                    ", ".join(fresh))
    for path, variable in ours.items():
        mapping = places.get(path)
        if mapping and mapping.name in tensors.shapes:
            variable.assign(mapping.values(tensors, variable))


def _refuse(path, missing, unread, misshapen):
    parts = [f"{what}: {_listed(names)}" for what, names in
             (("missing", missing), ("unread", unread), ("misshapen", misshapen)) if names]
    if parts:
        raise Error(f"{path} does not hold the model its config describes ({'; '.join(parts)}); is the "
                    "file whole, and does the config belong to it?")


def _listed(names, most=8):
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(sorted(names)[:most]) + more
