"""Entries of a config.json: what is right is read, null is the default or false, anything else is told by its key."""

import pytest

from bertkit.config import ACTIVATIONS
from bertkit.errors import Error
from bertkit.family import entries


def test_every_activation_has_a_name_that_reads_back():
    assert set(entries.NAMES) == set(ACTIVATIONS) == set(entries.ACTIVATIONS.values())
    assert all(entries.activation({"act": name}, "act") == ours for ours, name in entries.NAMES.items())
    assert entries.NAMES["gelu_erf"] == "gelu" and entries.NAMES["gelu_tanh"] == "gelu_new"


@pytest.mark.parametrize("read, default, good", [
    (entries.whole, 3, 0), (entries.number, 0.5, 2.0), (entries.rate, 0.0, 0.1)],
    ids=lambda value: getattr(value, "__name__", None))
def test_what_is_there_is_read_and_null_is_the_default(read, default, good):
    assert read({"key": good}, "key", default) == good
    assert read({}, "key", default) == read({"key": None}, "key", default) == default


def test_a_null_flag_is_false():
    """As in transformers 4, which asks whether the value is true; transformers 5 refuses such a file."""
    assert not entries.flag({"key": None}, "key", True)
    assert entries.flag({}, "key", True) and entries.flag({"key": True}, "key", False)


@pytest.mark.parametrize("read, wrong", [
    (entries.flag, [0, "false", []]), (entries.whole, [-1, 1.0, True, "3", 2**31 + 1, []]),
    (entries.number, [-1, True, "3", float("nan"), float("inf"), 10**400]),
    (entries.rate, [1, -0.1, 1.5, "0.1", True])], ids=lambda value: getattr(value, "__name__", None))
def test_anything_else_is_told_by_its_key(read, wrong):
    for value in wrong:
        with pytest.raises(Error, match="^key="):
            read({"key": value}, "key", None)


@pytest.mark.parametrize("value", ["gelo", 3, ["gelu"], {}])
def test_an_unknown_word_is_answered_with_the_known_ones(value):
    with pytest.raises(Error, match=r"^hidden_act=.* is unknown; bertkit has gelu, gelu_new, "):
        entries.activation({"hidden_act": value}, "hidden_act")
