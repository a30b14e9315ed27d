"""The words of LLaMA 3, cut as by the library `tokenizers`, in Python and in the graph; words that are entries."""

import json

import pytest
from bytelevel_references import TEXTS, trained
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bertkit.errors import Error
from bertkit.text import Tokenizer
from bertkit.text.formats import huggingface
from bertkit.text.formats.bytelevel import LLAMA
from bertkit.text.models.bytelevel import ByteLevel, letters

tokenizers = pytest.importorskip("tokenizers")
VOCABULARY, MERGES = trained()
WHOLE = ("123", "\u0120zzz", "\u010a\u010a")             # entries that no merges make
MODEL = ByteLevel([*VOCABULARY, *WHOLE], merges=MERGES, words="llama3", whole_words=True)
SPLIT = tokenizers.pre_tokenizers.Split(tokenizers.Regex(LLAMA["pattern"]["Regex"]), "isolated")
HARD = ["don't we'LL I'Ve it'S 'sab 'sx'd", "'\u017fy '\u017f", " 's", "\t's", "!'s",
        "1234567 \u0663\u0664\u0665\u0666 12a", "!a", " !a", "\t!a", "!!a", "\u3000!a", "\u00a0a", "!\n\n  x",
        "!\r\n!\n",
        "a\n \n b", "  \n  x", " \n\t\n",
        "\n \n", "a \n\n  ", "   ", " 1", "  1", "x\n'll", "'l", "'r", "'\u017f", "a'", "zzz 123 zzz\n\nx 1234"]
ALPHABET = st.one_of(st.sampled_from(" \n\r\t'\u017fsStmdrRevVlL1!?a\u00a0\u6f22"),
                     st.sampled_from(sorted(set("".join(TEXTS)))), st.characters(exclude_categories=["Cs"]))


def reference():
    """Return the tokenizer of the library."""
    ids = {entry: i for i, entry in enumerate([*VOCABULARY, *WHOLE])}
    made = tokenizers.Tokenizer(tokenizers.models.BPE(ids, [tuple(m.split(" ")) for m in MERGES], ignore_merges=True))
    as_bytes = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    made.pre_tokenizer = tokenizers.pre_tokenizers.Sequence([SPLIT, as_bytes])
    made.post_processor = tokenizers.processors.ByteLevel(add_prefix_space=False, trim_offsets=True)
    return made


REFERENCE = reference()


@pytest.mark.parametrize("text", [*HARD, *TEXTS], ids=ascii)
def test_hard_texts_equal_tokenizers(text):
    wanted = REFERENCE.encode(text)
    assert MODEL.ids(text) == wanted.ids
    assert MODEL.encode(text) == (wanted.ids, wanted.offsets)


@settings(max_examples=300, deadline=None)
@given(st.text(ALPHABET, max_size=30))
def test_random_texts_are_cut_as_by_tokenizers(text):
    words = [match.span() for match in MODEL._words.finditer(text)]
    assert words == [span for _, span in SPLIT.pre_tokenize_str(text)]
    assert MODEL.ids(text) == REFERENCE.encode(text).ids


def test_a_word_that_is_an_entry_is_not_merged():
    merged = ByteLevel([*VOCABULARY, *WHOLE], merges=MERGES, words="llama3")
    assert MODEL.ids(" zzz") == [len(VOCABULARY) + 1] != merged.ids(" zzz")


def test_the_graph_cuts_as_python():
    tf = pytest.importorskip("tensorflow")
    from bertkit.text.graph.cuts import llama3_starts
    from bertkit.text.unicode.codepoints import categories
    kinds = categories()

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int32)] * 2 + [tf.TensorSpec([None], tf.bool)])
    def starts(codes, kinds, first):
        return llama3_starts(codes, kinds, first)

    @settings(max_examples=300, deadline=None)
    @given(st.lists(st.text(ALPHABET, min_size=1, max_size=20), min_size=1, max_size=5))
    @example(HARD)
    @example(["a", "'", "s", "ll"])
    @example(["'l", "l", "\n", "!", "\n", " ", "a"])
    def check(texts):
        codes = [ord(c) for text in texts for c in text]
        first = [i == 0 for text in texts for i in range(len(text))]
        found = starts(codes, kinds[codes].astype("int32"), first).numpy().tolist()
        begins = [{match.start() for match in MODEL._words.finditer(text)} for text in texts]
        assert found == [i in begin for text, begin in zip(texts, begins, strict=True) for i in range(len(text))]

    check()


def test_the_graph_takes_whole_words():
    tf = pytest.importorskip("tensorflow")
    pytest.importorskip("tensorflow_text")
    from bertkit.text.graph.bytelevel import ByteLevel as GraphByteLevel
    graph = GraphByteLevel(MODEL, [*VOCABULARY, *WHOLE])
    ids, offsets = graph(tf.constant(HARD))
    for i, text in enumerate(HARD):
        wanted = REFERENCE.encode(text)
        assert ids[i].numpy().tolist() == wanted.ids, ascii(text)
        assert list(map(tuple, offsets[i].numpy().tolist())) == wanted.offsets, ascii(text)


def test_files_of_llama_are_read_and_written(tmp_path):
    content = json.loads(REFERENCE.to_str())
    assert content["pre_tokenizer"]["pretokenizers"][0] == LLAMA
    content["post_processor"] = None
    (tmp_path / "tokenizer.json").write_text(json.dumps(content))
    tokenizer = Tokenizer.load(tmp_path)
    assert (tokenizer.model.words, tokenizer.model.whole_words) == ("llama3", True)
    out = tmp_path / "out"
    out.mkdir()
    huggingface.write(out, tokenizer)
    again, theirs = Tokenizer.load(out), tokenizers.Tokenizer.from_file(str(out / "tokenizer.json"))
    assert again.model.settings() == tokenizer.model.settings()
    for text in HARD:
        assert again.ids([text])[0] == theirs.encode(text, add_special_tokens=False).ids == MODEL.ids(text)


@pytest.mark.parametrize("settings, words", [({"words": "gpt4"}, "words is 'gpt4'; give one of gpt2, llama3"),
                                             ({"whole_words": 1}, "whole_words is 1; give one of type bool")], ids=str)
def test_wrong_settings_are_refused(settings, words):
    with pytest.raises(Error, match=words):
        ByteLevel(letters(), **settings)
