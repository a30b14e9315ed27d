"""Configs: what they refuse, and that they survive JSON."""

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertkit.config import ACTIVATIONS, Absolute, EncoderConfig, Full
from bertkit.errors import Error

SMALL = EncoderConfig(vocabulary_size=100, num_layers=2, num_heads=2, hidden_dim=8, intermediate_dim=32)
SIZES = ("vocabulary_size", "num_layers", "num_heads", "hidden_dim", "intermediate_dim",
         "max_sequence_length", "num_segments")


@st.composite
def configs(draw):
    heads, sizes = draw(st.integers(1, 16)), st.integers(1, 2**40)
    rates = st.floats(0, 1, exclude_max=True)
    positive = st.floats(0, exclude_min=True, allow_infinity=False)
    return EncoderConfig(
        num_heads=heads, hidden_dim=heads * draw(st.integers(1, 2**20)),
        activation=draw(st.sampled_from(ACTIVATIONS)),
        dropout=draw(rates), attention_dropout=draw(rates), layer_norm_epsilon=draw(positive),
        initializer_range=draw(positive), pooler=draw(st.booleans()),
        **{name: draw(sizes) for name in SIZES if name not in ("num_heads", "hidden_dim")})


@given(configs())
def test_json_gives_it_back(config):
    assert EncoderConfig.from_json(json.loads(json.dumps(config.to_json()))) == config


@given(configs(), st.sampled_from(ACTIVATIONS))
def test_but_changes_only_what_it_names(config, activation):
    other = config.but(activation=activation)
    assert other.activation == activation
    assert other.but(activation=config.activation) == config


def test_kinds_stand_by_name_in_json():
    values = SMALL.to_json()
    assert (values["attention"], values["positions"]) == ({"kind": "Full"}, {"kind": "Absolute"})


def test_it_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        SMALL.num_layers = 3


def test_the_width_of_a_head():
    assert SMALL.head_dim == 4


@pytest.mark.parametrize("name", SIZES)
@pytest.mark.parametrize("value, shown", [(0, "0"), (-1, "-1"), (2.0, "2.0"), (True, "true"), ("8", '"8"'),
                                          (None, "null")])
def test_a_size_is_a_whole_number_of_one_or_more(name, value, shown):
    with pytest.raises(Error, match=f"^{name}={shown} is no size; give a whole number of 1 or more.$"):
        SMALL.but(**{name: value})


@pytest.mark.parametrize("name", ["dropout", "attention_dropout"])
@pytest.mark.parametrize("value", [-0.1, 1, 1.5, float("nan"), "0.1", None, True])
def test_a_rate_is_a_probability_below_one(name, value):
    with pytest.raises(Error, match=f"^{name}={value!r} is no probability below 1; BERT uses 0.1.$"):
        SMALL.but(**{name: value})


@pytest.mark.parametrize("name", ["layer_norm_epsilon", "initializer_range"])
@pytest.mark.parametrize("value", [0, -1e-12, float("nan"), float("inf"), "1e-12", None])
def test_a_deviation_is_a_number_above_zero(name, value):
    with pytest.raises(Error, match=f"^{name}={value!r} must be a number above 0.$"):
        SMALL.but(**{name: value})


@pytest.mark.parametrize("value", ["gelu", "GELU_ERF", None, 3, ["gelu_erf"]])
def test_an_activation_is_one_of_ours(value):
    with pytest.raises(Error, match="activation=.* is unknown; bertkit has gelu_erf, gelu_tanh"):
        SMALL.but(activation=value)


@pytest.mark.parametrize("width, heads, advice", [
    (770, 12, "768 and 780 are"), (4, 12, "12 are"), (9, 4, "8 and 12 are")])
def test_the_width_is_a_multiple_of_the_heads(width, heads, advice):
    with pytest.raises(Error, match=f"hidden_dim={width} is not a multiple of num_heads={heads}; {advice}"):
        SMALL.but(hidden_dim=width, num_heads=heads)


@pytest.mark.parametrize("change", [
    {"attention": "Full"}, {"attention": None}, {"attention": Full}, {"attention": Absolute()},
    {"positions": Full()}, {"positions": {"kind": "Absolute"}}])
def test_an_axis_holds_a_kind_that_it_can_be(change):
    with pytest.raises(Error, match="is no kind that it can be, such as"):
        SMALL.but(**change)


@pytest.mark.parametrize("value", [None, 1, "false"])
def test_pooler_is_true_or_false(value):
    with pytest.raises(Error, match="pooler=.* is neither true nor false"):
        SMALL.but(pooler=value)


@pytest.mark.parametrize("change, message", [
    ({"attention": {"kind": "Quadratic"}}, "names the kind 'Quadratic'; bertkit has Full, Absolute"),
    ({"attention": {}}, "names the kind None"),
    ({"attention": {"kind": ["Full"]}}, "names the kind"),
    ({"attention": {"kind": "Full", "width": 3}}, "not complete: .*width"),
    ({"attention": "Full"}, "is no kind"),
    ({"rotary": True, "alibi": 1}, "holds alibi, rotary, which this version of bertkit does not know"),
    ({"num_layers": "2"}, 'num_layers="2" is no size'),
])
def test_json_of_something_else_is_refused(change, message):
    with pytest.raises(Error, match=message):
        EncoderConfig.from_json({**SMALL.to_json(), **change})


def test_json_without_a_size_is_refused():
    values = SMALL.to_json()
    del values["num_layers"]
    with pytest.raises(Error, match="not complete: .*num_layers"):
        EncoderConfig.from_json(values)


@pytest.mark.parametrize("values", [None, [], "config", 3])
def test_json_that_is_no_object_is_refused(values):
    with pytest.raises(Error, match="wanted the object that to_json gives"):
        EncoderConfig.from_json(values)
