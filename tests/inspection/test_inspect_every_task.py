"""Each task through compare, behave and bias, from its published file to the numbers, on models that learnt nothing."""

import json

import numpy as np
import pytest

from bertkit import metrics
from bertkit.card import Card
from bertkit.checkpoints import bundle
from bertkit.cli import main
from bertkit.data.labelled import read_labelled
from bertkit.heads import MultipleChoice, QuestionAnswering, SentenceEmbedder, TokenClassifier
from bertkit.inspection import Swaps, bias, compare
from bertkit.inspection.swaps import swap_rate
from bertkit.predictor import Predictor
from bertkit.tasks.regression import Regression
from bertkit.tasks.tagging import Tagging
from tests import exported, tiny
from tests.recipes.written import FILES

TAGS = ("B-PLACE", "B-WORK", "O")
MODELS = {"tag": lambda e: (TokenClassifier(e, TAGS), Tagging(TAGS)),
          "score": lambda e: (tiny.Classifier(e, ["score"]), Regression(True, 2.5, 2.5)),
          "choose": lambda e: (MultipleChoice(e), None), "answer": lambda e: (QuestionAnswering(e), None)}


@pytest.fixture(scope="module", params=[pytest.param(name, marks=() if name == "tag" else pytest.mark.slow)
                                        for name in MODELS])
def made(request, tmp_path_factory):
    """Return (task, two bundles, a labelled file)."""
    folder, name = tmp_path_factory.mktemp(request.param), request.param
    suffix, write = FILES[name]
    write(folder / f"rows.{suffix}", 40, 3)
    for seed in (0, 1):
        model, task = MODELS[name](tiny.classifier(seed).encoder)
        bundle.save(folder / f"model-{seed}", exported.spread(model), tiny.tokenizer(),
                    Card(name, name, bundle.describe(model)), length=32, task=task)
    return name, folder / "model-0", folder / "model-1", folder / f"rows.{suffix}"


@pytest.mark.slow
def test_two_models_are_compared_as_their_answers_are(made):
    task, first, second, path = made
    found, (a, b) = compare(first, second, path), (Predictor(folder) for folder in made[1:3])
    rows = read_labelled(a.task, path)
    answers = [predictor.task.answers(rows.inputs, predictor.predictions(rows.inputs)) for predictor in (a, b)]

    def is_good(answer, target):
        return {"tag": lambda: {(e["start"], e["end"], e["type"]) for e in answer["entities"]} == target,
                "score": lambda: -abs(answer["score"] - target), "choose": lambda: answer["choice"] == target,
                "answer": lambda: metrics.normalize_answer(answer["answer"]) in {
                    metrics.normalize_answer(text) for text, _ in target}}[task]()

    targets = [{(e["start"], e["end"], e["type"]) for e in a.task.answers([words], [tags])[0]["entities"]}
               for words, tags in zip(rows.inputs, rows.targets, strict=True)] if task == "tag" else rows.targets
    good = [[is_good(answer, target) for answer, target in zip(side, targets, strict=True)] for side in answers]
    assert found.only_a == sum(x > y for x, y in zip(*good, strict=True))
    assert found.only_b == sum(x < y for x, y in zip(*good, strict=True))
    assert found.difference[0] == pytest.approx(found.scores[0][found.metric] - found.scores[1][found.metric])
    assert len(found.disagreements) == found.only_a + found.only_b and found.text()


@pytest.mark.slow
def test_its_rows_become_tests_and_swaps(made, tmp_path, capsys):
    task, folder, _, path = made
    assert main(["behave", str(folder), "--data", str(path), "--only", "casing,punctuation", "--json", "--out",
                 str(tmp_path / "page.html")]) == 0
    tests = {test["name"]: test for test in json.loads(capsys.readouterr().out)["tests"]}
    assert tests["casing"]["failed"] == 0 and tests["casing"]["cases"] == 40
    swaps = Swaps((("film", "story"),))
    found = bias(folder, swaps=swaps, data=path).to_json()["swaps"]
    assert 0 <= found["changed"] <= found["rows"] <= 40 and "groups" not in found


@pytest.mark.slow
def test_an_embedder_is_compared_by_the_order_of_its_pairs(tmp_path):
    FILES["score"][1](tmp_path / "rows.tsv", 40, 3)
    for seed in (0, 1):
        model = exported.spread(SentenceEmbedder(tiny.classifier(seed).encoder))
        card = Card("e", "embed", bundle.describe(model))
        bundle.save(tmp_path / str(seed), model, tiny.tokenizer(), card, length=32)
    found = compare(tmp_path / "0", tmp_path / "1", tmp_path / "rows.tsv")
    assert found.metric == "pearson" and found.only_a + found.only_b > 0
    assert not np.isnan(found.difference).any()


def test_a_score_that_hardly_moves_is_the_same_answer():
    class Constant:
        task = Regression(False, 0.0, 2.0)

        def predict(self, inputs):
            return [{"score": float(len(text)) / 100} for text in inputs]

    found = swap_rate(Constant(), Swaps((("film", "play"), ("a", "a very long text in the place of one letter"))),
                      ["film", "a"])
    assert (found["rows"], found["changed"]) == (2, 1)
