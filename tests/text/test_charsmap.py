"""Precompiled character maps: what is in them, and that damaged ones are told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sentencepiece_references import RULES, compiled

from bertkit.errors import Error
from bertkit.text.unicode.charsmap import charsmap

CONTENT = compiled(RULES)
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=4)


def test_the_entries_that_a_text_can_meet():
    assert charsmap(CONTENT) == {key: text for key, text in RULES.items() if len(key.encode()) < 6}


@given(st.dictionaries(texts, st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), min_size=1))
def test_any_rules(rules):
    assert charsmap(compiled(rules)) == {key: text for key, text in rules.items() if len(key.encode()) < 6}


def test_no_map_has_no_entries():
    assert charsmap(b"") == {}


@given(st.data())
def test_damage_is_an_error_or_another_map(data):
    content = bytearray(CONTENT)
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=4)):
        content[place] = data.draw(st.integers(0, 255))
    try:
        charsmap(bytes(content[:data.draw(st.integers(0, len(content)))]))
    except Error as error:
        assert "copy the tokenizer's files again" in str(error)


@pytest.mark.parametrize("content", [CONTENT[:100], b"\1", b"\0\0\0\0", b"\3\0\0\0abc", CONTENT[:-13]])
def test_what_is_no_map_is_refused(content):
    with pytest.raises(Error, match="copy the tokenizer's files again"):
        charsmap(content)


def test_a_map_that_leads_in_circles_is_refused():
    units = [0] * 256
    for label in range(1, 128):
        units[label] = label | 1 << 8 | label << 10                   # each letter leads back to the first node
    data = b"".join(unit.to_bytes(4, "little") for unit in units)
    with pytest.raises(Error, match="more than 32768 beginnings of"):
        charsmap(len(data).to_bytes(4, "little") + data + b"\0")
