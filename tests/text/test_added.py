"""Added tokens: where they are found, against the library `tokenizers`, in Python and in TensorFlow."""

import functools
import json

import pytest
from bytelevel_references import rust, trained
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bertkit.errors import Error
from bertkit.text import Tokenizer
from bertkit.text.added import BLANKS, Added, Splitter

pytest.importorskip("tokenizers")
VOCABULARY, MERGES = trained()
ENTRIES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]",
           *"abcdeghmorsuvx0123456789[]+-.,<>/\u6f22\u5b57", "##s", "river"]
NAMES = {"unk": "<unk>", "cls": "<s>", "sep": "</s>", "pad": "<pad>", "mask": "<mask>"}


def plain(content, **flags):
    return {"content": content, "special": False, **flags}


TOKENIZERS = {
    "bytes": Tokenizer(VOCABULARY, kind="bytelevel", special=NAMES, merges=MERGES, added=[
        "<s>", "<pad>", "</s>", "<unk>", {"content": "<mask>", "special": True, "lstrip": True},
        *map(plain, ("   ", "  ", "[x]+", "[x]")), "<mask><s>"]),
    "composed": Tokenizer(VOCABULARY, kind="bytelevel", special=NAMES, merges=MERGES, prefix_space=True, added=[
        *NAMES.values(), {"content": "<e>", "rstrip": True}, plain("\u00e9a", normalized=True),
        plain("[x]", lstrip=True, rstrip=True),
        plain("ma", single_word=True)], normalization=[["nfc"]]),
    "uncased": Tokenizer(ENTRIES, added=[
        "[MASK]", "[E1]", {"content": "[/E1]", "rstrip": True},
        plain("Covid-19", normalized=True), plain("covid", normalized=True),
        plain("\u00c9\u6f22", normalized=True, single_word=True),
        plain("RIVER", normalized=True, lstrip=True, rstrip=True),
        plain("ma", single_word=True), plain("1", single_word=True)]),
    "cased": Tokenizer(ENTRIES, lowercase=False, strip_accents=False,
                       added=["[MASK]", "[E1]", plain("River", normalized=True)]),
}
PAIRS = [(name, special) for name in TOKENIZERS for special in (False, True)]


def reference(tokenizer, special_tokens):
    """Return the library with the added tokens that are recognised."""
    import tokenizers as library
    if tokenizer.model.kind == "bytelevel":
        found = rust(VOCABULARY, MERGES, tokenizer.model.prefix_space, bool(tokenizer.model.normalization))
    else:
        ids = {entry: i for i, entry in enumerate(ENTRIES)}
        found = library.Tokenizer(library.models.WordPiece(ids, unk_token="[UNK]"))
        cased = not tokenizer.model.settings()["lowercase"]
        found.normalizer = library.normalizers.BertNormalizer(lowercase=not cased)
        found.pre_tokenizer = library.pre_tokenizers.BertPreTokenizer()
    tokens = [library.AddedToken(**{"special": True} | ({"content": value} if isinstance(value, str) else value) | {
        "normalized": token.normalized}) for token in tokenizer.added for value in [token.settings()]]
    found.add_tokens(tokens)                                          # all of them, for the ids
    if special_tokens:
        return found
    content = json.loads(found.to_str())
    roles = set(tokenizer.special.values())
    content["added_tokens"] = [token for token in content["added_tokens"] if token["content"] not in roles]
    return library.Tokenizer.from_str(json.dumps(content))


REFERENCES = {pair: reference(TOKENIZERS[pair[0]], pair[1]) for pair in PAIRS}
texts = st.lists(st.sampled_from([
    "<mask>", "<s>", "</s>", "<pad", " ", "  ", "a", "\u00e9", "e\u0301", "[x]", "+", "\n", ">", "\u3000", "\x1c", "ma",
    "[E1]", "[/E1]", "<e>",
    "[MASK]", "covid", "COVID", "-19", "river", "River", "\u00c9\u6f22", "\u6f22", "E\u0301", "1", "_", "\u00b2", "."]),
    max_size=12).map("".join)


@settings(max_examples=300)
@given(texts, st.sampled_from(PAIRS))
@example("a \u3000 <mask><mask> <mask><s>   [x]+[x]   b", ("bytes", True))
@example("a COVID-19 [E1] e\u0301\u6f22 River [MASK] [/E1] x", ("uncased", False))
@example("a <e> \u3000a  [x] \n b", ("composed", False))
def test_tokens_are_found_as_by_tokenizers(text, pair):
    tokenizer, wanted = TOKENIZERS[pair[0]], REFERENCES[pair].encode(text)
    (encoding,) = tokenizer.encode([text], pair[1])
    assert encoding.ids == wanted.ids
    assert tokenizer.ids([text], pair[1]) == [wanted.ids]
    # The blanks that a token takes along are not part of it here.
    flags = {token.content for token in tokenizer.added if token.lstrip or token.rstrip}
    for token, found, (begin, end) in zip(encoding.tokens, encoding.offsets, wanted.offsets, strict=True):
        inside = begin <= found[0] < found[1] <= end and found[1] - found[0] == len(token)
        # The library takes the space that it puts before a stretch behind a token for one of the text.
        prefixed = tokenizer.model.kind == "bytelevel" and tokenizer.model.prefix_space and token.startswith("\u0120")
        spaced = token.isspace() or prefixed and found[1] in (found[0], end)
        assert found == (begin, end) or token in flags and inside or spaced


@pytest.fixture(scope="module")
def graph_of():
    tf = pytest.importorskip("tensorflow")
    from bertkit.text.graph.tokenizer import GraphTokenizer

    @functools.cache
    def compiled(name):
        made = GraphTokenizer(TOKENIZERS[name], 500)
        return tf.function(lambda texts: made(texts, offsets=True), input_signature=[tf.TensorSpec([None], tf.string)])
    return compiled


@pytest.mark.slow
@pytest.mark.parametrize("name", ["uncased", *(pytest.param(name, marks=pytest.mark.slow)
                                               for name in ("composed", "bytes", "cased"))])
@settings(max_examples=30, deadline=None)
@given(batch=st.lists(texts, min_size=1, max_size=6))
@example(["", "a COVID-19 [E1] e\u0301\u6f22 River [MASK] [/E1] x", "xRIVER", " ma 1_1 1 \u00b2ma\u00b2",
          "a <e> \u3000a  [x] \n b"])
def test_tokens_are_found_in_the_graph(graph_of, name, batch):
    found = {key: values.numpy() for key, values in graph_of(name)(batch).items()}
    for i, encoding in enumerate(TOKENIZERS[name].encode(batch)):
        real = slice(1, 1 + len(encoding.ids))
        assert found["token_ids"][i, real].tolist() == encoding.ids
        assert found["offsets"][i, real].tolist() == [list(pair) for pair in encoding.offsets]
        assert found["padding_mask"][i].sum() == len(encoding.ids) + 2


def test_offsets_cover_the_token_alone():
    text = "a <mask>   b"
    offsets = TOKENIZERS["bytes"].encode([text], special_tokens=True)[0].offsets
    assert [text[a:b] for a, b in offsets] == ["a", "<mask>", "   ", "b"]


def test_a_splitter_takes_what_begins_first_and_is_longest():
    splitter = Splitter([Added("ab"), Added("abc"), Added("."), Added("x", lstrip=True)])
    assert [*splitter("abcab. \t x")] == [(0, 3, "abc"), (3, 5, "ab"), (5, 6, "."), (9, 10, "x")]
    assert [*Splitter([])("ab")] == [(0, 2, None)] and [*Splitter([])("")] == []


def test_blanks_are_those_of_unicode():
    assert len(BLANKS) == 25 and not {"\x1c", "\u180e", "\u200b"} & set(BLANKS)


def test_a_token_is_a_string_or_its_fields():
    for value in ("<x>", {"content": "<x>", "special": False, "lstrip": True}):
        assert Added.of(json.loads(json.dumps(value))).settings() == value


@pytest.mark.parametrize("value", ["", 3, {"special": True}, {"content": ""}, ["<x>"],
                                   {"content": "x", "lstrip": 1}, {"content": "x", "__type": "AddedToken"}])
def test_a_malformed_token_is_refused(value):
    with pytest.raises(Error, match="is malformed; give its text, or an object|; give true or false for"):
        Added.of(value)
