"""The bytes of an ONNX file: its messages in protobuf's wire format, written by hand.

Numbers of fields are those of onnx.proto (ONNX 1.13 and later); no package is needed to write them.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from bertkit.errors import Error
from bertkit.export.onnx.graph import Graph
from bertkit.version import VERSION

# Operators as they were in ONNX 1.13 (December 2022): onnxruntime 1.14 and later, onnxruntime-web, transformers.js.
IR_VERSION, OPSET = 8, 18
LARGEST = 2**31 - 1         # bytes of a protobuf message
TYPES = {np.dtype(name): number for number, name in (
    (1, "float32"), (2, "uint8"), (3, "int8"), (7, "int64"), (9, "bool"), (10, "float16"), (11, "float64"))}
_FLOAT, _INT, _STRING, _INTS = 1, 2, 3, 7       # kinds of attributes


def content(graph: Graph, metadata: Mapping[str, str]) -> bytes:
    """Return the content of the .onnx file of a graph.

    Args:
        graph: The `Graph`.
        metadata: {key: text} that the file keeps beside the graph.

    Returns:
        The bytes of a ModelProto.

    Raises:
        Error: When they are more than a protobuf message may have.
    """
    parts = [_integer(1, IR_VERSION), _text(2, "bertkit"), _text(3, VERSION), _bytes(7, _graph(graph)),
             _bytes(8, _text(1, "") + _integer(2, OPSET))]
    parts += [_bytes(14, _text(1, key) + _text(2, value)) for key, value in metadata.items()]
    found = b"".join(parts)
    if len(found) > LARGEST:
        raise Error(f"The float32 file would have {len(found):,} bytes, and an .onnx file has at most {LARGEST:,}; "
                    "export a smaller model, or to saved_model.")
    return found


def _graph(graph):
    parts = [_bytes(1, _node(node)) for node in graph.nodes]
    parts.append(_text(2, "bertkit"))
    parts += [_bytes(5, _tensor(name, values)) for name, values in graph.used_constants().items()]
    parts += [_bytes(11, _value_info(*one)) for one in graph.inputs]
    parts += [_bytes(12, _value_info(*one)) for one in graph.outputs]
    return b"".join(parts)


def _node(node):
    return b"".join([*(_text(1, name) for name in node.inputs), *(_text(2, name) for name in node.outputs),
                     _text(4, node.operator), *(_bytes(5, _attribute(*pair)) for pair in node.attributes)])


def _attribute(name: str, value: Any) -> bytes:
    if isinstance(value, float):
        return _text(1, name) + b"\x15" + np.float32(value).tobytes() + _integer(20, _FLOAT)
    if isinstance(value, int):
        return _text(1, name) + _integer(3, value) + _integer(20, _INT)
    if isinstance(value, str):
        return _text(1, name) + _text(4, value) + _integer(20, _STRING)
    return _text(1, name) + b"".join(_integer(8, each) for each in value) + _integer(20, _INTS)


def _tensor(name: str, values: np.ndarray) -> bytes:
    little = np.ascontiguousarray(values).astype(values.dtype.newbyteorder("<"), copy=False)
    return b"".join([*(_integer(1, size) for size in values.shape), _integer(2, TYPES[values.dtype]), _text(8, name),
                     _bytes(9, little.tobytes())])


def _value_info(name: str, dtype: np.dtype, dimensions: Sequence[int | str]) -> bytes:
    """A dimension is a number, or a name where any size may come."""
    sizes = (_text(2, size) if isinstance(size, str) else _integer(1, size) for size in dimensions)
    shape = _bytes(2, b"".join(_bytes(1, size) for size in sizes))
    return _text(1, name) + _bytes(2, _bytes(1, _integer(1, TYPES[np.dtype(dtype)]) + shape))


def _integer(field: int, value: int) -> bytes:
    """A field of the wire type 0: its tag and a varint; a negative number is its two's complement of 64 bits."""
    return bytes([*_varint(field << 3), *_varint(int(value) & (2**64 - 1))])


def _text(field: int, text: str) -> bytes:
    return _bytes(field, text.encode("utf-8"))


def _bytes(field: int, value: bytes) -> bytes:
    """A field of the wire type 2: its tag, its length and its bytes."""
    return bytes([*_varint(field << 3 | 2), *_varint(len(value))]) + value


def _varint(value: int) -> Iterator[int]:
    """Yield the bytes of a number, seven bits each, the lowest first; all but the last have their highest bit set."""
    while value > 127:
        yield value & 127 | 128
        value >>= 7
    yield value


