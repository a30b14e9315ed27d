"""Masking statistics against the specification; the loss against numpy."""

import keras
import numpy as np
import pytest

from bertkit.encoder import Encoder
from bertkit.errors import Error
from bertkit.objectives import MLM, Pretrainer
from bertkit.training.optimizer import adamw
from tests import tiny

ROWS, LENGTH = 400, 30
CHOICES = ["tokens", "words", "ngrams", "spans"]
PIECE = np.array([entry.startswith("##") for entry in tiny.VOCABULARY])


@pytest.fixture(scope="module")
def batch():
    rng = np.random.default_rng(0)
    lengths = rng.integers(3, LENGTH + 1, ROWS)
    mask = (np.arange(LENGTH) < lengths[:, None]).astype("int32")
    ids = np.where(mask, rng.integers(5, len(tiny.VOCABULARY), mask.shape), 0).astype("int32")
    ids[:, 0], ids[np.arange(ROWS), lengths - 1] = 2, 3
    return {"token_ids": ids, "segment_ids": np.zeros_like(mask), "padding_mask": mask,
            "keys": np.arange(ROWS) * 31 + 2**40}


def places(found, length=LENGTH):
    """Return which tokens a batch has chosen, bool [B,T]."""
    chosen = np.zeros((len(found["masked_weights"]), length), bool)
    rows, slots = np.nonzero(found["masked_weights"])
    chosen[rows, found["masked_positions"][rows, slots]] = True
    return chosen


@pytest.mark.parametrize("choice", CHOICES)
def test_counts_positions_and_labels(batch, choice):
    found = MLM(tiny.tokenizer(), choice=choice).corrupt(batch)
    for row in range(ROWS):
        real = found["masked_weights"][row] > 0
        tokens = int(batch["padding_mask"][row].sum())
        most = min(max(1, round(0.15 * tokens)), tokens - 2)
        wanted = np.ceil(0.15 * (tokens - 2)) if choice == "spans" else most
        assert real.sum() == wanted or choice in ("words", "ngrams") and real.sum() < wanted
        positions = found["masked_positions"][row][real]
        assert len(set(positions)) == len(positions)
        ids = batch["token_ids"][row]
        assert (ids[positions] >= 5).all()                         # never special, never padding
        np.testing.assert_array_equal(found["masked_labels"][row][real], ids[positions])
        untouched = np.setdiff1d(np.arange(LENGTH), positions)
        np.testing.assert_array_equal(found["token_ids"][row][untouched], ids[untouched])


@pytest.mark.parametrize("choice", CHOICES)
def test_eighty_ten_ten(batch, choice):
    kinds, total = np.zeros(3), 0
    mlm, size = MLM(tiny.tokenizer(), choice=choice), len(tiny.VOCABULARY)
    for step in range(10):
        found = mlm.corrupt({**batch, "keys": batch["keys"] + step * 10**6})
        real = found["masked_weights"] > 0
        now = np.take_along_axis(found["token_ids"], found["masked_positions"], 1)[real]
        was = found["masked_labels"][real]
        kinds += [(now == 4).sum(), ((now != 4) & (now != was)).sum(), (now == was).sum()]
        total += len(now)
    # A random token is the mask, or the token itself, once in V draws each. The tokens of a span, at most five here,
    # have one fate.
    expected = np.array([0.8 + 0.1 / size, 0.1 * (1 - 2 / size), 0.1 + 0.1 / size])
    bound = 4 * np.sqrt(expected * (1 - expected) / total * (5 if choice == "spans" else 1))
    assert (np.abs(kinds / total - expected) < bound).all(), kinds / total


def test_whole_words_are_not_torn_and_their_pieces_have_fates_of_their_own(batch):
    chosen, mixed = places(MLM(tiny.tokenizer(), whole_words=True, rate=0.3).corrupt(batch)), 0
    for choice in ("words", "ngrams"):
        found = MLM(tiny.tokenizer(), choice=choice, rate=0.3).corrupt(batch)
        if choice == "words":
            np.testing.assert_array_equal(places(found), chosen)
        ids, now = batch["token_ids"], found["token_ids"]
        joint = PIECE[ids[:, 1:]] & (ids[:, :-1] >= 5)                       # goes on with the word before it
        hidden = places(found)
        assert joint.sum() > 1000 and not (joint & (hidden[:, 1:] != hidden[:, :-1])).any()
        mixed += (joint & hidden[:, 1:] & ((now[:, 1:] == 4) != (now[:, :-1] == 4))).sum()
    assert mixed > 100


def test_a_span_tears_one_word_at_most(batch):
    hidden = places(MLM(tiny.tokenizer(), choice="spans", rate=0.3).corrupt(batch))
    joint = PIECE[batch["token_ids"][:, 1:]] & (batch["token_ids"][:, :-1] >= 5)
    assert not (joint & hidden[:, 1:] & ~hidden[:, :-1]).any()               # none begins inside a word
    torn = (joint & hidden[:, :-1] & ~hidden[:, 1:]).sum(1)
    assert torn.max() == 1 and 0.1 < torn.mean() < 0.9


def test_chosen_independently_each_token_is_by_itself(batch):
    """RoBERTa's way: the number in a row is binomial, and neighbours know nothing of each other."""
    ids = np.random.default_rng(3).integers(5, len(tiny.VOCABULARY), (2000, 102)).astype("int32")
    ids[:, 0], ids[:, -1] = 2, 3
    full = {"token_ids": ids, "padding_mask": np.ones_like(ids)}
    found = MLM(tiny.tokenizer(), selection="independent").corrupt(full)
    hidden = np.zeros_like(ids, bool)
    rows, slots = np.nonzero(found["masked_weights"])
    hidden[rows, found["masked_positions"][rows, slots]] = True
    assert not hidden[:, [0, -1]].any()
    inner = hidden[:, 1:-1]
    assert abs(inner.mean() - 0.15) < 4 * np.sqrt(0.15 * 0.85 / inner.size)
    assert inner.sum(1).var() == pytest.approx(100 * 0.15 * 0.85, rel=0.15)
    assert abs(np.corrcoef(inner[:, :-1].ravel(), inner[:, 1:].ravel())[0, 1]) < 0.02
    counted = MLM(tiny.tokenizer()).corrupt(full)["masked_weights"].sum(1)
    assert counted.var() == 0
    for wrong in ({"selection": "each"}, {"selection": "independent", "choice": "spans"},
                  {"selection": "independent", "whole_words": True}):
        with pytest.raises(Error, match="selection='.*' of .* is unknown; give counted or independent"):
            MLM(tiny.tokenizer(), **wrong)


@pytest.mark.parametrize("choice", CHOICES)
def test_the_share_of_hidden_tokens(batch, choice):
    ids = np.random.default_rng(3).integers(5, len(tiny.VOCABULARY), (300, 102)).astype("int32")
    ids[:, 0], ids[:, -1] = 2, 3
    full = {"token_ids": ids, "padding_mask": np.ones_like(ids)}
    for rate in (0.15, 0.4):
        found = MLM(tiny.tokenizer(), choice=choice, rate=rate).corrupt(full)["masked_weights"].sum() / 300
        assert found == pytest.approx(100 * rate, abs=1.01)


@pytest.mark.parametrize("choice", CHOICES)
def test_a_row_is_a_pure_function_of_seed_and_key(batch, choice):
    mlm = MLM(tiny.tokenizer(), choice=choice, seed=5)
    randint, part = mlm.corrupt(batch), mlm.corrupt({name: value[100:107] for name, value in batch.items()})
    np.testing.assert_array_equal(randint["token_ids"][100:107], part["token_ids"])
    np.testing.assert_array_equal(places(randint)[100:107], places(part))
    again = MLM(tiny.tokenizer(), choice=choice, seed=6).corrupt(batch)
    assert (again["token_ids"] != randint["token_ids"]).any()


def test_without_keys_another_step_has_other_masks(batch):
    features = {name: value for name, value in batch.items() if name != "keys"}

    def positions(step):
        return places(MLM(tiny.tokenizer(), seed=1).corrupt({**features, "step": step}))
    np.testing.assert_array_equal(positions(5), positions(5))
    assert (positions(5) != positions(6)).any()


@pytest.mark.parametrize(("options", "words"), [({"choice": "letters"}, "tokens, words, ngrams, spans"),
                                                ({"rate": 15}, "between 0 and 1")])
def test_wrong_options_are_refused(options, words):
    with pytest.raises(Error, match=words):
        MLM(tiny.tokenizer(), **options)


def test_loss_is_the_mean_over_real_slots():
    rng = np.random.default_rng(1)
    logits = rng.normal(size=(2, 3, 7)).astype("float32")
    labels, weights = np.array([[1, 2, 0], [3, 0, 0]]), np.array([[1.0, 1, 0], [1, 0, 0]], "float32")
    chance = np.log(np.exp(logits).sum(-1)) - np.take_along_axis(logits, labels[..., None], 2)[..., 0]
    found = MLM(tiny.tokenizer()).losses({"mlm_logits": logits}, {"masked_labels": labels, "masked_weights": weights})
    assert float(found["mlm"]) == pytest.approx((chance * weights).sum() / 3, rel=1e-5)


def test_loss_of_the_reference(shared):
    with np.load(shared("checkpoints/objectives.npz")) as file:
        logits, labels, wanted = (file[name] for name in ("student_logits", "labels", "exp/mlm_loss"))
    found = MLM(tiny.tokenizer()).losses({"mlm_logits": logits}, {"masked_labels": np.maximum(labels, 0),
                                                                  "masked_weights": labels >= 0})
    assert float(found["mlm"]) == pytest.approx(float(wanted), rel=1e-6)


class Same:
    """A walk that gives the same rows at each step."""

    def __init__(self, rows):
        self.rows = rows

    def batch(self, step):
        return {**self.rows, "keys": np.arange(len(self.rows["token_ids"])) + 100 * step}


@pytest.mark.slow
def test_pretraining_learns_and_ties_the_decoder(batch):
    keras.utils.set_random_seed(0)
    encoder = Encoder(tiny.CONFIG.but(num_layers=1, dropout=0.0, attention_dropout=0.0))
    pretrainer = Pretrainer(encoder, [MLM(tiny.tokenizer())])
    assert pretrainer.model.count_params() == encoder.count_params() + 16 * 16 + 16 + 2 * 16 + len(tiny.VOCABULARY)
    pretrainer.compile(adamw(1e-2, 60))
    data = pretrainer.dataset(Same({name: value[:4] for name, value in batch.items()}))
    history = pretrainer.fit(data, steps_per_epoch=20, epochs=3, verbose=0, shuffle=False).history["loss"]
    assert history[-1] < history[0] - 0.3
