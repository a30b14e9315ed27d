"""The small files beside a vocabulary: each of them that changes an id is read, or named in a message."""

import json
import logging
from pathlib import Path

import pytest

from bertkit.errors import Error
from bertkit.text import Tokenizer
from bertkit.text.formats import beside, huggingface

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "tokenizers.json").read_text("utf-8"))
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
ENTRIES = [*SPECIAL, "river", "[", "]", "a", "e", "##1", "/", "River", "é", "e2", "-", "cls"]
BERT = {"tokenizer_class": "BertTokenizer", "do_lower_case": True}
AFTER = len(ENTRIES)


def written(folder, **files):
    """Write files, whose names have _ in the place of the last dot, and return the folder."""
    for name, content in files.items():
        stem, _, end = name.rpartition("_")
        text = "".join(entry + "\n" for entry in content) if end == "txt" else json.dumps(content)
        (folder / f"{stem}.{end}").write_text(text, "utf-8")
    return folder


def legacy(folder, **files):
    return written(folder, **{"vocab_txt": ENTRIES, "config_json": {"model_type": "bert"},
                              "tokenizer_config_json": BERT} | files)


def fast(normalizer, added=(), **config):
    """Return the files of a tokenizer.json."""
    ids = {entry: i for i, entry in enumerate(ENTRIES)}
    return {"config_json": {"model_type": "bert"}, "tokenizer_config_json": config, "tokenizer_json": {
        "added_tokens": [{"id": ids[token], "content": token, "special": True} for token in SPECIAL] + list(added),
        "normalizer": normalizer, "pre_tokenizer": {"type": "BertPreTokenizer"}, "post_processor": None, "model": {
            "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100, "vocab": ids}}}


def bert(**flags):
    return {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None,
            "lowercase": True, **flags}


@pytest.fixture(autouse=True)
def said_anew():
    beside.say_once.cache_clear()


# ------------------------------------------------------------------------- against the recorded reference

def load(folder, files):
    for name, content in files.items():
        text = "\n".join(content) + "\n" if isinstance(content, list) else json.dumps(content, ensure_ascii=False)
        (folder / name).write_text(text, "utf-8")
    return Tokenizer.load(folder)


@pytest.mark.parametrize("number", range(len(GOLDEN)))
def test_ids_and_offsets_are_those_of_transformers(tmp_path, number):
    row = GOLDEN[number]
    tokenizer = load(tmp_path, row["files"])
    taken = {token.content for token in tokenizer.added if token.lstrip or token.rstrip}
    taken |= set(tokenizer.special.values())
    for form in ("special", "plain"):
        for text, (ids, offsets) in zip(row["texts"], row[form], strict=True):
            if "vocab.json" in row["files"] and "<mask>" in text:   # transformers 4 and fairseq take the blanks along
                continue
            (found,) = tokenizer.encode([text], special_tokens=form == "special")
            assert found.ids == ids, (form, text)
            for token, (start, end), (begin, stop) in zip(found.tokens, found.offsets, offsets, strict=True):
                # The reference counts the blanks that a token takes along, and the space that it puts in itself.
                inside = token in taken and begin <= start < end <= stop
                spaced = tokenizer.model.kind == "bytelevel" and token.startswith("\u0120") and end in (start, stop)
                assert (start, end) == (begin, stop) or inside or spaced, (form, text, token)


@pytest.mark.parametrize("number", range(0, len(GOLDEN), 4))
def test_a_bundle_and_what_is_written_keep_the_tokens(tmp_path, number):
    row = GOLDEN[number]
    for name in ("read", "bundle", "huggingface"):
        (tmp_path / name).mkdir()
    tokenizer = load(tmp_path / "read", row["files"])
    settings = json.loads(json.dumps(tokenizer.save(tmp_path / "bundle")))
    huggingface.write(tmp_path / "huggingface", tokenizer)
    for again in (Tokenizer.restore(tmp_path / "bundle", settings), Tokenizer.load(tmp_path / "huggingface")):
        assert again.vocabulary == tokenizer.vocabulary
        for special in (True, False):
            assert again.encode(row["texts"], special) == tokenizer.encode(row["texts"], special)


@pytest.mark.parametrize("number", [pytest.param(n, marks=[pytest.mark.slow][:n > 1]) for n in range(12)])
def test_the_graph_finds_the_same(tmp_path, number):
    tf = pytest.importorskip("tensorflow")
    from bertkit.text.graph.tokenizer import GraphTokenizer
    tokenizer = load(tmp_path, GOLDEN[number]["files"])
    texts = [*GOLDEN[number]["texts"], "[CLS] [MASK] <s> [E1]"]
    found = GraphTokenizer(tokenizer)(tf.constant(texts), offsets=True)
    found = {name: values.numpy() for name, values in found.items()}
    for i, encoding in enumerate(tokenizer.encode(texts)):
        real = slice(1, 1 + len(encoding.ids))
        assert found["token_ids"][i, real].tolist() == encoding.ids, texts[i]
        assert found["offsets"][i, real].tolist() == [list(pair) for pair in encoding.offsets], texts[i]


# --------------------------------------------------------------------------------- tokens in four files

def test_added_tokens_json_gives_tokens_behind_the_vocabulary(tmp_path):
    tokenizer = Tokenizer.load(legacy(tmp_path, added_tokens_json={"imatinib": AFTER, "BRAF-V600E": AFTER + 1}))
    assert tokenizer.ids(["river imatinib", "braf-v600e BRAF-V600E"]) == [[5, AFTER], [AFTER + 1] * 2]
    assert tokenizer.encode(["a BRAF-v600e"])[0].offsets == [(0, 1), (2, 12)]
    assert len(tokenizer) == AFTER + 2


def test_added_tokens_json_counts_without_tokenizer_config(tmp_path):
    (tmp_path / "bare").mkdir()
    tokenizer = Tokenizer.load(written(tmp_path / "bare", vocab_txt=ENTRIES, added_tokens_json={"imatinib": AFTER}))
    assert tokenizer.ids(["imatinib"]) == [[AFTER]]


def test_special_tokens_without_a_role_are_recognised_in_every_text(tmp_path):
    names = {"cls_token": "[CLS]", "mask_token": {"content": "[MASK]"},
             "additional_special_tokens": ["e2", "[E1]", "[/E1]"]}
    tokenizer = Tokenizer.load(legacy(tmp_path, special_tokens_map_json=names))
    for special in (False, True):
        assert tokenizer.ids(["a [E1]river[/E1] e2"], special) == [[8, AFTER, 5, AFTER + 1, 14]]
    for token in SPECIAL:
        assert tokenizer.id(token) not in tokenizer.ids([f"river {token}"])[0][1:] or token == "[UNK]"
        assert tokenizer.ids([f"river {token}"], special_tokens=True) == [[5, tokenizer.id(token)]]


@pytest.mark.parametrize("key", ["additional_special_tokens", "extra_special_tokens"])
def test_tokenizer_config_lists_tokens(tmp_path, key):
    tokenizer = Tokenizer.load(legacy(tmp_path, tokenizer_config_json=BERT | {key: ["[E1]"], "image_token": "[IMAGE]"}))
    assert sorted(tokenizer.ids(["[E1] [IMAGE]"])[0]) == [AFTER, AFTER + 1]


def test_what_the_newer_list_lacks_is_named(tmp_path, caplog):
    decoder = {str(AFTER): {"content": "[E1]", "special": True}}
    older = {"additional_special_tokens": ["[E3]"], "cls_token": "cls"}
    with caplog.at_level(logging.WARNING):
        tokenizer = Tokenizer.load(legacy(tmp_path, tokenizer_config_json=BERT | {"added_tokens_decoder": decoder},
                                          added_tokens_json={"[E1]": AFTER, "[E2]": AFTER + 1},
                                          special_tokens_map_json=older))
    assert tokenizer.ids(["[E1]"]) == [[AFTER]] and len(tokenizer) == AFTER + 1 and tokenizer.special["cls"] == "[CLS]"
    for name, token in (("added_tokens.json", "'[E2]'"), ("special_tokens_map.json", "'[E3]'"),
                        ("special_tokens_map.json", "'cls'")):
        assert any(name in record.getMessage() and token in record.getMessage() for record in caplog.records)


def test_an_older_map_renames_a_role(tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        tokenizer = Tokenizer.load(legacy(tmp_path, special_tokens_map_json={"cls_token": "cls"},
                                          tokenizer_config_json=BERT | {"cls_token": "[CLS]"}))
    assert tokenizer.pack(["river"], length=3)["token_ids"].tolist() == [[16, 5, 3]]
    assert "tokenizer_config.json says cls_token='[CLS]'" in caplog.text and "special_tokens_map.json" in caplog.text


def test_files_that_differ_in_a_token_are_said(tmp_path, caplog):
    token = {"id": AFTER, "content": "Imatinib", "special": False, "normalized": True}
    with caplog.at_level(logging.WARNING):
        tokenizer = Tokenizer.load(written(tmp_path, **fast(bert(), [token], **BERT, added_tokens_decoder={
            str(AFTER): {"content": "Imatinib", "special": False, "normalized": False}})))
    assert [row[:1] == [AFTER] for row in tokenizer.ids(["Imatinib", "imatinib"])] == [True, False]
    assert "tokenizer.json has the added token 'Imatinib' with {'normalized': True}" in caplog.text


@pytest.mark.parametrize(("files", "message"), [
    ({"added_tokens_json": {"new": AFTER + 7}}, f"added_tokens.json: .* 'new' has the id {AFTER + 7}, wanted {AFTER}"),
    ({"added_tokens_json": {"river": 6}}, "the added token 'river' has the id 6, wanted 5"),
    ({"added_tokens_json": {"new": "x"}}, "'new' has the id 'x'; wanted a whole number"),
    ({"tokenizer_config_json": BERT | {"additional_special_tokens": [3]}}, "added token 3 is malformed"),
    ({"tokenizer_config_json": BERT | {"additional_special_tokens": 3}}, "not a whole tokenizer_config.json"),
    ({"tokenizer_config_json": {"tokenizer_class": "RoFormerTokenizer"}}, "is RoFormerTokenizer, which parts words"),
])
def test_what_cannot_be_right_is_refused(tmp_path, files, message):
    with pytest.raises(Error, match=message):
        Tokenizer.load(legacy(tmp_path, **files))


# ------------------------------------------------------------------- tokenizer_config.json against tokenizer.json

def test_a_case_in_two_files_is_that_of_transformers_and_said_once(tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        written(tmp_path, **fast(bert(), tokenizer_class="BertTokenizer", do_lower_case=False))
        for _ in range(2):
            assert Tokenizer.load(tmp_path).ids(["River river"]) == [[12, 5]]
    (record,) = caplog.records
    assert "tokenizer_config.json says do_lower_case=false" in record.getMessage()
    assert "tokenizer.json has a normalizer with do_lower_case=true; the former is taken" in record.getMessage()


@pytest.mark.parametrize("kind", ["PreTrainedTokenizerFast", "TokenizersBackend"])
def test_a_class_of_all_tokenizer_json_follows_that_file(tmp_path, kind, caplog):
    with caplog.at_level(logging.WARNING):
        written(tmp_path, **fast(bert(), tokenizer_class=kind, do_lower_case=False))
        assert Tokenizer.load(tmp_path).ids(["River"]) == [[5]]
    assert "the latter is taken" in caplog.text


@pytest.mark.parametrize(("normalizer", "said", "wanted"), [
    (bert(strip_accents=False), {}, [13]), (bert(strip_accents=False), {"strip_accents": None}, [9]),
    (bert(), {"strip_accents": False}, [13]), (bert(), {}, [9])])
def test_accents_in_two_files(tmp_path, normalizer, said, wanted):
    written(tmp_path, **fast(normalizer, tokenizer_class="BertTokenizer", do_lower_case=True, **said))
    assert Tokenizer.load(tmp_path).ids(["É"]) == [wanted]


def test_keys_that_are_passed_over_are_named(tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        keys = {"do_basic_tokenize": False, "never_split": ["River"]}
        Tokenizer.load(legacy(tmp_path, tokenizer_config_json=BERT | keys))
    assert "do_basic_tokenize=False" in caplog.text and "never_split=['River']" in caplog.text


# ----------------------------------------------------------------------------------- normalizers of several parts

@pytest.mark.parametrize(("parts", "text", "wanted"), [
    ([{"type": "Lowercase"}, bert(lowercase=False)], "RIVER É", [5, 13]),
    ([{"type": "NFC"}, bert(strip_accents=False)], "E\u0301", [13]),
    ([{"type": "NFD"}, {"type": "StripAccents"}, {"type": "Lowercase"}], "RIVER É", [5, 9]),
    ([bert(lowercase=False), {"type": "Lowercase"}], "RIVER", [5]),
    ([{"type": "Sequence", "normalizers": [{"type": "NFKC"}]}, bert()], "\uff32iver", [5]),
    ([{"type": "Replace", "pattern": {"String": "x"}, "content": "er"}, bert()], "rivx", [5])])
def test_a_sequence_of_normalizers(tmp_path, parts, text, wanted):
    tokenizer = Tokenizer.load(written(tmp_path, **fast({"type": "Sequence", "normalizers": parts})))
    assert tokenizer.ids([text]) == [wanted]
    (tmp_path / "out").mkdir()
    huggingface.write(tmp_path / "out", tokenizer)
    assert Tokenizer.load(tmp_path / "out").settings() == tokenizer.settings()


# ------------------------------------------------------------------------------------------ sentence-transformers

MODULES = [{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
           {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}]


@pytest.mark.parametrize("place", ["", "0_Transformer"])
@pytest.mark.parametrize("lower", [True, False, None])
def test_sentence_bert_config_lower_cases_first(tmp_path, place, lower):
    (tmp_path / place).mkdir(exist_ok=True)
    written(tmp_path, modules_json=[MODULES[0] | {"path": place}, MODULES[1]])
    legacy(tmp_path / place, tokenizer_config_json=BERT | {"do_lower_case": False},
           sentence_bert_config_json={"max_seq_length": 9, "do_lower_case": lower})
    assert Tokenizer.load(tmp_path).ids(["River"]) == [[5 if lower else 12]]


def test_modules_json_names_no_folder_elsewhere(tmp_path):
    with pytest.raises(Error, match="names the folder '../x'; wanted one beside it"):
        Tokenizer.load(legacy(tmp_path, modules_json=[MODULES[0] | {"path": "../x"}]))


# --------------------------------------------------------------------------------------- bytes without an entry

def test_a_byte_without_an_entry_is_dropped_and_told(tmp_path, caplog):
    from bertkit.text.models.bytelevel import letters
    known = [letter for letter in letters() if letter not in "\u010aZ"]
    entries = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", *known, "ab"]
    with caplog.at_level(logging.WARNING):
        tokenizer = Tokenizer.load(written(tmp_path, vocab_json={entry: i for i, entry in enumerate(entries)},
                                           merges_txt=["a b"], config_json={"model_type": "roberta"}))
    assert "lacks 2 of the bytes of UTF-8, the first 0x0a; in a text they are dropped" in caplog.text
    encoding = tokenizer.encode(["aZb\nc"])[0]
    assert encoding.tokens == ["ab", "c"] and encoding.offsets == [(0, 3), (4, 5)]
    tf = pytest.importorskip("tensorflow")
    from bertkit.text.graph.tokenizer import GraphTokenizer
    found = GraphTokenizer(tokenizer)(tf.constant(["aZb\nc", "Z", ""]), offsets=True)
    assert found["token_ids"].numpy()[:, 1:3].tolist() == [encoding.ids, [2, 1], [2, 1]]
    assert found["offsets"].numpy()[0, 1:3].tolist() == [[0, 3], [4, 5]]


# ---------------------------------------------------------------------------------------------------- Japanese

JAPANESE = json.loads((Path(__file__).parents[1] / "golden" / "japanese.json").read_text("utf-8"))


def japanese(folder, config):
    return written(folder, vocab_txt=JAPANESE["vocabulary"], tokenizer_config_json=config)


@pytest.mark.parametrize("number", range(len(JAPANESE["cases"])))
def test_japanese_words_are_those_of_transformers(tmp_path, number):
    row = JAPANESE["cases"][number]
    if row["config"].get("word_tokenizer_type") == "mecab":
        for package in ("fugashi", "unidic_lite", "ipadic"):
            pytest.importorskip(package)
    tokenizer = Tokenizer.load(japanese(tmp_path, row["config"]))
    assert tokenizer.ids(JAPANESE["texts"]) == row["ids"]
    if tokenizer.model.kind == "japanese":
        (tmp_path / "out").mkdir()
        huggingface.write(tmp_path / "out", tokenizer)
        assert Tokenizer.load(tmp_path / "out").ids(JAPANESE["texts"]) == row["ids"]
        assert Tokenizer.restore(tmp_path / "out", tokenizer.settings()).ids(JAPANESE["texts"]) == row["ids"]


def test_offsets_of_japanese_words(tmp_path):
    pytest.importorskip("fugashi")
    pytest.importorskip("unidic_lite")
    text = "\uff21\uff22\uff23\u3000東京 は"
    tokenizer = Tokenizer.load(japanese(tmp_path, JAPANESE["cases"][0]["config"]))
    assert [text[a:b] for a, b in tokenizer.encode([text])[0].offsets] == ["\uff21\uff22\uff23", "東京", "は"]


@pytest.mark.parametrize("settings", [{"word_tokenizer_type": "sudachi"}, {"word_tokenizer_type": "jumanpp"},
                                      {"word_tokenizer_type": "mecab", "subword_tokenizer_type": "sentencepiece"},
                                      {"word_tokenizer_type": "mecab", "mecab_kwargs": {"mecab_option": "-d /"}},
                                      {"word_tokenizer_type": "mecab", "mecab_kwargs": {"mecab_dic": None}}])
def test_other_japanese_words_are_refused(tmp_path, settings):
    config = {"tokenizer_class": "BertJapaneseTokenizer"} | settings
    with pytest.raises(Error, match="tokenizer_class BertJapaneseTokenizer has word_tokenizer_type='"):
        Tokenizer.load(japanese(tmp_path, config))


def test_without_mecab_the_package_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "fugashi", None)
    with pytest.raises(Error, match="BertJapaneseTokenizer with word_tokenizer_type mecab .* needs fugashi, which"):
        Tokenizer.load(japanese(tmp_path, JAPANESE["cases"][0]["config"]))


def test_japanese_words_have_no_graph(tmp_path):
    pytest.importorskip("fugashi")
    pytest.importorskip("unidic_lite")
    pytest.importorskip("tensorflow")
    from bertkit.text.graph.tokenizer import GraphTokenizer
    tokenizer = Tokenizer.load(japanese(tmp_path, JAPANESE["cases"][0]["config"]))
    with pytest.raises(Error, match="A japanese tokenizer has no form in TensorFlow; export token ids instead"):
        GraphTokenizer(tokenizer)
