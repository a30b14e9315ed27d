"""Several faults at once are named, each by its own check, and what follows from another fault is told apart."""

import numpy as np
import pytest

from bertkit.doctor import examine
from tests.doctor.sick import SMALL, encoder, gelu_tanh, softmax, weights_of

WEIGHTS = weights_of(SMALL)
COMPARISONS = {"reference", "same-as", "peers"}
IDS = {"mask": lambda ids, mask: (ids > 0).astype("int32")}
BARE = {"embedded": lambda x, norm: x}
FIRST = {"segments": lambda ids: 0 * ids}
UNBIASED = {"variance": lambda x: x.var(-1, keepdims=True, ddof=1)}
COLUMNS = {"softmax": lambda scores: softmax(scores.swapaxes(-1, -2)).swapaxes(-1, -2)}


def examined(**sick):
    """Return {check: Finding} of a small encoder with several faults that can be rebuilt."""
    found = examine(encoder(SMALL, WEIGHTS, **sick), SMALL, weights=WEIGHTS,
                    build=lambda new: encoder(SMALL, new, **sick))
    return {finding.check: finding for finding in found}


def ill(found):
    return {name for name, finding in found.items() if finding.verdict == "ill"} - COMPARISONS


@pytest.mark.slow
@pytest.mark.parametrize(("sick", "checks"), [
    (BARE | {"activation": gelu_tanh} | IDS | FIRST, {"embeddings", "activation", "mask-source", "segments"}),
    (UNBIASED | {"activation": gelu_tanh}, {"layer-norm", "activation"}),
    (BARE | COLUMNS | {"pooled": lambda x: x}, {"embeddings", "attention-softmax", "pooler"})], ids=["4", "2", "3"])
def test_several_faults_are_named_and_no_other(sick, checks):
    found = examined(**sick)
    assert ill(found) == checks, found["reference"].message
    assert f"{len(checks)} faults together explain it" in found["reference"].message


@pytest.mark.slow
def test_two_faults_are_named():
    found = examined(**FIRST, activation=gelu_tanh)
    assert ill(found) == {"segments", "activation"}
    assert "with this and 1 other fault" in found["activation"].message
    assert found["padding"].verdict == "healthy"


def test_not_a_number_does_not_follow_from_an_epsilon():
    """An encoder with the epsilon alone answers a row of padding; so NaN there is a fault of its own."""
    found = examined(epsilon=1e-3, masked=lambda scores, mask: np.where(mask, scores, -np.inf))
    assert ill(found) == {"layer-norm-eps", "padded-row"}


def test_what_follows_from_the_ids_is_said_to():
    found = examined(**IDS)
    assert found["padding"].verdict == "suspect" and "follows from mask-source" in found["padding"].message


@pytest.mark.slow
def test_an_encoder_without_residual_is_seen_though_no_fault_explains_it():
    found = examined(residual=0.0, end=lambda outputs, batch: {"sequence": 1.3 * outputs["sequence"] ** 3})
    assert found["reference"].verdict == "ill" and found["layer-norm"].verdict != "ill"
