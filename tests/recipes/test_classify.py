"""`bertkit classify` from the first file to the last: what it leaves, how it survives."""

import errno
import json
import shutil
import signal
import subprocess
import sys

import pytest

from bertkit.card import Card
from bertkit.checkpoints import bundle
from bertkit.cli import main
from bertkit.predictor import Predictor
from bertkit.training.config import TrainConfig
from tests import tiny
from tests.recipes.classifying import made, refusal, words

EPOCHS = 24


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Return a folder with an encoder and three files of labelled texts."""
    return made(tmp_path_factory.mktemp("classify"))


@pytest.fixture(scope="module")
def trained(place):
    """Return the bundle of an unbroken run, and what the command printed."""
    result = subprocess.run([sys.executable, "-m", "bertkit", *words(place, place / "whole", epochs=EPOCHS), "--json",
                             "--test", place / "test.tsv"], capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stderr
    return place / "whole", result


def answered(capsys, *arguments):
    assert main([str(word) for word in arguments]) == 0
    return json.loads(capsys.readouterr().out)


# --------------------------------------------------------------------------------------- what it leaves


@pytest.mark.slow
def test_standard_output_is_the_card_alone(trained):
    folder, result = trained
    card = json.loads(result.stdout)
    assert card == json.loads((folder / "card.json").read_text())
    assert {"file": "train.tsv", "rows": 48, "skipped": 0}.items() <= card["data"]["train"].items()
    assert f"epoch {EPOCHS}" in result.stderr
    foreign = [line for line in result.stderr.splitlines()
               if not line.startswith(("epoch", "step", "f1 is", "What was read", "  "))]
    assert not foreign, foreign


@pytest.mark.slow
def test_a_threshold_that_dev_chose_is_kept_said_and_used(place, tmp_path, capsys):
    knobs = ["--set", "threshold=f1", "--positive", "0"]
    assert main([*words(place, tmp_path / "out", epochs=1), *knobs]) == 0
    said = capsys.readouterr().err
    task = bundle.task(bundle.read_metadata(tmp_path / "out"))
    assert task.positive == "0" and task.threshold != 0.5
    sentence = f"The class '0' is given where its probability is above {task.threshold:.4f}, which dev chose."
    assert sentence in said and sentence in Card.read(tmp_path / "out" / "card.json").notes
    answers = Predictor(tmp_path / "out").predict(tiny.texts(30, seed=5)[0])
    assert [row["label"] == "0" for row in answers] == [row["probabilities"]["0"] > task.threshold for row in answers]
    found = answered(capsys, "evaluate", tmp_path / "out", "--data", place / "dev.tsv", "--json")
    kept = Card.read(tmp_path / "out" / "card.json").scores["dev"]["f1"]
    assert found["positive"] == kept["positive"] == "0" and found["f1"] == kept["score"]
    other = answered(capsys, "evaluate", tmp_path / "out", "--data", place / "dev.tsv", "--positive", 1, "--json")
    assert other["positive"] == "1" and other["accuracy"] == found["accuracy"] and other["f1"] != found["f1"]


def test_it_has_learned_and_dev_and_test_report(trained, place, capsys):
    folder, result = trained
    scores = json.loads(result.stdout)["scores"]
    assert set(scores) == {"dev", "test"}
    for name in scores:
        assert scores[name]["accuracy"]["score"] > 0.9
        evaluated = answered(capsys, "evaluate", folder, "--data", place / f"{name}.tsv", "--json")
        assert evaluated["accuracy"] == scores[name]["accuracy"]["score"]


def test_nothing_but_the_bundle_is_left(trained):
    folder, _ = trained
    assert not [path.name for path in folder.parent.iterdir() if "tmp" in path.name]
    assert {"bundle.json", "card.json", "weights.safetensors", "vocab.txt", "calibration.safetensors", "logs",
            "report.html", "README.md"} == {
        path.name for path in folder.iterdir()}


# -------------------------------------------------------------------------------------- how it survives


def stopped(arguments, how):
    """Start a command in a process of its own, send it a signal after an epoch; return its exit code and words."""
    process = subprocess.Popen([sys.executable, "-m", "bertkit", *arguments], stderr=subprocess.PIPE, text=True,
                               stdout=subprocess.DEVNULL,
                               # What a shell starts in the background, such as this test, ignores the signal.
                               preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    try:
        lines = []
        for line in process.stderr:
            lines.append(line)
            if line.startswith("epoch"):
                process.send_signal(how)
        return process.wait(timeout=120), "".join(lines)
    finally:
        process.kill()


@pytest.mark.slow
@pytest.mark.parametrize("killed_too", [False, True])
def test_an_interrupted_run_ends_with_the_very_same_weights(trained, place, capsys, killed_too):
    folder, _ = trained
    out = place / "cut"
    arguments = words(place, out, epochs=EPOCHS)
    code, said = stopped(arguments, signal.SIGINT)
    assert code == 130 and "Traceback" not in said and "the same command again" in said
    assert not out.exists() and (place / "cut.tmp").is_dir()
    if killed_too:
        code, said = stopped(arguments, signal.SIGKILL)
        assert code == -signal.SIGKILL and "Resuming after epoch" in said and "epoch 1 " not in said
        assert not out.exists() and (place / "cut.tmp").is_dir()
    assert "is no bundle" in refusal(capsys, ["evaluate", str(out), "--data", str(place / "dev.tsv")])
    assert main(arguments) == 0
    assert "Resuming after epoch" in capsys.readouterr().err
    assert (out / "weights.safetensors").read_bytes() == (folder / "weights.safetensors").read_bytes()
    assert not (place / "cut.tmp").exists()
    shutil.rmtree(out)


def test_a_full_disk_at_the_end_costs_no_training(steps, place, tmp_path, monkeypatch, capsys):
    """Several labels a text; the bundle does not fit on the disk at first."""
    rows = [{"text": text, "label": ["all", "good"] if label else []}
            for text, label in zip(*tiny.texts(24), strict=True)]
    (tmp_path / "multi.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    arguments = words(place, tmp_path / "out", tmp_path / "multi.jsonl", tmp_path / "multi.jsonl")

    def full(path, content):
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    with monkeypatch.context() as patch:
        patch.setattr("bertkit.checkpoints.bundle.write_bytes", full)
        assert "No space left on device" in refusal(capsys, arguments)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["multi.jsonl", "out.tmp"]
    card = answered(capsys, *arguments, "--json")
    assert card["model"]["multi_label"] and card["model"]["labels"] == ["all", "good"]
    assert set(card["scores"]["dev"]) == {"accuracy", "f1"}
    evaluated = answered(capsys, "evaluate", tmp_path / "out", "--data", tmp_path / "multi.jsonl", "--json")
    assert evaluated["f1"] == card["scores"]["dev"]["f1"]["score"]


def test_a_bundle_is_replaced_by_another(trained, steps, place, tmp_path, capsys):
    """Pairs of three classes, where a bundle of single texts stood; OUT with a slash, as a shell completes it."""
    out = shutil.copytree(trained[0], tmp_path / "out")
    texts, _ = tiny.texts(30)
    rows = [f"{first}\t{second}\t{label}\n" for first, second, label
            in zip(texts, texts[1:], ["no", "maybe", "yes"] * 10, strict=False)]
    (tmp_path / "pairs.tsv").write_text("sentence1\tsentence2\tlabel\n" + "".join(rows))
    arguments = words(place, f"{out}/", tmp_path / "pairs.tsv", tmp_path / "pairs.tsv", epochs=1)
    card = answered(capsys, *arguments, "--limit", 20, "--json")
    assert card["model"]["labels"] == ["maybe", "no", "yes"] and card["data"]["train"]["rows"] == 20
    assert bundle.read_metadata(out)["task"]["pairs"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "pairs.tsv"]


# ------------------------------------------------------------------------------------------- from Python


def test_python_calls_it_as_the_command_line_does(trained):
    """What the command line says is what `main` takes."""
    import inspect

    from bertkit.recipes import classify
    knobs = json.loads((trained[0] / "card.json").read_text())["knobs"]
    assert set(knobs) == set(inspect.signature(classify.main).parameters)
    assert knobs["learning_rate"] == 2e-2 and knobs["tuning"]["log_every"] == 2


def test_half_precision_ends_with_the_run(steps, place, tmp_path):
    """A model loaded afterwards, in the same process, computes as it would have before."""
    import keras

    from bertkit.checkpoints import load
    from bertkit.recipes import classify
    before = keras.config.dtype_policy()
    classify.main(place / "train.tsv", tmp_path / "out", place / "dev.tsv", place / "encoder", epochs=1, length=16,
                  tuning=TrainConfig(precision="bfloat16"))
    assert keras.config.dtype_policy() == before and before.name == "float32"
    assert load(tmp_path / "out").compute_dtype == "float32"
