"""Ranges of eight-bit integers: what leaves no steps for the rest of a tensor."""

from typing import Any

import numpy as np

from bertkit.doctor.case import Case
from bertkit.doctor.finding import Measured, healthy, ill, needs, suspect

STEPS = 255
SCORES = 2.0                # a step of softmax's input: e² between two neighbours; an eighth of it is unseen
WIDE = 1e4                  # a range of activations that is a mask constant, not a sum of features
FEW = 2                     # steps that a channel needs at least


def int8_ranges(case: Case) -> Measured:
    """Look at the scales of a .tflite, or at how weights would fare in integers, a scale for each output channel.

    Args:
        case: The case.

    Returns:
        What was measured.
    """
    form = case.memory.get("export")
    if case.kind == "tflite" and form is not None:
        return _of_file(form.details)
    if not case.weights:
        return needs("weights, or a .tflite")
    return _of_weights(case.weights)


def _of_file(details):
    """Judge the scales of activations and weights of a file."""
    interpreter, tensors, operations = details
    by_index = {tensor["index"]: tensor for tensor in tensors}
    integers = [tensor for tensor in tensors if tensor["dtype"] in (np.int8, np.uint8) and _scales(tensor).size]
    if not integers:
        return healthy("No tensor is of integers.", tensors_of_integers=0, tensors=len(tensors))
    scores = [by_index[int(operation["inputs"][0])] for operation in operations if operation["op_name"] == "SOFTMAX"]
    steps = {tensor["name"]: float(_scales(tensor).max()) for tensor in scores if _scales(tensor).size}
    whole = {tensor["name"]: float(_scales(tensor).max()) * STEPS for tensor in integers if _scales(tensor).size == 1}
    widest = max(whole, key=lambda name: whole[name], default="")
    coarsest = max(steps, key=lambda name: steps[name], default="")
    evidence: dict[str, Any] = {
        "tensors_of_integers": len(integers), "largest_step_of_softmax_inputs": steps.get(coarsest, 0.0),
        "limit_of_a_step": SCORES, "widest_range": whole.get(widest, 0.0), "limit_of_a_range": WIDE}
    if evidence["largest_step_of_softmax_inputs"] > SCORES:
        return ill(f"A step of the scores before a softmax is {evidence['largest_step_of_softmax_inputs']:.3g}: a mask "
                   "constant leaves no steps for the scores.", name=coarsest, **evidence)
    if evidence["widest_range"] > WIDE:
        return ill(f"{widest} has a range of {whole[widest]:.3g} in 255 steps: a constant leaves none for the rest.",
                   name=widest, **evidence)
    if starved := _starved(interpreter, integers):
        return suspect(f"Most channels of {starved[0]} use fewer than {FEW} steps: one scale for all of them is too "
                       f"coarse.",
                       "Quantise weights with a scale for each channel.", names=starved[:8], **evidence)
    return healthy(**evidence)


def _scales(tensor):
    return np.asarray(tensor["quantization_parameters"]["scales"], np.float64)


def _starved(interpreter, integers):
    """Return the names of matrices with one scale of which most output channels use hardly any of their steps."""
    found = []
    for tensor in integers:
        if len(tensor["shape"]) != 2 or _scales(tensor).size != 1 or min(tensor["shape"]) < 8:
            continue
        try:
            values = np.abs(np.asarray(interpreter.get_tensor(tensor["index"]), np.int32))
        except ValueError:                                  # an activation, which is kept no longer than it is needed
            continue
        if np.median(values.max(1)) < FEW:
            found.append(tensor["name"])
    return found


def _of_weights(weights):
    """Judge how many weights of a channel would be rounded to 0 by its largest one."""
    worst, name = 0.0, ""
    for each, value in weights.items():
        if value.ndim != 2 or value.dtype.kind != "f" or "embeddings" in each or not np.isfinite(value).all():
            continue
        size = np.abs(value.astype(np.float32))
        step = size.max(1, keepdims=True) / 127
        lost = float(((size < step / 2).mean(1) > 0.5).mean()) if step.min() > 0 else 0.0
        worst, name = max((worst, name), (lost, each))
    evidence = {"channels_that_are_mostly_0_in_integers": worst, "limit": 0.01, "in": name}
    if worst > 0.1:
        return ill(f"In integers {worst:.0%} of the channels of {name} would be mostly 0: single weights are too "
                   f"large.",
                   **evidence)
    if worst > 0.01:
        return suspect(f"In integers {worst:.0%} of the channels of {name} would be mostly 0.", **evidence)
    return healthy(**evidence)
