"""A vocabulary of fewer entries: texts that are used split as before, words of removed entries into what is left."""

import numpy as np
import pytest

from bertkit import checkpoints
from bertkit.compress.removal import keep_entries, named_ids
from bertkit.compress.vocabulary import frequent_entries, merged_entries, texts_of, trimmed, used_entries
from bertkit.errors import Error
from bertkit.text import Tokenizer
from bertkit.text.formats import huggingface
from tests import tiny
from tests.recorded import GOLDEN

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
# "abcd" is unknown, because nothing goes on after "abc"; without "abc" it would be "ab ##cd".
UNKNOWN = Tokenizer([*SPECIAL, "abc", "ab", "##cd", "a", "x", "##x"])
TEXTS = ["The cold film, the warm story!", "a new zoo", "good 东 caf\u00e9", ""]
HOSTILE = ["", " ", "zoo", "actor's scene", "na\u00efve caf\u00e9s", "\U0001f600", "x" * 200, "12,000 zebras"]
KINDS = {"wordpiece": "families/bert", "bytelevel": "families/roberta", "unigram": "families/xlm_roberta"}


def tokenizer(kind):
    return Tokenizer.load(GOLDEN / KINDS[kind])


def tokens(one, texts):
    return [encoding.tokens for encoding in one.encode(texts)]


@pytest.mark.parametrize("kind", KINDS)
def test_texts_that_are_used_split_as_before_by_each_kind_of_tokenizer(kind):
    whole = tokenizer(kind)
    ids = used_entries(whole, TEXTS)
    small = trimmed(whole, ids)
    assert tokens(small, TEXTS) == tokens(whole, TEXTS) and len(small) == len(ids) < len(whole)
    assert [e.offsets for e in small.encode(TEXTS)] == [e.offsets for e in whole.encode(TEXTS)]
    np.testing.assert_array_equal(np.array(ids)[small.pack(TEXTS, length=24)["token_ids"]],
                                  whole.pack(TEXTS, length=24)["token_ids"])
    assert [whole.vocabulary[i] for i in ids] == list(small.vocabulary)


@pytest.mark.parametrize("kind", KINDS)
def test_every_subset_of_texts_splits_as_before(kind):
    """Drawn texts, drawn again: what is kept for many texts is enough for each of them."""
    whole, rng = tokenizer(kind), np.random.default_rng(0)
    pieces = [entry.removeprefix("##").replace("\u2581", " ").replace("\u0120", " ") for entry in whole.vocabulary]
    for _ in range(5):
        texts = ["".join(rng.choice(pieces, 6)) + " " + " ".join(rng.choice(pieces, 4)) for _ in range(20)]
        small = trimmed(whole, used_entries(whole, texts))
        assert tokens(small, texts) == tokens(whole, texts)


def test_what_an_unknown_word_is_matched_by_stays_so_that_it_stays_unknown():
    assert tokens(UNKNOWN, ["abcd"]) == [["[UNK]"]]
    small = trimmed(UNKNOWN, used_entries(UNKNOWN, ["abcd ab acd"]))
    assert tokens(small, ["abcd ab acd"]) == [["[UNK]", "ab", "a", "##cd"]]
    assert tokens(trimmed(UNKNOWN, [i for i in range(len(UNKNOWN)) if i != 5]), ["abcd"]) == [["ab", "##cd"]]


def test_unknown_characters_cost_what_they_cost():
    """The lowest score stays, though no text uses "zz": with -20 in its place "abc" and an unknown "d" were best."""
    none = dict.fromkeys(("cls", "sep", "pad", "mask"))
    whole = Tokenizer(["<unk>", "\u2581", "ab", "cd", "abc", "zz"], "unigram", {"unk": "<unk>", **none},
                      scores=[0, -1, -20, -20, -1, -40])
    texts = ["abcd", "abc"]
    assert tokens(whole, texts) == [["\u2581", "ab", "cd"], ["\u2581", "abc"]]
    assert tokens(trimmed(whole, used_entries(whole, texts)), texts) == tokens(whole, texts)
    assert tokens(trimmed(whole, [0, 1, 2, 3, 4]), texts) != tokens(whole, texts)


def test_special_entries_and_single_characters_stay():
    whole = tiny.tokenizer()
    kept = {whole.vocabulary[i] for i in used_entries(whole, ["good"])}
    assert kept == {"good", *(e for e in whole.vocabulary if len(e.removeprefix("##")) == 1), *whole.special.values()}


def test_the_most_frequent_entries_stay_and_removed_words_become_pieces():
    whole, texts = tiny.tokenizer(), ["good good film"] * 3 + ["dull story"]
    characters = sum(len(entry.removeprefix("##")) == 1 for entry in whole.vocabulary)
    size = characters + 5 + 2
    small = trimmed(whole, frequent_entries(whole, texts, size))
    assert len(small) == size and {"good", "film"} <= set(small.vocabulary) and "dull" not in small.vocabulary
    assert tokens(small, ["dull film"]) == [["d", "##u", "##l", "##l", "film"]]


def test_where_characters_are_too_many_those_of_ascii_and_of_texts_stay(capsys):
    letters = [chr(0x4e00 + i) for i in range(200)]
    whole = Tokenizer([*SPECIAL, "good", "a", "##a", *letters])
    small = trimmed(whole, frequent_entries(whole, ["good " + letters[7]], 12))
    assert len(small) == 12 and {"good", "a", "##a", letters[7]} <= set(small.vocabulary)
    assert "single characters that are beyond ASCII" in capsys.readouterr().err


def test_an_entry_that_characters_cannot_write_stays_where_it_is_used():
    whole = Tokenizer([*SPECIAL, *"abc", "##b", "##c", "bxc", "abc", "cab", "bcb"])
    small = trimmed(whole, frequent_entries(whole, ["bxc", "abc abc"], 11))
    assert tokens(small, ["bxc abc"]) == [["bxc", "a", "##b", "##c"]]


@pytest.mark.parametrize("kind", ["bytelevel", "unigram"])
def test_so_many_entries_of_other_kinds_leave_no_word_unknown_that_was_known(kind):
    whole = tokenizer(kind)
    size = (len(whole) + 2 * len(used_entries(whole, []))) // 3
    small = trimmed(whole, frequent_entries(whole, TEXTS, size))
    assert len(small) == size
    for one, two in zip(tokens(whole, HOSTILE), tokens(small, HOSTILE), strict=True):
        assert whole.special.get("unk") in one or small.special.get("unk") not in two


def test_merges_on_the_way_to_an_entry_stay_with_it():
    ranks = {("h", "e"): 0, ("t", "he"): 1, ("the", "r"): 2}
    assert merged_entries("ther", ranks) == {"he", "the", "ther"}
    whole = tokenizer("bytelevel")
    small = trimmed(whole, frequent_entries(whole, TEXTS, 300))
    kept = set(small.vocabulary)
    assert all({left, right, left + right} <= kept for left, right in
               (merge.split(" ") for merge in small.model.tables()["merges"]))


@pytest.mark.slow
def test_it_is_written_and_read_again(tmp_path):
    for kind in KINDS:
        small = trimmed(tokenizer(kind), used_entries(tokenizer(kind), TEXTS))
        (tmp_path / kind).mkdir()
        again = Tokenizer.restore(tmp_path / kind, small.save(tmp_path / kind))
        assert tokens(again, TEXTS + HOSTILE) == tokens(small, TEXTS + HOSTILE)
        (tmp_path / kind / "theirs").mkdir()
        huggingface.write(tmp_path / kind / "theirs", small)
        assert tokens(Tokenizer.load(tmp_path / kind / "theirs"), TEXTS + HOSTILE) == tokens(small, TEXTS + HOSTILE)


@pytest.mark.slow
@pytest.mark.parametrize("family", ["bert", "roberta", "xlm_roberta", "albert", "electra", "distilbert", "longformer",
                                    "bigbird", "modernbert", "mobilebert", "xlnet"])
def test_a_model_of_every_family_answers_as_before(family):
    folder = GOLDEN / "families" / family
    model, whole = checkpoints.load(folder, part="encoder"), Tokenizer.load(folder)
    ids = used_entries(whole, TEXTS, named_ids(model.config))
    small, trim = keep_entries(model, ids), trimmed(whole, ids)
    assert small.config.vocabulary_size == len(trim) < model.config.vocabulary_size
    sides = [one(tokenizer.pack(TEXTS, length=16)) for one, tokenizer in ((model, whole), (small, trim))]
    np.testing.assert_allclose(*(side["sequence"] for side in sides), atol=1e-6)


@pytest.mark.parametrize("size, words", [(3, "is too few"), (10**6, "is more than the")])
def test_sizes_that_cannot_be_are_refused(size, words):
    with pytest.raises(Error, match=words):
        frequent_entries(tiny.tokenizer(), ["good"], size)


def test_a_kind_that_is_not_trimmed_is_refused_by_name():
    none = dict.fromkeys(("cls", "sep", "pad", "mask"))
    whole = Tokenizer(["<unk>", "\u2581", "a", "b", "ab"], "bpe", {"unk": "<unk>", **none}, merges=["a b"])
    with pytest.raises(Error, match="of the kind bpe is not trimmed"):
        used_entries(whole, ["ab"])


def test_the_texts_of_every_form_of_input_are_found():
    assert texts_of(["one", (b"two", "three"), ["four", "five"]]) == [
        "one", "two", "three", "four", "five", "four five"]
