"""Dropout: it acts in training and not in evaluation, and at the config's rate, which silenced weights make visible.

Where all that a layer adds is one bias of different positive numbers, LayerNorm leaves the dropped entries of a token
as the smallest number of the token, all equal; their share is the rate. Weights are silenced by Hugging Face's names.
"""

import re
from typing import Any

import numpy as np

from bertkit.doctor.case import Case
from bertkit.doctor.finding import Measured, healthy, ill, needs, suspect
from bertkit.doctor.setup import arrays, first_batch, forward, logits_of, offered

PASSES = 2
LAYER = re.compile(r"(?:^|\.)encoder\.layer\.(\d+)\.")


@offered("forward", "batches")
def dropout(case: Case, setup: dict[str, Any]) -> Measured:
    """Compare passes in training and in evaluation, and measure the rates of a silenced encoder.

    Args:
        case: The case.
        setup: Its training set-up.

    Returns:
        What was measured.
    """
    batch, config = first_batch(setup), case.config
    rates = {"hidden": float(config.get("hidden_dropout_prob", 0.1) or 0),
             "attention": float(config.get("attention_probs_dropout_prob", 0.1) or 0)}
    quiet, loud = _difference(setup, batch, False), _difference(setup, batch, True)
    evidence = {"difference_of_two_evaluations": quiet, "difference_of_two_training_passes": loud, "limit": 1e-6,
                **{f"{name}_rate_of_config": rate for name, rate in rates.items()}}
    if not loud >= 0 or not quiet >= 0:
        return needs("logits or a sequence in what forward(batch, training) gives")
    if quiet > 1e-6:
        return ill("Two passes in evaluation differ: dropout, or another chance, acts there too.", **evidence)
    if loud <= 1e-6 and max(rates.values()) > 0:
        return ill(f"Two passes in training are equal, although the config asks for dropout of "
                   f"{max(rates.values()):g}.",
                   **evidence)
    found = _rates(case, setup, batch) if setup.get("assign") and setup.get("variables") else {}
    evidence |= {f"measured_{name}": share for name, (share, *_) in found.items()}
    return _judged(found, config, rates, evidence)


def _judged(found, config, rates, evidence):
    """Return the verdict on {place: (share, number of draws, kind)}."""
    for name, (share, draws, kind) in found.items():
        said = config.get("classifier_dropout")
        wanted = rates[kind] if kind in rates else rates["hidden"] if said is None else float(said)
        limit = 0.01 + 5 * (max(wanted * (1 - wanted), 0.01) / draws) ** 0.5
        if abs(share - wanted) <= limit:
            continue
        told = f"Dropout of {name.replace('_', ' ')} is {share:.3f}, and the config asks for {wanted:g}."
        if kind == "classifier" and said is None:
            return suspect(told, limit=limit, **{k: v for k, v in evidence.items() if k != "limit"})
        return ill(told, limit=limit, **{k: v for k, v in evidence.items() if k != "limit"})
    return healthy(**evidence)


def _difference(setup, batch, training):
    """Return the largest difference of two passes; NaN where they give nothing."""
    one, two = forward(setup, batch, training), forward(setup, batch, training)
    return max((float(np.abs(one[name] - two[name]).max()) for name in one.keys() & two.keys()
                if one[name].shape == two[name].shape), default=float("nan"))


def _rates(case, setup, batch):
    """Return {place: (measured share, draws, kind)}; what cannot be silenced or seen is left out."""
    weights = arrays(setup["variables"]())
    layers = sorted({int(match[1]) for match in map(LAYER.search, weights) if match})
    outputs = forward(setup, batch)
    width = next((value.shape[0] for name, value in weights.items() if name.endswith("embeddings.LayerNorm.weight")), 0)
    if not layers or not width or outputs.get("sequence", np.zeros(())).ndim != 3:
        return {}
    probes = {"embeddings": "hidden"}
    probes |= {f"attention_probabilities_of_layer_{layers[-1]}": "attention",
               f"attention_output_of_layer_{layers[0]}": "hidden", f"feed_forward_of_layer_{layers[-1]}": "hidden"}
    found = {}
    try:
        for place, kind in probes.items():
            _silence(setup, weights, width, place)
            share = _share_of_sequence(setup, case, width, place)
            found |= {place: (*share, kind)} if share else {}
        found |= _head(setup, weights, width, layers[-1], batch)
    finally:
        setup["assign"]({name: value.astype(np.asarray(setup["variables"]()[name]).dtype)
                         for name, value in weights.items()})
    return found


def _silence(setup, weights, width, place):
    """Assign weights by which only one place adds something to a stream of zeros."""
    ramp = np.linspace(1, 2, width)
    new = {}
    for name, value in weights.items():
        if "LayerNorm" in name:
            new[name] = np.ones_like(value) if name.endswith("weight") else np.zeros_like(value)
        elif LAYER.search(name):
            new[name] = np.zeros_like(value)
    layer = place.rsplit("_", 1)[-1]
    if place == "embeddings":
        _put(new, "embeddings.LayerNorm.weight", np.zeros(width))
        _put(new, "embeddings.LayerNorm.bias", ramp)
    else:
        _put(new, "embeddings.LayerNorm.weight", np.zeros(width))
    if place.startswith("attention_output"):
        _put(new, f"layer.{layer}.attention.output.dense.bias", ramp)
    elif place.startswith("feed_forward"):
        _put(new, f"layer.{layer}.output.dense.bias", ramp, but="attention")
    elif place.startswith("attention_probabilities"):
        _put(new, f"layer.{layer}.attention.self.value.bias", ramp)
        _put(new, f"layer.{layer}.attention.output.dense.weight", np.eye(width))
    setup["assign"]({name: value.astype(np.asarray(setup["variables"]()[name]).dtype) for name, value in new.items()})


def _put(new, end, value, but=None):
    """Replace the weights whose names end so."""
    for name in new:
        if (name.endswith("." + end) or name == end) and not (but and f"{but}.{end.split('.', 2)[-1]}" in name):
            new[name] = value


def _share_of_sequence(setup, case, width, place):
    """Return (share of dropped entries or heads, draws) over training passes; None where evaluation drops some too."""
    heads = place.startswith("attention_probabilities")
    batch = _batch(setup, case, one=heads)

    def dropped(training):
        first = forward(setup, batch, training)["sequence"][:, :1 if heads else None]
        lowest = np.isclose(first, first.min(-1, keepdims=True), rtol=0, atol=1e-4)
        if heads:
            number = int(case.config["num_attention_heads"])
            lowest = lowest.reshape(*lowest.shape[:2], number, width // number).all(-1)
        else:
            lowest &= np.ptp(first, axis=-1, keepdims=True) > 1e-3
        return lowest

    quiet = dropped(False)
    if quiet.mean() > (0 if heads else 1.5 / width):
        return None
    draws = np.concatenate([dropped(True) for _ in range(PASSES)])
    # Without dropout the smallest entry of the ramp alone is the smallest of its token.
    return float(draws.mean()), draws.size


def _batch(setup, case, one):
    """Return rows of real tokens; with `one` many rows of which only the first token is real."""
    batch = first_batch(setup)
    rows, length = (256, 2) if one else (16, batch["token_ids"].shape[1])
    ids = np.resize(batch["token_ids"][:, :length], (rows, length))
    mask = np.ones_like(ids)
    if one:
        mask[:, 1:] = 0
    kind = batch["token_ids"].dtype
    return {"token_ids": ids.astype(kind), "segment_ids": np.zeros_like(ids, kind), "padding_mask": mask.astype(kind)}


def _head(setup, weights, width, last, batch):
    """Return the dropout before a classifier whose rows are those of the identity and whose input is known."""
    logits = logits_of(forward(setup, batch))
    name = next((name for name, value in weights.items() if value.ndim == 2 and width in value.shape
                 and re.search(r"classifier|qa_outputs|logits|head", name)), None)
    if name is None or logits is None or "mlm_logits" in forward(setup, batch):
        return {}
    ramp = np.linspace(0.5, 0.9, width)
    new = {name: np.eye(*weights[name].shape)}
    for other, value in weights.items():
        if other.endswith(f"layer.{last}.output.LayerNorm.weight") and "attention" not in other \
                or other.endswith("pooler.dense.weight") or other == name.removesuffix("weight") + "bias":
            new[other] = np.zeros_like(value)
        elif other.endswith(f"layer.{last}.output.LayerNorm.bias") and "attention" not in other \
                or other.endswith("pooler.dense.bias"):
            new[other] = ramp
    setup["assign"]({each: value.astype(np.asarray(setup["variables"]()[each]).dtype) for each, value in new.items()})
    many = _batch(setup, None, one=logits.ndim == 2)
    if (np.abs(np.asarray(logits_of(forward(setup, many)))) < 1e-6).any():
        return {}
    draws = np.concatenate([np.abs(np.asarray(logits_of(forward(setup, many, True)))).ravel() < 1e-6
                            for _ in range(PASSES)])
    return {"classifier": (float(draws.mean()), draws.size, "classifier")}
