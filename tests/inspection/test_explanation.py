"""Scores of words against plain computations of the same equations, and what the command prints and writes."""

import html
import json
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.linear_model import Ridge

from bertkit import Tokenizer, family, load
from bertkit.card import Card
from bertkit.checkpoints import bundle
from bertkit.cli import main
from bertkit.data.features import featurize
from bertkit.encoder import Encoder
from bertkit.errors import Error
from bertkit.heads import MultipleChoice
from bertkit.inspection import attention, attributions, explain
from bertkit.inspection.faithfulness import measure
from bertkit.inspection.gradients import integrated_gradients, token_vectors
from bertkit.inspection.heads import head_statistics, rollout
from bertkit.inspection.removal import weighted_ridge
from bertkit.inspection.words import word_spans
from bertkit.predictor import Predictor
from bertkit.report.explanation import render_explanation
from bertkit.tasks.classification import Classification
from tests import exported, tiny

TEXT = "the good film was a bad film, cold!"
METHODS = ("integrated_gradients", "gradient_x_input", "occlusion", "lime", "rollout")


@pytest.fixture(scope="module")
def made():
    return exported.spread(tiny.classifier(0, ("no", "yes")), 8.0), tiny.tokenizer()


def logit(model, ids, column):
    return float(np.asarray(model({"token_ids": np.asarray(ids)[None]}))[0, column])


def masked(ids):
    return [4 if number not in (2, 3) else number for number in ids]


def test_integrated_gradients_are_a_riemann_sum(made):
    """Without the hook: the vectors stand in rows of the table, which the ids 0, 1, ... name."""
    model, tokenizer = made
    ids = tokenizer.pack([TEXT], length=32)
    ids = ids["token_ids"][0][ids["padding_mask"][0] == 1]
    table = model.encoder.embeddings.token.embeddings
    kept, size = np.array(table), 5         # steps that fit into the table together
    end, base, sums = kept[ids], kept[masked(ids)], 0.0
    rows = np.arange(size * len(ids)).reshape(size, -1)
    try:
        for steps in ((np.arange(100) + 0.5) / 100).reshape(-1, size, 1, 1):
            table.assign(np.concatenate([*(base + steps * (end - base)), kept[rows.size:]]))
            with tf.GradientTape() as tape:
                answers = tf.reduce_sum(model({"token_ids": rows}, training=False)[:, 1])
            slopes = tf.convert_to_tensor(tape.gradient(answers, table.value)).numpy()[:rows.size]
            sums += slopes.reshape(size, len(ids), -1).sum(0) / 100
    finally:
        table.assign(kept)
    wanted = ((end - base) * sums).sum(-1)
    found = integrated_gradients(model, {"token_ids": ids[None]}, np.array([masked(ids)]), second)
    assert np.abs(wanted).max() > 0.01 and np.abs(found - wanted).max() < 1e-3 * np.abs(wanted).max()


def second(logits):
    return logits[:, 1]


class Jump:
    """A logit that jumps from 0 to 1 on a thousandth of the path, where few nodes pass it by."""

    def __init__(self):
        self.encoder = SimpleNamespace(embeddings=SimpleNamespace(token=keras.layers.Embedding(3, 2)))
        self.encoder.embeddings.token(np.zeros((1, 1), int))
        self.encoder.embeddings.token.set_weights([np.array([[0, 0], [1, 2], [3, -2]], "float32")])

    def __call__(self, rows, training):
        total = tf.reduce_sum(self.encoder.embeddings.token(rows["token_ids"]), (1, 2))
        return tf.sigmoid(1000 * (total - 1.3))[:, None]


def test_a_jump_on_the_path_is_not_missed():
    """The gradient is the same for all, so a token's score is its share of the sum of the vectors, 3 and 1 of 4."""
    found = integrated_gradients(Jump(), {"token_ids": np.array([[1, 2]])}, np.zeros((1, 2), int),
                                 lambda logits: logits[:, 0])
    assert found.tolist() == pytest.approx([0.75, 0.25], abs=1e-3)


def test_they_add_up_to_the_difference_of_the_logits(made):
    model, tokenizer = made
    (scores,) = attributions(model, tokenizer, [TEXT], target="yes")
    batch = tokenizer.pack([TEXT], length=len(tokenizer.ids([TEXT])[0]) + 2)["token_ids"][0]
    wanted = logit(model, batch, 1) - logit(model, masked(batch), 1)
    assert scores.completeness < 0.01 and float(scores.sum()) == pytest.approx(wanted, rel=0.01)


def test_words_are_those_of_the_text_and_a_word_that_comes_twice_has_two_scores(made):
    (scores,) = attributions(*made, [TEXT])
    assert list(scores.words) == TEXT.split() and [TEXT[a:b] for a, b in scores.offsets] == TEXT.split()
    assert scores[2] != scores[6]


def test_occlusion_is_the_drop_of_the_logit(made):
    model, tokenizer = made
    (scores,) = attributions(model, tokenizer, [TEXT], "occlusion", target="yes")
    (encoding,) = tokenizer.encode([TEXT])
    whole = [2, *encoding.ids, 3]
    for score, (begin, end) in zip(scores, scores.offsets, strict=True):
        hidden = [2, *(4 if begin <= start < end else number for number, (start, _) in
                       zip(encoding.ids, encoding.offsets, strict=True)), 3]
        assert float(score) == pytest.approx(logit(model, whole, 1) - logit(model, hidden, 1), abs=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_each_method_scores_pairs_long_and_empty_texts(made, method):
    pair, long, empty = attributions(*made, [("a good film", "bad"), "good " * 40, ""], method)
    assert pair.parts == (0, 0, 0, 1) and np.isfinite(np.asarray(pair)).all()
    assert long.row.read.sum() == 30 and not np.asarray(long)[30:].any() and len(long) == 40
    assert len(empty) == 0


def test_the_answer_is_explained_or_the_label_that_is_asked_for(made):
    model, tokenizer = made
    answer, = Predictor(model, tokenizer).predict([TEXT])
    own, same, other = (np.asarray(attributions(model, tokenizer, [TEXT], target=target)[0]) for target in (
        None, answer["label"], next(label for label in ("no", "yes") if label != answer["label"])))
    assert np.array_equal(own, same) and not np.allclose(own, other)


@pytest.mark.parametrize("method", ["occlusion", "gradient_x_input"])
def test_why_one_label_and_not_another(method):
    """Of three labels: the scores are the difference of those for the two; that of the third is not in them."""
    keras.utils.set_random_seed(3)
    model = exported.spread(tiny.classifier(3, ("a", "b", "c")))
    one, other, both = (np.asarray(attributions(model, tiny.tokenizer(), [TEXT], method, target=target,
                                                against=against)[0])
                        for target, against in (("a", None), ("c", None), ("a", "c")))
    assert np.abs(both - (one - other)).max() < 1e-4 * np.abs(one).max() and np.abs(other).max() > 1e-3
    found = explain(Predictor(model, tiny.tokenizer()), [TEXT], method, "a", against="c")
    (row,) = found.to_json()["rows"]
    assert (row["target"], row["against"]) == ("a", "c") and "the scores are for a and not c" in found.text()
    logit = found.rows[0].scores.logit
    z = logit.all_of(np.ones((1, len(found.rows[0].scores)), bool))[0]
    assert logit.chance(np.ones((1, len(found.rows[0].scores)), bool))[0] == pytest.approx(
        1 / (1 + np.exp(z[2] - z[0])), abs=1e-6)


@pytest.mark.parametrize("arguments, said", [
    ({"target": "yes", "against": "perhaps"}, "against='perhaps' is no label"),
    ({"target": "yes", "against": "yes"}, "for 'yes' against 'yes'"),
    ({"method": "rollout", "against": "yes"}, "Rollout does not look at the answer")])
def test_contrasts_that_say_nothing_are_refused(made, arguments, said):
    with pytest.raises(Error, match=said):
        attributions(*made, [TEXT], **arguments)


def test_what_cannot_be_explained_is_said(made):
    model, tokenizer = made
    for arguments, said in (((model, tokenizer, [TEXT], "guess"), "'guess' is unknown; give one of integrated"),
                            ((model, tokenizer, [TEXT], "occlusion", "perhaps"), "'perhaps' is no label"),
                            ((MultipleChoice(model.encoder), tokenizer, [("a", "b", "c")]), "has no explanations"),
                            ((tiny.classifier(0, ("score",)), tokenizer, [TEXT], "occlusion", "no"), "is|label")):
        with pytest.raises(Error, match=said):
            attributions(*arguments)


@pytest.mark.parametrize("name", ["albert", "mobilebert", "deberta", "modernbert", "roberta", "xlnet"])
def test_the_seam_serves_each_family(name):
    config = family.page(name).CONFIG.but(vocabulary_size=40, num_layers=2, num_heads=2, hidden_dim=16,
                                          intermediate_dim=32)
    try:
        encoder = Encoder(config)
    except Error as error:
        pytest.skip(str(error))
    ids = {"token_ids": np.array([[5, 6, 7, 8]])}
    vectors = np.asarray(encoder.embeddings.token(np.array([[8, 7, 6, 5]])))
    with token_vectors(encoder, lambda _: tf.constant(vectors)):
        changed = np.asarray(encoder(ids)["sequence"])
    plain = np.asarray(encoder(ids)["sequence"])
    assert not np.allclose(changed, plain)
    with pytest.raises(ZeroDivisionError), token_vectors(encoder, lambda _: 1 / 0):
        encoder(ids)
    assert np.array_equal(np.asarray(encoder(ids)["sequence"]), plain)


def test_the_regression_of_lime_is_that_of_scikit_learn():
    draw = np.random.default_rng(0)
    kept, values, weights = draw.random((50, 4)) > 0.4, draw.normal(size=50), draw.random(50)
    wanted = Ridge(alpha=1.0).fit(kept.astype(float), values, sample_weight=weights).coef_
    assert np.allclose(weighted_ridge(kept, values, weights), wanted)


def test_shapley_values_add_up(made):
    pytest.importorskip("shap")
    (scores,) = attributions(*made, [TEXT], "shap")
    assert scores.completeness < 0.01


def test_without_the_package_it_is_said(made, monkeypatch):
    monkeypatch.setitem(sys.modules, "shap", None)
    with pytest.raises(Error, match="--method shap needs shap"):
        attributions(*made, [TEXT], "shap")


def test_rollout_is_the_product_of_the_layers(made):
    model, tokenizer = made
    found = attention(model, tokenizer, TEXT)
    assert found["tokens"][:3] == ["[CLS]", "the", "good"] and found["attention"].shape[:2] == (2, 2)
    first, second = (0.5 * layer.mean(0) + 0.5 * np.eye(len(found["tokens"])) for layer in found["attention"])
    assert np.allclose(rollout(found["attention"]), second @ first, atol=1e-6)
    (scores,) = attributions(model, tokenizer, [TEXT], "rollout")
    assert float(scores[0]) == pytest.approx((second @ first)[0, 1], abs=1e-5) and scores.completeness is None


def test_heads_are_described():
    to_last = np.zeros((1, 1, 3, 3))
    to_last[..., 2] = 1
    (found,) = head_statistics(to_last, np.array([True, False, True]))
    assert found == {"layer": 1, "head": 1, "entropy": 0.0, "distance": 1.0, "special": 1.0}


def test_heads_are_shown_with_rollout(folder, made):
    found = explain(folder, [TEXT, "a good film"], "rollout")
    assert [(head["layer"], head["head"]) for head in found.heads] == [(1, 1), (1, 2), (2, 1), (2, 2)]
    own = [attention(*made, text)["attention"] for text in (TEXT, "a good film")]
    ends = [table[0, 0][:, [0, -1]].sum(-1).mean() for table in own]
    assert found.heads[0]["special"] == pytest.approx(float(np.mean(ends)), abs=1e-5)
    assert found.to_json()["heads"] == found.heads and "What the heads look at" in render_explanation(found)


class Cue:
    """A logit whose probability is 0.9 where word 2 of 8 is there, and 0.1 elsewhere."""

    def chance(self, kept):
        return np.where(np.asarray(kept)[:, 2], 0.9, 0.1)


def test_faithfulness_by_hand():
    best, worst = measure(Cue(), np.array([[2, 0, 1, 3, 4, 5, 6, 7], [0, 1, 3, 4, 5, 6, 7, 2]]))
    assert best.comprehensiveness == pytest.approx(0.8) and best.sufficiency == pytest.approx(0.0)
    assert worst.comprehensiveness == pytest.approx(0.0) and worst.sufficiency == pytest.approx(0.8)
    assert best.deletion == pytest.approx(0.1 + 0.8 / 16) and best.insertion == pytest.approx(0.9 - 0.8 / 16)


def test_words_of_scripts_without_blanks():
    text = "我喜欢 it 电影。 เก่า"
    assert [text[a:b] for a, b in word_spans(text)][:6] == ["我", "喜", "欢", "it", "电", "影"]


def test_integrated_gradients_are_those_of_captum():
    golden = Path(__file__).parents[1] / "golden" / "captum"
    model, tokenizer = load(golden), Tokenizer.load(golden)
    for row in json.loads((golden / "golden.json").read_text()):
        ids = np.array([tokenizer.pack_ids(tokenizer.ids([row["text"]])[0])[0]])
        found = integrated_gradients(model, {"token_ids": ids}, np.array([masked(ids[0])]), second)
        assert np.abs(row["scores"]).max() > 1e-3 and np.allclose(found, row["scores"], rtol=0, atol=1e-5)


@pytest.fixture(scope="module")
def cued():
    """A model of rows whose label is, in 95 of 100, whether they have the word warm; and texts with it.

    A text without it needs no reason for its answer, which is that of a text whose words are all hidden: only answers
    to texts with the word have words to find.
    """
    around = ["film", "story", "scene", "the", "a", "was", "with", "old"]

    def rows(count, seed, trusted):
        draw, has = np.random.default_rng(seed), np.arange(count) % 2
        texts = [" ".join(np.insert(draw.choice(around, 8), draw.integers(9), "warm")[:9] if one else
                          draw.choice(around, 9)) for one in has]
        return texts, has, np.where(draw.random(count) < trusted, has, 1 - has).astype("int32")

    model, tokenizer = tiny.classifier(1, ("no", "yes")), tiny.tokenizer()
    texts, _, labels = rows(400, 0, 0.95)
    features = featurize(tokenizer, texts, None, 16, labels)
    model.compile(optimizer=keras.optimizers.Adam(5e-3), loss=model.loss_function())
    model.fit(features.batch(np.arange(400), 16), features.labels, epochs=8, batch_size=32, verbose=0)
    texts, has, labels = rows(100, 1, 0.5)
    answers = [("no", "yes").index(answer["label"]) for answer in Predictor(model, tokenizer).predict(texts)]
    assert np.mean(answers == has) >= 0.95, "the model has not learnt the word"
    assert np.mean(answers == labels) < 0.7, "the word tells nothing about the labels of the test"
    return model, tokenizer, texts[1:21:2]


@pytest.mark.slow
@pytest.mark.parametrize("method", ["integrated_gradients", "occlusion"])
def test_a_planted_word_is_found(cued, method):
    model, tokenizer, texts = cued
    found = attributions(model, tokenizer, texts, method)
    assert all(scores.completeness < 0.01 for scores in found)
    assert sum(scores.words[int(np.argmax(scores))] == "warm" for scores in found) >= 9


@pytest.fixture(scope="module")
def folder(tmp_path_factory, made):
    path = tmp_path_factory.mktemp("explained") / "model"
    bundle.save(path, made[0], made[1], Card("classify", "classify", bundle.describe(made[0])), length=16,
                task=Classification(("no", "yes")))
    return path


@pytest.mark.slow
def test_the_command(folder, capsys, tmp_path):
    hostile = "<script>x</script> \u202egood <img src=x onerror=alert(1)> film " + "\u05e9\u05dc\u05d5\u05dd"
    page = tmp_path / "why.html"
    assert main(["explain", str(folder), "--text", hostile, "--method", "occlusion", "--out", str(page), "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["rows"]
    assert row["text"] == hostile and [word["text"] for word in row["words"]] == hostile.split()
    assert {"sufficiency", "comprehensiveness", "random"} <= set(row["faithfulness"])
    written = page.read_text(encoding="utf-8")
    assert "default-src 'none'" in html.unescape(written) and 'dir="auto"' in written
    assert not re.search(r"<script|<img|<[^>]* on\w+=", written) and "\u05e9\u05dc\u05d5\u05dd" in written
    assert main(["explain", str(folder), "--text", "a film", "--target", "perhaps"]) == 1
    assert main(["explain", str(folder)]) == 1 and "--text" in capsys.readouterr().err


@pytest.mark.slow
def test_which_scores_to_believe(folder):
    texts = [*tiny.texts(11)[0], ""]
    found = explain(folder, texts, "occlusion", compare=True)
    assert [one.method for one in found.trusts] == ["occlusion", "integrated_gradients", "gradient_x_input", "lime",
                                                    "rollout"]
    best = max(found.trusts, key=lambda one: one.gain[0])
    assert (f"believe {best.method}" in found.verdict()) == best.is_better and found.text()
    for one in found.trusts:        # the random words are the same, so a page shows them once
        assert vars(one.random) == pytest.approx(vars(found.trusts[0].random), abs=1e-5)
    assert "This row has no words." in render_explanation(found)
    assert "nobody can tell" in explain(folder, texts[:1], "occlusion").verdict()
