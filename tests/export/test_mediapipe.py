"""The .tflite of `bertkit export --to mediapipe`: what MediaPipe reads in it, what it answers, what is refused."""

import importlib.util
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from bertkit.cli import main
from bertkit.errors import Error
from bertkit.export import export, export_mediapipe, flatbuffer, mediapipe, source
from bertkit.export.any_length import AnyLength
from bertkit.text import Tokenizer
from tests import exported, tiny

CORPUS = Path(__file__).resolve().parents[2] / "tflite/conformance"
ACCENTS = {"é": "e", "ö": "o"}
LONG = "a good film " * 20
# A program that asks TextClassifier or TextEmbedder, as MediaPipe's documentation does.
ASK = """
import json, sys
from mediapipe.tasks.python import BaseOptions, text
base, found = BaseOptions(model_asset_path=sys.argv[1]), []
if sys.argv[2] == "classify":
    model = text.TextClassifier.create_from_options(text.TextClassifierOptions(base_options=base))
    found = [{c.category_name: c.score for c in model.classify(line).classifications[0].categories}
             for line in json.load(sys.stdin)]
else:
    model = text.TextEmbedder.create_from_options(text.TextEmbedderOptions(base_options=base))
    found = [[float(x) for x in model.embed(line).embeddings[0].embedding] for line in json.load(sys.stdin)]
print("\\n" + json.dumps(found), flush=True)
"""


@pytest.fixture(scope="module")
def dev(tmp_path_factory):
    """Return a TSV, a third of whose texts have accents, and how many have."""
    lines = exported.dev().read_text().splitlines()
    for at in range(1, len(lines), 3):
        text, label = lines[at].split("\t")
        lines[at] = f"{text.replace('e', 'é').replace('o', 'ö')}\t{label}"
    path = tmp_path_factory.mktemp("dev") / "dev.tsv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path, sum(any(c in line for c in ACCENTS) for line in lines)


@pytest.fixture(scope="module")
def made(dev, tmp_path_factory):
    """Return the file of the tiny classifier, and its card."""
    out = tmp_path_factory.mktemp("mediapipe") / "tiny.tflite"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bertkit.export.mediapipe.convert", exported.in_process)
        card = export(exported.bundled(), to="mediapipe", out=out, precision="float32", dev=dev[0], max_drop=100)
    return out, card


class Table:
    """A table of a flatbuffer, read by the number of a field."""

    def __init__(self, content, place):
        from flatbuffers.table import Table as Raw
        self._raw = Raw(bytearray(content), place)

    def _at(self, slot):
        return self._raw.Offset(4 + 2 * slot)

    def text(self, slot):
        return self._raw.String(self._at(slot) + self._raw.Pos).decode()

    def byte(self, slot):
        return self._raw.Bytes[self._at(slot) + self._raw.Pos]

    def table(self, slot):
        return Table(self._raw.Bytes, self._raw.Indirect(self._at(slot) + self._raw.Pos))

    def tables(self, slot):
        start, count = self._raw.Vector(self._at(slot)), self._raw.VectorLen(self._at(slot))
        return [Table(self._raw.Bytes, self._raw.Indirect(start + 4 * i)) for i in range(count)]


def metadata(path):
    """Return (the one graph of a .tflite, its metadata)."""
    model = flatbuffer.read(path.read_bytes())
    (graph,) = model.subgraphs
    (entry,) = [one for one in model.metadata if one.name == b"TFLITE_METADATA"]
    content = bytes(model.buffers[entry.buffer].data)
    assert content[4:8] == b"M001"
    return graph, Table(content, int.from_bytes(content[:4], "little"))


@pytest.mark.slow
def test_the_file_is_one_graph_of_any_length_whose_metadata_names_its_inputs(made):
    graph, about = metadata(made[0])
    assert [flatbuffer.shape_of(graph.tensors[place]) for place in graph.inputs] == [[1, -1]] * 3
    (inside,) = about.tables(3)
    wanted = {"ids": b"token_ids", "mask": b"padding_mask", "segment_ids": b"segment_ids"}
    named = [wanted[one.text(0)] in graph.tensors[place].name
             for one, place in zip(inside.tables(2), graph.inputs, strict=True)]
    assert named == [True] * 3, "MediaPipe would give ids in place of the mask"
    (unit,), (output,) = inside.tables(5), inside.tables(3)
    assert unit.byte(0) == 4 and unit.table(1).tables(0)[0].text(0) == "vocab.txt"
    assert output.tables(6)[0].text(0) == "labels.txt" and output.tables(6)[0].byte(2) == 2


@pytest.mark.slow
def test_vocabulary_labels_and_card_lie_behind_it(made):
    path, card = made
    with zipfile.ZipFile(path) as archive:
        assert all(one.compress_type == zipfile.ZIP_STORED for one in archive.infolist())
        inside = {name: archive.read(name).decode() for name in archive.namelist()}
    assert inside["vocab.txt"].split("\n")[:-1] == tiny.VOCABULARY and inside["labels.txt"] == "bad\ngood\nso-so\n"
    assert json.loads(inside["card.json"])["parity"] == card.to_json()["parity"]


@pytest.mark.slow
def test_it_is_the_model_at_every_length_and_cuts_as_bertkit_does(made):
    predictor = source.open_predictor(exported.bundled())
    device = AnyLength(made[0], predictor.tokenizer, predictor.task, 999)
    texts = [*tiny.texts(20, seed=5)[0], "", LONG]
    rows = [predictor.tokenizer.pack_ids(ids, None, 999) for ids in predictor.tokenizer.ids(texts)]
    assert len({len(ids) for ids, _ in rows}) > 5 and len(rows[-1][0]) > predictor.length
    np.testing.assert_allclose(device.outputs(rows), predictor.predictions(texts), atol=1e-5)


@pytest.mark.slow
def test_the_card_says_what_mediapipes_tokenizer_costs(made, dev):
    read, notes = made[1].parity["mediapipe"], " ".join(made[1].notes)
    assert (read["texts"], read["differ"], read["differ_normalized"]) == (240, dev[1], 0)
    assert read["score"] < read["model_score"] == pytest.approx(made[1].parity["dev"]["score"])
    assert f"in {dev[1]:,} of 240 texts" in notes and f"{100 * read['score']:.2f}" in notes and "normalize" in notes


def test_after_normalize_mediapipe_finds_the_ids_of_the_model():
    tokenizer = Tokenizer.load(CORPUS / "wordpiece")
    rows = [json.loads(line) for line in (CORPUS / "wordpiece.jsonl").read_text("utf-8").split("\n")[:-1:4]]
    plain, ready = (mediapipe.MediaPipeTokenizer(tokenizer.model_vocabulary, before).ids([row["text"] for row in rows])
                    for before in (str, tokenizer.normalize))
    assert sum(found != row["ids"] for found, row in zip(plain, rows, strict=True)) > 600
    still = [row["text"] for found, row in zip(ready, rows, strict=True) if found != row["ids"]]
    assert len(still) < 10 and all(len(text) > 98 or not text.isascii() for text in still)


def test_the_model_of_mediapipes_tokenizer_is_what_mediapipe_found():
    golden = json.loads((Path(__file__).parents[1] / "golden/mediapipe.json").read_text())
    tokenizer = mediapipe.MediaPipeTokenizer(golden["vocabulary"])
    found = [[text, tokenizer.pack_ids(ids, None, 999)[0]] for text, ids in zip(
        (text for text, _ in golden["rows"]), tokenizer.ids(text for text, _ in golden["rows"]), strict=True)]
    assert found == golden["rows"]


@pytest.mark.parametrize(("name", "reason"), [
    ("tag", "`tag`"), ("answer", "`answer`"), ("score", "`score`"), ("rank", "`rank`"), ("choose", "`choose`"),
    ("long_documents", "`long_documents`"), ("pairs", "pairs of texts")])
def test_a_task_that_mediapipe_has_not_is_refused_by_name(name, reason, tmp_path, capsys):
    folder, out = CORPUS / "answers" / name, tmp_path / "x.tflite"
    assert main(["export", str(folder), "--to", "mediapipe", "--out", str(out)]) == 1
    assert reason in capsys.readouterr().err and not list(tmp_path.iterdir())


@pytest.mark.parametrize(("name", "reason"), [
    ("bpe", "bytelevel"), ("unigram", "unigram"), ("more/cased", "keeps capital letters"),
    ("more/added", "added token"), ("more/accents", "control characters"),
    ("wordpiece", None), ("more/google", None)])
def test_a_tokenizer_that_mediapipe_has_not_is_refused_by_name(name, reason):
    found = mediapipe.obstacle(Tokenizer.load(CORPUS / name))
    assert found is None if reason is None else reason in found


@pytest.mark.parametrize(("options", "reason"), [
    ({"precision": "int4"}, "any; give float32"), ({"precision": "auto"}, "any; give float32"),
    ({"length": 1}, "length"), ({"max_drop": -1}, "points"), ({"precision": "int9"}, "unknown"),
    ({"lengths": "8,16"}, "lengths")])
def test_options_that_do_not_fit_are_refused(options, reason, tmp_path):
    with pytest.raises(Error, match=reason):
        export(exported.bundled(), to="mediapipe", out=tmp_path / "x.tflite", **options)
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_only_a_file_of_its_own_is_replaced(made, tmp_path):
    other = tmp_path / "notes.tflite"
    other.write_text("mine")
    with pytest.raises(Error, match="already there"):
        export_mediapipe(exported.bundled(), other)
    assert other.read_text() == "mine" and mediapipe.is_ours(made[0]) and not mediapipe.is_ours(other)
    with pytest.raises(Error, match="is a folder"):
        export_mediapipe(exported.bundled(), tmp_path)


def test_the_command_has_no_lengths(tmp_path, capsys):
    asked = ["export", str(exported.bundled()), "--to", "mediapipe", "--lengths", "8,16", "--out", str(tmp_path / "x")]
    assert main(asked) == 1
    assert "lengths='8,16' is no option of mediapipe" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["int8", "dynamic", "float16"])
def test_smaller_precisions_take_any_length(precision, tmp_path, monkeypatch):
    monkeypatch.setattr("bertkit.export.mediapipe.convert", exported.in_process)
    card = export_mediapipe(exported.bundled(), tmp_path / "x.tflite", precision, dev=exported.dev(), max_drop=100)
    assert card.parity["dev"]["agreement"] >= 0.9
    assert card.parity["dev"]["largest_drift"] > 1e-3, "nothing was rounded"


@pytest.mark.slow
@pytest.mark.parametrize("task", ["classify", "multi_label", "embed"])
def test_mediapipe_itself_answers_as_the_model(task, tmp_path):
    python = os.environ.get("BERTKIT_MEDIAPIPE") or (importlib.util.find_spec("mediapipe") and sys.executable)
    if not python:
        pytest.skip("mediapipe is not installed, and BERTKIT_MEDIAPIPE names no Python that has it")
    folder = CORPUS / "answers" / task
    card = export_mediapipe(folder, tmp_path / "x.tflite", "float32")
    rows = [json.loads(line) for line in (CORPUS / f"answers/{task}.jsonl").read_text("utf-8").split("\n")[:-1]]
    tokenizer, prompt = Tokenizer.load(folder), "passage: " if task == "embed" else ""
    assert not prompt or prompt in " ".join(card.notes)
    asked = json.dumps([tokenizer.normalize(prompt + row["input"]) for row in rows])
    kind = "embed" if task == "embed" else "classify"
    done = subprocess.run([python, "-c", ASK, tmp_path / "x.tflite", kind], input=asked, capture_output=True, text=True,
                          check=True)
    found, wanted = json.loads(done.stdout.splitlines()[-1]), [row["answer"] for row in rows]
    if task == "embed":
        np.testing.assert_allclose(found, [answer["embedding"] for answer in wanted], atol=1e-5)
    for one, answer in zip(found, wanted, strict=True) if task != "embed" else ():
        assert set(one) == set(answer.get("labels", answer["probabilities"]))
        assert one == pytest.approx({label: answer["probabilities"][label] for label in one}, abs=1e-5)
