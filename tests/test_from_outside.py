"""A task, an attention and an objective that are defined here, outside bertkit, work without a change to bertkit."""

import json
from dataclasses import dataclass

import keras
import numpy as np
import pytest
from keras import ops

import bertkit
from bertkit import metrics, ondevice
from bertkit.cli import main
from bertkit.data.inputs import Labelled
from bertkit.data.labelled import Reader
from bertkit.data.splits import Splits
from bertkit.encoder import Encoder
from bertkit.heads import Classifier
from bertkit.kinds import HeadConfig
from bertkit.layers import SelfAttention, register_attention
from bertkit.objectives import MLM
from bertkit.objectives.objective import Objective, weighted_accuracy, weighted_cross_entropy
from bertkit.objectives.pretrainer import Pretrainer
from bertkit.tasks import Task, TaskEntry, entry_of, register
from bertkit.tasks.classification import softmax, text_rows
from bertkit.tasks.packed import Packed
from bertkit.training.config import TrainConfig
from bertkit.training.run import Run
from tests import tiny

# -------------------------------------------------------------------------------------------- a task: stars of reviews


@keras.saving.register_keras_serializable("outside")
class StarModel(Classifier):
    """A classifier whose logits are those of one to so many stars."""


@dataclass(frozen=True)
class Stars(Task):
    """The number of stars that a review gives."""

    most: int = 5

    name, output = "stars", "probabilities"

    @property
    def width(self):
        return self.most

    def pack(self, tokenizer, inputs, length, targets=None):
        return Packed(text_rows(tokenizer, inputs, length, False), labels=targets)

    def outputs(self, raw):
        return softmax(raw)

    def predictions(self, outputs, packed=None):
        return list(outputs)

    def answers(self, inputs, predictions):
        return [{"stars": int(np.argmax(row)) + 1} for row in predictions]

    def metric_inputs(self, targets, predictions):
        return np.asarray(targets), np.argmax(np.array(predictions), axis=-1)

    @property
    def metrics(self):
        return {"accuracy": metrics.accuracy}


def read_reviews(path, columns, reading):
    """Read lines such as "** | a dull film"."""
    with open(path, encoding="utf-8") as file:
        rows = [line.rstrip("\n").split(" | ", 1) for line in file]
    return path, [text for _, text in rows], np.array([len(stars) - 1 for stars, _ in rows], "int32")


TEXTS = tiny.texts(8, seed=5)[0]


def tensor_probabilities(task, logits):
    return ops.softmax(logits)


@pytest.fixture(scope="module")
def stars():
    entry = register(TaskEntry(
        Stars, reader=Reader(read_reviews, lambda part: Stars(int(part[2].max()) + 1),
                             lambda task, part: Labelled(part[0], part[1], part[2], [])),
        models=(StarModel,), of_model=lambda model, _: {"most": len(model["labels"])},
        strata=lambda targets: targets.tolist(), served="bertkit.export.served:Texts", output=tensor_probabilities))
    yield entry
    from bertkit.tasks import registry
    del registry._ENTRIES["stars"]


@pytest.fixture(scope="module")
def trained(stars, tmp_path_factory):
    """A bundle of the task, trained by a recipe's few lines."""
    place = tmp_path_factory.mktemp("stars")
    for name, seed, count in (("train", 0, 160), ("dev", 1, 60)):
        texts, classes = tiny.texts(count, seed)
        rows = [f"{'*' * (1 + 2 * c)} | {text}\n" for text, c in zip(texts, classes, strict=True)]
        (place / name).write_text("".join(rows))
    run = Run(str(place / "bundle"), epochs=8, batch_size=8, learning_rate=3e-3, length=16, seed=0,
              tuning=TrainConfig())
    splits = Splits("stars", place / "train", place / "dev")
    config = tiny.CONFIG.but(dropout=0.0, attention_dropout=0.0, initializer_range=0.2)
    model = StarModel(Encoder(config), [str(i + 1) for i in range(splits.task.most)])
    run.prepare(model, tiny.tokenizer(), splits)
    model.compile(run.optimizer(), run.loss())
    done = run.resume()
    model.fit(run.dataset(done), epochs=run.epochs, steps_per_epoch=run.steps_per_epoch, callbacks=run.callbacks(done),
              shuffle=False, verbose=0)
    run.evaluate_and_save("stars")
    return place


@pytest.mark.slow
def test_a_task_trains_loads_and_evaluates(trained, capsys):
    assert type(bertkit.load(trained / "bundle")) is StarModel
    _, texts, targets = read_reviews(trained / "dev", None, None)
    given = [answer["stars"] - 1 for answer in bertkit.Predictor(trained / "bundle").predict(texts)]
    assert main(["evaluate", str(trained / "bundle"), "--data", str(trained / "dev"), "--json"]) == 0
    accuracy = json.loads(capsys.readouterr().out)["accuracy"]
    assert accuracy == pytest.approx(np.mean(given == targets)) and accuracy > 0.8


@pytest.mark.slow
def test_a_task_saves_from_memory(trained, tmp_path):
    bertkit.save(bertkit.load(trained / "bundle"), tmp_path / "again", bertkit.Tokenizer.load(trained / "bundle"))
    wanted = bertkit.Predictor(trained / "bundle").predict(TEXTS)
    assert bertkit.Predictor(tmp_path / "again").predict(TEXTS) == wanted and len({row["stars"] for row in wanted}) > 1


@pytest.mark.slow
def test_a_task_is_exported(trained, tmp_path):
    bertkit.export(trained / "bundle", to="tflite", out=tmp_path / "phone", precision="float32", length=16)
    assert ondevice.load(tmp_path / "phone").predict(TEXTS) == bertkit.Predictor(trained / "bundle").predict(TEXTS)
    card = bertkit.export(trained / "bundle", to="saved_model", out=tmp_path / "server")
    assert card.parity["texts"]["largest_probabilities_difference"] < 1e-4


def test_a_name_is_given_once(stars):
    class Others(Stars):
        pass

    with pytest.raises(bertkit.Error, match="'stars' is registered already, as Stars"):
        register(TaskEntry(Others))
    assert entry_of(Others()) is stars           # a class that is derived from a registered one


# -------------------------------------------------------------------------------- an attention: to the nearest tokens


@dataclass(frozen=True)
class Nearest:
    """Attention to the tokens at most `reach` places away."""

    reach: int = 1


@keras.saving.register_keras_serializable("outside")
class NearestAttention(SelfAttention):
    """softmax over |i − j| ≤ reach."""

    def mix(self, query, key, value, context, trace, attention):
        places = ops.arange(ops.shape(key)[2])
        mask = ops.abs(places[:, None] - places[None]) <= self.kind.reach
        if context.get("padding_mask") is not None:
            mask = ops.logical_and(mask[None, None], ops.cast(context["padding_mask"], "bool")[:, None, None, :])
        return attention(query, key, value, mask=mask)


register_attention(Nearest, NearestAttention)


@pytest.mark.slow
def test_an_attention_trains_saves_and_loads(tmp_path, eager):
    config = tiny.CONFIG.but(attention=Nearest(reach=2))
    model = tiny.classifier(config=config)
    batch = tiny.tokenizer().pack(["good film", "a bad story with a dull scene"], length=12)
    trace = model.encoder(batch, trace=True)["trace"]["attention/1"]
    seen = np.asarray(trace)[1, :, :8, :8]            # of the tokens that are real
    near = np.abs(np.arange(8)[:, None] - np.arange(8)) <= 2
    assert batch["padding_mask"][1].sum() >= 8 and (seen[:, ~near] == 0).all() and (seen[:, near] > 0).all()
    model.compile("adam", model.loss_function(), jit_compile=False)
    before = np.asarray(model(batch))
    model.fit(batch, np.array([1, 0]), verbose=0)
    after = np.asarray(model(batch))
    assert np.abs(after - before).max() > 0
    model.save(tmp_path / "model.keras")
    bertkit.save(model, tmp_path / "bundle", tiny.tokenizer())
    for again in (keras.saving.load_model(tmp_path / "model.keras"), bertkit.load(tmp_path / "bundle")):
        assert again.encoder.config.attention == Nearest(2)
        np.testing.assert_allclose(np.asarray(again(batch)), after, atol=1e-6)


# --------------------------------------------------------------------- an objective: is the first word another's?


class Swapped(Objective):
    """Every second row begins with a word that no text has; the model tells which, from its pooled vector."""

    heads = {"swapped": HeadConfig("pooled")}
    sizes = {"swapped": 2}
    weights = {"swapped": 1.0}

    def corrupt(self, features):
        ids = np.array(features["token_ids"])
        ids[1::2, 1] = len(tiny.VOCABULARY) - 1
        return {**features, "token_ids": ids, "swapped": (np.arange(len(ids)) % 2).astype("int32")}

    def losses(self, outputs, features):
        return {"swapped": weighted_cross_entropy(outputs["swapped_logits"], features["swapped"],
                                                 ops.ones_like(features["swapped"]))}

    def accuracies(self, outputs, features):
        return {"swapped_accuracy": weighted_accuracy(outputs["swapped_logits"], features["swapped"],
                                            ops.ones_like(features["swapped"]))}


class Rows:
    """The same rows at every step."""

    def __init__(self):
        texts, _ = tiny.texts(32)
        self.rows = tiny.tokenizer().pack(texts, length=16)

    def batch(self, step):
        return {**self.rows, "keys": np.arange(32) + 32 * step}


@pytest.mark.slow
def test_an_objective_trains_scores_saves_loads_and_is_exported(tmp_path):
    keras.utils.set_random_seed(0)
    pretrainer = Pretrainer(Encoder(tiny.CONFIG.but(dropout=0.0)), [MLM(tiny.tokenizer()), Swapped()])
    batch = pretrainer.corrupt(Rows().batch(0))
    before = pretrainer.scores(batch)
    pretrainer.compile(keras.optimizers.Adam(3e-3), jit_compile=False)
    pretrainer.fit(pretrainer.dataset(Rows(), steps=60), epochs=1, verbose=0)
    after = pretrainer.scores(batch)
    assert before["swapped_accuracy"] < 0.8 < after["swapped_accuracy"] and after["mlm"] < before["mlm"]
    model = pretrainer.model
    bertkit.save(model, tmp_path / "bundle", tiny.tokenizer())
    again, plain = bertkit.load(tmp_path / "bundle"), tiny.tokenizer().pack(["a good film"], length=8)
    wanted, found = (np.asarray(each(plain)["swapped_logits"]) for each in (model, again))
    np.testing.assert_allclose(found, wanted, atol=1e-6)
    again.export(str(tmp_path / "served"), verbose=False)
    assert (tmp_path / "served" / "saved_model.pb").exists()
