"""Tensors as PyTorch keeps them: a storage is a run of numbers, a tensor a view of one by offset, sizes and strides."""

import math
from dataclasses import dataclass

import numpy as np

from bertkit.errors import Error

DTYPES = {"Double": "f8", "Float": "f4", "Half": "f2", "BFloat16": "u2", "Long": "i8", "Int": "i4", "Short": "i2",
          "Char": "i1", "Byte": "u1", "Bool": "u1"}
MOST_SIZES = 8
# Tied weights are stored once under several names; beyond this many times the file, names are a way to fill memory.
MOST_SHARED = 32


@dataclass(frozen=True)
class Storage:
    """A run of numbers in a file of PyTorch.

    Args:
        kind: Their type, a key of `DTYPES`.
        key: The name of the storage in the file.
        length: How many numbers it holds.
    """

    kind: str
    key: str
    length: int

    @property
    def bytes(self) -> int:
        """How many bytes its numbers take."""
        return self.length * np.dtype(DTYPES[self.kind]).itemsize


@dataclass(frozen=True)
class View:
    """A tensor as a file describes it: until `check_views` has seen it, every part may be anything.

    Args:
        storage: The `Storage` that holds its numbers.
        offset: The number in the storage where the tensor begins (in numbers, not bytes).
        sizes: The shape.
        strides: How many numbers to go on for the next entry in each dimension.
    """

    storage: Storage
    offset: int
    sizes: tuple
    strides: tuple

    @property
    def bytes(self) -> int:
        """How many bytes an array of it takes."""
        return math.prod(self.sizes) * np.dtype(DTYPES[self.storage.kind]).itemsize


def check_views(views: dict[str, View], held: int) -> None:
    """Check that each view lies in its storage, and that all together are not absurdly larger than the file.

    Args:
        views: {name: view}.
        held: Bytes of the file.

    Raises:
        Error: When a view does not, or they take more than `MOST_SHARED` times the bytes of the file.
    """
    for name, view in views.items():
        if not _fits(view):
            raise Error(f"its tensor {name:.80} is no view within its storage; copy the file again.")
    total = sum(view.bytes for view in views.values())
    if total > MOST_SHARED * held:
        raise Error(f"its tensors have {total} bytes, and it has {held}; no weights are shared so often, and the file "
                    "is refused.")


def _fits(view):
    """Say whether a view has plain sizes and strides and touches nothing outside its storage.

    One with more numbers than its storage (strides of 0) is refused: a small file could fill the memory.
    """
    if type(view.storage) is not Storage or type(view.sizes) is not tuple or type(view.strides) is not tuple:
        return False
    if len(view.sizes) != len(view.strides) or len(view.sizes) > MOST_SIZES:
        return False
    if not all(type(number) is int and 0 <= number < 2**40 for number in (view.offset, *view.sizes, *view.strides)):
        return False
    last = view.offset + sum((size - 1) * stride for size, stride in zip(view.sizes, view.strides, strict=True))
    return 0 in view.sizes or math.prod(view.sizes) <= view.storage.length > last


def read_array(view: View, content: bytes, order: str) -> np.ndarray:
    """Return a checked view as an array; bfloat16, which numpy lacks, is widened to float32.

    Args:
        view: The view, which `check_views` has seen.
        content: The bytes of its storage.
        order: The order of a number's bytes, "<" or ">".

    Returns:
        An array of the view's shape and dtype.

    Raises:
        ValueError: When there are too few bytes.

    >>> storage = Storage("Int", "0", 4)
    >>> read_array(View(storage, 0, (2, 2), (1, 2)), np.arange(4, dtype="<i4").tobytes(), "<").tolist()
    [[0, 2], [1, 3]]
    """
    dtype = np.dtype(order + DTYPES[view.storage.kind])
    if 0 in view.sizes:
        numbers = np.zeros(view.sizes, dtype)
    else:
        numbers = np.ndarray(view.sizes, dtype, content, view.offset * dtype.itemsize,
                             [stride * dtype.itemsize for stride in view.strides])
    numbers = numbers.astype(dtype.newbyteorder("="), order="C", copy=False)
    if view.storage.kind == "BFloat16":
        return (numbers.astype("u4") << 16).view("f4")
    return numbers != 0 if view.storage.kind == "Bool" else numbers
