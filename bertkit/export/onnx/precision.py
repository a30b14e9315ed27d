"""The same graph with smaller constants: matrices and tables in 8 bits, or everything in float16."""

from collections.abc import Callable

import numpy as np

from bertkit.export.onnx.graph import Graph, Node
from bertkit.export.onnx.model_file import TYPES

# Below it a matrix stays float32: the last layer of a classifier, which has few numbers and decides.
FEWEST = 4096
_MIDDLE = 128               # the zero of uint8 weights
_LARGEST_HALF = float(np.finfo("float16").max)


def int8(graph: Graph) -> Graph:
    """Return a graph that multiplies matrices in integers, and keeps tables in 8 bits.

    x W ≈ (x_scale · s) ∘ (x̂ − x_zero)(Ŵ − 128), where Ŵ = round(W / s) + 128 and s = max |W| / 127 of each column.
    x̂ and its scale follow each batch (DynamicQuantizeLinear), so no calibration is needed; products of two activations
    stay float32. A row of a table is r ≈ t · r̂ with t = max |r| / 127. Weights are uint8, not int8: with int8 ones
    onnxruntime adds pairs in 16 bits on processors without VNNI, and they overflow.

    Args:
        graph: The `Graph` in float32; it is left as it is.

    Returns:
        A new `Graph`.
    """
    return _rewritten(graph, _int8_node)


def float16(graph: Graph) -> Graph:
    """Return a graph whose constants are float16 in the file; it computes in float32 as before.

    Args:
        graph: The `Graph` in float32; it is left as it is.

    Returns:
        A new `Graph`.
    """
    return _rewritten(graph, _half_node)


def _rewritten(graph: Graph, rewrite: Callable[[Graph, Node], Node | None]) -> Graph:
    """Return a graph with some nodes written anew; a function adds what a node is to read, and returns the node."""
    made = Graph()
    made.constants, made.inputs, made.outputs = dict(graph.constants), graph.inputs, graph.outputs
    made.continue_names(graph)
    for node in graph.nodes:
        made.nodes.append(rewrite(made, node) or node)
    return made


def _int8_node(made, node):
    values = [made.constants.get(name) for name in node.inputs]
    large = [value is not None and value.dtype == np.float32 and value.ndim > 1 and value.size >= FEWEST
             for value in values]
    if not any(large):
        return None
    if node.operator == "MatMul" and large == [False, True] and values[1].ndim == 2:
        return _product(made, node)
    if node.operator == "Gather" and large[0] and dict(node.attributes).get("axis", 0) == 0:
        return _rows(made, node)
    inputs = [_unpacked(made, name) if packed else name for name, packed in zip(node.inputs, large, strict=True)]
    return node._replace(inputs=tuple(inputs))


def _packed(made, name, axis):
    """Add the integers of a constant, uint8, and its scales, one for each place of an axis; return their names."""
    names = f"{name}/int8_{axis}", f"{name}/scales_{axis}"
    if names[0] not in made.constants:
        values = made.constants[name]
        others = tuple(place for place in range(values.ndim) if place != axis % values.ndim)
        scales = np.abs(values).max(axis=others, keepdims=True) / 127
        scales = np.where(scales > 0, scales, 1).astype("float32")
        made.constant((np.rint(values / scales) + _MIDDLE).astype("uint8"), names[0])
        made.constant(scales, names[1])
    return names


def _product(made, node):
    x, weights = node.inputs
    integers, scales = _packed(made, weights, axis=1)
    made.constants[scales] = made.constants[scales].reshape(-1)
    rounded, scale, zero = made.add_several("DynamicQuantizeLinear", [x], 3)
    product = made.add("MatMulInteger", rounded, integers, zero, made.constant(np.uint8(_MIDDLE)))
    both = made.add("Mul", scale, scales)
    return Node("Mul", (made.add("Cast", product, to=TYPES[np.dtype("float32")]), both), node.outputs)


def _rows(made, node):
    table, places = node.inputs
    integers, scales = _packed(made, table, axis=0)
    rows = made.add("Gather", integers, places, axis=0)
    centred = made.add("Sub", made.add("Cast", rows, to=TYPES[np.dtype("float32")]),
                       made.constant(np.float32(_MIDDLE)))
    return Node("Mul", (centred, made.add("Gather", scales, places, axis=0)), node.outputs)


def _unpacked(made, name):
    """Add a constant that is kept in 8 bits and computed with in float32."""
    integers, scales = _packed(made, name, axis=-1)
    centred = made.add("Sub", made.add("Cast", integers, to=TYPES[np.dtype("float32")]),
                       made.constant(np.float32(_MIDDLE)))
    return made.add("Mul", centred, scales)


def _half_node(made, node):
    return node._replace(inputs=tuple(_halved(made, name) for name in node.inputs))


def _halved(made, name):
    values = made.constants.get(name)
    if values is None or values.dtype != np.float32 or values.size < 2 or np.abs(values).max() > _LARGEST_HALF:
        return name
    half = made.constant(values.astype("float16"), f"{name}/half")
    return made.add("Cast", half, to=TYPES[np.dtype("float32")])
