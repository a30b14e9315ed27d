"""Embeddings of a token and its neighbours, against numpy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bertkit.config import EncoderConfig
from bertkit.kinds import Bottleneck, Trigram
from bertkit.layers.trigram import TrigramEmbeddings
from tests.layers.drawn import dense, drawn, layer_norm, named

CONFIG = EncoderConfig(vocabulary_size=9, num_layers=1, num_heads=2, hidden_dim=6, intermediate_dim=5, embedding_dim=4,
                       max_sequence_length=8, layer_norm_epsilon=0.3, inputs=Trigram(), block=Bottleneck(4))


def embeddings(**changes):
    return drawn(TrigramEmbeddings(CONFIG.but(**changes), dtype="float64", name="embeddings"), (None, None))


def by_numpy(w, ids, segments=None, positions=None, neighbours=True, projected=True, affine=True):
    """Return family-spec 3.5, one token at a time."""
    rows = []
    for row, text in enumerate(ids):
        words = [np.zeros_like(w["token/embeddings"][0]), *w["token/embeddings"][text], 0 * w["token/embeddings"][0]]
        for i in range(len(text)):
            x = np.concatenate([words[i + 2], words[i + 1], words[i]]) if neighbours else words[i + 1]
            x = dense(w, "projection", x) if projected else x
            x = x + w["position/embeddings"][i if positions is None else positions[row][i]]
            x = x + (w["segment/embeddings"][0 if segments is None else segments[row][i]]
                     if "segment/embeddings" in w else 0)
            rows.append(x * w["norm/gamma"] + w["norm/beta"] if affine else layer_norm(w, "norm", x, 1e-5))
    return np.reshape(rows, (len(ids), -1, 6))


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), length=st.integers(1, 8))
def test_equals_numpy_in_double_precision(seed, length):
    rng, layer = np.random.default_rng(seed), embeddings()
    ids, segments, positions = (rng.integers(0, most, (2, length)) for most in (9, 2, 8))
    for batch in ({}, {"segment_ids": segments}, {"segment_ids": segments, "position_ids": positions}):
        np.testing.assert_allclose(layer({"token_ids": ids, **batch}), by_numpy(named(layer), ids, *batch.values()),
                                   atol=1e-9)


@pytest.mark.parametrize("changes, form", [
    ({"inputs": Trigram(neighbours=False)}, {"neighbours": False}),
    ({"inputs": Trigram(neighbours=False), "embedding_dim": 6}, {"neighbours": False, "projected": False}),
    ({"embedding_dim": None}, {}), ({"num_segments": 0}, {}),
    ({"block": Bottleneck(4, affine=False)}, {"affine": False})], ids=str)
def test_other_forms_equal_numpy(changes, form):
    layer, ids = embeddings(**changes), np.array([[3, 1, 0], [8, 8, 2]])
    np.testing.assert_allclose(layer({"token_ids": ids}), by_numpy(named(layer), ids, **form), atol=1e-9)


def test_an_unused_projection_is_kept_and_not_trained():
    layer = embeddings(inputs=Trigram(neighbours=False), embedding_dim=6)
    assert layer.projection.kernel.shape == (6, 6)
    for each, trained in ((layer, False), (embeddings(), True)):
        assert any("projection" in weight.path for weight in each.trainable_weights) == trained


@pytest.mark.parametrize("fault", [
    lambda w, ids: by_numpy(w, ids[:, ::-1])[:, ::-1], lambda w, ids: by_numpy(w, ids, neighbours=True, affine=False),
    lambda w, ids: by_numpy(w, ids, segments=np.ones_like(ids))], ids=["order", "norm", "segment"])
def test_a_planted_fault_is_seen(fault):
    layer, ids = embeddings(), np.array([[3, 1, 0], [8, 8, 2]])
    assert np.abs(layer({"token_ids": ids}) - fault(named(layer), ids)).max() > 1e-2
