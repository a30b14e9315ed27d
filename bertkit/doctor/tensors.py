"""Tensors of a folder: those that the config asks for, trained ones, and the same after they were saved again."""

import re
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from bertkit.doctor.case import Case
from bertkit.doctor.comparison import gap, limit_of
from bertkit.doctor.finding import Measured, does_not_apply, failed, healthy, ill, needs, suspect
from bertkit.doctor.probes import mixed
from bertkit.doctor.subjects import Subject

# How the name of an architecture ends, and how the names of its head's tensors begin.
HEADS = {"ForSequenceClassification": ("classifier.", "logits_proj.", "sequence_summary."), "ForTokenClassification":
         ("classifier.",), "ForMultipleChoice": ("classifier.", "logits_proj."), "ForQuestionAnswering":
         ("qa_outputs.", "start_logits."), "ForMaskedLM": ("cls.", "lm_head.", "vocab_", "generator_", "predictions.",
                                                           "head.", "decoder.")}
BROKEN = ("missing", "unread", "misshapen", "shape", "describes", "holds no", "is missing", "not a whole",
          "has no weight_map",
          "no shard holds", "another shard")
PART = re.compile(r"^(.*?(?:layers?|albert_layers|layer_groups)\.\d+)\.")
INITIAL = 0.02              # BERT's initializer_range


def tensors(case: Case) -> Measured:
    """Compare the tensors of a folder with what its config asks for: names, shapes, none missing, none left over.

    Args:
        case: The case.

    Returns:
        What was measured.
    """
    if case.folder is None:
        return needs("a folder")
    held = len(case.weights or {})
    problem = case.problem or case.memory.get("config problem") or case.memory.get("weights problem")
    if problem is not None and _not_finite(case, problem):
        return healthy("Names and shapes are as the config asks; some values are not finite.", tensors=held, limit=0)
    if problem is not None and (case.subject is None or any(word in str(problem) for word in BROKEN)):
        said = " ".join(str(problem).split())[:400]
        return ill(f"It cannot be loaded: {said}", tensors=held, limit=0, error=type(problem).__name__)
    if absent := _absent_head(case):
        return ill(f"The config names {absent}, and no tensor of its head is there: it would be drawn at random.",
                   tensors=held, limit=0)
    if case.kind in ("saved_model", "tflite"):
        return does_not_apply("an export holds its own graph")
    if problem is not None:
        return suspect(f"Only the encoder can be loaded: {' '.join(str(problem).split())[:300]}", tensors=held, limit=0)
    return healthy(tensors=held, missing_or_left_over=0, limit=0)


def _not_finite(case, problem):
    return "NaN or infinity" in str(problem) and any(not np.isfinite(value).all()
                                                     for value in (case.weights or {}).values()
                                                    if value.dtype.kind == "f")


def _absent_head(case):
    """Return the architecture whose head has no tensor at all; None where there is no such thing."""
    names = (case.memory.get("config.json") or {}).get("architectures") or []
    if not names or not case.weights:
        return None
    begins = next((begins for end, begins in HEADS.items() if str(names[0]).endswith(end)), None)
    return names[0] if begins and not any(name.startswith(begins) for name in case.weights) else None


def loaded(case: Case) -> Measured:
    """Look for parts at their initial values, biases 0 and gamma 1, beside trained ones.

    Args:
        case: The case.

    Returns:
        What was measured.
    """
    if not case.weights:
        return needs("weights")
    parts: dict[str, dict[str, Any]] = defaultdict(dict)
    for name, value in case.weights.items():
        if value.dtype.kind == "f" and value.size:
            parts[_part(name)][name] = value
    fresh = {part for part, values in parts.items() if _initial(values)}
    judged = {part for part, values in parts.items() if any(value.ndim == 1 for value in values.values())}
    flat = [name for name, value in case.weights.items() if value.ndim == 2 and min(value.shape) > 1
            and value.dtype.kind == "f" and np.ptp(value) == 0]
    layers = sorted(part for part in fresh if PART.match(f"{part}."))
    trained = judged - fresh
    evidence: dict[str, Any] = {"parts_at_initial_values": len(fresh), "limit": 0, "parts": len(judged),
                                "constant_matrices": len(flat)}
    if fresh:
        evidence["names"] = sorted(fresh)[:8]
    if flat and not any(PART.match(name) or "word_embeddings" in name for name in flat):
        return suspect(f"{flat[0]} holds one value in all places.", **{**evidence, "names": flat[:8]})
    if flat:
        return ill(f"{flat[0]} holds one value in all places.", **{**evidence, "names": flat[:8]})
    if fresh and not any(PART.match(f"{part}.") for part in trained):
        return suspect("No layer is trained: biases are 0 and gammas 1, as they are drawn.", **evidence)
    if layers:
        return ill(f"{layers[0]} has its initial values (biases 0, gamma 1), and other layers are trained.", **evidence)
    if heads := sorted(part for part in fresh if part in ("classifier", "qa_outputs")):
        return ill(f"The head {heads[0]} has its initial values, and the encoder is trained.",
                   "Train the head before it is used.", **evidence)
    if fresh:
        return suspect(f"{sorted(fresh)[0]} has its initial values.", **evidence)
    return healthy(**evidence)


def _part(name):
    """Return the part of a model that a tensor belongs to: a layer, or the first word of its name."""
    match = PART.match(name)
    return match[1] if match else name.split(".")[0]


def _initial(values):
    """Return whether a part is as it was drawn: biases and betas 0, gammas 1, matrices that are normal with mean 0."""
    vectors = {name: value for name, value in values.items() if value.ndim == 1}
    matrices = [np.asarray(value, np.float64) for value in values.values() if value.ndim == 2]
    if not vectors or not matrices or not np.isfinite(np.concatenate([value.ravel() for value in matrices])).all():
        return False
    wanted = (1.0 if "norm" in name.lower() and name.endswith("weight") else 0.0 for name in vectors)
    if not all((value == number).all() for value, number in zip(vectors.values(), wanted, strict=True)):
        return False
    if any("norm" in name.lower() for name in vectors):
        return True
    return all(abs(float(value.std()) / INITIAL - 1) < 0.1 + 3 / value.size ** 0.5 for value in matrices)


def reload(case: Case) -> Measured:
    """Save the model as a bundle, load it, and compare the answers.

    Args:
        case: The case.

    Returns:
        What was measured.
    """
    model = case.memory.get("model")
    if model is None:
        return needs("a folder of weights that can be "
                     "loaded") if case.folder is None or case.problem else does_not_apply(
            "an export is not saved again")
    from bertkit.checkpoints import load
    from bertkit.checkpoints.save import save
    from bertkit.doctor.folders import caller
    batch = mixed(case)
    try:
        with tempfile.TemporaryDirectory() as place:
            save(model, Path(place) / "bundle")
            again = load(Path(place) / "bundle")
    except Exception as error:                              # a model that a bundle does not hold
        return failed(error)
    found = gap(Subject(caller(again))(batch), Subject(caller(model))(batch), batch)
    numbers = {"difference": found.share, "limit": limit_of(case)}
    return healthy(**numbers) if found.share <= limit_of(case) else ill("Loaded again it gives other answers.",
                                                                        **numbers)
