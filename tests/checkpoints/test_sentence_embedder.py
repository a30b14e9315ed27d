"""Folders of sentence-transformers become bundles whose vectors are those of their library (make_sentence.py)."""

import io
import json
import re
import shutil

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import bertkit
from bertkit import checkpoints
from bertkit.checkpoints import bundle
from bertkit.checkpoints.convert import convert
from bertkit.checkpoints.embedder import load_embedder, load_for_training, row_length, task_of
from bertkit.encoder import Encoder
from bertkit.errors import Error
from bertkit.export.served import Vectors
from bertkit.predictor import Predictor
from tests.recorded import GOLDEN

FOLDERS = json.loads((GOLDEN / "sentence" / "folders.json").read_text())
TEXTS = json.loads((GOLDEN / "sentence" / "texts.json").read_text())
DENSE = load_file(GOLDEN / "sentence" / "dense.safetensors")


def write(place, variant, **changes):
    """Write a variant into a folder; `changes` are other contents of its files, None for none."""
    files = {**FOLDERS[variant], **changes}
    encoder = place / files.pop("encoder_folder")
    encoder.mkdir(parents=True, exist_ok=True)
    for path in (GOLDEN / "bert_tiny_erf").iterdir():
        shutil.copy(path, encoder)
    for name, content in files.items():
        if content is not None:
            (place / name).parent.mkdir(exist_ok=True)
            (place / name).write_text(json.dumps(content))
        if "_Dense" in name:
            size = f"{content['in_features']} to {content['out_features']}/"
            save_file({key.removeprefix(size): value for key, value in DENSE.items() if key.startswith(size)},
                      (place / name).parent / "model.safetensors")
    return place


@pytest.mark.parametrize("variant", [
    name if name in ("dense", "three side by side", "mean_tokens", "a default prompt", "old layout") else
    pytest.param(name, marks=pytest.mark.slow) for name in FOLDERS])
def test_the_vectors_are_those_of_the_library(tmp_path, variant):
    wanted = np.load(GOLDEN / "sentence" / "ref.npz")[variant]
    card = convert(write(tmp_path / "theirs", variant), tmp_path / "ours")
    found = [row["embedding"] for row in Predictor(tmp_path / "ours").predict(TEXTS)]
    assert card.task == "embed"
    np.testing.assert_allclose(found, wanted, atol=2e-5)
    again, said = load_embedder(tmp_path / "ours")
    assert task_of(again, said) == Predictor(tmp_path / "ours").task and again.width == wanted.shape[1]
    assert row_length(again, said) == bundle.read_metadata(tmp_path / "ours")["length"]


def test_the_encoder_of_an_old_folder_is_found(tmp_path):
    folder = write(tmp_path, "old layout")
    assert isinstance(checkpoints.load(folder), Encoder)
    assert len(bertkit.Tokenizer.load(folder)) == 60
    shutil.rmtree(folder / "0_Transformer")
    with pytest.raises(Error, match="names the folder 0_Transformer, which is missing"):
        checkpoints.load(folder)


def test_an_exported_embedder_reads_behind_its_prompt(tmp_path):
    convert(write(tmp_path / "theirs", "a default prompt"), tmp_path / "ours")
    served = Vectors(Predictor(tmp_path / "ours"))
    import tensorflow as tf
    found = served.serve(tf.constant(TEXTS))["embedding"]
    np.testing.assert_allclose(found, np.load(GOLDEN / "sentence" / "ref.npz")["a default prompt"], atol=2e-5)


def test_prompts_of_queries_and_documents_are_kept(tmp_path):
    folder = write(tmp_path, "a default prompt")
    task = task_of(*load_embedder(folder))
    assert (task.prompt, task.query, task.document) == ("a film . ", "the good ", "a film . ")


def test_to_hugging_face_goes_the_encoder_alone(tmp_path, caplog):
    convert(write(tmp_path / "theirs", "dense"), tmp_path / "hf", to="huggingface")
    assert "without its pooling" in caplog.text and isinstance(checkpoints.load(tmp_path / "hf"), Encoder)


POOLED, PLAIN = "1_Pooling/config.json", "mean_tokens"


@pytest.mark.parametrize("variant, changes, words", [
    ("dense", {"2_Dense/config.json": {**FOLDERS["dense"]["2_Dense/config.json"],
                                       "activation_function": "torch.nn.modules.activation.Sigmoid"}}, "Sigmoid"),
    ("dense", {"2_Dense/config.json": {**FOLDERS["dense"]["2_Dense/config.json"], "use_residual": True}},
     "use_residual"),
    ("gelu", {"2_Dense/config.json": {**FOLDERS["gelu"]["2_Dense/config.json"], "bias": False}}, "describes"),
    (PLAIN, {POOLED: {"pooling_mode": ["median"]}}, "pools by median"),
    (PLAIN, {POOLED: {"pooling_mode_attention": True}}, "pools by pooling_mode_attention"),
    ("a default prompt", {POOLED: {"pooling_mode": "mean", "include_prompt": False}}, "include_prompt"),
    (PLAIN, {"config_sentence_transformers.json": {"prompts": {}, "default_prompt_name": "x"}}, "none of its prompts"),
    (PLAIN, {"config_sentence_transformers.json": {"model_type": "SparseEncoder"}}, "SparseEncoder"),
    (PLAIN, {"config_sentence_transformers.json": {"truncate_dim": 8}}, "truncate_dim=8"),
    (PLAIN, {"sentence_bert_config.json": {"max_seq_length": "12"}}, "max_seq_length"),
], ids=lambda value: value if isinstance(value, str) else "")
def test_what_the_vectors_would_differ_by_is_named(tmp_path, variant, changes, words):
    with pytest.raises(Error, match=words):
        load_embedder(write(tmp_path, variant, **changes))


@pytest.mark.parametrize("kinds, words", [
    (["sentence_transformers.models.Transformer", "sentence_transformers.models.Pooling",
      "sentence_transformers.models.LayerNorm"], "a module LayerNorm, which bertkit has not"),
    (["sentence_transformers.models.Transformer", "sentence_transformers.models.Pooling",
      "sentence_transformers.models.Normalize", "sentence_transformers.models.Dense"], "in this order"),
    (["custom_st.Transformer", "sentence_transformers.models.Pooling"], "custom_st.Transformer.*code of its own")])
def test_another_chain_of_modules_is_named(tmp_path, kinds, words):
    modules = [{"idx": i, "name": str(i), "path": "1_Pooling" if i == 1 else "", "type": kind}
               for i, kind in enumerate(kinds)]
    with pytest.raises(Error, match=words):
        load_embedder(write(tmp_path, PLAIN, **{"modules.json": modules}))


def test_a_pooling_that_no_file_names_is_said(tmp_path, caplog):
    load_embedder(write(tmp_path, PLAIN, **{"modules.json": None}))
    assert "holds 1_Pooling and no modules.json that names it" in caplog.text


PROMPTED = {"prompts": {"query": "find: ", "document": "text: "}}


@pytest.mark.parametrize("name, words", [("dot", r"compared by dot .*unless ExactIndex.similarity=.dot"),
                                         ("euclidean", "compared by euclidean"), ("cosine", None), (None, None)])
def test_another_similarity_is_said(tmp_path, caplog, name, words):
    load_embedder(write(tmp_path, PLAIN, **{"config_sentence_transformers.json": {"similarity_fn_name": name}}))
    assert ("similarity_fn_name" in caplog.text) == (words is not None)
    assert words is None or re.search(words, caplog.text)


def test_training_says_which_prompts_it_leaves_out(tmp_path, caplog):
    load_for_training(write(tmp_path / "plain", PLAIN))
    assert "prompts" not in caplog.text
    load_for_training(write(tmp_path / "prompted", PLAIN, **{"config_sentence_transformers.json": PROMPTED}))
    assert "has prompts (query 'find: ', document 'text: '); training puts none in front" in caplog.text


def test_predict_says_which_prompts_it_leaves_out(tmp_path, capsys, monkeypatch):
    from bertkit.cli import commands
    convert(write(tmp_path / "theirs", PLAIN, **{"config_sentence_transformers.json": PROMPTED}), tmp_path / "ours")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"a film\n")))
    commands.predict(str(tmp_path / "ours"))
    written = capsys.readouterr()
    assert len(json.loads(written.out)["embedding"]) > 1
    assert "has prompts (query 'find: ', document 'text: '), and predict puts neither in front" in written.err
