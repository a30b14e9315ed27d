"""Every family against its recorded reference: outputs, loss, gradients, and the same from a bundle and a folder.

The outputs are compared under any backend: KERAS_BACKEND=jax runs this file too.
"""

from pathlib import Path

import keras
import numpy as np
import pytest
from safetensors.numpy import load_file

from bertkit import checkpoints, family
from bertkit.card import Card
from bertkit.checkpoints import bundle, huggingface
from bertkit.checkpoints.tensors import variables, weight_mapping
from bertkit.files.atomic import read_json
from bertkit.heads import Classifier
from bertkit.text import Tokenizer

FOLDERS = sorted((Path(__file__).parents[1] / "golden" / "families").iterdir())
NAMES = {"input_ids": "token_ids", "token_type_ids": "segment_ids", "attention_mask": "padding_mask"}
ON_TENSORFLOW = pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="gradients are TensorFlow's here")


def recorded(folder):
    """Return (batch, labels, outputs, gradient norms) of a folder's ref.npz."""
    arrays = dict(np.load(folder / "ref.npz"))
    batch = {NAMES[key[3:]]: array for key, array in arrays.items() if key[3:] in NAMES and key.startswith("in/")}
    return (batch, arrays["in/labels"], {key[4:]: array for key, array in arrays.items() if key.startswith("out/")},
            {key[9:]: float(array) for key, array in arrays.items() if key.startswith("gradnorm/")})


def distances(model, folder):
    """Return the largest differences of the logits and, on real tokens, of the last hidden states."""
    batch, _, outputs, _ = recorded(folder)
    real = batch["padding_mask"] > 0
    hidden = np.asarray(model.encoder(batch)["sequence"])
    return (np.abs(np.asarray(model(batch)) - outputs["logits"]).max(),
            np.abs(hidden - outputs["last_hidden_state"])[real].max())


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_outputs_equal_the_reference(folder):
    assert max(distances(checkpoints.load(folder), folder)) < 2e-5


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_planted_fault_is_seen(folder):
    model = checkpoints.load(folder)
    weight = next(weight for weight in model.encoder.weights if "block_0" in weight.path and len(weight.shape) > 1)
    weight.assign(weight * 1.01)
    assert max(distances(model, folder)) > 1e-4


def gradient_norms(folder):
    """Return ({parameter: norm of its gradient}, {parameter: the recorded norm}), checking the loss on the way."""
    import tensorflow as tf
    model, (batch, labels, outputs, wanted) = checkpoints.load(folder), recorded(folder)
    ours, form = variables(model), family.page(model.encoder.config.family).HUGGINGFACE
    with tf.GradientTape() as tape:
        loss = model.loss_function()(labels, model(batch))
    gradients = list(map(tf.convert_to_tensor, tape.gradient(
        loss, [variable.value for variable in ours.values()], unconnected_gradients="zero")))
    tokens = list(ours).index("encoder/embeddings/token/embeddings")
    # torch gives the row of padding no gradient, whatever reads it (MobileBERT's trigrams do)
    gradients[tokens] *= np.arange(len(gradients[tokens]))[:, None] != Tokenizer.load(folder).pad_id
    assert abs(float(loss) - float(outputs["loss"])) < 2e-5
    places = weight_mapping(ours, form.names, huggingface.LEAVES, transposed=True)
    norms = {places[path].name: float(tf.norm(gradient)) for path, gradient in zip(ours, gradients, strict=True)}
    return norms, {form.canonical(name.removeprefix(form.prefix)): norm for name, norm in wanted.items()}


@ON_TENSORFLOW
@pytest.mark.parametrize("folder", [each for each in FOLDERS if recorded(each)[3]], ids=lambda folder: folder.name)
def test_loss_and_gradients_equal_the_reference(folder):
    norms, wanted = gradient_norms(folder)
    assert {name: norms[name] for name in norms if name in wanted} == pytest.approx(wanted, rel=1e-4, abs=2e-6)
    assert all(norm < 1e-6 for name, norm in norms.items() if name not in wanted)


@pytest.mark.parametrize("folder", [
    folder if folder.name in ("bert", "xlnet", "deberta", "nomic", "eurobert") else
    pytest.param(folder, marks=pytest.mark.slow) for folder in FOLDERS], ids=lambda folder: folder.name)
def test_a_bundle_and_a_hugging_face_folder_give_the_same_bits(folder, tmp_path):
    model, tokenizer = checkpoints.load(folder), Tokenizer.load(folder)
    batch = recorded(folder)[0]
    bundle.save(tmp_path / "bundle", model, tokenizer, Card("golden", "classify", bundle.describe(model)))
    (tmp_path / "folder").mkdir()
    huggingface.save(tmp_path / "folder", model, tokenizer)
    for copy in (tmp_path / "bundle", tmp_path / "folder"):
        again = checkpoints.load(copy)
        np.testing.assert_array_equal(np.asarray(again(batch)), np.asarray(model(batch)))
        assert again.encoder.config == model.encoder.config and again.settings() == model.settings()
    config, written = read_json(folder / "config.json"), read_json(tmp_path / "folder" / "config.json")
    shared = [key for key in written if config.get(key) is not None]          # null is the default, written out
    assert {key: written[key] for key in shared} == {key: config[key] for key in shared}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_padding_never_reaches_a_real_token(folder):
    """What stands at padded places changes nothing, save in MobileBERT, whose trigrams read it by design."""
    model, batch = checkpoints.load(folder), recorded(folder)[0]
    real = batch["padding_mask"] > 0
    noise = np.random.default_rng(0).integers(10, model.encoder.config.vocabulary_size, real.shape)
    other = {**batch, "token_ids": np.where(real, batch["token_ids"], noise)}
    found, wanted = (np.asarray(model.encoder(each)["sequence"])[real] for each in (other, batch))
    assert (np.abs(found - wanted).max() < 2e-5) == (folder.name != "mobilebert")


def test_a_pooler_that_no_head_reads_is_neither_trained_nor_written(tmp_path):
    """A classifier on RoBERTa's encoder, whose published head reads the first token itself."""
    folder = next(folder for folder in FOLDERS if folder.name == "roberta")
    model = Classifier(checkpoints.load(folder, part="encoder"), ["no", "yes"])
    assert model.encoder.pooler is not None
    assert not [variable.path for variable in model.trainable_variables if "pooler" in variable.path]
    huggingface.save(tmp_path, model)
    assert not [name for name in load_file(tmp_path / "model.safetensors") if "pooler" in name]
