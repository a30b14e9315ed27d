"""`bertkit glue` from a folder of tasks to its table and what to submit: resumed, with failures, with gaps."""

import contextlib
import io
import json
from pathlib import Path

import numpy as np
import pytest

from bertkit.card import Card
from bertkit.checkpoints import bundle
from bertkit.cli import main
from bertkit.data.glue import find_tasks
from bertkit.encoder import Encoder
from bertkit.glue.runs import plan
from bertkit.predictor import Predictor
from bertkit.sweep import trials
from tests import tiny

KNOBS = ["--epochs", "1", "--length", "16", "--batch-size", "8", "--learning-rate", "2e-2", "--set", "log_every=2"]


def in_process(words, log):
    """Stand for `trials.run_command`: the same command in this process, step by step; graphs cost more than steps."""
    import tensorflow as tf
    out, err = io.StringIO(), io.StringIO()
    tf.config.run_functions_eagerly(True)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main(words)
    finally:
        tf.config.run_functions_eagerly(False)
    log.write_text(err.getvalue())
    if code:
        return None, err.getvalue().strip().splitlines()[-1].removeprefix("bertkit: ")
    return json.loads(out.getvalue().splitlines()[-1]), None


@pytest.fixture
def children(monkeypatch):
    """Let children run in this process; return the words they were started with."""
    started = []
    monkeypatch.setattr(trials, "run_command", lambda words, log: started.append(words) or in_process(words, log))
    return started


def rows(path, header, fields):
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = ([header.replace(" ", "\t")] if header else []) + ["\t".join(map(str, row)) for row in fields]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Return a folder with an encoder, and a GLUE of three tasks that can be learnt and one that is broken."""
    import keras
    folder = tmp_path_factory.mktemp("glue")
    keras.utils.set_random_seed(1)
    encoder = Encoder(tiny.CONFIG.but(num_layers=1))
    bundle.save(folder / "encoder", encoder, tiny.tokenizer(), Card("encoder", "encode", bundle.describe(encoder)))
    for seed, (part, count) in enumerate({"train": 32, "dev": 16}.items()):
        texts, classes = tiny.texts(count, seed)
        numbered = list(enumerate(zip(texts, classes, strict=True)))
        rows(folder / f"GLUE/CoLA/{part}.tsv", "", [("gj04", label, "", text) for _, (text, label) in numbered])
        rows(folder / f"GLUE/STS-B/{part}.tsv", "index sentence1 sentence2 score",
             [(n, text, texts[-1 - n], 5.0 * classes[-1 - n]) for n, (text, _) in numbered])
        words = ["entailment", "neutral", "contradiction"]
        for name in ("train",) if part == "train" else ("dev_matched", "dev_mismatched"):
            rows(folder / f"GLUE/MNLI/{name}.tsv", "index sentence1 sentence2 label1 gold_label",
                 [(n, text, "film", "-", words[n % 3]) for n, (text, _) in numbered])
        rows(folder / f"GLUE/RTE/{part}.tsv", "index sentence1 sentence2 label", [(0, "a", "b", "entailment")] * 4)
    rows(folder / "GLUE/CoLA/test.tsv", "index sentence", [(0, "the film was good"), (1, "bad bad film")])
    rows(folder / "GLUE/STS-B/test.tsv", "index sentence1 sentence2", [(0, "good", "bad"), (1, "film", "film")])
    rows(folder / "GLUE/MNLI/test_matched.tsv", "index sentence1 sentence2", [(0, "good", "bad")])
    rows(folder / "GLUE/diagnostic/diagnostic.tsv", "index sentence1 sentence2", [(0, "good", "bad"), (1, "a", "b")])
    return folder


def glue(place, *more, out="out", tasks="CoLA,STS-B,MNLI,RTE,WNLI"):
    return main(["glue", "--model", str(place / "encoder"), "--data", str(place / "GLUE"), "--out", str(place / out),
                 "--tasks", tasks, "--seeds", "0,3", *KNOBS, *more])


@pytest.fixture(scope="module")
def first(place):
    """Run the command once; return (words of its children, standard output, standard error)."""
    started, out, err = [], io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        patch.setattr(trials, "run_command", lambda words, log: started.append(words) or in_process(words, log))
        assert glue(place, "--json") == 0
    return started, json.loads(out.getvalue()), err.getvalue()


@pytest.mark.slow
def test_every_figure_is_that_of_the_cards(first, place):
    _, found, _ = first
    for task, metric, split, name in (("CoLA", "matthews", "dev", "matthews"), ("STS-B", "spearman", "dev", "spearman"),
                                      ("MNLI", "accuracy_mismatched", "test", "accuracy")):
        cards = {seed: Card.read(place / f"out/runs/{task}-seed{seed}/card.json") for seed in ("0", "3")}
        scores = {seed: 100 * card.scores[split][name]["score"] for seed, card in cards.items()}
        figure = found["tasks"][task]["metrics"][metric]
        assert figure["seeds"] == pytest.approx(scores) and figure["n"] == 2
        assert figure["spread"] == pytest.approx(np.std(list(scores.values()), ddof=1))
        assert {card.knobs["seed"] for card in cards.values()} == {0, 3}
    assert found["name"] == "mean of 3 tasks" and found["score"]["mean"] == pytest.approx(
        np.mean([found["tasks"][task]["score"]["mean"] for task in ("CoLA", "STS-B", "MNLI")]))


@pytest.mark.slow
def test_what_failed_or_lacks_is_told_and_stops_nothing(first, place):
    started, found, said = first
    assert found["tasks"]["WNLI"]["errors"] == ["no WNLI/train.tsv and no WNLI/dev.tsv"]
    rte = found["tasks"]["RTE"]
    assert len(rte["errors"]) == 2 and "has the label 'entailment' in all" in rte["errors"][0] and rte["score"] is None
    assert found["tasks"]["CoLA"]["unlike"] == [
        "CoLA/dev.tsv: 16 rows, of which GLUE publishes 1,043"]
    assert "8/8 RTE, seed 3: " in said and "2/8 CoLA, seed 3: 1 epoch of 32 rows, " in said and " min left" in said
    assert all("--tuning" in words and "log_every" in Path(words[words.index("--tuning") + 1]).read_text()
               for words in started if words[0] != "submit")


@pytest.mark.slow
def test_the_best_seed_answers_the_test_files(first, place):
    _, found, _ = first
    words = {"CoLA": "CoLA/test.tsv", "STS-B": "STS-B/test.tsv", "MNLI-m": "MNLI/test_matched.tsv",
             "AX": "diagnostic/diagnostic.tsv"}
    assert sorted(path.name for path in (place / "out/submission").iterdir()) == sorted(f"{name}.tsv" for name in words)
    assert set(found["submission"]) == set(words)
    for name, test in words.items():
        task = found["tasks"][test.split("/")[0].replace("diagnostic", "MNLI")]
        best = max(task["score"]["seeds"], key=task["score"]["seeds"].get)
        assert task["best"].endswith(f"-seed{best}")
        lines = (place / "GLUE" / test).read_text().splitlines()[1:]
        inputs = [tuple(line.split("\t")[1:]) if name != "CoLA" else line.split("\t")[1] for line in lines]
        answers = [answer["label"] if "label" in answer else f"{min(max(answer['score'], 0), 5):.3f}"
                   for answer in Predictor(task["best"]).predict(inputs)]
        assert (place / f"out/submission/{name}.tsv").read_bytes() == "".join(
            ["index\tprediction\n", *(f"{n}\t{word}\n" for n, word in enumerate(answers))]).encode()


@pytest.mark.slow
def test_started_again_it_goes_on(first, place, children, capsys):
    """What is done is not done again, what failed is tried again, and a table for a person is printed."""
    before = (place / "out/table.tsv").read_bytes()
    assert glue(place) == 0
    assert [words[0] for words in children] == ["classify"] * 2 and all("RTE" in str(words) for words in children)
    assert (place / "out/table.tsv").read_bytes() == before
    out = capsys.readouterr().out.splitlines()
    assert out[0].split() == ["task", "score", "spread", "n", "metrics"] and out[1].startswith("CoLA ")
    assert "mean of 3 tasks" in out[6] and "GLUE score" not in "".join(out)


@pytest.mark.slow
def test_a_killed_run_is_told_and_the_same_command_ends_it(place, monkeypatch, capsys):
    """As if the second of two runs were killed at first."""
    def killed(words, log):
        return (None, "exit -9") if words[words.index("--seed") + 1] == "3" else in_process(words, log)

    (place / "GLUE/CoLA/test.tsv").rename(place / "test.tsv")
    try:
        monkeypatch.setattr(trials, "run_command", killed)
        assert glue(place, "--json", out="killed", tasks="CoLA") == 0
        found = json.loads(capsys.readouterr().out)["tasks"]["CoLA"]
        assert found["errors"] == ["seed 3: exit -9"] and found["score"]["n"] == 1 and not found["score"]["spread"]
        monkeypatch.setattr(trials, "run_command", in_process)
        assert glue(place, "--json", out="killed", tasks="CoLA") == 0
        found = json.loads(capsys.readouterr().out)
        assert found["tasks"]["CoLA"]["score"]["n"] == 2 and found["submission"] == {}
    finally:
        (place / "test.tsv").rename(place / "GLUE/CoLA/test.tsv")


@pytest.mark.slow
def test_other_flags_want_another_folder(first, place, children, capsys):
    assert glue(place, "--limit", "8") == 1
    assert "holds a benchmark of another recipe or of other flags" in capsys.readouterr().err and not children


def test_where_nothing_succeeds_that_is_an_error(place, children, capsys):
    assert glue(place, out="nothing", tasks="RTE") == 1
    assert "No run succeeded; the first said: " in capsys.readouterr().err.splitlines()[-1]
    assert "RTE" in (place / "nothing/table.tsv").read_text()


@pytest.mark.parametrize("more, wrong", [(["--tasks", "SST2"], "GLUE has no task 'SST2'"),
                                         (["--seeds", "0,0"], "no list of different whole numbers")])
def test_what_cannot_be_is_told_before_anything_is_run(place, children, capsys, more, wrong):
    assert glue(place, *more, out="never") == 1
    assert wrong in capsys.readouterr().err and not children and not (place / "never").exists()


@pytest.mark.parametrize("lines, epochs", [(566, 10), (2491, 10), (3669, 9), (8551, 4), (67350, 3), (392703, 3)])
def test_small_tasks_get_more_epochs(tmp_path, lines, epochs):
    for part in ("train", "dev"):
        (tmp_path / "RTE").mkdir(exist_ok=True)
        (tmp_path / f"RTE/{part}.tsv").write_text("\n" * lines)
    found, _ = find_tasks(tmp_path, ["RTE"])
    knobs = {"batch_size": 32, "limit": None}
    assert [run.epochs for run in plan(found, [0, 1], tmp_path, None, knobs)] == [epochs] * 2
    assert plan(found, [0], tmp_path, 2, knobs | {"limit": 100})[0].cost == 200
