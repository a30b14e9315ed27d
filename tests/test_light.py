"""What needs no model is answered without TensorFlow and Keras: help, wrong usage, a file that is not there.

A process of its own runs all of these, because here both are loaded.
"""

import inspect
import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from bertkit import ondevice
from bertkit.cli import COMMANDS, commands
from bertkit.signature import lazy_function

# Runs each of [[word, ...], ...] from standard input; prints for each [exit code, what it said, what is loaded].
CHILD = """
import contextlib, io, json, sys
from bertkit.cli import main
answers = []
for words in json.load(sys.stdin):
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            code = main(words)
        except SystemExit as left:
            code = left.code
    answers.append([code, said.getvalue(), [name for name in ("tensorflow", "keras") if name in sys.modules]])
print(json.dumps(answers))
"""


def answered(cases, folder):
    """Return [(exit code, what was said, what is loaded)] of lists of words, in an empty folder."""
    result = subprocess.run([sys.executable, "-c", CHILD], input=json.dumps(cases), capture_output=True, text=True,
                            timeout=120, cwd=folder)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def example(name, without=""):
    """Return the words of a command's example, without one of its flags and the value after it."""
    words = shlex.split(COMMANDS[name].example.split("| bertkit ")[-1].removeprefix("bertkit "))
    at = words.index(without) if without in words else len(words)
    return words[:at] + words[at + 2:]


# In an empty folder each file of an example is missing. Without --model, no checkpoint is missing any more.
MISSING = [example(name) for name in COMMANDS if name not in ("demo", "cost", "recipe")]
MISSING += [example(name, without="--model") for name in ("classify", "tag", "answer", "embed", "summarise", "sweep")]
MISSING += [["classify", "--train", "t", "--dev", "d", "--out", "o", "--tuning", "knobs.json"],
            ["classify", "--train", ".", "--dev", ".", "--out", "o", "--model", "name"],
            ["evaluate", ".", "--data", "dev.tsv"], ["predict", ".", "--tflite", "model.tflite"],
            ["pretrain", "--data", ".", "--vocabulary", "v.txt", "--steps", "1", "--batch-size", "1", "--out", "o"]]

REASONS = ("does not exist; give a checkpoint", "cannot be read (No such file or directory); give an existing file",
           "knobs.json is missing", "is no bundle: nothing is there")
# The knobs of each command that name what must be there.
NAMED = dict.fromkeys(("classify", "long_documents", "score", "tag", "answer", "choose", "embed", "summarise", "write"),
                      "model train dev test")
NAMED |= {"rank": "model train dev test embedder", "glue": "model data", "retrieve": "model data ranker",
          "annotate": "files source", "agreement": "files key", "evaluate": "folder data tflite",
          "predict": "folder data tflite", "doctor": "path against train dev accept", "slim": "folder train dev test",
          "distill": "teacher student train dev unlabelled test augmenter",
          "compare": "a b data", "explain": "folder data", "attention": "folder",
          "layers": "model data against", "influence": "folder train data", "behave": "folder tests data fill",
          "bias": "model crows_pairs weat swaps data",
          "quantize": "folder train dev test",
          "serve": "folders", "submit": "folder data tflite", "export": "folder dev", "convert": "source",
          "vocabulary": "corpus", "corpus": "text vocabulary", "pretrain": "data vocabulary model dev"}


def without(knob, name):
    """Return the words of a command whose one file, `knob`, is missing: what else it needs is there, or a number."""
    words = [name]
    for each, parameter in inspect.signature(commands.function(name)).parameters.items():
        value = "absent/file" if each == knob else "1" if parameter.annotation in (int, list[int]) else "."
        if parameter.kind is inspect.Parameter.POSITIONAL_ONLY:
            words.append(value)
        elif each == knob or parameter.default is inspect.Parameter.empty:
            words += [f"--{each.replace('_', '-')}", value]
    return words


MISSING += [without(knob, name) for name, knobs in NAMED.items() for knob in knobs.split()]


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """Return {words, joined: (exit code, what was said, what is loaded)}."""
    cases = [[], ["--help"], ["--version"], ["absent"], *([name, "--help"] for name in COMMANDS),
             *([name, "--absent"] for name in COMMANDS), *MISSING]
    folder = tmp_path_factory.mktemp("empty")
    found = dict(zip(map(" ".join, cases), answered(cases, folder), strict=True))
    assert list(folder.iterdir()) == []
    return found


@pytest.mark.parametrize("words", ["", "--help", "--version", *(f"{name} --help" for name in COMMANDS)])
def test_help_is_light(answers, words):
    code, said, loaded = answers[words]
    assert code == (0 if words else 2) and said and loaded == []


@pytest.mark.parametrize("words", ["absent", *(f"{name} --absent" for name in COMMANDS)])
def test_wrong_usage_is_light(answers, words):
    code, said, loaded = answers[words]
    assert code == 2 and said and loaded == []


@pytest.mark.parametrize("words", map(" ".join, MISSING))
def test_a_missing_file_is_told_before_tensorflow_is_loaded(answers, words):
    code, said, loaded = answers[words]
    assert (code, len(said.splitlines()), loaded) == (1, 1, [])
    assert any(reason in said for reason in REASONS)
    if "absent/file" in words:
        assert said.startswith("bertkit: absent/file ")
    assert any(word.strip("/") in said for word in words.split()[1:])


@pytest.mark.slow
def test_what_is_loaded_is_seen(tmp_path):
    cases = [["annotate", "--help"], ["classify", "--train", "t.txt", "--dev", "t.txt", "--out", "o"]]
    (tmp_path / "t.txt").write_text("a\n")
    before, after = answered(cases, tmp_path)
    assert before[2] == [] and after[2] == ["tensorflow", "keras"]


# ------------------------------------------------------------------------------ answers of an exported file

EXPORTS = Path(__file__).resolve().parents[1] / "tflite/conformance/answers"


def test_an_exported_file_answers_without_tensorflow(tmp_path):
    texts = tmp_path / "texts.txt"
    texts.write_text("a warm film\n\n")
    folders = [[str(EXPORTS / name), "--tflite", str(EXPORTS / name / "model.tflite")]
               for name in ("classify", "tag", "embed")]
    found = answered([["predict", *folder, "--data", str(texts)] for folder in folders], tmp_path)
    for code, said, loaded in found:
        assert code == 0 and loaded == [], said
        assert '"a warm film"' in said


@pytest.mark.parametrize("name, line", [("classify", "a warm film"), ("answer", "Who?\tAda wrote it.")])
def test_lines_are_answered_without_tensorflow(name, line):
    code = "import sys; from bertkit.cli import main; main(sys.argv[1:]); print([*sys.modules])"
    words = ["predict", str(EXPORTS / name), "--tflite", str(EXPORTS / name / "model.tflite")]
    done = subprocess.run([sys.executable, "-c", code, *words], input=f"{line}\n", capture_output=True, text=True,
                          timeout=120)
    answer, modules = done.stdout.splitlines()
    expected = ondevice.load(EXPORTS / name).predict([tuple(line.split("\t")) if "\t" in line else line])
    assert json.loads(answer) == json.loads(json.dumps(expected[0]))
    assert "'bertkit.ondevice.runner'" in modules and "'numpy'" in modules
    # Each of these takes longer to import than the whole command, or reads files of rows, of which there are none.
    assert [each for each in ("tensorflow", "keras", "safetensors", "bertkit.encoder", "bertkit.data.labelled")
            if f"'{each}'" in modules] == []


# ------------------------------------------------------------------------------ signatures from sources


@pytest.mark.parametrize("name", commands.RECIPES)
def test_a_recipe_is_declared_as_it_is(name):
    module = __import__(f"bertkit.recipes.{name}", fromlist=["main"])
    said = commands.function(name)
    assert said is not module.main
    assert inspect.signature(said) == inspect.signature(module.main)
    assert inspect.getdoc(said) == inspect.getdoc(module.main)


SOURCE = '''
"""A module that cannot be imported."""
from typing import Literal
from pathlib import Path as Folder, PurePath
import absent.entirely
import collections.abc

KINDS = Literal["a", "b"]
LATER = absent.entirely.call()
SIZE: int = 3


def main(kind: KINDS = "a", size=SIZE, folder: Folder | None = None, *, each: collections.abc.Callable = len):
    """Say so."""
    raise SystemExit(LATER)
'''


def test_of_a_source_only_the_signature_is_executed(tmp_path, monkeypatch):
    (tmp_path / "cannot_be_imported.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(tmp_path)
    function = lazy_function("cannot_be_imported")
    assert str(inspect.signature(function)).startswith("(kind: Literal['a', 'b'] = 'a', size=3, folder: ")
    assert function.__doc__ == "Say so."
    with pytest.raises(ModuleNotFoundError, match="absent"):
        function()


def test_a_call_is_the_modules_own(tmp_path, monkeypatch):
    (tmp_path / "can_be_imported.py").write_text("def main(a, *, b=1):\n    '''Add.'''\n    return a + b\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert lazy_function("can_be_imported")(2, b=3) == 5
