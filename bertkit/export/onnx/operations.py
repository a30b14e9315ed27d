"""TensorFlow's operations as ONNX's: one entry for each that bertkit's encoders and heads compute with.

An entry is a function (graph, operation, *names of its inputs) -> name of its output, or names of several. Integers of
TensorFlow, int32 or int64, are int64 here, as shapes and places are in ONNX.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from bertkit.errors import Error
from bertkit.export.onnx.graph import Graph
from bertkit.export.onnx.model_file import TYPES
from bertkit.export.onnx.slices import strided_slice

LAST = np.iinfo("int64").max


def dtype_of(dtype: tf.DType) -> np.dtype:
    """Return the type that a tensor has in ONNX.

    Args:
        dtype: Its type in TensorFlow.

    Returns:
        The same, or int64 for each type of integers.

    >>> dtype_of(tf.int32)
    dtype('int64')
    """
    return np.dtype("int64") if dtype.is_integer else np.dtype(dtype.as_numpy_dtype)


def fixed(graph: Graph, operation: tf.Operation, name: str) -> np.ndarray:
    """Return the value of an input that must be known before a file is made, such as an axis.

    Args:
        graph: The `Graph`.
        operation: The operation, for the message.
        name: The name of the input.

    Returns:
        The array, int64 of any shape, such as ().

    Raises:
        Error: When it is computed.
    """
    if name not in graph.constants:
        raise Error(f"The model computes the axis of an operation {operation.type} ({operation.name}), which an ONNX "
                    "file cannot say; export it as a saved_model.")
    return graph.constants[name]


def _same(operator: str) -> Callable[..., str]:
    return lambda graph, _, *inputs: graph.add(operator, *inputs)


def _negated(operator: str) -> Callable[..., str]:
    return lambda graph, _, *inputs: graph.add("Not", graph.add(operator, *inputs))


def _unchanged(graph, _, *inputs):
    return inputs[0] if len(inputs) == 1 else inputs


def _reduced(operator: str) -> Callable[..., str]:
    def function(graph, operation, values, axes):
        places = np.atleast_1d(fixed(graph, operation, axes))
        if not places.size:
            return values
        return graph.add(operator, values, graph.integers(*places), keepdims=int(operation.get_attr("keep_dims")))
    return function


def _transpose(graph, operation, values, order):
    places = fixed(graph, operation, order).tolist()
    return values if places == sorted(places) else graph.add("Transpose", values, perm=places)


def _swapped(graph, values, rank):
    """Return matrices with rows and columns exchanged."""
    return graph.add("Transpose", values, perm=[*range(rank - 2), rank - 1, rank - 2])


def _matmul(first: str, second: str) -> Callable[..., str]:
    def function(graph, operation, one, two):
        ranks = [len(tensor.shape) for tensor in operation.inputs]
        one = _swapped(graph, one, ranks[0]) if operation.get_attr(first) else one
        two = _swapped(graph, two, ranks[1]) if operation.get_attr(second) else two
        return graph.add("MatMul", one, two)
    return function


def _erfc(graph, _, x):
    return graph.add("Sub", graph.constant(np.float32(1)), graph.add("Erf", x))


def _floor_div(graph, operation, one, two):
    """Division of ONNX cuts integers towards zero, where TensorFlow rounds down."""
    if not operation.inputs[0].dtype.is_integer:
        return graph.add("Floor", graph.add("Div", one, two))
    return graph.add("Div", graph.add("Sub", one, graph.add("Mod", one, two)), two)


def _floor_mod(graph, operation, one, two):
    if operation.inputs[0].dtype.is_integer:
        return graph.add("Mod", one, two)
    return graph.add("Sub", one, graph.add("Mul", two, graph.add("Floor", graph.add("Div", one, two))))


def _squared_difference(graph, _, one, two):
    difference = graph.add("Sub", one, two)
    return graph.add("Mul", difference, difference)


def _cast(graph, operation, values):
    before, after = (dtype_of(tensor.dtype) for tensor in (operation.inputs[0], operation.outputs[0]))
    return values if before == after else _to(graph, values, after)


def _to(graph, values, dtype):
    return graph.add("Cast", values, to=TYPES[np.dtype(dtype)])


def _gather(graph, operation, values, places, axis):
    at, batch = int(fixed(graph, operation, axis)), operation.get_attr("batch_dims")
    if not batch:
        return graph.add("Gather", values, places, axis=at)
    if at not in (batch, batch - len(operation.inputs[0].shape)):
        raise Error(f"The model gathers along axis {at} in groups of {batch} axes ({operation.name}), which ONNX does "
                    "not; export it as a saved_model.")
    return graph.add("GatherND", values, graph.add("Unsqueeze", places, graph.integers(-1)), batch_dims=batch)


def _gather_nd(graph, _, values, places):
    return graph.add("GatherND", values, places)


def _concat(graph, operation, *inputs):
    *parts, axis = inputs
    return parts[0] if len(parts) == 1 else graph.add("Concat", *parts, axis=int(fixed(graph, operation, axis)))


def _pack(graph, operation, *parts):
    axis = operation.get_attr("axis")
    return graph.add("Concat", *(graph.add("Unsqueeze", part, graph.integers(axis)) for part in parts), axis=axis)


def _unpack(graph, operation, values):
    axis, count = operation.get_attr("axis"), len(operation.outputs)
    return [graph.add("Gather", values, graph.constant(np.int64(place)), axis=axis) for place in range(count)]


def _split(graph, operation, axis, values):
    count = len(operation.outputs)
    return graph.add_several("Split", [values], count, axis=int(fixed(graph, operation, axis)), num_outputs=count)


def _split_by_sizes(graph, operation, values, sizes, axis):
    return graph.add_several("Split", [values, sizes], len(operation.outputs),
                             axis=int(fixed(graph, operation, axis)))


def _pad(graph, operation, values, widths, fill=None):
    """TensorFlow's widths are [rank,2], ONNX's all beginnings before all ends."""
    order = graph.add("Reshape", graph.add("Transpose", widths, perm=[1, 0]), graph.integers(-1))
    filled = graph.constant(np.zeros((), dtype_of(operation.inputs[0].dtype))) if fill is None else fill
    if operation.inputs[0].dtype != tf.bool:
        return graph.add("Pad", values, order, filled)
    padded = graph.add("Pad", _to(graph, values, "int64"), order, _to(graph, filled, "int64"))
    return _to(graph, padded, "bool")


def _cumsum(graph, operation, values, axis):
    return graph.add("CumSum", values, axis, exclusive=int(operation.get_attr("exclusive")),
                     reverse=int(operation.get_attr("reverse")))


def _top_k(graph, operation, values, count):
    wanted = graph.add("Reshape", count, graph.integers(1))
    return graph.add_several("TopK", [values, wanted], 2, axis=-1, largest=1, sorted=int(operation.get_attr("sorted")))


def _largest(graph, operation, values, axis):
    if not operation.inputs[0].dtype.is_floating:       # for which ONNX Runtime has no kernel
        values = _to(graph, values, "float64")
    return graph.add("ArgMax", values, axis=int(fixed(graph, operation, axis)), keepdims=0)


def _reverse(graph, operation, values, axes):
    """A slice backwards along the axes."""
    places = np.atleast_1d(fixed(graph, operation, axes)).tolist()
    begins, ends, steps = (graph.integers(*[number] * len(places)) for number in (-1, -LAST, -1))
    return graph.add("Slice", values, begins, ends, graph.integers(*places), steps)


def _zeros_like(graph, operation, values):
    zero = np.zeros((), dtype_of(operation.inputs[0].dtype))
    return graph.add("Expand", graph.constant(zero), graph.add("Shape", values))


def _fill(graph, _, sizes, value):
    return graph.add("Expand", value, sizes)


def _squeeze(graph, operation, values):
    axes = operation.get_attr("squeeze_dims")
    return graph.add("Squeeze", values, *([graph.integers(*axes)] if axes else []))


def _einsum(graph, operation, *inputs):
    return graph.add("Einsum", *inputs, equation=operation.get_attr("equation").decode())


def _leaky(graph, operation, values):
    return graph.add("LeakyRelu", values, alpha=float(operation.get_attr("alpha")))


def _one_hot(graph, operation, places, depth, on, off):
    values = graph.add("Concat", *(graph.add("Reshape", one, graph.integers(1)) for one in (off, on)), axis=0)
    return graph.add("OneHot", places, depth, values, axis=operation.get_attr("axis"))


OPERATIONS: dict[str, Callable[..., Any]] = {
    **{name: _same(name) for name in ("Abs", "Cos", "Equal", "Exp", "Floor", "Greater", "Less", "Log", "Mul",
                                      "Neg", "Pow", "Range", "Relu", "Reshape", "Shape", "Sigmoid", "Sign", "Sin",
                                      "Size", "Softmax", "Softplus", "Sqrt", "Sub", "Tanh", "Tile")},
    "AddV2": _same("Add"), "BiasAdd": _same("Add"), "BroadcastTo": _same("Expand"), "Erf": _same("Erf"),
    "ExpandDims": _same("Unsqueeze"), "GreaterEqual": _same("GreaterOrEqual"), "LessEqual": _same("LessOrEqual"),
    "LogicalAnd": _same("And"), "LogicalNot": _same("Not"), "LogicalOr": _same("Or"), "Maximum": _same("Max"),
    "Minimum": _same("Min"), "RealDiv": _same("Div"), "SelectV2": _same("Where"),
    "NotEqual": _negated("Equal"),
    "Identity": _unchanged, "IdentityN": _unchanged, "StopGradient": _unchanged, "PreventGradient": _unchanged,
    "All": _reduced("ReduceMin"), "Max": _reduced("ReduceMax"), "Mean": _reduced("ReduceMean"),
    "Min": _reduced("ReduceMin"), "Prod": _reduced("ReduceProd"), "Sum": _reduced("ReduceSum"),
    "ArgMax": _largest, "BatchMatMulV2": _matmul("adj_x", "adj_y"), "Cast": _cast, "ConcatV2": _concat,
    "Cumsum": _cumsum, "Einsum": _einsum, "Erfc": _erfc, "Fill": _fill, "FloorDiv": _floor_div,
    "FloorMod": _floor_mod, "GatherNd": _gather_nd, "GatherV2": _gather, "LeakyRelu": _leaky,
    "MatMul": _matmul("transpose_a", "transpose_b"), "OneHot": _one_hot, "Pack": _pack, "Pad": _pad, "PadV2": _pad,
    "ReverseV2": _reverse, "Split": _split, "SplitV": _split_by_sizes, "SquaredDifference": _squared_difference,
    "Squeeze": _squeeze, "StridedSlice": strided_slice, "TopKV2": _top_k, "Transpose": _transpose, "Unpack": _unpack,
    "ZerosLike": _zeros_like,
    "Rsqrt": lambda graph, _, x: graph.add("Reciprocal", graph.add("Sqrt", x)),
    "Square": lambda graph, _, x: graph.add("Mul", x, x),
}
