"""Byte-level BPE in TensorFlow: equal to the one in Python on everything, also when saved."""

import random

import pytest
from bytelevel_references import TEXTS, trained
from hypothesis import given, settings
from hypothesis import strategies as st
from test_bytelevel import ALPHABET, LETTERS, PAIRS, tangled

from bertkit.text import Tokenizer
from bertkit.text.models.merges import Merges
from tests.lazy import Lazy

tf = pytest.importorskip("tensorflow")
pytest.importorskip("tensorflow_text")
from bertkit.text.graph import merges as graph_merges  # noqa: E402
from bertkit.text.graph.merges import GraphMerges  # noqa: E402
from bertkit.text.graph.tokenizer import GraphTokenizer  # noqa: E402

VOCABULARY, MERGES = trained()
NAMES = {"unk": "<unk>", "cls": "<s>", "sep": "</s>", "pad": "<pad>", "mask": "<mask>"}
SETTINGS = [{}, {"prefix_space": True, "nfc": True}]
LENGTH = 2000                                 # longer than any row of the corpus
TOKENIZERS = [Tokenizer(VOCABULARY, kind="bytelevel", special=NAMES, merges=MERGES, **some) for some in SETTINGS]


class Served(tf.Module):
    """A GraphTokenizer that is traced once."""

    def __init__(self, tokenizer):
        super().__init__()
        self.tokenizer = GraphTokenizer(tokenizer, LENGTH)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def __call__(self, text):
        return self.tokenizer(text, offsets=True)


SERVED = Lazy(lambda number: Served(TOKENIZERS[number]), range(len(SETTINGS)))


def assert_equal(tokenizer, served, texts):
    """Ids and offsets of a batch, in the graph and in Python."""
    batch = {name: values.numpy() for name, values in served(tf.constant(texts, tf.string)).items()}
    for i, encoding in enumerate(tokenizer.encode(texts)):
        real = slice(1, 1 + len(encoding.ids))
        assert batch["token_ids"][i, real].tolist() == encoding.ids, ascii(texts[i])
        assert batch["offsets"][i, real].tolist() == list(map(list, encoding.offsets)), ascii(texts[i])
        assert batch["padding_mask"][i].sum() == len(encoding.ids) + 2


@pytest.mark.parametrize("number", range(len(SETTINGS)), ids=map(str, SETTINGS))
def test_hard_corpus(number):
    assert_equal(TOKENIZERS[number], SERVED[number], TEXTS)
    for text in ("", " ", "'s", "\u0301"):
        assert_equal(TOKENIZERS[number], SERVED[number], [text])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(ALPHABET), min_size=1, max_size=8), st.integers(0, len(SETTINGS) - 1))
def test_random_texts(texts, number):
    assert_equal(TOKENIZERS[number], SERVED[number], texts)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.binary(max_size=12), min_size=1, max_size=8), st.integers(0, 1))
def test_invalid_bytes(texts, number):
    assert_equal(TOKENIZERS[number], SERVED[number], texts)


def test_no_texts():
    assert SERVED[1](tf.constant([], tf.string))["token_ids"].shape[0] == 0


def merged(merges, words):
    """Return the ids that words, lists of ids, become in the graph."""
    numbers = [number for number, word in enumerate(words) for _ in word]
    ids, numbers = GraphMerges(merges)(tf.constant([i for word in words for i in word], tf.int32),
                                       tf.constant(numbers, tf.int32))
    found = [[] for _ in words]
    for i, number in zip(ids.numpy().tolist(), numbers.numpy().tolist(), strict=True):
        found[number].append(i)
    return found


def wanted(merges, words):
    return [merges(word)[0] for word in words]


@settings(max_examples=100, deadline=None)
@given(PAIRS, st.lists(st.text("abc ", min_size=1, max_size=20), max_size=5))
def test_merges_in_any_order(pairs, words):
    vocabulary, merges = tangled(pairs)
    ids = {entry: i for i, entry in enumerate(vocabulary)}
    merges, words = Merges(ids, merges), [[ids[LETTERS[ord(c)]] for c in word] for word in words]
    assert merged(merges, words) == wanted(merges, words)


def without(column, value):
    """Return _rows with one value in a column of all rows."""
    rows = graph_merges._rows
    return lambda table: {pair: [*row[:column], value, *row[column + 1:]] for pair, row in rows(table).items()}


@pytest.mark.parametrize("planted", [
    {"_earliest": lambda rank, words, last: rank < 0},
    {"_later": lambda values, first: tf.concat([[first], values[1:]], 0)},
    {"_rows": without(graph_merges.BEFORE, graph_merges.NONE)},
    {"_rows": without(graph_merges.AFTER, graph_merges.NONE)},
])
def test_planted_faults_are_found(monkeypatch, planted):
    model = TOKENIZERS[0].model
    words = [[model.byte_ids[byte] for byte in text.encode()] for text in TEXTS if text]
    assert merged(model.merges, words) == wanted(model.merges, words)
    for name, value in planted.items():
        monkeypatch.setattr(graph_merges, name, value)
    assert merged(model.merges, words) != wanted(model.merges, words)


def test_a_huge_word_takes_few_rounds(monkeypatch):
    rounds = []
    once = graph_merges.GraphMerges._pairs
    monkeypatch.setattr(graph_merges.GraphMerges, "_pairs", lambda *values: rounds.append(1) or once(*values))
    model = TOKENIZERS[0].model
    for text in ("a" * 3000, "hahaha" * 500, "漢字" * 500, "=-" * 1500):
        ids = [model.byte_ids[byte] for byte in text.encode()]
        found, _ = GraphMerges(model.merges)(tf.constant(ids), tf.zeros([len(ids)], tf.int32))
        assert found.numpy().tolist() == model.merges(ids)[0]
    assert len(rounds) < 60


def test_real_texts(shared):
    for path in sorted(shared("data/pretrain/multi").glob("*.txt")):
        lines = path.read_text(encoding="utf-8").split("\n")
        sample = random.Random(3).sample(lines, min(len(lines), 60))
        assert_equal(TOKENIZERS[1], SERVED[1], [line[:300] for line in sample])


@pytest.mark.slow
def test_a_saved_model_answers_the_same(tmp_path):
    served = SERVED[1]
    tf.saved_model.save(served, tmp_path, signatures=served.__call__)
    found = tf.saved_model.load(tmp_path).signatures["serving_default"](text=tf.constant(TEXTS))
    for name, values in served(tf.constant(TEXTS)).items():
        assert found[name].numpy().tolist() == values.numpy().tolist()
