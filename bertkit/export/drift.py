"""How far each layer of a file with integers goes from the float file: where an answer is lost."""

import re
from collections.abc import Mapping

import numpy as np

from bertkit.export import flatbuffer
from bertkit.export.static import observed

ROWS = 4                    # rows that are looked at
_LAYER = re.compile(r"/(embeddings|block_\d+(?:_\d+)??|pooler)(?:_\d+)?/")     # TensorFlow adds _1 to scopes


def layer_drift(exact: bytes, content: bytes, signature: str, rows: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Measure how far the output of each layer is from that of the float32 file, on real tokens.

    ‖y' − y‖ / ‖y‖, over the tokens of the first rows; y is the layer's last tensor that both files keep in float.

    Args:
        exact: The float32 .tflite.
        content: The .tflite to look at.
        signature: The signature that takes these rows.
        rows: {name: int32 [rows,T]}.

    Returns:
        {layer: the ratio, a float}, in the order of the graph; empty where no name is in both files.
    """
    first = {name: values[:ROWS] for name, values in rows.items()}
    before, after = (_floats(one, signature) for one in (exact, content))
    last: dict[str, str] = {}
    for name in before:
        if (layer := _LAYER.search(name)) and after.get(name, (0, ()))[1] == before[name][1]:
            last[layer.group(1)] = name
    change = np.zeros((len(last), 2))
    both = zip(observed(exact, signature, first), observed(content, signature, first), strict=True)
    for (mask, exactly), (_, found) in both:
        for at, name in enumerate(last.values()):
            y, other = _real(exactly(before[name][0]), mask), _real(found(after[name][0]), mask)
            change[at] += ((other - y) ** 2).sum(), (y ** 2).sum()
    ratios = np.sqrt(change[:, 0] / change[:, 1].clip(1e-30))
    return {layer: round(float(ratio), 5) for layer, ratio in zip(last, ratios, strict=True)}


def _floats(content, signature):
    """Return {name: (number, shape)} of the computed float32 tensors [1,T,D] or [1,D] of a graph, in its order."""
    from ai_edge_litert.schema_py_generated import TensorType
    model = flatbuffer.read(content)
    graph = model.subgraphs[next(one.subgraphIndex for one in model.signatureDefs
                                 if one.signatureKey.decode() == signature)]
    made = [int(number) for operator in graph.operators for number in operator.outputs]
    return {graph.tensors[number].name.decode("utf-8", "replace"): (number, tuple(graph.tensors[number].shape))
            for number in made if graph.tensors[number].type == TensorType.FLOAT32
            and len(graph.tensors[number].shape) in (2, 3) and graph.tensors[number].shape[-1] > 1}


def _real(values, mask):
    rows = values.reshape(-1, values.shape[-1])
    return rows[mask] if len(rows) == len(mask) else rows
