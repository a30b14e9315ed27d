"""Texts and labels in memory as batches: every row once a pass, with its own label and weight, in every form."""

import os
import subprocess
import sys

import keras
import numpy as np
import pytest

import bertkit
from bertkit import data
from bertkit.errors import Error
from bertkit.heads import Classifier, TokenClassifier
from bertkit.tasks.tagging import Tagging
from tests import tiny

TEXTS, CLASSES = tiny.texts(21, seed=4)
NAMES = np.array(["bad", "good"])
FORMS = {"dataset": data.dataset, "py_dataset": data.py_dataset}


def parts(made):
    """Return what one pass gives, as arrays."""
    if isinstance(made, keras.utils.PyDataset):
        found = [made[i] for i in range(len(made))]
        made.on_epoch_end()
        return found
    return [keras.tree.map_structure(np.asarray, part) for part in made]


def rows(made):
    """Return (ids without padding, label, ...) of each row of a pass."""
    return [(tuple(ids[mask == 1].tolist()), *values) for inputs, *others in parts(made)
            for ids, mask, *values in zip(inputs["token_ids"], inputs["padding_mask"], *others, strict=True)]


def packed(texts, length=16):
    batch = tiny.tokenizer().pack(texts, length=length)
    return [tuple(ids[mask == 1].tolist()) for ids, mask in zip(batch["token_ids"], batch["padding_mask"], strict=True)]


@pytest.mark.parametrize("form", FORMS)
def test_each_pass_has_every_row_once_with_its_label_and_weight_in_a_new_order(form):
    weights = np.arange(21) / 4
    made = FORMS[form](TEXTS, CLASSES, tiny.tokenizer(), 4, 16, seed=2, sample_weight=weights)
    assert len(made) == 6
    wanted = sorted(zip(packed(TEXTS), CLASSES.tolist(), weights.tolist(), strict=True))
    passes = [rows(made) for _ in range(3)]
    assert all(sorted(found) == wanted for found in passes)
    assert passes[0] != passes[1] != passes[2]
    again = FORMS[form](TEXTS, CLASSES, tiny.tokenizer(), 4, 16, seed=2, sample_weight=weights)
    assert [rows(again) for _ in range(3)] == passes
    assert rows(FORMS[form](TEXTS, CLASSES, tiny.tokenizer(), 4, 16, seed=3, sample_weight=weights)) != passes[0]


def test_both_forms_give_the_same_batches():
    one, other = (parts(make(TEXTS, CLASSES, tiny.tokenizer(), 4, 16)) for make in FORMS.values())
    said = [sorted((inputs["token_ids"].tolist(), labels.tolist()) for inputs, labels in side) for side in (one, other)]
    assert said[0] == said[1] and one[0][0].keys() == other[0][0].keys()


@pytest.mark.parametrize("form", FORMS)
def test_the_given_order_is_kept_where_nothing_is_shuffled(form):
    made = FORMS[form](TEXTS, CLASSES, tiny.tokenizer(), 4, 16, shuffle=False)
    for _ in range(2):
        found = [(ids, int(label)) for ids, label in rows(made)]
        assert found == list(zip(packed(TEXTS), CLASSES.tolist(), strict=True))
    bare = FORMS[form](TEXTS, None, tiny.tokenizer(), 4, 16, shuffle=False)
    assert [part.keys() for part in parts(bare)] == 6 * [{"token_ids", "segment_ids", "padding_mask"}]


def test_rows_of_like_length_come_together():
    texts = ["good film " * (1 + i % 12) for i in range(96)]
    made = parts(data.dataset(texts, np.zeros(96, int), tiny.tokenizer(), 8, 32))
    assert np.mean([inputs["padding_mask"].mean() for inputs, _ in made]) > 0.9


@pytest.mark.parametrize("given, wanted", [
    ([2, 0, 1], np.array([2, 0, 1], "int32")), ([True, False, True], np.array([1, 0, 1], "int32")),
    (np.array([2, 0, 1], "int8"), np.array([2, 0, 1], "int32")), ([1, 0.5, 2], np.array([1, 0.5, 2], "float32")),
    (["b", "a", "b"], np.array([1, 0, 1], "int32")), (np.array(["b", "a", "b"]), np.array([1, 0, 1], "int32")),
    ([["b"], [], ["c", "b"]], np.array([[1, 0], [0, 0], [1, 1]], "float32")),
    ([[0, 1], [1, 1], [0, 0]], np.array([[0, 1], [1, 1], [0, 0]], "int32")),
    (np.array([[0.5, 1], [1, 1], [0, 0]]), np.array([[0.5, 1], [1, 1], [0, 0]], "float32"))])
def test_labels_are_taken_as_they_come(given, wanted):
    (_, found), = parts(data.dataset(["a", "b c", "d"], given, tiny.tokenizer(), shuffle=False))
    assert found.dtype == wanted.dtype
    np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("given, classes, wanted", [
    (["a", "b"], ["b", "c", "a"], [2, 0]), ([3, 5], [5, 3], [1, 0]), ([1, 0], ["x", "y"], [1, 0]),
    ([["a"], ["a", "b"]], ["b", "c", "a"], [[0, 0, 1], [1, 0, 1]])])
def test_classes_say_the_order(given, classes, wanted):
    (_, found), = parts(data.dataset(["a", "b"], given, tiny.tokenizer(), shuffle=False, classes=classes))
    assert found.tolist() == wanted


def test_pairs_and_columns_of_pandas_are_taken():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"one": ["good film", "bad"], "two": ["a", "the story"], "says": ["yes", "no"]},
                             index=[7, 3])
    wanted = tiny.tokenizer().pack(list(frame["one"]), list(frame["two"]), length=16)
    pairs = list(zip(frame["one"], frame["two"], strict=True))
    for texts in (frame[["one", "two"]], pairs, [list(pair) for pair in pairs], np.array(pairs)):
        (inputs, labels), = parts(data.dataset(texts, frame["says"], tiny.tokenizer(), shuffle=False))
        width = inputs["token_ids"].shape[1]
        for name in wanted:
            np.testing.assert_array_equal(inputs[name], wanted[name][:, :width])
        assert labels.tolist() == [1, 0]
    (inputs, _), = parts(data.dataset(frame["one"].astype("category"), frame["says"].astype("category"),
                                      tiny.tokenizer(), shuffle=False))
    assert packed(frame["one"])[0] == tuple(inputs["token_ids"][0].tolist())
    names = parts(data.dataset(pairs, [["x"], ["y", "z"]], tiny.tokenizer(), shuffle=False))[0][1]
    assert names.tolist() == [[1, 0, 0], [0, 1, 1]]                     # pairs of texts with several labels


def test_tags_of_words_stand_at_their_first_pieces():
    words = [["A", "filmgood", "story"], ["dull"], ["the"] * 40]
    tags = [["O", "B-X", "I-X"], ["O"], ["B-X"] + ["O"] * 39]
    made = data.dataset(words, tags, tiny.tokenizer(), 2, 16, shuffle=False, sample_weight=[1, 2, 3])
    found = rows(made)
    wanted = Tagging(("B-X", "I-X", "O")).pack(tiny.tokenizer(), words, 16, tags)
    assert [ids for ids, *_ in found] == [tuple(row[0]) for row in wanted.rows] and len(found) > 4
    assert [labels[:len(ids)].tolist() for ids, labels, _ in found] == wanted.token_labels
    assert [float(weight) for *_, weight in found] == [1, 2] + [3] * (len(found) - 2)
    assert all((labels[len(ids):] == -1).all() for ids, labels, _ in found)
    arrays = [np.array([*map(np.array, side)], object) for side in (words, tags)]      # a column of arrays
    assert rows(data.dataset(*arrays, tiny.tokenizer(), 2, 16, shuffle=False))[0][0] == found[0][0]
    numbers = data.dataset(words[:1], [[2, 0, 4]], tiny.tokenizer(), shuffle=False)
    assert [label for label in parts(numbers)[0][1][0].tolist() if label >= 0] == [2, 0, 4]


def test_what_is_cut_is_said(capsys):
    data.dataset(["good " * 40, "a", "film " * 15], [0, 1, 1], tiny.tokenizer(), length=16)
    assert capsys.readouterr().err.strip() == (
        "2 of 3 texts have more than 16 tokens and were cut; a larger length reads more.")
    data.dataset(["good " * 14, "a"], [0, 1], tiny.tokenizer(), length=16)
    assert capsys.readouterr().err == ""


def test_fit_takes_a_dataset():
    model = tiny.classifier(labels=("bad", "good"))
    model.compile("sgd", model.loss_function(), jit_compile=False)
    model.fit(data.dataset(TEXTS, NAMES[CLASSES], tiny.tokenizer(), 8, 16), epochs=2, verbose=0)
    assert int(model.optimizer.iterations) == 6


def test_fit_takes_a_py_dataset_of_tags():
    tagger = TokenClassifier(tiny.classifier().encoder, ["O", "X"])
    tagger.compile("sgd", tagger.loss_function(), jit_compile=False)
    words, tags = [["a", "film"], ["good"], ["the"] * 9], [["O", "X"], ["O"], ["X"] * 9]
    tagger.fit(data.py_dataset(words, tags, tiny.tokenizer(), 1), epochs=2, verbose=0)
    assert int(tagger.optimizer.iterations) == 6


class Lengths(keras.Model):
    """Counts the tokens of each row."""

    def call(self, inputs):
        return keras.ops.sum(inputs["padding_mask"], axis=1)


@pytest.mark.parametrize("words, shuffle", [
    ([3, 3, 3, 3, 9, 1], False), ([3, 3, 3, 3, 9, 1], True), ([3] * 6, True), ([9, 1, 9, 1, 9, 1], True)])
def test_keras_reads_batches_of_any_length(words, shuffle):
    """Keras takes what the first two batches of a PyDataset have in common for the shape of all others."""
    model, texts = Lengths(), ["good " * count for count in words]
    made = data.py_dataset(texts, None, tiny.tokenizer(), 2, 16, shuffle=shuffle)
    for _ in range(3):
        found = model.predict(made, verbose=0).tolist()
        assert sorted(found) == sorted(count + 2 for count in words)
        assert shuffle or found == [count + 2 for count in words]
    assert made.epoch >= 3


def test_weights_of_zero_change_nothing_and_weights_are_those_of_their_rows():
    model = Classifier(tiny.classifier().encoder, ["a", "b"])
    model.compile(keras.optimizers.SGD(1.0), keras.losses.SparseCategoricalCrossentropy(from_logits=True),
                  jit_compile=False)
    made = [data.dataset(TEXTS, CLASSES, tiny.tokenizer(), 32, 16, sample_weight=weights)
            for weights in (np.zeros(21), np.ones(21), CLASSES)]
    found = [float(np.ravel(model.evaluate(each, verbose=0))[0]) for each in made]
    assert found[0] == 0 < found[2] < found[1]


TWO = ["good film", "bad"]


@pytest.mark.parametrize("texts, labels, options, words", [
    ("good film", [1], {}, "'good film' came where a list of texts"), (TWO, "ab", {}, "where a list of labels"),
    ({"a": 1}, [1], {}, "a list of texts"), (TWO, [1], {}, "2 texts came with 1 labels"), ([], [], {}, "no rows"),
    (["a", ("b", "c")], [0, 1], {}, "The text of row 2"), (["a", None], [0, 1], {}, "The text of row 2 is None"),
    (["a", float("nan")], [0, 1], {}, "The text of row 2 is nan"), ([("a", "b", "c")], [0], {}, "The text of row 1"),
    (TWO, [1, "a"], {}, "label of row 2 is a name, that of row 1 an integer"), (TWO, [1, None], {}, "row 2 is None"),
    (TWO, [1.5, float("nan")], {}, "label of row 2 is nan"), (TWO, [[1, 0], [1]], {}, "several lengths"),
    (TWO, ["a", "c"], {"classes": ["a", "b"]}, "'c' of row 2 is not among the classes"),
    (TWO, [0, 2], {"classes": ["a", "b"]}, "label 2 of row 2"), (TWO, [0, 1], {"classes": [1, 1]}, "one class twice"),
    (TWO, ["a", "b"], {"classes": ["a", "a"]}, "one class twice"), (TWO, [0, 1], {"batch_size": 0}, "batch_size=0"),
    (TWO, [0, 1], {"sample_weight": [1]}, "1 sample weights"), (TWO, None, {"sample_weight": [1, 1]}, "without labels"),
    (TWO, [0, 1], {"sample_weight": [1, -1]}, "0 or more"), (TWO, [0, 1], {"sample_weight": [1, "a"]}, "0 or more"),
    ([["a", "b"], ["c"]], [["O", "O"], []], {}, "Row 2 has 1 words and 0 tags"),
    ([["a", "b", "c"]], [["O", "X", "Y"]], {"classes": ["O", "X"]}, "tag 'Y' is not among"),
    (TWO, [0, 1], {"length": 1}, "length=1 is too small")])
def test_what_does_not_fit_is_refused(texts, labels, options, words):
    with pytest.raises(Error, match=words):
        data.dataset(texts, labels, tiny.tokenizer(), **options)


def test_under_jax_there_is_no_tensorflow():
    pytest.importorskip("jax")
    code = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("tensorflow", "tensorflow_text"):
            raise ModuleNotFoundError("not on this machine: " + name)
sys.meta_path.insert(0, Absent())
import keras
from bertkit import Tokenizer, data
rows = data.py_dataset(["good film", "a b c d e f g h i j k l m n o p q r s t", "bad"], [0, 1, 0],
                       Tokenizer.load("bertkit://english"), 1)
class Lengths(keras.Model):
    def call(self, inputs):
        return keras.ops.sum(keras.ops.cast(inputs["padding_mask"], "float32"), axis=1)
model = Lengths()
model.compile(loss="mse")
assert model.evaluate(rows, verbose=0) > 0
print(keras.backend.backend(), *{rows[i][0]["token_ids"].shape[1] for i in range(3)})
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300,
                          env={**os.environ, "KERAS_BACKEND": "jax"})
    assert done.returncode == 0, done.stderr[-2000:]
    backend, *lengths = done.stdout.split()
    assert backend == "jax" and sorted(map(int, lengths)) == [16, 22]       # a multiple of 16, or the longest row


def test_the_room_is_there():
    assert bertkit.data.dataset is data.dataset
