"""A signature as flags: what is written there is what the command line takes."""

import argparse
from typing import Literal

import pytest

from bertkit.cli import flags
from bertkit.data.columns import Columns
from bertkit.errors import Error
from bertkit.training.config import TrainConfig


def knobs(item: str, /, needed: str, count: int = 3, rate: float = 0.5, kind: Literal["a", "b"] = "a",
          maybe: int = None, yes: bool = False, columns=Columns(), tuning=TrainConfig()):
    """Do nothing with some knobs.

    item            a word
    needed          a must
    count           how many; 100 % of them
    rate            how fast
    kind            which
    maybe           perhaps
    yes             a switch
    """
    return locals()


def called(line):
    return flags.call(knobs, flags.parser(knobs, "knobs").parse_args(line.split()))


def test_defaults_are_those_of_the_signature():
    assert called("w --needed n") == {
        "item": "w", "needed": "n", "count": 3, "rate": 0.5, "kind": "a", "maybe": None, "yes": False,
        "columns": Columns(), "tuning": TrainConfig()}


def test_every_flag_arrives_in_its_type():
    found = called("w --needed n --count 4 --rate 1e-5 --kind b --maybe 2 --yes --text t --second s --label l "
                   "--word 1 --tag g --set warmup=0.2 --set separator=a=b")
    assert found == {"item": "w", "needed": "n", "count": 4, "rate": 1e-5, "kind": "b", "maybe": 2, "yes": True,
                     "columns": Columns("t", "s", "l", "1", "g"), "tuning": TrainConfig(warmup=0.2, separator="a=b")}


def test_a_number_or_a_word(capsys):
    def function(epochs: int | Literal["auto"] = "auto", rate: float | Literal["auto"] = 0.5):
        """Do nothing.

        epochs          how often
        """
        return epochs, rate

    made = flags.parser(function, "knobs")
    for line, found in (("", ("auto", 0.5)), ("--epochs 3 --rate auto", (3, "auto")), ("--epochs auto", ("auto", 0.5))):
        assert flags.call(function, made.parse_args(line.split())) == found
    with pytest.raises(SystemExit):
        made.parse_args(["--epochs", "many"])
    assert "invalid int or auto value: 'many'" in capsys.readouterr().err and "how often (auto)" in made.format_help()


def test_set_overrides_the_file_of_knobs(tmp_path):
    path = tmp_path / "knobs.json"
    path.write_text('{"warmup": 0.2, "patience": 4}')
    assert called(f"w --needed n --tuning {path} --set warmup=0.3")["tuning"] == TrainConfig(warmup=0.3, patience=4)


@pytest.mark.parametrize("line", [
    "w", "--needed n", "w --needed n --count x", "w --needed n --kind c", "w --needed n --set warmup",
    "w --needed n --coun 4"])
def test_wrong_usage(line, capsys):
    with pytest.raises(SystemExit) as left:
        called(line)
    assert left.value.code == 2 and "error:" in capsys.readouterr().err


@pytest.mark.parametrize("setting, words", [
    ("warmth=1", "no tuning knob 'warmth'"), ("patience=0", "patience=0 stops"), ("separator=", "separator is empty"),
    ("warmup=nan", "outside 0 to 1")])
def test_a_setting_that_does_not_fit_is_bad_input(setting, words):
    with pytest.raises(Error, match=words):
        called(f"w --needed n --set {setting}")


def test_help_is_the_docstrings():
    text = flags.parser(knobs, "knobs", "knobs w --needed n").format_help()
    for words in ("Do nothing with some knobs.", "how many; 100 % of them (3)", "a switch", "example:\n  knobs w",
                  "the column of the label", "knobs for --set:\n  weight_decay"):
        assert words in text
    assert "%%" not in text


def test_a_recipe_that_is_run_as_a_script_ends_with_an_exit_code(monkeypatch, capsys):
    def recipe(fail: bool = False):
        """Fail if asked.

        fail    whether
        """
        if fail:
            raise Error("Asked\n to fail.")

    for words, code in (([], 0), (["--fail"], 1)):
        monkeypatch.setattr("sys.argv", ["recipe.py", *words])
        with pytest.raises(SystemExit) as left:
            flags.run_recipe(recipe)
        assert left.value.code == code
    assert capsys.readouterr().err == "bertkit: Asked to fail.\n"


def test_a_setting_without_a_sign_says_what_was_wanted():
    with pytest.raises(argparse.ArgumentTypeError, match="'warmup' came, wanted NAME=VALUE"):
        flags._setting("warmup")
