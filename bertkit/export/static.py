"""Integers inside the blocks, without training: the ranges of what is computed, and a second matrix that has one.

A static int8 tensor has 256 levels between two ends that are fixed beforehand. Three things make that enough for BERT:
ranges of real tokens alone, by a percentile that leaves out single outliers; scores whose range ends just below the
lowest score of a real key, so that a hidden key falls on the lowest level; and an exact rewrite
of the second feed-forward matrix, whose output reaches hundreds in single channels and a few in all others (the scales
of Nagel et al. 2019, arXiv 1906.04721, section 4.1; their inverse stays behind the matrix, in float).
"""

import re
import warnings
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from bertkit.errors import Error
from bertkit.export import flatbuffer
from bertkit.export.quantize import INSIDE

CALIBRATION_ROWS = 200
PERCENTILE = 99.995     # of a row's numbers: what lies beyond is clipped
BELOW = 6.0             # the range of scores ends so far below the lowest score of a real key: e^-6 is less than 1/256
FLAT = 1e-3             # of the largest channel: a channel's scale is at least so much
_OUTER = re.compile(r"/outer(_\d+)?/")      # the name that `layers` gives to the second feed-forward matrix
_SAME = ("RESHAPE", "TRANSPOSE")            # move numbers, and change none

Place = tuple[int, int]     # the number of an operator in its graph, and of one of its outputs


class Graph(NamedTuple):
    """A graph of a float .tflite, and what its operators do with token rows.

    Args:
        operators: [(kind, operator)].
        tensors: Its tensors.
        makers: {number of a tensor: number of the operator that gives it}.
        scores: Numbers of operators whose output is scores or probabilities, [1,N,F,T].
    """

    operators: list[tuple[str, Any]]
    tensors: list[Any]
    makers: dict[int, int]
    scores: set[int]


def graph_of(model: Any, signature: str) -> Graph:
    """Return the graph behind a signature.

    Args:
        model: What `flatbuffer.read` returned.
        signature: Its name.

    Returns:
        The `Graph`.
    """
    place = next(one.subgraphIndex for one in model.signatureDefs if one.signatureKey.decode() == signature)
    graph, named = model.subgraphs[place], flatbuffer.kinds(model)
    operators = [(named[operator.opcodeIndex], operator) for operator in graph.operators]
    makers = {int(number): at for at, (_, operator) in enumerate(operators) for number in operator.outputs}
    scores = set()
    for at, (kind, operator) in enumerate(operators):
        added = makers.get(int(operator.inputs[0])) if kind == "SOFTMAX" else None
        if added is not None and re.search(INSIDE, flatbuffer.scope(operator, graph)):
            sources = {makers[int(number)] for number in operators[added][1].inputs if int(number) in makers}
            scores |= {at, added} | {one for one in sources if operators[one][0] == "BATCH_MATMUL"}
    return Graph(operators, graph.tensors, makers, scores)


def observed(content: bytes, signature: str, rows: Mapping[str, np.ndarray]) -> Iterator[tuple[np.ndarray, Any]]:
    """Yield what a float .tflite computes of rows, with every tensor on the way.

    Args:
        content: The float .tflite.
        signature: The signature that takes these rows.
        rows: {name: int32 [rows,T]}.

    Yields:
        (the row's mask, bool [T]; a function of a tensor's number that gives its values).
    """
    from ai_edge_litert.interpreter import Interpreter, OpResolverType
    place = next(one.subgraphIndex for one in flatbuffer.read(content).signatureDefs
                 if one.signatureKey.decode() == signature)
    with warnings.catch_warnings(action="ignore"):      # that keeping all tensors takes memory
        interpreter = Interpreter(model_content=content, experimental_preserve_all_tensors=True,
                                  experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES)
    runner = interpreter.get_signature_runner(signature)
    for at in range(min(CALIBRATION_ROWS, len(rows["token_ids"]))):
        runner(**{name: values[at:at + 1] for name, values in rows.items()})
        yield rows["padding_mask"][at] == 1, lambda number: interpreter.get_tensor(number, place)


def static_ranges(content: bytes, signature: str,
                  rows: Mapping[str, np.ndarray]) -> tuple[dict[Place, tuple[float, float]], dict[int, np.ndarray]]:
    """Measure the ranges of what a float .tflite computes of the real tokens of rows.

    Args:
        content: The float .tflite.
        signature: The signature that takes these rows.
        rows: {name: int32 [rows,T]}.

    Returns:
        ({place: (low, high)}, {number of an operator with a second feed-forward matrix: the largest |y_j| of each
        channel, float32 [D]}).

    Raises:
        Error: When the graph has no attention whose scores can be found.
    """
    graph = graph_of(flatbuffer.read(content), signature)
    if not graph.scores:
        raise Error("int8-static finds no attention with a softmax in this model; take --precision int8.")
    looked = _looked_at(graph)
    low, high, peaks = ({} for _ in range(3))
    for mask, values_of in observed(content, signature, rows):
        for place, role in looked.items():
            values = _real(values_of(int(graph.operators[place[0]][1].outputs[place[1]])), mask, role)
            ends = np.percentile(values, (100 - PERCENTILE, PERCENTILE))
            low[place], high[place] = min(ends[0], low.get(place, 0.0)), max(ends[1], high.get(place, 0.0))
            if role == "outer":
                peaks[place[0]] = np.maximum(peaks.get(place[0], 0), np.abs(values).max(axis=0))
    sums = [place for place in looked if place[0] in graph.scores and graph.operators[place[0]][0] == "ADD"]
    for place in sums:
        low[place] -= BELOW
    widest = max(high[place] - low[place] for place in sums)
    for place in [place for place, role in looked.items() if role == "mask"]:
        low[place] = -float(np.ceil(widest))        # sends the highest score of a hidden key below the lowest level
    return {place: (float(low[place]), float(high[place])) for place in looked}, peaks


def _looked_at(graph):
    """Return {place: what it is} of numbers whose ranges are wanted: what integers give, and what they are given."""
    looked = {}
    for at, (kind, operator) in enumerate(graph.operators):
        if not re.search(INSIDE, graph.tensors[operator.outputs[0]].name.decode("utf-8", "replace")):
            continue
        if at in graph.scores:
            looked[at, 0] = "scores"
            if kind == "ADD":
                looked |= {place: "mask" for place in _given(graph, operator) if place[0] not in graph.scores}
        elif kind == "BATCH_MATMUL":
            looked[at, 0] = "heads"
        elif kind in ("FULLY_CONNECTED", "GELU"):
            outer = kind == "FULLY_CONNECTED" and _is_outer(graph, operator)
            looked[at, 0] = "outer" if outer else "tokens"
            looked |= {place: "tokens" for place in _given(graph, operator)
                       if graph.operators[place[0]][0] not in _SAME and place not in looked}
    return looked


def _given(graph, operator):
    """Yield the places that an operator's computed inputs come from."""
    for number in map(int, operator.inputs):
        if number in graph.makers:
            maker = graph.makers[number]
            yield maker, [int(one) for one in graph.operators[maker][1].outputs].index(number)


def _is_outer(graph, operator):
    return bool(_OUTER.search(graph.tensors[operator.outputs[0]].name.decode("utf-8", "replace")))


def _real(values, mask, role):
    """Return the numbers that belong to real tokens; of scores those of real queries and real keys."""
    if role == "mask":
        return values
    if role == "scores":
        return (values[:, :, mask] if values.shape[2] == len(mask) else values)[..., mask]
    if role == "heads":
        return values[:, :, mask] if values.shape[2] == len(mask) else values
    rows = values.reshape(-1, values.shape[-1])
    return rows[mask] if len(rows) == len(mask) else rows


def rewritten(content: bytes, ranges: Mapping[Place, tuple[float, float]],
              peaks: Mapping[int, np.ndarray]) -> tuple[bytes, dict[str, dict[str, np.ndarray]]]:
    """Scale each second feed-forward matrix so that one range holds all its channels, and name all ranges.

    y_j = s_j · ((W x + b)_j / s_j), where s_j is the largest |y_j| that was seen.

    Args:
        content: The float .tflite; all its graphs compute the same, at their own lengths.
        ranges: What `static_ranges` measured on one of them.
        peaks: {number of an operator: the largest |y_j| of each channel, float32 [D]}, as `static_ranges` measured
            them.

    Returns:
        (a float .tflite that computes the same, {name of a tensor: {"min", "max"}, float32 [1, ..., 1]}).

    Raises:
        Error: When the constant that hides padded keys cannot be found.
    """
    model = flatbuffer.read(content)
    editor, scaled, named = flatbuffer.Editor(model), set(), {}
    kinds = flatbuffer.kinds(model)
    for graph in model.subgraphs:
        before = list(graph.operators)
        _hide_by(model, graph, ranges, before, kinds)
        for (at, which), ends in ranges.items():
            name = graph.tensors[before[at].outputs[which]].name.decode()
            named[name] = _range(*ends, len(graph.tensors[before[at].outputs[which]].shape))
        _name_moved(graph, before, kinds, named)
        after = {at: _scaled(editor, graph, before[at], peak, scaled, named) for at, peak in peaks.items()}
        graph.operators = [one for at, operator in enumerate(before) for one in ([operator] + after.get(at, []))]
    return flatbuffer.written(model), named


def _hide_by(model, graph, ranges, operators, kinds):
    """Put the low end of the mask's range in the place of the constant that hides padded keys."""
    found = 0
    for (at, _), (low, _) in ranges.items():
        for number in map(int, operators[at].inputs) if kinds[operators[at].opcodeIndex] == "MUL" else ():
            values = flatbuffer.constant(model, graph, number)
            if values is not None and values.size == 1 and values.item() <= low:
                model.buffers[graph.tensors[number].buffer].data = np.frombuffer(np.float32(low).tobytes(), np.uint8)
                found += 1
    if not found:
        raise Error("int8-static finds no constant that hides padding in this model; take --precision int8.")


def _range(low, high, axes):
    """Return a range as ai-edge-quantizer keeps it; 0 is always inside."""
    ends = {"min": min(low, 0.0), "max": max(high, 0.0)}
    return {name: np.full((1,) * axes, end, np.float32) for name, end in ends.items()}


def _name_moved(graph, operators, kinds, named):
    """Give what RESHAPE and TRANSPOSE return the range of what they were given."""
    for operator in operators:
        given, made = (graph.tensors[places[0]] for places in (operator.inputs, operator.outputs))
        if kinds[operator.opcodeIndex] in _SAME and (found := named.get(given.name.decode())):
            named[made.name.decode()] = _range(float(found["min"].min()), float(found["max"].max()), len(made.shape))


def _scaled(editor, graph, operator, peak, done, named):
    """Divide a matrix and its bias by the peaks, let the operator give a new tensor, and return the MUL behind it."""
    scale = np.maximum(peak, FLAT * peak.max()).astype(np.float32)
    for number in operator.inputs[1:3]:
        values = flatbuffer.constant(editor.model, graph, int(number))
        buffer = graph.tensors[number].buffer if number >= 0 else None
        if values is not None and buffer not in done:
            done.add(buffer)
            content = (values.T / scale).T.astype(np.float32)
            editor.model.buffers[buffer].data = np.frombuffer(content.tobytes(), np.uint8)
    output = graph.tensors[operator.outputs[0]]
    new = editor.tensor(graph, output.shape, output, output.name + b"/scaled")
    factor = editor.tensor(graph, scale.shape, output, output.name + b"/scale", scale)
    named.pop(output.name.decode(), None)
    named[output.name.decode() + "/scaled"] = _range(-1.0, 1.0, len(output.shape))
    place, operator.outputs = operator.outputs[0], np.array([new], np.int32)
    return [editor.operator("MUL", [new, factor], [place], "MulOptions")]
