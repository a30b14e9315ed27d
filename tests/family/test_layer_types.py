"""Which layers attend to all tokens and which to near ones: both spellings read, what cannot be said is told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertkit.config import EncoderConfig
from bertkit.errors import Error
from bertkit.family import layer_types
from bertkit.kinds import Full, Rotary

FULL, SLIDING = Rotary(base=100.0), Rotary(base=7.0, window=3)
CONFIG = EncoderConfig(vocabulary_size=9, num_layers=5, num_heads=1, hidden_dim=4, intermediate_dim=4)


def read(**values):
    return layer_types.read({"num_hidden_layers": 5, **values}, FULL, SLIDING)


def test_older_files_count():
    assert read() == (FULL, SLIDING, SLIDING)
    assert read(global_attn_every_n_layers=1) == (FULL,)
    assert read(global_attn_every_n_layers=9) == (FULL, SLIDING, SLIDING, SLIDING, SLIDING)
    assert read(global_rope_theta=3, local_rope_theta=4.0, local_attention=11) == (
        Rotary(3.0), Rotary(4.0, 5), Rotary(4.0, 5))


def test_a_local_base_of_null_is_the_global_one():
    """As in modeling_modernbert.py of transformers 4.57: the global base unless local_rope_theta is a number."""
    assert read(local_rope_theta=None) == (FULL, Rotary(FULL.base, 3), Rotary(FULL.base, 3))
    assert read(local_rope_theta=None, global_rope_theta=9)[1] == Rotary(9.0, 3)
    assert read(local_rope_theta=None, rope_parameters={"sliding_attention": {"rope_theta": 5}})[1] == Rotary(5.0, 3)


def test_newer_files_list():
    types = ["sliding_attention", "full_attention"] * 2 + ["sliding_attention"]
    rope = {"full_attention": {"rope_type": "default", "rope_theta": 3}, "sliding_attention": {"rope_theta": 4.0}}
    assert read(layer_types=types, rope_parameters=rope) == (Rotary(4.0, 3), Rotary(3.0))
    assert read(layer_types=types, global_attn_every_n_layers=1) == (SLIDING, FULL)
    assert read(rope_parameters={"full_attention": None}, global_rope_theta=5) == (Rotary(5.0), SLIDING, SLIDING)


@given(st.lists(st.booleans(), min_size=1, max_size=9), st.integers(0, 9), st.floats(1, 1e6))
def test_what_is_written_reads_back(near, window, base):
    kinds = tuple(Rotary(2 * base, window) if is_near else Rotary(base) for is_near in near)
    config = CONFIG.but(num_layers=len(kinds), attention=kinds)
    written = layer_types.write(config, FULL, SLIDING)
    found = layer_types.read({"num_hidden_layers": len(kinds), **written}, FULL, SLIDING)
    assert [config.but(attention=found).attention_of(i) for i in range(len(kinds))] == list(kinds)
    assert len(found) <= len(kinds)


@pytest.mark.parametrize("values, words", [
    ({"layer_types": ["full_attention"]}, "layer_types=.* 5 layers, which num_hidden_layers counts"),
    ({"layer_types": "full_attention"}, "layer_types="), ({"layer_types": ["chunked_attention"] * 5}, "layer_types="),
    ({"layer_types": [["full_attention"]] * 5}, "layer_types="),
    ({"num_hidden_layers": 10**9}, "num_hidden_layers=1000000000"),
    ({"num_hidden_layers": "2"}, "num_hidden_layers='2'"),
    ({"global_attn_every_n_layers": 0}, "global_attn_every_n_layers=0"),
    ({"local_attention": -2}, "local_attention=-2"), ({"local_attention": [2, 2]}, "local_attention="),
    ({"global_rope_theta": 0}, "global_rope_theta=0"),
    ({"local_rope_theta": "x"}, "local_rope_theta='x'"), ({"rope_parameters": [1]}, "rope_parameters="),
    ({"rope_parameters": {"rope_theta": 3}}, "rope_parameters="),
    ({"rope_parameters": {"full_attention": {"rope_type": "yarn", "factor": 2}}}, "rope_parameters: full_attention="),
    ({"rope_parameters": {"full_attention": {"rope_theta": -1}}}, "rope_theta=-1"),
    ({"rope_parameters": {"sliding_attention": 3}}, "rope_parameters: sliding_attention=3"),
    ({"rope_scaling": {"factor": 2}}, "rope_scaling=")], ids=str)
def test_a_wrong_value_is_told_by_its_key(values, words):
    with pytest.raises(Error, match=words):
        read(**values)


@pytest.mark.parametrize("kinds", [(FULL, Rotary(3.0)), (SLIDING, FULL, Rotary(7.0, 4)), (Full(),)], ids=str)
def test_a_third_kind_of_layer_is_not_written(kinds):
    with pytest.raises(Error, match="Hugging Face has models of layers like .* save a bundle instead"):
        layer_types.write(CONFIG.but(attention=kinds), FULL, SLIDING)
