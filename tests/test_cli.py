"""The command line as a script sees it: exit codes, standard output, and one sentence for what is wrong."""

import importlib.util
import inspect
import io
import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest

from bertkit import checkpoints
from bertkit.cli import COMMANDS, answers, commands, flags, main
from bertkit.data.columns import Columns
from bertkit.predictor import Predictor
from bertkit.tasks.classification import softmax
from bertkit.text import Tokenizer
from tests import exported, json_files, tiny
from tests.recorded import GOLDEN
from tests.said import HOSTILE, run, sentence, usage

# --------------------------------------------------------------------------------------------- usage


def test_without_a_command_there_is_help_and_exit_code_2(capsys):
    assert main([]) == 2
    output = capsys.readouterr().out
    assert all(name in output for name in COMMANDS)
    assert main(["--help"]) == 0
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.splitlines()[-1][0].isdigit()


def test_an_unknown_command_names_the_known_ones(capsys):
    assert main(["clasify"]) == 2
    assert "no command 'clasify'" in capsys.readouterr().err


@pytest.mark.parametrize("words", [
    ["classify"], ["classify", "--epochs", "many"], ["cost"], ["convert", "a", "b", "--to", "onnx"],
    ["evaluate", "a", "--dat", "b"], ["predict", "a", "--nothing"],
    ["classify", "--model", "m", "--train", "t", "--dev", "d", "--out", "o", "--set", "warmup"]], ids=" ".join)
def test_wrong_usage_is_exit_code_2(capsys, words):
    code, output = usage(capsys, *words)
    assert code == 2 and "error:" in output


@pytest.mark.parametrize("name", COMMANDS)
def test_help_has_an_example_and_a_word_on_everything(capsys, name):
    code, output = usage(capsys, name, "--help")
    assert code == 0 and COMMANDS[name].example in output
    actions = flags.parser(commands.function(name), name)._actions
    assert all(action.help for action in actions)
    several = {"columns", "tuning", "knobs", "words", "limits"}         # a flag for each of their fields
    for knob in set(inspect.signature(commands.function(name)).parameters) - several:
        assert f"--{knob.replace('_', '-')}" in output or f"  {knob.upper()}" in output


@pytest.mark.parametrize("name", ["classify"])
def test_help_of_a_recipe_explains_the_knobs_of_set(capsys, name):
    _, output = usage(capsys, name, "--help")
    for knob in ("weight_decay", "warmup", "clip_norm", "patience", "precision", "separator", "skip_bad_rows",
                 "calibration", "log_every"):
        assert any(line.split()[:1] == [knob] and len(line) > 40 for line in output.splitlines()), knob
    assert "10 %" in output and "%%" not in output


# ------------------------------------------------------------------------------------ cost and recipe


def test_cost_prints_one_object(capsys):
    assert main(["cost", "bert-base-uncased", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["parameters"] == 109_482_240
    assert main(["cost", "bert-base-uncased"]) == 0
    assert "109,482,240" in capsys.readouterr().out


@pytest.mark.parametrize("knob", ["length", "batch"])
@pytest.mark.parametrize("value", [0, -1])
def test_cost_of_nothing_is_refused(capsys, knob, value):
    assert f"{knob}={value} computes nothing" in sentence(capsys, "cost", "bert-base-uncased", f"--{knob}", value)


def test_cost_of_an_unknown_name_suggests_near_ones(capsys):
    assert "bert-base-uncased" in sentence(capsys, "cost", "bert-base-uncasd")


def test_a_recipe_is_copied_once(tmp_path, capsys):
    copy = tmp_path / "mine.py"
    assert main(["recipe", "classify", "--to", str(copy), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"written": str(copy)}
    spec = importlib.util.spec_from_file_location("mine", copy)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert inspect.signature(module.main) == inspect.signature(commands.function("classify"))
    assert "already there" in sentence(capsys, "recipe", "classify", "--to", copy)
    assert "cannot be written" in sentence(capsys, "recipe", "classify", "--to", tmp_path / "no" / "x.py")
    assert "no recipe 'clasify'" in sentence(capsys, "recipe", "clasify")


def test_numbers_are_shown_as_they_are():
    shown = answers.format_answer({"accuracy": 0.75, "rate": 5e-5, "epsilon": 1e-12, "zero": 0.0, "rows": 1200,
                                   "yes": True, "none": None, "inner": {"labels": ["a"]}})
    assert [line.split() for line in shown.splitlines()] == [
        ["accuracy", "0.7500"], ["rate", "5e-05"], ["epsilon", "1e-12"], ["zero", "0.0000"], ["rows", "1,200"],
        ["yes", "True"], ["none", "undefined"], ["inner"], ["labels", "['a']"]]


# ------------------------------------------------------------------------------------------- convert


def test_convert_goes_both_ways(tmp_path, capsys):
    source, back, again = exported.bundled(), tmp_path / "back", tmp_path / "again"
    for words in ([source, back, "--to", "huggingface"], [back, again, "--to", "bertkit"]):
        assert main(["convert", *map(str, words), "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["recipe"] == "convert"
    batch = tiny.features(6).batch(range(6))
    logits = [np.asarray(checkpoints.load(folder)(batch)) for folder in (source, back, again)]
    np.testing.assert_array_equal(logits[0], logits[1])
    np.testing.assert_array_equal(logits[0], logits[2])
    assert checkpoints.load(again).labels == exported.LABELS


@pytest.mark.parametrize("name", ["google", "preset", "erf", "classifier"])
def test_every_published_form_converts(tmp_path, capsys, name):
    source = GOLDEN / f"bert_tiny_{name}"
    assert main(["convert", str(source), str(tmp_path / "bundle")]) == 0
    capsys.readouterr()
    assert "other things" in sentence(capsys, "convert", source, source.parent)
    batch = {"token_ids": [[5, 6, 7]]}
    ours, theirs = (checkpoints.load(folder, part="encoder")(batch)["sequence"] for folder in
                    (source, tmp_path / "bundle"))
    np.testing.assert_array_equal(ours, theirs)


def test_a_classifier_of_pairs_is_told_so(tmp_path, capsys, monkeypatch):
    """config.json does not say whether a classifier reads pairs: convert asks, or is told."""
    source, lines = str(GOLDEN / "bert_tiny_classifier"), b"a film\tvery good\nbad\nfun\tis\tbad\n"
    assert main(["convert", source, str(tmp_path / "either")]) == 0
    assert "does not say whether its classifier reads pairs" in capsys.readouterr().err
    assert main(["convert", source, str(tmp_path / "pairs"), "--pairs"]) == 0
    capsys.readouterr()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(lines)))
    assert main(["predict", str(tmp_path / "either")]) == 0
    found, said = capsys.readouterr()
    assert said.count("line 3 of standard input has a tab") == 1
    first = json.loads(found.splitlines()[0])["probabilities"]
    model, tokenizer = checkpoints.load(source), Tokenizer.load(source)
    wanted = softmax(np.asarray(model(tokenizer.pack(["a film"], ["very good"], length=24)))[0])
    assert list(first.values()) == pytest.approx(wanted.tolist(), abs=1e-5)
    assert Predictor(tmp_path / "pairs").task.reads == ("first text", "second text")
    assert "no classifier, and pairs says" in sentence(capsys, "convert", GOLDEN / "bert_tiny_erf", tmp_path / "x",
                                                       "--pairs")


def test_a_cross_encoder_reads_pairs(tmp_path, capsys):
    folder = shutil.copytree(GOLDEN / "bert_tiny_classifier", tmp_path / "cross")
    json_files.change(folder / "config.json", sentence_transformers={"activation_fn": "torch.nn.Identity"})
    assert main(["convert", str(folder), str(tmp_path / "ours")]) == 0
    assert "CrossEncoder of sentence-transformers" in capsys.readouterr().err
    assert Predictor(tmp_path / "ours").task.pairs is True


def test_a_wrong_or_truncated_checkpoint_leaves_nothing(tmp_path, capsys):
    source = tmp_path / "source"
    assert main(["convert", str(exported.bundled()), str(source), "--to", "huggingface"]) == 0
    capsys.readouterr()
    weights = source / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    assert "not a whole safetensors file" in sentence(capsys, "convert", source, tmp_path / "out")
    assert "does not exist" in sentence(capsys, "convert", tmp_path / "nothing", tmp_path / "out")
    assert "is a file" in sentence(capsys, "convert", weights, tmp_path / "out")
    assert "wanted hf://owner/name" in sentence(capsys, "convert", "hf://name", tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["source"]


@pytest.mark.parametrize("kind", [{}, exported.PAIRS, None], ids=["classifier", "multi-label", "encoder"])
def test_transformers_computes_the_same_from_a_converted_folder(tmp_path, capsys, caplog, kind):
    torch, transformers = pytest.importorskip("torch"), pytest.importorskip("transformers")
    source = GOLDEN / "bert_tiny_erf" if kind is None else exported.bundled(**kind)
    assert main(["convert", str(source), str(tmp_path / "theirs"), "--to", "huggingface"]) == 0
    ours = checkpoints.load(source)
    auto = transformers.AutoModel if kind is None else transformers.AutoModelForSequenceClassification
    theirs, metadata = auto.from_pretrained(tmp_path / "theirs", output_loading_info=True)
    assert not any(metadata.values())
    assert not [record for record in caplog.records if not record.name.startswith("bertkit")]
    texts = [*tiny.texts(6)[0], *HOSTILE[:5]]
    batch = Tokenizer.load(source).pack(texts, length=16)
    tokens = transformers.AutoTokenizer.from_pretrained(tmp_path / "theirs")(
        texts, padding="max_length", truncation=True, max_length=16, split_special_tokens=True)
    np.testing.assert_array_equal(batch["token_ids"], tokens["input_ids"])
    with torch.no_grad():
        found = theirs.eval()(input_ids=torch.tensor(batch["token_ids"]).long(),
                              attention_mask=torch.tensor(batch["padding_mask"]).long())
    if kind is None:
        np.testing.assert_allclose(ours(batch)["pooled"], found.pooler_output, atol=2e-5)
    else:
        np.testing.assert_allclose(ours(batch), found.logits, atol=2e-5)


# ------------------------------------------------------------------------------- in a process of its own


@pytest.mark.slow
def test_a_process_keeps_answers_and_noise_apart():
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    result = run("predict", exported.bundled(), input=b"good film\n\ncaf\xc3\xa9\n",
                 env={**environment, "PYTHONIOENCODING": "ascii"})
    assert result.returncode == 0
    assert len([json.loads(line) for line in result.stdout.splitlines()]) == 3
    assert result.stderr == b""


@pytest.mark.slow
def test_a_copied_recipe_runs_without_noise(tmp_path, capsys):
    copy = tmp_path / "mine.py"
    assert main(["recipe", "classify", "--to", str(copy)]) == 0
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    result = subprocess.run([sys.executable, str(copy), "--help"], capture_output=True, timeout=120, env=environment)
    assert result.returncode == 0 and result.stderr == b"" and b"usage: mine.py" in result.stdout


def test_a_process_ends_with_the_exit_code(tmp_path):
    for words, code in ((["cost", "bert-base-uncased"], 0), (["cost", "nothing"], 1), (["cost"], 2), ([], 2),
                        (["evaluate", str(tmp_path), "--data", "x.tsv"], 1)):
        result = run(*words)
        assert result.returncode == code and b"Traceback" not in result.stderr
        if code == 1:
            assert result.stdout == b"" and len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize("words", ["--help", "classify --help", "cost bert-base-uncased"])
@pytest.mark.parametrize("closed", ["stdout", "both"])
def test_a_pipe_that_closes_is_no_fault(words, closed):
    assert into_closed_pipe(words, closed) == (0, b"")


@pytest.mark.parametrize("closed", ["stdout", "both"])
def test_a_fault_into_a_pipe_that_closes_stays_one(closed):
    code, said = into_closed_pipe("cost nothing", closed)
    assert code == 1 and (closed == "both" or said.startswith(b"bertkit: ") and said.count(b"\n") == 1)
    assert into_closed_pipe("cost", closed)[0] == 2


def into_closed_pipe(words, closed):
    """Return (exit code, standard error) of a command whose output, or whose output and errors, nobody reads."""
    reader, writer = os.pipe()
    os.close(reader)
    result = subprocess.run([sys.executable, "-m", "bertkit", *words.split()], stdout=writer,
                            stderr=subprocess.PIPE if closed == "stdout" else writer, timeout=60)
    os.close(writer)
    return result.returncode, result.stderr or b""


def test_columns_are_named_by_flags(tmp_path, capsys):
    path = tmp_path / "dev.csv"
    path.write_text('opinion,what\ngood,"a warm film"\n')
    assert main(["evaluate", str(exported.bundled()), "--data", str(path), "--text", "what", "--label", "opinion",
                 "--json"]) == 0
    wanted = Predictor(exported.bundled()).evaluate(path, Columns(text="what", label="opinion"))
    assert json.loads(capsys.readouterr().out) == wanted
