"""Disentangled attention: against numpy in double precision, pair by pair, and the buckets against whole numbers."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bertkit.config import EncoderConfig
from bertkit.errors import Error
from bertkit.kinds import Disentangled
from bertkit.layers.disentangled_attention import DisentangledAttention, DistanceVectors, log_buckets
from tests.layers.drawn import dense, drawn, layer_norm, named

pytestmark = pytest.mark.filterwarnings("ignore:You are using a softmax over axis -1")
KINDS = {"published": Disentangled(4, 9), "own matrices": Disentangled(4, 9, shared=False, norm=False),
         "every distance": Disentangled(None, 4), "to places": Disentangled(4, 9, from_places=False),
         "from places": Disentangled(4, 9, to_places=False, shared=False),
         "content alone": Disentangled(4, 9, to_places=False, from_places=False)}
CONFIG = EncoderConfig(vocabulary_size=9, num_layers=1, num_heads=2, hidden_dim=8, intermediate_dim=16)
X = np.random.default_rng(1).standard_normal((2, 13, 8))
MASK = np.array([[1] * 13, [0, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 1]])


def bucket(distance, buckets, farthest):
    """Return the bucket of a distance, by whole numbers alone where logarithms would be on an edge."""
    n, half = abs(distance), buckets // 2
    if n <= half:
        return distance
    # the least k with n / m <= ((farthest - 1) / m) ** (k / (m - 1))
    k = next(k for k in range(100 * half) if n ** (half - 1) * half ** k <= half ** (half - 1) * (farthest - 1) ** k)
    return (half + k) * (1 if distance > 0 else -1)


@pytest.mark.parametrize("buckets, farthest", [(256, 512), (16, 96), (4, 32), (64, 300)])
def test_buckets_are_those_of_the_definition(buckets, farthest):
    found = log_buckets(buckets, farthest)
    most = len(found) // 2
    for distance in range(-farthest - 40, farthest + 40):
        ours = found[np.clip(distance, -most, most) + most]
        assert np.clip(ours, -buckets, buckets) == np.clip(bucket(distance, buckets, farthest), -buckets, buckets)


def test_without_buckets_every_distance_is_its_own():
    assert log_buckets(None, 3).tolist() == [-3, -2, -1, 0, 1, 2, 3]
    with pytest.raises(Error, match="distances up to 8 have buckets of their own"):
        log_buckets(16, 9)


def layers(kind, dtype="float64"):
    config = CONFIG.but(attention=kind)
    table = drawn(DistanceVectors(config, kind, dtype=dtype, name="distances"), (None, None), seed=3)
    return table, drawn(DisentangledAttention(config, kind, dtype=dtype, name="attention"), (None, None, 8))


def by_numpy(kind, t, w, x, mask):
    """Return (output, probabilities), pair by pair."""
    rows, length, _ = x.shape
    vectors = layer_norm(t, "norm", t["embeddings"], 1e-12) if kind.norm else t["embeddings"]
    key_name, query_name = ("key", "query") if kind.shared else ("place_key", "place_query")
    query, key, value = (dense(w, name, x).reshape(rows, length, 2, 4) for name in ("query", "key", "value"))
    place_key = dense(w, key_name, vectors).reshape(-1, 2, 4) if kind.to_places else None
    place_query = dense(w, query_name, vectors).reshape(-1, 2, 4) if kind.from_places else None
    probabilities, merged = np.zeros((rows, 2, length, length)), np.zeros((rows, length, 2, 4))
    scale = (4 * (1 + kind.to_places + kind.from_places)) ** 0.5
    for row, head, i in np.ndindex(rows, 2, length):
        seen, scores = [j for j in range(length) if mask[row, j]], []
        for j in seen:
            d = i - j if kind.buckets is None else bucket(i - j, kind.buckets, kind.farthest)
            place = np.clip(d + kind.span, 0, 2 * kind.span - 1)
            score = query[row, i, head] @ key[row, j, head]
            score += query[row, i, head] @ place_key[place, head] if kind.to_places else 0
            score += key[row, j, head] @ place_query[place, head] if kind.from_places else 0
            scores.append(score / scale)
        weights = np.exp(scores) / np.exp(scores).sum()
        probabilities[row, head, i, seen] = weights
        merged[row, i, head] = weights @ value[row, seen, head]
    return dense(w, "output", merged.reshape(x.shape)), probabilities


@pytest.mark.parametrize("name", KINDS)
def test_equals_numpy_in_double_precision(name):
    table, attention = layers(KINDS[name])
    found = attention(X, context={"padding_mask": MASK, "distances": table(np.zeros(X.shape[:2], "int32"))}, trace=True)
    for ours, theirs in zip(found, by_numpy(KINDS[name], named(table), named(attention), X, MASK), strict=True):
        np.testing.assert_allclose(np.asarray(ours), theirs, atol=1e-12)


@settings(max_examples=12, deadline=None)
@given(st.sampled_from(sorted(KINDS)), st.integers(1, 20), st.integers(0, 99))
def test_rows_that_are_asked_for_are_those_of_all(name, length, seed):
    rng = np.random.default_rng(seed)
    table, attention = layers(KINDS[name], "float32")
    x, mask = rng.standard_normal((2, length, 8)).astype("float32"), rng.integers(0, 2, (2, length))
    context = {"padding_mask": mask, "distances": table(np.zeros((1, length), "int32"))}
    wanted, places = np.asarray(attention(x, context=context)), rng.integers(0, length, (2, 3)).astype("int32")
    found = np.asarray(attention(x, context={**context, "query_positions": keras.ops.convert_to_tensor(places)}))
    np.testing.assert_allclose(found, np.take_along_axis(wanted, places[:, :, None], 1), atol=1e-5)
    first = attention(x, context={**context, "query_positions": keras.ops.convert_to_tensor(0)})
    np.testing.assert_allclose(np.asarray(first), wanted[:, :1], atol=1e-5)


def test_vectors_of_distances_are_dropped_in_training():
    config = CONFIG.but(attention=KINDS["published"], dropout=0.5, attention_dropout=0.0)
    table, attention = layers(KINDS["published"], "float32")
    attention = drawn(DisentangledAttention(config, KINDS["published"], name="attention"), (None, None, 8))
    context = {"distances": table(np.zeros((1, 13), "int32"))}
    x = X.astype("float32")
    still, moved = (np.asarray(attention(x, context=context, training=each)) for each in (False, True))
    assert np.abs(still - moved).max() > 1e-3


def test_without_distances_it_says_who_gives_them():
    with pytest.raises(Error, match="an encoder gives them to its blocks"):
        layers(KINDS["published"])[1](X)
