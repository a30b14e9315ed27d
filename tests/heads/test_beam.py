"""Answers by beam search: against every start and every end, counted out in double precision, and the reference."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from bertkit import checkpoints
from bertkit.card import Card
from bertkit.checkpoints import bundle
from bertkit.checkpoints.tensors import variables
from bertkit.encoder import Encoder
from bertkit.errors import Error
from bertkit.family import xlnet
from bertkit.heads import BeamQuestionAnswering
from bertkit.heads.beam import answer_loss
from bertkit.kinds import Beam
from tests.layers.drawn import dense, layer_norm

pytestmark = pytest.mark.filterwarnings("ignore:You are using a softmax over axis -1")
ROWS, LENGTH = 3, 8
CONFIG = xlnet.CONFIG.but(vocabulary_size=23, num_layers=1, num_heads=2, hidden_dim=6, intermediate_dim=8)


@pytest.fixture(scope="module")
def model():
    return answerer(Beam(starts=3, ends=2))


def answerer(kind, seed=0):
    """Return an answerer whose every weight is drawn."""
    made, rng = BeamQuestionAnswering(Encoder(CONFIG), head_config=kind), np.random.default_rng(seed)
    for weight in made.trainable_weights:
        weight.assign(0.6 * rng.standard_normal(weight.shape) + (weight.name == "gamma"))
    return made


def batch(seed=0, **entries):
    return {"token_ids": np.random.default_rng(seed).integers(0, 23, (ROWS, LENGTH)), **entries}


def softmax(x):
    powers = np.exp(x - x.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def by_numpy(model, rows):
    """Return (logit of each start [B,T], of each end for each start [B,T,T], a function from start vectors to cls)."""
    x = np.asarray(model.encoder(model.encoder_inputs(rows))["sequence"], "float64")
    w = {path.removeprefix("beam/"): np.asarray(weight, "float64") for path, weight in variables(model).items()}
    allowed = 1 - rows.get("answer_mask", np.zeros((ROWS, LENGTH)))
    starts = np.where(allowed, dense(w, "start", x)[..., 0], -1e30)
    ends = np.zeros((ROWS, LENGTH, LENGTH))
    for row, start, end in np.ndindex(ends.shape):
        h = np.tanh(dense(w, "end_dense", np.concatenate([x[row, end], x[row, start]])))
        logit = dense(w, "end", layer_norm(w, "end_norm", h, CONFIG.layer_norm_epsilon))[0]
        ends[row, start, end] = logit if allowed[row, end] else -1e30
    place = rows.get("cls_index", np.full(ROWS, LENGTH - 1))

    def impossible(vectors):
        pairs = np.concatenate([vectors, x[range(ROWS), place]], axis=-1)
        return dense(w, "impossible", np.tanh(dense(w, "impossible_dense", pairs)))[:, 0]

    return x, starts, ends, impossible


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 2**32), barred=st.booleans(), placed=st.booleans())
def test_the_search_finds_what_trying_every_pair_finds(model, seed, barred, placed):
    rng, rows = np.random.default_rng(seed), batch(seed)
    if barred:                                          # three a row, so that three starts are left at least
        rows["answer_mask"] = np.eye(LENGTH, dtype="int32")[rng.permuted(np.tile(np.arange(LENGTH), (ROWS, 1)),
                                                                          axis=1)[:, :3]].sum(1)
    if placed:
        rows["cls_index"] = rng.integers(0, LENGTH, ROWS)
    found = {name: np.asarray(array) for name, array in model(rows).items()}
    x, starts, ends, impossible = by_numpy(model, rows)
    chances, after = softmax(starts), softmax(ends)
    best = np.argsort(-chances, axis=1)[:, :3]
    np.testing.assert_allclose(found["start_top_probabilities"], np.take_along_axis(chances, best, 1), atol=1e-5)
    np.testing.assert_allclose(np.take_along_axis(chances, found["start_top_index"], 1),
                               found["start_top_probabilities"], atol=1e-5)
    for row, rank, j in np.ndindex(ROWS, 2, 3):
        given_start = after[row, found["start_top_index"][row, j]]
        chance, place = (found[f"end_top_{name}"][row, 3 * rank + j] for name in ("probabilities", "index"))
        assert abs(chance - np.sort(given_start)[-1 - rank]) < 1e-5 > abs(chance - given_start[place])
    np.testing.assert_allclose(found["cls_logits"], impossible(np.einsum("bt,btd->bd", chances, x)), atol=1e-5)


def test_given_starts_are_those_that_ends_are_asked_for(model):
    rows = batch(1, start_positions=np.array([2, 0, 7]), cls_index=[0, 3, 1])
    found = model(rows)
    x, starts, ends, impossible = by_numpy(model, {**rows, "cls_index": np.array([0, 3, 1])})
    given_starts = rows["start_positions"]
    np.testing.assert_allclose(found["start_logits"], starts, atol=1e-5)
    np.testing.assert_allclose(found["end_logits"], ends[range(ROWS), given_starts], atol=1e-5)
    np.testing.assert_allclose(found["cls_logits"], impossible(x[range(ROWS), given_starts]), atol=1e-5)


def test_a_planted_fault_is_seen():
    """Without the norm between them, the ends are others."""
    model = answerer(Beam(starts=3, ends=2))
    rows = batch(2, start_positions=np.array([2, 0, 7]))
    _, _, ends, _ = by_numpy(model, rows)
    gamma = model.heads["beam"].end_norm.gamma
    gamma.assign(gamma * 1.1)
    found = np.asarray(model(rows)["end_logits"])
    assert np.abs(found - ends[range(ROWS), rows["start_positions"]]).max() > 1e-3


def test_an_answer_lies_where_it_may(model):
    mask = np.ones((ROWS, LENGTH), "int32")
    mask[:, 2:6] = 0
    found = model(batch(answer_mask=mask))
    for name in ("start_top_index", "end_top_index"):
        assert np.isin(found[name], range(2, 6)).all()


def test_the_loss_falls_and_gradients_reach_every_weight():
    model = answerer(Beam())
    rows = batch(3, start_positions=np.array([1, 2, 3], "int32"), answer_mask=np.zeros((ROWS, LENGTH), "int32"))
    ends, impossible = np.array([2, 2, 5]), np.array([0.0, 1.0, 0.0])
    weights, optimizer, losses = model.trainable_weights, keras.optimizers.SGD(0.05), []
    for _ in range(8):
        with tf.GradientTape() as tape:
            loss = answer_loss(model(rows), rows["start_positions"], ends, impossible)
        gradients = tape.gradient(loss, [weight.value for weight in weights], unconnected_gradients="zero")
        if not losses:
            dead = [weight.path for weight, gradient in zip(weights, gradients, strict=True)
                    if not float(tf.norm(gradient)) > 0]
        optimizer.apply(gradients, weights)
        losses.append(float(loss))
    assert losses[-1] < losses[0] and np.isfinite(losses).all()
    assert all("segment" in path or path.endswith(("target", "start/bias", "end/bias")) for path in dead)


def test_a_short_text_has_fewer_starts(model):
    found = model({"token_ids": np.array([[4, 5]])})
    assert {name: tuple(array.shape) for name, array in found.items()} == {
        "start_top_probabilities": (1, 2), "start_top_index": (1, 2), "end_top_probabilities": (1, 4),
        "end_top_index": (1, 4), "cls_logits": (1,)}


def test_it_runs_in_a_graph(model):
    rows = batch(4)
    found = tf.function(model)({"token_ids": tf.constant(rows["token_ids"], "int32")})
    for name, array in model(rows).items():
        np.testing.assert_allclose(found[name], array, atol=1e-6)


def test_a_bundle_keeps_it(model, tmp_path):
    bundle.save(tmp_path / "bundle", model, None, Card("tiny", "answer", bundle.describe(model)))
    copy = checkpoints.load(tmp_path / "bundle")
    assert isinstance(copy, BeamQuestionAnswering) and copy.kinds == {"beam": Beam(starts=3, ends=2)}
    for name, array in model(batch()).items():
        np.testing.assert_array_equal(copy(batch())[name], array)


@pytest.mark.parametrize("entries, words", [
    ({"cls_index": [0, 1]}, r"cls_index=\[0, 1\]; wanted one whole number of 0 to 7 for each of 3 rows"),
    ({"cls_index": np.array([0, 1, 8])}, r"cls_index=\[0, 1, 8\]"),
    ({"start_positions": [0, -1, 2]}, r"start_positions=\[0, -1, 2\]"),
    ({"start_positions": [0.5, 1, 2]}, r"start_positions=\[0.5"),
    ({"answer_mask": np.zeros((ROWS, LENGTH - 1))}, r"answer_mask has shape \(3, 7\)"),
    ({"answer_mask": np.full((ROWS, LENGTH), 2)}, "answer_mask holds 2")])
def test_a_wrong_entry_is_named(model, entries, words):
    with pytest.raises(Error, match=words):
        model(batch(**entries))


# ---------------------------------------------------------------------------------------- reference

NAMES = {"input_ids": "token_ids", "token_type_ids": "segment_ids", "attention_mask": "padding_mask",
         "p_mask": "answer_mask", "cls_index": "cls_index", "start_positions": "start_positions"}


def recorded(folder, call):
    arrays = dict(np.load(folder / f"ref_{call}.npz"))
    return {ours: arrays[f"in/{theirs}"] for theirs, ours in NAMES.items() if f"in/{theirs}" in arrays}, arrays


def test_recorded_answers(shared):
    """Tokens that are barred have probability 0, and which of several such comes first is nobody's business."""
    folder = shared("checkpoints/xlnet/qa")
    rows, wanted = recorded(folder, "beam")
    found = checkpoints.load(folder)(rows)
    possible = wanted["out/start_top_log_probs"] > 0
    both = np.tile(possible, (1, 5)) & (wanted["out/end_top_log_probs"] > 0)
    assert possible.sum() >= 10 and both.sum() >= 50
    for ours, theirs, keep in (("start_top_probabilities", "start_top_log_probs", possible),
                               ("start_top_index", "start_top_index", possible),
                               ("end_top_probabilities", "end_top_log_probs", both),
                               ("end_top_index", "end_top_index", both), ("cls_logits", "cls_logits", slice(None))):
        np.testing.assert_allclose(np.asarray(found[ours])[keep], wanted[f"out/{theirs}"][keep], atol=2e-5)


def test_recorded_loss(shared):
    folder = shared("checkpoints/xlnet/qa")
    rows, wanted = recorded(folder, "train")
    loss = answer_loss(checkpoints.load(folder)(rows), rows["start_positions"], wanted["in/end_positions"],
                       wanted["in/is_impossible"])
    assert abs(float(loss) - float(wanted["out/loss"])) < 2e-5
