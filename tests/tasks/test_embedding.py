"""Texts to vectors, pairs to cosines: the task of `bertkit embed`."""

import numpy as np
import pytest
from scipy.stats import pearsonr, spearmanr

from bertkit.errors import Error
from bertkit.tasks.embedding import Embedding, cosines
from bertkit.tasks.registry import metadata, task
from tests import tiny

TASK = Embedding(3)


def test_texts_and_tuples_become_rows_and_come_back():
    inputs = ["good film", ("bad", "dull story"), b"warm"]
    packed = TASK.pack(tiny.tokenizer(), inputs, 16)
    outputs = [np.full(3, row, "float32") for row in range(4)]
    found = TASK.predictions(outputs, packed)
    assert len(packed.rows) == 4 and packed.group == 1
    assert [np.shape(vector) for vector in found] == [(3,), (2, 3), (3,)]
    assert [float(vector.max()) for vector in found] == [0, 2, 3]


def test_to_train_on_a_tuple_is_a_group():
    packed = TASK.pack(tiny.tokenizer(), [("good", "fine", "bad"), ("old", "new", "a")], 16, np.array([0, 1]))
    assert (packed.group, len(packed.rows), packed.labels.tolist()) == (3, 6, [0, 1])


def test_scores_are_correlations_of_cosines():
    chance = np.random.default_rng(0)
    vectors, targets = list(chance.normal(size=(9, 2, 3))), chance.normal(size=9)
    wanted = [u @ v / np.linalg.norm(u) / np.linalg.norm(v) for u, v in vectors]
    found = TASK.scores(targets, vectors)
    assert list(found) == ["pearson", "spearman"]
    assert found == pytest.approx({"pearson": pearsonr(targets, wanted)[0], "spearman": spearmanr(targets, wanted)[0]})


def test_a_zero_vector_is_like_nothing():
    assert cosines(np.zeros((1, 3)), np.ones((1, 3))).tolist() == [0]


def test_answers_are_lists_of_numbers():
    assert TASK.answers(["a"], [np.array([0.5, 1.0], "float32")]) == [{"embedding": [0.5, 1.0]}]
    assert TASK.answers([("a", "b")], [np.eye(2)])[0] == {"embedding": [[1, 0], [0, 1]]}


def test_it_is_made_again_from_its_facts_with_the_width_of_its_vectors():
    tuned = Embedding().tuned([1.0], [np.zeros((2, 7))])
    assert task(metadata(tuned)) == tuned == Embedding(7)


def test_two_files_agree_where_their_vectors_point_the_same_way():
    one = [np.array([1.0, 0.0]), np.array([0.0, 1.0])]
    assert TASK.agreement(one, [np.array([2.0, 0.1]), np.array([1.0, 1.0])]) == 0.5


def test_what_is_no_text_is_refused():
    with pytest.raises(Error, match="Row 1"):
        TASK.check_inputs([("a", 3)])
