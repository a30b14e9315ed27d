"""The training rows behind an answer, against the gradients that TensorFlow computes."""

import json

import numpy as np
import pytest

from bertkit.cli import main
from bertkit.errors import Error
from bertkit.inspection import influence
from bertkit.predictor import Predictor
from tests import exported, tiny


@pytest.fixture(scope="module")
def train(tmp_path_factory):
    texts, numbers = tiny.texts(30, seed=2)
    path = tmp_path_factory.mktemp("influence") / "train.tsv"
    path.write_text("sentence\tlabel\n" + "".join(
        f"{text}\t{exported.LABELS[number]}\n" for text, number in zip(texts, numbers, strict=True)))
    return path


def gradients(model, tokenizer, text, label):
    """Return the gradient of the loss of a text in the weights of the last layer, flat."""
    import tensorflow as tf
    with tf.GradientTape() as tape:
        logits = model(tokenizer.pack([text], length=16))
        loss = tf.keras.losses.sparse_categorical_crossentropy(tf.constant([label]), logits, from_logits=True)
    weights = [variable.value for variable in model.heads["classify"].logits.variables]
    return np.concatenate([np.ravel(part) for part in tape.gradient(loss, weights)])


def test_an_influence_is_the_product_of_two_gradients(train):
    predictor, text = Predictor(exported.bundled()), "good film , bad plot"
    found, = influence(predictor, [text], train, most=30).answers
    own = gradients(predictor.model, predictor.tokenizer, text, exported.LABELS.index(found.label))
    both = [*found.helpful, *found.harmful]
    assert found.helpful and found.harmful and len(found.nearest) == 30
    for row in both:
        other = gradients(predictor.model, predictor.tokenizer, row.texts[0], exported.LABELS.index(row.label))
        np.testing.assert_allclose(row.score, own @ other, rtol=1e-3, atol=1e-6)
    assert [row.score for row in found.helpful] == sorted((row.score for row in found.helpful), reverse=True)


def test_the_nearest_row_is_the_text_itself(train):
    line = train.read_text().splitlines()[5]
    found, = influence(Predictor(exported.bundled()), [line.split("\t")[0]], train, most=1).answers
    assert found.nearest[0].texts == (line.split("\t")[0],) and found.nearest[0].score == pytest.approx(1)


def test_the_command_prints_rows(train, capsys):
    words = ["influence", str(exported.bundled()), "--train", str(train), "--text", "a good film", "--most", "2"]
    assert main(words) == 0
    assert "rows for it" in capsys.readouterr().out
    assert main([*words, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["rows"] == 30 and len(found["answers"][0]["nearest"]) == 2


def test_several_labels_are_refused(train):
    with pytest.raises(Error, match="give one of classify"):
        influence(Predictor(exported.bundled(**exported.PAIRS)), [("a", "b")], train)
