"""A score for each document of a query: the task of `bertkit rank`."""

import numpy as np
import pytest

from bertkit import metrics
from bertkit.errors import Error
from bertkit.tasks.ranking import Judged, Ranking
from bertkit.tasks.registry import metadata, task
from tests import tiny

TASK = Ranking(candidates=7)
INPUTS = [("good film", "a film", "the story", "bad"), ("old", "new story")]


def test_a_query_has_a_row_for_each_document():
    packed = TASK.pack(tiny.tokenizer(), INPUTS, 16)
    pair = tiny.tokenizer().pack_ids(*tiny.tokenizer().ids(["good film", "the story"]), 16)
    assert len(packed.rows) == 4 and packed.rows[1] == pair
    found = TASK.predictions([np.array([row], "float32") for row in range(4)], packed)
    assert [row.tolist() for row in found] == [[0, 1, 2], [3]]


def test_to_train_on_they_are_a_group_and_the_first_is_right():
    packed = TASK.pack(tiny.tokenizer(), [INPUTS[0], INPUTS[0]], 16, np.zeros(2, "int32"))
    assert (packed.group, len(packed.rows)) == (3, 6)


def test_answers_are_scores():
    assert TASK.answers(INPUTS, [np.array([0.5, 1.0, 2.0]), np.array([3.0])]) == [{"scores": [0.5, 1.0, 2.0]},
                                                                                   {"score": 3.0}]


def test_scores_are_those_of_the_run():
    targets = [Judged(("a", "b", "c"), {"a": 2, "b": 0, "z": 1}), Judged(("a",), {"a": 1}), Judged(("c",), {"a": 0})]
    found = TASK.scores(targets, [np.array([0.1, 0.3, 0.9]), np.array([1.0]), np.array([1.0])])
    run = {"p": {"a": 0.1, "b": 0.3, "c": 0.9}, "q": {"a": 1.0}}
    wanted = metrics.ranking({"p": targets[0].grades, "q": targets[1].grades}, run)
    assert list(found) == ["map", "mrr", "ndcg@10", "p@10", "recall@10"]
    assert found == pytest.approx({name: wanted[name] for name in found})


def test_intervals_resample_queries():
    targets = [Judged(("a", "b"), {"a": 1})] * 6
    found = TASK.intervals(targets, [np.array([1.0, 0.0])] * 3 + [np.array([0.0, 1.0])] * 3)["mrr"]
    assert found["low"] < found["score"] == 0.75 < found["high"]


def test_it_is_made_again_from_its_facts():
    assert task(metadata(TASK)) == TASK


def test_a_line_is_a_query_and_a_document():
    assert TASK.input("good\tthe film") == ("good", "the film")
    for line in ("good", "good\tthe\tfilm"):
        with pytest.raises(Error, match="this model reads query, tab, document"):
            TASK.input(line)


def test_what_is_no_text_is_refused():
    with pytest.raises(Error, match="Row 1"):
        TASK.check_inputs([("a", "b", 3)])
