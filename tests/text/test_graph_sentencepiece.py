"""SentencePiece in TensorFlow: equal to the models in Python on everything, also when saved."""

import functools
import json
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sentencepiece_references import CHARSMAP, RULES, STEPS, UNKNOWN, bpe_vocabulary, entries, scores
from text_references import HOSTILE

from bertkit.errors import Error
from bertkit.text import Tokenizer
from bertkit.text.models.sentencepiece import BPE, Unigram
from bertkit.text.template import xlnet

tf = pytest.importorskip("tensorflow")
from bertkit.text.graph.normalize import GraphNormalizer  # noqa: E402
from bertkit.text.graph.sentencepiece import MODELS  # noqa: E402
from bertkit.text.graph.tokenizer import GraphTokenizer  # noqa: E402

ENTRIES = entries()
NAMES = {"unk": UNKNOWN, "cls": "<s>", "sep": "</s>", "pad": "<pad>", "mask": "[MASK]"}
KINDS = [("unigram", "albert", "blanks", True), ("unigram", "older", "spaces", False),
         ("bpe", "reformer", "spaces", True)]
HARD = [*HOSTILE, "▁", "▁▁a▁▁", " ▁ a", "a  b   c ", "xxxxxxxx\u3000xx", "``'''a'``'' '", "²\u0301x",
        "e\u0301\u0302\u0303", "\u0600e\u0301", "a\u0301\u0302 a\u0302\u0301", "\x01a\x01\x01 \x01", "İ ß ẞ"]
ALPHABET = st.one_of(st.sampled_from(sorted(set("".join(HOSTILE)))), st.sampled_from(ENTRIES),
                     st.sampled_from([*RULES, *" ▁xxee\u0301'`", "  ", "x" * 7]),
                     st.characters(exclude_categories=["Cs"]))
texts = st.lists(st.lists(ALPHABET, max_size=9).map("".join), min_size=1, max_size=6)


def model(kind, steps, words, prefix):
    shared = {"normalization": STEPS[steps], "charsmap": CHARSMAP, "words": words, "prefix": prefix}
    if kind == "unigram":
        return Unigram(ENTRIES, UNKNOWN, scores=scores(ENTRIES), **shared), ENTRIES
    vocabulary, merges = bpe_vocabulary()
    return BPE(vocabulary, UNKNOWN, merges=merges, **shared), vocabulary


@functools.cache
def pair(*kind):
    mine, vocabulary = model(*kind)
    return mine, compiled(mine, vocabulary)


def compiled(mine, vocabulary):
    return tf.function(MODELS[mine.kind](mine, vocabulary), [tf.TensorSpec([None], tf.string)], autograph=False)


def assert_equal(mine, graph, batch):
    """Ids and offsets of a batch, in the graph and in Python."""
    ids, offsets = graph(tf.constant([text.encode() for text in batch], tf.string))
    for text, *found in zip(batch, ids.to_list(), offsets.to_list(), strict=True):
        assert found == [mine.encode(text).ids, [list(span) for span in mine.encode(text).offsets]], ascii(text)


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_hard_corpus(kind):
    assert_equal(*pair(*kind), HARD)


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(KINDS), texts)
def test_random_texts(kind, batch):
    assert_equal(*pair(*kind), batch)


def test_a_planted_fault_is_found():
    mine = Unigram(["<unk>", "a", "aa"], scores=[0, -1, -3])
    other = Unigram(["<unk>", "a", "aa"], scores=[0, -1, -1])
    with pytest.raises(AssertionError):
        assert_equal(mine, MODELS["unigram"](other, ["<unk>", "a", "aa"]), ["aa"])


def test_sums_of_scores_are_those_of_float64():
    # In float32 these sums are equal, and the first way to write the word would count.
    pieces = {"ab": -1.0, "c": -1e-9, "a": -0.5, "bc": -0.5}
    mine = Unigram([UNKNOWN, *pieces], UNKNOWN, scores=[0.0, *pieces.values()], prefix=False)
    assert mine.ids("abc") == [3, 4]
    assert_equal(mine, MODELS["unigram"](mine, [UNKNOWN, *pieces]), ["abc", "abcabc"])


@pytest.mark.parametrize("batch", [[], [""], ["", " ", ""], ["\x01"], ["", "a"]])
def test_texts_without_words(batch):
    for kind in KINDS:
        assert_equal(*pair(*kind), batch)


def test_bytes_that_are_no_text_read_as_replaced():
    mine, graph = pair(*KINDS[2])
    ids, _ = graph(tf.constant([b"xx\xffxx"]))
    assert ids.to_list() == [mine.ids("xx\ufffdxx")]


@pytest.mark.parametrize("steps", [[["replace", "aba", "x"]]])
def test_steps_without_a_form_are_refused(steps):
    with pytest.raises(Error, match="has no form in TensorFlow"):
        GraphNormalizer(steps, {})


@pytest.mark.parametrize("steps", [*(pytest.param(steps, marks=pytest.mark.slow) for steps in (
                                       [["nfkd"]], [["nfkc"], ["bert", "clean lowercase"]], [["nfd"]],
                                       [["nfc"], ["lowercase"]],
                                       [["replace", "xy", "yx"], ["replace", "x", ""], ["replace", "'''", "''"]])),
                                   [["lowercase"], ["bert", "clean ideographs accents"], ["nfc"]],
                                   [["replace", "aa", "b"], ["squeeze", "ab"], ["strip_left"], ["strip_right"]],
                                   [["nfd"], ["accents"], ["lowercase"], ["accents"]]])
def test_other_steps(steps):
    mine = Unigram(ENTRIES, UNKNOWN, scores=scores(ENTRIES), normalization=steps, words="spaces")
    batch = [*HARD, "aaaaa aaa", "xyxyx", "''''''' '''", "   a   ", "  ", "é\u0301É"]
    assert_equal(mine, compiled(mine, ENTRIES), batch)


def test_pieces_that_take_too_much_memory_are_refused():
    mine = Unigram([UNKNOWN, "x" * 300], UNKNOWN, scores=[0, -1])
    with pytest.raises(Error, match="A piece of 300 characters has no form in TensorFlow, which takes 256"):
        MODELS["unigram"](mine, [UNKNOWN, "x" * 300])


def tokenizer(kind):
    shared = {"normalization": STEPS["albert"], "charsmap": CHARSMAP, "special": NAMES,
              "controls": [*NAMES.values()], "template": xlnet("<s>", "</s>").settings()}
    if kind == "unigram":
        return Tokenizer(ENTRIES, "unigram", scores=scores(ENTRIES), **shared)
    vocabulary, merges = bpe_vocabulary()
    return Tokenizer(vocabulary, "bpe", merges=merges, **shared)


FRESH = """
import json, sys, tensorflow as tf, tensorflow_text
saved, texts = tf.saved_model.load(sys.argv[1]), tf.constant(json.load(sys.stdin))
found = {"unigram": saved.unigram(texts), "bpe": saved.bpe(texts)}
assert not [name for name in sys.modules if name.split(".")[0] == "bertkit"]
print(json.dumps({kind: {name: value.numpy().tolist() for name, value in batch.items()}
                  for kind, batch in found.items()}))
"""


@pytest.mark.slow
def test_saved_ones_need_tensorflow_alone(tmp_path):
    def served(graph):
        texts = tf.TensorSpec([None], tf.string)
        return tf.function(lambda texts: graph(texts, length=length), [texts], autograph=False)

    module, length, mine = tf.Module(), 30, {kind: tokenizer(kind) for kind in ("unigram", "bpe")}
    module.tokenizers = [GraphTokenizer(one) for one in mine.values()]
    module.unigram, module.bpe = map(served, module.tokenizers)
    tf.saved_model.save(module, str(tmp_path))
    fresh = subprocess.run([sys.executable, "-c", FRESH, tmp_path], input=json.dumps(HARD), text=True, cwd=tmp_path,
                           env=os.environ | {"PYTHONPATH": ""}, capture_output=True, check=False)
    assert fresh.returncode == 0, fresh.stderr[-2000:]
    for kind, found in json.loads(fresh.stdout).items():
        for name, wanted in mine[kind].pack(HARD, length=length).items():
            np.testing.assert_array_equal(found[name], wanted, err_msg=f"{kind} {name}")


def test_a_published_character_map(shared):
    mine = Tokenizer.load(shared("checkpoints/xlmr/base"))
    assert_equal(mine.model, compiled(mine.model, mine.model_vocabulary), HARD)
