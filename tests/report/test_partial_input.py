"""The linear model equals scikit-learn's; half of an input that gives the label away is seen."""

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st

from bertkit.card import Card
from bertkit.report import linear, partial_input
from bertkit.tasks.choosing import Choosing
from bertkit.tasks.classification import Classification
from bertkit.tasks.regression import Regression
from bertkit.tasks.tagging import Tagging
from tests.report.reading import table

WORDS = [f"w{i}" for i in range(40)]


def sentences(rows, seed=0):
    chance = np.random.default_rng(seed)
    return [(" ".join(chance.choice(WORDS, size=chance.integers(0, 9))),) for _ in range(rows)]


def matrix(bag):
    return scipy.sparse.csr_matrix((np.ones(len(bag.buckets)), (bag.examples, bag.buckets)), (bag.size, linear.BUCKETS))


@pytest.mark.parametrize("penalty", [0.5, 30.0])
def test_ridge_equals_scikit_learn(penalty):
    learned, asked = linear.bag(sentences(60)), linear.bag(sentences(20, seed=1))
    targets = np.random.default_rng(2).normal(3, 2, 60)
    found = linear.ridge(learned, targets, asked, penalty, steps=1000, tolerance=1e-12)
    ridge = pytest.importorskip("sklearn.linear_model").Ridge(penalty, solver="sparse_cg", tol=1e-12)
    wanted = ridge.fit(matrix(learned), targets).predict(matrix(asked))
    np.testing.assert_allclose(found, wanted, rtol=1e-7)


def test_it_ends_near_the_least():
    learned, targets = linear.bag(sentences(60)), np.random.default_rng(2).normal(3, 2, 60)
    near, least = (linear.ridge(learned, targets, learned, tolerance=tolerance) for tolerance in (1e-2, 1e-12))
    assert 0 < np.abs(near - least).max() < 0.02 * targets.std()


def test_numbers_that_are_all_the_same_stay_so():
    bag = linear.bag(sentences(6))
    np.testing.assert_array_equal(linear.ridge(bag, [2.0] * 6, bag), 2.0)


@settings(deadline=None)
@given(st.lists(st.tuples(st.text(), st.text()), max_size=6))
def test_a_bag_counts_every_word_and_pair_of_words(examples):
    bag = linear.bag(examples)
    words = [[len(linear.WORD.findall(text.lower())) for text in texts] for texts in examples]
    wanted = [sum(count + max(count - 1, 0) for count in counts) for counts in words]
    assert np.bincount(bag.examples, minlength=len(examples)).tolist() == wanted
    assert bag.size == len(examples) and (bag.buckets < linear.BUCKETS).all()


def test_sides_and_pairs_of_words_are_words_of_their_own():
    def buckets(*texts):
        return linear.bag([texts]).buckets.tolist()
    assert buckets("a b") == buckets("A  B") and len(set(buckets("a b"))) == 3
    assert not set(buckets("a b")) & set(buckets("", "a b"))


# ------------------------------------------------------------------------------------------- what is found


def given_away(rows, seed=0):
    """Return pairs whose second text alone says the class: "not" is in it where the class is 1."""
    chance = np.random.default_rng(seed)
    targets = chance.integers(0, 2, rows)
    return [(" ".join(chance.choice(WORDS, 6)), " ".join([*chance.choice(WORDS, 3), *["not"] * target]))
            for target in targets], targets


def test_a_half_that_gives_the_label_away_is_seen():
    task = Classification(("no", "yes"), pairs=True)
    found = partial_input.probe(task, given_away(400), given_away(200, seed=1))
    scores = {view["sees"]: view["score"] for view in found["views"]}
    assert scores["the second text"] > 0.98
    assert abs(scores["the first text"] - 0.5) < 0.15 and abs(found["majority"] - 0.5) < 0.1
    assert "much of this score" in partial_input.explain_probe(found, 0.99)
    assert found["rows"] == {"train": 400, "learned": 400, "dev": 200} and found["metric"] == "accuracy"


def test_halves_of_a_text_are_its_words():
    views = {name: view for name, _, view in partial_input._halves(["a"])}
    assert [view("a b  c") for view in views.values()] == [("a b",), ("c",), ("a b  c",)]
    assert views["the second half of the words"]("") == ("",)


def test_each_label_of_several_is_a_decision():
    (inputs, targets), dev = given_away(300), given_away(100, seed=1)
    several = [np.stack([side, 1 - side], axis=1) for side in (targets, dev[1])]
    task = Classification(("no", "yes"), multi_label=True, pairs=True)
    found = partial_input.probe(task, (inputs, several[0]), (dev[0], several[1]))
    assert next(view["score"] for view in found["views"] if view["sees"] == "the second text") > 0.95


def test_numbers_go_through_ridge():
    (inputs, targets), dev = given_away(300), given_away(100, seed=1)
    found = partial_input.probe(Regression(), (inputs, targets * 4.0), (dev[0], dev[1] * 4.0))
    assert np.isnan(found["majority"]) and found["metric"] == "pearson"
    assert next(view["score"] for view in found["views"] if view["sees"] == "the second text") > 0.9


def test_endings_alone_are_looked_at():
    def rows(seed):
        pairs, places = given_away(200, seed)[0], np.random.default_rng(seed).integers(0, 3, 200)
        return [(prompt, *[f"{i} right" if i == place else f"{i} {prompt}" for i in range(3)])
                for (prompt, _), place in zip(pairs, places, strict=True)], places
    found = partial_input.probe(Choosing(), rows(0), rows(1))
    (view,) = found["views"]
    assert view["score"] == 1.0 and found["majority"] < 0.5
    assert "From the endings without the prompt, word counts reach" in partial_input.explain_probe(found, 0.9)


def test_a_task_without_halves_has_no_cues():
    assert partial_input.probe(Tagging(("O",)), ([], []), ([], [])) is None


def test_of_long_data_every_nth_row_is_learned_from(monkeypatch):
    train, dev = given_away(90), given_away(20)
    monkeypatch.setattr(partial_input, "MOST", sum(len(a) + len(b) for a, b in train[0]) // 2 - 1)
    task = Classification(("no", "yes"), pairs=True)
    found = partial_input.probe(task, train, dev)
    assert found["rows"] == {"train": 90, "learned": 30, "dev": 20}
    assert found["views"] == partial_input.probe(task, (train[0][::3], train[1][::3]), dev)["views"]


def test_of_many_classes_less_is_learned_from_because_each_is_a_model(monkeypatch):
    train, dev = given_away(90), given_away(20)
    monkeypatch.setattr(partial_input, "MOST", sum(len(a) + len(b) for a, b in train[0]) + 1)
    tasks = {count: Classification(tuple(map(str, range(count))), pairs=True) for count in (2, 3, 9)}
    found = {count: partial_input.probe(task, train, dev)["rows"]["learned"] for count, task in tasks.items()}
    assert found == {2: 90, 3: 90, 9: 30}


def test_the_same_rows_give_the_same_numbers():
    task = Classification(("no", "yes"), pairs=True)
    once, again = (partial_input.probe(task, given_away(50), given_away(20)) for _ in range(2))
    assert once == again


@pytest.mark.parametrize(("half", "model", "said"), [
    (0.9, 0.9, "much of"), (0.62, 0.9, "some of"), (0.52, 0.9, "little of"), (0.4, 0.9, "reach 0.0 %"),
    (0.7, 0.5, "not above that of the commonest answer"), (0.7, float("nan"), "(undefined) is not above")])
def test_what_it_means_follows_the_way_gone(half, model, said):
    found = {"metric": "accuracy", "majority": 0.5, "views": [{"sees": "the second text", "half": True, "score": half},
                                                             {"sees": "both texts", "half": False, "score": 0.99}]}
    assert said in partial_input.explain_probe(found, model)


def test_the_section_stands_beside_the_model():
    found = {"metric": "accuracy", "rows": {"train": 10, "learned": 10, "dev": 5}, "majority": 0.5,
             "views": [{"sees": "the second text", "half": True, "score": 0.7}]}
    card = Card(name="a", task="classify", model={}, scores={"dev": {"accuracy": {"score": 0.8}}})
    rows = table(partial_input.render_probe(found, card), "Dev accuracy")
    assert [row[1] for row in rows] == ["accuracy", "0.5000", "0.7000", "0.8000"]
    assert "class=\"says\"" not in partial_input.render_probe(found, Card(name="a", task="classify", model={}))
