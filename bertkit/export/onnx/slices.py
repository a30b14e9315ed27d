"""TensorFlow's StridedSlice, which Python's x[a:b, ..., None, i] becomes, as ONNX's Slice, Squeeze and Unsqueeze."""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from bertkit.errors import Error
from bertkit.export.onnx.graph import Graph

_END = np.iinfo("int64").max


class _Part(NamedTuple):
    """One part of x[...]: which entry of begin, end and strides it is, and the axis of x that it reads."""

    place: int
    axis: int
    single: bool
    from_start: bool
    to_end: bool


def strided_slice(graph: Graph, operation: tf.Operation, values: str, begin: str, end: str, strides: str) -> str:
    """Add the slice of a tensor.

    Args:
        graph: The `Graph`.
        operation: The operation StridedSlice.
        values: The name of the tensor, whose value has any shape.
        begin: The name of the beginnings, int64 [parts].
        end: The name of the ends, int64 [parts].
        strides: The name of the steps, int64 [parts].

    Returns:
        The name of the slice.

    Raises:
        Error: When the steps are computed.
    """
    parts, added = _parts(operation)
    if len(operation.inputs[0].shape) == 1 and parts and parts[0].single and begin in graph.constants and not added:
        return graph.add("Gather", values, graph.constant(np.int64(graph.constants[begin][parts[0].place])), axis=0)
    steps = graph.constants.get(strides)
    if steps is None:
        raise Error(f"The model slices by steps that are computed ({operation.name}), which bertkit does not put into "
                    "an ONNX file; export it as a saved_model.")
    found = _cut(graph, [part for part in parts if not _whole(part, steps)], values, begin, end, steps)
    if single := [part.axis for part in parts if part.single]:
        found = graph.add("Squeeze", found, graph.integers(*single))
    return graph.add("Unsqueeze", found, graph.integers(*added)) if added else found


def _whole(part, steps):
    """Return whether a part is ":"."""
    return part.from_start and part.to_end and steps[part.place] == 1 and not part.single


def _cut(graph, parts, values, begin, end, steps):
    """Add the Slice of the parts that leave something out or go backwards."""
    if not parts:
        return values
    places = [part.place for part in parts]
    backwards = [steps[place] < 0 for place in places]
    begins = _picked(graph, begin, places)
    nexts = graph.add("Add", begins, graph.integers(1))
    behind = graph.add("Where", graph.add("Equal", nexts, graph.integers(0)), graph.integers(_END), nexts)
    starts = _where(graph, [part.from_start and not part.single for part in parts],
                    graph.integers(*np.where(backwards, _END, 0)), begins)
    ends = _where(graph, [part.to_end for part in parts], graph.integers(*np.where(backwards, -_END, _END)),
                  _picked(graph, end, places))
    ends = _where(graph, [part.single for part in parts], behind, ends)
    return graph.add("Slice", values, starts, ends, graph.integers(*[part.axis for part in parts]),
                     graph.integers(*[1 if part.single else steps[part.place] for part in parts]))


def _picked(graph, name, places):
    if name in graph.constants:
        return graph.integers(*graph.constants[name][places])
    return graph.add("Gather", name, graph.integers(*places), axis=0)


def _where(graph, chosen, one, other):
    """Return one vector where a list says so and another elsewhere, computed now where both are known."""
    if all(chosen) or not any(chosen):
        return one if chosen[0] else other
    if one in graph.constants and other in graph.constants:
        return graph.integers(*np.where(chosen, graph.constants[one], graph.constants[other]))
    return graph.add("Where", graph.constant(np.array(chosen)), one, other)


def _parts(operation):
    """Return the parts that read an axis, and the places of new axes in the result."""
    masks = {name: operation.get_attr(f"{name}_mask") for name in ("begin", "end", "ellipsis", "new_axis",
                                                                   "shrink_axis")}
    count, rank = operation.inputs[1].shape[0], len(operation.inputs[0].shape)
    new = [bool(masks["new_axis"] >> place & 1) for place in range(count)]
    dots = [bool(masks["ellipsis"] >> place & 1) for place in range(count)]
    skipped = rank - sum(not one and not two for one, two in zip(new, dots, strict=True))
    parts, added, axis, result = [], [], 0, 0
    for place in range(count):
        if dots[place]:
            axis, result = axis + skipped, result + skipped
        elif new[place]:
            added.append(result)
            result += 1
        else:
            single = bool(masks["shrink_axis"] >> place & 1)
            parts.append(_Part(place, axis, single, bool(masks["begin"] >> place & 1), bool(masks["end"] >> place & 1)))
            axis, result = axis + 1, result + (not single)
    return parts, added
