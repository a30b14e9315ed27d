"""Vectors of texts: pooling against plain numpy, padding, groups, bundles."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bertkit import checkpoints
from bertkit.card import Card
from bertkit.checkpoints import bundle
from bertkit.encoder import Encoder
from bertkit.errors import Error
from bertkit.heads import SentenceEmbedder
from tests import tiny
from tests.lazy import Lazy

NUMPY = {"mean": lambda tokens: tokens.mean(axis=0), "cls": lambda tokens: tokens[0],
         "max": lambda tokens: tokens.max(axis=0), "lasttoken": lambda tokens: tokens[-1],
         "mean_sqrt_len": lambda tokens: tokens.sum(axis=0) / len(tokens) ** 0.5,
         "weightedmean": lambda tokens: np.average(tokens, axis=0, weights=np.arange(1, len(tokens) + 1)),
         "max+cls": lambda tokens: np.concatenate([tokens.max(axis=0), tokens[0]])}


def embedder(pooling="mean", normalize=False, **options):
    keras.utils.set_random_seed(0)
    encoder = Encoder(tiny.CONFIG, **{name: value for name, value in options.items() if name != "projections"})
    return SentenceEmbedder(encoder, pooling, normalize, **options)


EMBEDDERS = Lazy(embedder, NUMPY)


def padded(rows, length, left=False):
    """Return a batch of rows of ids with arbitrary ids where the padding is."""
    batch = {"token_ids": np.full((len(rows), length), 7), "padding_mask": np.zeros((len(rows), length), "int32")}
    for place, row in enumerate(rows):
        real = slice(length - len(row), length) if left else slice(0, len(row))
        batch["token_ids"][place, real], batch["padding_mask"][place, real] = row, 1
    return batch


ROWS = st.lists(st.lists(st.integers(5, 40), min_size=1, max_size=6), min_size=1, max_size=4)


@settings(max_examples=8, deadline=None)
@given(rows=ROWS, more=st.integers(0, 4), left=st.booleans(), pooling=st.sampled_from(sorted(NUMPY)))
def test_a_vector_is_that_of_the_real_tokens(rows, more, left, pooling):
    model, batch = EMBEDDERS[pooling], padded(rows, 6 + more, left)
    tokens = np.asarray(model.encoder(batch)["sequence"])
    wanted = [NUMPY[pooling](row[mask == 1]) for row, mask in zip(tokens, batch["padding_mask"], strict=True)]
    np.testing.assert_allclose(model(batch), wanted, atol=1e-6)


@pytest.mark.parametrize("pooling", NUMPY)
def test_padding_on_the_right_changes_nothing(pooling):
    rows = [[5, 6, 7, 8], [9, 10]]
    np.testing.assert_allclose(EMBEDDERS[pooling](padded(rows, 4)), EMBEDDERS[pooling](padded(rows, 9)), atol=1e-6)


def test_without_a_mask_every_token_counts():
    token_ids = np.array([[5, 6, 7], [8, 9, 10]])
    for model in EMBEDDERS.values():
        np.testing.assert_allclose(model({"token_ids": token_ids}),
                                   model({"token_ids": token_ids, "padding_mask": np.ones((2, 3), "int32")}), atol=1e-6)


def test_normalised_vectors_have_length_1_and_the_same_direction():
    batch = padded([[5, 6], [7, 8, 9]], 4)
    plain, found = np.asarray(embedder()(batch)), np.asarray(embedder(normalize=True)(batch))
    np.testing.assert_allclose(found, plain / np.linalg.norm(plain, axis=1, keepdims=True), atol=1e-6)


def test_projections_follow_the_pooling():
    model = embedder("cls+mean", normalize=True, projections=[{"width": 5, "activation": "tanh"},
                                                              {"width": 3, "bias": False}])
    for weight in model.weights[-3:]:
        weight.assign(np.random.default_rng(len(weight.shape)).normal(size=weight.shape))
    (first, bias, second), batch = model.weights[-3:], padded([[5, 6], [7, 8, 9]], 4)
    found = np.tanh(np.asarray(embedder("cls+mean")(batch)) @ np.asarray(first) + np.asarray(bias)) @ np.asarray(second)
    np.testing.assert_allclose(model(batch), found / np.linalg.norm(found, axis=1, keepdims=True), atol=1e-5)
    assert model.width == 3 and embedder("cls+mean").width == 2 * tiny.CONFIG.hidden_dim


@pytest.mark.parametrize("wrong", [3, {}, {"width": 0}, {"width": 3, "activation": "sigmoid"},
                                   {"width": 3, "more": 1}, {"width": 3, "bias": 1}])
def test_a_malformed_projection_is_refused(wrong):
    with pytest.raises(Error, match="The projection"):
        embedder(projections=[wrong])


def test_groups_are_their_rows():
    batch = padded([[5, 6], [7], [8, 9, 10], [11, 12], [13], [14, 15]], 4)
    groups = {name: values.reshape(2, 3, 4) for name, values in batch.items()}
    found = np.asarray(EMBEDDERS["mean"](groups))
    assert found.shape == (2, 3, tiny.CONFIG.hidden_dim)
    np.testing.assert_allclose(found.reshape(6, -1), EMBEDDERS["mean"](batch), atol=1e-6)


def test_vectors_are_whole_precision_under_half():
    found = embedder(dtype="mixed_bfloat16")(padded([[5, 6]], 2))
    assert keras.backend.standardize_dtype(found.dtype) == "float32"


def test_a_bundle_keeps_the_pooling(tmp_path):
    model = embedder("max", normalize=True)
    card = Card(name="vectors", task="embed", recipe="embed", knobs={}, scores={}, data={}, model={})
    bundle.save(tmp_path / "vectors", model, tiny.tokenizer(), card)
    again = checkpoints.load(tmp_path / "vectors")
    assert (again.pooling, again.normalize) == ("max", True)
    np.testing.assert_array_equal(again(padded([[5, 6]], 3)), model(padded([[5, 6]], 3)))


def test_another_pooling_is_refused():
    with pytest.raises(Error, match="pooling='sum'; wanted one of mean, cls, max"):
        embedder("sum")


@pytest.mark.parametrize("shape", [(1, 2), (1, 2, 2)])
def test_ids_without_a_row_are_named(shape):
    with pytest.raises(Error, match="token_ids holds 999"):
        EMBEDDERS["mean"]({"token_ids": np.full(shape, 999)})
