"""SentencePiece models: Viterbi's search against all ways to write a word, and both models against `tokenizers`."""

import doctest
import importlib
import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sentencepiece_references import CHARSMAP, STEPS, UNKNOWN, bpe_vocabulary, entries, rust, scores
from text_references import HOSTILE

from bertkit.errors import Error
from bertkit.text.models.sentencepiece import BPE, Unigram

# Normalisation, words, prefix.
VARIANTS = [("albert", "blanks", True), ("charsmap", "blanks", True), ("accented", "blanks", True),
            ("bigbird", "spaces", True), ("reformer", "spaces", True), ("older", "spaces", True),
            ("none", "blanks", False), ("none", "spaces", False)]
ENTRIES = entries()
ALPHABET = st.one_of(st.sampled_from(sorted(set("".join(HOSTILE)))), st.sampled_from(ENTRIES),
                     st.sampled_from([*" ▁xxee\u0301", "  ", "x" * 7]), st.characters(exclude_categories=["Cs"]))
texts = st.lists(ALPHABET, max_size=12).map("".join)


def unigram(steps="charsmap", words="blanks", prefix=True, controls=()):
    return Unigram(ENTRIES, UNKNOWN, scores=scores(ENTRIES), normalization=STEPS[steps], charsmap=CHARSMAP, words=words,
                   prefix=prefix, controls=list(controls))


def bpe(steps="charsmap", words="blanks", prefix=True):
    vocabulary, merges = bpe_vocabulary()
    return BPE(vocabulary, UNKNOWN, merges=merges, normalization=STEPS[steps], charsmap=CHARSMAP, words=words,
               prefix=prefix)


def library(kind, steps, words, prefix):
    models = pytest.importorskip("tokenizers").models
    if kind == "unigram":
        vocabulary = list(zip(ENTRIES, scores(ENTRIES), strict=True))
        return rust(models.Unigram(vocabulary, unk_id=0), STEPS[steps], words, prefix)
    vocabulary, merges = bpe_vocabulary()
    return rust(models.BPE({entry: i for i, entry in enumerate(vocabulary)}, [tuple(m.split(" ")) for m in merges],
                           unk_token=UNKNOWN, fuse_unk=True), STEPS[steps], words, prefix)


PAIRS = {}


def pair(kind, variant):
    if (kind, variant) not in PAIRS:
        PAIRS[kind, variant] = {"unigram": unigram, "bpe": bpe}[kind](*variant), library(kind, *variant)
    return PAIRS[kind, variant]


def agree(model, reference, text):
    if UNKNOWN in model.normalizer(text):     # plain text here, but not in the library
        return
    wanted = reference.encode(text)
    assert model.ids(text) == wanted.ids, ascii(text)
    assert model.encode(text).ids == wanted.ids, ascii(text)
    if "\x01" not in text:                    # see test_normalize
        assert model.encode(text).offsets == wanted.offsets, ascii(text)


@pytest.mark.parametrize("kind", ["unigram", "bpe"])
@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_hard_corpus_equals_tokenizers(kind, variant):
    for text in [*HOSTILE, "▁", "▁▁a▁▁", " ▁ a", "a  b   c ", "xxxxxxxx\u3000xx"]:
        agree(*pair(kind, variant), text)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(["unigram", "bpe"]), st.sampled_from(VARIANTS), texts)
def test_random_text_equals_tokenizers(kind, variant, text):
    agree(*pair(kind, variant), text)


def ways(word, pieces, unknown):
    """Yield (score, number of pieces) of all ways to write a word; single characters may be unknown."""
    if not word:
        yield 0.0, 0
    for end in range(1, len(word) + 1):
        score = pieces.get(word[:end], unknown if end == 1 else None)
        if score is not None:
            yield from ((score + rest, count + 1) for rest, count in ways(word[end:], pieces, unknown))


@settings(deadline=None)
@given(st.dictionaries(st.text("abc", min_size=1, max_size=4), st.floats(-20, 0), min_size=1),
       st.text("abcd", max_size=9))
def test_no_way_to_write_a_word_is_better(pieces, word):
    vocabulary = [UNKNOWN, *pieces]
    model = Unigram(vocabulary, UNKNOWN, scores=[0.0, *pieces.values()], prefix=False)
    unknown = min(0.0, *pieces.values()) - 10
    found, score, runs = model.encode(word), 0.0, 0
    for i, (start, end) in zip(found.ids, found.offsets, strict=True):
        assert i == 0 or vocabulary[i] == word[start:end]
        score += pieces[vocabulary[i]] if i else unknown * (end - start)
        runs += i == 0
    assert math.isclose(score, max(score for score, _ in ways(word, pieces, unknown)), abs_tol=1e-9)
    assert runs == sum(key for key, _ in itertools.groupby(i == 0 for i in found.ids))


def test_of_equal_ways_the_one_with_the_longest_last_piece():
    model = Unigram([UNKNOWN, "a", "aa", "aaaa"], scores=[0, -1, -1, -2], prefix=False)
    assert model.encode("aaa").offsets == [(0, 1), (1, 3)]
    assert model.encode("aaaa").offsets == [(0, 4)]


def test_special_tokens_in_a_text_are_plain_text():
    model = unigram(controls=["<s>", "[MASK]"])
    for text in ("<s>", "a[MASK]b", "<unk>", "＜s＞"):
        assert not {0, ENTRIES.index("<s>"), ENTRIES.index("[MASK]")} & set(model.ids(text)) - {0}
    assert ENTRIES.index("<s>") in unigram().ids("<s>")


@pytest.mark.parametrize("kind", ["unigram", "bpe"])
def test_settings_and_tables_make_the_model_again(kind):
    model = pair(kind, VARIANTS[0])[0]
    again = type(model)(ENTRIES if kind == "unigram" else bpe_vocabulary()[0], UNKNOWN, **model.settings(),
                        **model.tables())
    assert again.settings() == model.settings() and again.tables() == model.tables()
    for text in HOSTILE:
        assert again.encode(text) == model.encode(text)


def test_a_remembered_word_is_cut_the_same_again(monkeypatch):
    monkeypatch.setattr("bertkit.text.models.sentencepiece.CACHED_WORDS", 2)
    model, fresh = unigram(), unigram()
    for text in HOSTILE * 2:
        assert model.ids(text) == fresh.ids(text) == model.encode(text).ids


def test_lone_surrogates_are_unknown():
    assert unigram().encode("xx\ud800xx")[1] == [(0, 1), (0, 2), (2, 3), (3, 5)]
    assert unigram().ids("xx\ud800xx")[2] == 0


@pytest.mark.parametrize(("change", "message"), [
    ({"scores": [0.0]}, "1 scores came with 3 entries of the vocabulary; give one finite number for each"),
    ({"scores": [0.0, math.nan, 1.0]}, "give one finite number for each"),
    ({"scores": [0.0, "1", 1.0]}, "give one finite number for each"),
    ({"unknown": "[UNK]"}, r"has no \[UNK\]; give one with the unknown token"),
    ({"words": "tabs"}, "words is 'tabs'; give blanks or spaces"),
    ({"prefix": 1}, "prefix is 1; give one of type bool"),
    ({"casing": 1}, "'casing' is unknown; known are normalization, words, prefix, controls"),
    ({"charsmap": "?"}, "is not in base64; copy"), ({"charsmap": 5}, "is not in base64; copy"),
    ({"normalization": [["upper"]]}, r"step \['upper'\] is unknown; bertkit has nfc")])
def test_what_cannot_be_used_is_told(change, message):
    with pytest.raises(Error, match=message):
        Unigram(**{"vocabulary": [UNKNOWN, "a", "b"], "unknown": UNKNOWN, "scores": [0, -1, -2]} | change)


def test_merges_of_entries_that_are_not_there_are_refused():
    with pytest.raises(Error, match="The merge 'a c', number 1, is not of two entries"):
        BPE([UNKNOWN, "a", "ac"], merges=["a c"])


@pytest.mark.parametrize("name", ["models.sentencepiece", "formats.sentencepiece", "unicode.normalize", "models.merges",
                                  "unicode.tables"])
def test_examples(name):
    result = doctest.testmod(importlib.import_module(f"bertkit.text.{name}"))
    assert result.attempted and not result.failed
