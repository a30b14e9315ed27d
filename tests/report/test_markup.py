"""Texts come out as they went in, whatever they hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertkit.report.markup import LONGEST, Markup, element, escape_html, number, table, text, texts
from tests.report.reading import read

ANY_TEXT = st.text(alphabet=st.one_of(st.sampled_from("<>&\"'/`= \0\r\n\x80\x9f\ud800\udfff\ufffe￿"),
                                      st.characters(exclude_categories=())))


def shown(value):
    """Return what a browser shows of a text: forbidden characters replaced."""
    return "".join("\ufffd" if ord(c) < 32 and c not in "\t\n\r" or 127 <= ord(c) < 160 or 0xD800 <= ord(c) < 0xE000
                   or c in "￾￿" else c for c in value)


@given(ANY_TEXT)
def test_a_text_comes_back_as_it_is_and_nothing_but_it(value):
    (node,) = read(element("p", value, title=value)).inside
    assert (node.text, node.attributes["title"]) == (shown(value), shown(value))
    assert all(isinstance(part, str) for part in node.inside)


@given(ANY_TEXT)
def test_what_is_written_is_utf_8(value):
    escape_html(value).encode("utf-8")


def test_markup_is_not_escaped_again():
    assert element("b", Markup("<i>a</i>"), escape_html("<")) == "<b><i>a</i>&lt;</b>"


def test_a_long_text_says_how_much_is_left_out():
    assert text("é" * LONGEST) == f"<bdi>{'é' * LONGEST}</bdi>"
    assert text("é" * (LONGEST + 1234)).endswith("é… (+1,234 characters)</bdi>")


def test_both_texts_of_a_pair_stand_on_lines_of_their_own():
    assert [line.text for line in read(texts(("one", "two"))).all("div")] == ["one", "two"]


@pytest.mark.parametrize(("value", "said"), [
    (0.5, "0.5000"), (12.345, "12.35"), (float("nan"), "undefined"), (float("-inf"), "-inf"), (1234, "1,234"),
    (7, "7"), (None, ""), (True, "True"), (2.0, "2.0000")])
def test_numbers(value, said):
    assert number(value) == said


def test_a_table_names_its_columns_and_rows():
    node = read(table("Scores", ("class", "F1"), [("a", 0.5)])).all("table")[0]
    assert [(cell.text, cell.attributes.get("scope")) for cell in node.all("th", "td")] == [
        ("class", "col"), ("F1", "col"), ("a", "row"), ("0.5000", None)]
    assert node.all("caption")[0].text == "Scores"


def test_a_row_that_lacks_a_cell_is_refused():
    with pytest.raises(ValueError, match="zip"):
        table("Scores", ("class", "F1"), [("a",)])
