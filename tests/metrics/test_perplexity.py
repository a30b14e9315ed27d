"""Perplexities by hand and by their laws."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertkit import metrics
from bertkit.errors import Error

LOSSES = st.lists(st.floats(0, 20), min_size=1, max_size=20)


@pytest.mark.parametrize("classes", [2, 50, 30522])
def test_a_uniform_guess_over_classes_is_as_perplexed_as_there_are_classes(classes):
    losses = np.full((3, 7), math.log(classes))
    assert metrics.perplexity(losses) == pytest.approx(classes)
    assert metrics.pseudo_perplexity(-losses.sum(axis=1), [7, 7, 7]) == pytest.approx(classes)
    assert metrics.bits_per_character(losses, 21) == pytest.approx(math.log2(classes))


@given(losses=LOSSES)
def test_perplexity_is_one_over_the_geometric_mean_of_the_probabilities(losses):
    probabilities = [math.exp(-loss) for loss in losses]
    assert metrics.perplexity(losses) == pytest.approx(1 / math.prod(p ** (1 / len(losses)) for p in probabilities))


@given(rows=st.lists(LOSSES, min_size=1, max_size=5))
def test_texts_are_pooled_by_tokens(rows):
    found = metrics.pseudo_perplexity([-sum(row) for row in rows], [len(row) for row in rows])
    assert found == pytest.approx(metrics.perplexity(sum(rows, [])))


def test_a_hopeless_model_is_infinitely_perplexed_without_a_warning(recwarn):
    assert metrics.perplexity([1e6]) == metrics.pseudo_perplexity([-1e6], [1]) == math.inf
    assert not recwarn.list


@pytest.mark.parametrize("call, words", [
    (lambda: metrics.perplexity([]), "No losses"),
    (lambda: metrics.perplexity(["x"]), "numbers"),
    (lambda: metrics.pseudo_perplexity([-1.0], [1, 2]), "1 log-likelihoods and 2"),
    (lambda: metrics.pseudo_perplexity([-1.0], [0]), "above 0"),
    (lambda: metrics.bits_per_character([1.0], 0), "characters=0"),
])
def test_errors_say_what_came(call, words):
    with pytest.raises(Error, match=words):
        call()
