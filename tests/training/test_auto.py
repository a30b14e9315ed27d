"""The knobs that are chosen: by rows and width, near the papers' for many rows, each overridable; and what is said."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertkit.cli import main
from bertkit.tasks.answering import Answering
from bertkit.tasks.choosing import Choosing
from bertkit.tasks.classification import Classification
from bertkit.tasks.regression import Regression
from bertkit.tasks.tagging import Tagging
from bertkit.training.auto import FEWEST, MOST, recommend
from bertkit.training.baseline import baseline_warning
from tests.recipes.classifying import made, words

ROWS, WIDTHS = st.integers(1, 2_000_000), st.integers(32, 4096)


@pytest.mark.parametrize("hidden_dim, rate", [(768, 5e-5), (384, 2e-4), (256, 3e-4), (128, 3e-4), (4096, 1e-5)])
def test_the_rate_follows_the_width_as_published(hidden_dim, rate):
    assert recommend(10_000, hidden_dim).learning_rate == rate


def test_large_data_are_trained_as_in_the_paper():
    for rows in (50_000, 500_000):
        assert recommend(rows, 768) == (3, 32, 5e-5)


@given(ROWS, ROWS, WIDTHS, WIDTHS)
def test_more_rows_want_fewer_epochs_and_wider_encoders_lower_rates(rows, more, narrow, wide):
    (rows, more), (narrow, wide) = sorted((rows, more)), sorted((narrow, wide))
    few, many = recommend(rows, narrow, batch_size=16), recommend(more, wide, batch_size=16)
    assert FEWEST <= many.epochs <= few.epochs <= MOST and 1e-5 <= many.learning_rate <= few.learning_rate <= 3e-4


@given(ROWS, WIDTHS, st.integers(1, 9), st.integers(1, 64), st.floats(1e-6, 1e-2))
def test_what_is_given_stays(rows, width, epochs, batch, rate):
    assert recommend(rows, width, epochs, batch, rate) == (epochs, batch, rate)
    assert recommend(rows, width, epochs=epochs).epochs == epochs
    assert recommend(rows, width, learning_rate=rate)[:2] == recommend(rows, width)[:2]


def scored(score, low=None):
    return {"score": score, "low": score if low is None else low, "high": score}


SORTING, SCORING, NAMING = Classification(("a", "b")), Regression(False), Tagging(("O", "B-LOC"))
TAGS = (["x y"] * 2, [["O", "B-LOC"], ["O", "O"]])
ASKED = ([("who?", "it is I")] * 2, [[("I", 6)], []])
FOUND = (["it is I"], [[("I", 6)]])
PLACES = ([("p", "a", "b")] * 4, [0, 0, 0, 1])


@pytest.mark.parametrize("task, metric, sides, found, said", [
    (SORTING, "accuracy", (["t"] * 4, [0, 0, 0, 1]), scored(0.75), "no better than the commonest class: accuracy"),
    (SORTING, "accuracy", (["t"] * 4, [0, 0, 0, 1]), scored(0.76), ""),
    (SORTING, "matthews", (["t"] * 4, [0, 0, 0, 1]), scored(0.0), "everything gives 0.0000"),
    (SORTING, "matthews", (["t"] * 4, [0, 0, 0, 1]), scored(math.nan), "the commonest class"),
    (SORTING, "matthews", (["t"] * 4, [0, 0, 0, 1]), scored(0.1), ""),
    (SCORING, "pearson", (["t"] * 3, [1.0, 2.0, 6.0]), scored(0.3, low=-0.1), "the commonest answer, the mean"),
    (SCORING, "pearson", (["t"] * 3, [1.0, 2.0, 6.0]), scored(0.3, low=0.1), ""),
    (SCORING, "mse", (["t"] * 3, [1.0, 2.0, 6.0]), scored(14 / 3 + 0.01), "scores: mse on dev is 4.6767"),
    (SCORING, "mse", (["t"] * 3, [1.0, 2.0, 6.0]), scored(14 / 3 - 0.01), ""),
    (NAMING, "f1", TAGS, scored(0.0), "the commonest tag, no entity anywhere: f1 on dev is 0.0000"),
    (NAMING, "f1", TAGS, scored(0.1), ""),
    (Answering("2.0"), "f1", ASKED, scored(50.0), "no answer, whatever the question: f1 on dev is 50.0000"),
    (Answering("2.0"), "f1", ASKED, scored(60.0), ""), (Answering(), "exact", FOUND, scored(0.1), ""),
    (Choosing(), "accuracy", PLACES, scored(0.75), "the commonest place of the right ending"),
    (Choosing(), "accuracy", PLACES, scored(0.8), "")])
def test_a_model_no_better_than_the_commonest_answer_says_so(task, metric, sides, found, said):
    sentence = baseline_warning(task, metric, sides, sides, found)
    assert said in sentence and bool(said) == bool(sentence)


def test_what_to_try_follows_what_was_chosen():
    sides = (["t"] * 2, [0, 0])
    by_hand = baseline_warning(SORTING, "accuracy", sides, sides, scored(0.5), auto=False)
    assert "Try --epochs auto" in by_hand
    assert "bertkit sweep" in baseline_warning(SORTING, "accuracy", sides, sides, scored(0.5), auto=True)


def run(place, out, *more):
    """Return the exit code of a run without --dev; the words of `classifying` with `more` in the place of its knobs."""
    words_ = words(place, out)
    kept = [word for name in ("--model", "--train", "--out") for word in words_[words_.index(name):][:2]]
    return main(["classify", *kept, "--length", "16", *more])


@pytest.mark.slow
def test_a_run_says_what_it_chose_and_the_card_keeps_it(tmp_path, capsys):
    place = made(tmp_path)
    assert run(place, tmp_path / "out", "--epochs", "2", "--folds", "2") == 0
    said = capsys.readouterr().err
    assert "Chosen (auto): batch size 16 and learning rate 0.0003, for 38 training rows and an encoder of 16" in said
    assert "held out 10 of 48 rows" in said and "fold 2 of 2: 24 rows" in said
    card = json.loads((tmp_path / "out" / "card.json").read_text())
    assert {name: card["knobs"][name] for name in ("epochs", "batch_size", "learning_rate", "folds")} == {
        "epochs": 2, "batch_size": 16, "learning_rate": 3e-4, "folds": 2}
    assert card["data"]["dev"]["held_out_of"] == 48 and card["notes"][0] in said
    folds = card["scores"]["folds"]
    assert folds["rows"] == 48 and [fold["rows"] for fold in folds["folds"]] == [24, 24]
    mean = sum(fold["accuracy"] for fold in folds["folds"]) / 2
    assert folds["accuracy"]["score"] == pytest.approx(mean) and folds["accuracy"]["low"] <= mean
    assert not (tmp_path / "out.tmp").exists()


@pytest.mark.slow
def test_folds_change_nothing_in_the_model_and_a_fold_that_is_done_is_not_trained_again(tmp_path, monkeypatch, capsys):
    from bertkit.training import folds
    place = made(tmp_path)
    knobs = ("--epochs", "1", "--learning-rate", "2e-2")
    assert run(place, tmp_path / "plain", *knobs) == 0
    answers = folds._answers

    def second_fails(fold, *others):
        if fold.out.name == "fold-2":
            raise KeyboardInterrupt
        return answers(fold, *others)

    monkeypatch.setattr(folds, "_answers", second_fails)
    assert run(place, tmp_path / "out", *knobs, "--folds", "2") == 130
    monkeypatch.setattr(folds, "_answers", answers)
    capsys.readouterr()
    assert run(place, tmp_path / "out", *knobs, "--folds", "2") == 0
    assert capsys.readouterr().err.count("\nepoch 1 ") == 2         # the second fold, and the model itself
    weights = [(tmp_path / name / "weights.safetensors").read_bytes() for name in ("plain", "out")]
    assert weights[0] == weights[1]
