"""The same graph with smaller constants: matrices and tables in 8 bits, or everything in float16."""

from collections.abc import Callable

import numpy as np

from bertkit.export.onnx.graph import Graph, Node
from bertkit.export.onnx.model_file import TYPES

# A matrix of fewer columns stays float32: the last layer of a classifier, which has few numbers and decides.
COLUMNS = 16
FEWEST = 256                # numbers of a constant that is worth packing
MOST = 127                  # the largest int8
_ZERO = np.uint8(128)       # the zero of rounded activations, which are uint8
_SMALLEST = np.float32(1e-30)
_LARGEST_HALF = float(np.finfo("float16").max)


def int8(graph: Graph) -> Graph:
    """Return a graph that multiplies matrices in integers, and keeps tables in 8 bits.

    x W ≈ max|x| / 127 · s ∘ (x̂ Ŵ) with x̂ = round(127 x / max|x|), of each token for itself, and Ŵ = round(W / s). s is
    that of a column: the largest |W[2i]| + |W[2i+1]| / 127, because processors without VNNI add neighbours in 16 bits,
    and 255 (|Ŵ[2i]| + |Ŵ[2i+1]|) < 2¹⁵ keeps their sum exact. Products of two activations stay float32. A row r of a
    table is t r̂ with t = max|r| / 127.

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
        return _product(made, node) if values[1].shape[1] >= COLUMNS else None
    if node.operator == "Gather" and large[0] and dict(node.attributes).get("axis", 0) == 0:
        return _rows(made, node)
    inputs = [_unpacked(made, name) if packed else name for name, packed in zip(node.inputs, large, strict=True)]
    return node._replace(inputs=tuple(inputs))


def _rounded(made, name, scales, kind):
    """Add a constant divided by scales, int8, and the scales, under the constant's name; return both names."""
    names = f"{name}/{kind}", f"{name}/{kind}/scales"
    if names[0] not in made.constants:
        scales = np.where(scales > 0, scales, 1).astype("float32")
        made.constant(np.rint(made.constants[name] / scales).astype("int8"), names[0])
        made.constant(scales, names[1])
    return names


def _product(made, node):
    """Add the integer product of a matrix."""
    x, weights = node.inputs
    values = np.abs(made.constants[weights])
    neighbours = np.pad(values, ((0, len(values) % 2), (0, 0))).reshape(-1, 2, values.shape[1]).sum(axis=1)
    integers, scales = _rounded(made, weights, neighbours.max(axis=0) / MOST, "columns")
    largest = made.add("Max", made.add("ReduceMax", made.add("Abs", x), made.integers(-1), keepdims=1),
                       made.constant(_SMALLEST))
    rounded = made.add("QuantizeLinear", made.add("Div", x, largest), made.constant(np.float32(1 / MOST)),
                       made.constant(_ZERO))
    product = made.add("MatMulInteger", rounded, integers, made.constant(_ZERO), made.constant(np.int8(0)))
    numbers = made.add("Mul", made.add("Cast", product, to=TYPES[np.dtype("float32")]), scales)
    return Node("Mul", (numbers, made.add("Div", largest, made.constant(np.float32(MOST)))), node.outputs)


def _rows(made, node):
    """Add the rows of a table whose rows have scales of their own."""
    table, places = node.inputs
    values = made.constants[table]
    largest = np.abs(values).max(axis=tuple(range(1, values.ndim)), keepdims=True)
    integers, scales = _rounded(made, table, largest / MOST, "rows")
    numbers = made.add("Cast", made.add("Gather", integers, places, axis=0), to=TYPES[np.dtype("float32")])
    return Node("Mul", (numbers, made.add("Gather", scales, places, axis=0)), node.outputs)


def _unpacked(made, name):
    """Add a constant that is kept in 8 bits and computed with in float32, such as one that Einsum reads."""
    largest = np.abs(made.constants[name]).max(axis=-1, keepdims=True)
    integers, scales = _rounded(made, name, largest / MOST, "last")
    return made.add("Mul", made.add("Cast", integers, to=TYPES[np.dtype("float32")]), scales)


def _half_node(made, node):
    return node._replace(inputs=tuple(_halved(made, name) for name in node.inputs))


def _halved(made, name):
    values = made.constants.get(name)
    if values is None or values.dtype != np.float32 or values.size < 2 or np.abs(values).max() > _LARGEST_HALF:
        return name
    half = made.constant(values.astype("float16"), f"{name}/half")
    return made.add("Cast", half, to=TYPES[np.dtype("float32")])
