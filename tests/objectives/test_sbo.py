"""Spans and their targets against plain Python; the loss against the recorded one and numpy."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from bertkit import checkpoints
from bertkit.encoder import Encoder
from bertkit.errors import Error
from bertkit.objectives import MLM, SBO, Pretrainer
from bertkit.objectives.sbo import TARGETS
from bertkit.text import Tokenizer
from tests import tiny

SIZE = len(tiny.VOCABULARY)


def rows(count, width, seed=0):
    """Return rows of two texts, the later ones shorter, some without a last separator; padding may be anything."""
    rng = np.random.default_rng(seed)
    ids = rng.integers(5, SIZE, (count, width)).astype("int32")
    ids[:, 0], ids[:, width // 2] = 2, 3
    mask = (np.arange(width) < width - np.arange(count)[:, None] % (width // 3)).astype("int32")
    ids[np.arange(0, count, 2), mask.sum(1)[::2] - 1] = 3
    return {"token_ids": ids, "padding_mask": mask, "keys": np.arange(count) + 1000 * seed}


def asked(found, row):
    """Return {(left, right): labels} of a row."""
    return {tuple(pair.tolist()): labels[weights > 0].tolist() for pair, labels, weights in zip(
        found["pairs"][row], found["span_labels"][row], found["span_weights"][row], strict=True) if weights.any()}


def spans_of(ids, mask, chosen):
    """Return {(left, right): labels} as the rule says it."""
    found, place = {}, 0
    text = [bool(real) and token >= 5 for token, real in zip(ids, mask, strict=True)]
    while place < len(ids):
        if not chosen[place]:
            place += 1
            continue
        start = place
        while place < len(ids) and chosen[place]:
            place += 1
        if start > 0 and place < len(ids) and text[start - 1] and text[place]:
            found[start - 1, place] = [int(token) for token in ids[start:place]][:15]
    return found


@given(st.integers(0, 2**32), st.integers(6, 60), st.sampled_from(["tokens", "words", "spans"]), st.floats(0.05, 0.9))
@settings(max_examples=60, deadline=None)
def test_the_rule_in_plain_python(seed, width, choice, rate):
    before = rows(5, width, seed % 1000)
    hidden = MLM(tiny.tokenizer(), choice=choice, rate=rate, seed=seed).corrupt(before)
    found = SBO(tiny.tokenizer()).corrupt(hidden)
    for row in range(5):
        chosen = np.zeros(width, bool)
        chosen[hidden["masked_positions"][row][hidden["masked_weights"][row] > 0]] = True
        wanted = spans_of(before["token_ids"][row], before["padding_mask"][row], chosen)
        assert asked(found, row) == wanted
        for left, right in wanted:
            assert not chosen[[left, right]].any()
            assert (hidden["token_ids"][row, [left, right]] == before["token_ids"][row, [left, right]]).all()
    for name, value in hidden.items():
        np.testing.assert_array_equal(found[name], value)


def test_shapes_and_the_first_tokens_of_a_long_span():
    ids = np.array([[2, *range(5, 30), 3], [2, 5, 6, 7, *[3] * 23]], "int32")
    hidden = {"token_ids": ids, "padding_mask": np.ones_like(ids), "masked_positions": np.array([[*range(3, 23)]] * 2),
              "masked_labels": ids[:, 3:23], "masked_weights": np.array([[1.0] * 20, [0.0] * 20], "float32")}
    found = SBO(tiny.tokenizer()).corrupt(hidden)
    assert found["pairs"].shape == (2, 1, 2) and found["span_labels"].shape == (2, 1, 15)
    assert {found[name].dtype.name for name in ("pairs", "span_labels")} == {"int32"}
    assert asked(found, 0) == {(2, 23): list(range(7, 22))} and asked(found, 1) == {}


def test_most_spans_have_both_sides():
    hidden = MLM(tiny.tokenizer(), choice="spans").corrupt(rows(40, 400))
    found = SBO(tiny.tokenizer()).corrupt(hidden)
    assert 0.85 < found["span_weights"].sum() / hidden["masked_weights"].sum() < 1


def test_without_hidden_tokens_it_says_what_to_do():
    with pytest.raises(Error, match="give MLM before it"):
        SBO(tiny.tokenizer()).corrupt(rows(2, 12))


@pytest.mark.parametrize("places", [TARGETS, 20, 4])
def test_loss_in_numpy(places):
    rng = np.random.default_rng(1)
    logits = rng.normal(size=(2, 3, places, 7)).astype("float32")
    labels, weights = rng.integers(0, 7, (2, 3, TARGETS)), (rng.random((2, 3, TARGETS)) < 0.4).astype("float32")
    some = slice(0, min(places, TARGETS))
    chance = np.exp(logits[:, :, some]) / np.exp(logits[:, :, some]).sum(-1, keepdims=True)
    each = -np.log(np.take_along_axis(chance, labels[:, :, some, None], 3)[..., 0]) * weights[:, :, some]
    features = {"span_labels": labels, "span_weights": weights}
    found = SBO(tiny.tokenizer()).losses({"sbo_logits": logits}, features)
    assert float(found["sbo"]) == pytest.approx(each.sum() / (weights[:, :, some].sum() + 1), rel=1e-5)
    most = SBO(tiny.tokenizer()).accuracies({"sbo_logits": np.eye(7)[labels][:, :, some]}, features)
    assert float(most["span_accuracy"]) == pytest.approx(1)
    nothing = SBO(tiny.tokenizer()).losses({"sbo_logits": logits}, {**features, "span_weights": 0 * weights})
    assert float(nothing["sbo"]) == 0


def test_loss_and_targets_of_the_reference(shared):
    folder = shared("checkpoints/spanbert/sbo")
    with np.load(folder / "ref_padded.npz") as file:
        reference = dict(file)
    targets = reference["in/lm_targets"]
    width = (targets >= 0).sum(1).max()
    places = np.argsort(targets < 0, axis=1, kind="stable")[:, :width]
    labels = np.take_along_axis(targets, places, 1)
    batch = {"token_ids": reference["in/input_ids"], "segment_ids": reference["in/token_type_ids"],
             "padding_mask": reference["in/attention_mask"], "masked_positions": places.astype("int32"),
             "masked_labels": np.maximum(labels, 0), "masked_weights": (labels >= 0).astype("float32")}
    model, objective = checkpoints.load(folder), SBO(Tokenizer.load(shared("checkpoints/spanbert/base")))
    found, targets = objective.corrupt(batch), reference["in/pair_targets"]
    wanted = {(row, *pair): [int(token) for token in tokens if token >= 0]
              for row, pairs in enumerate(reference["in/pairs"].tolist())
              for pair, tokens in zip(pairs, targets[row], strict=True)
              if not objective.special[batch["token_ids"][row][pair]].any()}       # two stand beside special tokens
    assert {(row, *pair): each for row in range(3) for pair, each in asked(found, row).items()} == wanted
    features = {**batch, "pairs": reference["in/pairs"], "span_labels": np.maximum(targets, 0),
                "span_weights": (targets >= 0).astype("float32")}
    entries = model.select_entries(features)
    outputs = model({name: keras.ops.convert_to_tensor(value) for name, value in entries.items()})
    number = (targets >= 0).sum()           # the recorded loss is a mean
    loss = float(objective.losses(outputs, features)["sbo"])
    assert loss * (number + 1) / number == pytest.approx(float(reference["out/sbo_loss"]), abs=2e-5)
    assert float(MLM(tiny.tokenizer()).losses(outputs, features)["mlm"]) == pytest.approx(
        float(reference["out/mlm_loss"]), abs=2e-5)


@pytest.mark.slow
def test_it_trains_with_spans():
    keras.utils.set_random_seed(0)
    encoder = Encoder(tiny.CONFIG.but(num_layers=1, dropout=0.0, attention_dropout=0.0))
    model = Pretrainer(encoder, [MLM(tiny.tokenizer(), choice="spans"), SBO(tiny.tokenizer())])
    features = {name: tf.constant(value) for name, value in model.corrupt(rows(4, 24)).items()}
    optimizer, history = keras.optimizers.Adam(1e-2), []
    for _ in range(8):
        with tf.GradientTape() as tape:
            losses = model.weighted_losses(model(features, training=True), features)
        assert float(losses["loss"]) == pytest.approx(float(losses["mlm"] + losses["sbo"]))
        history.append((float(losses["mlm"]), float(losses["sbo"])))
        optimizer.apply(tape.gradient(losses["loss"], model.trainable_variables), model.trainable_variables)
    assert (np.array(history[0]) - history[-1] > 0.3).all(), history
