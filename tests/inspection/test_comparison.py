"""Two models on the same rows, counted again here by other code."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertkit import metrics
from bertkit.card import Card
from bertkit.checkpoints import bundle
from bertkit.cli import main
from bertkit.errors import Error
from bertkit.inspection import compare
from bertkit.inspection.comparison import Comparison, Disagreement
from bertkit.predictor import Predictor
from bertkit.report.comparison import render_comparison
from bertkit.tasks.answering import Answering, Span
from bertkit.tasks.classification import Classification
from bertkit.tasks.embedding import Embedding
from bertkit.tasks.ranking import Judged, Ranking
from bertkit.tasks.regression import Regression
from bertkit.tasks.tagging import Tagging
from bertkit.tasks.writing import Writing
from tests import exported, tiny
from tests.report.reading import read, table

# ------------------------------------------------------------------------------------------ statistics


@given(st.integers(0, 300), st.integers(0, 300))
def test_mcnemar_is_the_binomial_test(a, b):
    stats = pytest.importorskip("scipy.stats")
    wanted = stats.binomtest(a, a + b, 0.5).pvalue if a + b else 1.0
    assert metrics.mcnemar(a, b) == pytest.approx(wanted, rel=1e-9)


@given(st.integers(1, 400).flatmap(lambda total: st.tuples(st.integers(0, total), st.just(total))),
       st.sampled_from([0.9, 0.95, 0.99]))
def test_wilson_is_that_of_scipy(counts, level):
    stats = pytest.importorskip("scipy.stats")
    wanted = stats.binomtest(*counts).proportion_ci(level, method="wilson")
    np.testing.assert_allclose(metrics.wilson(*counts, level), (wanted.low, wanted.high), atol=1e-9)


@pytest.mark.parametrize("counts", [(1, 0), (-1, 5), (6, 5)])
def test_a_share_of_nothing_has_no_interval(counts):
    with pytest.raises(Error, match="give no interval"):
        metrics.wilson(*counts)


# ------------------------------------------------------------------------------------------ each task's rows


def span(text, score=1.0):
    return Span(text, 0, score, 0.0)


@pytest.mark.parametrize(("task", "targets", "predictions", "wanted"), [
    (Classification(("a", "b")), np.array([0, 1]), [np.array([0.9, 0.1]), np.array([0.6, 0.4])], [1, 0]),
    (Classification(("a", "b"), multi_label=True), np.array([[1, 1], [1, 0]]),
     [np.array([0.9, 0.1]), np.array([0.6, 0.4])], [0, 1]),
    (Regression(), [1.0, 2.0], [1.5, 5.0], [-0.5, -3.0]),
    (Tagging(("O", "B-X")), [["O", "B-X"], ["O", "O"], ["B-X", "O"]], [["O", "B-X"], ["O", "B-X"], ["O", "O"]],
     [1, 0, 0]),
    (Answering(), [[("The film", 0)], [("film", 4)]], [span("film"), span("films")], [1, 0]),
    (Ranking(), [Judged(("d1", "d2"), {"d2": 1.0}), Judged(("d1",), {"d1": 0.0})],
     [np.array([0.9, 0.1]), np.array([0.3])], [0.5, 0]),
    (Embedding(2), [3.0, 1.0, 2.0], np.array([[[1, 0], [1, 0]], [[1, 0], [0, 1]], [[1, 0], [-1, 0]]], float),
     [0, -1, -1]),
    (Writing(), [["a good film"], ["rain"]], ["a good film", "snow"], [1, 0])])
def test_how_good_a_row_is(task, targets, predictions, wanted):
    np.testing.assert_allclose(task.row_quality(targets, predictions), wanted)


def test_what_is_counted_depends_on_how_many_labels_a_row_may_have():
    assert Classification(("a", "b")).counted == "rows whose class is right"
    assert Classification(("a", "b"), multi_label=True).counted == "rows whose labels are all right"


@pytest.mark.parametrize(("task", "given", "target", "wanted"), [
    (Classification(("a", "b")), "", np.int32(1), "b"),
    (Classification(("a", "b"), multi_label=True), "", np.array([0, 0]), "none"),
    (Tagging(("O", "B-X")), ["in", "Rome"], ["O", "B-X"], "Rome (X)"), (Regression(), "", 2.5, "2.5"),
    (Answering(), "", [("Rome", 3), ("Rome", 9), ("the city", 1)], "Rome / the city"),
    (Answering(), "", [], "no answer")])
def test_what_is_right_in_words(task, given, target, wanted):
    assert task.target_in_words(given, target) == wanted


# ------------------------------------------------------------------------------------------ two models


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """Return two bundles of the same labels, of which the second one has them in another order, and a file."""
    folder = tmp_path_factory.mktemp("pair")
    labels = tuple(reversed(exported.LABELS))
    model = exported.spread(tiny.classifier(7, labels))
    bundle.save(folder / "other", model, tiny.tokenizer(), Card("other", "classify", bundle.describe(model)),
                length=exported.LENGTH, task=Classification(labels))
    return exported.bundled(), folder / "other", exported.dev()


def right(folder, path):
    rows = [line.split("\t") for line in path.read_text().splitlines()[1:]]
    answers = Predictor(folder).predict([text for text, _ in rows])
    return np.array([answer["label"] == label for answer, (_, label) in zip(answers, rows, strict=True)])


@pytest.mark.slow
def test_counts_scores_and_interval_are_those_of_the_answers(pair):
    a, b = (right(folder, pair[2]) for folder in pair[:2])
    found = compare(*pair)
    assert (found.only_a, found.only_b) == ((a & ~b).sum(), (b & ~a).sum()) and found.only_a > found.only_b > 0
    assert [scores["accuracy"] for scores in found.scores] == pytest.approx([a.mean(), b.mean()])
    score, low, high = found.difference
    assert score == pytest.approx(a.mean() - b.mean())
    paired = a.astype(float) - b
    drawn = np.random.default_rng(1).choice(paired, (4000, len(paired))).mean(axis=1)
    np.testing.assert_allclose((low, high), np.quantile(drawn, (0.025, 0.975)), atol=0.02)
    listed = {(one.row - 1, one.better) for one in found.disagreements}
    assert listed == {(row, "a") for row in np.flatnonzero(a & ~b)} | {(row, "b") for row in np.flatnonzero(b & ~a)}
    back = compare(pair[1], pair[0], pair[2])
    assert back.difference[0] == -score and (back.only_a, back.only_b) == (found.only_b, found.only_a)


def test_a_model_and_itself(pair):
    found = compare(pair[0], pair[0], pair[2]).to_json()
    assert found["difference"] | {"metric": ""} == {"metric": "", "score": 0, "low": 0, "high": 0}
    assert found["mcnemar_p"] == 1 and found["only_a"] == found["only_b"] == 0 and found["disagreements"] == []


@pytest.mark.slow
def test_the_command_prints_json_a_table_and_a_page(pair, tmp_path, capsys):
    words = ["compare", *map(str, pair[:2]), "--data", str(pair[2])]
    assert main([*words, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {"a", "b", "difference", "mcnemar_p", "only_a", "only_b"} <= set(found)
    assert main([*words, "--out", str(tmp_path / "page.html")]) == 0
    shown, first = capsys.readouterr().out, found["disagreements"][0]
    assert f"{found['difference']['score']:.4f}" in shown and first["texts"][0] in shown
    assert "more such rows stand in the page" in shown
    page = (tmp_path / "page.html").read_text()
    rows = table(page, f"{len(found['disagreements'])} rows")
    assert len(rows) == 1 + len(found["disagreements"]) and rows[1][2] == first["texts"][0]


def test_a_hostile_text_is_no_markup():
    bad = "<script>alert(1)</script>"
    page = read(render_comparison(Comparison(
        (bad, bad), ({bad: 1.0}, {bad: 0.5}), bad, (0.5, 0.1, 0.9), 1, 0, 2, bad,
        [Disagreement(1, (bad, bad), bad, bad, bad, "a")])))
    assert page.text.count(bad) > 8 and not page.all("script")


def test_other_tasks_and_labels_are_one_sentence(pair, tmp_path):
    with pytest.raises(Error, match="other labels: bad, good, so-so and bad, good"):
        model = tiny.classifier(0, ("bad", "good"))
        bundle.save(tmp_path / "two", model, tiny.tokenizer(), Card("two", "classify", bundle.describe(model)),
                    length=16, task=Classification(("bad", "good")))
        compare(pair[0], tmp_path / "two", pair[2])
    with pytest.raises(Error, match="The models have the tasks classify .* and score"):
        model = tiny.classifier(0, ("score",))
        bundle.save(tmp_path / "score", model, tiny.tokenizer(), Card("s", "score", bundle.describe(model)),
                    length=16, task=Regression(pairs=False))
        compare(pair[0], tmp_path / "score", pair[2])
