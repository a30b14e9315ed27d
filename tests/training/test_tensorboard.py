"""What TensorBoard is given: measurements beside numpy, the tabs by TensorBoard's own readers."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf
from google.protobuf import text_format
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import metadata as hparams
from tensorboard.plugins.projector import ProjectorConfig

from bertkit.data.pipeline import BatchSampler
from bertkit.errors import Error
from bertkit.report.markdown import as_text
from bertkit.report.pictures import BLUE, calibration_picture, confusion_picture
from bertkit.tasks.classification import Classification
from bertkit.tasks.tagging import Tagging
from bertkit.training import inside, summaries
from bertkit.training.config import TrainConfig
from bertkit.training.history import history
from bertkit.training.optimizer import AdamW, adamw
from bertkit.training.summaries import flat_settings
from bertkit.training.tensorboard import TrainingTensorBoard
from tests import tiny

HOSTILE = "<script>alert(1)</script> **bold** | [a](b)\n\u202eevil"


def read(folder):
    """Return what TensorBoard reads in a folder."""
    return EventAccumulator(str(folder), size_guidance={"tensors": 0}).Reload()


def values(events, tag):
    return [tf.make_ndarray(event.tensor_proto) for event in events.Tensors(tag)]


@pytest.fixture
def written(tmp_path):
    """Write in a folder: `written(what)` calls `what()` and returns what TensorBoard reads."""
    def write(what):
        writer = tf.summary.create_file_writer(str(tmp_path))
        with writer.as_default(step=3):
            what()
        writer.close()
        return read(tmp_path)
    return write


def batch():
    sampler = BatchSampler(tiny.features(), 8)
    return sampler.keras_batch(0)


# ------------------------------------------------------------------------------ inside


def test_each_trained_variable_is_of_one_layer():
    model = tiny.classifier()
    groups = inside.layer_groups(model)
    assert list(groups) == ["embeddings", "layer_1", "layer_2", "head"]
    assert sorted(v.path for part in groups.values() for v in part) == sorted(
        v.path for v in model.trainable_variables)
    assert all("block_1/" in variable.path for variable in groups["layer_2"])
    model.encoder.blocks[0].trainable = False
    assert "layer_1" not in inside.layer_groups(model)


def test_shared_blocks_stand_at_their_first_layer():
    from bertkit.kinds import Shared
    model = tiny.classifier(config=dataclasses.replace(tiny.CONFIG, num_layers=4, shared=Shared(groups=2)))
    assert list(inside.layer_groups(model)) == ["embeddings", "layer_1", "layer_3", "head"]


def test_the_update_ratio_is_that_of_the_step():
    model = tiny.classifier()
    model.compile(AdamW(1e-2, weight_decay=0.0), loss=model.loss_function(), run_eagerly=True)
    watch = inside.WeightWatch(model)
    before = [np.array(variable) for variable in model.encoder.blocks[1].trainable_variables]
    watch.begin_step()
    model.train_on_batch(*batch())
    found = watch.end_step()
    after = [np.array(variable) for variable in model.encoder.blocks[1].trainable_variables]
    norm = np.sqrt(sum((x**2).sum() for x in after))
    change = np.sqrt(sum(((x - y)**2).sum() for x, y in zip(after, before, strict=True)))
    assert found["weight_norm/layer_2"] == pytest.approx(norm, rel=1e-5)
    assert found["update_ratio/layer_2"] == pytest.approx(change / norm, rel=1e-4) and change > 0
    assert not any(name.startswith("update_ratio") for name in watch.end_step())     # of one step alone


@pytest.mark.slow
def test_the_compiled_update_leaves_the_weights_that_were_kept_alone():
    model = tiny.classifier()
    model.compile(AdamW(1e-2), loss=model.loss_function())
    watch = inside.WeightWatch(model)
    watch.begin_step()
    model.train_on_batch(*batch())
    assert 1e-4 < watch.end_step()["update_ratio/layer_1"] < 1


def test_gradient_norms_are_those_of_the_loss():
    model = tiny.classifier()
    model.compile(AdamW(), loss=model.loss_function())
    x, y = batch()
    found = inside.gradient_norms(model, lambda: inside.batch_loss(model, (x, y)))
    kernel = [*model.heads["classify"].trainable_variables, *model.encoder.pooler.trainable_variables]
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, model(x, training=False)))
    gradients = tape.gradient(loss, [variable.value for variable in kernel])
    assert found["gradient_norm/head"] == pytest.approx(np.sqrt(sum((g.numpy()**2).sum() for g in gradients)), rel=1e-4)
    assert set(found) == {f"gradient_norm/{name}" for name in ("embeddings", "layer_1", "layer_2", "head")}


def test_entropy_and_outliers_are_of_real_tokens():
    model = tiny.classifier()
    rows = tiny.features().single_rows.batch(np.arange(5))
    found = inside.attention_and_activations(model, rows)
    trace = model.encoder(rows, trace=True)["trace"]
    p, entropies = np.asarray(trace["attention/2"], "float64"), []
    for row in range(5):
        for place in np.flatnonzero(rows["padding_mask"][row]):
            entropies += [-(q[q > 0] * np.log(q[q > 0])).sum() for q in p[row, :, place]]
    assert found["attention_entropy/layer_2"] == pytest.approx(np.mean(entropies), rel=1e-5)
    x = np.asarray(trace["hidden/1"])[np.asarray(rows["padding_mask"]) == 1]
    assert found["activation_outliers/layer_1"] == pytest.approx(np.abs(x).max() / x.std(), rel=0.05)


def test_measuring_changes_no_variable():
    model = tiny.classifier()
    model.compile(AdamW(), loss=model.loss_function())
    before = [np.array(variable) for variable in model.variables]
    inside.gradient_norms(model, lambda: inside.batch_loss(model, batch()))
    inside.attention_and_activations(model, batch()[0])
    for one, other in zip(before, model.variables, strict=True):
        np.testing.assert_array_equal(one, np.array(other))


def test_a_model_without_an_encoder_is_refused(tmp_path):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    board = TrainingTensorBoard(tmp_path)
    board.set_model(model)
    with pytest.raises(Error, match="no encoder of bertkit's"):
        board.on_train_begin()


# ------------------------------------------------------------------------------ tabs


def test_a_text_is_shown_as_it_is():
    assert not set("<>|*[]`\n") & set(as_text(HOSTILE).replace("&#", ""))
    import html
    assert html.unescape(as_text(HOSTILE)) == " ".join(HOSTILE.split())
    assert as_text("a" * 600) == "a" * 500 + "\N{HORIZONTAL ELLIPSIS}"


def test_examples_have_what_is_right_and_what_was_predicted(written):
    task = Classification(("no", "yes"))
    events = written(lambda: summaries.write_examples(task, [HOSTILE, "b"], [1, 0], np.array([[0.9, 0.1]] * 2), 3))
    (table,) = values(events, "examples")
    assert table.shape == (3, 3) and [cell.decode() for cell in table[2]] == ["b", "no", "no &#40;0&#46;900&#41;"]
    assert b"<script>" not in b"".join(table.ravel())


def test_pr_curves_are_those_of_each_class(written):
    chances = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.3, 0.7]])
    task = Classification(("no", "yes"))
    events = written(lambda: summaries.write_predictions(task, [0, 1, 1, 0], chances, 3))
    (curve,) = values(events, "pr_curve/yes/pr_curves")       # 6 rows: counts, precision, recall
    right, wrong = ((chances[:, 1] >= 0.5) & (np.array([0, 1, 1, 0]) == side) for side in (1, 0))
    middle = curve.shape[1] // 2                     # thresholds from 0 to 1: this one is 0.5
    assert curve[0, middle] == right.sum() and curve[1, middle] == wrong.sum()
    assert {"confusion", "calibration"} <= set(events.Tags()["tensors"])


def test_several_labels_have_curves_and_no_confusion(written):
    task = Classification(("a", "b", "c"), multi_label=True)
    targets, chances = np.array([[1, 0, 1], [0, 0, 1]]), np.array([[0.9, 0.2, 0.6], [0.1, 0.3, 0.8]])
    tags = written(lambda: summaries.write_predictions(task, targets, chances, 3)).Tags()["tensors"]
    assert set(tags) == {*(f"pr_curve/{label}/pr_curves" for label in "abc"), "calibration"}


def test_knobs_and_scores_are_what_the_tab_compares(written):
    knobs = flat_settings({"out": "o", "seed": 3, "dev": None, "tuning": TrainConfig(), "train": "a.tsv"})
    def write():
        summaries.write_settings(knobs, "one")
        summaries.write_metrics(knobs, ["dev/f1", "loss"], ["seed"])
    events = written(write)
    begun = hparams.parse_session_start_info_plugin_data(
        events.SummaryMetadata(hparams.SESSION_START_INFO_TAG).plugin_data.content).hparams
    assert begun["seed"].number_value == 3 and begun["dev"].string_value == "none" and "out" not in begun
    assert begun["skip_bad_rows"].bool_value is False and begun["weight_decay"].number_value == 0.01
    compared = hparams.parse_experiment_plugin_data(
        events.SummaryMetadata(hparams.EXPERIMENT_TAG).plugin_data.content)
    assert {info.name for info in compared.hparam_infos} == set(begun)
    assert [info.name for info in compared.hparam_infos if info.differs] == ["seed"]
    assert [info.name.tag for info in compared.metric_infos] == ["dev/f1", "loss"]


def test_the_projector_shows_words_with_their_vectors(tmp_path, monkeypatch):
    monkeypatch.setattr(summaries, "PROJECTED", 30)
    model, tokenizer = tiny.classifier(), tiny.tokenizer()
    summaries.write_projector(tmp_path, model.encoder, tokenizer)
    config = text_format.Parse((tmp_path / "projector_config.pbtxt").read_text(), ProjectorConfig())
    words = (tmp_path / config.embeddings[0].metadata_path).read_text().splitlines()
    vectors = np.loadtxt(tmp_path / config.embeddings[0].tensor_path)
    assert len(words) == len(vectors) == 30 and {"good", "film", "with"} <= set(words) and "##a" not in words
    table = np.asarray(model.encoder.embeddings.token.embeddings)
    np.testing.assert_allclose(vectors[words.index("film")], table[tokenizer.vocabulary.index("film")], rtol=1e-3,
                               atol=1e-6)


def test_the_calibration_picture_shows_how_many_are_right():
    picture = calibration_picture([0, 0, 1, 1], [[0.95, 0.05]] * 4)          # sure, and right in two of four
    right = 56 + round(0.97 * 360)
    assert tuple(picture[56 + 300, right]) == BLUE and tuple(picture[56 + 100, right]) != BLUE


# ------------------------------------------------------------------------------ the callback


def fitted(folder, optimizer=None, epochs=2, **options):
    """Fit as a Keras user does; return what TensorBoard reads."""
    texts, classes = tiny.texts(20)
    model = tiny.classifier()
    model.compile(optimizer or "adam", model.loss_function(), metrics=["accuracy"], run_eagerly=True)
    features = tiny.features(20)
    board = TrainingTensorBoard(folder, tiny.tokenizer(), (texts, list(map(str, classes))), length=16, **options)
    sampler = BatchSampler(features, 8)
    model.fit(sampler.epoch_dataset(), validation_data=sampler.epoch_dataset(), epochs=epochs, verbose=0,
              callbacks=[board], shuffle=False)
    return read(folder)


def test_a_keras_user_adds_one_callback(tmp_path):
    events = fitted(tmp_path, every=2, settings={"rate": 0.001})
    tags = set(events.Tags()["tensors"])
    assert {"loss", "rate", "dev/loss", "dev/accuracy", "gradient_norm/layer_1", "weight_norm/layer_2",
            "update_ratio/head", "attention_entropy/layer_1", "activation_outliers/layer_0", "confusion", "calibration",
            "examples", "pr_curve/0/pr_curves", "_hparams_/experiment"} <= tags
    assert (tmp_path / "projector_config.pbtxt").is_file()
    assert [row["step"] for row in history(tmp_path) if "epoch" not in row] == [2, 3, 4, 6]


@pytest.mark.slow
def test_rates_of_layers_are_written_where_they_differ(tmp_path):
    names = [variable.path for variable in tiny.classifier().encoder.blocks[0].trainable_variables]
    events = fitted(tmp_path, AdamW(1e-3, lr_scales=dict.fromkeys(names, 0.5)), epochs=1)
    assert values(events, "rate/layer_1")[0] == pytest.approx(5e-4)
    assert values(events, "rate/layer_2")[0] == pytest.approx(1e-3)


@pytest.mark.slow
def test_no_texts_are_written_where_none_are_wanted(tmp_path):
    tags = fitted(tmp_path, texts=False, epochs=1).Tags()["tensors"]
    assert "examples" not in tags and "confusion" in tags
    assert not any(b"scene" in path.read_bytes() for path in tmp_path.glob("events*"))


@pytest.mark.slow
def test_the_profiler_traces_on_request(tmp_path):
    fitted(tmp_path, profile=1, epochs=3)
    assert list(tmp_path.glob("plugins/profile/*/*.xplane.pb"))


def test_tags_have_a_confusion_and_examples(written):
    task = Tagging(("O", "B-A", "I-A"))
    found = [["B-A", "O"]]
    tags = written(lambda: (summaries.write_predictions(task, [["B-A", "O"]], found, 3),
                            summaries.write_examples(task, [["a", "b"]], [["B-A", "O"]], found, 3))).Tags()["tensors"]
    assert set(tags) == {"confusion", "examples"}


def test_the_interval_loss_is_the_mean_of_its_steps(tmp_path):
    model = tiny.classifier()
    model.compile(adamw(1e-3, 15), loss=model.loss_function())
    model.optimizer.build(model.trainable_variables)
    board = TrainingTensorBoard(tmp_path, every=2)
    seen = []
    board.write = lambda values: seen.append(values.get("loss"))
    board.params = {"steps": 9}
    board.set_model(model)
    board.on_train_begin()
    board.on_epoch_begin(0)
    for batch, mean in enumerate([1.0, 2.0, 3.0, 4.0]):            # running means; steps were 1, 3, 5, 7
        board.on_train_batch_end(batch, {"loss": mean})
    assert seen == [2.0, 6.0]


def test_the_confusion_picture_is_a_picture():
    picture = confusion_picture([[3, 1], [0, 4]], ("no", "yes"))
    assert picture.shape == (264, 264, 3) and picture.dtype == np.uint8
    assert tuple(picture[-10, -10]) != (255, 255, 255) != tuple(picture[130, 130])


def test_the_confusion_picture_of_many_classes_stays_small():
    picture = confusion_picture(np.eye(700), [str(number) for number in range(700)])
    assert picture.shape == (2100, 2100, 3)
    assert tuple(picture[4, 4]) == (24, 79, 149) and tuple(picture[0, 4]) == (255, 255, 255)
