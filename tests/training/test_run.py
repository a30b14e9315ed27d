"""A run: resumed bit for bit, the best epoch kept, everything watched."""

import io
import shutil

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from bertkit.data.features import features_of
from bertkit.data.pipeline import BatchSampler
from bertkit.data.splits import EvalSplit, Splits
from bertkit.errors import Error
from bertkit.tasks.classification import Classification
from bertkit.tasks.regression import Regression
from bertkit.training.best_weights import BestWeights
from bertkit.training.config import TrainConfig
from bertkit.training.history import history
from bertkit.training.optimizer import adamw
from bertkit.training.precision import precision
from bertkit.training.progress import Progress
from bertkit.training.resume import Resume
from bertkit.training.run import Run, working_folder
from tests import tiny

TASK = Classification(("0", "1"))
EPOCHS = 3


class Killed(Exception):
    """Stands for a power cut."""


def train(folder, killed_after=None, seed=0, data_seed=0):
    """Fit a tiny classifier for three epochs, killed in the middle of one if asked; return it, its Best and its Run."""
    import keras
    folder.mkdir(exist_ok=True)
    run = Run(folder / "out", EPOCHS, 8, 3e-3, 16, seed, TrainConfig(log_every=2))
    splits = Splits("classify", tiny.write_rows(folder / "train.tsv", 40, data_seed),
                    tiny.write_rows(folder / "dev.tsv", 20, 9))
    model = tiny.classifier(seed)
    run.prepare(model, tiny.tokenizer(), splits)
    model.compile(run.optimizer(), run.loss())
    done = run.resume()
    callbacks = run.callbacks(done)
    if killed_after is not None:
        def kill(batch, logs):
            if model.optimizer.iterations >= killed_after:
                raise Killed
        callbacks.append(keras.callbacks.LambdaCallback(on_train_batch_end=kill))
    model.fit(run.dataset(done), epochs=run.epochs, initial_epoch=done, steps_per_epoch=run.steps_per_epoch,
              callbacks=callbacks, shuffle=False, verbose=0)
    return model, run.best, run


@pytest.fixture(scope="module")
def whole(steps, tmp_path_factory):
    """Return the model, the Best and the Run of a run that nothing broke off."""
    return train(tmp_path_factory.mktemp("whole"))


@pytest.fixture
def copy(whole, tmp_path):
    """Return the model with the optimizer, the folder with the states and the knobs of a copy of that run."""
    model = tiny.classifier()
    model.compile(adamw(3e-3, 15), loss=model.loss_function())
    return model, shutil.copytree(whole[2].folder, tmp_path / "out.tmp"), whole[2].state.knobs


def held(count=20, seed=9):
    """Return labelled texts that a model is scored on."""
    texts, classes = tiny.texts(count, seed)
    packed = TASK.pack(tiny.tokenizer(), texts, 16)
    return EvalSplit(texts, classes, packed, features_of(packed, tiny.tokenizer()))


def weights(model):
    return [np.asarray(variable) for variable in model.variables + model.optimizer.variables]


@pytest.mark.parametrize("killed_after", [7, pytest.param(12, marks=pytest.mark.slow)])
def test_a_killed_run_ends_with_the_same_weights(whole, tmp_path, killed_after):
    with pytest.raises(Killed):
        train(tmp_path / "cut", killed_after)
    resumed, best, _ = train(tmp_path / "cut")
    for a, b in zip(weights(whole[0]), weights(resumed), strict=True):
        np.testing.assert_array_equal(a, b)
    assert (best.epoch, best.rank) == (whole[1].epoch, whole[1].rank)


@pytest.mark.slow
def test_the_comparison_can_fail(whole, tmp_path):
    other, _, _ = train(tmp_path / "other", data_seed=1)
    assert any((a != b).any() for a, b in zip(weights(whole[0]), weights(other), strict=True))


@pytest.mark.slow
def test_a_damaged_newest_state_is_named_and_passed_over(whole, tmp_path, capsys):
    with pytest.raises(Killed):
        train(tmp_path / "cut", killed_after=12)
    newest = sorted((tmp_path / "cut" / "out.tmp").glob("state-*.safetensors"))[-1]
    newest.write_bytes(newest.read_bytes()[:-10] + b"damaged!!!")
    resumed, _, _ = train(tmp_path / "cut")
    assert f"{newest.name} is damaged" in capsys.readouterr().err
    for a, b in zip(weights(whole[0]), weights(resumed), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"done": 2}'])
def test_damaged_facts_of_a_state_are_named_and_passed_over(copy, capsys, content):
    model, folder, knobs = copy
    older, newest = sorted(folder.glob("state-*.json"))
    newest.write_text(content)
    assert Resume(folder, knobs, BestWeights(TASK, held())).restore(model) == EPOCHS - 1
    assert f"{newest} is damaged; using the state before it" in capsys.readouterr().err
    older.write_text(content)
    assert Resume(folder, knobs, BestWeights(TASK, held())).restore(model) == 0
    assert f"{older} is damaged; starting anew" in capsys.readouterr().err


def test_other_knobs_start_anew(copy, capsys):
    model, folder, _ = copy
    assert Resume(folder, {"seed": 1}, BestWeights(TASK, held())).restore(model) == 0
    assert "other knobs" in capsys.readouterr().err


def test_a_full_disk_stops_with_one_sentence(steps, tmp_path, monkeypatch):
    def full(path, content):
        raise OSError(28, "No space left on device", str(path))
    monkeypatch.setattr("bertkit.training.resume.write_bytes", full)
    with pytest.raises(Error, match="No space left on device"):
        train(tmp_path)


def test_best_puts_the_best_epoch_back(whole):
    model, best, _ = whole
    for variable, value in zip(model.trainable_variables, best.weights, strict=True):
        np.testing.assert_array_equal(np.asarray(variable), value)
    assert 0 <= best.epoch < EPOCHS


def test_a_metric_of_which_less_is_better_chooses_the_least(monkeypatch):
    errors, held = iter([[[3.0], [0.0]], [[1.0], [0.0]], [[2.0], [0.0]]]), EvalSplit(["a", "b"], [0.0, 0.0], None, None)
    monkeypatch.setattr("bertkit.training.best_weights.task_outputs", lambda *_: next(errors))
    best = BestWeights(Regression(pairs=False), held, metric="mse")
    best.set_model(tiny.classifier())
    for epoch in range(3):
        best.on_epoch_end(epoch)
    assert best.epoch == 1 and best.rank[0] == pytest.approx(-0.5)
    with pytest.raises(Error, match="metric=rmse does not choose"):
        BestWeights(Regression(pairs=False), held, metric="rmse")


@pytest.mark.slow
def test_best_stops_after_patience(steps):
    model = tiny.classifier()
    sampler = BatchSampler(tiny.features(), 8)
    model.compile(adamw(0.0, 100), loss=model.loss_function())     # nothing ever gets better
    best = BestWeights(TASK, held(), patience=2)
    history = model.fit(sampler.dataset(), steps_per_epoch=5, epochs=10, verbose=0, shuffle=False, callbacks=[best])
    assert len(history.history["loss"]) == 3


def test_a_loss_that_is_no_number_stops_the_run(tmp_path):
    model = tiny.classifier()
    next(iter(model.trainable_variables)).assign(np.full((len(tiny.VOCABULARY), 16), np.nan))
    best = BestWeights(TASK, held())
    best.set_model(model)
    with pytest.raises(Error, match="the loss is nan on dev after epoch 1"):
        best.on_epoch_end(0)
    with pytest.raises(Error, match="the loss is inf at step 1; lower the learning rate"):
        Progress(1, stream=io.StringIO()).on_train_batch_end(0, {"loss": np.inf})


def test_the_working_folder_stands_beside_the_bundle_to_be(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert working_folder("out/") == working_folder("out") == working_folder(tmp_path / "out") == tmp_path / "out.tmp"
    assert working_folder(".") == tmp_path.with_name(tmp_path.name + ".tmp")


@pytest.mark.parametrize("name, policy", [("float32", "float32"), ("bfloat16", "mixed_bfloat16")])
def test_precision_is_that_of_what_is_made_inside(name, policy):
    import keras
    with precision(name):
        model = tiny.classifier()
    assert model.dtype_policy.name == model.encoder.dtype_policy.name == policy
    assert {weight.dtype for weight in model.trainable_variables} == {"float32"}
    with pytest.raises(Killed), precision("bfloat16"):
        raise Killed
    assert keras.config.dtype_policy().name == "float32"


def test_tensorboard_shows_what_was_promised(whole):
    _, _, run = whole
    events = EventAccumulator(str(run.logs)).Reload()
    tags = events.Tags()
    found = set(tags["scalars"]) | set(tags["images"]) | set(tags["tensors"])
    layers = {f"{what}/layer_{layer}" for what in ("gradient_norm", "weight_norm", "update_ratio",
                                                   "attention_entropy", "activation_outliers") for layer in (1, 2)}
    assert layers | {"loss", "rate", "gradient_norm", "tokens_per_second", "dev/accuracy", "dev/f1", "dev/matthews",
                     "dev/loss", "confusion", "calibration", "examples", "pr_curve/0/pr_curves",
                     "_hparams_/experiment", "_hparams_/session_start_info"} <= found
    assert not any(name.startswith("rate/") for name in found)      # all layers have one rate


def test_the_curves_can_be_read_again(whole):
    _, best, run = whole
    rows = history(run.logs)
    epochs = [row for row in rows if "epoch" in row]
    assert [row["epoch"] for row in epochs] == [1, 2, 3] and [row["step"] for row in epochs] == [5, 10, 15]
    assert best.rank[0] == pytest.approx(max(row["dev_accuracy"] for row in epochs)) and "dev_loss" in epochs[0]
    steps = [row for row in rows if "epoch" not in row]
    assert [row["step"] for row in steps] == [2, 4, 5, 6, 8, 10, 12, 14, 15]        # the last of each epoch, too
    assert all(set(row) == {"step", "loss", "rate", "gradient_norm", "tokens_per_second"} for row in steps)


def test_progress_estimates_and_ends_its_line():
    stream = io.StringIO()
    progress = Progress(20, stream=stream)
    progress.on_train_begin()
    for _ in range(20):
        progress.on_train_batch_end(0, {"loss": 0.5})
        progress.shown = 0
    progress.on_epoch_end(0, {"loss": 0.5, "dev_accuracy": 0.75})
    text = stream.getvalue()
    assert "step 15/20" in text and "s left" in text and "dev_accuracy 0.7500" in text


@pytest.mark.parametrize("settings, words", [
    ({"warmth": "1"}, "no tuning knob 'warmth'"), ({"warmup": "warm"}, "warmup='warm' is no float"),
    ({"warmup": "2"}, "warmup=2.0 lies outside"), ({"skip_bad_rows": "maybe"}, "neither true nor false"),
    ({"warmup": "none"}, "cannot be none"), ({"precision": "int8"}, "precision='int8' is unknown"),
    ({"patience": "0"}, "patience=0 stops before"), ({"patience": 2.7}, "patience=2.7 is no int"),
    ({"lora": True}, "lora=True is no int"), ({"separator": ""}, "separator is empty")])
def test_tuning_says_what_does_not_fit(settings, words):
    with pytest.raises(Error, match=words):
        TrainConfig().but(settings)


def test_tuning_reads_text_and_files(tmp_path):
    assert TrainConfig().but({"patience": "none", "skip_bad_rows": "true"}) == TrainConfig(skip_bad_rows=True)
    path = tmp_path / "knobs.json"
    path.write_text('{"warmup": 0.2, "patience": 2}')
    assert TrainConfig.read(path) == TrainConfig(warmup=0.2, patience=2)
    path.write_text("[1]")
    with pytest.raises(Error, match="wanted an object"):
        TrainConfig.read(path)
