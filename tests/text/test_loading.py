"""Which tokenizer each published form of folder gives, and what is refused."""

import json
import logging

import pytest
from text_references import SPECIAL

from bertkit.errors import Error
from bertkit.text import Tokenizer

ENTRIES = [*SPECIAL, "river", "##s", "the", "<S>"]
CASED = [*ENTRIES, "The"]
FAST = {
    "added_tokens": [{"id": i, "content": token, "special": True}
                     for i, token in enumerate(SPECIAL)],
    "normalizer": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True,
                   "strip_accents": None, "lowercase": False},
    "pre_tokenizer": {"type": "BertPreTokenizer"},
    "post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]},
    "model": {"unk_token": "[UNK]", "continuing_subword_prefix": "##",
              "max_input_chars_per_word": 50, "vocab": {t: i for i, t in enumerate(ENTRIES)}},
}


def written(folder, **files):
    """Write files, named with _ for the last dot: lists as lines, the rest as JSON."""
    for name, content in files.items():
        text = "\n".join(content) + "\n" if isinstance(content, list) else json.dumps(content)
        stem, _, suffix = name.rpartition("_")
        (folder / f"{stem}.{suffix}").write_text(text, encoding="utf-8")
    return folder


def from_tokenizer_json(**changes):
    return FAST | changes


def case(tokenizer):
    return tokenizer.settings()["lowercase"], tokenizer.settings()["strip_accents"]


def test_a_bare_vocabulary_tells_its_case(tmp_path):
    written(tmp_path, lower_txt=ENTRIES, upper_txt=CASED)
    lower, upper = (Tokenizer.load(tmp_path / f"{name}.txt") for name in ("lower", "upper"))
    assert case(lower) == (True, True) and case(upper) == (False, False)
    assert lower.settings()["rules"] == "huggingface"
    assert lower.encode(["The rivers"])[0].tokens == ["the", "river", "##s"]


@pytest.mark.parametrize("sign", ["bert_config.json", "model.ckpt-100.index"])
def test_a_google_folder(tmp_path, sign):
    written(tmp_path, vocab_txt=CASED)
    (tmp_path / sign).write_text("{}")
    settings = Tokenizer.load(str(tmp_path)).settings()
    assert (settings["rules"], settings["longest_word"], settings["lowercase"]) == (
        "google", 200, False)


def test_a_tokenizer_config_decides_over_the_vocabulary(tmp_path):
    written(tmp_path, vocab_txt=ENTRIES, tokenizer_config_json={
        "do_lower_case": True, "strip_accents": False, "tokenize_chinese_chars": False,
        "mask_token": {"content": "the"}, "padding_side": "left",
        "added_tokens_decoder": {"9": {"content": "[NEW]", "special": True}}})
    tokenizer = Tokenizer.load(tmp_path)
    assert case(tokenizer) == (True, False) and not tokenizer.settings()["split_ideographs"]
    assert tokenizer.mask_id == 7 and tokenizer.template.padding_side == "left"
    assert tokenizer.vocabulary == (*ENTRIES, "[NEW]")


def test_a_tokenizer_config_without_the_case_leaves_it_to_the_vocabulary(tmp_path):
    written(tmp_path, vocab_txt=CASED, tokenizer_config_json={})
    assert case(Tokenizer.load(tmp_path)) == (False, False)


def test_tokenizer_json_alone(tmp_path):
    written(tmp_path, tokenizer_json=FAST)
    tokenizer = Tokenizer.load(tmp_path)
    assert tokenizer.vocabulary == tuple(ENTRIES) and case(tokenizer) == (False, False)
    assert tokenizer.settings()["longest_word"] == 50
    assert tokenizer.pack(["river"], ["the"], 8)["token_ids"].tolist() == [[2, 5, 3, 7, 3, 0, 0, 0]]


def test_tokenizer_json_with_its_own_template(tmp_path):
    single = [{"Sequence": {"id": "A", "type_id": 1}},
              {"SpecialToken": {"id": "[SEP]", "type_id": 2}}]
    pair = [*single, {"Sequence": {"id": "B", "type_id": 0}}]
    written(tmp_path, tokenizer_json=from_tokenizer_json(normalizer=None, post_processor={
        "type": "TemplateProcessing", "single": single, "pair": pair}))
    batch = Tokenizer.load(tmp_path).pack(["river"], ["the"], 4)
    assert batch["token_ids"].tolist() == [[5, 3, 7, 0]]
    assert batch["segment_ids"].tolist() == [[1, 2, 0, 0]]


def test_a_keras_preset(tmp_path):
    (tmp_path / "assets" / "tokenizer").mkdir(parents=True)
    written(tmp_path / "assets" / "tokenizer", vocabulary_txt=CASED)
    written(tmp_path, tokenizer_json={"class_name": "BertTokenizer", "config": {"lowercase": True}})
    assert case(Tokenizer.load(tmp_path)) == (True, True)


def test_lines_end_at_newlines_only(tmp_path):
    (tmp_path / "vocab.txt").write_bytes("\r\n".join([*SPECIAL, "a\u2028b", "\x85", ""]).encode())
    assert Tokenizer.load(tmp_path).vocabulary == (*SPECIAL, "a\u2028b", "\x85")


def test_of_equal_lines_the_last_counts_and_the_log_says_so(tmp_path, caplog):
    written(tmp_path, vocab_txt=[*ENTRIES, "river"])
    with caplog.at_level(logging.WARNING):
        assert Tokenizer.load(tmp_path).ids(["river"]) == [[9]]
    assert "line 6: 'river' stands again in line 10" in caplog.text


BROKEN = {
    "does not exist": lambda f: f / "nowhere",
    "holds no tokenizer that bertkit reads; wanted bundle.json or": lambda f: f,
    "is empty; wanted one vocabulary entry a line": lambda f: written(f, vocab_txt=[]),
    r"vocabulary has no \[SEP\]": lambda f: written(f, vocab_txt=["[PAD]", "[UNK]", "[CLS]"]),
    "bundle.json has no tokenizer settings": lambda f: written(f, bundle_json={"tokenizer": None}),
    "bundle.json: tokenizer is missing": lambda f: written(f, bundle_json={"a": 1}),
    "setting 'speed' is unknown": lambda f: written(
        f, bundle_json={"tokenizer": {"speed": 1}}, vocab_txt=ENTRIES),
    "unsupported operand": lambda f: written(
        f, bundle_json={"tokenizer": {"special": "x"}}, vocab_txt=ENTRIES),
    "its model is BPE, wanted WordPiece": lambda f: written(
        f, tokenizer_json=from_tokenizer_json(model={"type": "BPE"})),
    "its normalizer is Nmt, wanted BertNormalizer": lambda f: written(
        f, tokenizer_json=from_tokenizer_json(normalizer={"type": "Nmt"})),
    "its pre_tokenizer is ByteLevel": lambda f: written(
        f, tokenizer_json=from_tokenizer_json(pre_tokenizer={"type": "ByteLevel"})),
    "its post_processor is ByteLevel": lambda f: written(
        f, tokenizer_json=from_tokenizer_json(post_processor={"type": "ByteLevel"})),
    "has the id 7 .'the'. where 6 was wanted": lambda f: written(f, tokenizer_json=from_tokenizer_json(
        model=FAST["model"] | {"vocab": FAST["model"]["vocab"] | {"##s": 9, "the": 7}})),
    "'new' has the id 40, wanted 9": lambda f: written(f, tokenizer_json=from_tokenizer_json(
        added_tokens=[{"id": 40, "content": "new", "special": True}])),
    "is not a whole tokenizer.json": lambda f: written(f, tokenizer_json={"model": 3}),
    "wanted an object": lambda f: written(f, tokenizer_json=3),
    "is not a whole tokenizer_config.json .ValueError": lambda f: written(
        f, vocab_txt=ENTRIES, tokenizer_config_json={"added_tokens_decoder": {"x": {"content": "a"}}}),
    "is a GPT2Tokenizer; bertkit reads BertTokenizer": lambda f: written(
        f, tokenizer_json={"class_name": "GPT2Tokenizer"}),
}


@pytest.mark.parametrize("message", BROKEN)
def test_what_cannot_be_read_is_refused_in_one_sentence(tmp_path, message):
    with pytest.raises(Error, match=message) as caught:
        Tokenizer.load(BROKEN[message](tmp_path))
    assert str(tmp_path) in str(caught.value) and "\n" not in str(caught.value)


def test_bytes_that_are_no_text_are_named_by_line(tmp_path):
    (tmp_path / "vocab.txt").write_bytes(b"[PAD]\n[UNK]\n\xff\n")
    with pytest.raises(Error, match="vocab.txt, line 3: these bytes are not UTF-8"):
        Tokenizer.load(tmp_path)


def test_a_huge_file_is_refused_before_it_is_read(tmp_path):
    with open(tmp_path / "vocab.txt", "wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(Error, match="more than 268435456 bytes"):
        Tokenizer.load(tmp_path)


def test_a_folder_that_cannot_be_written(tmp_path):
    with pytest.raises(Error, match="cannot be written"):
        Tokenizer(ENTRIES).save(tmp_path / "nowhere")
