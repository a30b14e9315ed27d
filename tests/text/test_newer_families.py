"""Tokenizers of the newer families: ids and offsets as transformers', in Python and in the graph, there and back."""

import json
import shutil

import pytest

from bertkit.errors import Error
from bertkit.text import Tokenizer
from bertkit.text.formats import huggingface
from tests.recorded import GOLDEN

RECORDED = {path.stem: json.loads(path.read_text()) for path in sorted((GOLDEN / "family_tokenizers").glob("*.json"))}
NAMES = pytest.mark.parametrize("name", RECORDED)


def folder(name):
    place = "families" if (GOLDEN / "families" / name).exists() else "family_tokenizers"
    return GOLDEN / place / name


def assert_equals_recorded(tokenizer, recorded):
    for text, ids, offsets, encoding in zip(recorded["texts"], recorded["ids"], recorded["offsets"],
                                            tokenizer.encode(recorded["texts"]), strict=True):
        assert encoding.ids == ids, ascii(text)
        assert list(map(list, encoding.offsets)) == offsets, ascii(text)


@NAMES
def test_ids_and_offsets_equal_the_reference(name):
    assert_equals_recorded(Tokenizer.load(folder(name)), RECORDED[name])


@NAMES
def test_texts_and_pairs_have_the_references_special_tokens(name):
    tokenizer, recorded = Tokenizer.load(folder(name)), RECORDED[name]
    rows = tokenizer.ids(recorded["texts"])
    assert [tokenizer.pack_ids(row, length=500)[0] for row in rows] == recorded["single"]
    assert [tokenizer.pack_ids(row, rows[0], length=500)[0] for row in rows] == recorded["pair"]


@NAMES
def test_a_folder_that_was_written_is_the_same_tokenizer(name, tmp_path):
    tokenizer = Tokenizer.load(folder(name))
    huggingface.write(tmp_path, tokenizer)
    again = Tokenizer.load(tmp_path)
    assert again.settings() == tokenizer.settings() and again.vocabulary == tokenizer.vocabulary
    assert_equals_recorded(again, RECORDED[name])


@NAMES
def test_the_graph_gives_the_same(name):
    tf = pytest.importorskip("tensorflow")
    pytest.importorskip("tensorflow_text")
    from bertkit.text.graph.tokenizer import GraphTokenizer
    recorded, tokenizer = RECORDED[name], Tokenizer.load(folder(name))
    batch = GraphTokenizer(tokenizer)(tf.constant(recorded["texts"]), offsets=True)
    for i, ids in enumerate(recorded["single"]):
        assert batch["token_ids"][i, :len(ids)].numpy().tolist() == ids, ascii(recorded["texts"][i])
        assert batch["padding_mask"][i].numpy().sum() == len(ids)
        wanted = [[0, 0], *recorded["offsets"][i], [0, 0]]
        assert batch["offsets"][i, :len(ids)].numpy().tolist() == wanted, ascii(recorded["texts"][i])


@pytest.mark.parametrize("files", [("vocab.txt", "tokenizer_config.json"), ("vocab.txt",),
                                   ("tokenizer.json", "config.json")], ids="-".join)
def test_few_files_tell_mpnets_special_tokens(files, tmp_path):
    for file in files:
        shutil.copy(folder("mpnet") / file, tmp_path)
    tokenizer, wanted = Tokenizer.load(tmp_path), Tokenizer.load(folder("mpnet"))
    assert (tokenizer.special, tokenizer.template) == (wanted.special, wanted.template)
    assert_equals_recorded(tokenizer, RECORDED["mpnet"])
    masks = [[token for token in one.added if token.content == "<mask>"] for one in (tokenizer, wanted)]
    assert masks[0] == masks[1] and masks[0][0].lstrip


@pytest.mark.parametrize("beside", [{"config.json": {"model_type": "deberta-v2"}},
                                    {"tokenizer_config.json": {"tokenizer_class": "DebertaV2Tokenizer"}}], ids=str)
def test_debertas_model_file_alone_gives_the_same(beside, tmp_path):
    shutil.copy(GOLDEN / "family_tokenizers" / "deberta.model", tmp_path / "spm.model")
    for name, content in beside.items():
        (tmp_path / name).write_text(json.dumps(content))
    tokenizer, wanted = Tokenizer.load(tmp_path), Tokenizer.load(folder("deberta"))
    assert (tokenizer.special, tokenizer.template) == (wanted.special, wanted.template)
    assert tokenizer.vocabulary == wanted.vocabulary
    assert_equals_recorded(tokenizer, RECORDED["deberta"])


@pytest.mark.parametrize("file", ["deberta.model", "tokenizer.json"])
def test_debertas_split_at_punctuation_is_refused(tmp_path, file, caplog):
    """transformers 5 splits beside a tokenizer.json too, unless that names the class which takes it as it is."""
    place = folder("deberta") if file == "tokenizer.json" else GOLDEN / "family_tokenizers"
    shutil.copy(place / file, tmp_path / file.replace("deberta.", "spm."))
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "deberta-v2"}))
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"split_by_punct": True}))
    with pytest.raises(Error, match="split_by_punct=true, by which transformers splits texts at punctuation"):
        Tokenizer.load(tmp_path)
    if file == "tokenizer.json":
        config = json.loads((place / "tokenizer_config.json").read_text())
        (tmp_path / "tokenizer_config.json").write_text(json.dumps(
            config | {"split_by_punct": True, "tokenizer_class": "PreTrainedTokenizerFast"}))
        assert Tokenizer.load(tmp_path).ids(["a.b"]) == Tokenizer.load(place).ids(["a.b"])
        assert "says split_by_punct=True, which is passed over" in caplog.text


def test_a_words_file_of_bert_stays_berts(tmp_path):
    (tmp_path / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "<s>", "a"]) + "\n")
    assert Tokenizer.load(tmp_path).special["cls"] == "[CLS]"
