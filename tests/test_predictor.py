"""A bundle that answers: the same numbers as its model, the same meaning as its task."""

import keras
import numpy as np
import pytest

import bertkit
from bertkit import heads, ondevice
from bertkit import predictor as predicting
from bertkit.card import Card
from bertkit.checkpoints import bundle
from bertkit.data.columns import Columns
from bertkit.data.features import featurize
from bertkit.encoder import Encoder
from bertkit.errors import Error
from bertkit.heads import Classifier, LanguageModel
from bertkit.predictor import Predictor
from bertkit.tasks.classification import Classification, softmax
from tests import exported, tiny


@pytest.fixture(scope="module")
def predictor():
    return Predictor(exported.bundled())


def test_probabilities_are_the_models(predictor):
    texts, _ = tiny.texts(40)
    features = featurize(tiny.tokenizer(), texts, None, exported.LENGTH)
    logits = np.asarray(predictor.model(features.batch(range(40))))
    np.testing.assert_allclose(predictor.predictions(texts), softmax(logits), atol=1e-6)


def test_one_string_is_no_list_of_texts(predictor):
    for ask in (predictor.predict, predictor.predictions):
        with pytest.raises(Error, match=r"put it in a list: \[...\]"):
            ask("a good film")
    assert predictor.predictions([]) == predictor.predict([]) == []


def test_an_answer_does_not_depend_on_what_else_is_asked(predictor):
    texts, _ = tiny.texts(40)
    together = np.array(predictor.predictions(texts))
    alone = np.concatenate([predictor.predictions([text]) for text in texts[:5]])
    np.testing.assert_allclose(together[:5], alone, atol=1e-6)
    assert np.ptp(together, axis=0).max() > 0.1


def test_nothing_asked_is_nothing_answered(predictor):
    assert predictor.predict([]) == []


def test_pairs_and_single_texts_are_not_mixed_up(predictor):
    with pytest.raises(Error, match="Row 1 is .*reads single texts"):
        predictor.predict([("a", "b")])
    with pytest.raises(Error, match=r"Row 1 is 'a'; this model reads tuples \(first text, second text\)"):
        Predictor(exported.bundled(**exported.PAIRS)).predict(["a"])


def test_intervals_are_around_the_scores(predictor):
    path = exported.dev(40)
    scores, intervals = (predictor.evaluate(path, Columns(), intervals=intervals) for intervals in (False, True))
    assert scores.pop("rows") == intervals.pop("rows") == 40
    for name, score in scores.items():
        assert intervals[name]["score"] == score
        assert intervals[name]["low"] < score < intervals[name]["high"]


def test_one_output_is_a_score(tmp_path):
    model = tiny.classifier(labels=("score",))
    bundle.save(tmp_path / "one", model, tiny.tokenizer(), Card("one", "score", bundle.describe(model)))
    answer, = Predictor(tmp_path / "one").predict(["good"])
    assert isinstance(answer["score"], float)


def test_one_label_of_a_multi_label_model_is_one(tmp_path):
    model = tiny.classifier(labels=("spam",), multi_label=True)
    bundle.save(tmp_path / "one", model, tiny.tokenizer(), Card("one", "classify", bundle.describe(model)))
    answer, = Predictor(tmp_path / "one").predict(["good"])
    assert set(answer["probabilities"]) == {"spam"}


def test_a_file_of_another_bundle_is_refused(monkeypatch, tmp_path):
    class Device:
        task, tokenizer, length = Classification(("other", "labels")), None, 16

    monkeypatch.setattr(ondevice, "load", lambda folder, model: Device())
    with pytest.raises(Error, match="exported from another bundle: its task is .*other.*labels"):
        Predictor(exported.bundled(), tflite=tmp_path / "model.tflite")


# --------------------------------------------------------------------------------------- a model in memory


@pytest.fixture(scope="module")
def model():
    return exported.spread(tiny.classifier(5, exported.LABELS))


def test_a_model_in_memory_answers_as_its_bundle(model, tmp_path):
    texts, _ = tiny.texts(20)
    bertkit.save(model, tmp_path / "kept", tiny.tokenizer(), length=9)
    ours, kept = Predictor(model, tiny.tokenizer(), 9), Predictor(tmp_path / "kept")
    np.testing.assert_allclose(ours.predictions(texts), kept.predictions(texts), atol=1e-5)
    assert [answer["label"] for answer in ours.predict(texts)] == [answer["label"] for answer in kept.predict(texts)]
    assert Predictor(model, tiny.tokenizer()).length == 32


def test_a_model_in_memory_answers_with_the_weights_it_has():
    model = exported.spread(tiny.classifier(6, exported.LABELS))
    made = Predictor(model, tiny.tokenizer())
    before = made.predict(["a good film"])
    for variable in model.trainable_variables:
        variable.assign(variable * 0.5)
    assert made.predict(["a good film"]) != before


def test_a_model_whose_task_was_never_told_reads_texts_and_pairs(model):
    made = Predictor(model, tiny.tokenizer())
    inputs = ["good film", ("good", "film"), ["good", "film"], "good film"]
    found = [list(row["probabilities"].values()) for row in made.predict(inputs)]
    for first, second, rows in (("good film", None, (0, 3)), ("good", ["film"], (1, 2))):
        wanted = softmax(np.asarray(model(tiny.tokenizer().pack([first], second, length=9))))[0]
        for row in rows:
            np.testing.assert_allclose(found[row], wanted, atol=1e-6)
    assert np.abs(np.subtract(found[0], found[1])).max() > 1e-3
    assert made.task.input("good\tfilm") == ("good", "film") and made.task.input("good") == "good"
    with pytest.raises(Error, match="Row 1 is .*; this model reads single texts"):
        made.predict([("a", "b", "c")])


def test_a_model_whose_task_was_never_told_is_scored_on_texts_and_on_pairs(model, tmp_path):
    made, texts = Predictor(model, tiny.tokenizer()), tiny.texts(12)[0]
    for header, inputs in (("text", texts), ("sentence1\tsentence2", list(zip(texts, texts[::-1], strict=True)))):
        labels = [answer["label"] for answer in made.predict(inputs)]
        labels[0] = exported.LABELS[exported.LABELS.index(labels[0]) - 1]
        rows = [(row if isinstance(row, str) else "\t".join(row)) + f"\t{label}\n"
                for row, label in zip(inputs, labels, strict=True)]
        (tmp_path / "rows.tsv").write_text(f"{header}\tlabel\n{''.join(rows)}")
        found = made.evaluate(tmp_path / "rows.tsv")
        assert found["rows"] == 12 and found["accuracy"] == pytest.approx(11 / 12)


def test_a_score_in_memory_reads_pairs():
    made = Predictor(exported.spread(tiny.classifier(labels=("score",))), tiny.tokenizer())
    one, pair = made.predict(["a", ("a", "good")])
    assert abs(one["score"] - pair["score"]) > 1e-3


@pytest.mark.parametrize("one", ["good film", b"good film", {"text": "good film"}, {"good film"}, None, 3])
def test_one_input_in_place_of_a_list_is_refused(model, one):
    with pytest.raises(Error, match=r"came where a list of inputs was wanted; put it in a list: \[...\]"):
        Predictor(model, tiny.tokenizer()).predict(one)


def test_arrays_and_columns_are_lists(model):
    pandas = pytest.importorskip("pandas")
    texts, _ = tiny.texts(6)
    made = Predictor(model, tiny.tokenizer())
    wanted = made.predict(texts)
    for given in (np.array(texts), np.array(texts, object), pandas.Series(texts), tuple(texts), iter(texts)):
        assert made.predict(given) == wanted
    pairs = pandas.DataFrame({"one": texts, "two": texts[::-1]})
    assert made.predict(pairs) == made.predict(list(zip(texts, texts[::-1], strict=True)))
    assert made.predict(pairs) != wanted


def test_what_cannot_answer_says_why(model):
    for call, words in ((lambda: Predictor(model), "has no tokenizer of its own"),
                        (lambda: Predictor(model.encoder, tiny.tokenizer()), "an encoder without a task"),
                        (lambda: Predictor(LanguageModel(model.encoder), tiny.tokenizer()), "a LanguageModel, which"),
                        (lambda: Predictor(lambda batch: batch, tiny.tokenizer()), r"model\.save"),
                        (lambda: Predictor(exported.bundled(), tiny.tokenizer()), "keeps its own tokenizer"),
                        (lambda: Predictor(model, tiny.tokenizer(), 99), "3 to 32 tokens"),
                        (lambda: Predictor(model, tiny.tokenizer()).predict(["a"], batch_size=0), "batch_size=0")):
        with pytest.raises(Error, match=words):
            call()


def test_memory_is_that_of_a_chunk_and_long_work_says_how_far_it_is(model, monkeypatch, capsys):
    """No more rows than a chunk's are packed at once, in batches as asked for, and the answers are the same ones."""
    texts, _ = tiny.texts(23)
    made, packed, batches = Predictor(model, tiny.tokenizer()), [], []
    wanted = made.predict(texts)
    own, computed = Classification.pack, Classifier.predict_on_batch
    monkeypatch.setattr(predicting, "CHUNK", 8)
    monkeypatch.setattr(Classification, "pack", lambda task, tokenizer, inputs, length: packed.append(
        len(inputs)) or own(task, tokenizer, inputs, length))
    monkeypatch.setattr(Classifier, "predict_on_batch", lambda self, batch: batches.append(
        len(batch["token_ids"])) or computed(self, batch))
    found = made.predict(texts, batch_size=5)
    assert packed == [8, 8, 7] and batches == [5, 3, 5, 3, 5, 2]
    assert [row["label"] for row in found] == [row["label"] for row in wanted]
    np.testing.assert_allclose([list(row["probabilities"].values()) for row in found],
                               [list(row["probabilities"].values()) for row in wanted], atol=1e-6)
    assert capsys.readouterr().err == ""


LONG = "the good old film was a story with the new actor " * 6
HEADS = {
    "tag": (lambda encoder: heads.TokenClassifier(encoder, ["O", "B-X"]), ["a good film", LONG], "entities"),
    "answer": (heads.QuestionAnswering, [("a film", "the good film"), ("good", LONG)], "answer"),
    "choose": (heads.MultipleChoice, [("a film", "good", "bad"), ("it was", "old", "a", "the")], "choice"),
    "embed": (heads.SentenceEmbedder, ["a good film", LONG], "embedding"),
    "long_documents": (lambda encoder: heads.DocumentClassifier(encoder, ["no", "yes"], layers=1), ["a", LONG],
                       "label")}


@pytest.mark.parametrize("task", HEADS)
def test_every_head_that_has_a_task_answers_from_memory(task, tmp_path):
    """A text that is longer than the model is read in windows, or cut, as the task does; answers differ by text."""
    make, inputs, key = HEADS[task]
    model = make(exported.spread(Encoder(tiny.CONFIG), 8.0))
    made = Predictor(model, tiny.tokenizer())
    assert made.task.name == task
    bertkit.save(model, tmp_path / "kept", tiny.tokenizer())
    found, kept = made.predict(inputs), Predictor(tmp_path / "kept").predict(inputs)
    assert [answer.keys() for answer in found] == [answer.keys() for answer in kept] and key in found[0]
    assert found != found[::-1]
    numbers = [[value for value in keras.tree.flatten(side) if isinstance(value, float)] for side in (found, kept)]
    np.testing.assert_allclose(*numbers, atol=1e-5)


def test_a_frame_keeps_its_columns_and_index(predictor):
    pandas = pytest.importorskip("pandas")
    texts, _ = tiny.texts(6)
    columns = {"text": [*texts[:3], None, *texts[3:]], "label": 0, "when": range(7)}
    frame = pandas.DataFrame(columns, index=list("abcdefg"))
    with pytest.raises(Error, match="line 4, column 'text': null came"):
        predictor.predict_rows(frame)
    found = predictor.predict_rows(frame, skip_bad_rows=True)
    assert list(found.index) == list("abcefg") and list(found["when"]) == [0, 1, 2, 4, 5, 6]
    assert list(found["predicted_label"]) == [answer["label"] for answer in predictor.predict(texts)]
    assert list(frame.columns) == ["text", "label", "when"]
    order = predictor.predict_rows(frame, order="uncertain", skip_bad_rows=True)
    margins = order["probabilities"].map(lambda shares: np.ptp(sorted(shares.values())[-2:]))
    assert margins.is_monotonic_increasing and set(order.index) == set("abcefg")
    assert predictor.predict_rows([{"text": text} for text in texts])[0]["label"] == found["predicted_label"].iloc[0]


def test_evaluate_takes_a_frame(predictor, tmp_path):
    pandas = pytest.importorskip("pandas")
    texts, labels = tiny.texts(12)
    names = [predictor.task.labels[label] for label in labels]
    frame = pandas.DataFrame({"text": texts, "label": names})
    frame.to_csv(tmp_path / "f.csv", index=False)
    assert predictor.evaluate(frame) == predictor.evaluate(tmp_path / "f.csv") == predictor.evaluate(
        list(zip(texts, names, strict=True)))
