"""The sum of three tables, normalised: against numpy."""

import numpy as np
import pytest

from bertkit.config import EncoderConfig
from bertkit.kinds import Absolute, Summed
from bertkit.layers.embeddings import AbsolutePosition, Embeddings

CONFIG = EncoderConfig(vocabulary_size=20, num_layers=1, num_heads=2, hidden_dim=6, intermediate_dim=10,
                       max_sequence_length=9, num_segments=3, layer_norm_epsilon=1e-2)
IDS = np.array([[4, 0, 19], [7, 7, 7]])
SEGMENTS = np.array([[0, 1, 2], [2, 0, 0]])
POSITIONS = np.array([[8, 0, 3], [1, 1, 1]])


def batch(segments, positions):
    given = {"token_ids": IDS, "segment_ids": segments, "position_ids": positions}
    return {name: value for name, value in given.items() if value is not None}


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
    np.testing.assert_allclose(embeddings(batch(segments, positions)), wanted, atol=1e-5)


def test_a_planted_fault_is_seen(embeddings):
    found = np.asarray(embeddings(batch(SEGMENTS, POSITIONS)))
    assert np.abs(found - by_numpy(embeddings, SEGMENTS, POSITIONS[:, ::-1])).max() > 1e-2
    assert np.abs(found - by_numpy(embeddings, SEGMENTS % 2, POSITIONS)).max() > 1e-2


def test_positions_counted_from_the_pad_id_skip_padding_wherever_it_stands():
    """Liu et al. 2019's code: real tokens from pad + 1 on, padding at pad, whatever a mask says."""
    layer = AbsolutePosition(CONFIG.but(positions=Absolute(pad_id=2)), 6)
    layer.build()
    layer.table.assign(np.arange(9 * 6).reshape(9, 6))
    ids = np.array([[5, 2, 7, 8], [2, 2, 4, 4]])
    np.testing.assert_array_equal(np.asarray(layer(ids))[:, :, 0] / 6, [[3, 2, 4, 5], [2, 2, 3, 4]])


def test_a_narrow_table_is_projected_tokens_scaled_and_segments_left_out():
    layer = Embeddings(CONFIG.but(embedding_dim=4, num_segments=0, inputs=Summed(scaled=True)))
    layer.build((None, None))
    rng = np.random.default_rng(1)
    for weight in layer.trainable_weights:
        weight.assign(rng.standard_normal(weight.shape))
    x = np.asarray(layer.token.embeddings)[IDS] * 2 + np.asarray(layer.position.table)[:3]
    x = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-2)
    x = x * np.asarray(layer.norm.gamma) + np.asarray(layer.norm.beta)
    wanted = x @ np.asarray(layer.projection.kernel) + np.asarray(layer.projection.bias)
    np.testing.assert_allclose(layer(batch(SEGMENTS, None)), wanted, atol=1e-5)


@pytest.mark.parametrize("early", [True, False])
def test_dropout_stands_before_the_norm_where_the_paper_says_so(early):
    layer = Embeddings(CONFIG.but(inputs=Summed(early_dropout=early)))
    layer.drop = lambda x, training: 0 * x
    found = np.asarray(layer(batch(None, None), training=True))
    assert (found == 0).all()           # a norm of zeros is its beta, zeros at the start
    layer.norm.beta.assign(np.ones(6))
    assert (np.asarray(layer(batch(None, None), training=True)) == (1 if early else 0)).all()


def test_an_encoder_with_one_segment_takes_all_tokens_for_its_own():
    layer = Embeddings(CONFIG.but(num_segments=1), name="embeddings")
    layer.build((None, None))
    np.testing.assert_array_equal(layer(batch(SEGMENTS, None)), layer(batch(None, None)))
