"""The graph of a .tflite as Python objects: read, looked through, and changed where the converter cannot say it."""

from collections.abc import Iterator
from typing import Any

import numpy as np

FEWEST_ROWS = 16        # of a table of vectors; two segments are no table worth changing


def read(content: bytes) -> Any:
    """Return the model of a .tflite as objects of its schema.

    Args:
        content: The .tflite.

    Returns:
        A `ModelT`.
    """
    from ai_edge_litert.tools import flatbuffer_utils
    return flatbuffer_utils.read_model_from_bytearray(bytearray(content))


def written(model: Any) -> bytes:
    """Return the .tflite of a model.

    Args:
        model: What `read` returned, perhaps changed.

    Returns:
        The .tflite.
    """
    from ai_edge_litert.tools import flatbuffer_utils
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def kinds(model: Any) -> list[str]:
    """Return the name of each operation code of a model, such as "FULLY_CONNECTED".

    Args:
        model: What `read` returned.

    Returns:
        Names, by the number that operators give.
    """
    from ai_edge_litert.tools import flatbuffer_utils
    names = {number: name for name, number in vars(flatbuffer_utils.BuiltinOperator).items() if isinstance(number, int)}
    return [names[max(code.builtinCode, code.deprecatedBuiltinCode)] for code in model.operatorCodes]


def operators(model: Any) -> Iterator[tuple[str, Any, Any]]:
    """Yield the operators of a model.

    Args:
        model: What `read` returned.

    Yields:
        (its kind, the operator, its graph).
    """
    named = kinds(model)
    for graph in model.subgraphs:
        for operator in graph.operators:
            yield named[operator.opcodeIndex], operator, graph


def scope(operator: Any, graph: Any) -> str:
    """Return the name of an operator's first output, which tells the layer that it came from.

    Args:
        operator: An operator.
        graph: Its graph.

    Returns:
        The name.
    """
    return graph.tensors[operator.outputs[0]].name.decode("utf-8", "replace")


def shape_of(entry: Any) -> list[int]:
    """Return the shape of a tensor, with -1 where it is known when the file runs.

    Args:
        entry: A place of a graph, as its schema has it.

    Returns:
        Its sizes.
    """
    return [int(size) for size in (entry.shape if entry.shapeSignature is None else entry.shapeSignature)]


def constant(model: Any, graph: Any, number: int) -> np.ndarray | None:
    """Return the float values of a constant: float32 [...] of its own shape.

    Args:
        model: What `read` returned.
        graph: The graph that it belongs to.
        number: Its number; -1 where an operator has none.

    Returns:
        The values, float32 [...]; None where it is computed.
    """
    if number < 0:
        return None
    tensor = graph.tensors[number]
    data = model.buffers[tensor.buffer].data
    return None if data is None or not len(data) else np.frombuffer(bytes(data), np.float32).reshape(tensor.shape)


class Editor:
    """Adds tensors and operators to the graphs of a model.

    Args:
        model: What `read` returned.
    """

    def __init__(self, model: Any) -> None:
        from ai_edge_litert import schema_py_generated
        self.model, self._schema = model, schema_py_generated

    def tensor(self, graph: Any, shape: Any, like: Any, name: bytes, values: np.ndarray | None = None) -> int:
        """Add a place for numbers, computed or constant.

        Args:
            graph: The graph.
            shape: Its shape, with -1 where it is known when the file runs.
            like: Another one of the same type, or the name of a type.
            name: Its name.
            values: What it holds, where it is constant: an array of this shape and dtype.

        Returns:
            Its number.
        """
        made, buffer = self._schema.TensorT(), 0
        if values is not None:
            content = self._schema.BufferT()
            content.data = np.frombuffer(values.tobytes(), np.uint8)
            self.model.buffers.append(content)
            buffer = len(self.model.buffers) - 1
        made.shape, made.name, made.buffer = np.maximum(np.array(shape, np.int32), 1), name, buffer
        if values is None and -1 in shape:
            made.shapeSignature = np.array(shape, np.int32)
        made.type = getattr(self._schema.TensorType, like) if isinstance(like, str) else like.type
        graph.tensors.append(made)
        return len(graph.tensors) - 1

    def operator(self, kind: str, inputs: list[int], outputs: list[int], options: Any = None) -> Any:
        """Return a new operator; the caller puts it into a graph.

        Args:
            kind: Such as "RESHAPE".
            inputs: Which numbers it reads, by their place in the graph.
            outputs: Which it gives.
            options: The name of its options in the schema, such as "MulOptions", where it needs them.

        Returns:
            The operator.
        """
        made = self._schema.OperatorT()
        made.opcodeIndex = self._code(kind)
        made.inputs, made.outputs = np.array(inputs, np.int32), np.array(outputs, np.int32)
        if options:
            made.builtinOptionsType = getattr(self._schema.BuiltinOptions, options)
            made.builtinOptions = getattr(self._schema, f"{options}T")()
        return made

    def _code(self, kind):
        """Return the number of an operation's code, which is added where the model has not used it."""
        number = getattr(self._schema.BuiltinOperator, kind)
        for place, code in enumerate(self.model.operatorCodes):
            if code.builtinCode == number:
                return place
        made = self._schema.OperatorCodeT()
        made.builtinCode, made.deprecatedBuiltinCode, made.version = number, min(number, 127), 1
        self.model.operatorCodes.append(made)
        return len(self.model.operatorCodes) - 1


def with_lookups(content: bytes) -> bytes:
    """Return a float .tflite whose tables of vectors are read by EMBEDDING_LOOKUP in place of GATHER.

    EMBEDDING_LOOKUP has tables with a scale for each row, and of four bits; GATHER has one scale for a whole table.

    Args:
        content: The float .tflite.

    Returns:
        A .tflite that computes the same.
    """
    model = read(content)
    editor, named = Editor(model), kinds(model)
    for graph in model.subgraphs:
        graph.operators = [new for operator in graph.operators for new in (
            _lookup(editor, graph, operator) if named[operator.opcodeIndex] == "GATHER" else [operator])]
    return written(model)


def _lookup(editor, graph, operator):
    """Return a GATHER as RESHAPE, EMBEDDING_LOOKUP, RESHAPE where it reads rows of a constant table."""
    table, output = (graph.tensors[places[0]] for places in (operator.inputs, operator.outputs))
    content = editor.model.buffers[table.buffer].data
    if content is None or len(table.shape) != 2 or table.shape[0] < FEWEST_ROWS:
        return [operator]
    count, wanted = _count(shape_of(graph.tensors[operator.inputs[1]])), shape_of(output)

    def reshaped(given, shape, result):
        name = graph.tensors[result].name + b"/shape"
        wanted = editor.tensor(graph, [len(shape)], "INT32", name, np.array(shape, np.int32))
        return editor.operator("RESHAPE", [given, wanted], [result])
    ids = editor.tensor(graph, [count], "INT32", output.name + b"/ids")
    rows = editor.tensor(graph, [count, table.shape[1]], table, output.name + b"/rows")
    return [reshaped(operator.inputs[1], [count], ids),
            editor.operator("EMBEDDING_LOOKUP", [ids, operator.inputs[0]], [rows]),
            reshaped(rows, wanted, operator.outputs[0])]


def _count(shape):
    return -1 if -1 in shape else int(np.prod(shape))
