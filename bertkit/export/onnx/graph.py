"""An ONNX graph while it is made: nodes in order, constants by name, and nothing twice."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np


class Node(NamedTuple):
    """One operation.

    Args:
        operator: Its name in ONNX.
        inputs: Names of what it reads; "" is an optional input that is left out.
        outputs: Names of what it gives.
        attributes: (name, value) of each attribute: a float, an int, a str or a tuple of ints.
    """

    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: tuple[tuple[str, Any], ...] = ()


class Graph:
    """Nodes that read what stands before them.

    Attributes are `nodes`, a list of `Node`, `constants`, {name: array}, and `inputs` and `outputs`, lists of (name,
    dtype, dimensions), where a dimension is a number, or a name where any size may come.

    Example:
        >>> graph = Graph()
        >>> graph.inputs.append(("x", np.dtype("float32"), ("rows", 2)))
        >>> graph.add("Mul", "x", graph.constant(np.float32(2)))
        'v0'
        >>> graph.add("Mul", "x", graph.constant(np.float32(2)))
        'v0'
        >>> graph.nodes
        [Node(operator='Mul', inputs=('x', 'c0'), outputs=('v0',), attributes=())]
    """

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.constants: dict[str, np.ndarray] = {}
        self.inputs: list[tuple[str, np.dtype, Sequence[int | str]]] = []
        self.outputs: list[tuple[str, np.dtype, Sequence[int | str]]] = []
        self._made: dict[tuple[Any, ...], tuple[str, ...]] = {}
        self._named: dict[tuple[Any, ...], str] = {}
        self._count = 0

    def add(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Add an operation of one output; one that is there already is not added again.

        Args:
            operator: Its name in ONNX.
            *inputs: Names of what it reads.
            **attributes: Its attributes.

        Returns:
            The name of its output.
        """
        return self.add_several(operator, inputs, 1, **attributes)[0]

    def add_several(self, operator: str, inputs: Sequence[str], count: int, **attributes: Any) -> tuple[str, ...]:
        """Add an operation of several outputs; one that is there already is not added again.

        Args:
            operator: Its name in ONNX.
            inputs: Names of what it reads.
            count: How many outputs it has.
            **attributes: Its attributes.

        Returns:
            The names of its outputs.
        """
        values = tuple((name, tuple(value) if isinstance(value, list) else value)
                       for name, value in attributes.items())
        key = (operator, *inputs, *values)
        if key not in self._made:
            self._made[key] = tuple(f"v{self._count + place}" for place in range(count))
            self._count += count
            self.nodes.append(Node(operator, tuple(inputs), self._made[key], values))
        return self._made[key]

    def constant(self, values: Any, name: str | None = None) -> str:
        """Add a constant; small equal ones are one.

        Args:
            values: An array of any shape, or what numpy makes one of.
            name: Its name; None numbers it.

        Returns:
            Its name.
        """
        array = np.asarray(values)
        if name is not None:
            return self._named_constant(name, array)
        key = (str(array.dtype), array.shape, array.tobytes())
        if key not in self._named:
            self._named[key] = self._named_constant(f"c{len(self._named)}", array)
        return self._named[key]

    def _named_constant(self, name, array):
        self.constants[name] = array
        return name

    def integers(self, *values: int) -> str:
        """Add a constant vector of integers.

        Args:
            *values: The integers.

        Returns:
            The name of the constant, int64 [values].
        """
        return self.constant(np.array(values, "int64"))

    def add_output(self, name: str, output: str, dtype: np.dtype, dimensions: Sequence[int | str]) -> None:
        """Add an output of the graph.

        Args:
            name: The name of what is given.
            output: The name under which it is given.
            dtype: Its type.
            dimensions: Its dimensions.
        """
        self.nodes.append(Node("Identity", (name,), (output,)))
        self.outputs.append((output, dtype, dimensions))

    def continue_names(self, other: "Graph") -> None:
        """Give new outputs and constants names that another graph does not have.

        Args:
            other: The graph.
        """
        self._count, self._named = other._count, dict(other._named)

    def drop_unread(self) -> None:
        """Remove the nodes on which no output depends."""
        read, kept = {name for name, _, _ in self.outputs}, []
        for node in reversed(self.nodes):
            if read.intersection(node.outputs):
                read.update(node.inputs)
                kept.append(node)
        self.nodes = kept[::-1]

    def used_constants(self) -> dict[str, np.ndarray]:
        """Return the constants that some node reads.

        Returns:
            {name: array of its own shape}.
        """
        read = {name for node in self.nodes for name in node.inputs}
        return {name: values for name, values in self.constants.items() if name in read}
