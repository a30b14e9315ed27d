"""Beam search against every text there is, and against a beam search written plainly."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops

from bertkit.heads.beam_search import beam_search

SIZE, BEGIN, END = 4, 0, 3


def chances(seed, longest, rows):
    """Return log p [rows,places,sum of the tokens so far,next token], the sum modulo their number."""
    p = np.random.default_rng(seed).dirichlet([0.5] * SIZE, (rows, longest, SIZE))
    return np.log(p + 1e-4).astype("float32")


def search(table, longest, beams, penalty):
    rows = len(table)
    flat = ops.convert_to_tensor(np.repeat(table, beams, axis=0))

    def step(tokens, place, past):
        past = (past + tokens) % SIZE               # what was written, which has to go with its beam
        now = ops.take(flat, place, axis=1)
        return ops.take_along_axis(now, past[:, None, None], axis=1)[:, 0], past

    past = ops.zeros((rows * beams,), "int32")
    return np.asarray(beam_search(step, past, rows, (BEGIN, END), longest, beams, penalty))


def value(table, text):
    """Return Σ log p of a text, up to its end, and its length."""
    total, length = 0.0, 0
    for place, token in enumerate(text):
        total, length = total + table[place, sum(text[:place]) % SIZE, token], length + 1
        if token == END:
            break
    return total, length


def texts(longest):
    """Return every text of at most `longest` tokens, filled up with the end."""
    every = itertools.product(range(SIZE), repeat=longest)
    return [text for text in every if all(b == END for a, b in itertools.pairwise(text) if a == END)]


@pytest.mark.parametrize("penalty", [0.0, 0.7, 1.0])
def test_as_many_beams_as_there_are_texts_find_the_best_of_all(penalty):
    longest, table = 3, chances(0, 3, rows=3)
    found = search(table, longest, len(texts(longest)), penalty)
    for row, text in zip(table, found, strict=True):
        scores = [total / length**penalty for total, length in (value(row, each) for each in texts(longest))]
        total, length = value(row, text)
        assert total / length**penalty == pytest.approx(max(scores), abs=1e-5)


def plainly(table, longest, beams, penalty):
    kept = [((), 0.0)]
    for _ in range(longest):
        going = []
        for text, score in kept:
            if END in text:
                going.append((text, score))
            else:
                now = table[len(text), sum(text) % SIZE]
                going += [((*text, token), score + now[token]) for token in range(SIZE)]
        kept = sorted(going, key=lambda pair: -pair[1])[:beams]
    best = max(kept, key=lambda pair: pair[1] / len(pair[0]) ** penalty)[0]
    return [*best, *[END] * (longest - len(best))]


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), beams=st.integers(1, 4), penalty=st.sampled_from([0.0, 1.0]))
def test_it_is_a_beam_search(seed, beams, penalty):
    table = chances(seed, 4, rows=2)
    found = search(table, 4, beams, penalty)
    assert found.tolist() == [plainly(row, 4, beams, penalty) for row in table]


def test_more_beams_can_find_what_greedy_search_misses():
    table = np.full((1, 2, SIZE, SIZE), -9.0, "float32")
    table[0, 0, BEGIN, [1, 2]] = np.log([0.6, 0.4])
    table[0, 1, 1, :] = np.log(0.25)
    table[0, 1, 2, END] = np.log(0.9)
    assert search(table, 2, 1, 0.0)[0].tolist()[0] == 1
    assert search(table, 2, 2, 0.0)[0].tolist() == [2, END]
