"""The sum of three tables, normalised: against numpy."""

import numpy as np
import pytest

from bertkit.config import EncoderConfig
from bertkit.layers.embeddings import Embeddings

CONFIG = EncoderConfig(vocabulary_size=20, num_layers=1, num_heads=2, hidden_dim=6, intermediate_dim=10,
                       max_sequence_length=9, num_segments=3, layer_norm_epsilon=1e-2)
IDS = np.array([[4, 0, 19], [7, 7, 7]])
SEGMENTS = np.array([[0, 1, 2], [2, 0, 0]])
POSITIONS = np.array([[8, 0, 3], [1, 1, 1]])


@pytest.fixture(scope="module")
def embeddings():
    layer = Embeddings(CONFIG, name="embeddings")
    layer.build((None, None))
    rng = np.random.default_rng(1)
    for weight in layer.trainable_weights:
        weight.assign(rng.standard_normal(weight.shape))
    return layer


def by_numpy(layer, segments, positions):
    token, segment, position = (np.asarray(table) for table in (
        layer.token.embeddings, layer.segment.embeddings, layer.position.table))
    x = (token[IDS] + segment[segments] + position[positions]).astype("float64")
    x = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-2)
    return x * np.asarray(layer.norm.gamma) + np.asarray(layer.norm.beta)


@pytest.mark.parametrize("segments", [None, SEGMENTS])
@pytest.mark.parametrize("positions", [None, POSITIONS])
def test_equals_numpy(embeddings, segments, positions):
    wanted = by_numpy(embeddings, np.zeros_like(IDS) if segments is None else segments,
                      np.arange(3) if positions is None else positions)
    np.testing.assert_allclose(embeddings(IDS, segments, positions), wanted, atol=1e-5)


def test_a_planted_fault_is_seen(embeddings):
    found = np.asarray(embeddings(IDS, SEGMENTS, POSITIONS))
    assert np.abs(found - by_numpy(embeddings, SEGMENTS, POSITIONS[:, ::-1])).max() > 1e-2
    assert np.abs(found - by_numpy(embeddings, SEGMENTS % 2, POSITIONS)).max() > 1e-2
