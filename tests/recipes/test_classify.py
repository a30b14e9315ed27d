"""`bertkit classify` from the first file to the last: what it leaves, what it refuses, how it survives."""

import errno
import json
import shutil
import signal
import subprocess
import sys

import pytest
from safetensors.numpy import load_file, save_file

from bertkit.card import Card
from bertkit.checkpoints import bundle
from bertkit.cli import main
from bertkit.encoder import Encoder
from bertkit.training.tuning import Tuning
from tests import tiny
from tests.recorded import GOLDEN

EPOCHS = 24
KNOBS = ["--length", 16, "--batch-size", 8, "--learning-rate", 2e-2, "--set", "log_every=2"]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Return a folder with an encoder and three files of labelled texts."""
    import keras
    folder = tmp_path_factory.mktemp("classify")
    keras.utils.set_random_seed(1)
    encoder = Encoder(tiny.CONFIG.but(num_layers=1))
    bundle.save(folder / "encoder", encoder, tiny.tokenizer(), Card("encoder", "encode", bundle.describe(encoder)))
    for seed, (name, rows) in enumerate({"train": 48, "dev": 24, "test": 30}.items()):
        tiny.write_rows(folder / f"{name}.tsv", rows, seed)
    return folder


def words(place, out, train="train.tsv", dev="dev.tsv", model="encoder", epochs=2):
    options = {"model": place / model, "train": place / train, "dev": place / dev, "out": out, "epochs": epochs}
    return ["classify", *(str(part) for name, value in options.items() for part in (f"--{name}", value)),
            *map(str, KNOBS)]


@pytest.fixture(scope="module")
def trained(place):
    """Return the bundle of an unbroken run, and what the command printed."""
    result = subprocess.run([sys.executable, "-m", "bertkit", *words(place, place / "whole", epochs=EPOCHS), "--json",
                             "--test", place / "test.tsv"], capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stderr
    return place / "whole", result


def refusal(capsys, arguments):
    """Return what bad input is answered with: one sentence, exit code 1, nothing on standard output."""
    assert main(arguments) == 1
    out, err = capsys.readouterr()
    lines = [line for line in err.splitlines() if line.startswith("bertkit: ")]
    assert out == "" and len(lines) == 1 and "Traceback" not in err
    return lines[0]


def answered(capsys, *arguments):
    assert main([str(word) for word in arguments]) == 0
    return json.loads(capsys.readouterr().out)


# --------------------------------------------------------------------------------------- what it leaves


def test_standard_output_is_the_card_alone(trained):
    folder, result = trained
    card = json.loads(result.stdout)
    assert card == json.loads((folder / "card.json").read_text())
    assert card["data"]["train"] == {"file": "train.tsv", "rows": 48, "skipped": 0}
    assert f"epoch {EPOCHS}" in result.stderr
    foreign = [line for line in result.stderr.splitlines() if not line.startswith(("epoch", "step"))]
    assert not foreign, foreign


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
            "report.html"} == {
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


def test_an_interrupted_run_ends_with_the_very_same_weights(trained, place, capsys):
    folder, _ = trained
    out = place / "cut"
    arguments = words(place, out, epochs=EPOCHS)
    code, said = stopped(arguments, signal.SIGINT)
    assert code == 130 and "Traceback" not in said and "the same command again" in said
    assert not out.exists() and (place / "cut.tmp").is_dir()
    code, said = stopped(arguments, signal.SIGKILL)
    assert code == -signal.SIGKILL and "Resuming after epoch" in said and "epoch 1 " not in said
    assert not out.exists() and (place / "cut.tmp").is_dir()
    assert "is no bundle" in refusal(capsys, ["evaluate", str(out), "--data", str(place / "dev.tsv")])
    assert main(arguments) == 0
    assert "Resuming after epoch" in capsys.readouterr().err
    assert (out / "weights.safetensors").read_bytes() == (folder / "weights.safetensors").read_bytes()
    assert not (place / "cut.tmp").exists()


def test_a_full_disk_at_the_end_costs_no_training(place, tmp_path, monkeypatch, capsys):
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


def test_a_bundle_is_replaced_by_another(place, trained, tmp_path, capsys):
    """Pairs of three classes, where a bundle of single texts stood; OUT with a slash, as a shell completes it."""
    out = shutil.copytree(trained[0], tmp_path / "out")
    texts, _ = tiny.texts(30)
    rows = [f"{first}\t{second}\t{label}\n" for first, second, label
            in zip(texts, texts[1:], ["no", "maybe", "yes"] * 10, strict=False)]
    (tmp_path / "pairs.tsv").write_text("sentence1\tsentence2\tlabel\n" + "".join(rows))
    arguments = words(place, f"{out}/", tmp_path / "pairs.tsv", tmp_path / "pairs.tsv", epochs=1)
    card = answered(capsys, *arguments, "--limit", 20, "--json")
    assert card["model"]["labels"] == ["maybe", "no", "yes"] and card["data"]["train"]["rows"] == 20
    assert bundle.read(out)["task"]["pairs"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "pairs.tsv"]


# --------------------------------------------------------------------------------------- what it refuses

HEADER = "sentence\tlabel\n"


@pytest.mark.parametrize("content, said", [
    (f"{HEADER}good\t1\nbad\t7\n", "line 3: the label '7' is not among those of training ('0', '1')"),
    ("sentence\tmark\ngood\t1\n", "which column is the label"), ("", "is empty"), (HEADER, "no row that can be used"),
    ("\x00\x01\x02\x03\x04\x05\x06", "is not text"),
    (f"{HEADER}good\tfilm\t1\n", "line 2, 3 fields came, 2 were wanted"),
    ("sentence1\tsentence2\tlabel\na\tb\t1\n", "has pairs, and this model"), (None, "cannot be read")])
def test_bad_rows_of_dev(place, tmp_path, capsys, content, said):
    if content is not None:
        (tmp_path / "dev.tsv").write_text(content)
    message = refusal(capsys, words(place, tmp_path / "out", dev=tmp_path / "dev.tsv"))
    assert said in message and str(tmp_path / "dev.tsv") in message
    assert {path.name for path in tmp_path.iterdir()} <= {"dev.tsv"}


@pytest.mark.parametrize("content, said", [
    (f"{HEADER}good\t1\nfine\t1\n", "has the label '1' in all of the 2 rows"),
    (f"{HEADER}good\tfilm\t1\n", "line 2, 3 fields came, 2 were wanted"),
    ("sentence1\tsentence2\tlabel\na\tb\t1\nc\td\t0\n", "has single texts, and this model"), ("", "is empty")])
def test_bad_rows_of_train(place, tmp_path, capsys, content, said):
    (tmp_path / "train.tsv").write_text(content)
    assert said in refusal(capsys, words(place, tmp_path / "out", train=tmp_path / "train.tsv"))
    assert [path.name for path in tmp_path.iterdir()] == ["train.tsv"]


def test_lists_of_labels_beside_single_ones(place, tmp_path, capsys):
    for name, labels in (("lists", (["a"], ["b"])), ("ones", ("a", "b"))):
        rows = [json.dumps({"text": "good", "label": label}) for label in labels]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(rows))
    for train, dev in (("lists", "ones"), ("ones", "lists")):
        arguments = words(place, tmp_path / "out", tmp_path / f"{train}.jsonl", tmp_path / f"{dev}.jsonl")
        assert "write them alike" in refusal(capsys, arguments)


def test_rows_left_out_are_said(place, tmp_path, capsys):
    (tmp_path / "train.tsv").write_text(f"{HEADER}good\t1\nbad\ttab\t0\nfine\t1\n")
    arguments = words(place, tmp_path / "out", train=tmp_path / "train.tsv")
    assert main([*arguments, "--skip-bad-rows"]) == 1          # one class is left
    assert "left out 1 of its rows, first line 3" in capsys.readouterr().err


@pytest.mark.parametrize("flag, value, said", [
    ("--epochs", "0", "epochs=0 trains nothing"), ("--epochs", "-1", "epochs=-1 trains nothing"),
    ("--batch-size", "0", "batch_size=0"), ("--limit", "0", "limit=0"), ("--limit", "1", "in all of the 1 rows"),
    ("--learning-rate", "0", "learning_rate=0.0 trains nothing"), ("--learning-rate", "-1", "learning_rate=-1.0"),
    ("--learning-rate", "nan", "learning_rate=nan"), ("--learning-rate", "inf", "learning_rate=inf"),
    ("--seed", "-1", "seed=-1 lies outside"), ("--seed", str(2**32), "lies outside 0 to 4294967295"),
    ("--length", "2", "length=2 does not fit"), ("--length", "33", "takes 3 to 32 tokens"),
    ("--text", "nothing", "no columns 'nothing'"), ("--set", "patience=0", "patience=0"),
    ("--set", "separator=", "separator is empty"), ("--tuning", "nothing.json", "nothing.json is not a JSON object")])
def test_knobs_that_train_nothing(place, tmp_path, capsys, flag, value, said):
    assert said in refusal(capsys, [*words(place, tmp_path / "out"), flag, value])
    assert not list(tmp_path.iterdir())


def test_a_training_that_diverges_stops(place, tmp_path, capsys):
    assert "The training diverged: the loss is nan" in refusal(
        capsys, [*words(place, tmp_path / "out"), "--learning-rate", "1e30"])
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("taken, said", [
    ("out/notes.txt", "a folder with other things in it"), ("out", "is a file"),
    ("out.tmp/notes.txt", "holds notes.txt"), ("out.tmp", "is a file")])
def test_a_place_that_is_taken_stays_as_it_is(place, tmp_path, capsys, taken, said):
    (tmp_path / taken).parent.mkdir(exist_ok=True)
    (tmp_path / taken).write_text("mine")
    before = sorted(path for path in tmp_path.rglob("*"))
    assert said in refusal(capsys, words(place, tmp_path / "out"))
    assert sorted(path for path in tmp_path.rglob("*")) == before and (tmp_path / taken).read_text() == "mine"


def test_an_unwritable_place(place, tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_text("")
    assert "cannot be written" in refusal(capsys, words(place, tmp_path / "file" / "out"))
    assert "too long" in refusal(capsys, words(place, tmp_path / ("n" * 300)))
    monkeypatch.setattr("bertkit.checkpoints.files.os.access", lambda path, mode: False)
    assert "no folder one can write to" in refusal(capsys, words(place, tmp_path / "out"))


def damaged(place, tmp_path, change):
    """Return a copy of a Hugging Face folder after `change`(folder)."""
    folder = shutil.copytree(GOLDEN / "bert_tiny_erf", tmp_path / "model")
    change(folder)
    return folder


def truncate(folder):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])


def grow_vocabulary(folder):
    with open(folder / "vocab.txt", "a") as file:
        file.write("".join(f"more{i}\n" for i in range(100)))


def drop_a_tensor(folder):
    tensors = load_file(folder / "model.safetensors")
    tensors.pop("encoder.layer.0.output.dense.bias")
    save_file(tensors, folder / "model.safetensors")


@pytest.mark.parametrize("change, said", [
    (truncate, "not a whole safetensors file"), (drop_a_tensor, "missing: encoder.layer.0.output.dense.bias"),
    (grow_vocabulary, "entries and the encoder's table 60 rows"),
    (lambda folder: (folder / "vocab.txt").unlink(), "holds no tokenizer"),
    (lambda folder: (folder / "config.json").write_text("{"), "is not JSON")],
    ids=["truncated", "not whole", "too many words", "no words", "no config"])
def test_a_wrong_checkpoint(place, tmp_path, capsys, change, said):
    folder = damaged(place, tmp_path, change)
    assert said in refusal(capsys, words(place, tmp_path / "out", model=folder))
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_an_address_that_leads_nowhere(place, tmp_path, capsys):
    for model, said in (("hf://name", "wanted hf://owner/name"), (str(tmp_path / "nothing"), "does not exist"),
                        (str(place / "train.tsv"), "is a file"), (str(tmp_path), "holds no checkpoint")):
        arguments = [*words(place, tmp_path / "out"), "--model", model]
        assert said in refusal(capsys, arguments)


def test_python_calls_it_as_the_command_line_does(trained):
    """What the command line says is what `main` takes."""
    import inspect

    from bertkit.recipes import classify
    knobs = json.loads((trained[0] / "card.json").read_text())["knobs"]
    assert set(knobs) == set(inspect.signature(classify.main).parameters)
    assert knobs["learning_rate"] == 2e-2 and knobs["tuning"]["log_every"] == 2


def test_half_precision_ends_with_the_run(place, tmp_path):
    """A model loaded afterwards, in the same process, computes as it would have before."""
    import keras

    from bertkit.checkpoints import load
    from bertkit.recipes import classify
    before = keras.config.dtype_policy()
    classify.main(place / "train.tsv", place / "dev.tsv", tmp_path / "out", place / "encoder", epochs=1, length=16,
                  tuning=Tuning(precision="bfloat16"))
    assert keras.config.dtype_policy() == before and before.name == "float32"
    assert load(tmp_path / "out").compute_dtype == "float32"
