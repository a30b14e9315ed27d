"""Configs: what they refuse, and that they survive JSON."""

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertkit import kinds
from bertkit.config import ACTIVATIONS, AXES, EncoderConfig
from bertkit.errors import Error
from bertkit.kinds import Absolute, Full, Hash, Local, Rotary, Shared, Window

SMALL = EncoderConfig(vocabulary_size=100, num_layers=2, num_heads=2, hidden_dim=8, intermediate_dim=32)
SIZES = ("vocabulary_size", "num_layers", "num_heads", "hidden_dim", "intermediate_dim",
         "max_sequence_length")


@st.composite
def configs(draw):
    heads, sizes = draw(st.integers(1, 16)), st.integers(1, 2**40)
    rates = st.floats(0, 1, exclude_max=True)
    positive = st.floats(0, exclude_min=True, allow_infinity=False)
    return EncoderConfig(
        num_heads=heads, hidden_dim=heads * draw(st.integers(1, 2**20)),
        activation=draw(st.sampled_from(ACTIVATIONS)),
        dropout=draw(rates), attention_dropout=draw(rates), layer_norm_epsilon=draw(positive),
        initializer_range=draw(positive), num_segments=draw(st.integers(0, 9)),
        embedding_dim=draw(st.none() | sizes), head_size=draw(st.none() | sizes), qkv_bias=draw(st.booleans()),
        **{axis: draw(st.sampled_from([None if kind is type(None) else kind() for kind in allowed]))
           for axis, allowed in AXES.items() if axis not in ("attention", "block")},
        block=draw(st.sampled_from([kinds.PostNorm(), kinds.Bottleneck(width=4 * heads), kinds.TwoStream()])),
        attention=draw(st.sampled_from([Full(causal=True), (Window(4), Window(8)), (Local(), Hash(buckets=(2, 4)))])),
        num_layers=draw(st.integers(1, 10_000)),
        **{name: draw(sizes) for name in SIZES if name not in ("num_heads", "hidden_dim", "num_layers")})


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
    assert values["attention"] == {"kind": "Full", "causal": False}
    assert values["positions"] == {"kind": "Absolute", "pad_id": None, "sinusoidal": False}


def test_it_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        SMALL.num_layers = 3


def test_the_width_of_a_head():
    assert SMALL.head_dim == 4
    assert SMALL.but(head_size=3).head_dim == 3


@pytest.mark.parametrize("name", ["embedding_dim", "head_size", "num_segments"])
def test_an_optional_size_is_no_negative_number(name):
    with pytest.raises(Error, match=f"^{name}=-1 is no size; give a whole number of"):
        SMALL.but(**{name: -1})


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
    with pytest.raises(Error, match="is not a kind of .*; give one such as"):
        SMALL.but(**change)


@pytest.mark.parametrize("change, message", [
    ({"pooler": True}, "pooler=True is not a kind of pooler"),
    ({"attention": ()}, "attention=.. is not a kind"),
    ({"attention": Window("8")}, "Window.size='8'.: wanted int"),
    ({"attention": Window(True)}, "Window.size=True.: wanted int"),
    ({"attention": (Full(), Window(0))}, "Window.size=0.: give 1 or more"),
    ({"attention": Hash(buckets=(2, 0))}, "Hash.buckets=.2, 0..: give 1 or more"),
    ({"attention": Rotary(base="10")}, "Rotary.base='10'.: wanted float"),
    ({"positions": Absolute(pad_id=-1)}, "Absolute.pad_id=-1.: give 0 or more"),
    ({"shared": Shared(groups=0)}, "Shared.groups=0.: give 1 or more"),
    ({"num_layers": 10_001}, "num_layers=10001 is more than any encoder has; give 10000 or less"),
    ({"shared": Shared(groups=200, inner=51)}, "more blocks than any encoder"),
    ({"qkv_bias": 1}, "qkv_bias=1, family='bert'; wanted true or false"),
    ({"family": None}, "family=None; wanted true or false, and a name"),
])
def test_a_kind_has_fields_of_the_right_type(change, message):
    with pytest.raises(Error, match=message):
        SMALL.but(**change)


def test_attention_kinds_repeat_over_depth():
    config = SMALL.but(num_layers=5, attention=(Local(), Hash()))
    assert [type(config.attention_of(layer)) for layer in range(5)] == [Local, Hash, Local, Hash, Local]


@pytest.mark.parametrize("change, longest", [
    ({}, 512), ({"positions": Absolute(pad_id=1)}, 510), ({"positions": None}, None),
    ({"positions": kinds.Axial((4, 8), (2, 6))}, 32)])
def test_the_longest_row_that_has_positions(change, longest):
    assert SMALL.but(**change).max_length == longest


@pytest.mark.parametrize("change, message", [
    ({"attention": {"kind": "Quadratic"}}, "names the kind 'Quadratic'; bertkit has Absolute, Answer"),
    ({"attention": {}}, "names the kind None"),
    ({"attention": {"kind": ["Full"]}}, "names the kind"),
    ({"attention": {"kind": "Full", "width": 3}}, "gives Full the field width, which this version"),
    ({"attention": "Full"}, "is not a kind"),
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
