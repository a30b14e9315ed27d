"""SentencePiece tokenizers in files: read as the reference does, written so that it reads the same, damage told."""

import json

import pytest
from sentencepiece_references import CHARSMAP, STEPS, bpe_vocabulary, entries, scores
from text_references import HOSTILE

from bertkit.errors import Error
from bertkit.text import Tokenizer
from bertkit.text.formats import huggingface
from bertkit.text.formats.sentencepiece import from_tokenizer_json

FAMILIES = ("xlmr", "camembert", "albert", "xlnet", "bigbird", "reformer")
NAMES = {"unk": "<unk>", "cls": "<s>", "sep": "</s>", "pad": "<pad>", "mask": "[MASK]"}
CONTROLS = ["<s>", "</s>", "[MASK]", "<pad>"]


def unigram(**changes):
    settings = {"kind": "unigram", "special": NAMES, "scores": scores(entries()), "normalization": STEPS["albert"],
                "charsmap": CHARSMAP, "controls": CONTROLS}
    return Tokenizer(entries(), **settings | changes)


def bpe(**changes):
    vocabulary, merges = bpe_vocabulary()
    settings = {"kind": "bpe", "special": NAMES, "merges": merges, "normalization": STEPS["older"], "words": "spaces",
                "charsmap": CHARSMAP, "controls": CONTROLS}
    return Tokenizer(vocabulary, **settings | changes)


TOKENIZERS = [unigram(), bpe(), unigram(normalization=[], charsmap="", prefix=False, words="spaces"),
              unigram(normalization=STEPS["stripped"] + STEPS["forms"], charsmap=""),
              bpe(normalization=[], charsmap="", controls=[], special=dict.fromkeys(NAMES) | {"unk": "<unk>"})]


@pytest.mark.parametrize("number", range(len(TOKENIZERS)))
def test_what_is_written_is_read_the_same_here_and_there(number, tmp_path):
    tokenizer = TOKENIZERS[number]
    huggingface.write(tmp_path, tokenizer)
    again = Tokenizer.load(tmp_path)
    library = pytest.importorskip("tokenizers").Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    for text in HOSTILE + ["<s>xx[MASK] <pad>a"]:
        found = again.encode([text], special_tokens=True)[0]
        assert found == tokenizer.encode([text], special_tokens=True)[0]
        assert found.ids == library.encode(text, add_special_tokens=False).ids, ascii(text)
        assert again.ids([text]) == tokenizer.ids([text])
    assert again.vocabulary == tokenizer.vocabulary and again.template == tokenizer.template
    assert again.model.tables() == tokenizer.model.tables()


@pytest.mark.parametrize("make", [unigram, bpe])
def test_a_saved_tokenizer_is_the_same_again(make, tmp_path):
    tokenizer = make()
    again = Tokenizer.restore(tmp_path, json.loads(json.dumps(tokenizer.save(tmp_path))))
    assert again.encode(HOSTILE) == tokenizer.encode(HOSTILE)


# ------------------------------------------------------------------------------ tokenizer.json

def content(tmp_path, tokenizer=None):
    huggingface.write(tmp_path, tokenizer or unigram())
    return json.loads((tmp_path / "tokenizer.json").read_text("utf-8"))


def changed(value, path, new):
    """Return a JSON value with another one at a path of keys."""
    if not path:
        return new
    copy = value.copy()
    copy[path[0]] = changed(value[path[0]] if path[1:] else None, path[1:], new)
    return copy


def test_older_files_mark_words_by_another_name(tmp_path):
    mark = {"type": "Metaspace", "replacement": "▁", "str_rep": "▁", "add_prefix_space": True}
    wanted = content(tmp_path)
    older = changed(wanted, ["pre_tokenizer", "pretokenizers", 1], mark)
    assert from_tokenizer_json(tmp_path, older) == from_tokenizer_json(tmp_path, wanted)
    never = changed(older, ["pre_tokenizer", "pretokenizers", 1, "add_prefix_space"], False)
    assert from_tokenizer_json(tmp_path, never)[1]["prefix"] is False


@pytest.mark.parametrize(("path", "new", "message"), [
    (["model", "byte_fallback"], True, "byte_fallback=True; bertkit does not read"),
    (["model", "unk_id"], None, "is not a whole tokenizer.json"), (["model", "unk_id"], -1, "is not a whole"),
    (["model", "vocab"], [["a"]], "is not a whole"), (["model", "vocab"], [], "is not a whole"),
    (["model", "vocab"], 5, "is not a whole"), (["normalizer"], {"type": "Nmt"}, "its normalizer is Nmt, wanted"),
    (["normalizer", "normalizers", 0, "pattern"], {"Regex": " +"}, r"replaces the regular expression ' \+', wanted"),
    (["normalizer", "normalizers", 2], {"type": "Precompiled", "precompiled_charsmap": "AAAA"}, "has 2 character maps"),
    (["normalizer", "normalizers", 5, "precompiled_charsmap"], "AAAA", "is damaged|its head says"),
    (["pre_tokenizer"], None, "its pre_tokenizer is None, wanted Metaspace"),
    (["pre_tokenizer", "pretokenizers", 0], {"type": "Digits"}, "is Digits, wanted WhitespaceSplit"),
    (["pre_tokenizer", "pretokenizers", 1, "replacement"], "_", "not Metaspace with ▁ before all words or none"),
    (["pre_tokenizer", "pretokenizers", 1, "prepend_scheme"], "first", "before all words or none"),
    (["pre_tokenizer", "pretokenizers", 1, "split"], False, "before all words or none")])
def test_what_bertkit_does_not_read_is_refused(path, new, message, tmp_path):
    with pytest.raises(Error, match=message):
        vocabulary, settings = from_tokenizer_json(tmp_path, changed(content(tmp_path), path, new))
        Tokenizer(vocabulary, **settings)


@pytest.mark.parametrize(("name", "value"), [("dropout", 0.1), ("fuse_unk", False), ("continuing_subword_prefix", "##"),
                                             ("end_of_word_suffix", "</w>"), ("ignore_merges", True)])
def test_other_ways_to_merge_are_refused(name, value, tmp_path):
    with pytest.raises(Error, match=f"has {name}="):
        from_tokenizer_json(tmp_path, changed(content(tmp_path, bpe()), ["model", name], value))


def test_special_tokens_are_those_of_the_template(tmp_path):
    wanted = content(tmp_path)
    (tmp_path / "tokenizer_config.json").unlink()
    names = NAMES | {"bos": "<s>", "eos": "</s>"}
    assert from_tokenizer_json(tmp_path, wanted)[1]["special"] == names
    bare = from_tokenizer_json(tmp_path, wanted | {"post_processor": None})[1]
    assert bare["special"] == names | {"cls": None, "sep": None} and bare["template"]["single"] == [["$first", 0]]


def test_a_token_that_the_vocabulary_lacks_is_left_out_and_told(tmp_path, caplog):
    wanted = content(tmp_path)
    (tmp_path / "tokenizer_config.json").write_text('{"pad_token": "<nothing>"}')
    assert from_tokenizer_json(tmp_path, wanted)[1]["special"]["pad"] is None
    assert "the vocabulary has no <nothing>; the tokenizer goes without" in caplog.text


@pytest.mark.parametrize(("kind", "lower", "prefix"), [
    ("AlbertTokenizer", False, False), ("AlbertTokenizerFast", False, False), ("PreTrainedTokenizerFast", True, True)])
def test_tokenizer_config_says_otherwise(tmp_path, kind, lower, prefix, caplog):
    wanted = content(tmp_path)
    before = from_tokenizer_json(tmp_path, wanted)[1]
    assert ["lowercase"] in before["normalization"] and before["prefix"]
    keys = {"tokenizer_class": kind, "do_lower_case": False, "add_prefix_space": False}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(keys))
    found = from_tokenizer_json(tmp_path, wanted)[1]
    assert (["lowercase"] in found["normalization"], found["prefix"]) == (lower, prefix)
    assert ["charsmap"] in found["normalization"] and ["accents"] in found["normalization"]
    which = "latter" if lower else "former"
    assert f"do_lower_case=false, {tmp_path / 'tokenizer.json'} has true; the {which} is taken" in caplog.text


def test_a_special_token_without_a_role_stays_a_piece(tmp_path):
    files = content(tmp_path)
    entry = next(entry for entry, _ in files["model"]["vocab"] if entry.isalpha() and len(entry) > 1)
    token = {"content": entry, "special": True, "single_word": True, "normalized": False,
             "id": [entry for entry, _ in files["model"]["vocab"]].index(entry)}
    vocabulary, settings = from_tokenizer_json(tmp_path, files | {"added_tokens": [*files["added_tokens"], token]})
    assert entry not in settings["controls"] and "<s>" in settings["controls"]
    assert entry in Tokenizer(vocabulary, **settings).model.pieces


# ------------------------------------------------------------------------------ the sample checkpoints

@pytest.mark.parametrize("name", FAMILIES)
def test_both_files_of_a_checkpoint_hold_the_same_tokenizer(shared, name):
    folder = shared(f"checkpoints/{name}/base")
    (path,) = folder.glob("*.model")
    one, two = Tokenizer.load(folder), Tokenizer.load(path)
    assert one.vocabulary == two.vocabulary and one.template == two.template and one.special == two.special
    assert one.encode(HOSTILE) == two.encode(HOSTILE)
    for token in {"<eop>"} & set(one.vocabulary):     # a special token of the file that has no role
        assert one.ids([token]) == [[one.id(token)]]


@pytest.mark.parametrize("name", FAMILIES)
def test_recorded_cases(shared, name):
    folder = shared(f"checkpoints/{name}/base")
    tokenizer = Tokenizer.load(folder)
    library = pytest.importorskip("tokenizers").Tokenizer.from_file(str(folder / "tokenizer.json"))
    recorded = json.loads((folder / "tokenization.json").read_text("utf-8"))
    for row in recorded["cases"]:
        second = row["text_pair"] and [row["text_pair"]]
        size = len(row["input_ids"])
        batch = tokenizer.pack([row["text"]], second, length=size, special_tokens=True)
        assert batch["token_ids"].tolist() == [row["input_ids"]]
        assert batch["segment_ids"].tolist() == [row["token_type_ids"]]
    for text in HOSTILE:
        wanted, found = library.encode(text, add_special_tokens=False), tokenizer.encode([text], special_tokens=True)[0]
        assert found.ids == wanted.ids, ascii(text)
        if text[:1] not in ("\x01", "\0"):    # see test_normalize
            assert found.offsets == wanted.offsets, ascii(text)


def test_all_entries_of_a_published_map(shared):
    folder = shared("checkpoints/xlmr/base")
    model = Tokenizer.load(folder).model
    library = pytest.importorskip("tokenizers").Tokenizer.from_file(str(folder / "tokenizer.json")).normalizer
    assert len(model.mapping) == 7750
    for text in model.mapping:
        for around in (text, text + "\u0301", "a" + text, text * 2):
            assert model.normalizer(around) == library.normalize_str(around), ascii(around)
