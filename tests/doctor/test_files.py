"""The doctor's checks of files: labels, untrained parts, ranges of integers, what a path holds; and the command."""

import json
import random
import shutil
from dataclasses import replace

import numpy as np
import pytest

from bertkit import Encoder, EncoderConfig, Error, Tokenizer
from bertkit.checkpoints import huggingface
from bertkit.cli import main
from bertkit.doctor import examine
from bertkit.doctor.case import Case
from bertkit.doctor.checks import CHECKS
from bertkit.doctor.data_checks import DATA
from bertkit.doctor.examination import look_at
from bertkit.doctor.folders import case_of, kind_of
from bertkit.doctor.labels import labels
from bertkit.doctor.quantized import int8_ranges
from bertkit.doctor.subjects import weights_of
from bertkit.doctor.tensors import loaded, tensors
from tests.doctor.courses import VOCABULARY

DRAW = np.random.default_rng(0)
NAMED = {"id2label": {"0": "no", "1": "yes"}, "label2id": {"no": 0, "yes": 1}}


def layer(i, scale=0.2, gamma=1.1, bias=0.1):
    """Return the tensors of a layer of two features' width, trained or not."""
    name = f"encoder.layer.{i}."
    return {name + "dense.weight": DRAW.normal(0, scale, (64, 64)).astype("float32"),
            name + "dense.bias": np.full(64, bias, "float32"), name + "LayerNorm.weight": np.full(64, gamma, "float32"),
            name + "LayerNorm.bias": np.full(64, bias, "float32")}


def fresh(i):
    return layer(i, 0.02, 1, 0)


def said(check, **case):
    return check(Case(None, {"model_type": "bert", **case.pop("config", {})}, **case)).verdict


@pytest.mark.parametrize(("weights", "verdict"), [
    (layer(0) | layer(1), "healthy"), (layer(0) | fresh(1), "ill"), (fresh(0) | fresh(1), "suspect"),
    (layer(0) | {"classifier.weight": DRAW.normal(0, 0.02, (3, 64)), "classifier.bias": np.zeros(3)}, "ill"),
    (layer(0) | {"classifier.weight": DRAW.normal(0, 0.3, (3, 64)), "classifier.bias": np.ones(3)}, "healthy"),
    (layer(0) | {"pooler.dense.weight": np.zeros((64, 64))}, "suspect"),
    (layer(0) | {"encoder.layer.1.dense.weight": np.zeros((64, 64))}, "ill")])
def test_parts_at_their_initial_values_are_seen(weights, verdict):
    assert said(loaded, weights=weights) == verdict


@pytest.mark.parametrize(("config", "outputs", "verdict"), [
    (NAMED, 2, "healthy"), (NAMED, 3, "ill"), (NAMED | {"label2id": {"no": 1, "yes": 0}}, 2, "ill"),
    ({"id2label": {"1": "no", "2": "yes"}}, 2, "ill"), ({"id2label": {"0": "no", "1": "no"}}, 2, "ill"),
    ({"id2label": {"first": "no"}}, 1, "ill"), ({}, 2, "unknown")])
def test_labels_are_compared_with_the_head(config, outputs, verdict):
    assert said(labels, config=config, weights={"classifier.weight": np.zeros((outputs, 4))}) == verdict


def test_weights_that_integers_cannot_hold():
    value = DRAW.normal(0, 0.02, (32, 64))
    assert said(int8_ranges, weights={"dense.weight": value}) == "healthy"
    value[:, 3] = 50
    assert said(int8_ranges, weights={"dense.weight": value}) == "ill"


class Lite:
    """What is read of an interpreter."""

    def get_tensor(self, index):
        raise ValueError("not kept")


@pytest.mark.parametrize(("scale", "verdict"), [(0.05, "healthy"), (39.0, "ill"), (4e6, "ill")])
def test_a_step_of_scores_that_is_too_large(scale, verdict):
    tensor = {"index": 0, "name": "scores", "dtype": np.int8, "shape": [1, 2, 8, 8],
              "quantization_parameters": {"scales": np.array([scale])}}
    form = type("Form", (), {"details": (Lite(), [tensor], [{"op_name": "SOFTMAX", "inputs": [0]}])})
    assert said(int8_ranges, kind="tflite", memory={"export": form}) == verdict


def test_a_path_is_known_by_its_files(tmp_path):
    for name, kind in (("bundle.json", "bundle"), ("saved_model.pb", "saved_model"), ("model.weights.h5", "preset"),
                       ("config.json", "huggingface"), ("model.tflite", "tflite")):
        folder = tmp_path / kind
        folder.mkdir()
        (folder / name).write_text("{}")
        assert kind_of(folder)[0] == kind
    (tmp_path / "empty").mkdir()
    (tmp_path / "words.txt").write_text("a")
    for wrong in ("absent", "empty", "words.txt"):
        with pytest.raises(Error, match="give a bertkit bundle"):
            kind_of(tmp_path / wrong)


# ------------------------------------------------------------------------------------------ a folder, the command


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder of Hugging Face with an encoder whose weights look trained."""
    config = EncoderConfig(len(VOCABULARY), num_layers=1, num_heads=2, hidden_dim=16, intermediate_dim=24,
                           max_sequence_length=24)
    encoder = Encoder(config)
    draw = np.random.default_rng(3)
    for weight in encoder.weights:
        weight.assign(draw.normal(0, 0.3, weight.shape) + ("gamma" in weight.path))
    place = tmp_path_factory.mktemp("folder")
    huggingface.save(place, encoder, Tokenizer(VOCABULARY))
    return place


def test_addresses_are_examined():
    kind, place = kind_of("bertkit://english")
    assert kind == "bundle" and place.name == "english"
    with pytest.raises(Error, match="does not ship with bertkit"):
        kind_of("bertkit://absent")


def test_embeddings_narrower_than_the_blocks_are_examined():
    config = EncoderConfig(60, num_layers=1, num_heads=2, hidden_dim=16, intermediate_dim=24, embedding_dim=8,
                           max_sequence_length=24)
    found = {each.check: each for each in examine(Encoder(config), config)}
    assert {found[name].verdict for name in ("reference", "embeddings", "cost", "layer-norm")} == {"healthy"}
    weights = weights_of(Encoder(config))
    assert weights["embeddings_project.weight"].shape == (16, 8)


def test_what_a_command_wrote_is_looked_at(folder, tmp_path, capsys):
    main(["convert", str(folder), str(tmp_path / "sound")])
    assert "is ill" not in capsys.readouterr().err
    source = shutil.copytree(folder, tmp_path / "source")
    (source / "tokenizer.json").unlink(missing_ok=True)
    (source / "tokenizer_config.json").write_text('{"do_lower_case": false, "tokenizer_class": "BertTokenizer"}')
    assert main(["convert", str(source), str(tmp_path / "cased")]) == 0
    assert "casing is ill" in capsys.readouterr().err
    assert look_at(tmp_path / "sound") == []


def write_rows(path, count, cue=None):
    """Write rows whose class no single word tells, or with a cue."""
    rng = random.Random(count)
    rows = [(" ".join(rng.choices(VOCABULARY[-24:-3], k=9)), rng.choice(["no", "yes"])) for _ in range(count)]
    rows = [(f"{text} {cue}" if cue and label == "yes" else text, label) for text, label in rows]
    path.write_text("text\tlabel\n" + "".join(f"{text}\t{label}\n" for text, label in rows))
    return rows


FEW = "tensors,loaded,vocabulary,casing,tokens,finite,leakage,padding-waste,label-conflicts"


def run(capsys, *words):
    code = main(["doctor", *map(str, words)])
    return code, capsys.readouterr()


def test_the_command_says_what_it_found(folder, tmp_path, capsys):
    write_rows(tmp_path / "train.tsv", 120)
    write_rows(tmp_path / "dev.tsv", 40)
    code, printed = run(capsys, folder, "--json", "--only", FEW, "--train", tmp_path / "train.tsv", "--dev",
                        tmp_path / "dev.tsv")
    answer = json.loads(printed.out)
    assert code == 0, [each for each in answer["findings"] + answer["data"] if each["verdict"] == "ill"]
    assert answer["subject"]["kind"] == "huggingface" and answer["subject"]["family"] == "bert"
    assert answer["subject"]["parameters"] > 1000
    assert [finding["check"] for finding in answer["findings"]] == list(CHECKS)
    assert [finding["check"] for finding in answer["data"]] == list(DATA)
    found = {finding["check"]: finding["verdict"] for finding in answer["findings"]}
    assert found["tensors"] == found["tokens"] == found["leakage"] == "healthy" and found["schedule"] == "unknown"


def test_what_is_ill_changes_the_exit_code_unless_it_is_accepted(folder, tmp_path, capsys):
    rows = write_rows(tmp_path / "train.tsv", 120, cue="zebra")
    (tmp_path / "twice.tsv").write_text("text\tlabel\n" + "".join(
        f"{text}\t{label}\n{text}\tno\n" for text, label in rows))
    (tmp_path / "known.txt").write_text("# found on Monday\ncues\nlabel-conflicts  # to be done\n")
    code, printed = run(capsys, folder, "--only", FEW, "--train", tmp_path / "train.tsv", "--html",
                        tmp_path / "page.html")
    assert code == 3 and "cues" in printed.out
    page = (tmp_path / "page.html").read_text()
    assert all(check in page and check in printed.out for check in (*CHECKS, *DATA))
    assert "http-equiv" in page and not any(part in page for part in ("<script", "<link", 'src="', "style="))
    assert run(capsys, folder, "--only", FEW, "--train", tmp_path / "twice.tsv")[0] == 3
    assert run(capsys, folder, "--only", FEW, "--train", tmp_path / "twice.tsv", "--accept",
               tmp_path / "known.txt")[0] == 0


@pytest.mark.parametrize("words", [["--only", "no-such-check"], ["--dev", "{dev}"], ["--accept", "{wrong}"]])
def test_wrong_arguments_are_one_sentence(folder, tmp_path, capsys, words):
    write_rows(tmp_path / "dev.tsv", 40)
    (tmp_path / "wrong.txt").write_text("nothing\n")
    words = [word.format(dev=tmp_path / "dev.tsv", wrong=tmp_path / "wrong.txt") for word in words]
    code, printed = run(capsys, folder, *words)
    assert code == 1 and len(printed.err.strip().splitlines()) == 1


def test_a_folder_that_cannot_be_loaded_is_a_finding(folder, tmp_path):
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"num_hidden_layers": 2}))
    case = case_of(tmp_path)
    assert case.subject is None and tensors(case).verdict == "ill" and loaded(case).verdict == "healthy"
    (tmp_path / "model.safetensors").write_bytes(b"cut")
    assert tensors(case_of(tmp_path)).verdict == "ill"


def test_a_head_that_the_file_lacks_is_named(folder):
    case = case_of(folder)
    assert tensors(case).verdict == "healthy"
    named = {"config.json": {"architectures": ["BertForSequenceClassification"]}}
    assert tensors(replace(case, memory=case.memory | named)).verdict == "ill"


def test_two_forms_are_compared(folder, tmp_path):
    from bertkit.doctor.comparisons import same_as
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    assert same_as(case_of(folder, tmp_path)).verdict == "healthy"
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"hidden_act": "relu"}))
    assert same_as(case_of(folder, tmp_path)).verdict == "ill"
