"""SentencePiece's own .model files: read field by field, as the families number them, damage told."""

import io
import json
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sentencepiece_references import compiled
from text_references import HOSTILE

from bertkit.errors import Error
from bertkit.text import Tokenizer
from bertkit.text.formats import sentencepiece_model


def field(number, wire, value):
    """Return the bytes of a field of a message."""
    forms = {0: varint, 1: bytes, 2: lambda text: varint(len(text)) + text, 5: lambda score: struct.pack("<f", score)}
    return varint(number << 3 | wire) + forms[wire](value)


def varint(number):
    data = bytearray()
    while number > 0x7F:
        data.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(data) + bytes([number])


def model(pieces, trainer=(), charsmap=b""):
    """Return the bytes of a .model file of pieces (text, score, type)."""
    data = b"".join(field(1, 2, field(1, 2, text.encode()) + field(2, 5, score) + field(3, 0, kind))
                    for text, score, kind in pieces)
    return (data + field(2, 2, b"".join(field(number, 0, value) for number, value in trainer))
            + field(3, 2, field(1, 2, b"name") + field(2, 2, charsmap)) + field(9, 1, b"\0" * 8))


PIECES = [("<unk>", 0.0, 2), ("<s>", 0.0, 3), ("</s>", 0.0, 3), ("▁", -2.5, 1), ("a", -1.25, 1), ("9,", -3.0, 1),
          ("▁a", -2.0, 1), ("\"", 0.0, 4)]
CONTENT = model(PIECES, charsmap=compiled({"²": "2"}))


@pytest.fixture
def written(tmp_path):
    def write(content=CONTENT, name="spiece.model", **files):
        (tmp_path / name).write_bytes(content)
        for file, value in files.items():
            (tmp_path / f"{file}.json").write_text(json.dumps(value))
        return tmp_path
    return write


def test_the_fields_of_a_model(written):
    found = sentencepiece_model.read(written() / "spiece.model")
    assert found == (PIECES, "unigram", 0, compiled({"²": "2"}))
    other = written(model(PIECES, trainer=[(3, 2), (40, 4), (99, 1)])) / "spiece.model"
    assert sentencepiece_model.read(other)[1:] == ("bpe", 4, b"")


@settings(deadline=None)
@given(st.data())
def test_damaged_models_are_errors_or_other_models(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "damaged.model"
    content = bytearray(CONTENT[:300] + CONTENT[-40:])
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=4)):
        content[place] = data.draw(st.integers(0, 255))
    path.write_bytes(bytes(content[:data.draw(st.integers(0, len(content)))]))
    try:
        sentencepiece_model.read(path)
    except Error as error:
        assert str(path) in str(error)


@pytest.mark.parametrize("content", [
    b"", b"\xff", CONTENT[:-5], CONTENT[:50], b"\x0b", b"\xff" * 11, field(1, 2, field(1, 2, b"\xff")),
    field(1, 2, field(2, 5, 1.0)), model(PIECES, trainer=[(40, 99)]), model([("x" * 2000, 0.0, 1)])])
def test_what_is_no_model_is_refused(written, content):
    with pytest.raises(Error, match="spiece.model is not a SentencePiece model, or a damaged one"):
        Tokenizer.load(written(content, config={"model_type": "albert"}))


@pytest.mark.parametrize("trainer", [(3, 3), (24, 1), (35, 1)])
def test_models_that_bertkit_does_not_have_are_refused(written, trainer):
    with pytest.raises(Error, match="spiece.model: its trainer_spec asks for byte_fallback, treat_whitespace"):
        Tokenizer.load(written(model(PIECES, trainer=[trainer]), config={"model_type": "albert"}))


def test_a_model_without_a_family_is_refused(written):
    with pytest.raises(Error, match="spiece.model does not say its family; put a config.json"):
        Tokenizer.load(written(config={"model_type": "t5"}))


@pytest.mark.parametrize("told", [{"config": {"model_type": "xlm-roberta"}},
                                  {"config": {"model_type": "bert"},
                                   "tokenizer_config": {"tokenizer_class": "XLMRobertaTokenizerFast"}}])
def test_fairseq_has_ids_of_its_own(written, told):
    tokenizer = Tokenizer.load(written(**told))
    assert tokenizer.vocabulary == ("<s>", "<pad>", "</s>", "<unk>", "▁", "a", "9,", "▁a", '"', "<mask>")
    assert tokenizer.ids(["a b²"]) == [[7, 4, 3]]
    assert tokenizer.pack(["a"], ["a"], length=8)["token_ids"].tolist() == [[0, 7, 2, 2, 7, 2, 1, 1]]


def test_camembert_keeps_the_places_that_it_does_not_use(written):
    tokenizer = Tokenizer.load(written(config={"model_type": "camembert"}))
    assert tokenizer.vocabulary == ("<s>NOTUSED", "<pad>", "</s>NOTUSED", "<unk>", "<unk>NOTUSED", "<s>", "</s>", "▁",
                                    "a", "9,", "▁a", '"', "<mask>")
    assert tokenizer.model.unknown_score == -110
    assert tokenizer.ids(["a  <mask>"], special_tokens=True) == [[10, 12]]        # the mask takes the blanks along


def test_albert_writes_numbers_and_commas_apart(written):
    special = ["<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]"]
    pieces = [*((token, 0.0, 2 if token == "<unk>" else 3) for token in special), *PIECES[3:]]
    folder = written(model(pieces, trainer=[(40, 1)]), name="30k-clean.model", albert_config={})
    tokenizer = Tokenizer.load(folder)
    assert tokenizer.model.scores[7] == -103
    assert tokenizer.encode(["''Á"])[0].tokens == ["▁", '"', "a"]
    assert tokenizer.pack(["a"], ["a"], length=6)["segment_ids"].tolist() == [[0, 0, 0, 1, 1, 0]]
    written(model(pieces, trainer=[(40, 1)]), name="30k-clean.model",
            tokenizer_config={"do_lower_case": False, "keep_accents": True})
    assert Tokenizer.load(folder).encode(["''Á"])[0].tokens == ["▁", '"', "<unk>"]


def test_a_model_without_the_tokens_of_its_family_is_refused(written):
    with pytest.raises(Error, match=r"has no piece \[CLS\] or no \[SEP\]; give the one of the checkpoint"):
        Tokenizer.load(written(config={"model_type": "albert"}))


def test_reformer_has_no_tokens_around_a_text(written):
    words = [(text, float(-i), 1) for i, text in enumerate(["▁a", "aa", "▁aa", "▁", "a"])]
    tokenizer = Tokenizer.load(written(model(PIECES[:3] + words, trainer=[(3, 2)]), config={"model_type": "reformer"}))
    assert tokenizer.special == {"unk": "<unk>", "bos": "<s>", "eos": "</s>"}
    assert tokenizer.encode(["aaa  a "])[0].tokens == ["▁a", "aa", "▁a", "▁"]
    assert tokenizer.pack(["a", "aa"], length=3)["token_ids"].tolist() == [[3, 0, 0], [5, 0, 0]]


def test_models_of_the_library_are_read_as_it_reads_them(written):
    library = pytest.importorskip("sentencepiece")
    for kind in ("unigram", "bpe"):
        made = io.BytesIO()
        library.SentencePieceTrainer.train(sentence_iterator=iter(HOSTILE * 3), model_writer=made, vocab_size=400,
                                           model_type=kind, hard_vocab_limit=False, minloglevel=2,
                                           user_defined_symbols=["(", "£"], character_coverage=0.99)
        processor = library.SentencePieceProcessor(model_proto=made.getvalue())
        found = sentencepiece_model.read(written(made.getvalue()) / "spiece.model")
        size = processor.get_piece_size()
        assert [text for text, _, _ in found.pieces] == [processor.id_to_piece(i) for i in range(size)]
        assert [score for _, score, _ in found.pieces] == [processor.get_score(i) for i in range(size)]
        assert found.kind == kind and found.unknown == processor.unk_id() and len(found.charsmap) > 200_000
