"""`bertkit quantize`: the simulation is the file, training goes on, ranges are kept, and damaged ones are named."""

import json

import numpy as np
import pytest

import bertkit
from bertkit import checkpoints, ondevice
from bertkit.card import Card
from bertkit.checkpoints import bundle
from bertkit.checkpoints.ranges import FILE, read_ranges
from bertkit.cli import main
from bertkit.compress import quantize
from bertkit.compress.quantization_training import IntegerTraining
from bertkit.compress.simulation import Integers, measured_ranges, put_in
from bertkit.encoder import Encoder
from bertkit.errors import Error
from bertkit.export.integers import integer_ranges
from bertkit.family import nomic
from bertkit.files.atomic import sha256, write_json
from bertkit.heads import MultipleChoice, QuestionAnswering, SentenceEmbedder, TokenClassifier
from bertkit.layers.attention import EXACT
from bertkit.tasks.tagging import Tagging
from bertkit.training.config import TrainConfig
from tests import exported, tiny
from tests.killed import kill_after_a_save, same_weights
from tests.recipes.written import FILES

KNOBS = {"epochs": 2, "batch_size": 16, "learning_rate": 1e-3, "length": 16}
ROWS = tiny.features(24).batch(range(24), 16)


def trained(place, out, folder=None, **options):
    return quantize(folder or exported.bundled(), place / "train.tsv", place / out, place / "dev.tsv",
                    **{**KNOBS, **options})


@pytest.fixture(scope="module")
def place(tmp_path_factory, steps):
    """Return a folder with labelled rows, and a bundle that was trained on them for integers."""
    folder = tmp_path_factory.mktemp("quantize")
    for seed, (name, rows) in enumerate({"train": 32, "dev": 24}.items()):
        path = tiny.write_rows(folder / f"{name}.tsv", rows, seed)
        path.write_text(path.read_text().replace("\t0\n", "\tbad\n").replace("\t1\n", "\tgood\n"))
    trained(folder, "integers")
    return folder


def phone(folder, out, precision="int8-full"):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bertkit.export.candidates.convert", exported.in_process)
        return bertkit.export(folder, to="tflite", out=out, precision=precision, length=16, max_drop=100)


# ------------------------------------------------------------------------------ the simulation


def test_without_rounding_the_simulation_is_the_model():
    model = checkpoints.load(exported.bundled())
    plain = np.asarray(model(ROWS))
    with put_in(Integers(model.encoder, lambda _, x: x, lambda x, *_: x, None, lambda: EXACT).calls()):
        np.testing.assert_allclose(model(ROWS), plain, atol=2e-5)
    np.testing.assert_array_equal(model(ROWS), plain)             # and every layer computes by its own call again


@pytest.mark.slow
def test_ranges_are_of_rows_without_padding_and_hold_zero():
    model = checkpoints.load(exported.bundled())
    found = measured_ranges(model, ROWS)
    assert all(low <= 0 <= high and low < high for low, high in found.values())
    other = {**ROWS, "token_ids": np.where(ROWS["padding_mask"] == 1, ROWS["token_ids"], 9)}
    assert ROWS["padding_mask"].min() == 0 and measured_ranges(model, other) == found
    assert {"embeddings/token", "block_1/masked", "block_0/output_norm/sum", "pooler"} <= set(found)


@pytest.mark.slow
def test_the_file_answers_what_the_simulation_does(place, tmp_path):
    """The same ids through the trained simulation and through the .tflite; other ranges are seen to matter."""
    phone(place / "integers", tmp_path / "phone")
    device, ranges = ondevice.load(tmp_path / "phone"), read_ranges(place / "integers").ends
    file = np.stack([device.run({name: values[at:at + 1] for name, values in ROWS.items()}) for at in range(24)])

    def simulated(ranges):
        model, teacher = (checkpoints.load(place / "integers") for _ in range(2))
        logits = np.asarray(IntegerTraining(model, teacher, ranges)(ROWS))
        return np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    near = np.abs(simulated(ranges) - file).mean()
    assert near < 0.02
    wrong = {name: (low / 8, high / 8) if name.endswith("inner") else (low, high)
             for name, (low, high) in ranges.items()}
    assert np.abs(simulated(wrong) - file).mean() > 3 * near


def test_ranges_begin_as_measured_and_gradients_reach_them():
    import tensorflow as tf
    model, teacher = (checkpoints.load(exported.bundled()) for _ in range(2))
    ranges = measured_ranges(model, ROWS)
    training = IntegerTraining(model, teacher, ranges)
    learnt = training.learnt()
    assert list(learnt) == list(ranges)
    np.testing.assert_allclose(list(learnt.values()), list(ranges.values()), rtol=1e-5, atol=1e-6)
    with tf.GradientTape() as tape:
        loss = training.compute_loss(ROWS, None, training(ROWS))
    gradients = tape.gradient(loss, training.trainable_variables)
    assert all(gradient is not None for gradient in gradients) and any(v is training.ends for v in
                                                                       training.trainable_variables)
    assert not any(v is w for v in training.variables for w in teacher.variables)
    assert (np.abs(gradients[[v is training.ends for v in training.trainable_variables].index(True)]) > 0).mean() > 0.5


def test_a_model_that_answers_alike_has_no_loss():
    model, teacher = (checkpoints.load(exported.bundled()) for _ in range(2))
    training = IntegerTraining(model, teacher, measured_ranges(model, ROWS))
    training.integers = Integers(model.encoder, lambda name, x: (training.states.__setitem__(name, x)
                                 if name.endswith(("embeddings/norm", "/output_norm")) else None, x)[1],
                                 lambda x, *_: x, None, lambda: EXACT)
    assert float(training.compute_loss(ROWS, None, training(ROWS))) < 1e-8
    assert set(training.states) == {"embeddings/norm", "block_0/output_norm", "block_1/output_norm"}


# ------------------------------------------------------------------------------ the command


@pytest.mark.slow
def test_the_bundle_answers_in_float_and_its_card_compares(place):
    said = Card.read(place / "integers" / "card.json").training["quantize"]
    assert said["precision"] == "int8-full" and said["of"] == exported.bundled().name
    assert 0 <= said["untrained"]["agreement"] <= said["simulated"]["agreement"] <= 1
    assert said["ranges"] == len(read_ranges(place / "integers").ends)
    exact = bertkit.Predictor(exported.bundled())
    answers = [row["label"] for row in bertkit.Predictor(place / "integers").predict(tiny.texts(24, 1)[0])]
    same = np.mean([a == b["label"] for a, b in zip(answers, exact.predict(tiny.texts(24, 1)[0]), strict=True)])
    assert said["float"]["agreement"] == pytest.approx(same)


@pytest.mark.slow
def test_training_moves_weights_and_ranges_nearer_to_the_float_model(steps):
    """Ranges that are too narrow to begin with become wider, and the loss falls."""
    model, teacher = (checkpoints.load(exported.bundled()) for _ in range(2))
    ranges = {name: (low / 2, high / 2) for name, (low, high) in measured_ranges(model, ROWS).items()}
    training = IntegerTraining(model, teacher, ranges)
    before = float(training.compute_loss(ROWS, None, training(ROWS)))
    training.compile(bertkit.training.AdamW(2e-3, lr_scales={training.ends.path: 10.0}))
    for _ in range(4):
        training.train_on_batch(ROWS, np.zeros(24, "int32"))
    assert float(training.compute_loss(ROWS, None, training(ROWS))) < 0.9 * before
    widths = [[high - low for low, high in part.values()] for part in (ranges, training.learnt())]
    assert np.mean(np.array(widths[1]) > np.array(widths[0])) > 0.6


@pytest.mark.slow
def test_the_file_takes_the_learnt_ranges_without_calibration(place, tmp_path):
    trained(place, "few", epochs=1, tuning=TrainConfig(calibration=0))
    card = phone(place / "few", tmp_path / "phone")
    assert bundle.calibration(place / "few") is None
    assert not any("not trained for" in note for note in card.notes)
    from ai_edge_litert.tools import flatbuffer_utils
    model = flatbuffer_utils.read_model(str(tmp_path / "phone" / "model.tflite"))
    found = np.array([tensor.quantization.scale[0] for tensor in model.subgraphs[0].tensors
                      if tensor.quantization is not None and tensor.quantization.scale is not None
                      and len(tensor.quantization.scale) == 1])
    for name, (low, high) in read_ranges(place / "few").ends.items():
        if name.endswith(("/inner", "/scores", "/sum", "/masked")):
            assert np.abs(found / ((high - low) / 255) - 1).min() < 1e-4, name


@pytest.mark.slow
def test_it_goes_on_training_as_any_bundle(place, steps, tmp_path):
    words = ["classify", "--model", place / "integers", "--train", place / "train.tsv", "--dev", place / "dev.tsv",
             "--epochs", 1, "--length", 16, "--out", tmp_path / "more"]
    assert main(list(map(str, words))) == 0
    assert read_ranges(tmp_path / "more") is None                  # other weights, to which they do not belong


def signed_again(folder, change):
    """Change the ranges of a bundle, with sums that are right again."""
    values = json.loads((folder / FILE).read_text())
    values.pop("sum")
    change(values)
    write_json(folder / FILE, values, signed=True)
    told = json.loads((folder / "bundle.json").read_text())
    told.pop("sum")
    told["files"][FILE] = {"bytes": (folder / FILE).stat().st_size, "sha256": sha256(folder / FILE)}
    write_json(folder / "bundle.json", told, signed=True)


@pytest.mark.slow
@pytest.mark.parametrize(("change", "message"), [
    (lambda v: v["ranges"].update({"block_0/inner": [1.0, 2.0]}), r"the range of block_0/inner is \[1.0, 2.0\]"),
    (lambda v: v["ranges"].update({"block_0/inner": [-1.0]}), "block_0/inner"),
    (lambda v: v["ranges"].update({"block_0/inner": [0, 0]}), "block_0/inner"),
    (lambda v: v["ranges"].update({"block_0/inner": "wide"}), "block_0/inner"),
    (lambda v: v["ranges"].pop("block_0/inner"), "no range of block_0/inner"),
    (lambda v: v["ranges"].update({"block_9/inner": [-1, 1]}), "a range of block_9/inner, which this model does not"),
    (lambda v: v.update({"precision": "int3"}), "precision")])
def test_damaged_ranges_are_named(place, tmp_path, change, message):
    import shutil
    shutil.copytree(place / "integers", tmp_path / "damaged")
    signed_again(tmp_path / "damaged", change)
    with pytest.raises(Error, match=message):
        integer_ranges(tmp_path / "damaged", checkpoints.load(tmp_path / "damaged"), ROWS, "int8-full")


@pytest.mark.slow
def test_a_changed_file_of_ranges_is_seen(place, tmp_path):
    import shutil
    shutil.copytree(place / "integers", tmp_path / "changed")
    (tmp_path / "changed" / FILE).write_text((tmp_path / "changed" / FILE).read_text() + " ")
    with pytest.raises(Error, match="ranges.json is not the file that was written"):
        checkpoints.load(tmp_path / "changed")
    (tmp_path / "changed" / FILE).unlink()
    with pytest.raises(Error, match="ranges.json is missing"):
        checkpoints.load(tmp_path / "changed")


@pytest.mark.slow
def test_a_run_that_is_killed_goes_on(place, steps, monkeypatch):
    kill_after_a_save(monkeypatch, lambda: trained(place, "killed"))
    trained(place, "killed")
    same_weights(place / "integers", place / "killed")
    assert read_ranges(place / "killed") == read_ranges(place / "integers")


@pytest.mark.slow
def test_what_cannot_be_trained_is_refused(place, tmp_path):
    with pytest.raises(Error, match="give int8-full or int4-small"):
        trained(place, "never", precision="int8")
    config = nomic.CONFIG.but(**{name: getattr(tiny.CONFIG, name) for name in (
        "vocabulary_size", "num_layers", "num_heads", "hidden_dim", "intermediate_dim", "max_sequence_length")})
    other = bertkit.Classifier(Encoder(config), ["bad", "good", "so-so"])
    bertkit.save(other, tmp_path / "other", tiny.tokenizer())
    with pytest.raises(Error, match="int8-full is trained for blocks like BERT's"):
        trained(place, "never", tmp_path / "other")
    assert not (place / "never").exists()


@pytest.mark.slow
def test_weights_of_four_bits_are_those_of_the_file(place, tmp_path, steps):
    """What the simulation rounds to is what the file of int4-small holds: both answer nearly the same."""
    trained(place, "small", precision="int4-small")
    phone(place / "small", tmp_path / "phone", "int4-small")
    assert read_ranges(place / "small") == ("int4-small", {})
    model, teacher = (checkpoints.load(place / "small") for _ in range(2))
    logits = np.asarray(IntegerTraining(model, teacher, {})(ROWS))
    simulated = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    file = np.array(ondevice.load(tmp_path / "phone").predictions(tiny.texts(24)[0]))
    exact = bertkit.Predictor(place / "small").predictions(tiny.texts(24)[0])
    assert np.abs(simulated - file).mean() < 0.5 * np.abs(np.array(exact) - file).mean()


TASKS = {"tag": lambda e: (TokenClassifier(e, ["B-PLACE", "B-WORK", "O"]), Tagging(("B-PLACE", "B-WORK", "O"))),
         "choose": lambda e: (MultipleChoice(e), None), "answer": lambda e: (QuestionAnswering(e), None)}


@pytest.mark.slow
@pytest.mark.parametrize("task", TASKS)
def test_every_task_is_trained_for_integers_and_exported(task, tmp_path, steps):
    suffix, write = FILES[task]
    for seed, part in enumerate(("train", "dev")):
        write(tmp_path / f"{part}.{suffix}", 24, seed)
    model, own = TASKS[task](Encoder(tiny.CONFIG))
    own = own or bundle.task_of(bundle.describe(model), tiny.CONFIG)
    bundle.save(tmp_path / "whole", model, tiny.tokenizer(), Card("whole", task, bundle.describe(model)), length=16,
                task=own)
    card = quantize(tmp_path / "whole", tmp_path / f"train.{suffix}", tmp_path / "integers", tmp_path / f"dev.{suffix}",
                    **KNOBS)
    assert card.task == task and 0 <= card.training["quantize"]["simulated"]["agreement"] <= 1
    phone(tmp_path / "integers", tmp_path / "phone")
    assert (tmp_path / "phone" / "model.tflite").is_file()


@pytest.mark.slow
def test_an_embedder_is_trained_for_integers(tmp_path, steps):
    texts = tiny.texts(48)[0]
    lines = [f"{one}\t{other}\t{float(i % 5)}\n" for i, (one, other) in enumerate(zip(texts, texts[1:], strict=False))]
    (tmp_path / "pairs.tsv").write_text("sentence1\tsentence2\tscore\n" + "".join(lines))
    model = SentenceEmbedder(Encoder(tiny.CONFIG))
    bundle.save(tmp_path / "whole", model, tiny.tokenizer(), Card("whole", "embed", bundle.describe(model)), length=16,
                task=bundle.task_of(bundle.describe(model), tiny.CONFIG))
    card = quantize(tmp_path / "whole", tmp_path / "pairs.tsv", tmp_path / "integers", tmp_path / "pairs.tsv", **KNOBS)
    assert card.training["quantize"]["simulated"]["metric"] == "pearson"
    phone(tmp_path / "integers", tmp_path / "phone")
