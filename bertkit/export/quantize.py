"""int8 by rules: which operations of a float .tflite become integers, and how.

Measured on a 6-layer, 384-wide sentiment model: fully connected layers with dynamic int8 and a static int8
embedding table keep the answers; LayerNorm, softmax, GELU and the products of attention stay in float,
because their ranges are too wide for 256 levels.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bertkit.errors import Error

SIGNATURE = "serving_default"
WEIGHTED = {"FULLY_CONNECTED": 1, "GATHER": 0}      # the operations with large tables: which input it is
CALIBRATION_ROWS = 200


@dataclass(frozen=True)
class Rule:
    """What becomes of all operations of one kind; of several rules for one operation the last counts.

    Args:
        how: "dynamic" (int8 weights now, activations as it runs), "static" (both now, ranges from calibration) or
            "float".
        operation: The kind, "*" for every kind, or "OUTPUT" for the model's output.
    """

    how: str
    operation: str


# A table's static range is that of its own values, so calibration rows change nothing in "int8".
RULES = {"int8": (Rule("dynamic", "FULLY_CONNECTED"), Rule("static", "GATHER")),
         "int8-full": (Rule("static", "*"), Rule("float", "OUTPUT"))}


def quantize(content: bytes, rules: Sequence[Rule], rows: dict[str, np.ndarray]) -> bytes:
    """Return a float .tflite made int8 by rules.

    Args:
        content: The float .tflite.
        rules: The rules.
        rows: Rows to calibrate on, {name: int32 [rows, length]}.

    Returns:
        The int8 .tflite.

    Raises:
        Error: When a rule names an operation that the model does not have, or weights that it names are still float.
    """
    from ai_edge_quantizer import qtyping, quantizer
    work, present = quantizer.Quantizer(bytearray(content)), operations(content)
    for rule in rules:
        if rule.operation not in ("*", "OUTPUT", *present):
            raise Error(f"The rule for {rule.operation} hits nothing, the model has "
                        f"{', '.join(sorted(present))}; this TensorFlow converts differently from the one that "
                        "bertkit was measured with.")
        name = qtyping.TFLOperationName(rule.operation)
        if rule.how == "dynamic":
            work.add_dynamic_config(".*", name, num_bits=8)
        elif rule.how == "static":
            work.add_static_config(".*", name, activation_num_bits=8, weight_num_bits=8)
        else:
            work.update_quantization_recipe(".*", name, algorithm_key=quantizer.AlgorithmName.NO_QUANTIZE)
    data = [{name: values[i:i + 1] for name, values in rows.items()}
            for i in range(min(CALIBRATION_ROWS, len(rows["token_ids"])))]
    ranges = work.calibrate({SIGNATURE: data}, num_threads=1)
    done = bytes(work.quantize(ranges, enable_progress_report=False).quantized_model)
    check_integers(done, rules)
    return done


def check_integers(content: bytes, rules: Sequence[Rule]) -> None:
    """Check that operations which rules name have integer weights.

    Args:
        content: The .tflite.
        rules: The rules.

    Raises:
        Error: When one still has float weights.
    """
    from ai_edge_quantizer.qtyping import TensorType
    for name, inputs in _operations(content):
        ruled = any(rule.operation in ("*", name) for rule in rules)
        if ruled and name in WEIGHTED and inputs[WEIGHTED[name]] != TensorType.INT8:
            raise Error(f"Weights of a {name} stayed in float, though a rule names it; this "
                        "ai-edge-quantizer works differently from the one that bertkit was measured with.")


def operations(content: bytes) -> Counter[str]:
    """Return how often each operation occurs in a .tflite.

    Args:
        content: The .tflite.

    Returns:
        {name of an operation: count}.
    """
    return Counter(name for name, _ in _operations(content))


def _operations(content):
    """Yield the name and the types of the inputs of each operation."""
    from ai_edge_litert.tools import flatbuffer_utils
    model = flatbuffer_utils.read_model_from_bytearray(bytearray(content))
    names = {number: name for name, number in vars(flatbuffer_utils.BuiltinOperator).items()
             if isinstance(number, int)}
    for graph in model.subgraphs:
        for operation in graph.operators:
            yield (names[model.operatorCodes[operation.opcodeIndex].builtinCode],
                   [graph.tensors[i].type if i >= 0 else None for i in operation.inputs])
