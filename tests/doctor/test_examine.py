"""The doctor names the fault of each sick encoder, and leaves the sound ones in peace."""

import json

import numpy as np
import pytest

import bertkit.doctor
from bertkit.doctor import CHECKS, assert_healthy, examine
from bertkit.doctor.checks import TABLE
from bertkit.errors import Error
from tests.doctor.sick import SMALL, encoder, gelu_tanh, softmax, weights_of

WEIGHTS = weights_of(SMALL)
COMPARISONS = {"reference", "same-as", "peers"}
# What an encoder with weights and `build` must be called healthy in.
ORGANS = """reference attention-scale attention-softmax attention-heads attention-direction projections layer-norm
layer-norm-eps activation residual embeddings positions segments pooler layers padding mask-source mask-strength
padded-row batch lengths determinism finite""".split()


def examined(config=SMALL, weights=WEIGHTS, seed=0, given=("weights", "build"), **sick):
    """Return {check: Finding} of a small encoder, sick in one place or sound."""
    more = {"weights": weights, "build": lambda new: encoder(config, new, **sick)}
    found = examine(encoder(config, weights, **sick), config, seed=seed, **{name: more[name] for name in given})
    return {finding.check: finding for finding in found}


def ill(findings):
    return {check for check, finding in findings.items() if finding.verdict == "ill"}


def transposed(name, value):
    return value.T if ".attention.self." in name else value


def beside(outputs, batch):
    """Each row with the mean of its batch taken off: rows depend on each other."""
    return outputs | {"pooled": outputs["pooled"] - outputs["pooled"].mean(0)}


def squeezed(outputs, batch):
    return outputs | {"pooled": outputs["pooled"].squeeze()}


# {what: (the check that names it, the parts that are wrong)}
FAULTS = {
    "scores divided by the root of the hidden size": ("attention-scale", {"factor": 3 ** -0.5}),
    "a factor that no paper has": ("attention-scale", {"factor": 0.83}),
    "softmax over the queries": ("attention-softmax",
                                 {"softmax": lambda s: softmax(s.swapaxes(-1, -2)).swapaxes(-1, -2)}),
    "a softmax with 1 below": ("attention-softmax",
                               {"softmax": lambda s: np.exp(s) / (1 + np.exp(s).sum(-1, keepdims=True))}),
    "heads in the opposite order": ("attention-heads",
                                    {"merge": lambda heads, axis: np.concatenate(heads[::-1], axis)}),
    "a causal mask": ("attention-direction", {"masked": lambda scores, mask: np.where(
        mask & np.tri(scores.shape[-1], dtype=bool), scores, np.float32(-1e9))}),
    "kernels not transposed": ("projections", {"weight": transposed}),
    "unbiased variance": ("layer-norm", {"variance": lambda x: x.var(-1, keepdims=True, ddof=1)}),
    "the root mean square of x": ("layer-norm", {"variance": lambda x: (x ** 2).mean(-1, keepdims=True)}),
    "the epsilon of Keras": ("layer-norm-eps", {"epsilon": 1e-3}),
    "an epsilon that the weights hide": ("layer-norm-eps", {"epsilon": 1e-8}),
    "tanh GELU for erf": ("activation", {"activation": gelu_tanh}),
    "an activation that nobody knows": ("activation", {"activation": lambda x: np.where(x > 0, x, 0.3 * np.tanh(x))}),
    "half a residual": ("residual", {"residual": 0.5}),
    "no norm after the embeddings": ("embeddings", {"embedded": lambda x, norm: x}),
    "positions from 1": ("positions", {"positions": lambda ids, mask: np.arange(ids.shape[1])[None] + 1}),
    "positions counted by the mask": ("positions", {"positions": lambda ids,
                                                    mask: np.maximum(np.cumsum(mask, 1) - 1, 0)}),
    "segments ignored": ("segments", {"segments": lambda ids: 0 * ids}),
    "segments exchanged": ("segments", {"segments": lambda ids: 1 - ids}),
    "a pooler without tanh": ("pooler", {"pooled": lambda x: x}),
    "layers backwards": ("layers", {"order": lambda layers: layers[::-1]}),
    "a layer left out": ("layers", {"order": lambda layers: layers[:-1]}),
    "no mask": ("padding", {"mask": lambda ids, mask: np.ones_like(mask)}),
    "the mask from ids": ("mask-source", {"mask": lambda ids, mask: (ids > 0).astype("int32")}),
    "a mask of 0 and 1 added": ("mask-strength", {"masked": lambda scores, mask: scores + mask.astype(np.float32)}),
    "a mask of -30 added": ("mask-strength", {"masked": lambda scores, mask: scores - np.float32(30) * ~mask}),
    "minus infinity under the mask": ("padded-row", {"masked": lambda scores, mask: np.where(mask, scores, -np.inf)}),
    "rows that see each other": ("batch", {"end": beside}),
    "a squeezed batch": ("lengths", {"end": squeezed}),
    "rows that are too long": ("lengths", {"positions": lambda ids,
                                           mask: np.minimum(np.arange(ids.shape[1]), 19)[None]}),
    "dropout at inference": ("determinism", {"end": lambda outputs, batch: outputs | {
        "sequence": outputs["sequence"] * np.random.binomial(1, 0.9, outputs["sequence"].shape)}}),
}


# One of each organ; the others with -m slow.
QUICK = {"a causal mask", "unbiased variance", "an epsilon that the weights hide", "tanh GELU for erf",
         "positions from 1",
         "minus infinity under the mask", "the mask from ids", "rows that see each other", "a squeezed batch",
         "dropout at inference"}


@pytest.mark.parametrize("what", [what if what in QUICK else pytest.param(what, marks=pytest.mark.slow)
                                  for what in FAULTS])
@np.errstate(all="ignore")
def test_each_fault_is_named_and_no_other(what):
    check, sick = FAULTS[what]
    found = examined(**sick)
    assert ill(found) - COMPARISONS == {check}, {name: found[name] for name in ill(found) | {check}}


@pytest.mark.parametrize("what", ["tanh GELU for erf", "no mask", "kernels not transposed", "layers backwards"])
def test_a_fault_is_named_without_build_too(what):
    check, sick = FAULTS[what]
    assert ill(examined(given=("weights",), **sick)) - COMPARISONS == {check}


@pytest.mark.parametrize("what", ["no mask", "a causal mask", "a squeezed batch", "rows that see each other",
                                  "minus infinity under the mask", "the mask from ids", "dropout at inference"])
@np.errstate(all="ignore")
def test_relations_need_no_weights(what):
    check, sick = FAULTS[what]
    assert check in ill(examined(given=(), **sick))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_sound_encoder_is_left_in_peace(seed):
    found = examined(weights=weights_of(SMALL, seed), seed=seed)
    assert {name: found[name].verdict for name in ORGANS} == dict.fromkeys(ORGANS, "healthy")
    assert not ill(found)


@pytest.mark.parametrize("change", [{"layer_norm_eps": 1e-5}, {"num_hidden_layers": 7}, {"pad_token_id": 3}], ids=str)
def test_other_sound_encoders_are_left_in_peace(change):
    config = SMALL | change
    assert not ill(examined(config, weights_of(config), given=("weights",)))


def test_harmless_differences_are_no_faults():
    for sick in ({"masked": lambda scores, mask: scores + np.float32(-10000) * ~mask},
                 {"end": lambda outputs, batch: outputs | {"sequence": outputs["sequence"] * batch["padding_mask"][...,
                                                                                                                   None]}}):
        assert not ill(examined(**sick))


def test_what_weights_hide_is_unknown_without_build_and_shown_with_it():
    equal = dict(WEIGHTS)
    name = "embeddings.token_type_embeddings.weight"
    equal[name] = np.repeat(equal[name][:1], 2, 0)
    sick = {"segments": lambda ids: 0 * ids}
    hidden, shown = (examined(weights=equal, given=given, **sick)["segments"]
                     for given in (("weights",), ("weights", "build")))
    assert hidden.verdict == "unknown" and hidden.evidence["reason"].startswith("needs build")
    assert shown.verdict == "ill"


def test_every_check_stands_once_with_words_and_numbers():
    found = examined(activation=gelu_tanh)
    assert tuple(found) == CHECKS == tuple(check.name for check in TABLE)
    for finding in found.values():
        json.dumps(finding.evidence, allow_nan=False)
        if finding.verdict == "unknown":
            assert finding.evidence["reason"].startswith(("needs ", "does not apply: ", "failed: "))
        else:
            assert any(isinstance(value, int | float) for value in finding.evidence.values()), finding
            assert finding.message and finding.cost and finding.remedy and finding.source


def test_the_same_seed_gives_the_same_findings():
    one, two = ([(finding.check, finding.verdict) for finding in examined(seed=5).values()] for _ in range(2))
    assert one == two


def test_only_what_is_asked_is_examined():
    found = examine(encoder(SMALL, WEIGHTS), SMALL, only=["padding", "batch"])
    assert [finding.check for finding in found if finding.verdict != "unknown"] == ["padding", "batch"]
    with pytest.raises(Error, match="no check paddings"):
        examine(None, SMALL, only=["paddings"])


def test_a_subject_that_raises_is_a_finding():
    def broken(batch):
        raise ValueError("no such tensor")
    found = {finding.check: finding for finding in examine(broken, SMALL, weights=WEIGHTS)}
    assert ill(found) == {"lengths"} and "no such tensor" in found["lengths"].message
    for check in ("padding", "reference"):
        assert "no such tensor" in found[check].evidence["reason"]


def test_weights_that_are_not_finite_are_named():
    broken = dict(WEIGHTS)
    broken["encoder.layer.1.output.dense.bias"] = np.full(24, np.nan, "float32")
    found = examined(weights=broken)
    assert ill(found) - COMPARISONS == {"finite"} and "encoder.layer.1.output.dense.bias" in found["finite"].message


def test_random_states_are_left_as_they_were():
    np.random.seed(3)
    before = np.random.get_state()[1].copy()
    examine(encoder(SMALL, WEIGHTS, end=FAULTS["dropout at inference"][1]["end"]), SMALL, only=["determinism"])
    assert (np.random.get_state()[1] == before).all()


def test_two_forms_are_compared():
    one, two = encoder(SMALL, WEIGHTS), encoder(SMALL, WEIGHTS, activation=gelu_tanh)
    verdicts = [{f.check: f for f in examine(one, SMALL, against=other, only=["same-as"])}["same-as"].verdict
                for other in (one, two)]
    assert verdicts == ["healthy", "ill"]


def test_a_test_of_ones_own_fails_with_the_name_of_the_fault():
    assert_healthy(encoder(SMALL, WEIGHTS), SMALL, weights=WEIGHTS)
    with pytest.raises(AssertionError, match="activation is ill: It computes gelu_new, not gelu"):
        assert_healthy(encoder(SMALL, WEIGHTS, activation=gelu_tanh), SMALL, weights=WEIGHTS)
    assert_healthy(encoder(SMALL, WEIGHTS, activation=gelu_tanh), SMALL, weights=WEIGHTS,
                   accept=["activation", "reference", "peers"])


def test_a_prefix_of_the_names_changes_nothing():
    prefixed = {f"bert.{name}": value for name, value in WEIGHTS.items()}
    found = {finding.check: finding for finding in examine(
        encoder(SMALL, WEIGHTS), SMALL, weights=prefixed,
        build=lambda new: encoder(SMALL, {name.removeprefix("bert."): value for name, value in new.items()}))}
    assert found["layer-norm-eps"].verdict == found["reference"].verdict == "healthy"


def test_the_room_is_imported_when_it_is_asked_for():
    assert bertkit.doctor.examine is examine
