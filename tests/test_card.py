"""A card says what was made, and survives its file."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertkit.card import Card
from bertkit.data.columns import Columns
from bertkit.errors import Error
from bertkit.version import VERSION

NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(st.none() | st.booleans() | NUMBERS | st.text(), lambda inner: (
    st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)), max_leaves=8)
OBJECTS = st.dictionaries(st.text(min_size=1), VALUES, max_size=3)


def written(card, path):
    path.write_text(json.dumps(card.to_json()), encoding="utf-8")
    return path


@given(model=OBJECTS, knobs=OBJECTS, scores=OBJECTS, notes=st.lists(st.text(), max_size=3))
def test_a_card_survives_its_file(tmp_path_factory, model, knobs, scores, notes):
    card = Card("films", "classify", model, knobs=knobs, scores=scores, notes=tuple(notes))
    assert Card.read(written(card, tmp_path_factory.getbasetemp() / "card.json")) == card


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_a_number_that_is_none_is_null(tmp_path, number):
    card = Card("films", "score", {}, scores={"dev": {"pearson": {"score": number}}})
    text = written(card, tmp_path / "card.json").read_text()
    assert json.loads(text, parse_constant=pytest.fail)["scores"] == {"dev": {"pearson": {"score": None}}}


def test_a_card_says_when_and_by_what(tmp_path):
    values = Card("films", "classify", {}).to_json()
    assert values["versions"]["bertkit"] == VERSION and "numpy" in values["versions"]
    assert len(values["made"]) == len("2026-01-01")
    assert "scores" not in values and values["model"] == {}         # empty parts are left out, the name of it never


def test_what_json_does_not_hold_becomes_what_it_does():
    knobs = {"out": Path("films"), "columns": Columns(text="a"), "pair": (1, 2), "inner": {"x": Path("y")}}
    assert Card("films", "classify", {}, knobs=knobs).to_json()["knobs"] == {
        "out": "films", "columns": {"text": "a", "second": None, "label": None, "word": None, "tag": None},
        "pair": [1, 2], "inner": {"x": "y"}}


def test_a_person_sees_the_scores_and_where_the_rest_is():
    scores = {"dev": {"f1": {"score": 0.5, "low": 0.25, "high": 0.75}, "pearson": {"score": float("nan")}, "rows": 4}}
    shown = Card("names", "tag", {"encoder": {"a": 1}}, data={"dev": {"file": "dev.conll", "rows": 1200, "skipped": 3}},
                 scores=scores, bytes={"model.tflite": 7826000}).text()
    assert [line.split() for line in shown.splitlines()[:-1]] == [
        ["names", "(tag)"], "dev 1,200 rows of dev.conll, 3 left out".split(),
        "dev f1 0.5000 (95 % interval 0.2500 to 0.7500)".split(), ["dev", "pearson", "undefined"],
        ["model.tflite", "7,826,000", "bytes"]]
    assert "card.json" in shown.splitlines()[-1]


@pytest.mark.parametrize("content, words", [
    (None, "is missing"), ("", "is not JSON"), ("{", "is not JSON"), ("[]", "wanted an object"), ("[" * 99999, "JSON"),
    ("{}", "name is missing"), ('{"name": "a", "task": "b", "model": {}, "colour": "red"}', "colour is unknown"),
    ('{"name": "a", "task": "b", "model": {}, "notes": 3}', "notes is 3"),
    ('{"name": "a", "task": "b", "model": {}, "scores": []}', "scores is "), ("\xff", "not UTF-8")])
def test_what_is_no_card_is_an_error(tmp_path, content, words):
    path = tmp_path / "card.json"
    if content is not None:
        path.write_bytes(content.encode("latin-1"))
    with pytest.raises(Error, match=words):
        Card.read(path)
