"""Each task from the published file to answers, scores and exports, through the command line."""

import io
import json

import numpy as np
import pytest

from bertkit import ondevice
from bertkit.card import Card
from bertkit.checkpoints import bundle
from bertkit.cli import main
from bertkit.data.features import Padding, pack
from bertkit.data.labelled import read_labelled
from bertkit.encoder import Encoder
from bertkit.export import export_saved_model, export_tflite
from bertkit.predictor import Predictor
from bertkit.training import scoring
from tests import exported, tiny
from tests.recipes.written import FILES

KNOBS = ["--length", "16", "--batch-size", "8", "--learning-rate", "2e-2", "--epochs", "12", "--set", "log_every=2"]
FIRST = {"tag": "f1", "score": "pearson", "choose": "accuracy", "answer": "f1"}
LINES = {"tag": ["the film was good", "", " a Story,scene! "], "answer": ["the film\ta good film", "the film\t", "\t"],
         "score": ["good film\tbad film", "\t"], "choose": ["a good film\tgood\tbad", "\t\t\t\t"]}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Return a folder with an encoder and three files of every task."""
    import keras
    folder = tmp_path_factory.mktemp("tasks")
    keras.utils.set_random_seed(1)
    encoder = Encoder(tiny.CONFIG.but(num_layers=1))
    bundle.save(folder / "encoder", encoder, tiny.tokenizer(), Card("encoder", "encode", bundle.describe(encoder)))
    for name, (suffix, write) in FILES.items():
        for seed, (part, rows) in enumerate({"train": 64, "dev": 24, "test": 30}.items()):
            write(folder / f"{name}-{part}.{suffix}", rows, seed)
    return folder


def part(place, task, name):
    return str(place / f"{task}-{name}.{FILES[task][0]}")


@pytest.fixture(scope="module", params=[
    pytest.param(name, marks=() if name == "answer" else pytest.mark.slow) for name in FILES])
def trained(request, place):
    """Return (task, bundle) after a short run of a recipe."""
    task, out = request.param, place / request.param
    arguments = [task, "--model", str(place / "encoder"), "--out", str(out), *KNOBS]
    for name in ("train", "dev", "test"):
        arguments += [f"--{name}", part(place, task, name)]
    assert main(arguments) == 0
    return task, out


def answered(capsys, *arguments):
    capsys.readouterr()
    assert main([str(word) for word in arguments]) == 0
    return json.loads(capsys.readouterr().out)


def predicted(monkeypatch, capsys, folder, lines, *more):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO("".join(f"{line}\n" for line in lines).encode())))
    capsys.readouterr()
    assert main(["predict", str(folder), *more]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_it_has_learned_and_says_so(trained, place, capsys):
    task, folder = trained
    card = Card.read(folder / "card.json")
    assert card.task == card.recipe == task and set(card.scores) == {"dev", "test"}
    scores = card.scores["test"][FIRST[task]]
    assert scores["low"] <= scores["score"] <= scores["high"]
    assert scores["score"] > {"tag": 0.9, "score": 0.5, "choose": 0.5, "answer": 60}[task], scores
    evaluated = answered(capsys, "evaluate", folder, "--data", part(place, task, "test"), "--json")
    assert evaluated[FIRST[task]] == pytest.approx(scores["score"])
    report = (folder / "report.html").read_text(encoding="utf-8")
    assert "<title>" in report and ">Training<" in report and "<svg" in report


def test_every_line_is_answered_in_order(trained, monkeypatch, capsys):
    task, folder = trained
    rows = predicted(monkeypatch, capsys, folder, LINES[task])
    assert len(rows) == len(LINES[task])
    for line, row in zip(LINES[task], rows, strict=True):
        if task == "tag":
            assert all(line[e["start"]:e["end"]] == e["text"] for e in row["entities"])
        elif task == "answer":
            context = line.split("\t")[1]
            assert row["answer"] == context[row["start"]:row["start"] + len(row["answer"])] if row["answer"] else (
                row["start"] == -1)
        elif task == "choose":
            assert sum(row["probabilities"]) == pytest.approx(1) and 0 <= row["choice"] < line.count("\t")
        else:
            assert set(row) == {"score"}


@pytest.fixture
def phone(trained, tmp_path, monkeypatch):
    task, folder = trained
    monkeypatch.setattr("bertkit.export.candidates.convert", exported.in_process)
    export_tflite(folder, tmp_path / "phone", "float32", 16)
    return task, folder, tmp_path / "phone"


@pytest.mark.slow
def test_the_phone_says_the_same(phone, place, capsys):
    task, folder, out = phone
    inputs = [Predictor(folder).task.input(line) for line in LINES[task]]
    one, other = Predictor(folder).predict(inputs), ondevice.load(out).predict(inputs)
    numbers = [[value for row in side for value in flat(row)] for side in (one, other)]
    assert [n for n in numbers[0] if isinstance(n, str)] == [n for n in numbers[1] if isinstance(n, str)]
    np.testing.assert_allclose(*[[n for n in side if not isinstance(n, str)] for side in numbers], atol=1e-4)
    arguments = ["evaluate", folder, "--data", part(place, task, "dev"), "--json"]
    model, file = answered(capsys, *arguments), answered(capsys, *arguments, "--tflite", out / "model.tflite")
    assert file[FIRST[task]] == pytest.approx(model[FIRST[task]], abs=1e-4)


def flat(value):
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from flat(inner)
    else:
        yield value


@pytest.mark.slow
def test_a_saved_model_takes_strings(trained, tmp_path):
    import tensorflow as tf
    task, folder = trained
    export_saved_model(folder, tmp_path / "served")        # itself compares with the model, in a fresh process
    serve = tf.saved_model.load(tmp_path / "served").signatures["serving_default"]
    strings = {"tag": {"text": ["the film"]}, "score": {"text": ["good"], "second": ["bad"]},
               "answer": {"text": ["the film"], "context": ["a good film"]},
               "choose": {"text": ["a film"], "endings": [["good", "bad"]]}}[task]
    found = serve(**{name: tf.constant(value) for name, value in strings.items()})
    shapes = {name: tuple(value.shape) for name, value in found.items()}
    wanted = {"tag": {"logits": (1, 4, 5), "offsets": (1, 4, 2)}, "score": {"score": (1,)},
              "answer": {"start_logits": (1, 8), "end_logits": (1, 8), "offsets": (1, 8, 2)},
              "choose": {"probabilities": (1, 2)}}[task]
    assert wanted.items() <= shapes.items()


@pytest.mark.parametrize("task", FILES)
def test_a_file_of_another_task_is_one_sentence(place, tmp_path, capsys, task):
    for other in set(FILES) - {task}:
        path = part(place, other, "train")
        assert main([task, "--model", str(place / "encoder"), "--train", path, "--dev", path, "--out",
                     str(tmp_path / "out"), *KNOBS]) == 1
        said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("bertkit: ")]
        assert len(said) == 1 and path in said[0], said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_no_answer_has_a_threshold_found_on_dev(place, capsys):
    from tests.recipes.written import answer
    for seed, name in enumerate(("train", "dev")):
        answer(place / f"squad2-{name}.json", 48, seed, impossible=True)
    arguments = ["answer", "--model", place / "encoder", "--train", place / "squad2-train.json", "--dev",
                 place / "squad2-dev.json", "--out", place / "squad2", *KNOBS]
    card = answered(capsys, *arguments, "--json")
    scores = answered(capsys, "evaluate", place / "squad2", "--data", place / "squad2-dev.json", "--json")
    assert {"HasAns_f1", "NoAns_f1", "best_f1", "best_exact"} <= set(scores)
    assert scores["f1"] == pytest.approx(scores["best_f1"]) == pytest.approx(card["scores"]["dev"]["f1"]["score"])
    assert Predictor(place / "squad2").task.threshold != 0.5


def test_alone_or_together_padded_or_not_in_one_window_or_the_whole_is_the_same(trained, place):
    """Rows in batches of like length, each alone, and padded to a length where more would have fitted."""
    task, folder = trained
    predictor = Predictor(folder)
    inputs = [given for given in read_labelled(predictor.task, part(place, task, "dev")).inputs if all(
        len(ids) < predictor.length for ids, _ in predictor.task.pack(predictor.tokenizer, [given], 16).rows)]
    assert len(inputs) >= 8
    together = predictor.predict(inputs)
    alone = [predictor.predict([given])[0] for given in inputs[:8]]
    predictor.length = 2 * predictor.length
    longer = predictor.predict(inputs)
    rows = predictor.task.pack(predictor.tokenizer, inputs, predictor.length).rows
    features = pack(rows, Padding.of(predictor.tokenizer))
    padded, raw = features.batch(range(len(rows)), predictor.length), scoring.outputs(predictor.model, features)
    whole = predictor.model({name: values[:, None] if predictor.model.grouped else values
                             for name, values in padded.items()})
    whole = np.stack(list(whole.values()), -1) if isinstance(whole, dict) else np.asarray(whole)
    for row, value, mask in zip(raw, whole, padded["padding_mask"], strict=True):
        np.testing.assert_allclose(row, value[mask == 1] if predictor.model.each_token else value, atol=1e-5)
    for one, other in ((together[:8], alone), (together, longer)):
        words, numbers = zip(*[([v for v in flat(side) if isinstance(v, str)], [v for v in flat(side)
                                if not isinstance(v, str)]) for side in (one, other)], strict=True)
        assert words[0] == words[1]
        np.testing.assert_allclose(*numbers, atol=1e-5)
