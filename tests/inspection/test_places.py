"""Explanations of entities and of answers: the numbers that they are of are those that the model answered by."""

import json

import keras
import numpy as np
import pytest

from bertkit.card import Card
from bertkit.checkpoints import bundle
from bertkit.cli import main
from bertkit.encoder import Encoder
from bertkit.errors import Error
from bertkit.heads import QuestionAnswering, SentenceEmbedder, TokenClassifier
from bertkit.inspection import attributions, explain
from bertkit.inspection.attribution import attributed
from bertkit.predictor import Predictor
from bertkit.report.explanation import render_explanation
from bertkit.tasks.answering import Answering
from bertkit.tasks.embedding import Embedding, cosines
from bertkit.tasks.tagging import Tagging
from bertkit.text.convention import Convention
from tests import exported, tiny

LABELS = ("O", "B-MOOD", "I-MOOD", "B-ART", "I-ART")
MASK = tiny.tokenizer().id("[MASK]")


def predictor_of(model, task, length=16):
    """Return a `Predictor` of a model in memory with a task of one's own."""
    found = Predictor(exported.spread(model, 8.0), tiny.tokenizer(), length)
    found.task = task
    return found


def tagger(**settings):
    keras.utils.set_random_seed(4)
    return predictor_of(TokenClassifier(Encoder(tiny.CONFIG), list(LABELS)), Tagging(LABELS, **settings))


def answerer(**settings):
    keras.utils.set_random_seed(6)
    return predictor_of(QuestionAnswering(Encoder(tiny.CONFIG)), Answering(**settings))


def drops_by_hand(predictor, row, places):
    """Return by how much the mean of the logits at some places falls where the pieces of each word are masked."""
    copies = [row.ids] + [np.where(row.owners == number, MASK, row.ids) for number in range(len(row.words))]
    given = predictor.model({"token_ids": np.array(copies, "int32"),
                             "segment_ids": np.repeat(row.segments[None], len(copies), 0)})
    if isinstance(given, dict):
        given = np.stack([np.asarray(given["start_logits"]), np.asarray(given["end_logits"])], -1)
    found = np.mean([np.asarray(given)[:, token, column] for token, column in places], axis=0)
    return found[0] - found[1:]


TEXT = "the good film was a bad story with warm scene and dull actor it was old"       # more than a row of 16


@pytest.mark.parametrize("settings, text", [
    ({}, TEXT), ({"stride": 4}, TEXT), ({"convention": Convention.learned([["l'", "actor"]])}, "l'actor was good, it")])
def test_the_tags_of_an_entity_are_explained(settings, text):
    predictor = tagger(**settings)
    (answer,) = predictor.predict([text])
    assert answer["entities"], "a model without entities tests nothing"
    scores, answers = attributed(predictor, [text], "occlusion")
    assert [one["entity"] for one in answers] == answer["entities"]
    for one, entity in zip(scores, answer["entities"], strict=True):
        row, places = one.row, one.logit.places
        assert [text[a:b] for a, b in one.offsets] == list(one.words) and one.logit.target == entity["type"]
        words = {row.owners[token] for token, _ in places}
        inside = {number for number, (start, end) in enumerate(one.offsets)
                  if start < entity["end"] and end > entity["start"]}
        assert words and words <= inside and {LABELS[column][2:] for _, column in places} <= {"MOOD", "ART"}
        assert LABELS[places[0][1]][2:] == entity["type"]
        np.testing.assert_allclose(np.asarray(one), drops_by_hand(predictor, row, places), atol=2e-4)


def test_scores_of_an_entity_add_up_and_each_method_runs():
    predictor = tagger()
    found = {method: attributed(predictor, ["the good film was bad"], method)[0] for method in (
        "integrated_gradients", "gradient_x_input", "lime", "rollout")}
    assert all(len(scores) == len(found["lime"]) > 0 for scores in found.values())
    assert all(one.completeness < 0.01 for one in found["integrated_gradients"])
    assert all(np.isfinite(np.asarray(one)).all() for scores in found.values() for one in scores)


@pytest.mark.parametrize("context", ["the good film was old and bad", TEXT], ids=["one row", "several"])
def test_the_start_and_the_end_of_an_answer_are_explained(context):
    predictor, given = answerer(), ("what was it", context)
    (answer,) = predictor.predict([given])
    start, end = attributed(predictor, [given], "occlusion")[0]
    assert (start.logit.target, end.logit.target) == ("start", "end") and answer["start"] >= 0
    covered = [start.row.owners[start.logit.places[0][0]], start.row.owners[end.logit.places[0][0]]]
    first, last = (start.offsets[number] for number in covered)
    assert first[0] <= answer["start"] < first[1]
    assert last[0] < answer["start"] + len(answer["answer"]) <= last[1]
    assert start.parts[covered[0]] == 1
    for one in (start, end):
        np.testing.assert_allclose(np.asarray(one), drops_by_hand(predictor, one.row, one.logit.places), atol=2e-4)
    whole = np.ones((1, len(start)), bool)
    z = start.logit.all_of(whole)[0, :, 0]
    assert start.logit.chance(whole)[0] == pytest.approx(
        np.exp(z - z.max())[start.logit.places[0][0]] / np.exp(z - z.max()).sum(), abs=1e-6)


def test_no_answer_is_explained_at_the_classification_token():
    predictor = answerer(version="2.0", threshold=0.0)
    assert predictor.predict([("what", "a film")])[0]["start"] == -1
    scores = attributed(predictor, [("what", "a film")], "gradient_x_input")[0]
    assert [one.logit.places for one in scores] == [[(0, 0)], [(0, 1)]]
    only, = attributed(predictor, [("what", "a film")], "gradient_x_input", target="end")[0]
    assert only.logit.target == "end"


def test_what_cannot_be_asked_is_said():
    with pytest.raises(Error, match="target='PER' is nothing .* ART, MOOD"):
        attributed(tagger(), [TEXT], target="PER")
    with pytest.raises(Error, match="target='middle' is nothing .* start, end"):
        attributed(answerer(), [("a", "b")], target="middle")
    with pytest.raises(Error, match="does not choose between labels"):
        attributed(tagger(), [TEXT], against="O")


@pytest.mark.slow
def test_the_command_prints_and_writes_them(tmp_path, capsys):
    predictor = answerer()
    bundle.save(tmp_path / "bundle", predictor.model, predictor.tokenizer, Card(
        "tiny", "answer", bundle.describe(predictor.model)), length=16, task=Answering())
    code = main(["explain", str(tmp_path / "bundle"), "--text", "what was it", "--second", "a good <b>film",
                 "--method", "occlusion", "--json", "--out", str(tmp_path / "page.html")])
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert code == 0 and [row["target"] for row in rows] == ["start", "end"]
    assert {"text", "second", "answer", "words", "faithfulness"} <= set(rows[0])
    page = (tmp_path / "page.html").read_text()
    assert "start of " in page and "<b>film" not in page
    found = explain(tagger(), [TEXT], "occlusion")
    assert "the scores are for MOOD" in found.text() or "the scores are for ART" in found.text()
    assert "Row 1: " in render_explanation(found)
    assert len(attributions(predictor.model, predictor.tokenizer, [("what", "a film")], "occlusion")) == 2


def test_why_two_texts_are_alike():
    """The scores are drops of the cosine; words of one text alone change, and a prompt is no word."""
    keras.utils.set_random_seed(8)
    model = exported.spread(SentenceEmbedder(Encoder(tiny.CONFIG)), 8.0)
    predictor = predictor_of(model, Embedding(16, prompt="the film: "))
    pair = ("a good film was old", "bad story, warm film")
    vectors = predictor.predictions([pair])[0]
    wanted = float(cosines(vectors[:1], vectors[1:])[0])
    scores, answers = attributed(predictor, [pair], "occlusion")
    assert [answer["score"] for answer in answers] == pytest.approx([wanted] * 2, abs=1e-5)
    assert [answer["beside"] for answer in answers] == [*pair[::-1]]
    for side, one in enumerate(scores):
        assert list(one.words) == pair[side].split() and one.logit.target == ("first", "second")[side]
        rows = [one.row.ids, *(np.where(one.row.owners == number, MASK, one.row.ids) for number in range(len(one)))]
        found = np.asarray(model({"token_ids": np.array(rows, "int32")}))
        drops = cosines(found, np.repeat(vectors[1 - side][None], len(rows), 0))
        np.testing.assert_allclose(np.asarray(one), drops[0] - drops[1:], atol=1e-4)
    exact, = attributed(predictor, [pair], "integrated_gradients", target="second")[0]
    assert exact.completeness < 0.01 and exact.logit.target == "second"
    assert "cosine" in render_explanation(explain(predictor, [pair], "gradient_x_input"))
    for inputs, target, said in ((["a film"], None, "Input 1 is no pair"), ([pair], "third", "first or second")):
        with pytest.raises(Error, match=said):
            attributed(predictor, inputs, target=target)
