"""Files that annotation tools import: what is written and labelled in place is read again, place for place."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bertkit.data.columns import Source
from bertkit.data.preannotated import Answered, check_tool, least_certain_first, preannotations
from bertkit.data.readers import read_examples
from bertkit.data.spans import Span, python_place, tagged_words, unit_of_places, utf16_place
from bertkit.data.tagged import read_tagged
from bertkit.data.unlabelled import Rows
from bertkit.errors import Error
from bertkit.tasks.answering import Answering
from bertkit.tasks.answering import Span as Answer
from bertkit.tasks.choosing import Choosing
from bertkit.tasks.classification import Classification
from bertkit.tasks.regression import Regression
from bertkit.tasks.tagging import Tagging, _Tags
from bertkit.text.words import words

TOOLS = ("labelstudio", "prodigy", "doccano")
TAGGING = Tagging(("O", "B-PER", "I-PER", "B-LOC", "I-LOC"))
# Emoji with joiners and colours, combining marks, writing from the right, no blanks between words, Windows' line ends.
PARTS = ["Anna", "left", "👨‍👩‍👧", "👍🏽", "🇫🇷", "é", "ñ̃", "שָׁלוֹם", "مرحبا", "\u200f",
         "東京", "ไทย", "नमस्ते", "𝒳", " ", " ", "\r\n", "\n", "\t",
         ".", ",", "'", "&", "<b>", '"', "\u2028"]


def rows_of(texts, **columns):
    kept = [{"text": text, **{name: values[row] for name, values in columns.items()}}
            for row, text in enumerate(texts)]
    return Rows("f.csv", list(texts), kept, [], Source("CSV", {"text": "text"}))


@st.composite
def tagged(draw):
    """A text and entities that begin and end with its words."""
    text = "".join(draw(st.lists(st.sampled_from(PARTS), min_size=1, max_size=12)))
    spans, place = [], 0
    bounds = words(text)
    while place < len(bounds):
        length = draw(st.integers(0, 3))
        if length:
            last = min(place + length, len(bounds)) - 1
            spans.append(Span(bounds[place][0], bounds[last][1], draw(st.sampled_from(("PER", "LOC")))))
        place += max(length, 1)
    return text, spans


def predicted(text, spans):
    """Return what the tagger says where it finds these entities."""
    bounds = words(text)
    tags = ["O"] * len(bounds)
    for span in spans:
        inside = [number for number, (start, end) in enumerate(bounds) if span.start <= start and end <= span.end]
        for number in inside:
            tags[number] = f"{'B' if number == inside[0] else 'I'}-{span.label}"
    return _Tags(tags, bounds, [0.5 + 0.25 * (number % 2) for number in range(len(bounds))])


def labelled_in_place(tool, content):
    """Return what the tool exports when somebody takes each answer as it is."""
    if tool == "labelstudio":
        tasks = json.loads(content)
        for number, task in enumerate(tasks, start=1):
            result = task["predictions"][0]["result"]
            task |= {"id": number, "annotations": [{"result": result, "was_cancelled": False}]}
        return "f.json", json.dumps(tasks)
    rows = [json.loads(line) for line in content.split("\n") if line]
    more = {"answer": "accept"} if tool == "prodigy" else {"Comments": []}
    return "f.jsonl", "".join(json.dumps({"id": number, **row, **more}) + "\n" for number, row in enumerate(rows))


@pytest.mark.parametrize("tool", TOOLS)
@settings(max_examples=60, deadline=None)
@given(made=st.lists(tagged(), min_size=1, max_size=4))
def test_entities_of_odd_texts_come_back(tmp_path_factory, tool, made):
    made = [(text, spans) for text, spans in made if words(text)]
    if not made:
        return
    texts, spans = zip(*made, strict=True)
    content = preannotations(tool, Answered(TAGGING, rows_of(texts), list(map(predicted, texts, spans)), "m-1"))
    name, exported = labelled_in_place(tool, content)
    path = tmp_path_factory.mktemp("f") / name
    path.write_text(exported, encoding="utf-8")
    found = read_tagged(path)
    assert list(zip(found.words, found.tags, strict=True)) == [tagged_words(1, *pair) for pair in made]


@settings(max_examples=100, deadline=None)
@given(made=tagged())
def test_doccano_counts_as_javascript_does_and_the_others_as_python_does(made):
    text, spans = made
    answered = Answered(TAGGING, rows_of([text]), [predicted(text, spans)], "m-1")
    units, wanted = text.encode("utf-16-le"), [text[span.start:span.end] for span in spans]
    label = json.loads(preannotations("doccano", answered))["label"]
    assert [units[2 * start:2 * end].decode("utf-16-le") for start, end, _ in label] == wanted
    task, = json.loads(preannotations("labelstudio", answered))
    values = [each["value"] for each in task["predictions"][0]["result"]]
    assert [text[value["start"]:value["end"]] for value in values] == wanted == [value["text"] for value in values]
    task = json.loads(preannotations("prodigy", answered))
    tokens = task["tokens"]
    assert all(text[token["start"]:token["end"]] == token["text"] for token in tokens)
    assert [token["id"] for token in tokens] == list(range(len(tokens)))
    assert [(tokens[span["token_start"]]["start"], tokens[span["token_end"]]["end"]) for span in task["spans"]] == [
        (span["start"], span["end"]) for span in task["spans"]] == [(span.start, span.end) for span in spans]
    for place in range(len(text) + 2):
        assert python_place(text, utf16_place(text, place)) == min(place, len(text))


ROWS = rows_of(["a film", "so"], id=["7", "8"], label=["x", "y"], score=[1, 2])
YES = [np.array([0.25, 0.75]), np.array([0.5, 0.5])]


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("many", [False, True])
def test_labels_come_back_with_version_and_score(written, capsys, tool, many):
    task = Classification(("no", "yes & no"), multi_label=many)
    content = preannotations(tool, Answered(task, ROWS, [np.array([0.25, 0.75]), np.array([0.6, 0.9])], "m-1"))
    examples = read_examples(written(*labelled_in_place(tool, content)), text="text", label="accept" if
                             tool == "prodigy" else "label")
    assert examples.first == ["a film", "so"]
    assert examples.labels == ([["yes & no"], ["no", "yes & no"]] if many else ["yes & no", "yes & no"])
    first = json.loads(content if tool == "labelstudio" else content.split("\n")[0])
    said = capsys.readouterr().err
    if tool == "labelstudio":
        made = first[0]["predictions"][0]
        assert (made["model_version"], made["score"], made["result"][0]["score"]) == ("m-1", 0.5, 0.75)
        assert first[0]["data"] == {"text": "a film", "id": "7", "label": "x", "score": 1}
        assert '<Choice value="yes &amp; no"/>' in said and f'choice="{"multiple" if many else "single"}"' in said
    elif tool == "prodigy":
        assert first["meta"] == {"model": "m-1", "score": 0.5, "id": "7", "label": "x", "file_score": 1}
    else:
        assert {**first, "label": 0, "bertkit_single": 0} == {
            "text": "a film", "label": 0, "bertkit_single": 0, "model_version": "m-1", "score": 0.5, "id": "7",
            "file_label": "x", "file_score": 1}


def test_pairs_questions_and_numbers_in_label_studio(capsys):
    pairs = Rows("f.tsv", [("a", "b")], [{"one": "a", "two": "b"}], [],
                 Source("TSV", {"text 1": "one", "text 2": "two"}))
    task, = json.loads(preannotations("labelstudio", Answered(
        Classification(("no", "yes"), pairs=True), pairs, YES[:1], "m")))
    assert task["data"] == {"one": "a", "two": "b"}
    assert '<Text name="second" value="$two"/>' in capsys.readouterr().err
    asked = Rows("f.json", [("who?", "It was Ann.")], [{"question": "who?", "context": "It was Ann."}], [])
    task, = json.loads(preannotations("labelstudio", Answered(
        Answering("2.0"), asked, [Answer("Ann", 7, 2.0, 0.0)], "m")))
    assert task["predictions"][0]["result"][0]["value"] == {"start": 7, "end": 10, "text": "Ann", "labels": ["answer"]}
    assert '<Text name="text" value="$context"/>' in capsys.readouterr().err
    task, = json.loads(preannotations("labelstudio", Answered(Regression(), pairs, [3.5], "m")))
    assert task["predictions"][0]["result"][0]["value"] == {"number": 3.5} and "score" not in task["predictions"][0]


def test_endings_are_options_of_prodigy():
    rows = Rows("f.csv", [("p", "a", "b")], [{"prompt": "p"}], [], Source("CSV", {"text 1": "prompt"}))
    task = json.loads(preannotations("prodigy", Answered(Choosing(), rows, YES[:1], "m")))
    assert (task["text"], task["options"], task["accept"]) == (
        "p", [{"id": 0, "text": "a"}, {"id": 1, "text": "b"}], [1])


@pytest.mark.parametrize("tool, task, path, message", [
    ("doccano", Answering("1.1"), None, r"doccano has no form .*\(answer\); it has one for classify, tag"),
    ("prodigy", Classification(("a", "b"), pairs=True), None, r"\(classify of pairs\)"),
    ("labelstudio", TAGGING, "f.jsonl", "imports .json files; .*not f.jsonl"),
    ("doccano", TAGGING, "f.csv", "imports .jsonl files")])
def test_what_a_tool_cannot_show_is_refused(tool, task, path, message):
    with pytest.raises(Error, match=message):
        check_tool(tool, task, path)


def test_the_least_certain_rows_come_first_and_equal_ones_keep_their_order():
    rows = rows_of(["a", "b", "c", "d", "e"])
    shares = [np.array(row) for row in ([0.5, 0.25, 0.25], [0.4, 0.4, 0.2], [0.3, 0.3, 0.4], [0.35, 0.35, 0.3],
                                        [0.9, 0.05, 0.05])]
    order = least_certain_first(Classification(("x", "y", "z")), shares)
    found = rows.take(order)
    assert found.inputs == ["b", "d", "c", "a", "e"] == [row["text"] for row in found.columns]
    binary = Classification(("x", "y"), threshold=0.8)
    assert binary.certainty([np.array([0.2, 0.8]), np.array([0.5, 0.5])]) == pytest.approx([0.0, 0.6])
    assert TAGGING.certainty([predicted("Anna left", []), predicted("", [])]) == [0.5, 1.0]
    assert Answering("2.0").certainty([Answer("Ann", 7, 0.0, 0.0)]) == [0.5]
    with pytest.raises(Error, match="task score does not say how sure"):
        least_certain_first(Regression(), [1.0] * 5)


# ----------------------------------------------------------------------------------- places without a key of ours


def doccano(*rows):
    return "".join(json.dumps({"id": 1, "text": text, "label": spans}) + "\n" for text, spans in rows)


@pytest.mark.parametrize("spans, unit", [([[3, 7, "PER"]], "UTF-16"), ([[2, 6, "PER"]], "code points"),
                                         ([[2, 7, "PER"]], None)])
def test_the_unit_of_places_is_told_by_where_words_end(spans, unit):
    assert unit_of_places("😀 Anna left", [Span(*span) for span in spans]) == unit


def test_files_of_doccano_with_emoji(written):
    text, tags = "😀 Anna left", [["O", "B-PER", "O"]]
    found = read_tagged(written("f.jsonl", doccano((text, [[3, 7, "PER"]]))))
    assert found.tags == tags and found.source.form.endswith("places in UTF-16")
    found = read_tagged(written("f.jsonl", doccano((text, [[2, 6, "PER"]]))))
    assert found.tags == tags and "UTF-16" not in found.source.form
    with pytest.raises(Error, match="line 2, whether its entities count an emoji"):
        read_tagged(written("f.jsonl", doccano(("Anna", [[0, 4, "PER"]]), ("😀東京東京", [[2, 4, "LOC"]]))))
    found = read_tagged(written("f.jsonl", doccano((text, [[3, 7, "PER"]]), ("😀東京東京", [[2, 4, "LOC"]]))))
    assert found.words[1] == ["😀", "東", "京", "東", "京"] and found.tags[1] == ["O", "B-LOC", "I-LOC", "O", "O"]
