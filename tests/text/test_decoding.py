"""Ids back to texts, for each kind of tokenizer."""

import pytest

from bertkit.text import Tokenizer
from bertkit.text.decoding import decode
from bertkit.text.models.bytelevel import letters
from tests import tiny


@pytest.mark.parametrize("text", ["good film, with a bad story.", "the actor!", "films", ""])
def test_wordpiece_gives_what_it_was_given(text):
    tokenizer = tiny.tokenizer()
    assert decode(tokenizer, tokenizer.pack_ids(tokenizer.ids([text])[0], None, 40)[0]) == text


def test_byte_level_pieces_are_bytes(shared):
    tokenizer = Tokenizer.load(shared("checkpoints/roberta/base"))
    text = "naïve 日本 — don't (go)"
    assert decode(tokenizer, tokenizer.ids([text])[0]) == text


def test_sentencepiece_blanks_come_back(shared):
    tokenizer = Tokenizer.load(shared("checkpoints/albert/base"))
    ids = tokenizer.ids(["the film was good"])[0]
    pieces = [tokenizer.vocabulary[i] for i in ids]
    assert decode(tokenizer, ids) == "".join(piece for piece in pieces if piece != "<unk>").replace("▁", " ").strip()


def test_the_pieces_of_two_other_kinds():
    special = {"cls": "<s>", "sep": "</s>", "unk": "<unk>", "pad": None, "mask": None}
    byte = Tokenizer(["<s>", "</s>", "<unk>", "Ġgo", "od", "Ã©", *letters()], kind="bytelevel", special=special)
    assert decode(byte, [0, 3, 4, 5, 1]) == "goodé"
    unigram = Tokenizer(["<s>", "</s>", "<unk>", "▁go", "od", "é"], kind="unigram", special=special,
                        scores=[0.0] * 6)
    assert decode(unigram, [0, 3, 4, 5, 3, 1]) == "goodé go"
