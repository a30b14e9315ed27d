"""Tests of behaviour: rows become cases, cases fail as the answers say, and one's own rows become tests."""

import json

import numpy as np
import pytest

from bertkit.cli import main
from bertkit.errors import Error
from bertkit.inspection.behaviour import behave, judge
from bertkit.inspection.cases import Case, read_cases
from bertkit.inspection.perturbations import PERTURBATIONS, make_cases
from bertkit.metrics import wilson
from bertkit.predictor import Predictor
from bertkit.report.behaviour import render_behaviour
from bertkit.tasks.classification import Classification
from bertkit.tasks.regression import Regression
from tests import exported, tiny
from tests.report.reading import read, table

TASK = Classification(("bad", "good"))


def written(folder, *rows):
    path = folder / "tests.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


# ------------------------------------------------------------------------------------------ rows of a file


def test_a_template_is_every_combination_of_its_lists(tmp_path):
    rows = read_cases(written(tmp_path, {
        "name": "not", "kind": "dir", "text": ["A {mood} {what}", "{what}"], "changed": ["A not {mood} {what}", "x"],
        "lists": {"mood": ["good", "fine"], "what": ["film", "story"]}, "target": "good", "direction": "down"},
        {"name": "braces", "kind": "inv", "text": "{mood}", "changed": "{mood}"}))
    assert [case.text for case in rows] == [("A good film", "film"), ("A good story", "story"), ("A fine film", "film"),
                                            ("A fine story", "story"), "{mood}"]
    assert rows[3].changed == ("A not fine story", "x") and rows[4].changed == "{mood}"


def test_a_mask_is_filled_alike_on_both_sides(tmp_path):
    path = written(tmp_path, {"name": "a", "kind": "inv", "text": "a {mask} {what}", "changed": "one {mask} {what}",
                              "lists": {"what": ["film", "story"]}, "words": 2})
    asked = []

    def fill(texts, count):
        asked.append((texts, count))
        return [["good", "bad", "new"][:count] for _ in texts]

    assert [(case.text, case.changed) for case in read_cases(path, fill)] == [
        (f"a {mood} {what}", f"one {mood} {what}") for what in ("film", "story") for mood in ("good", "bad")]
    assert asked == [(["a {mask} film", "a {mask} story"], 2)]
    with pytest.raises(Error, match=r"tests.jsonl: line 1: \{mask\} is filled by a masked language model"):
        read_cases(path)


@pytest.mark.parametrize(("row", "said"), [
    ({"kind": "mft", "text": "a", "label": "b"}, "needs 'name'"), ({"name": "n", "kind": "mtf"}, "kind is 'mtf'"),
    ({"name": "n", "kind": "inv", "text": "a"}, "needs 'changed'"),
    ({"name": "n", "kind": "dir", "text": "a", "changed": "b", "direction": "left"}, "direction is 'left'"),
    ({"name": "n", "kind": "inv", "text": "a", "changed": 5.5, "tolerance": "x"}, "tolerance is 'x'"),
    ({"name": "n", "kind": "inv", "text": ["a", 5], "changed": {}}, "is no text"),
    ({"name": "n", "kind": "inv", "text": "a", "changed": "b", "labels": "c"}, "the key 'labels' is none of"),
    ({"name": "n", "kind": "inv", "text": "{no}", "changed": "b", "lists": {"what": ["c"]}}, "no list has the name"),
    ({"name": "n", "kind": "inv", "text": "a", "changed": "b", "lists": {"w": []}}, "lists are no words"),
    ({"name": "n", "kind": "inv", "text": "a", "changed": "b",
      "lists": {name: ["c"] * 400 for name in ("v", "w")}}, "make 160,000 cases")])
def test_a_wrong_row_is_one_sentence_with_its_line(tmp_path, row, said):
    good = {"name": "good", "kind": "mft", "text": "a", "label": "b"}
    with pytest.raises(Error, match="line 2") as error:
        read_cases(written(tmp_path, good, row))
    assert said in str(error.value) and "\n" not in str(error.value)


def test_a_name_has_one_kind(tmp_path):
    with pytest.raises(Error, match="'n' is inv here and mft before"):
        read_cases(written(tmp_path, {"name": "n", "kind": "mft", "text": "a", "label": "b"},
                           {"name": "n", "kind": "inv", "text": "a", "changed": "b"}))


# ------------------------------------------------------------------------------------------ what fails


def probable(good):
    return {"label": "good" if good > 0.5 else "bad", "probabilities": {"bad": 1 - good, "good": good}}


def entity(text, kind):
    return {"text": text, "type": kind, "start": 0, "end": len(text)}


@pytest.mark.parametrize(("case", "before", "after", "fails"), [
    (Case("n", "mft", "t", label="good"), probable(0.9), None, False),
    (Case("n", "mft", "t", label="good"), probable(0.1), None, True),
    (Case("n", "mft", "t", label=["good", "bad"]), {"labels": ["bad", "good"]}, None, False),
    (Case("n", "mft", "t", label="good"), {"labels": []}, None, True),
    (Case("n", "mft", "t", label="3"), {"score": 3.2}, None, True),
    (Case("n", "mft", "t", label="3", tolerance=0.5), {"score": 3.2}, None, False),
    (Case("n", "mft", "t", label=[["Rome", "LOC"]]), {"entities": [entity("Rome", "LOC")]}, None, False),
    (Case("n", "mft", "t", label=[{"text": "Rome", "type": "PER"}]), {"entities": [entity("Rome", "LOC")]}, None, True),
    (Case("n", "mft", "t", label=["the film", "b"]), {"answer": "Film.", "start": 0, "score": 1.0}, None, False),
    (Case("n", "mft", "t", label="1"), {"choice": 1, "probabilities": [0.1, 0.9]}, None, False),
    (Case("n", "inv", "t", "u"), probable(0.6), probable(0.9), False),
    (Case("n", "inv", "t", "u"), probable(0.6), probable(0.4), True),
    (Case("n", "inv", "t", "u"), {"score": 1.0}, {"score": 1.04}, False),
    (Case("n", "inv", "t", "u"), {"score": 1.0}, {"score": 1.06}, True),
    (Case("n", "inv", "t", "u"), {"entities": [entity("Rome", "LOC")]}, {"entities": [entity("Oslo", "LOC")]}, False),
    (Case("n", "inv", "t", "u"), {"entities": [entity("Rome", "LOC")]}, {"entities": []}, True),
    (Case("n", "inv", "t", "u"), {"answer": "a", "start": 0, "score": 0.2}, {"answer": "b", "start": 0, "score": 0.2},
     True),
    (Case("n", "dir", "t", "u", target="good", direction="up"), probable(0.6), probable(0.5), True),
    (Case("n", "dir", "t", "u", target="good", direction="up", tolerance=0.2), probable(0.6), probable(0.5), False),
    (Case("n", "dir", "t", "u", target="bad", direction="down"), probable(0.6), probable(0.7), False),
    (Case("n", "dir", "t", "u", direction="down"), probable(0.6), probable(0.7), True),
    (Case("n", "dir", "t", "u", direction="up"), {"score": 1.0}, {"score": 0.9}, True),
    (Case("n", "dir", "t", "u", target="1", direction="up"), {"choice": 0, "probabilities": [0.6, 0.4]},
     {"choice": 1, "probabilities": [0.4, 0.6]}, False)])
def test_what_fails(case, before, after, fails):
    task = Regression() if "score" in before and "answer" not in before else TASK
    assert (judge(task, case, before, after) is not None) == fails


@pytest.mark.parametrize(("case", "before", "said"), [
    (Case("n", "mft", "t", label="fine"), probable(0.9), "'fine' is none of the model's labels"),
    (Case("n", "dir", "t", "u", target="fine", direction="up"), probable(0.9), "'fine' is none of the model's labels"),
    (Case("n", "dir", "t", "u", direction="up"), {"labels": [], "probabilities": {}}, "a dir needs a target"),
    (Case("n", "dir", "t", "u", direction="up"), {"entities": []}, "answers with neither"),
    (Case("n", "mft", "t", label="many"), {"score": 1.0}, "'many' is no number"),
    (Case("n", "mft", "t", label="Rome"), {"entities": []}, "wanted \\[\\[\"text\", \"type\"\\]"),
    (Case("n", "inv", "t", "u"), {"embedding": [1.0]}, "decides nothing")])
def test_what_cannot_be_asked_is_one_sentence(case, before, said):
    with pytest.raises(Error, match=said):
        judge(TASK, case, before, before)


def test_rates_are_those_of_the_answers():
    predictor, texts = Predictor(exported.bundled()), tiny.texts(30, seed=4)[0]
    labels = [answer["label"] for answer in predictor.predict(texts)]
    wrong = {"bad": "good", "good": "so-so", "so-so": "bad"}
    cases = [Case("quarter", "mft", text, label=wrong[label] if row % 4 == 0 else label)
             for row, (text, label) in enumerate(zip(texts, labels, strict=True))]
    changed = [text.replace("good", "bad").replace("film", "actor") for text in texts]
    cases += [Case("swapped", "inv", *pair) for pair in zip(texts, changed, strict=True)]
    quarter, swapped = behave(predictor, cases).to_json()["tests"]
    after = [answer["label"] for answer in predictor.predict(changed)]
    assert (quarter["cases"], quarter["failed"]) == (30, 8) and quarter["rate"] == 8 / 30
    assert (quarter["low"], quarter["high"]) == wilson(8, 30)
    assert swapped["failed"] == sum(a != b for a, b in zip(labels, after, strict=True)) > 0


# ------------------------------------------------------------------------------------------ changes


@pytest.mark.parametrize(("name", "text", "wanted"), [
    ("casing", "A film", "A FILM"), ("casing", "A FILM", "a film"), ("casing", "12", None),
    ("punctuation", "A film!!", "A film"), ("punctuation", "A film", "A film."), ("punctuation", "Why?", None),
    ("negation", "It is good", "It is not good"), ("negation", "It was not good", "It was good"),
    ("negation", "Good film", None), ("typos", "a so the", None), ("numbers", "1.5 and v2", None),
    ("names", "a film", None), ("dates", "May I?", None)])
def test_a_change(name, text, wanted):
    assert PERTURBATIONS[name].change(text, np.random.default_rng(0)) == wanted


@pytest.mark.parametrize("seed", range(20))
def test_what_is_drawn_is_another_of_its_kind(seed):
    def changed(name, text):
        return PERTURBATIONS[name].change(text, np.random.default_rng(seed))

    found = changed("numbers", "007 or 42 or 3")
    assert [len(word) for word in found.split()] == [3, 2, 2, 2, 1] and found.split()[0] != "007"
    assert all(a != b for a, b in zip(found.split()[::2], ("007", "42", "3"), strict=True))
    first, second, third = changed("names", "Mary and John and Mary").split(" and ")
    assert first == third != second and {first, second}.isdisjoint({"Mary", "John"})
    day, year = changed("dates", "Monday 1999").split()
    assert day != "Monday" and day.endswith("day") and year[:2] == "19" and year != "1999"
    typed = changed("typos", "wonderful")
    assert typed != "wonderful" and sorted(typed) == sorted("wonderful") and typed[0] + typed[-1] == "wl"


def test_cases_of_rows_do_not_depend_on_other_changes_of_the_row():
    inputs = ["The film was good in 1999.", ("It is new", "a second text"), ["in", "Rome"]]
    cases, notes = make_cases(inputs)
    assert {case.name for case in cases} == {*PERTURBATIONS} - {"names"}
    assert all(case.changed[1] == "a second text" for case in cases if isinstance(case.text, tuple))
    assert next(case for case in cases if case.name == "casing" and case.text == "in Rome").changed == "IN ROME"
    negated = [case for case in cases if case.name == "negation"]
    asked = {(case.kind, case.direction, case.target, case.tolerance) for case in negated}
    assert asked == {("dir", "down", None, 0.1)}
    assert any(note.startswith("negation, which knows English words alone, changed 2 of 3 rows.") for note in notes)
    assert make_cases(inputs)[0] == cases
    with pytest.raises(Error, match="There is no change 'typo'"):
        make_cases(inputs, ("typo",))
    with pytest.raises(Error, match="No row has anything"):
        make_cases(["12"], ("names",))


# ------------------------------------------------------------------------------------------ the command


@pytest.mark.slow
def test_the_command_asks_a_file_and_rows_and_writes_the_cases(tmp_path, capsys):
    path = written(tmp_path, {"name": "mine", "kind": "mft", "text": "a <b>{mood}</b> film", "label": "{mood}",
                              "lists": {"mood": ["good", "bad"]}})
    words = ["behave", str(exported.bundled()), "--tests", str(path), "--json"]
    assert main([*words, "--data", str(exported.dev()), "--only", "typos,casing", "--cases",
                 str(tmp_path / "all.jsonl"), "--out", str(tmp_path / "page.html")]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [(test["name"], test["cases"]) for test in found["tests"]] == [("mine", 2), ("typos", 240), ("casing", 240)]
    assert found["tests"][2]["failed"] == 0                       # the tokenizer is uncased
    page = (tmp_path / "page.html").read_text()
    assert table(page, "Failed cases")[1][0] == "mine" and not read(page).all("b")
    assert main(["behave", str(exported.bundled()), "--tests", str(tmp_path / "all.jsonl"), "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert again["tests"] == found["tests"]
    assert main(words[:-1]) == 0
    assert "mine" in capsys.readouterr().out


def test_a_page_of_no_failure_has_a_table(tmp_path):
    label = Predictor(exported.bundled()).predict(["a film"])[0]["label"]
    page = render_behaviour(behave(Predictor(exported.bundled()), [Case("n", "mft", "a film", label=label)]))
    assert table(page, "Failed cases")[1][3:6] == ["0", "1", "0.0 %"]


@pytest.mark.parametrize(("words", "said"), [
    ([], "There is nothing to ask"), (["--tests", "T", "--only", "typos"], "--only and names of columns are for"),
    (["--data", "D", "--fill", "."], "--fill fills the masks of a tests file"),
    (["--tests", "P"], "P: line 1: ('a', 'b'); this model reads single texts")])
def test_wrong_words_are_one_sentence(tmp_path, capsys, words, said):
    places = {"T": written(tmp_path, {"name": "n", "kind": "mft", "text": "a", "label": "bad"}), "D": exported.dev(),
              "P": tmp_path / "pairs.jsonl"}
    places["P"].write_text(json.dumps({"name": "n", "kind": "inv", "text": ["a", "b"], "changed": "c"}))
    assert main(["behave", str(exported.bundled()), *(str(places.get(word, word)) for word in words)]) == 1
    line, = [line for line in capsys.readouterr().err.splitlines() if line.startswith("bertkit: ")]
    assert said.replace("P:", f"{places['P']}:") in line
