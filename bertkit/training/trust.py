"""How far a classifier's answers can be trusted: what dev says of it, chosen on dev and measured there."""

from dataclasses import replace
from typing import Any

import numpy as np

from bertkit import metrics
from bertkit.checkpoints.familiarity import Familiarity
from bertkit.data.features import features_of
from bertkit.errors import Error
from bertkit.heads.head_layers import PredictionHead
from bertkit.heads.vectors import HeadVectors
from bertkit.training.config import TrainConfig
from bertkit.training.scoring import outputs

KNOBS = ("temperature", "risk", "coverage", "familiarity")
ROWS = 5000             # of train that say what is familiar
POINTS = 20             # of the risk-coverage curve in the card


def check_trust(model: Any, task: Any, tuning: TrainConfig) -> None:
    """Check, before anything is trained, that the knobs of trust fit a model.

    Args:
        model: A head of bertkit's on an encoder.
        task: Its task.
        tuning: The `TrainConfig`; `temperature`, `risk`, `coverage` and `familiarity` are read.

    Raises:
        Error: When one is set and the model is no classifier that has it.
    """
    for knob in KNOBS:
        if getattr(tuning, knob) in (None, False):
            continue
        if task.name != "classify":
            raise Error(f"{knob} is a knob of `bertkit classify`, and the task is {task.name}; leave it out.")
        plain = all(isinstance(head, PredictionHead) for head in _heads(model))
        if knob in ("temperature", "familiarity") and not plain:
            raise Error(f"{knob} needs a head that ends in one matrix, which this model does not have; leave it out.")
        if knob != "temperature" and task.multi_label:
            raise Error(f"{knob} is for one class of each text, and these texts may have several; leave it out.")


def _heads(model):
    return getattr(model, "heads", {None: None}).values()


def scale_logits(model: Any, task: Any, held: Any) -> tuple[dict[str, float], str]:
    """Divide a classifier's logits by the temperature with the least log loss on dev, in the weights of its head.

    Logits are W h + b, so (W / T) h + b / T are the logits divided by T: whatever computes with the weights, the
    exported files too, gives the calibrated probabilities. See `metrics.best_temperature`.

    Args:
        model: The classifier, whose weights are changed.
        task: Its task.
        held: The rows of dev, an `EvalSplit`.

    Returns:
        ({"temperature", "loss_before", "loss_after"}, losses on dev; the sentence that says it).
    """
    logits = np.array(outputs(model, held.features), "float64")
    found = metrics.best_temperature(held.targets, logits)
    before, after = (task.loss(held.targets, task.outputs(logits / divisor)) for divisor in (1.0, found))
    if found == 1:
        return {"temperature": 1.0}, ("Logits stay as they are: dev has no answer that is wrong, and so no temperature "
                                      "with the least log loss.")
    for head in model.heads.values():
        for variable in head.logits.weights:
            variable.assign(variable / found)
    return {"temperature": found, "loss_before": before, "loss_after": after}, (
        f"Logits are divided by {found:.4f}, the temperature with the least log loss on dev: {after:.4f}, and "
        f"{before:.4f} before.")


def with_limits(task: Any, targets: Any, predictions: Any, tuning: TrainConfig,
                seed: int) -> tuple[Any, dict[str, Any], list[str]]:
    """Return a task whose answers say when they abstain, and hold sets, by limits from dev.

    A random half of dev gives the limits, the other half measures them (see `metrics.risk_threshold` and
    `metrics.set_threshold`).

    Args:
        task: The task of a classifier.
        targets: The class numbers of dev's rows, int [B].
        predictions: Their probabilities, [C] each.
        tuning: The `TrainConfig`; `risk` and `coverage` are read.
        seed: Of the halves.

    Returns:
        (the task, what was measured for the card, sentences that say it); the task as it is where neither is set.
    """
    if tuning.risk is None and tuning.coverage is None:
        return task, {}, []
    targets, p = np.asarray(targets), np.asarray(predictions)
    if len(p) < 2:
        return task, {}, ["Nothing is said of risk and coverage: dev has one row, which cannot be halved."]
    order = np.random.default_rng(seed).permutation(len(p))
    halves = [(targets[rows], p[rows]) for rows in (order[:len(p) // 2], order[len(p) // 2:])]
    measured, sentences = {}, []
    for knob, wanted, measure in (("risk", tuning.risk, _abstain), ("coverage", tuning.coverage, _sets)):
        if wanted is not None:
            task, measured[knob], sentence = measure(task, halves[0], halves[1], wanted)
            sentences.append(sentence)
    return task, measured, sentences


def familiarity_of(model: Any, task: Any, tokenizer: Any, length: int, train: Any, held: Any,
                   seed: int) -> Familiarity:
    """Return what says how like the training texts a text is.

    Args:
        model: The classifier.
        task: Its task.
        tokenizer: Its `Tokenizer`.
        length: Tokens that rows are cut to.
        train: The training rows, with `inputs` and `targets`, the class numbers; at most `ROWS` of them are drawn.
        held: The rows of dev, an `EvalSplit`.
        seed: Of the draw.

    Returns:
        A `Familiarity`.
    """
    rows = np.random.default_rng(seed).permutation(len(train.inputs))[:ROWS]
    packed = task.pack(tokenizer, [train.inputs[row] for row in rows], length)
    reader = HeadVectors(model)
    vectors = [outputs(reader, features) for features in (features_of(packed, tokenizer), held.features)]
    return Familiarity.fit(vectors[0], np.asarray(train.targets)[rows], vectors[1])


def _sure(task, targets, p):
    """Return whether each answer is right, and the probability of the class that it gives."""
    given = task.predicted_classes(p)
    return given == targets, p[np.arange(len(p)), given]


def _abstain(task: Any, chosen: Any, other: Any, risk: float) -> tuple[Any, dict[str, Any], str]:
    """Return the task that abstains, what was measured on the other half, and a sentence."""
    (found_right, sure), (right, confidence) = (_sure(task, *half) for half in (chosen, other))
    limit = metrics.risk_threshold(found_right, sure, risk)
    shares, risks = metrics.risk_coverage(right, confidence)
    places = np.unique(np.linspace(0, len(shares) - 1, POINTS).round().astype(int))
    found: dict[str, Any] = {"wanted": risk, "rows": len(right), "curve": [
        {"coverage": float(shares[place]), "risk": float(risks[place])} for place in places]}
    if limit is None:
        return task, found, (f"Answers do not say when they abstain: on half of dev not even the surest ones have a "
                             f"risk of {risk:g}.")
    kept = confidence >= np.float32(limit)
    found |= {"abstain_below": limit, "kept": int(kept.sum()), "wrong": int((kept & ~right).sum())}
    if not kept.any():
        measured = "where no answer is kept"
    else:
        low, high = metrics.wilson(found["wrong"], found["kept"])
        found |= {"risk": found["wrong"] / found["kept"], "low": low, "high": high}
        measured = (f"where {found['kept']} of {len(right)} answers are kept and {found['risk']:.4f} of them are wrong "
                    f"(95 % interval {low:.4f} to {high:.4f})")
    return replace(task, abstain_below=limit), found, (
        f"Answers abstain below a probability of {limit:.4f}: chosen on half of dev for a risk of {risk:g}, measured "
        f"on the other half, {measured}.")


def _sets(task: Any, chosen: Any, other: Any, coverage: float) -> tuple[Any, dict[str, Any], str]:
    """Return the task that answers with sets, what was measured on the other half, and a sentence."""
    task = replace(task, set_from=metrics.set_threshold(chosen[0], chosen[1], coverage))
    targets, p = other
    sets = [answer["set"] for answer in task.answers([None] * len(p), p)]
    held = sum(task.labels[label] in classes for label, classes in zip(targets, sets, strict=True))
    low, high = metrics.wilson(held, len(sets))
    found = {"wanted": coverage, "set_from": task.set_from, "rows": len(sets), "coverage": held / len(sets), "low": low,
             "high": high, "size": float(np.mean([len(classes) for classes in sets]))}
    few = " Half of dev has too few rows to promise it, so that sets hold all classes." if task.set_from == 0 else ""
    return task, found, (
        f"Sets hold the classes of a probability of {task.set_from:.4f} or more: chosen on half of dev for a coverage "
        f"of {coverage:g}, measured on the other half, where {found['coverage']:.4f} of {len(sets)} sets hold the "
        f"right class (95 % interval {low:.4f} to {high:.4f}), {found['size']:.2f} classes in the mean.{few}")
