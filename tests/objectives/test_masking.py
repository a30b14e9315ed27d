"""Each choice against its rule in plain Python, and its statistics against the papers, with a bound."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bertkit.corpus.randomness import uniform
from bertkit.objectives import masking
from bertkit.objectives.masking import CHOICES

SIGNIFICANT = 1e-4


def layout(candidates, begins):
    candidates, begins = np.array(candidates, bool), np.array(begins, bool)
    return candidates, masking.word_numbers(candidates, begins)


def chosen(choice, seed, keys, candidates, words, counts):
    return CHOICES[choice].choose(seed, np.asarray(keys), candidates, np.asarray(counts), words)


def misfit(found, expected):
    """Return the chance of counts as far from the expected shares as these, or farther (Pearson's chi-square)."""
    from scipy.stats import chisquare
    return chisquare(found, np.asarray(expected) / np.sum(expected) * np.sum(found)).pvalue


def lengths_of_runs(spans):
    edges = np.diff(np.pad(spans > 0, ((0, 0), (1, 1))).astype(int), axis=1)
    return np.nonzero(edges < 0)[1] - np.nonzero(edges > 0)[1]


# ----------------------------------------------------------------------------- the rules, one row, plain Python

def words_of(candidates, begins):
    """Return [[places of a word, its text's number]] of a row."""
    found, text = [], -1
    for place, (able, begin) in enumerate(zip(candidates, begins, strict=True)):
        fresh = able and (place == 0 or not candidates[place - 1])
        text += fresh
        if able and (fresh or begin):
            found.append([[], text])
        if able:
            found[-1][0].append(place)
    return found


def drawn(seed, key, width, weights):
    """Return the length that is drawn at each place."""
    shares = np.cumsum(weights) / np.sum(weights)
    return [1 + sum(draw >= share for share in shares[:-1]) for draw in uniform(seed, "lengths", [key], width)[0]]


def stretch(words, first, length):
    """Return so many words of one text from the first on, fewer where it ends."""
    return [places for places, text in words[first:first + length] if text == words[first][1]]


def ngram_rule(seed, key, candidates, begins, count, longest):
    words, width = words_of(candidates, begins), len(candidates)
    draws, lengths = uniform(seed, "anchors", [key], width)[0], drawn(seed, key, width, 1 / np.arange(1, longest + 1))
    found = set()
    for i in sorted(range(len(words)), key=lambda i: draws[words[i][0][0]]):
        taken = stretch(words, i, lengths[words[i][0][0]])
        while sum(map(len, taken)) > count - len(found):
            taken = taken[:-1]
        places = {place for word in taken for place in word}
        if not places & found:
            found |= places
    return found


def span_rule(seed, key, candidates, begins, count):
    words, width = words_of(candidates, begins), len(candidates)
    draws, lengths = uniform(seed, "anchors", [key], width)[0], drawn(seed, key, width, 0.2 * 0.8 ** np.arange(10))
    found = set()
    for anchor in sorted(np.flatnonzero(candidates), key=lambda place: draws[place]):
        if anchor in found:
            continue
        first = next(i for i, (places, _) in enumerate(words) if anchor in places)
        for place in sum(stretch(words, first, lengths[anchor]), []):
            if len(found) < count:
                found.add(place)
    return found


# One token in ten is special, every second one begins a word.
ROWS = st.integers(1, 40).flatmap(lambda width: st.tuples(
    st.lists(st.tuples(*(st.lists(st.sampled_from(kinds), min_size=width, max_size=width)
                         for kinds in ([True] * 9 + [False], [True, False]))), min_size=1, max_size=4),
    st.integers(0, 2**40), st.floats(0, 1)))


@pytest.mark.parametrize("choice", ["words", "ngrams", "spans"])
@given(ROWS)
@settings(max_examples=80, deadline=None)
def test_the_rule_in_plain_python(choice, rows):
    rows, seed, share = rows
    candidates, words = layout([c for c, _ in rows], [b for _, b in rows])
    counts, keys = np.ceil(share * candidates.sum(1)).astype(int), np.arange(len(rows)) + seed // 3
    found = chosen(choice, seed, keys, candidates, words, counts)
    for i, (able, begins) in enumerate(rows):
        more = {"words": [1], "ngrams": [3], "spans": []}[choice]
        rule = span_rule if choice == "spans" else ngram_rule
        wanted = rule(seed, keys[i], able, begins, counts[i], *more)
        assert set(np.flatnonzero(found[i])) == wanted
    if choice == "spans":
        np.testing.assert_array_equal(found, masking.run_numbers(found > 0))


@given(ROWS)
@settings(max_examples=80, deadline=None)
def test_tokens_are_those_of_the_smallest_draws(rows):
    rows, seed, share = rows
    candidates, words = layout([c for c, _ in rows], [b for _, b in rows])
    counts = np.ceil(share * candidates.sum(1)).astype(int)
    found = chosen("tokens", seed, np.arange(len(rows)), candidates, words, counts)
    draws = uniform(seed, "tokens", np.arange(len(rows)), candidates.shape[1])
    for i in range(len(rows)):
        order = sorted(np.flatnonzero(candidates[i]), key=lambda place: draws[i, place])
        if counts[i]:
            assert set(np.flatnonzero(found[i])) == set(order[:counts[i]])


# ------------------------------------------------------------------------------------------------ statistics

def sparse(pieces, seed, choice, share=0.01, width=12_000, rows=8):
    """Return the words of each run of a choice so sparse that hardly two touch; each word has so many pieces."""
    candidates, words = layout(np.ones((rows, width)), np.tile(np.arange(width) % pieces == 0, (rows, 1)))
    counts = np.full(rows, int(share * width))
    found = chosen(choice, seed, np.arange(rows) + 100 * seed, candidates, words, counts)
    assert ((found > 0).sum(1) <= counts).all()
    return np.ceil(lengths_of_runs(found) / pieces).astype(int)


@pytest.mark.parametrize("pieces", [1, 2])
def test_lengths_of_spans_are_geometric_and_count_words(pieces):
    lengths = np.concatenate([sparse(pieces, seed, "spans", 0.01 * pieces) for seed in range(5)])
    expected = 0.2 * 0.8 ** np.arange(10)
    found = np.bincount(lengths, minlength=11)[1:11]
    assert found.sum() > 900 and found.sum() >= 0.98 * len(lengths)         # the rest: two that touch
    assert misfit(found, expected) > SIGNIFICANT, found
    assert misfit(found, 0.25 * 0.75 ** np.arange(10)) < SIGNIFICANT         # the bound tells p = 0.25 from it


def test_lengths_of_ngrams():
    lengths = np.concatenate([sparse(1, seed, "ngrams", 0.004) for seed in range(8)])
    found = np.bincount(lengths, minlength=4)[1:4]
    assert found.sum() > 1200 and misfit(found, [1, 1 / 2, 1 / 3]) > SIGNIFICANT, found
    assert misfit(found, [1, 1, 1]) < SIGNIFICANT


@pytest.mark.parametrize("choice", ["tokens", "words", "ngrams", "spans"])
def test_no_candidate_is_preferred_away_from_the_ends(choice):
    candidates, words = layout(np.ones((2000, 60)), np.ones((2000, 60)))
    total = np.zeros(60)
    for seed in range(4):
        total += (chosen(choice, seed, np.arange(2000), candidates, words, np.full(2000, 9)) > 0).sum(0)
    assert total.sum() == 8000 * 9
    middle = total[10:] if choice == "spans" else total[3:-3]                # a span goes on to the right
    bound = 5 * np.sqrt(middle.mean() * (3 if choice == "spans" else 1))     # neighbours are chosen together
    assert np.abs(middle - middle.mean()).max() < bound


def test_replaced_one_kind_for_each_span():
    rng = np.random.default_rng(0)
    spans = masking.run_numbers(rng.random((500, 40)) < 0.6)
    ids, size = rng.integers(5, 10_000, spans.shape), 10_000
    hidden = masking.replace_tokens(3, np.arange(500), ids, spans, (0.8, 0.1), 4, size)
    np.testing.assert_array_equal(hidden[spans == 0], ids[spans == 0])
    kinds = np.select([hidden == 4, hidden == ids], [0, 2], 1)
    counts = np.zeros(3)
    for row, numbers in zip(kinds, spans, strict=True):
        for number in range(1, numbers.max() + 1):
            kind = set(row[numbers == number])
            assert len(kind) == 1 or kind == {0, 1}         # a random entry is [MASK] once in 10,000 draws
            counts[max(kind)] += 1
    assert misfit(counts, [0.8, 0.1, 0.1]) > SIGNIFICANT, counts
    entries = hidden[kinds == 1]
    assert abs(entries.mean() / size - 0.5) < 5 / np.sqrt(12 * len(entries))


def test_replaced_with_other_shares():
    spans = np.tile(np.arange(1, 201), (100, 1))
    ids = np.full(spans.shape, 7)
    hidden = masking.replace_tokens(1, np.arange(100), ids, spans, (0.85, 0.0), 4, 50)
    assert np.isin(hidden, (4, 7)).all()
    assert abs((hidden == 4).mean() - 0.85) < 5 * np.sqrt(0.85 * 0.15 / hidden.size)


def test_counts():
    real = np.arange(128) < np.array([[128], [20], [3], [2]])
    candidates = real & (np.arange(128) > 0) & (np.arange(128) < real.sum(1, keepdims=True) - 1)
    assert masking.count_to_choose(0.15, real, candidates).tolist() == [19, 3, 1, 0]
    assert masking.count_to_choose_rounded_up(0.15, real, candidates).tolist() == [19, 3, 1, 0]
    assert masking.count_to_choose(0.99, real, candidates).tolist() == [126, 18, 1, 0]


def test_slots():
    taken = np.array([[False, True, True, False], [False] * 4, [False, False, False, True]])
    found = masking.list_targets(taken, np.arange(12).reshape(3, 4))
    assert found["masked_weights"].tolist() == [[1, 1], [0, 0], [1, 0]]
    assert found["masked_positions"].tolist() == [[1, 2], [0, 0], [3, 0]]
    assert found["masked_labels"][0].tolist() == [1, 2] and found["masked_labels"][2, 0] == 11


def test_rows_do_not_depend_on_their_batch():
    rng = np.random.default_rng(1)
    candidates, words = layout(rng.random((6, 24)) < 0.9, rng.random((6, 24)) < 0.6)
    counts, keys = np.full(6, 4), np.arange(6) * 77
    for choice in CHOICES:
        together = chosen(choice, 9, keys, candidates, words, counts)
        wider, numbers = layout(np.pad(candidates[4:], ((0, 0), (0, 9))), np.zeros((2, 33)))
        numbers[:, :24] = words[4:]
        apart = chosen(choice, 9, keys[4:], wider, numbers, counts[4:])
        np.testing.assert_array_equal(apart[:, :24] > 0, together[4:] > 0)
        assert not apart[:, 24:].any()
        assert (together != chosen(choice, 10, keys, candidates, words, counts)).any()
        assert (together != chosen(choice, 9, keys + 1, candidates, words, counts)).any()
