"""Documents in windows: nothing lost but what is said, pooled as defined, and short ones as `classify` has them."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertkit.errors import Error
from bertkit.tasks.classification import Classification, sigmoid, softmax
from bertkit.tasks.documents import POOLINGS, TOGETHER, Documents, coverage
from bertkit.tasks.registry import metadata, task
from bertkit.text import Tokenizer
from bertkit.text.template import bare, bert, roberta, xlnet
from tests import tiny

LABELS = ("bad", "good", "so-so")
TEMPLATES = {"bert": bert, "roberta": roberta, "xlnet": xlnet, "bare": lambda cls, sep: bare()}
TOKENIZERS = {name: Tokenizer(tiny.VOCABULARY, template=template("[CLS]", "[SEP]").settings())
              for name, template in TEMPLATES.items()}
NAMES = st.sampled_from(sorted(TEMPLATES))
TEXTS = st.lists(st.lists(st.sampled_from(tiny.WORDS), max_size=40).map(" ".join), min_size=1, max_size=4)
LENGTHS = st.integers(5, 20)


def logits(rows, seed=0):
    """Return numbers for each row that depend on its ids alone."""
    return [np.random.default_rng([seed, *ids]).normal(size=3).astype("float32") for ids, _ in rows]


@given(NAMES, TEXTS, LENGTHS, st.sampled_from(sorted(POOLINGS)), st.booleans())
def test_what_fits_one_window_has_the_prediction_of_the_cut_text(name, texts, length, pooling, several):
    tokenizer = TOKENIZERS[name]
    one, other = Classification(LABELS, several), Documents(LABELS, several, False, 3, pooling)
    cut, windowed = one.pack(tokenizer, texts, length), other.pack(tokenizer, texts, length)
    wanted = one.predictions([one.outputs(raw) for raw in logits(cut.rows)], cut)
    found = other.predictions([other.outputs(raw) for raw in logits(windowed.rows)], windowed)
    room = tokenizer.template.max_text_tokens(length, paired=False)
    fits = [len(ids) <= room for ids in tokenizer.ids(texts)]
    assert len(found) == len(texts) and [count == 1 for count in windowed.origin] == fits
    for each, cut_text, fit in zip(found, wanted, fits, strict=True):
        if fit:
            np.testing.assert_array_equal(each, cut_text)
    assert len(wanted) == len(texts)


@given(NAMES, TEXTS, LENGTHS, st.integers(1, 5))
def test_the_windows_read_what_is_said_and_overlap_by_half(name, texts, length, most):
    tokenizer, kind = TOKENIZERS[name], Documents(LABELS, most_windows=most)
    packed = kind.pack(tokenizer, texts, length)
    places, room = tokenizer.layout(False), tokenizer.template.max_text_tokens(length, paired=False)
    ends = len(places) - 1
    front = [part for part, _ in places].index("$first")
    read, rows = 0, iter(packed.rows)
    for ids, count in zip(tokenizer.ids(texts), packed.origin, strict=True):
        assert 1 <= count <= most
        for number in range(count):
            row, _ = next(rows)
            start = number * max(1, room // 2)
            assert row[front:len(row) - ends + front] == ids[start:start + room]
        reached = min(len(ids), start + room)
        assert reached == len(ids) or count == most
        read += reached
    total = sum(map(len, tokenizer.ids(texts)))
    said = coverage(kind, tokenizer, texts, length)
    assert said["tokens_read"] == pytest.approx(read / len(texts))
    assert said["share_read"] == pytest.approx(read / max(1, total))
    assert (said["read_whole"] == 1) == (read == total)


@given(st.lists(st.integers(1, 5), min_size=1, max_size=4), st.sampled_from(sorted(POOLINGS)), st.booleans())
def test_pooling_is_the_mean_or_the_largest_logit_of_each_class(counts, pooling, several):
    table = np.random.default_rng(counts).normal(size=(sum(counts), 3)).astype("float32")
    kind, first = Documents(LABELS, several, pooling=pooling), 0
    packed = type("Packed", (), {"origin": counts})
    found = kind.predictions(list(table), packed)
    for count, given_to in zip(counts, found, strict=True):
        part = table[first:first + count].astype("float64")
        pooled = [sum(column) / count if pooling == "mean" else max(column) for column in part.T]
        np.testing.assert_allclose(given_to, sigmoid(pooled) if several else softmax(pooled), atol=1e-6)
        first += count


def test_each_window_learns_the_label_of_its_document():
    texts, several = ["good " * 30, "bad", "fine " * 12], [[1, 0, 0], [0, 1, 1], [0, 0, 1]]
    packed = Documents(LABELS, most_windows=4).pack(tiny.tokenizer(), texts, 12, np.array([1, 0, 2]))
    assert packed.origin == [4, 1, 2] and packed.labels.tolist() == [1, 1, 1, 1, 0, 2, 2]
    packed = Documents(LABELS, True, most_windows=2).pack(tiny.tokenizer(), texts, 12, np.array(several))
    assert packed.labels.tolist() == [several[0]] * 2 + [several[1]] + [several[2]] * 2
    together = Documents(LABELS, most_windows=4, pooling=TOGETHER)
    together = together.pack(tiny.tokenizer(), texts, 12, np.array([1, 0, 2]))
    assert together.counts.tolist() == [4, 1, 2] and together.labels.tolist() == [1, 0, 2]


def test_windows_are_compared_by_their_probabilities():
    kind = Documents(LABELS, multi_label=True)
    one, other = [np.array([1.0, -1.0, 0.2])], [np.array([1.0, -1.0, -0.2])]
    assert kind.agreement(one, one) == 1 and kind.agreement(one, other) == 0
    assert kind.drift(one, other) == pytest.approx(np.log(sigmoid(0.2) / sigmoid(-0.2)), abs=1e-6)


def test_no_document_is_no_prediction():
    kind = Documents(LABELS)
    assert kind.predictions([], kind.pack(tiny.tokenizer(), [], 12)) == []


@pytest.mark.parametrize("kind", [Documents(LABELS), Documents(LABELS, True, False, 2, "max"),
                                  Documents(LABELS, pooling=TOGETHER)])
def test_facts_make_the_task_again(kind):
    assert task(json.loads(json.dumps(metadata(kind)))) == kind


@pytest.mark.parametrize("settings, words", [
    ({"most_windows": 0}, "most_windows=0 reads nothing"), ({"pooling": "sum"}, "pooling='sum' is unknown; give mean"),
    ({"pairs": True}, "Documents are single texts")])
def test_what_does_not_fit_is_told(settings, words):
    with pytest.raises(Error, match=words):
        Documents(LABELS, **settings)
