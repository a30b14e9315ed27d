"""The sweep: what it tries, that it goes on, what it leaves, and that a trial's failure is no failure of the whole."""

import json
import math
import re
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bertkit.errors import Error
from bertkit.report.sweep import summary
from bertkit.report.sweep_picture import draw_sweep
from bertkit.sweep import sweep, trials
from bertkit.sweep.space import SEARCHES, read_values
from bertkit.training.config import TrainConfig


def recipe(train: str, out: str, learning_rate: float = 5e-5, epochs: int = 3, seed: int = 0, tuning=TrainConfig()):  # noqa: B008
    """Stand for a recipe.

    train   rows
    """


def reached(words):
    """Return the score that a trial reaches: the better, the nearer the rate is to 3e-5."""
    knobs = dict(re.findall(r"--([\w-]+)[= ](\S+)", " ".join(words)))
    return 0.9 - abs(math.log10(float(knobs.get("learning-rate", 5e-5)) / 3e-5)) / 10 + int(knobs["seed"]) / 100


@pytest.fixture
def children(monkeypatch):
    """Let trials be answered at once, those of rate 1 not at all; return the words they were started with."""
    started = []

    def child(words, log):
        started.append(words)
        if "--learning-rate=1" in words:
            return None, "The training diverged: the loss is nan at step 3."
        return {"recipe": "classify", "scores": {"dev": {"rows": 4, "accuracy": {"score": reached(words)}}}}, None

    monkeypatch.setattr(trials, "run_command", child)
    return started


@pytest.fixture(autouse=True)
def files(tmp_path, monkeypatch):
    """The training file that most tests name."""
    monkeypatch.chdir(tmp_path)
    for name in ("t.tsv", "other.tsv"):
        (tmp_path / name).write_text("text\tlabel\n")


def run(out, **options):
    return sweep("classify", recipe, ("--train", "t.tsv"), out, **options)


def test_a_grid_over_both_kinds_of_knobs_and_seeds(tmp_path, children):
    found = run(tmp_path / "s", over=["learning-rate=1e-5,3e-5", "layer_decay=0.8"], seeds="0,1,2")
    assert [words[3:-4] for words in children] == [
        [f"--learning-rate={rate}", "--set=layer_decay=0.8", "--seed"] for rate in ("1e-5", "3e-5") for _ in range(3)]
    assert [words[-4] for words in children] == ["0", "1", "2"] * 2
    assert all(words[:3] == ["classify", "--train", "t.tsv"] and words[-1] == "--json" for words in children)
    assert len({words[-2] for words in children}) == 6
    best = found["best"]
    assert best["setting"] == {"learning_rate": "3e-5", "layer_decay": "0.8"} and found["metric"] == "dev accuracy"
    assert best["mean"] == pytest.approx(0.91) and best["spread"] == pytest.approx(np.std([0, 1, 2], ddof=1) / 100)
    assert json.loads((tmp_path / "s" / "summary.json").read_text()) == found


def test_started_again_it_skips_what_is_done_and_tries_again_what_failed(tmp_path, children, capsys):
    first = run(tmp_path / "s", over=["learning_rate=1,3e-5"], seeds="0,1")
    assert len(children) == 4
    assert run(tmp_path / "s", over=["learning_rate=1,3e-5,1e-5"], seeds="0,1")["best"] == first["best"]
    assert [words[3] for words in children[4:]] == ["--learning-rate=1"] * 2 + ["--learning-rate=1e-5"] * 2
    assert "learning_rate=3e-5" in capsys.readouterr().err


def test_a_failed_trial_stands_in_the_table_and_stops_nothing(tmp_path, children):
    found = run(tmp_path / "s", over=["learning_rate=1,3e-5"])
    assert found["best"]["setting"] == {"learning_rate": "3e-5"}
    assert found["settings"][-1]["errors"] == {"0": "The training diverged: the loss is nan at step 3."}
    head, *rows = [line.split("\t") for line in (tmp_path / "s" / "table.tsv").read_text().splitlines()]
    assert head == ["learning_rate", "seed", "dev accuracy", "seconds", "error"]
    assert [row[0] for row in rows] == ["1", "3e-5"] and "diverged" in rows[0][-1] and rows[1][2] == "0.9000"


def test_a_setting_with_a_failed_seed_is_not_the_best():
    def trial(rate, seed, score):
        return {"setting": {"learning_rate": rate}, "seed": seed, "score": score, "metric": "accuracy", "error": "nan"}

    found = summary("classify", [trial("1", 0, 0.9), trial("1", 1, None), trial("2", 0, 0.7), trial("2", 1, 0.8)])
    assert found["best"]["setting"] == {"learning_rate": "2"} and found["settings"][1]["mean"] == 0.9


def test_a_score_that_is_no_number_is_a_failure(tmp_path, monkeypatch):
    card = {"scores": {"dev": {"pearson": {"score": None}}}}           # as a card writes nan
    monkeypatch.setattr(trials, "run_command", lambda words, log: (card, None))
    with pytest.raises(Error, match="No trial succeeded; the first said: dev pearson is undefined"):
        run(tmp_path / "s")
    assert json.loads((tmp_path / "s" / "summary.json").read_text())["best"] is None


def test_the_metric_that_chooses_the_epoch_chooses_the_setting_and_less_may_be_better(tmp_path, monkeypatch):
    def child(words, log):
        error = 0.1 if "--learning-rate=3e-5" in words else 0.2
        named = "mse" if any(word.endswith("metric=mse") for word in words) else None
        scores = {"pearson": {"score": error}, "mse": {"score": error}}
        return {"scores": {"dev": scores}, "knobs": {"tuning": {"metric": named}}}, None

    monkeypatch.setattr(trials, "run_command", child)
    chosen = {metric: sweep("classify", recipe, ("--train", "t.tsv", "--set", f"metric={metric}"), tmp_path / metric,
                            over=["learning_rate=1e-5,3e-5"]) for metric in ("none", "mse")}
    assert {name: (found["metric"], found["best"]["setting"]) for name, found in chosen.items()} == {
        "none": ("dev pearson", {"learning_rate": "1e-5"}), "mse": ("dev mse", {"learning_rate": "3e-5"})}
    tried = sweep("classify", recipe, ("--train", "t.tsv"), tmp_path / "tried", over=["metric=mse,pearson"])
    assert tried["metric"] == "dev pearson"         # the first, where trials choose their epochs by different ones


def test_without_knobs_it_is_the_spread_over_seeds(tmp_path, children):
    found = run(tmp_path / "s", seeds="0,4")
    assert found["best"]["scores"].keys() == {"0", "4"} and found["best"]["setting"] == {}


def test_the_picture_has_a_dot_for_each_seed_and_needs_no_network(tmp_path, children):
    found = run(tmp_path / "s", over=["learning_rate=1e-5,3e-5,1"], seeds="0,1,2")
    page = (tmp_path / "s" / "sweep.html").read_text(encoding="utf-8")
    assert page.count("<circle") == 6 and "diverged" in page
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)|<script|<link|src=", page)
    dots = [float(x) for x in re.findall(r'circle cx="([\d.]+)"', draw_sweep(found))]
    assert dots[0] < dots[1] < dots[2] and dots[0] - dots[3] == pytest.approx(
        (dots[1] - dots[0]) * 100 * math.log10(3) / 10, rel=0.02)


def test_words_from_outside_are_no_part_of_the_page():
    found = summary("classify", [{"setting": {"separator": "<b>&"}, "seed": 0, "score": 0.5, "metric": "accuracy",
                                  "error": None}])
    assert "<b>" not in draw_sweep(found) and "&lt;b&gt;&amp;" in draw_sweep(found)


@pytest.mark.parametrize("search", ["random", "optuna"])
def test_a_drawn_search_is_the_same_again(tmp_path, children, search):
    if search == "optuna":
        pytest.importorskip("optuna")
    over = ["learning_rate=1e-6..1e-3", "epochs=2..9", "layer_decay=0.8,0.9"]
    found = run(tmp_path / "s", over=over, search=search, trials=8)
    assert len(children) == 8
    assert run(tmp_path / "s", over=over, search=search, trials=8) == found and len(children) == 8


def test_random_settings_differ_and_lie_in_their_ranges():
    space = read_values(["learning_rate=1e-6..1e-3", "epochs=2..4"])
    found = list(SEARCHES["random"](space, 50))
    assert len({tuple(setting.values()) for setting in found}) == 50
    assert all(1e-6 <= float(s["learning_rate"]) <= 1e-3 and s["epochs"] in ("2", "3", "4") for s in found)
    below = sum(float(setting["learning_rate"]) < 10**-4.5 for setting in found)
    assert 15 <= below <= 35                                                # evenly on the logarithmic scale
    assert found == list(SEARCHES["random"](space, 50)) != list(SEARCHES["random"](space, 50, seed=1))


@given(st.lists(st.integers(1, 4), min_size=1, max_size=3), st.integers(1, 80))
@settings(max_examples=40, deadline=None)
def test_random_draws_all_there_are_and_no_more(sizes, wanted):
    space = {f"k{i}": tuple(map(str, range(size))) for i, size in enumerate(sizes)}
    found = [tuple(setting.values()) for setting in SEARCHES["random"](space, wanted)]
    assert len(set(found)) == len(found) <= min(wanted, math.prod(sizes))
    assert len(list(SEARCHES["grid"](space, None))) == math.prod(sizes)


@pytest.mark.parametrize("options, words", [
    ({"over": ["learning_rates=1"]}, "classify has no knob 'learning_rates'; there are .*learning_rate.*layer_decay"),
    ({"over": ["layer_decay=2"]}, "layer_decay=2.0 lies outside"), ({"over": ["seed=1,2"]}, "give --seeds"),
    ({"over": ["epochs"]}, "names no values"), ({"over": ["epochs=1,,2"]}, "names no values"),
    ({"over": ["epochs=1", "epochs=2"]}, "give each once"), ({"over": ["epochs=1,1"]}, "give each once"),
    ({"over": ["learning_rate=0.0..1"], "search": "random", "trials": 1}, "no logarithm"),
    ({"over": ["learning_rate=a..b"]}, "no range of numbers"), ({"over": ["epochs=4..2"]}, "empty range"),
    ({"over": ["epochs=1..3"]}, "A grid cannot try all of a range"), ({"trials": 3}, "A grid tries every combination"),
    ({"search": "random"}, "trials=None tries nothing"), ({"seeds": "0,x"}, "seeds=0,x is no list"),
    ({"seeds": "1,1"}, "no list of different"), ({"search": "best"}, "search=best is unknown")])
def test_what_cannot_be_tried_is_told_before_anything_is(tmp_path, children, options, words):
    with pytest.raises(Error, match=words):
        run(tmp_path / "s", **options)
    assert not children


def test_flags_of_the_recipe_are_looked_at_first(tmp_path, children):
    with pytest.raises(Error, match="gives each trial its --out"):
        sweep("classify", recipe, ("--train", "t.tsv", "--out=x"), tmp_path / "s")
    with pytest.raises(SystemExit):
        sweep("classify", recipe, ("--trains", "t.tsv"), tmp_path / "s")
    with pytest.raises(Error, match="takes no --seed"):
        sweep("classify", lambda out: None, (), tmp_path / "s")
    assert not children


def test_a_folder_of_something_else_is_left_alone(tmp_path, children):
    run(tmp_path / "s")
    with pytest.raises(Error, match="a sweep of another recipe or of other flags"):
        sweep("classify", recipe, ("--train", "other.tsv"), tmp_path / "s")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("")
    with pytest.raises(Error, match="holds no sweep"):
        run(tmp_path / "mine")


def test_a_file_that_changed_wants_another_folder(tmp_path, children):
    (tmp_path / "t.tsv").write_text("one")
    sweep("classify", recipe, ("--train", str(tmp_path / "t.tsv")), tmp_path / "s")
    (tmp_path / "t.tsv").write_text("two")
    with pytest.raises(Error, match="t.tsv has changed since .*s was begun; choose another --out"):
        sweep("classify", recipe, ("--train", str(tmp_path / "t.tsv")), tmp_path / "s")
    (tmp_path / "t.tsv").write_text("one")
    sweep("classify", recipe, ("--train", str(tmp_path / "t.tsv")), tmp_path / "s")


def test_where_nothing_is_done_other_flags_take_its_place(tmp_path, monkeypatch):
    monkeypatch.setattr(trials, "run_command", lambda words, log: (None, "there is no nope.tsv"))
    with pytest.raises(Error, match="there is no nope.tsv"):
        sweep("classify", recipe, ("--train", "other.tsv"), tmp_path / "s")
    with pytest.raises(Error, match="there is no nope.tsv"):
        sweep("classify", recipe, ("--train", "t.tsv"), tmp_path / "s")


def test_names_of_folders_are_names(tmp_path, children):
    run(tmp_path / "s", over=["separator=|,/,\u00fc b"])
    names = {words[words.index("--out") + 1] for words in children}
    assert len(names) == 3 and all(re.fullmatch(r"[\w.,=+-]+", name.rsplit("/", 1)[1]) for name in names)


def test_a_child_is_a_process_of_its_own(tmp_path):
    """With the real command line: usage, one sentence and the answer."""
    card, error = trials.run_command(["cost", "bert-tinny", "--json"], tmp_path / "log")
    assert card is None and "bert-tinny" in error and not error.startswith("bertkit:")
    card, error = trials.run_command(["cost", "bert-tiny", "--json"], tmp_path / "log")
    assert error is None and card


def test_optuna_is_an_extra(tmp_path):
    """A process without it says how to get it."""
    code = ("import sys; sys.modules['optuna'] = None\nfrom bertkit.sweep.space import SEARCHES\n"
            "try:\n    next(SEARCHES['optuna']({}, 1))\nexcept Exception as error:\n    print(error)")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert 'pip install "optuna>=4"' in done.stdout
