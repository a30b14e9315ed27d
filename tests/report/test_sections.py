"""The numbers of each section are those that counting by hand gives."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bertkit import metrics
from bertkit.metrics.entity import entities, entity_counts
from bertkit.report import (
    answering,
    calibration,
    choosing,
    classification,
    curves,
    embedding,
    head,
    ranking,
    regression,
    tagging,
)
from bertkit.tasks.answering import Answering, Span
from bertkit.tasks.ranking import Judged
from tests.report.reading import read, table

LABELS = ("a", "b", "c")
TARGETS = np.array([0, 0, 0, 1, 1, 2])
GIVEN = np.array([0, 1, 1, 1, 1, 1])
CHANCES = np.array([[0.8, 0.1, 0.1], [0.2, 0.7, 0.1], [0.01, 0.9, 0.09], [0.3, 0.6, 0.1], [0, 1, 0], [0.3, 0.4, 0.3]])


# ------------------------------------------------------------------------------------------ classification


def test_the_confusion_matrix_has_counts_and_shares_of_rows():
    rows = table(classification.confusion_table(LABELS, TARGETS, GIVEN), "Confusion")
    assert rows == [["true \\ given", "a", "b", "c", "rows"], ["a", "133.3 %", "266.7 %", "00.0 %", "3"],
                    ["b", "00.0 %", "2100.0 %", "00.0 %", "2"], ["c", "00.0 %", "1100.0 %", "00.0 %", "1"]]


def test_right_cells_are_outlined_and_the_darkest_are_the_largest():
    cells = read(classification.confusion_table(LABELS, TARGETS, GIVEN)).all("td")
    assert [cell.attributes["class"] for cell in cells if "heat" in cell.attributes["class"]] == [
        "heat heat2 right", "heat heat4", "heat heat0", "heat heat0", "heat heat5 right", "heat heat0", "heat heat0",
        "heat heat5", "heat heat0 right"]


def test_of_many_classes_the_commonest_confusions_are_told():
    labels = tuple(f"c{i}" for i in range(21))
    rows = table(classification.confusion_table(labels, TARGETS, GIVEN), "The 2 commonest of 2 confusions")
    assert rows[1:] == [["c0", "c1", "2", "66.7 %"], ["c2", "c1", "1", "100.0 %"]]


@pytest.mark.parametrize("several", [False, True])
def test_each_class_has_its_scores(several):
    sides = np.eye(3, dtype=int)[np.stack([TARGETS, GIVEN])] if several else (TARGETS, GIVEN)
    rows = table(classification.class_table(LABELS, *sides))
    assert rows[1:] == [["a", "3", "1", "1.0000", "0.3333", "0.5000"], ["b", "2", "5", "0.4000", "1.0000", "0.5714"],
                        ["c", "1", "0", "undefined", "0.0000", "0.0000"]]


def test_the_worst_mistakes_come_by_loss_with_text_and_probabilities():
    inputs = [f"text {i}" for i in range(6)]
    rows = table(classification.worst_examples(LABELS, inputs, CHANCES, TARGETS, GIVEN), "3 of 3 wrong")
    assert [row[0] for row in rows[1:]] == ["3", "2", "6"]
    assert rows[1] == ["3", "text 2", "a (p\xa00.010)", "b (p\xa00.900)", f"{-np.log(0.01):.4f}"]


def test_several_labels_are_all_named():
    targets, given = np.array([[1, 1, 0], [0, 0, 0]]), np.array([[1, 0, 0], [0, 0, 1]])
    chances = np.array([[0.9, 0.25, 0.5], [0.1, 0.1, 0.9]])
    rows = table(classification.worst_examples(LABELS, ["x", ("y", "z")], chances, targets, given), "2 of 2")
    assert rows[1][2:4] == ["none", "c (p\xa00.900)"] and rows[1][1] == "yz"
    assert rows[2][2:] == ["a (p\xa00.900)b (p\xa00.250)", "a (p\xa00.900)", f"{-np.log(0.9 * 0.25 * 0.5):.4f}"]


def test_without_a_mistake_that_is_said():
    assert "No row was decided wrongly." in classification.worst_examples(LABELS, ["x"], CHANCES[:1], [0], [0])


def test_calibration_tells_the_error_and_the_lean():
    html = calibration.render_calibration(np.array([0, 0]), np.array([[0.9, 0.1], [0.3, 0.7]]))
    assert "Expected calibration error 0.4000" in html and "the confidence is 0.3000 above" in html
    assert table(html, "The bins")[1:] == [["0.67–0.73", "1", "0.7000", "0.0000"],
                                           ["0.87–0.93", "1", "0.9000", "1.0000"]]


# ------------------------------------------------------------------------------------- numbers, endings, alike


def test_the_farthest_numbers_come_first_and_what_is_none_before_them():
    rows = table(regression.worst_examples(["a", "b", "c"], np.array([1.0, 2, 3]), np.array([1.5, 0.0, np.nan])))
    assert [row[1:] for row in rows[1:]] == [
        ["c", "3.0000", "undefined", "undefined"], ["b", "2.0000", "0.0000", "-2.0000"],
        ["a", "1.0000", "1.5000", "0.5000"]]


def test_pairs_are_compared_by_their_places():
    pairs = [("a", "b"), ("c", "d"), ("e", "f")]
    rows = table(embedding.worst_examples(pairs, np.array([1.0, 2, 3]), np.array([0.9, 0.5, 0.7])))
    assert [(row[0], row[4]) for row in rows[1:]] == [("1", "2"), ("2", "-1"), ("3", "-1")]


def test_endings_by_position():
    rows = table(choosing.position_table(np.array([0, 0, 2]), np.array([0, 1, 2])))
    assert rows[1:] == [["ending 1", "2", "1", "50.0 %"], ["ending 2", "0", "1", "undefined"],
                        ["ending 3", "1", "1", "100.0 %"]]


def test_the_worst_endings_are_those_whose_right_one_got_least():
    html = choosing.worst_examples([("p", "one", "two")] * 3, np.array([0, 0, 1]), np.array([1, 1, 1]),
                                   [[0.4, 0.6], [0.1, 0.9], [0.2, 0.8]])
    assert [row[0] for row in table(html)[1:]] == ["2", "1"]
    assert [item.text for item in read(html).all("li")][:2] == ["one (p\xa00.100, right)", "two (p\xa00.900, chosen)"]


# -------------------------------------------------------------------------------------------------- entities

TAGS = st.lists(st.sampled_from(["O", "B-A", "I-A", "B-B", "I-B"]), min_size=8, max_size=8)


@settings(deadline=None)
@given(TAGS, TAGS)
def test_each_entity_becomes_something_once(gold, found):
    sides = entities(gold), entities(found)
    events = tagging.match_entities(*sides)
    right, _, labelled = entity_counts([gold], [found])[0]
    outcomes = [outcome for outcome, _, _ in events]
    assert len([true for _, true, _ in events if true]) == labelled
    assert outcomes.count("right") == right
    inside = [{word for _, first, last in side for word in range(first, last)} for side in sides]
    assert outcomes.count("missed") == sum(not inside[1] & set(range(*entity[1:])) for entity in sides[0])
    assert outcomes.count("invented") == sum(not inside[0] & set(range(*entity[1:])) for entity in sides[1])


@settings(deadline=None)
@given(TAGS)
def test_a_marked_sentence_reads_as_before(tags):
    sentence = [f"w{i}" for i in range(8)]
    tree = read(tagging.mark_entities(sentence, entities(tags)))
    assert [mark.text for mark in tree.all("mark")] == [
        " ".join(sentence[first:last]) + kind for kind, first, last in entities(tags)]
    for sub in tree.all("sub"):
        sub.inside.clear()
    assert tree.text == " ".join(sentence)


def test_types_are_told_and_the_worst_sentence_comes_first():
    gold, found = [["B-A", "O"], ["B-A", "B-B"]], [["B-B", "O"], ["O", "O"]]
    sides = [(entities(a), entities(b)) for a, b in zip(gold, found, strict=True)]
    events = [event for pair in sides for event in tagging.match_entities(*pair)]
    assert table(tagging.outcome_table(events))[1:] == [["A", "0", "1", "0", "1", "0"], ["B", "0", "0", "0", "1", "0"]]
    assert table(tagging.confusion_table(events))[1:] == [["A", "B", "other type", "1"],
                                                          ["A", "nothing", "missed", "1"],
                                                          ["B", "nothing", "missed", "1"]]
    rows = table(tagging.worst_examples([["x", "y"], ["v", "w"], ["z"]], [*sides, ([], [])]), "2 of 2 sentences")
    assert [row[0] for row in rows[1:]] == ["1", "2"] and rows[2][1] == "true: vA wBgiven: v w"


# -------------------------------------------------------------------------------------------------- answers


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.floats(-5, 5), st.booleans()), min_size=1, max_size=8))
def test_the_threshold_curve_is_the_score_at_each_threshold(rows):
    targets = [[("Rome", 0)] if answerable else [] for answerable, _, _ in rows]
    predictions = [Span("Rome" if right else "Paris", 0, 0.0, null) for _, null, right in rows]

    def scores(threshold):
        return Answering("2.0", threshold=threshold).metric_inputs(targets, predictions)[0]
    chances = [span.null_chance for span in predictions]
    thresholds, found = answering.scores_by_threshold(chances, scores(1.0), scores(-1.0))
    assert thresholds.tolist() == sorted(set(chances))
    np.testing.assert_allclose(found, [scores(threshold).mean(axis=0) for threshold in thresholds])


@pytest.mark.parametrize(("chosen", "said"), [(0.5, ">chosen</text>"), (0.9, "0.9, lies outside")])
def test_the_chosen_threshold_is_marked_or_told(chosen, said):
    scores = np.array([[100.0, 100.0], [0.0, 50.0]])
    assert said in answering.threshold_curve([0.25, 0.75], scores, 100 - scores, chosen)


def test_questions_are_grouped():
    scores = np.array([[100.0, 100.0], [0.0, 50.0], [100.0, 100.0]])
    assert table(answering.group_table("By", ["other", "what", "what"], scores))[1:] == [
        ["what", "2", "50.00", "75.00"], ["other", "1", "100.00", "100.00"]]
    groups = [answering.length_group(a) for a in ([("a b c d e f g", 0)], [], [("a b c d", 0), ("a b", 1)])]
    assert [row[0] for row in table(answering.group_table("By", groups, scores))[1:]] == [
        "no answer", "2 to 3 words", "7 words or more"]


def test_the_worst_answers_stand_in_their_contexts():
    context = "x" * 200 + " Rome is old " + "y" * 200
    html = answering.worst_examples([("Where?", context)] * 2, [[("Rome", 201)], []], [("", -1), ("is old", 206)],
                                    np.array([0.0, 100]))
    (row,) = table(html)[1:]
    assert row == ["1", f"Where?true: …{'x' * 89} Rome is old {'y' * 82}…given: no answer", "0.0000"]
    assert [mark.text for mark in read(html).all("mark")] == ["Rome"]


def test_an_answer_that_is_not_where_it_says_stands_alone():
    assert answering._marked("some context", "absent", 2) == "<bdi><mark>absent</mark></bdi>"


# ---------------------------------------------------------------------------------------------------- queries


@given(st.lists(st.tuples(st.integers(0, 2), st.floats(-3, 3, width=32)), min_size=1, max_size=8))
def test_documents_stand_in_the_order_that_is_scored(rows):
    documents = [f"d{i}" for i in range(len(rows))]
    grades = {document: grade for document, (grade, _) in zip(documents, rows, strict=True)} | {"absent": 1}
    order = ranking.ranked_indices(documents, [score for _, score in rows])
    ranks = [rank for rank, place in enumerate(order, start=1) if rows[place][0] > 0]
    run = {document: score for document, (_, score) in zip(documents, rows, strict=True)}
    names, values = metrics.ranking_queries({"q": grades}, {"q": run})
    assert values[0][names.index("mrr")] == pytest.approx(1 / ranks[0] if ranks else 0)


def test_a_grade_below_0_is_not_the_first_relevant_one():
    page = ranking._query(("sea", "a", "b"), Judged(("d1", "d2"), {"d1": -1, "d2": 1}), [2.0, 1.0])
    assert "1 relevant, the first at rank 2 of 2" in page


def test_metrics_over_queries():
    rows = table(ranking.metric_table(("map", "mrr"), np.array([[0.0, 1.0], [1.0, 1.0]])))
    assert rows[1:] == [["map", "0.5000", "0.2500", "0.5000", "0.7500", "1"],
                        ["mrr", "1.0000", "1.0000", "1.0000", "1.0000", "0"]]


# ------------------------------------------------------------------------------------------- head and curves


def test_scores_stand_with_their_intervals():
    rows = table(head.scores({"dev": {"f1": {"score": 0.5, "low": 0.4, "high": 0.625}, "rows": 9, "by_type": {}},
                              "test": {"f1": {"score": 0.25}}}))
    assert rows[1:] == [["f1 on test", "0.2500", "", ""], ["f1 on dev", "0.5000", "0.4000", "0.6250"]]


@pytest.mark.parametrize(("history", "best"), [
    ([(0.5, 1.0), (0.7, 1.0), (0.6, 0.1)], 2), ([(0.5, 1.0), (0.5, 0.9)], 2), ([(0.5, 0.9), (0.5, 1.0)], 1),
    ([(float("nan"), 0.1), (0.2, 0.5)], 2)])
def test_the_best_epoch_is_chosen_as_training_chooses(history, best):
    points = [{"step": i, "epoch": i, "dev_f1": score, "dev_loss": loss} for i, (score, loss) in enumerate(history, 1)]
    assert curves.best_epoch(points, "f1")["epoch"] == best


def test_a_history_without_scores_has_no_best_epoch():
    assert curves.best_epoch([{"step": 1, "loss": 1.0}], "f1") is None
    assert curves.render_curves([], "f1") == ""
