"""Outputs of rows of two lengths: what corresponds is compared, and what is cut is counted."""

import numpy as np
import pytest

from bertkit.tasks.answering import Answering
from bertkit.tasks.classification import Classification
from bertkit.tasks.documents import Documents
from bertkit.tasks.ranking import Ranking
from bertkit.tasks.tagging import Tagging
from tests import tiny

WORDS = " ".join(tiny.texts(12, seed=4)[0]).split()[:40]
LONG = " ".join(WORDS)


def by_token(task, rows):
    """Return the outputs of a model that gives each token numbers of its id alone."""
    table = np.random.default_rng(0).normal(size=(len(tiny.VOCABULARY), task.width)).astype("float32")
    return [table[ids] for ids, _ in rows]


def aligned(task, inputs, length):
    packed = task.pack(tiny.tokenizer(), inputs, length)
    return packed, task.aligned(by_token(task, packed.rows), packed)


@pytest.mark.parametrize(("task", "inputs"), [
    (Tagging(("O", "B-X", "I-X")), [LONG, "good", WORDS[:9]]),
    (Answering(), [("a good film", LONG), ("bad", "a film")]),
])
def test_windows_of_two_lengths_are_compared_word_by_word(task, inputs):
    (short, one), (whole, other) = (aligned(task, inputs, length) for length in (16, 64))
    assert len(short.rows) > len(whole.rows) == len(inputs)
    assert task.agreement(one, other) == 1 and task.drift(one, other) == 0
    changed = [values.copy() for values in other]
    changed[0][-1] = changed[0][-1, ::-1] + 9
    assert task.agreement(one, changed) < 1 and task.drift(one, changed) > 1


def test_documents_are_compared_after_their_windows_are_pooled():
    task = Documents(("bad", "good"), pooling="max")
    packed = [task.pack(tiny.tokenizer(), [LONG, "good"], length) for length in (16, 64)]
    outputs = [[np.array([0.5, len(set(ids) & {7}) + 1.0], "float32") for ids, _ in one.rows] for one in packed]
    sides = [task.aligned(found, one) for found, one in zip(outputs, packed, strict=True)]
    assert [len(side) for side in sides] == [2, 2] and task.agreement(*sides) == 1


@pytest.mark.parametrize(("task", "inputs", "length", "wanted"), [
    (Classification(("a", "b")), ["good film", "a good film", ""], 4, [False, True, False]),
    (Classification(("a", "b"), pairs=True), [("good", "film"), ("good", "film bad")], 5, [False, True]),
    (Ranking(), [("good", "film", "a bad film")], 6, [False, True]),
    (Tagging(("O", "B-X")), [LONG], 8, [False]),
    (Answering(), [("good", LONG), (LONG, "a film and a film")], 12, [False, True]),
    (Documents(("a", "b"), most_windows=2), ["good " * 9, "good " * 10], 8, [False, True]),
])
def test_what_loses_tokens_at_a_length_is_counted(task, inputs, length, wanted):
    assert task.cut(tiny.tokenizer(), inputs, length).tolist() == wanted
