"""Tokenizer: encoding, packing, special tokens, settings, against `tokenizers` and records."""

import json
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from text_references import HOSTILE, original, rust, vocabulary

from bertkit.errors import Error
from bertkit.text import Tokenizer
from bertkit.text.template import bert, truncated_lengths

ENTRIES = vocabulary()
TOKENIZER = Tokenizer(ENTRIES)
RECORDED = ["bert", "bert_gelu_new", "bertje", "distilbert", "electra", "mbert_cased",
            "mbert_uncased", "mobilebert", "spanbert", "tinybert"]
LINES = ["glue/SST-2/dev.tsv", "pretrain/multi/ar_diacritized.txt", "pretrain/multi/de_novels.txt",
         "pretrain/multi/hi_xquad_paragraphs.txt", "pretrain/multi/ja_wikipedia.txt",
         "pretrain/multi/zh_modern_translations.txt", "pretrain/multi/fr_novels.txt"]


def lines(path, count=120):
    every = path.read_text(encoding="utf-8").split("\n")
    return random.Random(7).sample(every, min(count, len(every)))


@pytest.mark.parametrize("name", RECORDED)
def test_recorded_cases_of_a_checkpoint(shared, name):
    folder = shared(f"checkpoints/{name}/base")
    tokenizer = Tokenizer.load(folder)
    recorded = json.loads((folder / "tokenization.json").read_text(encoding="utf-8"))
    assert len(tokenizer) == recorded["vocab_size"]
    assert tokenizer.mask_id == recorded["special_ids"]["mask"]
    for case in recorded["cases"]:
        first, second = [case["text"]], case["text_pair"] and [case["text_pair"]]
        batch = tokenizer.pack(first, second, len(case["input_ids"]), special_tokens=True)
        assert batch["token_ids"].tolist() == [case["input_ids"]], case["text"]
        assert batch["segment_ids"].tolist() == [case["token_type_ids"]]
        (encoding,) = tokenizer.encode(first, special_tokens=True)
        if second is None:
            assert [list(pair) for pair in encoding.offsets] == case["offsets"][1:-1]
            assert encoding.tokens == case["tokens"][1:-1]


@pytest.mark.parametrize("name", ["bert-base-uncased", *(pytest.param(name, marks=pytest.mark.slow) for name in (
    "bert-base-cased", "bert-base-multilingual-cased"))])
def test_lines_of_many_languages_equal_both_references(shared, name):
    pytest.importorskip("tokenizers")
    tokenizer = Tokenizer.load(shared(f"data/vocab/{name}/vocab.txt"))
    ids = {token: i for i, token in enumerate(tokenizer.vocabulary)}
    lower = name.endswith("-uncased")
    reference = rust(ids, lowercase=lower)
    google = Tokenizer(tokenizer.vocabulary, rules="google", longest_word=200, lowercase=lower,
                       strip_accents=lower)
    for text in [line for path in LINES for line in lines(shared("data/" + path))]:
        wanted = reference.encode(text, add_special_tokens=False)
        (encoding,) = tokenizer.encode([text])
        assert encoding == (wanted.ids, wanted.tokens, wanted.offsets), text
        assert google.encode([text])[0].tokens == original(text, ids, lower), text


def test_golden_tokens(shared):
    tokenizer = Tokenizer.load(shared("data/vocab/bert-base-uncased/vocab.txt"))
    golden = shared("acceptance/golden_tokens.jsonl").read_text(encoding="utf-8").splitlines()
    for row in map(json.loads, golden):
        (encoding,) = tokenizer.encode([row["text"]])
        assert encoding.ids == row["ids"], ascii(row["text"])
        assert row["offsets"] in (None, [list(pair) for pair in encoding.offsets])


def test_ids_encode_and_pack_agree():
    encodings = TOKENIZER.encode(HOSTILE)
    assert [encoding.ids for encoding in encodings] == TOKENIZER.ids(HOSTILE)
    assert all([ENTRIES[i] for i in encoding.ids] == encoding.tokens for encoding in encodings)
    batch = TOKENIZER.pack(HOSTILE, length=500)
    for encoding, row, mask in zip(encodings, batch["token_ids"], batch["padding_mask"],
                                   strict=True):
        assert row[mask == 1].tolist() == [TOKENIZER.cls_id, *encoding.ids, TOKENIZER.sep_id]


@given(st.integers(0, 40), st.integers(0, 40), st.integers(3, 50))
def test_pairs_are_cut_as_by_tokenizers(first, second, length):
    tokenizers = pytest.importorskip("tokenizers")
    reference = rust({token: i for i, token in enumerate(ENTRIES)})
    special = [(token, ENTRIES.index(token)) for token in ("[CLS]", "[SEP]")]
    reference.post_processor = tokenizers.processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=special)
    reference.enable_truncation(length)
    reference.enable_padding(length=length)
    texts = "a " * first, "b " * second
    wanted = reference.encode(*texts)
    batch = TOKENIZER.pack([texts[0]], [texts[1]], length)
    assert batch["token_ids"].tolist() == [wanted.ids]
    assert batch["segment_ids"].tolist() == [wanted.type_ids]
    assert batch["padding_mask"].tolist() == [wanted.attention_mask]
    single = reference.encode(texts[0])
    assert TOKENIZER.pack([texts[0]], None, length)["token_ids"].tolist() == [single.ids]


@given(st.integers(0, 99), st.integers(0, 99), st.integers(0, 120))
def test_truncation_loses_no_place(first, second, places):
    sizes = truncated_lengths(first, second, places)
    assert sum(sizes) == min(first + second, places)
    assert all(0 <= size <= given for size, given in zip(sizes, (first, second), strict=True))


def test_pack_gives_int32_and_pads_both_ways():
    right = TOKENIZER.pack(["un", "unaffable a"], length=8)
    template = bert("[CLS]", "[SEP]").settings() | {"padding_side": "left", "padding_segment": 3}
    left = Tokenizer(ENTRIES, template=template).pack(["un", "unaffable a"], length=8)
    assert {array.dtype for array in right.values()} == {np.dtype(np.int32)}
    for name, padding in (("token_ids", TOKENIZER.pad_id), ("segment_ids", 3), ("padding_mask", 0)):
        for one, other, mask in zip(right[name], left[name], left["padding_mask"], strict=True):
            real = mask.sum()
            assert other[mask == 1].tolist() == one[:real].tolist()
            assert other.tolist()[:8 - real] == [padding] * (8 - real)
            assert mask.tolist() == sorted(mask)


def test_special_tokens_in_a_text_are_plain_unless_asked_for():
    text = "[MASK] un[SEP][mask]"
    plain, special = (TOKENIZER.encode([text], special_tokens=flag)[0] for flag in (False, True))
    assert plain.tokens[:4] == ["[", "m", "##a", "##s"]
    assert special.tokens[:4] == ["[MASK]", "un", "[SEP]", "["]
    assert special.offsets[:4] == [(0, 6), (7, 9), (9, 14), (14, 15)]
    assert TOKENIZER.ids([text], special_tokens=True) == [special.ids]
    assert TOKENIZER.mask_id in TOKENIZER.pack([text], special_tokens=True)["token_ids"]
    assert TOKENIZER.mask_id not in TOKENIZER.pack([text])["token_ids"]


def test_added_special_tokens_have_ids_after_the_vocabulary():
    tokenizer = Tokenizer(ENTRIES, added=["[MASK]", "quick", "NEW"])
    assert len(tokenizer) == len(ENTRIES) + 1 and tokenizer.vocabulary[-1] == "NEW"
    assert tokenizer.ids(["a NEW"], special_tokens=True)[0][1] == len(ENTRIES)
    assert tokenizer.encode(["NEW [MASK]"])[0].tokens[:2] == ["NEW", "["]     # what has a role is text


def test_bytes_read_as_utf8_and_invalid_ones_vanish():
    assert TOKENIZER.ids(["café".encode(), b"caf\xff\xfee", b"\xe4\xb8"]) == [
        *TOKENIZER.ids(["café", "cafe"]), []]


def test_settings_make_the_same_tokenizer(tmp_path):
    tokenizer = Tokenizer([*ENTRIES, "<m>"], special={"mask": "<m>"}, added=["NEW"], rules="google",
                          longest_word=200, strip_accents=False)
    settings = json.loads(json.dumps(tokenizer.save(tmp_path)))
    again = Tokenizer.restore(tmp_path, settings)
    assert again.settings() == settings == tokenizer.settings()
    assert again.vocabulary == tokenizer.vocabulary and again.mask_id == len(ENTRIES)
    assert again.encode(HOSTILE) == tokenizer.encode(HOSTILE)
    assert [path.name for path in tmp_path.iterdir()] == ["vocab.txt"]


def test_a_saved_bundle_loads(tmp_path):
    settings = Tokenizer(ENTRIES, lowercase=False).save(tmp_path)
    (tmp_path / "bundle.json").write_text(json.dumps({"tokenizer": settings}))
    assert Tokenizer.load(tmp_path).settings() == settings


@pytest.mark.parametrize(("call", "message"), [
    (lambda: TOKENIZER.encode("text"), "'text' came where a list of texts was wanted"),
    (lambda: TOKENIZER.ids(None), "None came where a list"),
    (lambda: TOKENIZER.encode([3]), "3 came where a text was wanted"),
    (lambda: TOKENIZER.pack(["a"], ["b"], length=2), "too small for the 3 special tokens of a"),
    (lambda: TOKENIZER.pack(["a"], length=1), "for the 2 special tokens of a text; give 3 or"),
    (lambda: TOKENIZER.pack(["a", "b"], ["c"]), "2 first texts came with 1 second"),
    (lambda: Tokenizer(["a", "b"]), r"vocabulary has no \[PAD\]"),
    (lambda: Tokenizer(ENTRIES, kind="morse"), "kind 'morse' is unknown; bertkit has wordpiece"),
    (lambda: Tokenizer(ENTRIES, template={"single": [["[CLS]", 0]], "pair": []}), "must hold"),
    (lambda: Tokenizer(ENTRIES, template={"single": ["[CLS]"], "pair": []}), "malformed"),
    (lambda: Tokenizer(ENTRIES[:4]).mask_id, r"vocabulary has no \[MASK\]"),
    (lambda: Tokenizer([*ENTRIES, "a\nb"]).save("."), "holds a line end"),
])
def test_errors_say_what_came_and_what_was_wanted(call, message):
    with pytest.raises(Error, match=message):
        call()
