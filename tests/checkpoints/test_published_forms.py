"""Every published form of a BERT computes what its reference recorded."""

import json
import logging
import shutil

import numpy as np
import pytest
from safetensors.numpy import load_file

from bertkit import checkpoints
from bertkit.card import Card
from bertkit.checkpoints import bundle
from bertkit.checkpoints.convert import convert
from bertkit.checkpoints.tensors import variables
from bertkit.encoder import Encoder
from bertkit.errors import Error
from bertkit.heads import Classifier
from tests import tiny
from tests.recorded import GOLDEN, assert_equal, calls, traced

TOLERANCE = 2e-5                                    # family-spec, section 8
HEADS = {"mlm_logits": "prediction_logits", "nsp_logits": "seq_relationship_logits"}
CASES = ("bert", "bert_gelu_new", "bert_relu", "bertje", "mbert_cased", "mbert_uncased", "spanbert",
         "tinybert")
pytestmark = pytest.mark.filterwarnings("ignore:You are using a softmax over axis -1")


def check(encoder, folder):
    """Compare every recorded call but the one that gives embeddings, which batches do not hold."""
    for name, call in calls(folder).items():
        if "token_ids" in call.batch:
            assert_equal(traced(encoder, call.batch), call, TOLERANCE, besides=("loss", "logits", *HEADS.values()))
        else:
            assert name == "embeds"


@pytest.mark.parametrize("case", CASES)
def test_encoders(shared, case):
    folder = shared(f"checkpoints/{case}/base")
    encoder = checkpoints.load(folder)
    assert isinstance(encoder, Encoder)
    check(encoder, folder)


@pytest.mark.parametrize("case", [
    "bert/mlm", "bert/qa", "bert/tokcls", "bert/nsp", "bert/pretraining", "bert/seqcls", "bert/mc",
    "bert_gelu_new/pretraining", "spanbert/sbo", "formats/bert_bf16", "formats/bert_sharded"])
def test_the_encoder_of_a_model_with_any_head(shared, case):
    folder = shared(f"checkpoints/{case}")
    encoder = checkpoints.load(folder, part="encoder")
    for call in calls(folder).values():
        if call.batch["token_ids"].ndim == 2:
            found = traced(encoder, call.batch)
            assert_equal(found, call, TOLERANCE, besides=set(call.outputs) - set(found))


def test_the_encoder_of_a_multiple_choice_model_computes_each_choice(shared):
    folder = shared("checkpoints/bert/mc")
    call = calls(folder)["padded"]
    rows = {name: array.reshape(-1, array.shape[-1]) for name, array in call.batch.items()}
    found = traced(checkpoints.load(folder, part="encoder"), rows)
    mask = rows["padding_mask"].astype(bool)
    hidden = [name for name in call.outputs if name.startswith("hidden_states")]
    for name in hidden:
        np.testing.assert_allclose(found[name][mask], call.outputs[name][mask], atol=TOLERANCE)
    assert len(hidden) == 3


@pytest.mark.parametrize("activation, recorded", [(None, "padded_gelu_tanh"), ("gelu_erf", "padded")],
                         ids=["as Google's code", "as transformers"])
def test_google_directories_follow_googles_gelu_unless_told(shared, activation, recorded):
    folder = shared("checkpoints/formats/bert_tf1")
    model = checkpoints.load(folder, activation=activation)
    for name, call in calls(folder).items():
        heads = {HEADS[key]: np.asarray(logits) for key, logits in model(call.batch).items()}
        found = traced(model.encoder, call.batch) | heads
        besides = set(call.outputs) - set(found)
        assert besides <= {"loss"}
        if name == recorded:
            assert_equal(found, call, TOLERANCE, besides)
        else:
            with pytest.raises(AssertionError, match="beyond"):
                assert_equal(found, call, TOLERANCE, besides)


@pytest.mark.parametrize("name", ["erf", "preset", "google", "classifier"])
def test_the_activation_can_be_overridden(name):
    for activation in ("gelu_erf", "gelu_tanh", "relu"):
        model = checkpoints.load(GOLDEN / f"bert_tiny_{name}", activation=activation)
        assert getattr(model, "encoder", model).config.activation == activation


def test_a_preset_that_keras_nlp_has_just_written(tmp_path):
    """Sizes other than the golden ones, every weight drawn; heads as numerous as they fit."""
    import keras_hub
    backbone = keras_hub.models.BertBackbone(
        vocabulary_size=41, num_layers=3, num_heads=3, hidden_dim=24, intermediate_dim=40,
        max_sequence_length=13, num_segments=3, dropout=0.2)
    rng = np.random.default_rng(3)
    for weight in backbone.trainable_weights:
        weight.assign(rng.normal(1.0 if weight.path.endswith("gamma") else 0.0, 0.2, weight.shape))
    backbone.save_to_preset(str(tmp_path))
    mask = np.arange(13) < np.array([[13], [4]])
    batch = {"token_ids": rng.integers(0, 41, (2, 13)) * mask, "segment_ids": rng.integers(0, 3, (2, 13)),
             "padding_mask": mask.astype("int32")}
    encoder, wanted = checkpoints.load(tmp_path), backbone(batch)
    found = encoder(batch)
    np.testing.assert_allclose(found["pooled"], wanted["pooled_output"], atol=1e-5)
    np.testing.assert_allclose(np.asarray(found["sequence"])[mask],
                               np.asarray(wanted["sequence_output"])[mask], atol=1e-5)
    assert (encoder.config.dropout, encoder.config.attention_dropout) == (0.2, 0.2)
    erf = checkpoints.load(tmp_path, activation="gelu_erf")(batch)["pooled"]
    assert np.abs(np.asarray(erf) - np.asarray(wanted["pooled_output"])).max() > 1e-5


def test_a_head_that_was_not_asked_for_is_set_aside_and_listed(caplog):
    caplog.set_level(logging.INFO, "bertkit")
    checkpoints.load(GOLDEN / "bert_tiny_classifier", part="encoder")
    assert "set aside, not asked for: classifier.bias, classifier.weight" in caplog.text
    caplog.clear()
    checkpoints.load(GOLDEN / "bert_tiny_pretraining", part="encoder")
    assert "cls.predictions.bias" in caplog.text and "cls.seq_relationship.weight" in caplog.text
    caplog.clear()
    checkpoints.load(GOLDEN / "bert_tiny_google", part="encoder")
    assert "cls/predictions/output_bias" in caplog.text and "adam" not in caplog.text


def test_what_is_whole_and_asked_for_is_loaded_without_a_word(caplog):
    caplog.set_level(logging.INFO, "bertkit")
    for name in ("erf", "classifier", "preset"):
        checkpoints.load(GOLDEN / f"bert_tiny_{name}")
    assert not caplog.records


def test_names_of_the_familys_ignored_table_are_passed_over(shared, caplog):
    """TinyBERT's release holds fit_dense tensors, which only its distillation used."""
    caplog.set_level(logging.INFO, "bertkit")
    checkpoints.load(shared("checkpoints/tinybert/base"))
    assert not caplog.records


def test_label_names_come_from_the_config(shared, tmp_path):
    folder = tmp_path / "named"
    shutil.copytree(GOLDEN / "bert_tiny_classifier", folder)
    config = json.loads((folder / "config.json").read_text())
    config |= {"id2label": {"0": "bad", "1": "fair", "2": "good"}, "label2id": {"bad": 0, "fair": 1, "good": 2}}
    (folder / "config.json").write_text(json.dumps(config))
    assert checkpoints.load(folder).labels == ("bad", "fair", "good")
    assert checkpoints.load(GOLDEN / "bert_tiny_classifier").labels == ("LABEL_0", "LABEL_1", "LABEL_2")


@pytest.mark.parametrize("name", ["erf", "tanh", "classifier"])
def test_a_hugging_face_directory_survives_a_bundle_and_the_way_back(tmp_path, name):
    source = GOLDEN / f"bert_tiny_{name}"
    convert(source, tmp_path / "bundle", to="bertkit")
    convert(tmp_path / "bundle", tmp_path / "back", to="huggingface")
    first, *others = (checkpoints.load(folder) for folder in (source, tmp_path / "bundle", tmp_path / "back"))
    for other in others:
        assert type(other) is type(first) is (Classifier if name == "classifier" else Encoder)
        assert getattr(other, "encoder", other).config == getattr(first, "encoder", first).config
        np.testing.assert_equal({path: np.asarray(value) for path, value in variables(other).items()},
                                {path: np.asarray(value) for path, value in variables(first).items()})
    files = [load_file(folder / "model.safetensors") for folder in (source, tmp_path / "back")]
    assert set(files[0]) == set(files[1])


@pytest.mark.parametrize("labels, multi_label, kind", [
    (("a", "b"), False, "single_label_classification"), (("a", "b"), True, "multi_label_classification"),
    (("a",), True, "multi_label_classification"), (("score",), False, "regression")])
def test_the_problem_type_is_written_as_the_reference_reads_it(tmp_path, labels, multi_label, kind):
    model = tiny.classifier(labels=labels, multi_label=multi_label)
    bundle.save(tmp_path / "bundle", model, tiny.tokenizer(), Card("tiny", "classify", bundle.describe(model)))
    convert(tmp_path / "bundle", tmp_path / "theirs", to="huggingface")
    assert json.loads((tmp_path / "theirs" / "config.json").read_text())["problem_type"] == kind
    back = checkpoints.load(tmp_path / "theirs")
    assert (back.labels, back.multi_label) == (labels, multi_label)
    # Without `architectures` the tensors' names decide; one output alone may be a multiple choice.
    config = json.loads((tmp_path / "theirs" / "config.json").read_text())
    config.pop("architectures")
    (tmp_path / "theirs" / "config.json").write_text(json.dumps(config))
    assert checkpoints.load(tmp_path / "theirs").labels == labels
    config.pop("problem_type")
    (tmp_path / "theirs" / "config.json").write_text(json.dumps(config))
    if len(labels) > 1:
        assert checkpoints.load(tmp_path / "theirs").labels == labels
    else:
        with pytest.raises(Error, match="which head is it"):
            checkpoints.load(tmp_path / "theirs")
