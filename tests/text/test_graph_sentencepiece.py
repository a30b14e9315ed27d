"""SentencePiece in TensorFlow: equal to the models in Python on everything, also when saved."""

import json
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
from bertkit.text.sentencepiece import BPE, Unigram
from bertkit.text.template import xlnet

tf = pytest.importorskip("tensorflow")
from bertkit.text.graph import GraphTokenizer  # noqa: E402
from bertkit.text.graph_normalize import GraphNormalizer  # noqa: E402
from bertkit.text.graph_sentencepiece import MODELS  # noqa: E402

ENTRIES = entries()
NAMES = {"unk": UNKNOWN, "cls": "<s>", "sep": "</s>", "pad": "<pad>", "mask": "[MASK]"}
VARIANTS = [("albert", "blanks", True), ("charsmap", "blanks", True), ("accented", "blanks", True),
            ("bigbird", "spaces", True), ("older", "spaces", True), ("stripped", "blanks", False)]
HARD = [*HOSTILE, "▁", "▁▁a▁▁", " ▁ a", "a  b   c ", "xxxxxxxx\u3000xx", "``'''a'``'' '", "²\u0301x", "e\u0301\u0302\u0303",
        "\u0600e\u0301", "a\u0301\u0302 a\u0302\u0301", "\x01a\x01\x01 \x01", "İ ß ẞ"]
ALPHABET = st.one_of(st.sampled_from(sorted(set("".join(HOSTILE)))), st.sampled_from(ENTRIES), st.sampled_from([*RULES]),
                     st.sampled_from([*" ▁xxee\u0301'`", "  ", "x" * 7]), st.characters(exclude_categories=["Cs"]))
texts = st.lists(st.lists(ALPHABET, max_size=9).map("".join), min_size=1, max_size=6)


def model(kind, steps, words, prefix):
    shared = {"normalization": STEPS[steps], "charsmap": CHARSMAP, "words": words, "prefix": prefix}
    if kind == "unigram":
        return Unigram(ENTRIES, UNKNOWN, scores=scores(ENTRIES), **shared), ENTRIES
    vocabulary, merges = bpe_vocabulary()
    return BPE(vocabulary, UNKNOWN, merges=merges, **shared), vocabulary


PAIRS = {}


def pair(kind, variant):
    if (kind, variant) not in PAIRS:
        mine, vocabulary = model(kind, *variant)
        graph = MODELS[kind](mine, vocabulary)
        PAIRS[kind, variant] = mine, tf.function(graph, input_signature=[tf.TensorSpec([None], tf.string)])
    return PAIRS[kind, variant]


def assert_equal(mine, graph, batch):
    """Ids and offsets of a batch, in the graph and in Python."""
    ids, offsets = graph(tf.constant([text.encode() for text in batch]))
    for text, *found in zip(batch, ids.to_list(), offsets.to_list(), strict=True):
        assert found == [mine.encode(text).ids, [list(span) for span in mine.encode(text).offsets]], ascii(text)


@pytest.mark.parametrize(("kind", "variant"), [("unigram", variant) for variant in VARIANTS] + [
    ("bpe", variant) for variant in VARIANTS[1::2]], ids=str)
def test_hard_corpus(kind, variant):
    assert_equal(*pair(kind, variant), HARD)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(["unigram", "bpe"]), st.sampled_from(VARIANTS[1::2]), texts)
def test_random_texts(kind, variant, batch):
    assert_equal(*pair(kind, variant), batch)


def test_a_planted_fault_is_found():
    graph = MODELS["unigram"](Unigram(ENTRIES, UNKNOWN, scores=[*scores(ENTRIES)[:-1], -1]), ENTRIES)
    with pytest.raises(AssertionError):
        assert_equal(pair("unigram", VARIANTS[0])[0], graph, HARD)


def test_sums_of_scores_are_those_of_float64():
    # In float32 these sums are equal, and the first way to write the word would count.
    pieces = {"ab": -1.0, "c": -1e-9, "a": -0.5, "bc": -0.5}
    mine = Unigram([UNKNOWN, *pieces], UNKNOWN, scores=[0.0, *pieces.values()], prefix=False)
    assert mine.ids("abc") == [3, 4]
    assert_equal(mine, MODELS["unigram"](mine, [UNKNOWN, *pieces]), ["abc", "abcabc"])


@pytest.mark.parametrize("batch", [[], [""], ["", " ", ""], ["\x01"], ["", "a"]])
def test_texts_without_words(batch):
    for variant in VARIANTS[1::2]:
        assert_equal(*pair("unigram", variant), batch)
        assert_equal(*pair("bpe", variant), batch)


def test_bytes_that_are_no_text_read_as_replaced():
    mine, graph = pair("unigram", VARIANTS[1])
    ids, _ = graph(tf.constant([b"xx\xffxx"]))
    assert ids.to_list() == [mine.ids("xx\ufffdxx")]


@pytest.mark.parametrize("steps", [[["nfkd"]], [["nfc"], ["lowercase"]], [["replace", "aba", "x"]]])
def test_steps_without_a_form_are_refused(steps):
    with pytest.raises(Error, match="has no form in TensorFlow"):
        GraphNormalizer(steps, {})


@pytest.mark.parametrize("steps", [[["replace", "aa", "b"]], [["replace", "xy", "yx"], ["replace", "x", ""]],
                                   [["replace", "'''", "''"]], [["squeeze", "ab"], ["strip_left"], ["strip_right"]],
                                   [["nfd"], ["accents"], ["lowercase"], ["accents"]]])
def test_other_steps(steps):
    mine = Unigram(ENTRIES, UNKNOWN, scores=scores(ENTRIES), normalization=steps, words="spaces")
    batch = [*HARD, "aaaaa aaa", "xyxyx", "''''''' '''", "   a   ", "  ", "é\u0301É"]
    assert_equal(mine, MODELS["unigram"](mine, ENTRIES), batch)


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


@pytest.mark.parametrize("kind", ["unigram", "bpe"])
def test_a_saved_one_needs_tensorflow_alone(kind, tmp_path):
    mine = tokenizer(kind)
    module, length = tf.Module(), 30
    module.tokenizer = GraphTokenizer(mine)
    module.pack = tf.function(lambda first, second: module.tokenizer(first, second, length=length),
                              input_signature=[tf.TensorSpec([None], tf.string)] * 2)
    tf.saved_model.save(module, str(tmp_path / "saved"))
    first, second = HARD[:-1], HARD[1:]
    (tmp_path / "texts.json").write_text(json.dumps([first, second]))
    code = ("import json, sys, tensorflow as tf, tensorflow_text\n"
            f"first, second = json.load(open({str(tmp_path / 'texts.json')!r}))\n"
            f"found = tf.saved_model.load({str(tmp_path / 'saved')!r}).pack(tf.constant(first), tf.constant(second))\n"
            "assert not [name for name in sys.modules if name.split('.')[0] == 'bertkit']\n"
            "print(json.dumps({name: value.numpy().tolist() for name, value in found.items()}))")
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    for name, wanted in mine.pack(first, second, length=length).items():
        np.testing.assert_array_equal(json.loads(found)[name], wanted, err_msg=name)


@pytest.mark.parametrize("name", ["xlmr", "albert", "xlnet", "bigbird", "reformer"])
def test_sample_checkpoints(shared, name):
    mine = Tokenizer.load(shared(f"checkpoints/{name}/base"))
    assert_equal(mine.model, MODELS[mine.model.kind](mine.model, mine.model_vocabulary), HARD)
