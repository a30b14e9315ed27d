"""BPE with byte fallback: against merging by hand, in the graph, and what it refuses."""

import json
import shutil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bertkit.errors import Error
from bertkit.text import Tokenizer
from bertkit.text.decoding import decode
from bertkit.text.models.byte_fallback import ByteFallback
from tests.recorded import GOLDEN

FOLDER = GOLDEN / "families" / "mmbert"
BYTES = [f"<0x{byte:02X}>" for byte in range(256)]
LETTERS = ["<unk>", *BYTES, "▁", "a", "b", "é"]
SPACES = [["replace", " ", "▁"]]
# merges that stay behind a ▁, and some that cross one
INSIDE, ACROSS = ["a b", "▁ a", "▁ ▁", "ab ab", "▁ ab"], ["a b", "b ▁", "ab ▁", "▁ a", "a ▁a"]


def model(merges):
    return ByteFallback(LETTERS + [merge.replace(" ", "") for merge in merges], "<unk>", merges,
                        normalization=SPACES)


def by_hand(entries, merges, text):
    """Return (entry, offsets) of a text: the earliest pair that occurs, at its leftmost place, until none is left."""
    symbols = [(piece, place, place + 1) for place, c in enumerate(text.replace(" ", "▁"))
               for piece in ([c] if c in entries else [f"<0x{byte:02X}>" for byte in c.encode()])]
    while True:
        pairs = [(merges.index(f"{one[0]} {two[0]}"), i) for i, (one, two) in enumerate(zip(symbols, symbols[1:],
                 strict=False)) if f"{one[0]} {two[0]}" in merges]
        if not pairs:
            return [piece for piece, _, _ in symbols], [(start, end) for _, start, end in symbols]
        _, i = min(pairs)
        symbols[i:i + 2] = [(symbols[i][0] + symbols[i + 1][0], symbols[i][1], symbols[i + 1][2])]


@pytest.mark.parametrize("merges, cuts", [(INSIDE, True), (ACROSS, False)], ids=["inside", "across"])
@settings(max_examples=150, deadline=None)
@given(text=st.text("ab é▁\nX\U0001f600", max_size=30))
def test_equals_merging_by_hand(merges, cuts, text):
    made = model(merges)
    assert made.cuts_at_spaces == cuts
    entries = {entry: i for i, entry in enumerate(LETTERS + [merge.replace(" ", "") for merge in merges])}
    pieces, offsets = by_hand(entries, merges, text)
    found = made.encode(text)
    assert found.ids == made.ids(text) == [entries[piece] for piece in pieces]
    assert found.offsets == offsets


@pytest.mark.parametrize("merges", [
    pytest.param(INSIDE, id="inside", marks=pytest.mark.slow), pytest.param(ACROSS, id="across")])
@settings(max_examples=40, deadline=None)
@given(texts=st.lists(st.text("ab é▁\nX\U0001f600\u0800", max_size=20), min_size=1, max_size=4))
def test_the_graph_gives_the_same(merges, texts):
    tf = pytest.importorskip("tensorflow")
    pytest.importorskip("tensorflow_text")
    from bertkit.text.graph.byte_fallback import MODELS
    made = model(merges)
    vocabulary = LETTERS + [merge.replace(" ", "") for merge in merges]
    ids, offsets = MODELS["bytefallback"](made, vocabulary)(tf.constant(texts))
    assert ids.to_list() == [made.ids(text) for text in texts]
    assert [[tuple(pair) for pair in row] for row in offsets.to_list()] == [made.encode(text).offsets for text in texts]


@pytest.mark.parametrize("text", ["Caf\u00e9 \u4e2d\u6587", "two  spaces\n\nlines", "\U0001f600 end", "\u2581", "a\tb"])
def test_a_text_comes_back(text):
    tokenizer = Tokenizer.load(FOLDER)
    assert decode(tokenizer, tokenizer.ids([text])[0]) == text.replace("\u2581", " ").strip()


def test_a_lone_surrogate_is_the_replacement_character():
    assert model(INSIDE).ids("a\ud800") == model(INSIDE).ids("a\ufffd")


def test_it_is_saved_and_restored(tmp_path):
    tokenizer = Tokenizer.load(FOLDER)
    again = Tokenizer.restore(tmp_path, tokenizer.save(tmp_path))
    assert again.settings() == tokenizer.settings() and again.ids(["a Caf\u00e9"]) == tokenizer.ids(["a Caf\u00e9"])


@pytest.mark.parametrize("entries, merges, options, words", [
    ([entry for entry in LETTERS if entry != "<0x0A>"], (), {}, "has no <0x0A>"),
    ([*LETTERS, "<0xC3><0xA9>"], ["<0xC3> <0xA9>"], {}, "A merge joins <0xA9>|A merge joins <0xC3>"),
    (LETTERS, ["a x"], {}, "The merge 'a x', number 1")], ids=["byte", "merged bytes", "merge"])
def test_what_it_cannot_read_is_refused(entries, merges, options, words):
    with pytest.raises(Error, match=words):
        ByteFallback(entries, "<unk>", merges, **options)


@pytest.mark.parametrize("part, value, words", [
    ("pre_tokenizer", {"type": "Split", "pattern": {"Regex": "a"}, "behavior": "Isolated", "invert": False},
     "its model has byte_fallback and its pre_tokenizer splits texts"),
    ("normalizer", None, "wanted none, or a Split at spaces behind a normalizer"),
    ("normalizer", {"type": "Prepend", "prepend": "\u2581"}, "its normalizer is Prepend")])
def test_another_pipeline_is_refused(part, value, words, tmp_path):
    shutil.copytree(FOLDER, tmp_path, dirs_exist_ok=True)
    content = json.loads((tmp_path / "tokenizer.json").read_text())
    (tmp_path / "tokenizer.json").write_text(json.dumps(content | {part: value}))
    with pytest.raises(Error, match=words):
        Tokenizer.load(tmp_path)
