"""Files for the phone: they compute the model, are what their card says, and bad ones are refused."""

import json
import math

import numpy as np
import pytest

from bertkit import ondevice
from bertkit.card import Card
from bertkit.data.columns import Columns
from bertkit.errors import Error
from bertkit.export import convert, export, export_tflite, quantize
from bertkit.export.parity import LADDER
from bertkit.predictor import Predictor
from tests import exported, tiny

TEXTS = [*tiny.texts(40, seed=9)[0], "", "a good film " * 50, "Ünïcode ½ 中文"]


def leaves(value, name=""):
    if isinstance(value, dict):
        for key, part in value.items():
            yield from leaves(part, f"{name}.{key}")
    elif isinstance(value, list):
        for part in value:
            yield from leaves(part, name)
    else:
        yield name, value


def left_behind(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(("kind", "second"), [
    ({}, None), pytest.param(exported.PAIRS, TEXTS[::-1], marks=pytest.mark.slow)])
def test_a_float32_file_is_the_model(kind, second):
    found = exported.said(exported.phone(**kind), TEXTS, second)
    wanted = exported.probabilities(TEXTS, second, **kind)
    assert np.ptp(wanted, axis=0).min() > 0.1, "the model says the same of every text, so nothing is tested"
    np.testing.assert_allclose(found, wanted, atol=1e-4)


@pytest.mark.parametrize(("precision", "agreement", "drift"), [
    pytest.param("dynamic", 0.9, 0.5, marks=pytest.mark.slow), ("int8", 0.9, 0.5)])
def test_an_int8_file_nearly_agrees(precision, agreement, drift):
    parity = Card.read(exported.phone(precision) / "card.json").parity
    assert parity["dev"]["agreement"] >= agreement and 0 < parity["dev"]["largest_drift"] < drift
    found = exported.said(exported.phone(precision), TEXTS)
    np.testing.assert_allclose(found, exported.probabilities(TEXTS), atol=0.15)


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_the_card_states_what_the_file_is(precision):
    folder = exported.phone(precision)
    card = dict(leaves(json.loads((folder / "card.json").read_text())))
    numbers = [value for value in card.values() if isinstance(value, int | float)]
    assert all(math.isfinite(number) for number in numbers)
    assert card[".bytes.model.tflite"] == (folder / "model.tflite").stat().st_size
    for word in ("score", "drop", "bytes", "latency", "agreement", "drift", "leak"):
        assert any(word in name for name in card), word
    rows = [line.split("\t") for line in exported.dev().read_text().splitlines()[1:]]
    answers = ondevice.load(folder).predict([text for text, _ in rows])
    right = np.mean([answer["label"] == label for answer, (_, label) in zip(answers, rows, strict=True)])
    assert card[".parity.dev.score"] == pytest.approx(right)
    assert card[".parity.dev.model_score"] == pytest.approx(0.9)


def test_labels_stand_one_a_line():
    assert (exported.phone() / "labels.txt").read_text() == "bad\ngood\nso-so\n"


def test_the_graph_has_no_more_operations_than_the_equations_need():
    content = (exported.phone() / "model.tflite").read_bytes()
    found = quantize.operations(content)
    layers = tiny.CONFIG.num_layers
    assert found["FULLY_CONNECTED"] == 6 * layers + 2 and found["SOFTMAX"] == layers + 1
    assert sum(found.values()) <= 45 * layers + 30, found        # 289 at six layers; a bad conversion had 570


@pytest.mark.slow
def test_the_child_process_writes_the_same_file(tmp_path):
    export_tflite(exported.bundled(), tmp_path / "phone", "float32", length=exported.LENGTH)
    np.testing.assert_allclose(exported.said(tmp_path / "phone", TEXTS),
                               exported.said(exported.phone(), TEXTS), atol=1e-6)
    card = Card.read(tmp_path / "phone" / "card.json")
    assert "not measured" in card.parity["verdict"] and card.parity["calibration"]["agreement"] == 1
    assert "dev" not in card.parity


def test_the_child_leaves_the_sentence_that_says_what_is_wrong(tmp_path, monkeypatch):
    np.savez(tmp_path / "rows.npz", token_ids=np.zeros((1, 8), "int32"))
    job = {"folder": str(tmp_path), "files": {"int8": ""}, "masked_score": -1e4, "lengths": [], "most": None}
    monkeypatch.setattr("sys.argv", ["-c", json.dumps({**job, "work": str(tmp_path)})])
    convert.run_child()
    assert "is no bundle" in (tmp_path / "error.txt").read_text()


@pytest.mark.parametrize(("begin", "message"), [
    ("import json, sys; open(json.loads(sys.argv[1])['work'] + '/error.txt', 'w').write('it is')", "^it is$"),
    ("import os; os.kill(os.getpid(), 9)", "ended by signal 9"),
    ("raise ValueError('a shape')", "ValueError: a shape"), ("pass", "failed")])
def test_whatever_the_child_dies_of_is_one_sentence(tmp_path, monkeypatch, begin, message):
    monkeypatch.setattr(convert, "_CODE", begin)
    with pytest.raises(Error, match=message):
        convert.convert(exported.bundled(), {"int8": tmp_path / "model.tflite"}, -1e4, {})
    assert left_behind(tmp_path) == []


def planted(monkeypatch, change):
    """Let the converter leave the good float32 file, changed."""
    good = (exported.phone() / "model.tflite").read_bytes()

    def left(folder, files, *rest):
        for file in files.values():
            file.write_bytes(change(good))
        return {}
    monkeypatch.setattr("bertkit.export.candidates.convert", left)


def of_another_model(_):
    return (exported.phone(**exported.PAIRS) / "model.tflite").read_bytes()


@pytest.mark.parametrize(("precision", "change", "message"), [
    pytest.param("float32", of_another_model, "computes something else", marks=pytest.mark.slow),
    pytest.param("int8", of_another_model,
                 "loses too much: accuracy goes from 90.00 of the .* take --precision dynamic", marks=pytest.mark.slow),
    ("float32", lambda good: good[:len(good) // 2], "no model that LiteRT can run"),
])
def test_a_bad_file_is_refused_and_nothing_is_left(tmp_path, monkeypatch, precision, change, message):
    planted(monkeypatch, change)
    with pytest.raises(Error, match=message):
        export_tflite(exported.bundled(), tmp_path / "phone", precision, exported.LENGTH, exported.dev())
    assert left_behind(tmp_path) == []


@pytest.mark.slow
def test_a_drop_is_not_judged_on_few_rows(tmp_path, monkeypatch):
    planted(monkeypatch, of_another_model)
    card = export_tflite(exported.bundled(), tmp_path / "phone", "int8", exported.LENGTH, exported.dev(150))
    assert "cannot be judged" in card.parity["verdict"] and card.parity["dev"]["drop_points"]["drop"] > 1


def short(place, **knobs):
    """Export the bundle that was trained at 16 tokens as a file of fewer."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bertkit.export.candidates.convert", exported.in_process)
        return export_tflite(exported.bundled(), place / "phone", "float32", **{"dev": exported.dev(), **knobs})


@pytest.mark.slow
def test_a_file_that_cuts_rows_is_compared_with_the_model_as_trained(tmp_path, capsys):
    card = short(tmp_path, length=6, max_drop=100)
    scores = [Predictor(exported.bundled(), tflite=file).evaluate(exported.dev())["accuracy"]
              for file in (None, tmp_path / "phone" / "model.tflite")]
    assert scores[0] - scores[1] > 0.05, "the file loses nothing, so nothing is tested"
    dev, cut = card.parity["dev"], card.parity["cut"]
    assert [dev["model_score"], dev["score"]] == pytest.approx(scores)
    assert dev["drop_points"]["drop"] == pytest.approx(100 * (scores[0] - scores[1]), abs=1e-3)
    assert 1 - dev["agreement"] >= scores[0] - scores[1] and card.parity["calibration"]["agreement"] < 1
    texts = [line.split("\t")[0] for line in exported.dev().read_text().splitlines()[1:]]
    longer = sum(len(ids) + 2 > 6 for ids in tiny.tokenizer().ids(texts))
    assert cut == {"rows": longer, "of": 240, "length": 6, "trained_length": exported.LENGTH} and 0 < longer
    assert f"{longer} of 240 rows are cut" in capsys.readouterr().err
    assert f"the file, {exported.dev().name} accuracy             {scores[1]:.4f}" in card.text()


@pytest.mark.slow
def test_a_loss_by_the_length_alone_is_refused(tmp_path):
    with pytest.raises(Error, match=r"rows are cut at 6 tokens, give a larger --length"):
        short(tmp_path, length=6)
    assert left_behind(tmp_path) == []


@pytest.mark.slow
def test_the_length_follows_the_dev_rows(tmp_path, capsys):
    rows = [f"good film\t{exported.LABELS[1]}\n"] * 300 + [f"a good film {'and ' * 9}\tbad\n"] * 2
    (tmp_path / "dev.tsv").write_text("sentence\tlabel\n" + "".join(rows))
    card = short(tmp_path, dev=tmp_path / "dev.tsv", max_drop=100)
    assert card.parity["length"] == 8 and card.parity["cut"]["rows"] == 2
    assert "The file takes 8 tokens, as 99 of 100 rows of dev.tsv ask" in capsys.readouterr().err


@pytest.mark.slow
def test_dev_is_read_with_the_knobs_that_train_had(tmp_path):
    (tmp_path / "dev.tsv").write_text("Words\tClass\na good film\tgood\nonly one\na bad film\tbad\n")
    card = short(tmp_path, dev=tmp_path / "dev.tsv", columns=Columns("Words", None, "Class"), skip_bad_rows=True)
    assert card.parity["dev"]["rows"] == 2


@pytest.mark.parametrize(("knobs", "message"), [
    ({"precision": "int3"}, "precision='int3' is unknown"),
    ({"prefer": "luck"}, "prefer='luck' is unknown"),
    ({"lengths": ""}, "lengths='' are no numbers"),
    ({"lengths": "8,eight"}, "are no numbers of tokens"),
    ({"lengths": "8,4000"}, "length=4000 does not fit"),
    ({"lengths": [0]}, "length=0"),
    ({"lengths": "8,16", "length": 8}, "say the same thing twice"),
    ({"lengths": "8,16", "precision": "int8-full"}, "one length"),
    ({"length": 33}, "length=33 does not fit: this encoder takes 3 to 32"),
    ({"length": 2}, "length=2"),
    ({"max_drop": float("nan")}, "max_drop=nan"),
    ({"dev": "nowhere.tsv"}, "nowhere.tsv cannot be read"),
])
def test_knobs_that_do_not_fit_are_named(tmp_path, knobs, message):
    with pytest.raises(Error, match=message):
        export_tflite(exported.bundled(), tmp_path / "phone", **knobs)
    assert left_behind(tmp_path) == []


@pytest.mark.slow
def test_integers_throughout_need_calibration_rows_and_the_mixed_rung_does_not(tmp_path, monkeypatch):
    bundle = exported.bundled(calibrated=False)
    with pytest.raises(Error, match="int8-full needs calibration rows"):
        export_tflite(bundle, tmp_path / "phone", "int8-full")
    monkeypatch.setattr("bertkit.export.candidates.convert", exported.in_process)
    card = export_tflite(bundle, tmp_path / "phone", "int8")
    assert card.parity["mask"]["rows"] == 0
    np.testing.assert_allclose(exported.said(tmp_path / "phone", TEXTS),
                               exported.said(exported.phone("int8"), TEXTS), atol=1e-6)


@pytest.mark.slow
def test_integers_throughout_run_and_answer_in_floats():
    folder = exported.phone("int8-full")
    assert exported.said(folder, TEXTS).dtype == np.float32
    card = Card.read(folder / "card.json")
    assert card.parity["mask"] == {"hidden_by": "the lowest level of the scores' range"}
    assert "was not trained for int8-full" in card.notes[-1] and card.ladder[0]["agreement"] > 0.8


def test_the_way_to_say_it():
    with pytest.raises(Error, match="to='coreml' is unknown"):
        export(exported.bundled(), to="coreml", out="x")
    assert LADDER[0] == "float32" and set(quantize.RULES) < set(LADDER)
