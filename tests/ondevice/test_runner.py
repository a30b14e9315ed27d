"""An exported folder on a device: without TensorFlow, and with nothing missing unsaid."""

import json
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from bertkit import ondevice
from bertkit.errors import Error
from bertkit.ondevice.latency import latency
from tests import exported, json_files, tiny

TEXTS = [*tiny.texts(6, seed=7)[0], "", "a good film " * 50]
ALONE = """
import json, sys
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("tensorflow", "keras", "torch", "tensorflow_text", "safetensors", "h5py"):
            raise ImportError(name + " must not be imported here")
sys.meta_path.insert(0, Blocker())
from bertkit import ondevice
print(json.dumps(ondevice.load(sys.argv[1]).predict(json.load(sys.stdin))))
"""


def alone(python, folder):
    done = subprocess.run([python, "-c", ALONE, str(folder)], input=json.dumps(TEXTS), text=True,
                          capture_output=True, env={"PYTHONPATH": str(Path(__file__).resolve().parents[2])})
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


@pytest.mark.slow
def test_it_answers_without_tensorflow():
    found = alone(sys.executable, exported.phone("int8"))
    wanted = ondevice.load(exported.phone("int8")).predict(TEXTS)
    assert [set(row) for row in found] == [{"label", "probabilities"}] * len(TEXTS)
    assert [row["label"] for row in found] == [row["label"] for row in wanted]


@pytest.mark.parametrize(("kind", "lines"), [({}, ["a film", ""]), (exported.PAIRS, ["a film\tgood", "\t"])])
@pytest.mark.slow
def test_the_client_answers_lines(kind, lines):
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, root / "tflite/python/predict.py", exported.phone(**kind)], text=True,
                          input="".join(f"{line}\n" for line in lines), capture_output=True,
                          env={"PYTHONPATH": str(root)})
    assert done.returncode == 0, done.stderr[-2000:]
    model = ondevice.load(exported.phone(**kind))
    assert [json.loads(line) for line in done.stdout.splitlines()] == model.predict(
        [model.task.input(line) for line in lines])


@pytest.mark.slow
def test_it_answers_where_nothing_but_numpy_and_litert_is_installed(tmp_path):
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "bare"], check=True)
    python = tmp_path / "bare" / "bin" / "python"
    install = [python, "-m", "pip", "install", "-q", "numpy", "ai-edge-litert"]
    if subprocess.run(install, capture_output=True).returncode:
        pytest.skip("needs a package index to install numpy and ai-edge-litert from")
    assert alone(python, exported.phone("int8")) == ondevice.load(exported.phone("int8")).predict(TEXTS)


def test_every_text_gets_an_answer_whatever_the_threads():
    one, two = (ondevice.load(exported.phone(), threads=threads) for threads in (1, 2))
    np.testing.assert_allclose(one.predictions(TEXTS), two.predictions(TEXTS), atol=1e-6)
    assert len(one.predict(TEXTS)) == len(TEXTS) and one.predict([]) == []


def test_several_threads_share_one_object():
    model = ondevice.load(exported.phone())
    wanted = model.predict(TEXTS)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(model.predict, [TEXTS] * 24))
    assert found == [wanted] * 24


def test_one_string_is_no_list_of_texts():
    model = ondevice.load(exported.phone())
    for ask in (model.predict, model.predictions):
        with pytest.raises(Error, match=r"put it in a list: \[...\]"):
            ask("a good film")
    assert model.predictions([]) == []


def test_a_long_text_is_cut_as_in_training():
    model = ondevice.load(exported.phone())
    places = exported.LENGTH - 2
    cut, whole = ["good " * places, "good " * 500]
    np.testing.assert_array_equal(model.predictions([cut]), model.predictions([whole]))


@pytest.mark.slow
def test_pairs_and_texts_are_not_mixed_up():
    single, paired = ondevice.load(exported.phone()), ondevice.load(exported.phone(**exported.PAIRS))
    assert len(paired.predict([("a film", "good"), ["the film", ""]])) == 2
    for model, texts in ((single, ["a", ("a", "b")]), (paired, [("a", "b"), "a"]),
                         (paired, [("a", "b", "c")]), (single, [None])):
        with pytest.raises(Error, match=f"Row {len(texts)} is"):
            model.predict(texts)


@pytest.fixture
def copy(tmp_path):
    return shutil.copytree(exported.phone(), tmp_path / "phone")


@pytest.mark.parametrize("name", ["model.tflite", "vocab.txt", "labels.txt", "ondevice.json"])
def test_a_missing_file_is_named(copy, name):
    (copy / name).unlink()
    with pytest.raises(Error, match=f"{name} is missing"):
        ondevice.load(copy)


@pytest.mark.parametrize("name", ["model.tflite", "vocab.txt", "labels.txt"])
def test_a_changed_file_is_named(copy, name):
    content = bytearray((copy / name).read_bytes())
    content[len(content) // 2] ^= 1
    (copy / name).write_bytes(content)
    with pytest.raises(Error, match=f"{name} is not the file that was written"):
        ondevice.load(copy)


@pytest.mark.parametrize(("change", "message"), [
    ({"format": 2}, "format is 2, wanted 1"), ({"length": "16"}, "length is '16', wanted a whole number"),
    ({"task": None}, "task is None"), ({"task": {"name": "sing"}}, "'sing'"), ({"length": 17}, "to another folder"),
    ({"lengths": [8, 32]}, "wanted them in order up to 16"), ({"lengths": [8]}, "lengths"),
    ({"task": {"name": ["sing"]}}, "task > name is"), ({"task": {"name": {}}}, "task > name is"),
    ({"task": {"name": "classify", "labels": [{}]}}, r"labels\[0\] is"),
    ({"task": {"name": "classify", "labels": ["a", "a"]}}, "names an entry twice"),
    ({"task": {"name": "classify", "labels": []}}, "labels: the whole has 0 entries, wanted 1 or more"),
    ({"task": {"name": "tag", "labels": ["O"], "stride": "many"}}, "stride is 'many', wanted a whole number"),
    ({"tokenizer": {"kind": "none"}}, "tokenizer > kind is 'none'"), ({"files": {}}, "vocab.txt is used"),
    ({"files": {"vocab.txt": 3}}, "files > vocab.txt is 3")])
def test_facts_that_do_not_fit_are_named(copy, change, message):
    json_files.change(copy / "ondevice.json", **change)
    with pytest.raises(Error, match=message):
        ondevice.load(copy)


def test_another_file_beside_it_can_be_run_and_junk_cannot(copy):
    shutil.copy(copy / "model.tflite", copy / "other.tflite")
    (copy / "model.tflite").unlink()
    assert ondevice.load(copy, model="other.tflite").predict(["a"])
    (copy / "junk.tflite").write_bytes(b"junk" * 100)
    with pytest.raises(Error, match="no model that LiteRT can run"):
        ondevice.load(copy, model="junk.tflite")


def test_numbers_that_are_none_are_an_error(monkeypatch):
    model = ondevice.load(exported.phone())
    monkeypatch.setattr(model, "_signatures", {
        length: (lambda **_: {"probabilities": np.full((1, 3), np.nan)}, names)
        for length, (_, names) in model._signatures.items()})
    with pytest.raises(Error, match="gives NaN or infinity"):
        model.predict(["a"])


def test_latency_is_measured_for_each_number_of_threads():
    found = latency(exported.phone(), TEXTS[:3], threads=(1, 2))
    assert list(found) == ["1_thread", "2_threads"]
    for times in found.values():
        assert 0 < times["interpreter"] < 1000 and 0 < times["with_tokenizer"] < 1000


def test_rows_run_by_length_and_are_answered_in_their_order(monkeypatch):
    model, ran = ondevice.load(exported.phone()), []
    wanted = model.outputs(rows := [([2, *[5] * n, 3], [0] * (n + 2)) for n in (9, 1, 12, 0, 4, 13, 2)])
    run = model.run

    def padded_run(batch):
        ran.append(batch["token_ids"].shape[1])
        more = exported.LENGTH - batch["token_ids"].shape[1]
        return run({name: np.pad(values, [(0, 0), (0, more)]) for name, values in batch.items()})

    monkeypatch.setattr(model, "lengths", (4, 8, exported.LENGTH))
    monkeypatch.setattr(model, "run", padded_run)
    np.testing.assert_allclose(model.outputs(rows), wanted, atol=1e-6)
    assert ran == [4, 4, 4, 8, 16, 16, 16]
