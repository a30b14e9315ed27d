"""Keras' own contract, as one table over families and heads: config, file, clone, export, weights of rows, switches."""

import dataclasses
import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from bertkit import Encoder, EncoderConfig, Error, checkpoints, family, heads
from bertkit.training import AdamW
from bertkit.training.contrastive import InfoNCE

FOLDERS = {folder.name: folder for folder in sorted((Path(__file__).parent / "golden" / "families").iterdir())
           if folder.name in family.PAGES}                           # not mmBERT, whose page is ModernBERT's
LABELS = ("a", "b", "c")
# head -> (the model on an encoder, the head that its family's page must have, what is asked besides a batch of rows)
HEADS = {
    "encoder": (lambda encoder: encoder, None),
    "classifier": (lambda encoder: heads.Classifier(encoder, LABELS), "classify"),
    "several": (lambda encoder: heads.Classifier(encoder, LABELS, multi_label=True), "classify"),
    "tagger": (lambda encoder: heads.TokenClassifier(encoder, LABELS), "tag"),
    "answerer": (lambda encoder: heads.QuestionAnswering(encoder), "answer"),
    "chooser": (lambda encoder: heads.MultipleChoice(encoder), "choose"),
    "embedder": (lambda encoder: heads.SentenceEmbedder(encoder, "max"), None),
    "documents": (lambda encoder: heads.DocumentClassifier(encoder, LABELS), "classify"),
    "language": (lambda encoder: heads.LanguageModel(encoder), "mlm"),
    "pretrained": (lambda encoder: heads.PretrainingModel(encoder, ["mlm", "nsp"]), "nsp"),
    "writer": (lambda encoder: heads.EncoderDecoder(encoder, (2, 3), longest=4), None),
    "beam": (lambda encoder: heads.BeamQuestionAnswering(encoder), "beam"),
}
FOR_BERT_ALONE = ("writer", "documents", "several", "embedder")


def has(name, head):
    page = family.page(name)
    return (HEADS[head][1] is None or HEADS[head][1] in page.HEADS) and (name == "bert" or head not in FOR_BERT_ALONE)


# Every family with every head; those that repeat another's code are `slow`.
DEFAULT = {*(("bert", head) for head in ("encoder", "classifier", "chooser", "pretrained", "writer")),
           *((name, "classifier") for name in ("xlnet", "mobilebert", "reformer"))}            # unlike in their layers
TABLE = [pytest.param(name, head, id=f"{name}-{head}",
                      marks=() if (name, head) in DEFAULT else pytest.mark.slow)
         for name in FOLDERS for head in HEADS if has(name, head)]
# What is trained takes seconds a row: every head on BERT, and on the other families the encoder, whose layers differ,
# and two heads, whose outputs do; the classifiers of the other families are compiled.
TRAINED = ("encoder", "classifier", "answerer")
FEW = [pytest.param(name, head, id=f"{name}-{head}",
                    marks=() if name == "bert" and head in ("encoder", "classifier") else
                    (pytest.mark.slow, pytest.mark.graph) if head == "classifier" else pytest.mark.slow)
       for name in FOLDERS for head in HEADS if has(name, head) and (name == "bert" or head in TRAINED)]


@cache
def calm(name):
    """Return the config of a family's recorded checkpoint without dropout, so that a training step can be repeated."""
    config = checkpoints.load(FOLDERS[name], part="encoder").config
    block = config.block
    if hasattr(block, "feed_dropout"):
        block = dataclasses.replace(block, feed_dropout=0.0)
    return config.but(dropout=0.0, attention_dropout=0.0, block=block)


def made(name, head, **options):
    """Return a new model of a family."""
    keras.utils.set_random_seed(1)
    model = HEADS[head][0](Encoder(calm(name), **options))
    if hasattr(model, "heads"):
        model.dropout = 0.0                             # XLNet's head has a rate of its own; what is loaded has it too
    for part in (model.heads.values() if hasattr(model, "heads") else ()):
        if hasattr(part, "drop"):
            part.drop.rate = 0.0
    return model


@cache
def shared(name, head):
    """Return a model that no test changes."""
    return made(name, head)


def batch(name, head, rows=3, width=7):
    rng = np.random.default_rng(0)
    shape = (rows, 2, width) if head == "chooser" else (rows, width)
    mask = np.ones(shape, "int32")
    mask[-1, ..., 5:] = 0
    found = {"token_ids": rng.integers(5, 20, shape).astype("int32"), "padding_mask": mask}
    return found | ({"target_ids": found["token_ids"][:, :4]} if head == "writer" else {})


def answers(model, inputs):
    return [np.asarray(part) for part in keras.tree.flatten(model(inputs))]


def assert_alike(found, wanted, atol=2e-5):
    assert len(found) == len(wanted)
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one, other, atol=atol, rtol=1e-5)


def compiled(model, inputs, optimizer):
    """Compile a model with a loss of one of its outputs; return what it is to give."""
    found, loss = model(inputs), "mse"
    if isinstance(found, dict):
        name = next(name for name in ("sequence", "mlm_logits", "start_logits", "cls_logits") if name in found)
        found, loss = {name: found[name]}, {name: "mse"}
    model.compile(optimizer, loss=loss, jit_compile=False)              # XLA takes seconds for each
    return keras.tree.map_structure(lambda value: np.zeros(value.shape, "float32"), found)


@pytest.mark.parametrize("name, head", TABLE)
def test_a_model_comes_back_from_its_config(name, head):
    model, inputs = shared(name, head), batch(name, head)
    config = json.loads(json.dumps(model.get_config()))
    serialized = json.loads(json.dumps(keras.saving.serialize_keras_object(model)))
    assert serialized["registered_name"] == f"bertkit>{type(model).__name__}"
    for again in (type(model).from_config(config), keras.saving.deserialize_keras_object(serialized),
                  keras.models.clone_model(model)):
        assert type(again) is type(model) and again.get_config() == model.get_config()
        again.set_weights(model.get_weights())
        assert_alike(answers(again, inputs), answers(model, inputs), 0)


def test_a_config_that_lost_a_setting_is_seen():
    model = shared("bert", "embedder")
    again = type(model).from_config({**model.get_config(), "pooling": "mean"})
    again.set_weights(model.get_weights())
    inputs = batch("bert", "embedder")
    assert np.abs(answers(again, inputs)[0] - answers(model, inputs)[0]).max() > 1e-3


@pytest.mark.parametrize("head", ["encoder", "classifier"])
def test_the_policy_is_kept_and_every_sublayer_follows_it(head):
    encoder = Encoder(shared("bert", "encoder").config, dtype="mixed_bfloat16")
    model = encoder if head == "encoder" else heads.Classifier(encoder, LABELS, dtype="mixed_bfloat16")
    again = type(model).from_config(model.get_config())
    for layer in again._flatten_layers():
        assert (layer.compute_dtype, layer.variable_dtype) == ("bfloat16", "float32"), layer.name


@pytest.mark.parametrize("name, head", FEW)
def test_a_keras_file_gives_the_same_and_goes_on_training(name, head, tmp_path, eager):
    model, inputs, path = made(name, head), batch(name, head), tmp_path / "model.keras"
    labels = compiled(model, inputs, AdamW(1e-2, lr_scales={model.trainable_weights[0].path: 0.5}))
    before = model.get_weights()
    model.train_on_batch(inputs, labels)
    assert any((one != other).any() for one, other in zip(before, model.get_weights(), strict=True))
    model.save(path)
    again = keras.saving.load_model(path)
    assert_alike(answers(again, inputs), answers(model, inputs), 0)
    assert again.optimizer.get_config() == model.optimizer.get_config()
    for each in (model, again):
        each.reset_metrics()
    one, other = (each.train_on_batch(inputs, labels) for each in (model, again))
    assert float(np.ravel(one)[0]) == pytest.approx(float(np.ravel(other)[0]), rel=1e-5)
    assert_alike(again.get_weights(), model.get_weights(), 1e-6)


@pytest.mark.parametrize("head", ["answerer", "tagger"])
def test_a_models_own_loss_is_kept(head, tmp_path, eager):
    model, inputs, path = made("bert", head), batch("bert", head), tmp_path / "model.keras"
    labels = np.array([[1, 2], [0, 3], [2, 2]] if head == "answerer" else [[0, 1, 2, -1, -1, -1, -1]] * 3)
    model.compile("sgd", loss=model.loss_function(), jit_compile=False)
    model.save(path)
    again = keras.saving.load_model(path)
    assert type(again.loss) is type(model.loss)
    assert again.test_on_batch(inputs, labels) == pytest.approx(model.test_on_batch(inputs, labels))


def test_frozen_layers_stay_frozen_in_a_file(tmp_path, eager):
    encoder, path = made("bert", "encoder"), tmp_path / "model.keras"
    encoder.embeddings.trainable = encoder.blocks[0].trainable = False
    model, inputs = heads.Classifier(encoder, LABELS), batch("bert", "classifier")
    labels = compiled(model, inputs, "adam")
    model.train_on_batch(inputs, labels)
    model.save(path)
    again = keras.saving.load_model(path)
    assert [weight.path for weight in again.trainable_weights] == [weight.path for weight in model.trainable_weights]
    assert again.train_on_batch(inputs, labels) == pytest.approx(model.train_on_batch(inputs, labels))
    assert_alike(again.get_weights(), model.get_weights(), 1e-6)


@pytest.mark.slow
def test_a_fresh_process_loads_a_checkpoint_of_fit_after_one_import(tmp_path):
    model, inputs, path = made("bert", "classifier"), batch("bert", "classifier"), tmp_path / "best.keras"
    labels = compiled(model, inputs, AdamW(1e-3))
    keep = keras.callbacks.ModelCheckpoint(path, monitor="loss", save_best_only=True)
    model.fit(inputs, labels, epochs=1, verbose=0, callbacks=[keep])
    np.savez(tmp_path / "batch.npz", **inputs)
    code = ("import sys, keras, numpy as np; from bertkit import EncoderConfig, Encoder; "
            "model = keras.saving.load_model(sys.argv[1]); "
            "print(np.asarray(model(dict(np.load(sys.argv[2])))).tolist(), type(model.optimizer).__module__)")
    result = subprocess.run([sys.executable, "-c", code, path, tmp_path / "batch.npz"], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr[-2000:]
    found, module = result.stdout.strip().splitlines()[-1].rsplit(" ", 1)
    np.testing.assert_allclose(json.loads(found), model(inputs), atol=1e-5)
    assert module == "bertkit.training.optimizer"


@pytest.mark.parametrize("name, head", FEW)
def test_what_is_exported_after_fit_gives_the_same_at_any_length(name, head, tmp_path, eager):
    if head == "writer":
        pytest.skip("a decoder's positions are counted for a known length")
    model, inputs = made(name, head), batch(name, head)
    model.fit(inputs, compiled(model, inputs, "sgd"), batch_size=3, verbose=0)
    model.export(tmp_path / "served", verbose=False)
    served = tf.saved_model.load(str(tmp_path / "served"))
    for width in (7, 5):
        rows = {key: value[..., :width] for key, value in inputs.items()}
        found = served.serve({key: tf.constant(value) for key, value in rows.items()})
        assert_alike([np.asarray(part) for part in keras.tree.flatten(found)], answers(model, rows))
        assert head != "encoder" or name != "xlnet" or set(found) == {"sequence", "mems_0", "mems_1"}


@pytest.mark.parametrize("name", [pytest.param(name, marks=() if name == "xlnet" else pytest.mark.slow)
                                  for name in FOLDERS if name != "reformer"])
def test_a_functional_model_holds_an_encoder(name, tmp_path, eager):
    inputs, path = batch(name, "encoder"), tmp_path / "model.keras"
    given = {key: keras.Input((None,), dtype="int32", name=key) for key in inputs}
    pooled = keras.layers.GlobalMaxPooling1D()(made(name, "encoder")(given)["sequence"])
    model = keras.Model(given, keras.layers.Dense(2)(pooled))
    labels = compiled(model, inputs, "adam")
    model.train_on_batch(inputs, labels)
    model.save(path)
    again = keras.saving.load_model(path)
    assert_alike(answers(again, inputs), answers(model, inputs))
    assert again.train_on_batch(inputs, labels) == pytest.approx(model.train_on_batch(inputs, labels), rel=1e-4)


@pytest.mark.parametrize("head", ["encoder", "classifier", "writer"])
def test_a_summary_needs_no_call(head):
    lines, model = [], made("bert", head)
    model.summary(print_fn=lambda line, **_: lines.append(line))
    counted = sum(np.prod(weight.shape, dtype=int) for weight in model.weights)
    assert f"{counted:,}" in "".join(lines) and model.count_params() == counted


# ------------------------------------------------------------------------------------------ weights of rows


def log_softmax(x):
    x = np.asarray(x, "float64")
    return x - np.log(np.exp(x - x.max(-1, keepdims=True)).sum(-1, keepdims=True)) - x.max(-1, keepdims=True)


ASKED = {"classifier": np.array([0, 2, 1]), "several": np.array([[1.0, 0, 1], [0, 0, 1], [1, 1, 0]], "float32"),
         "tagger": np.array([[0, 1, 2, 0, 1, 2, 0], [2, -1, -1, -1, 0, 0, -1], [1, -1, 2, 2, -1, -1, -1]]),
         "answerer": np.array([[1, 2], [0, 3], [2, 2]]), "chooser": np.array([1, 0, 1])}


def of_rows(head, outputs, labels):
    """Return what each row adds to the loss of three rows, in double precision: their sum is the loss."""
    if head == "several":
        p = 1 / (1 + np.exp(-np.asarray(outputs, "float64")))
        return -(labels * np.log(p) + (1 - labels) * np.log(1 - p)).mean(-1) / len(labels)
    if head == "answerer":
        sides = (outputs["start_logits"], outputs["end_logits"])
        return sum(of_rows("chooser", logits, labels[:, i]) for i, logits in enumerate(sides)) / 2
    real = labels >= 0
    each = -np.take_along_axis(log_softmax(outputs), np.maximum(labels, 0)[..., None], -1)[..., 0] * real
    return each.reshape(len(labels), -1).sum(1) / real.sum()


@pytest.mark.parametrize("head", ASKED)
def test_rows_are_weighted_by_a_models_own_loss(head, eager):
    model, inputs, labels = made("bert", head), batch("bert", head), ASKED[head]
    model.compile(keras.optimizers.SGD(0.1), loss=model.loss_function(), jit_compile=False)
    each = of_rows(head, model(inputs), labels)
    for weights in (None, np.ones(3), np.zeros(3), np.array([2.0, 0.0, 0.5])):
        model.reset_metrics()
        found = float(np.ravel(model.test_on_batch(inputs, labels, sample_weight=weights))[0])
        assert found == pytest.approx((each * (1 if weights is None else weights)).sum(), rel=1e-5, abs=1e-7)
    before = model.get_weights()
    model.train_on_batch(inputs, labels, sample_weight=np.zeros(3))
    assert_alike(model.get_weights(), before, 0)
    assert each.std() > 1e-4                               # rows that weigh alike would prove nothing


def test_tokens_are_weighted_too():
    model, labels = shared("bert", "tagger"), ASKED["tagger"]
    logits, weights = model(batch("bert", "tagger")), np.random.default_rng(0).uniform(0, 2, labels.shape)
    each = -np.take_along_axis(log_softmax(logits), np.maximum(labels, 0)[..., None], -1)[..., 0]
    wanted = (each * weights * (labels >= 0)).sum() / (labels >= 0).sum()
    assert float(model.loss_function()(labels, logits, weights)) == pytest.approx(wanted, rel=1e-5)


def test_rows_of_several_outputs_are_weighted_by_keras_losses(eager):
    model, inputs, labels = made("bert", "answerer"), batch("bert", "answerer"), ASKED["answerer"]
    ce, weights = keras.losses.SparseCategoricalCrossentropy(from_logits=True), np.array([2.0, 0.0, 0.5])
    model.compile("sgd", loss={"start_logits": ce, "end_logits": ce}, jit_compile=False)
    asked = {"start_logits": labels[:, 0], "end_logits": labels[:, 1]}
    found = float(np.ravel(model.test_on_batch(inputs, asked, sample_weight=weights))[0])
    assert found == pytest.approx(2 * (of_rows("answerer", model(inputs), labels) * weights).sum(), rel=1e-5)


def test_class_weights_are_weights_of_rows(eager):
    model, inputs, labels = made("bert", "classifier"), batch("bert", "classifier"), ASKED["classifier"]
    model.compile(keras.optimizers.SGD(0.0), loss=model.loss_function(), jit_compile=False)
    counts = {0: 0.5, 1: 2.0, 2: 1.0}
    found = model.fit(inputs, labels, class_weight=counts, batch_size=3, verbose=0).history["loss"][0]
    wanted = (of_rows("classifier", model(inputs), labels) * [counts[label] for label in labels]).sum()
    assert found == pytest.approx(wanted, rel=1e-5)


# ------------------------------------------------------------------------------------------ switches


def switches(encoder):
    trained = [id(weight) for weight in encoder.trainable_weights]
    return [layer.trainable for layer in encoder._flatten_layers()], trained


@pytest.mark.parametrize("head", ["classifier", "tagger", *(pytest.param(head, marks=pytest.mark.slow) for head in (
    "answerer", "chooser", "embedder", "language", "writer"))])
@pytest.mark.parametrize("frozen", ["nothing", "a block", "all"])
def test_a_head_leaves_the_switches_of_its_encoder(head, frozen, recwarn, eager):
    encoder, inputs = made("bert", "encoder"), batch("bert", head)
    if frozen != "nothing":
        (encoder if frozen == "all" else encoder.blocks[0]).trainable = False
    before, weights = switches(encoder), encoder.get_weights()
    model = HEADS[head][0](encoder)
    model.train_on_batch(inputs, compiled(model, inputs, keras.optimizers.AdamW(0.1, weight_decay=0.5)))
    assert switches(encoder) == before
    moved = {weight.path.split("/")[1] for weight, old in zip(encoder.weights, weights, strict=True)
             if (np.asarray(weight) != old).any()}
    parts = {"nothing": {"embeddings", "block_0", "block_1"}, "a block": {"embeddings", "block_1"}, "all": set()}
    read = {"pooler"} if head in ("classifier", "chooser") and frozen != "all" else set()
    assert moved == parts[frozen] | read
    assert not [warning for warning in recwarn if "radients do not exist" in str(warning.message)]


def test_heads_of_one_encoder_do_not_know_of_each_other():
    encoder = made("bert", "encoder")
    first = heads.Classifier(encoder, LABELS)
    trained = [weight.path for weight in first.trainable_weights]
    tagger, second = heads.TokenClassifier(encoder, LABELS), heads.Classifier(encoder, LABELS)
    assert [weight.path for weight in first.trainable_weights] == trained
    assert [weight.path for weight in second.trainable_weights] == trained
    assert "encoder/pooler/kernel" in trained
    assert "encoder/pooler/kernel" in [weight.path for weight in tagger.non_trainable_weights]
    assert len(tagger.trainable_weights) + len(tagger.non_trainable_weights) == len(tagger.weights)


# ------------------------------------------------------------------------------------------ entries of a batch

OTHERS = {"global_mask": {"longformer"}, "permutation_mask": {"xlnet"}, "target_mapping": {"xlnet"}, "mems": {"xlnet"},
          "buckets": {"reformer"}, "random_blocks": {"bigbird"}, "attention_mask": set(), "input_ids": set(),
          "labels": set(), "step": set(), "windows": set(), "pairs": set(), "cls_index": set()}


@pytest.mark.parametrize("name", [
    name if name in ("bert", "xlnet", "longformer", "roberta") else pytest.param(name, marks=pytest.mark.slow)
    for name in FOLDERS])
def test_every_family_reads_a_tokenizers_batch_and_its_own_entries_alone(name):
    model, inputs = shared(name, "classifier"), batch(name, "classifier")
    usual = {**inputs, "segment_ids": np.zeros_like(inputs["token_ids"]),
             "position_ids": np.tile(np.arange(7, dtype="int32"), (3, 1))}
    assert np.isfinite(np.asarray(model(usual))).all()
    for entry in {entry for entry, families in OTHERS.items() if name not in families}:
        for value in (np.ones_like(inputs["token_ids"]), tf.ones((3, 7), "int32"), [[1] * 7] * 3):
            for each in (model, model.encoder):
                with pytest.raises(Error, match=f"The batch holds {entry}, which this model does not read"):
                    each({**inputs, entry: value})
    for entry in {entry for entry, families in OTHERS.items() if name in families}:
        assert entry in model.entries


@pytest.mark.parametrize(("name", "head"), [
    ("bert", "classifier"), ("xlnet", "classifier"), ("bert", "chooser"), ("longformer", "answerer"),
    *(pytest.param(name, head, marks=pytest.mark.slow) for name, head in [
        *((name, "classifier") for name in FOLDERS if name not in ("bert", "xlnet")), ("bert", "answerer")])])
def test_a_batch_without_rows_has_outputs_without_rows(name, head):
    model, inputs = shared(name, head), {name: values[:0] for name, values in batch(name, head).items()}
    wanted = [(0, *part.shape[1:]) for part in answers(model, batch(name, head))]
    for found in (model(inputs), model.predict(inputs, verbose=0)):
        assert [np.shape(part) for part in keras.tree.flatten(found)] == wanted


@pytest.mark.parametrize("head, entry", [("writer", "target_ids"), ("documents", "windows"), ("beam", "cls_index"),
                                         ("beam", "answer_mask"), ("language", "masked_positions")])
def test_entries_of_a_head_are_its_own(head, entry):
    name = "xlnet" if head == "beam" else "bert"
    assert entry in shared(name, head).entries and entry not in shared(name, "classifier").entries


def test_a_heads_own_entry_may_be_a_list():
    model, inputs, places = shared("bert", "language"), batch("bert", "language"), [[1, 2], [0, 3], [2, 2]]
    assert_alike(answers(model, {**inputs, "masked_positions": places}),
                 answers(model, {**inputs, "masked_positions": np.array(places, "int32")}), 0)


@pytest.mark.parametrize("as_dataset", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_an_unknown_entry_is_refused_in_fit(as_dataset):
    model, inputs = made("bert", "classifier"), batch("bert", "classifier")
    model.compile("sgd", loss=model.loss_function(), jit_compile=False)
    wrong = {**inputs, "attention_mask": inputs["padding_mask"]}
    given = (wrong, ASKED["classifier"])
    given = (tf.data.Dataset.from_tensor_slices(given).batch(3),) if as_dataset else given
    for _ in range(2):                                      # also when the functions are compiled
        with pytest.raises(Error, match="holds attention_mask, .* call it padding_mask"):
            model.fit(*given, verbose=0)
        model.fit(inputs, ASKED["classifier"], verbose=0)


# ------------------------------------------------------------------------------------------ settings


def test_an_encoder_takes_a_config_or_its_json():
    config = shared("bert", "encoder").config
    assert Encoder(config.to_json()).config == config and EncoderConfig.of(config) is config
    with pytest.raises(Error, match="The config is a str"):
        Encoder("bert-base-uncased")


def test_losses_come_back_with_every_setting():
    from bertkit.training.losses import CrossEntropy, RDrop, distance_of_classes
    for loss in (CrossEntropy(0.25, [1, 2.5, 0]), InfoNCE(5.0, symmetric=True),
                 RDrop(CrossEntropy(0.125), 3.0, distance_of_classes)):
        again = keras.saving.deserialize_keras_object(json.loads(json.dumps(keras.saving.serialize_keras_object(loss))))
        assert again.get_config() == loss.get_config()
    assert (again.plain.smoothing, again.alpha, again.distance) == (0.125, 3.0, distance_of_classes)
