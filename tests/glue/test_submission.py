"""Files to submit to GLUE, byte for byte."""

import pytest

from bertkit.card import Card
from bertkit.checkpoints import bundle
from bertkit.cli import main
from bertkit.predictor import Predictor
from bertkit.tasks.classification import Classification
from bertkit.tasks.regression import Regression
from tests import tiny

TEXTS = ["the film was good", 'a "bad', "", "warm story"]


def saved(folder, task, labels):
    model = tiny.classifier(labels=labels)
    bundle.save(folder, model, tiny.tokenizer(), Card("m", task.name, bundle.describe(model)), length=16, task=task)
    return folder


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("submission")
    (folder / "test.tsv").write_text("index\tsentence\n" + "".join(
        f"{3 * number}\t{text}\n" for number, text in enumerate(TEXTS)))
    saved(folder / "sorted", Classification(("entailment", "not_entailment")), ("entailment", "not_entailment"))
    return folder


def test_labels_stand_as_training_spelt_them(place, capsys):
    out = place / "out.tsv"
    assert main(["submit", str(place / "sorted"), "--data", str(place / "test.tsv"), "--out", str(out), "--json"]) == 0
    labels = [answer["label"] for answer in Predictor(place / "sorted").predict(TEXTS)]
    assert out.read_bytes() == ("index\tprediction\n" + "".join(
        f"{3 * number}\t{label}\n" for number, label in enumerate(labels))).encode()
    assert capsys.readouterr().out.strip() == f'{{"written": "{out}", "rows": 4}}'


def test_what_is_there_stays(place, capsys):
    before = (place / "test.tsv").read_text()
    words = ["submit", str(place / "sorted"), "--data", str(place / "test.tsv"), "--out", str(place / "test.tsv")]
    assert main(words) == 1 and (place / "test.tsv").read_text() == before
    assert "test.tsv is already there; move it away" in capsys.readouterr().err


def test_a_blank_line_among_texts_without_an_index_is_no_answer_less(place, capsys):
    (place / "plain.tsv").write_text("sentence\ngood\n\nbad\n")
    words = ["submit", str(place / "sorted"), "--data", str(place / "plain.tsv"), "--out", str(place / "less.tsv")]
    assert main(words) == 1 and not (place / "less.tsv").exists()
    said = capsys.readouterr().err
    assert "plain.tsv: line 3, the line is blank, which in one column may or may not be a text; mend it." in said


@pytest.mark.parametrize("mean, wanted", [(-3, "0.000"), (9, "5.000"), (2.5, "2.500")])
def test_scores_lie_from_0_to_5(place, mean, wanted):
    folder = saved(place / f"scored{mean}", Regression(pairs=False, mean=mean, spread=1e-9), ("score",))
    out = place / f"STS-B{mean}.tsv"
    assert main(["submit", str(folder), "--data", str(place / "test.tsv"), "--out", str(out)]) == 0
    assert out.read_bytes() == "".join(["index\tprediction\n", *(f"{n}\t{wanted}\n" for n in (0, 3, 6, 9))]).encode()


def test_a_task_that_glue_does_not_have(place, capsys):
    folder = saved(place / "several", Classification(("0", "1"), multi_label=True), ("0", "1"))
    assert main(["submit", str(folder), "--data", str(place / "test.tsv"), "--out", str(place / "never.tsv")]) == 1
    assert "does not give a text one label or one score" in capsys.readouterr().err
    assert not (place / "never.tsv").exists()
