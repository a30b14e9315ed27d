"""The tokenizer in TensorFlow: equal to the one in Python on everything, also when saved."""

import json
import os
import random
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from text_references import HOSTILE, vocabulary

from bertkit.errors import Error
from bertkit.text import Tokenizer
from bertkit.text.template import bert
from tests.lazy import Lazy

tf = pytest.importorskip("tensorflow")
pytest.importorskip("tensorflow_text")
from bertkit.text.graph.tokenizer import GraphTokenizer  # noqa: E402

ENTRIES = vocabulary()
GOOGLE = {"rules": "google", "longest_word": 200}
SETTINGS = [
    {}, GOOGLE, {"lowercase": False, "strip_accents": False}, {"strip_accents": False},
    {"clean": False}, {"split_ideographs": False}, GOOGLE | {"lowercase": False},
]
LENGTH = 2000                                 # longer than any row of the corpus
TOKENIZERS = [Tokenizer(ENTRIES, **some) for some in SETTINGS]
GRAPHS = Lazy(lambda number: GraphTokenizer(TOKENIZERS[number], max_length=LENGTH), range(len(SETTINGS)))


def assert_equal(tokenizer, graph, texts):
    """Ids and offsets of a batch, in the graph and in Python."""
    batch = graph(tf.constant(texts, tf.string), offsets=True)
    for i, encoding in enumerate(tokenizer.encode(texts)):
        real = slice(1, 1 + len(encoding.ids))
        assert batch["token_ids"][i, real].numpy().tolist() == encoding.ids, ascii(texts[i])
        assert batch["offsets"][i, real].numpy().tolist() == list(map(list, encoding.offsets))
        assert batch["padding_mask"][i].numpy().sum() == len(encoding.ids) + 2


@pytest.mark.parametrize("number", range(len(SETTINGS)), ids=map(str, SETTINGS))
def test_hard_corpus(number):
    assert_equal(TOKENIZERS[number], GRAPHS[number], HOSTILE)


ALPHABET = st.one_of(st.sampled_from(sorted(set("".join(HOSTILE)))),
                     st.sampled_from("ΣΑσa.' \u0301"), st.characters(exclude_categories=["Cs"]))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(ALPHABET), min_size=1, max_size=8), st.integers(0, len(SETTINGS) - 1))
def test_random_texts(texts, number):
    assert_equal(TOKENIZERS[number], GRAPHS[number], texts)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=12), min_size=1, max_size=8))
def test_invalid_bytes(texts):
    assert_equal(TOKENIZERS[0], GRAPHS[0], texts)


def test_a_planted_fault_is_found():
    wrong = GraphTokenizer(TOKENIZERS[0], max_length=LENGTH)
    wrong._model._longest_word = 99
    with pytest.raises(AssertionError):
        assert_equal(TOKENIZERS[0], wrong, HOSTILE)


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), min_size=1, max_size=4),
       st.integers(3, 30), st.sampled_from(["right", "left"]))
def test_packing_equals_python(sizes, length, side):
    template = bert("[CLS]", "[SEP]").settings() | {"padding_side": side, "padding_segment": 3}
    tokenizer = Tokenizer(ENTRIES, template=template)
    graph = GraphTokenizer(tokenizer)
    first, second = (["a b c d " * size[i] for size in sizes] for i in (0, 1))
    for texts in ((first,), (first, second)):
        wanted = tokenizer.pack(*texts, length=length)
        found = graph(*map(tf.constant, texts), length=length)
        assert set(found) == set(wanted)
        for name, array in wanted.items():
            assert found[name].dtype == tf.int32 and found[name].shape == array.shape
            np.testing.assert_array_equal(found[name], array)


def test_without_length_rows_are_as_long_as_the_longest():
    graph = GraphTokenizer(TOKENIZERS[0], max_length=6)
    assert graph(tf.constant(["a b", ""]))["token_ids"].shape == (2, 4)
    assert graph(tf.constant(["a b c d e f"]))["token_ids"].shape == (1, 6)
    assert graph(tf.constant(["a"]), tf.constant(["a b c d e f"]))["token_ids"].shape == (1, 6)
    assert graph(tf.constant([], tf.string))["token_ids"].shape[0] == 0


def test_offsets_of_a_pair_count_in_their_own_text():
    batch = GRAPHS[0](tf.constant(["Ab é"]), tf.constant(["x é"]), length=10, offsets=True)
    assert batch["offsets"][0].numpy().tolist() == [
        [0, 0], [0, 1], [1, 2], [3, 4], [0, 0], [0, 1], [2, 3], [0, 0], [0, 0], [0, 0]]


def test_entries_that_no_word_reaches_do_no_harm():
    entries = [*ENTRIES, "", "un", "two words", "\0", "un"]
    tokenizer = Tokenizer(entries)
    assert tokenizer.ids(["un"]) == [[len(entries) - 1]]
    assert_equal(tokenizer, GraphTokenizer(tokenizer, LENGTH), HOSTILE)


def test_real_text_with_a_real_vocabulary(shared):
    tokenizer = Tokenizer.load(shared("data/vocab/bert-base-uncased/vocab.txt"))
    graph = GraphTokenizer(tokenizer, LENGTH)
    for path in ("glue/SST-2/dev.tsv", "pretrain/multi/zh_modern_translations.txt",
                 "pretrain/multi/de_novels.txt", "pretrain/multi/ar_diacritized.txt"):
        lines = shared("data/" + path).read_text(encoding="utf-8").split("\n")
        assert_equal(tokenizer, graph, random.Random(3).sample(lines, min(len(lines), 300)))


FRESH = """
import json, sys
import tensorflow as tf, tensorflow_text
call = tf.saved_model.load(sys.argv[1]).signatures["serving_default"]
batch = call(text=tf.constant(json.load(sys.stdin)))
json.dump({name: value.numpy().tolist() for name, value in batch.items()}, sys.stdout)
assert "bertkit" not in sys.modules
"""


@pytest.mark.slow
def test_a_saved_model_answers_the_same_in_a_fresh_process(tmp_path):
    class Served(tf.Module):
        def __init__(self):
            super().__init__()
            self.tokenizer = GraphTokenizer(TOKENIZERS[1], LENGTH)

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
        def serve(self, text):
            return self.tokenizer(text, offsets=True)

    served = Served()
    tf.saved_model.save(served, tmp_path, signatures=served.serve)
    size = sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file())
    assert size < 10_000_000
    fresh = subprocess.run([sys.executable, "-c", FRESH, tmp_path], input=json.dumps(HOSTILE),
                           env=os.environ | {"PYTHONPATH": ""}, cwd=tmp_path, text=True,
                           capture_output=True, check=False)
    assert fresh.returncode == 0, fresh.stderr[-2000:]
    wanted = served.serve(tf.constant(HOSTILE))
    assert json.loads(fresh.stdout) == {name: v.numpy().tolist() for name, v in wanted.items()}


def test_a_prefix_that_words_can_hold_is_refused():
    for prefix in ("x", "xy", "#", ""):
        with pytest.raises(Error, match=f"prefix '{prefix}' of continuing pieces has no form"):
            GraphTokenizer(Tokenizer(ENTRIES, prefix=prefix))


def test_a_kind_without_a_graph_is_refused():
    class Morse:
        kind = "morse"

    tokenizer = Tokenizer(ENTRIES)
    tokenizer.model = Morse()
    with pytest.raises(Error, match="A morse tokenizer has no form in TensorFlow"):
        GraphTokenizer(tokenizer)
