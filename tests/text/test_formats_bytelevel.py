"""Byte-level BPE in the files of Hugging Face and of bertkit: read, written, refused."""

import json

import pytest
from bytelevel_references import TEXTS, trained

from bertkit.errors import Error
from bertkit.text import Tokenizer
from bertkit.text.formats import huggingface
from bertkit.text.formats.bytelevel import LLAMA
from bertkit.text.template import bert, roberta

tokenizers = pytest.importorskip("tokenizers")
VOCABULARY, MERGES = trained()
IDS = {entry: i for i, entry in enumerate(VOCABULARY)}
SPLIT = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
FLAGS = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
MASK = {"id": IDS["<mask>"], "content": "<mask>", **FLAGS, "lstrip": True}
SPECIAL = [{"id": IDS[token], "content": token, **FLAGS} for token in ("<s>", "<pad>", "</s>", "<unk>")]
FAST = {
    "version": "1.0", "truncation": None, "padding": None, "added_tokens": [*SPECIAL, MASK], "normalizer": None,
    "pre_tokenizer": SPLIT, "decoder": SPLIT,
    "post_processor": {"type": "RobertaProcessing", "cls": ["<s>", 0], "sep": ["</s>", 2], "trim_offsets": True,
                       "add_prefix_space": False},
    "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": "",
              "end_of_word_suffix": "", "fuse_unk": False, "vocab": IDS, "merges": [m.split(" ") for m in MERGES]},
}
PLAIN = {"id": len(IDS), "content": "   ", **FLAGS, "special": False, "normalized": True}
MODERN = FAST | {
    "added_tokens": [*SPECIAL, MASK, PLAIN], "normalizer": {"type": "NFC"},
    "post_processor": {"type": "TemplateProcessing", "single": [
        {"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
        {"SpecialToken": {"id": "</s>", "type_id": 0}}], "pair": [
        {"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
        {"SpecialToken": {"id": "</s>", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}},
        {"SpecialToken": {"id": "</s>", "type_id": 0}}], "special_tokens": {
        token: {"id": token, "ids": [IDS[token]], "tokens": [token]} for token in ("<s>", "</s>")}},
}
ASKED = [*TEXTS, "a <mask> b<s>", "x   <mask>   y", "     a"]


def written(folder, **files):
    """Write files, named with _ for the last dot: text as it is, the rest as JSON."""
    for name, content in files.items():
        stem, _, suffix = name.rpartition("_")
        text = content if isinstance(content, str) else json.dumps(content)
        (folder / f"{stem}.{suffix}").write_text(text, encoding="utf-8")
    return folder


def changed(part, **changes):
    return FAST | {part: FAST[part] | changes}


def assert_equal(tokenizer, reference, offsets=True):
    """Texts and pairs, with special tokens in them and around them, against the library."""
    for text, other in zip(ASKED, reversed(ASKED), strict=True):
        wanted = reference.encode(text, add_special_tokens=False)
        (encoding,) = tokenizer.encode([text], special_tokens=True)
        assert encoding.ids == wanted.ids, ascii(text)
        assert not offsets or encoding.offsets == wanted.offsets, ascii(text)
        wanted = reference.encode(text, other)
        batch = tokenizer.pack([text], [other], len(wanted.ids) + 2, special_tokens=True)
        assert batch["token_ids"].tolist() == [wanted.ids + [tokenizer.pad_id] * 2]
        assert batch["segment_ids"].tolist() == [wanted.type_ids + [0, 0]]


@pytest.mark.parametrize(("content", "offsets"), [(FAST, True), (MODERN, False)], ids=["roberta", "modernbert"])
def test_a_tokenizer_json_is_read_and_written(tmp_path, content, offsets):
    tokenizer = Tokenizer.load(written(tmp_path, tokenizer_json=content))
    assert_equal(tokenizer, tokenizers.Tokenizer.from_str(json.dumps(content)), offsets)
    out = tmp_path / "out"
    out.mkdir()
    huggingface.write(out, tokenizer)
    assert_equal(tokenizer, tokenizers.Tokenizer.from_file(str(out / "tokenizer.json")), offsets=content is FAST)
    again = Tokenizer.load(out)
    assert again.settings() == tokenizer.settings() and again.vocabulary == tokenizer.vocabulary
    assert again.model.tables() == tokenizer.model.tables()
    config = json.loads((out / "tokenizer_config.json").read_text())
    assert config["mask_token"] == "<mask>" and config["model_input_names"] == ["input_ids", "attention_mask"]


def test_older_files_name_no_type_and_write_merges_as_text(tmp_path):
    model = {name: value for name, value in FAST["model"].items() if name != "type"} | {"merges": MERGES}
    split = {name: value for name, value in SPLIT.items() if name != "use_regex"}
    special = [token | {"normalized": True} for token in SPECIAL]
    content = FAST | {"model": model, "pre_tokenizer": split, "added_tokens": [*special, MASK]}
    assert_equal(Tokenizer.load(written(tmp_path, tokenizer_json=content)),
                 tokenizers.Tokenizer.from_str(json.dumps(FAST)))


def test_a_vocab_json_and_merges_txt(tmp_path):
    merges = "\n".join(["#version: 0.2", *MERGES, ""])
    written(tmp_path, vocab_json=IDS, merges_txt=merges.replace("\n", "\r\n"))
    assert_equal(Tokenizer.load(tmp_path), tokenizers.Tokenizer.from_str(json.dumps(FAST)))
    written(tmp_path, tokenizer_config_json={"add_prefix_space": True, "mask_token": {"content": "<unk>"}})
    tokenizer = Tokenizer.load(tmp_path)
    assert tokenizer.settings()["prefix_space"] and tokenizer.mask_id == 3
    assert tokenizer.ids(["a"]) == tokenizer.ids([" a"])


def test_special_tokens_have_their_usual_names(tmp_path):
    tokenizer = Tokenizer.load(written(tmp_path, tokenizer_json=FAST))
    assert tokenizer.special == {"unk": "<unk>", "cls": "<s>", "sep": "</s>", "pad": "<pad>", "mask": "<mask>",
                                 "bos": "<s>", "eos": "</s>"}
    assert tokenizer.template == roberta("<s>", "</s>")
    names = {"cls": "<unk>", "mask": "</s>"}
    written(tmp_path, special_tokens_map_json={f"{role}_token": token for role, token in names.items()})
    assert Tokenizer.load(tmp_path).special == tokenizer.special | names


def test_a_bundle_keeps_everything(tmp_path):
    tokenizer = Tokenizer.load(written(tmp_path, tokenizer_json=MODERN))
    out = tmp_path / "out"
    out.mkdir()
    settings = json.loads(json.dumps(tokenizer.save(out)))
    assert [path.name for path in out.iterdir()] == [tokenizer.file] == ["vocabulary.json"]
    written(out, bundle_json={"tokenizer": settings})
    for again in (Tokenizer.restore(out, settings), Tokenizer.load(out)):
        assert again.settings() == settings and again.vocabulary == tokenizer.vocabulary
        assert again.encode(ASKED, special_tokens=True) == tokenizer.encode(ASKED, special_tokens=True)


@pytest.mark.parametrize("processor", [
    FAST["post_processor"] | {"trim_offsets": False},
    {"type": "Sequence", "processors": [SPLIT | {"trim_offsets": False}, MODERN["post_processor"]]}],
    ids=["RobertaProcessing", "Sequence"])
def test_offsets_that_the_file_does_not_trim_are_said(tmp_path, caplog, processor):
    tokenizer = Tokenizer.load(written(tmp_path, tokenizer_json=FAST | {"post_processor": processor}))
    assert "trim_offsets=false; the offsets that bertkit gives leave out the spaces" in caplog.text
    assert tokenizer.encode(["a b"])[0].offsets[-1] == (2, 3)
    caplog.clear()
    Tokenizer.load(written(tmp_path, tokenizer_json=FAST))
    assert "trim_offsets" not in caplog.text


REFUSED = {
    "its model has dropout=0.1, wanted 0": changed("model", dropout=0.1),
    "its pre_tokenizer has use_regex=false, wanted the pattern of GPT-2": changed("pre_tokenizer", use_regex=False),
    "its pre_tokenizer has use_regex=true, wanted the pattern of LLaMA 3 alone": FAST | {"pre_tokenizer": {
        "type": "Sequence", "pretokenizers": [LLAMA, SPLIT]}},
    r"its pre_tokenizer is .*N.\{1,2\}.*, wanted ByteLevel, alone or after the Split of LLaMA 3": FAST | {
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
            LLAMA | {"pattern": {"Regex": LLAMA["pattern"]["Regex"].replace("1,3", "1,2")}},
            SPLIT | {"use_regex": False}]}},
    "its normalizer is Nmt, wanted BertNormalizer": FAST | {"normalizer": {"type": "Nmt"}},
    "its pre_tokenizer is .*Whitespace.*, wanted ByteLevel, alone or after": FAST | {
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "Whitespace"}, SPLIT]}},
    "The merge 'zz é', number 1, is not of two entries": changed("model", merges=["zz é"]),
    "its post_processor has .7. for '<s>', wanted .0.": changed("post_processor", cls=["<s>", 7]),
    "its post_processor is ByteLevel, wanted TemplateProcessing": FAST | {"post_processor": SPLIT},
    "the added token 'é' has the id 701, wanted 169": FAST | {"added_tokens": [PLAIN | {"content": "é"}]},
    "is not a whole tokenizer.json .KeyError: 'merges'": FAST | {"model": {"type": "BPE", "vocab": IDS}},
    "the added token '</s>' has the id 2, wanted 701": changed("model", vocab={
        entry.replace("</s>", "<x>"): i for entry, i in IDS.items()}),
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_bertkit_does_not_read_is_refused(tmp_path, message):
    with pytest.raises(Error, match=message) as caught:
        Tokenizer.load(written(tmp_path, tokenizer_json=REFUSED[message]))
    assert str(tmp_path) in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(("files", "message"), [
    ({"vocabulary_json": {"vocabulary": [1]}}, "has no list of strings called vocabulary; copy the file again"),
    ({"vocabulary_json": {"merges": []}}, "has no list of strings called vocabulary"),
    ({"vocabulary_json": {"vocabulary": VOCABULARY, "speed": 1}}, "cannot be used: The ByteLevel setting 'speed'"),
    ({"vocabulary_json": {"vocabulary": VOCABULARY, "merges": [3]}}, "cannot be used"),
    ({"vocabulary_json": "{"}, "vocabulary.json is not JSON"),
    ({}, "vocabulary.json is missing"),
])
def test_a_damaged_bundle_is_refused(tmp_path, files, message):
    settings = Tokenizer.load(written(tmp_path, tokenizer_json=FAST)).settings()
    with pytest.raises(Error, match=message):
        Tokenizer.restore(written(tmp_path, **files), settings)


@pytest.mark.parametrize(("content", "message"), [
    ("a", "vocab.json is not JSON"), ({"a": 1}, "has the id 1 .'a'. where 0 was wanted"), ({"a": "b"}, "has the id b"),
])
def test_a_damaged_vocab_json_is_refused(tmp_path, content, message):
    with pytest.raises(Error, match=message):
        Tokenizer.load(written(tmp_path, vocab_json=content, merges_txt=""))


def test_templates_of_the_families():
    tokenizer = Tokenizer(VOCABULARY, kind="bytelevel", merges=MERGES, template=bert("<s>", "</s>").settings(),
                          special={"unk": None, "cls": None, "sep": None, "pad": None, "mask": None})
    a, b = tokenizer.ids(["a", "b"])
    batch = tokenizer.pack(["a"], ["b"], 7)
    assert batch["token_ids"].tolist() == [[0, *a, 2, *b, 2, 0, 0]] and tokenizer.pad_id == 0
    with pytest.raises(Error, match="The tokenizer has no mask token"):
        assert tokenizer.mask_id


@pytest.mark.parametrize("name", ["roberta", "longformer", "modernbert"])
def test_recorded_cases_of_a_checkpoint(shared, name):
    folder = shared(f"checkpoints/{name}/base")
    tokenizer = Tokenizer.load(folder)
    recorded = json.loads((folder / "tokenization.json").read_text(encoding="utf-8"))
    assert len(tokenizer) == recorded["vocab_size"]
    assert {role: tokenizer.id(tokenizer.special[role]) for role in tokenizer.special} == {
        role: recorded["special_ids"][role] for role in tokenizer.special}
    for case in recorded["cases"]:
        first, second = [case["text"]], case["text_pair"] and [case["text_pair"]]
        batch = tokenizer.pack(first, second, len(case["input_ids"]) + 1, special_tokens=True)
        assert batch["token_ids"].tolist() == [[*case["input_ids"], tokenizer.pad_id]], case["text"]
        assert not batch["segment_ids"].any()
        (encoding,) = tokenizer.encode(first, special_tokens=True)
        if second is None and name != "modernbert":                  # whose offsets hold the spaces
            assert [list(pair) for pair in encoding.offsets] == case["offsets"][1:-1]
