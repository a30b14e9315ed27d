"""Every family through the same recipe: fine-tuned, saved, and answering from its bundle."""

from pathlib import Path

import numpy as np
import pytest

from bertkit import checkpoints
from bertkit.predictor import Predictor
from recipes import classify
from tests import tiny

FOLDERS = sorted((Path(__file__).parents[1] / "golden" / "families").iterdir())


@pytest.mark.slow
@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_family_learns_and_answers(folder, tmp_path):
    texts, labels = tiny.texts(48)
    lines = [f"{text}\t{label}\n" for text, label in zip(texts, labels, strict=True)]
    for name, part in (("train", lines[:32]), ("dev", lines[32:])):
        (tmp_path / f"{name}.tsv").write_text("text\tlabel\n" + "".join(part))
    before = checkpoints.load(folder, part="encoder")
    card = classify.main(str(tmp_path / "train.tsv"), str(tmp_path / "out"), str(tmp_path / "dev.tsv"), str(folder),
                         epochs=2, batch_size=8, learning_rate=1e-3, length=12)
    assert np.isfinite(card.scores["dev"]["accuracy"]["score"])
    after = checkpoints.load(tmp_path / "out")
    moved = [float(np.abs(np.asarray(a) - np.asarray(b)).max())
             for a, b in zip(before.trainable_weights, after.encoder.trainable_weights, strict=False)]
    assert max(moved) > 1e-4
    answers = Predictor(tmp_path / "out").predict(["good film", "", "a " * 40])
    assert [set(answer) for answer in answers] == [{"label", "probabilities"}] * 3
