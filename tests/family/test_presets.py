"""Backbones that keras-nlp has just written, against keras-nlp's own outputs."""

import keras
import numpy as np
import pytest

from bertkit import checkpoints
from bertkit.checkpoints import huggingface
from bertkit.errors import Error
from bertkit.family import pages_with
from tests.family.checks import first_alone

pytestmark = pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="keras-nlp runs as the tests do")

SIZES = {"vocabulary_size": 31, "num_layers": 4, "num_heads": 2, "hidden_dim": 8, "intermediate_dim": 12,
         "max_sequence_length": 16, "dropout": 0.2}
NAMELESS = {name: size for name, size in SIZES.items() if name != "vocabulary_size"}
BACKBONES = {
    "RobertaBackbone": SIZES, "XLMRobertaBackbone": SIZES, "DistilBertBackbone": SIZES,
    "AlbertBackbone": {**SIZES, "embedding_dim": 6, "num_groups": 2, "num_inner_repetitions": 2, "num_segments": 3},
    "ElectraBackbone": {**NAMELESS, "vocab_size": 31, "embedding_dim": 6},
    "ElectraBackbone of one width": {**NAMELESS, "vocab_size": 31, "embedding_dim": 8},
}


@pytest.fixture(scope="module")
def backbones(tmp_path_factory):
    """Return {name: (keras-nlp's model, the folder of its preset)}, every weight drawn."""
    import keras_hub
    found, rng = {}, np.random.default_rng(3)
    for name, sizes in BACKBONES.items():
        backbone = getattr(keras_hub.models, name.split()[0])(**sizes)
        for weight in backbone.trainable_weights:
            weight.assign(rng.normal(1.0 if weight.path.endswith("gamma") else 0.0, 0.2, weight.shape))
        folder = tmp_path_factory.mktemp("preset")
        backbone.save_to_preset(str(folder))
        found[name] = backbone, folder
    return found


@pytest.mark.parametrize("name", first_alone(BACKBONES))
def test_outputs_equal_keras_nlps(backbones, name):
    (backbone, folder), rng = backbones[name], np.random.default_rng(4)
    mask = np.arange(13) < np.array([[13], [4]])
    batch = {"token_ids": np.where(mask, rng.integers(2, 31, (2, 13)), 1), "segment_ids": rng.integers(0, 2, (2, 13)),
             "padding_mask": mask.astype("int32")}
    wanted = backbone({entry: batch[entry] for entry in backbone.input})
    wanted = wanted if isinstance(wanted, dict) else {"sequence_output": wanted}
    encoder = checkpoints.load(folder)
    found = encoder(batch)
    np.testing.assert_allclose(np.asarray(found["sequence"])[mask], np.asarray(wanted["sequence_output"])[mask],
                               atol=1e-5)
    if "pooled" in found:
        np.testing.assert_allclose(found["pooled"], wanted["pooled_output"], atol=1e-5)
    assert ("pooled" in found) == (name == "AlbertBackbone")
    assert encoder.config.dropout == encoder.config.attention_dropout == 0.2


@pytest.mark.slow
@pytest.mark.parametrize("name", BACKBONES)
def test_one_goes_to_hugging_face_only_as_what_transformers_has(backbones, name, tmp_path):
    encoder = checkpoints.load(backbones[name][1])
    if "Roberta" in name:
        with pytest.raises(Error, match="counts positions from the padding id"):
            huggingface.save(tmp_path, encoder)
    else:
        huggingface.save(tmp_path, encoder)
        assert checkpoints.load(tmp_path).config == encoder.config


def test_every_backbone_of_a_page_is_looked_at():
    assert {name.split()[0] for name in BACKBONES} | {"BertBackbone"} == {
        form.class_name for form in pages_with("PRESET").values()}
