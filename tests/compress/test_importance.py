"""Importance is what its equation says: by central differences of a mask, and by numpy."""

import math

import numpy as np
import pytest

from bertkit.compress.importance import activation_importance, gradient_importance, inputs_of, strongest
from bertkit.encoder import Encoder
from bertkit.errors import Error
from bertkit.heads import MultipleChoice
from bertkit.kinds import PreNorm, Rotary, Shared
from tests import tiny

SMALL = tiny.CONFIG.but(intermediate_dim=6, initializer_range=0.3)
STEP = 1e-2


def batches(count=6, seed=0):
    rng = np.random.default_rng(seed)
    lengths = rng.integers(4, 9, count)
    mask = (np.arange(8) < lengths[:, None]).astype("int32")
    rows = {"token_ids": rng.integers(5, 40, (count, 8)).astype("int32") * mask, "padding_mask": mask}
    labels = rng.integers(0, 2, count).astype("int32")
    return [({name: value[at:at + 3] for name, value in rows.items()}, labels[at:at + 3]) for at in (0, 3)]


def scaled(variable, places, axis, factor):
    values = np.array(variable)
    index = [slice(None)] * values.ndim
    index[axis] = places
    values[tuple(index)] *= factor
    variable.assign(values)


def losses(labels, logits):
    """Return the cross-entropy of each example, by numpy."""
    logits = np.asarray(logits, "float64")
    return np.log(np.exp(logits).sum(axis=-1)) - logits[np.arange(len(labels)), labels]


def differences(model, rows, masks):
    """Return E |dL(x)/dξ|, ξ the factor of the places of some variables, by central differences of each example."""
    before, found = [np.array(variable) for variable, _, _ in masks], []
    for inputs, labels in rows:
        sides = []
        for factor in (1 + STEP, 1 - STEP):
            for variable, places, axis in masks:
                scaled(variable, places, axis, factor)
            sides.append(losses(labels, model(inputs)))
            for (variable, _, _), values in zip(masks, before, strict=True):
                variable.assign(values)
        found += (np.abs(sides[0] - sides[1]) / (2 * STEP)).tolist()
    return np.mean(found)


def head_mask(model, block, head):
    size = model.encoder.config.head_dim
    places, value = slice(head * size, (head + 1) * size), model.encoder.blocks[block].attention.value
    return [(value.kernel, places, 1), (value.bias, places, 0)]


@pytest.mark.parametrize("config", [SMALL, pytest.param(SMALL.but(num_layers=3, shared=Shared(), family="albert"),
                                                        marks=pytest.mark.slow)], ids=["bert", "albert"])
def test_the_gradient_of_a_mask_is_its_difference(config):
    model, rows = tiny.classifier(config=config), batches()
    loss = model.loss_function()
    heads, inner = gradient_importance(model, loss, rows)
    assert heads.shape == (len(model.encoder.blocks), 2) and inner.shape == (len(model.encoder.blocks), 6)
    wanted = differences(model, rows, head_mask(model, 0, 1))
    assert heads[0, 1] == pytest.approx(wanted, rel=2e-2, abs=1e-4)
    wanted = differences(model, rows, [(model.encoder.blocks[-1].outer.kernel, 3, 0)])
    assert inner[-1, 3] == pytest.approx(wanted, rel=2e-2, abs=1e-4)


@pytest.mark.slow
def test_the_absolute_value_is_of_each_example():
    model = tiny.classifier(config=SMALL)
    (inputs, labels), _ = batches()
    both = {name: np.concatenate([value, value]) for name, value in inputs.items()}, np.concatenate(
        [labels, 1 - labels])
    heads, _ = gradient_importance(model, model.loss_function(), [both])
    apart = [gradient_importance(model, model.loss_function(), [(inputs, part)])[0] for part in (labels, 1 - labels)]
    np.testing.assert_allclose(heads, sum(apart) / 2, rtol=1e-4)


@pytest.mark.slow
def test_the_choices_of_an_example_count_together():
    model = MultipleChoice(Encoder(SMALL))
    rng = np.random.default_rng(1)
    inputs = {"token_ids": rng.integers(5, 40, (2, 3, 5)).astype("int32"), "padding_mask": np.ones((2, 3, 5), "int32")}
    labels = np.array([2, 0], "int32")
    heads, _ = gradient_importance(model, model.loss_function(), [(inputs, labels)])
    wanted = differences(model, [(inputs, labels)], head_mask(model, 1, 0))
    assert heads[1, 0] == pytest.approx(wanted, rel=2e-2, abs=1e-4)


def numpy_gelu(x):
    return 0.5 * x * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))


def numpy_norm(x, layer, epsilon):
    x = x - x.mean(-1, keepdims=True)
    return x / np.sqrt((x**2).mean(-1, keepdims=True) + epsilon) * np.asarray(layer.gamma) + np.asarray(layer.beta)


def test_what_a_row_adds_is_that_of_numpy():
    model, rows = tiny.classifier(config=SMALL), batches()
    found = activation_importance(model, rows)
    for number, block in enumerate(model.encoder.blocks):
        inside, count = np.zeros(6), 0
        for inputs, _ in rows:
            x = np.asarray(model.encoder(inputs, trace=True)["trace"][f"hidden/{number}"], "float64")
            attended = np.asarray(block.attention(x.astype("float32"), context=inputs), "float64")
            a = numpy_norm(x + attended, block.attention_norm, SMALL.layer_norm_epsilon)
            z = numpy_gelu(a @ np.asarray(block.inner.kernel) + np.asarray(block.inner.bias))
            inside += np.abs(z[inputs["padding_mask"] == 1]).sum(axis=0)
            count += inputs["padding_mask"].sum()
        wanted = inside / count * np.sqrt((np.asarray(block.outer.kernel, "float64")**2).sum(axis=1))
        np.testing.assert_allclose(found[number], wanted, rtol=1e-4)


@pytest.mark.slow
def test_a_gate_is_part_of_what_a_row_adds():
    config = SMALL.but(block=PreNorm(), attention=Rotary(), positions=None, pooler=None, family="modernbert",
                       num_segments=0, qkv_bias=False)
    model, rows = tiny.classifier(config=config), batches()
    heads, inner = gradient_importance(model, model.loss_function(), rows)
    wanted = differences(model, rows, [(model.encoder.blocks[0].outer.kernel, 2, 0)])
    assert inner[0, 2] == pytest.approx(wanted, rel=2e-2, abs=1e-4)
    assert heads.shape == (2, 2) and activation_importance(model, rows).shape == (2, 6)


def test_layers_are_as_they_were_after_they_were_watched():
    model, rows = tiny.classifier(), batches()
    before = np.asarray(model(rows[0][0]))
    layer = model.encoder.blocks[0].outer
    with pytest.raises(ZeroDivisionError), inputs_of([layer]) as seen:
        model(rows[0][0])
        assert [number for number, _ in seen] == [0]
        raise ZeroDivisionError
    assert "call" not in vars(layer)
    np.testing.assert_array_equal(model(rows[0][0]), before)


def test_the_strongest_stay_and_nothing_to_measure_on_is_an_error():
    assert strongest(np.array([[3.0, 1.0, 2.0]]), 2) == [[0, 2]]
    model = tiny.classifier()
    for measured in (lambda: gradient_importance(model, model.loss_function(), []),
                     lambda: activation_importance(model, [])):
        with pytest.raises(Error, match="at least one batch"):
            measured()
