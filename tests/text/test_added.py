"""Added tokens: where they are found, against the library `tokenizers`, in Python and in TensorFlow."""

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
NAMES = {"unk": "<unk>", "cls": "<s>", "sep": "</s>", "pad": "<pad>", "mask": "<mask>"}
ADDED = ["<s>", "<pad>", "</s>", "<unk>", {"content": "<mask>", "special": True, "lstrip": True},
         *({"content": content, "special": False} for content in ("   ", "  ", "[x]+", "[x]")), "<mask><s>"]
TOKENIZER = Tokenizer(VOCABULARY, kind="bytelevel", special=NAMES, added=ADDED, merges=MERGES)


def reference(plain):
    """Return the library with the same added tokens; `plain` lets it read the special ones as text."""
    from tokenizers import AddedToken
    found = rust(VOCABULARY, MERGES)
    for token in TOKENIZER.added:
        flags = {"lstrip": token.lstrip, "normalized": not token.special}
        add = found.add_special_tokens if token.special else found.add_tokens
        add([AddedToken(token.content, **flags)])
    found.encode_special_tokens = plain
    return found


REFERENCES = {special: reference(plain=not special) for special in (False, True)}
texts = st.lists(st.sampled_from(["<mask>", "<s>", "</s>", "<pad", " ", "  ", "a", "é", "[x]", "+", "\n", ">", "\u3000",
                                  "\x1c", "ma"]), max_size=12).map("".join)


@settings(max_examples=300)
@given(texts, st.booleans())
@example("a \u3000 <mask><mask> <mask><s>   [x]+[x]   b", True)
def test_tokens_are_found_as_by_tokenizers(text, special_tokens):
    wanted = REFERENCES[special_tokens].encode(text)
    (encoding,) = TOKENIZER.encode([text], special_tokens)
    assert encoding.ids == wanted.ids
    assert TOKENIZER.ids([text], special_tokens) == [wanted.ids]


@pytest.fixture(scope="module")
def graph():
    tf = pytest.importorskip("tensorflow")
    from bertkit.text.graph.tokenizer import GraphTokenizer
    tokenizer = GraphTokenizer(TOKENIZER, 500)
    return tf.function(lambda texts: tokenizer(texts, offsets=True), input_signature=[tf.TensorSpec([None], tf.string)])


@settings(max_examples=60, deadline=None)
@given(batch=st.lists(texts, min_size=1, max_size=6))
def test_tokens_are_found_in_the_graph(graph, batch):
    found = {name: values.numpy() for name, values in graph(batch).items()}
    for i, encoding in enumerate(TOKENIZER.encode(batch)):
        real = slice(1, 1 + len(encoding.ids))
        assert found["token_ids"][i, real].tolist() == encoding.ids
        assert found["offsets"][i, real].tolist() == [list(pair) for pair in encoding.offsets]
        assert found["padding_mask"][i].sum() == len(encoding.ids) + 2


def test_offsets_cover_the_token_alone():
    text = "a  <mask>   b"
    offsets = TOKENIZER.encode([text], special_tokens=True)[0].offsets
    assert [text[a:b] for a, b in offsets] == ["a", "<mask>", "   ", "b"]


def test_a_splitter_takes_what_begins_first_and_is_longest():
    splitter = Splitter([Added("ab"), Added("abc"), Added("."), Added("x", lstrip=True)])
    assert [*splitter("abcab. \t x")] == [(0, 3, "abc"), (3, 5, "ab"), (5, 6, "."), (6, 10, "x")]
    assert [*Splitter([])("ab")] == [(0, 2, None)] and [*Splitter([])("")] == []


def test_blanks_are_those_of_unicode():
    assert len(BLANKS) == 25 and not {"\x1c", "\u180e", "\u200b"} & set(BLANKS)


def test_a_token_is_a_string_or_its_fields():
    for value in ("<x>", {"content": "<x>", "special": False, "lstrip": True}):
        assert Added.of(json.loads(json.dumps(value))).settings() == value


@pytest.mark.parametrize("value", ["", 3, {"special": True}, {"content": ""}, ["<x>"]])
def test_a_malformed_token_is_refused(value):
    with pytest.raises(Error, match="is malformed; give its text, or an object with its content"):
        Added.of(value)


def test_a_plain_token_that_takes_blanks_along_has_no_graph():
    pytest.importorskip("tensorflow")
    from bertkit.text.graph.tokenizer import GraphTokenizer
    added = [{"content": "[x]", "special": False, "lstrip": True}]
    with pytest.raises(Error, match="'.x.' takes the blanks before it along, which has no form in TensorFlow"):
        GraphTokenizer(Tokenizer(VOCABULARY, kind="bytelevel", special=NAMES, added=added, merges=MERGES))
