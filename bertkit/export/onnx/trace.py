"""From a model to its ONNX graph: what TensorFlow computes for any rows, operation by operation."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from bertkit.checkpoints.tensors import variables
from bertkit.errors import Error
from bertkit.export.onnx.graph import Graph
from bertkit.export.onnx.operations import OPERATIONS, dtype_of

# Computed now where all that they read is known: weights in another layout.
_NOW: dict[str, Callable[..., np.ndarray]] = {
        "Reshape": lambda _, values, shape: values.reshape(shape),
        "Transpose": lambda _, values, order: values.transpose(order),
        "Identity": lambda _, values: values}


def traced(model: Any, compute: Callable[[dict[str, tf.Tensor]], dict[str, tf.Tensor]], inputs: Mapping[str, str],
           dimensions: Sequence[str]) -> Graph:
    """Return the graph of a function of a model.

    Args:
        model: The model, whose weights become constants under their own names.
        compute: Function {our name: int32 [rows, tokens]} -> {name: float32 [rows, ...]}.
        inputs: {our name: the name of the input in the file}.
        dimensions: Names of the dimensions of each input, such as ("rows", "tokens").

    Returns:
        The `Graph`; its inputs are int64.

    Raises:
        Error: When the function has an operation that bertkit does not put into an ONNX file.
    """
    signature = {name: tf.TensorSpec([None] * len(dimensions), tf.int32, name=name) for name in inputs}
    function = tf.function(compute).get_concrete_function(signature)
    names = {variable.value.handle.ref(): name for name, variable in variables(model).items()}
    graph, given = Graph(), _captured(function, names)
    for name, tensor in zip(sorted(inputs), function.inputs, strict=False):      # in the order of tf.nest
        given[tensor.ref()] = inputs[name]
    graph.inputs = [(name, np.dtype("int64"), tuple(dimensions)) for name in inputs.values()]
    found = _converted(graph, function, given)
    for name, tensor in function.structured_outputs.items():
        graph.add_output(found[tensor.ref()], name, dtype_of(tensor.dtype),
                         _dimensions(name, tensor.shape, dimensions))
    graph.drop_unread()
    return graph


def _captured(function, names):
    """Return {tensor: (name, values)} of what a function takes from outside: the weights, and arrays."""
    held = {variable.handle.ref(): variable for variable in function.graph.variables}
    found = {}
    for outer, inner in function.graph.captures:
        variable = held.get(outer.ref())
        value = outer if variable is None else variable
        found[inner.ref()] = names.get(outer.ref()), value.numpy()
    return found


def _converted(graph, function, given):
    """Add the operations that the outputs need, in order; return {tensor: name of it in the graph}."""
    names: dict[Any, Any] = dict(given)
    for operation in _needed(function):
        if operation.type == "Placeholder":
            continue
        if operation.type == "ReadVariableOp":
            names[operation.outputs[0].ref()] = given[operation.inputs[0].ref()]
            continue
        if product := _product(operation):
            names[operation.outputs[0].ref()] = graph.add("MatMul", *(_name(graph, names, each) for each in product))
            continue
        inputs = [_name(graph, names, tensor) for tensor in operation.inputs]
        for tensor, name in zip(operation.outputs, _outputs(graph, operation, inputs), strict=False):
            names[tensor.ref()] = name
    return {tensor.ref(): _name(graph, names, tensor) for tensor in function.outputs}


def _product(operation):
    """Return the tensors x [...,D] and W [D,C] of which an operation is the last step of x W, else None.

    `tf.tensordot` makes a matrix of x and gives the product its axes back, in a dozen steps that have names of its own;
    MatMul of ONNX takes x as it is.
    """
    below, kinds = [operation], ("Reshape", "MatMul", "Reshape", "Transpose")
    while len(below) < len(kinds) and below[-1].inputs:
        below.append(below[-1].inputs[0].op)
    if tuple(step.type for step in below) != kinds or below[1].name != f"{operation.name}/MatMul":
        return None
    product, turned = below[1], below[3]
    order, (x, weights) = tf.get_static_value(turned.inputs[1]), (turned.inputs[0], product.inputs[1])
    in_order = order is not None and order.tolist() == sorted(order)
    plain = not product.get_attr("transpose_a") and not product.get_attr("transpose_b")
    return (x, weights) if in_order and plain and x.shape[-1] == weights.shape[0] is not None else None


def _name(graph, names, tensor):
    """Return the name of a tensor in the graph; a weight becomes a constant when it is first read."""
    found = names[tensor.ref()]
    if isinstance(found, str):
        return found
    name, values = found
    names[tensor.ref()] = graph.constant(_typed(values), name)
    return names[tensor.ref()]


def _typed(values):
    return values.astype("int64") if values.dtype.kind in "iu" else values


def _outputs(graph, operation, inputs):
    """Return the names of what an operation gives."""
    known = _known(graph, operation, inputs)
    if known is not None:
        return [graph.constant(_typed(known))]
    if operation.type not in OPERATIONS:
        raise Error(f"The model computes {operation.type} ({operation.name}), which bertkit does not put into an ONNX "
                    "file; export it as a saved_model.")
    found = OPERATIONS[operation.type](graph, operation, *inputs)
    return [found] if isinstance(found, str) else list(found)


def _known(graph, operation, inputs):
    """Return the value of what an operation gives where it depends on no row, else None."""
    if len(operation.outputs) != 1:
        return None
    if inputs and operation.type in _NOW and all(name in graph.constants for name in inputs):
        return _NOW[operation.type](operation, *(graph.constants[name] for name in inputs))
    if operation.type == "StridedSlice" and operation.inputs[0].op.type == "Shape":
        return _dimension(operation)
    return tf.get_static_value(operation.outputs[0])


def _dimension(operation):
    """Return a dimension that shape[i] reads and that is the same for all rows, else None."""
    value = tf.get_static_value(operation.outputs[0])
    place = tf.get_static_value(operation.inputs[1])
    if value is not None or place is None or operation.get_attr("shrink_axis_mask") != 1:
        return value
    size = operation.inputs[0].op.inputs[0].shape[int(place[0])]
    return None if size is None else np.array(size, "int64")


def _needed(function):
    """Return the operations that the outputs depend on, each behind those that it reads."""
    needed, waiting = set(), [tensor.op for tensor in function.outputs]
    while waiting:
        operation = waiting.pop()
        if operation.name not in needed:
            needed.add(operation.name)
            waiting += [tensor.op for tensor in operation.inputs]
    return [operation for operation in function.graph.get_operations() if operation.name in needed]


def _dimensions(name, shape, dimensions):
    """Return the dimensions of an output: its own numbers, and names where rows or tokens are counted."""
    named = iter(dimensions)
    return tuple(next(named, f"{name}_{place}") if size is None else size for place, size in enumerate(shape))
