"""The loss: the cross entropy of its logits, over the labels that count and no others, whole or in parts."""

import re
from typing import Any

import numpy as np

from bertkit.doctor.case import Case
from bertkit.doctor.finding import Measured, does_not_apply, healthy, ill, needs, suspect
from bertkit.doctor.setup import IGNORED, arrays, double, first_batch, forward, largest, logits_of, offered

CERTAIN = 1000.0            # a bias that leaves no doubt about the answer
SURE = 1e-3                 # what a loss may be then
# What a loss may count in place of the labels that are not -100, and by what else it may be divided.
WRONG_SETS = {"padding or ignored labels as class 0": lambda labels, real: np.ones_like(real),
              "ignored labels of real tokens as class 0": lambda labels, real: real,
              "no label of class 0": lambda labels, real: labels > 0}


@offered("loss", "forward", "batches")
def loss(case: Case, setup: dict[str, Any]) -> Measured:
    """Compare the loss with the cross entropy of the logits, and look whether it is 0 when the answer is certain.

    Args:
        case: The case.
        setup: Its training set-up.

    Returns:
        What was measured.
    """
    batch = first_batch(setup)
    logits = logits_of(forward(setup, batch))
    if logits is None or "labels" not in batch:
        return needs("logits in what forward gives, and labels in the batches")
    if logits.shape[-1] == 1 or batch["labels"].dtype.kind == "f":
        return does_not_apply("the labels are numbers, not classes")
    if not np.array_equal(logits, _logits(setup, batch)):
        return does_not_apply("two passes in evaluation differ, so no loss can be compared with them")
    got, limit = float(setup["loss"](batch)), 1e-6 if setup.get("variables") and double(setup) else 1e-4
    wanted = _accepted(logits, batch)
    gap = min(abs(got - value) for value in wanted.values()) / max(abs(got), 1e-3)
    if gap > limit and (wrong := _counts_wrongly(got, logits, batch, limit)):
        return healthy("The loss is a cross entropy, over the wrong labels: see loss-mask.", loss=got, equal_to=wrong,
                       limit=limit)
    sure = _certain(setup, batch, logits)
    evidence = {"loss": got, "cross_entropy_of_the_logits": wanted["mean of the labels"], "relative_difference": gap,
                "limit": limit} | ({} if sure is None else {"loss_when_certain": sure, "limit_when_certain": SURE})
    if sure is not None and not sure <= SURE:
        if 0 < (smooth := _smoothing(got, logits, batch)) < 0.5 and sure > 1:
            return suspect(f"The loss is that of labels smoothed by {smooth:.2g}, so it never reaches 0.", **evidence)
        return ill(f"The loss is {sure:.3g} where the answer is certain and right; it should be 0. Probabilities may "
                   f"be "
                   "given to a loss that takes logits.", **evidence)
    if gap <= limit:
        return healthy(**evidence)
    if abs(got - wanted["mean of the labels"] * _number(batch)) <= limit * abs(got):
        return suspect("The loss is the sum over labels, not their mean: its size depends on the batch.", **evidence)
    return ill(f"The loss is {got:.4g}, and the cross entropy of the logits {wanted['mean of the labels']:.4g}.",
               **evidence)


def _logits(setup, batch):
    """Return the logits [B,C] or [B,T,C] in evaluation."""
    return np.asarray(logits_of(forward(setup, batch)))


def _counted(batch):
    """Return bool arrays of the shape of the labels: where they count, and where tokens are real."""
    labels = batch["labels"]
    real = np.ones_like(labels, bool)
    if labels.shape == batch.get("padding_mask", np.zeros(())).shape:
        real = batch["padding_mask"] > 0
    return labels != IGNORED, real


def _number(batch):
    return int(_counted(batch)[0].sum())


def _each(logits, labels):
    """Return -log p of each label, 0 standing for one that is ignored."""
    if logits.ndim == labels.ndim + 1:
        shifted = logits - logits.max(-1, keepdims=True)
        log_p = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
        return -np.take_along_axis(log_p, np.maximum(labels, 0)[..., None].astype(int), -1)[..., 0]
    return _each(logits.swapaxes(1, 2), labels)             # spans: [B,T,2] and the places [B,2]


def _accepted(logits, batch):
    """Return {how it is averaged: cross entropy} of the ways that are right."""
    each, (counted, real) = _each(logits, batch["labels"]), _counted(batch)
    found = {}
    for name, chosen in (("mean of the labels", counted), ("mean of the labels of real tokens", counted & real)):
        found[name] = float(each[chosen].mean()) if chosen.any() else 0.0
        if each.ndim == 2:
            rows = chosen.any(1)
            found[f"{name}, row by row"] = float(((each * chosen).sum(1)[rows] / chosen.sum(1)[rows]).mean())
    return found


def _counts_wrongly(got, logits, batch, limit):
    """Return over which wrong set of labels the loss is a mean, or what it is wrongly divided by; None for neither."""
    each, (counted, real) = _each(logits, batch["labels"]), _counted(batch)
    for name, choose in WRONG_SETS.items():
        chosen = choose(batch["labels"], real)
        if chosen.any() and (chosen != counted).any() and abs(got - each[chosen].mean()) <= limit * abs(got):
            return name
    for name, number in (("all positions", counted.size), ("all real tokens", real.sum())):
        if number > counted.sum() and abs(got - each[counted].sum() / number) <= limit * abs(got):
            return f"divided by {name}"
    return None


def _certain(setup, batch, logits):
    """Return the loss where a bias of 1000 makes the class of all labels certain; None without such a bias."""
    if not setup.get("assign") or not setup.get("variables") or logits.ndim != batch["labels"].ndim + 1:
        return None
    values = setup["variables"]()
    names = [name for name, value in values.items() if np.shape(value) == logits.shape[-1:] and name.endswith("bias")
             and re.search(r"classifier|decoder|predictions|qa_outputs|logits|head|output", name)
             and "LayerNorm" not in name]
    target = int(batch["labels"][batch["labels"] != IGNORED][0])
    sure = {name: np.where(np.arange(logits.shape[-1]) == target, CERTAIN, 0).astype(np.asarray(values[name]).dtype)
            for name in names}
    before = {name: np.array(values[name]) for name in names}
    one = dict(batch, labels=np.where(batch["labels"] == IGNORED, IGNORED, target).astype(batch["labels"].dtype))
    try:
        setup["assign"](sure)
        raised = _logits(setup, one)
        if not names or (raised.argmax(-1) != target).any():
            return None
        return float(setup["loss"](one))
    finally:
        setup["assign"](before)


def _smoothing(got, logits, batch):
    """Return by how much labels are smoothed if that is what makes the loss differ from the cross entropy."""
    counted, _ = _counted(batch)
    plain = _each(logits, batch["labels"])[counted].mean()
    shifted = logits - logits.max(-1, keepdims=True)
    even = -(shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))).mean(-1)[counted].mean()
    return float((got - plain) / (even - plain)) if abs(even - plain) > 1e-9 else 0.0


@offered("loss", "batches")
def loss_mask(case: Case, setup: dict[str, Any]) -> Measured:
    """Change labels where they must not count, and where they must; make the padding longer.

    Args:
        case: The case.
        setup: Its training set-up.

    Returns:
        What was measured.
    """
    batch = first_batch(setup)
    if "labels" not in batch:
        return needs("labels in the batches")
    labels, (counted, real) = batch["labels"], _counted(batch)
    classes = np.unique(labels[counted])
    other = int(classes[-1]) if len(classes) > 1 else int(classes[0]) + (1 if classes[0] == 0 else -1)
    if labels.dtype.kind == "f":
        return does_not_apply("the labels are numbers, not classes")
    limit, before = (1e-9 if setup.get("variables") and double(setup) else 1e-5), float(setup["loss"](batch))
    scale = max(abs(before), 1e-3)

    def change(places):
        new = np.where(places, np.where(labels == other, classes[0] if other != classes[0] else other - 1, other),
                       labels)
        return abs(float(setup["loss"](dict(batch, labels=new.astype(labels.dtype)))) - before) / scale

    padded = counted & ~real
    evidence = {"limit": limit, "labels_that_count": int(counted.sum()), "labels_at_padding": int(padded.sum())}
    if padded.any():
        evidence["change_by_labels_of_padding"] = change(padded)
        if evidence["change_by_labels_of_padding"] > limit:
            return ill("The loss changes with the labels of padding.", "Give padding the label -100.", **evidence)
    silent = [int(name) for name in classes if change((labels == name) & counted & real) <= limit]
    evidence["classes_without_influence"] = len(silent)
    if silent:
        return ill(f"Labels of class {silent[0]} do not count.", classes=silent, **evidence)
    return _by_numbers(setup, batch, before, limit, evidence)


def _by_numbers(setup, batch, before, limit, evidence):
    """Compare the loss with those of wrong sets of labels, and with that of longer padding."""
    if setup.get("forward") and (logits := logits_of(forward(setup, batch))) is not None \
            and logits.ndim == batch["labels"].ndim + 1:
        close = max(limit, 1e-6)
        right = min(abs(before - value) for value in _accepted(logits, batch).values()) <= close * abs(before)
        wrong = None if right else _counts_wrongly(before, logits, batch, close)
        if wrong:
            return ill(f"The loss counts wrongly: {wrong}.", equal_to=wrong, **evidence)
    evidence["change_by_less_padding"] = shorter = _change_by_less_padding(setup, batch, before)
    if shorter > max(100 * limit, 1e-6):
        return ill("The loss changes when padding is cut off: padding counts in it.", **evidence)
    return healthy(**evidence)


def _change_by_less_padding(setup, batch, before):
    """Return by how much of itself the loss changes without columns of padding; 0 where that cannot be tried."""
    mask = batch.get("padding_mask")
    if mask is None or batch["labels"].shape != mask.shape:
        return 0.0
    rows = np.flatnonzero(mask.any(1) & ~mask.all(1))
    width = mask.shape[1]
    length = int(np.flatnonzero(mask[rows].any(0)).max()) + 1 if len(rows) else width
    part = {name: value[rows] for name, value in batch.items()}
    if length == width or not (part["labels"] != IGNORED).any():
        return 0.0
    whole = float(setup["loss"](part))
    try:
        cut = float(setup["loss"]({name: value[:, :length] if value.ndim > 1 and value.shape[1] == width else value
                                   for name, value in part.items()}))
    except Exception:                                       # a model of one length raises whatever it likes
        return 0.0
    return abs(cut - whole) / max(abs(whole), 1e-3)


@offered("gradients", "accumulate", "batches")
def accumulation(case: Case, setup: dict[str, Any]) -> Measured:
    """Compare the gradient of one batch with that of its parts: equal parts, and parts of different size.

    Args:
        case: The case.
        setup: Its training set-up.

    Returns:
        What was measured.
    """
    batch = first_batch(setup)
    rows = len(next(iter(batch.values())))
    if rows < 2:
        return needs("a batch of at least two rows")
    whole = arrays(setup["gradients"](batch))
    limit = 1e-8 if setup.get("variables") and double(setup) else 1e-3
    errors = {}
    for name, ends in (("equal parts", [0, rows // 2, 2 * (rows // 2)]), ("parts of different size", [0, 1, rows])):
        part = {key: value[:ends[-1]] for key, value in batch.items()}
        wanted = whole if ends[-1] == rows else arrays(setup["gradients"](part))
        pieces = [{key: value[a:b] for key, value in batch.items()} for a, b in zip(ends, ends[1:], strict=False)]
        found = arrays(setup["accumulate"](pieces))
        shared = found.keys() & wanted.keys()
        errors[name] = largest({key: found[key] - wanted[key] for key in shared}) / max(largest(wanted), 1e-12)
    evidence = {"limit": limit, **{f"error_of_{name.replace(' ', '_')}": error for name, error in errors.items()}}
    worst = max(errors, key=lambda name: errors[name])
    if errors[worst] <= limit:
        return healthy(**evidence)
    return ill(f"The gradient of {worst} differs from that of the batch they stand for by {errors[worst]:.2g} of its "
               f"largest "
               "entry.", **evidence)
