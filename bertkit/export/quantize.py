"""Integers by rules: which operations of a float .tflite become integers, and how.

Measured on a 6-layer, 384-wide sentiment model: fully connected layers with dynamic int8 and an int8 embedding table
with a scale for each row keep the answers; LayerNorm, softmax, GELU and the products of attention stay in float,
because their ranges are too wide for 256 levels unless they are looked at one by one (see `static`).
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bertkit.errors import Error
from bertkit.export import flatbuffer

SIGNATURE = "serving_default"
WEIGHTED = {"FULLY_CONNECTED": 1, "GATHER": 0, "EMBEDDING_LOOKUP": 1}   # with large tables: which input it is
BLOCK = 32              # numbers that share a scale in a table of four bits


@dataclass(frozen=True)
class Rule:
    """What becomes of operations of one kind; of several rules for one operation the last counts.

    Args:
        how: "dynamic" (integer weights now, activations as it runs), "static" (both now, by ranges) or "float".
        operation: The kind, "*" for every kind, or "OUTPUT" for the model's output.
        where: A regular expression that is searched for in the name of the operation's output.
        bits: Of a weight: 8, a scale for each row, or 4, a scale for each block of 32, or for each row where the width
            is no multiple of 32.
    """

    how: str
    operation: str
    where: str = ""
    bits: int = 8


_TABLES = (Rule("dynamic", "FULLY_CONNECTED"), Rule("dynamic", "EMBEDDING_LOOKUP"))
_SMALL_TABLES = (*_TABLES, Rule("dynamic", "EMBEDDING_LOOKUP", "/token_", 4))
SMALL = r"/(inner|outer|output)(_\d+)?/"     # the names that `layers` gives to feed-forward and attention's output
INSIDE = r"/block_"                          # the layers between embeddings and head
RULES: dict[str, tuple[Rule, ...]] = {
    "int8": _TABLES,
    "int4": _SMALL_TABLES,
    "int4-small": (*_SMALL_TABLES, Rule("dynamic", "FULLY_CONNECTED", SMALL, 4)),
    "int8-static": (*_TABLES, Rule("static", "FULLY_CONNECTED", INSIDE), Rule("static", "BATCH_MATMUL", INSIDE),
                    Rule("static", "SOFTMAX", INSIDE), Rule("static", "GELU", INSIDE),
                    Rule("static", "RESHAPE", f"{INSIDE}.*/attention"),
                    Rule("static", "TRANSPOSE", f"{INSIDE}.*/attention"),
                    Rule("static", "ADD", r"/attention(_\d+)?/add"))}


def quantize(content: bytes, rules: Sequence[Rule], ranges: Mapping[str, Any] | None = None) -> bytes:
    """Return a float .tflite made of integers by rules.

    Args:
        content: The float .tflite.
        rules: The rules.
        ranges: {name of a tensor: {"min", "max"}, float32 [1, ..., 1]}; None where no rule is static.

    Returns:
        The .tflite with integers.

    Raises:
        Error: When a rule names an operation that the model does not have, or weights that it names are still float.
    """
    from ai_edge_quantizer import quantizer
    if any(rule.operation == "EMBEDDING_LOOKUP" for rule in rules):
        content = flatbuffer.with_lookups(content)
    work, found = quantizer.Quantizer(bytearray(content)), list(flatbuffer.operators(flatbuffer.read(content)))
    for rule in rules:
        _add(work, quantizer, rule, [one for one in found if _names(rule, *one)], found)
    done = bytes(work.quantize(ranges, enable_progress_report=False).quantized_model)
    check_integers(done, rules)
    return done


def _names(rule, kind, operator, graph):
    return rule.operation in ("*", kind) and bool(re.search(rule.where, flatbuffer.scope(operator, graph)))


def _add(work, quantizer, rule, named, found):
    """Tell ai-edge-quantizer one rule, which names some of the operations that were found."""
    from ai_edge_quantizer import qtyping
    if not named and rule.operation != "OUTPUT":
        place = f" under a name with {rule.where}" if rule.where else ""
        raise Error(f"The rule for {rule.operation}{place} hits nothing, the model has "
                    f"{', '.join(sorted({kind for kind, *_ in found}))}; this model, or this TensorFlow, differs from "
                    "those that bertkit was measured with: take another --precision.")
    name, where = qtyping.TFLOperationName(rule.operation), f".*{rule.where}.*" if rule.where else ".*"
    if rule.how == "float":
        work.update_quantization_recipe(where, name, algorithm_key=quantizer.AlgorithmName.NO_QUANTIZE)
    elif rule.how == "static":
        work.add_static_config(where, name, activation_num_bits=8, weight_num_bits=8)
    else:
        widths = [graph.tensors[operator.inputs[WEIGHTED[kind]]].shape[-1] for kind, operator, graph in named]
        blocks = rule.bits == 4 and all(width % BLOCK == 0 for width in widths)
        grain = qtyping.QuantGranularity.BLOCKWISE_32 if blocks else qtyping.QuantGranularity.CHANNELWISE
        work.add_dynamic_config(where, name, num_bits=rule.bits, granularity=grain)


def check_integers(content: bytes, rules: Sequence[Rule]) -> None:
    """Check that operations which rules name have integer weights.

    Args:
        content: The .tflite.
        rules: The rules.

    Raises:
        Error: When one still has float weights.
    """
    from ai_edge_quantizer.qtyping import TensorType
    for kind, operator, graph in flatbuffer.operators(flatbuffer.read(content)):
        ruled = any(rule.how != "float" and rule.operation in ("*", kind) for rule in rules)
        if ruled and kind in WEIGHTED and (place := operator.inputs[WEIGHTED[kind]]) >= 0 \
                and graph.tensors[place].type not in (TensorType.INT8, TensorType.INT4):
            raise Error(f"Weights of a {kind} stayed in float, though a rule names it; this "
                        "ai-edge-quantizer works differently from the one that bertkit was measured with.")


def operations(content: bytes) -> Counter[str]:
    """Return how often each operation occurs in a .tflite.

    Args:
        content: The .tflite.

    Returns:
        {name of an operation: count}.
    """
    return Counter(kind for kind, *_ in flatbuffer.operators(flatbuffer.read(content)))
