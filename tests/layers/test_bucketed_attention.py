"""Attention with a bias by distance: against numpy in double precision, and the buckets against their definition."""

import math

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bertkit.config import EncoderConfig
from bertkit.errors import Error
from bertkit.kinds import Bucketed
from bertkit.layers.bucketed_attention import BucketedAttention, DistanceBias, distance_buckets
from tests.layers.drawn import dense, drawn, named

pytestmark = pytest.mark.filterwarnings("ignore:You are using a softmax over axis -1")
KIND = Bucketed(buckets=8, farthest=6)
CONFIG = EncoderConfig(vocabulary_size=9, num_layers=1, num_heads=2, hidden_dim=8, intermediate_dim=16, attention=KIND)
X = np.random.default_rng(1).standard_normal((2, 11, 8))
MASK = np.array([[1] * 11, [0, 1, 1, 1, 1, 0, 0, 0, 0, 0, 1]])


def bucket(distance, buckets, farthest):
    """Return the bucket of a distance to a key, by whole numbers alone where logarithms would be on an edge."""
    half, n = buckets // 2, abs(distance)
    exact = half // 2
    later = half if distance > 0 else 0
    if n < exact:
        return later + n
    # e + k is right for the largest k with (farthest / e)^(k / (half - e)) <= n / e
    steps = max(k for k in range(half) if n ** (half - exact) * exact ** k >= farthest ** k * exact ** (half - exact))
    return later + min(half - 1, exact + steps)


@pytest.mark.parametrize("buckets, farthest", [(32, 128), (8, 6), (16, 50), (64, 256), (4, 2)])
def test_buckets_are_those_of_the_definition(buckets, farthest):
    found = distance_buckets(buckets, farthest)
    wanted = [bucket(distance, buckets, farthest) for distance in range(-farthest, farthest + 1)]
    assert found.tolist() == wanted
    assert found.max() == buckets - 1 and found[0] == buckets // 2 - 1


def test_all_of_32_buckets_are_t5s():
    """Raffel et al. 2020, section 2.1: as many for each side, growing by their logarithm up to 128."""
    found = distance_buckets(32, 128)
    ahead = [math.floor(8 + math.log(n / 8) / math.log(16) * 8 + 1e-9) for n in range(8, 128)]
    assert found[128:136].tolist() == [0, *range(17, 24)] and found[136:256].tolist() == [16 + each for each in ahead]


@pytest.mark.parametrize("buckets, farthest", [(2, 9), (8, 2)])
def test_buckets_without_room_are_refused(buckets, farthest):
    with pytest.raises(Error, match="give 4 buckets or more"):
        distance_buckets(buckets, farthest)


def layers(dtype="float64"):
    table = drawn(DistanceBias(CONFIG, KIND, dtype=dtype, name="distances"), (None, None), seed=3)
    return table, drawn(BucketedAttention(CONFIG, KIND, dtype=dtype, name="attention"), (None, None, 8))


def by_numpy(table, w, x, mask):
    """Return (output, probabilities), pair by pair."""
    rows, length, _ = x.shape
    query, key, value = (dense(w, name, x).reshape(rows, length, 2, 4) for name in ("query", "key", "value"))
    probabilities, merged = np.zeros((rows, 2, length, length)), np.zeros((rows, length, 2, 4))
    for row, head, i in np.ndindex(rows, 2, length):
        seen = [j for j in range(length) if mask[row, j]]
        scores = np.array([query[row, i, head] @ key[row, j, head] / 2 + table[bucket(j - i, 8, 6), head]
                           for j in seen])
        weights = np.exp(scores) / np.exp(scores).sum()
        probabilities[row, head, i, seen] = weights
        merged[row, i, head] = weights @ value[row, seen, head]
    return dense(w, "output", merged.reshape(x.shape)), probabilities


def test_equals_numpy_in_double_precision():
    table, attention = layers()
    ids = np.zeros(X.shape[:2], "int32")
    found = attention(X, context={"padding_mask": MASK, "distances": table(ids)}, trace=True)
    for ours, theirs in zip(found, by_numpy(named(table)["embeddings"], named(attention), X, MASK), strict=True):
        np.testing.assert_allclose(np.asarray(ours), theirs, atol=1e-12)


@settings(max_examples=10, deadline=None)
@given(st.integers(1, 20), st.integers(0, 99))
def test_rows_that_are_asked_for_are_those_of_all(length, seed):
    rng = np.random.default_rng(seed)
    table, attention = layers("float32")
    x, mask = rng.standard_normal((2, length, 8)).astype("float32"), rng.integers(0, 2, (2, length))
    context = {"padding_mask": mask, "distances": table(np.zeros((1, length), "int32"))}
    wanted, places = np.asarray(attention(x, context=context)), rng.integers(0, length, (2, 3)).astype("int32")
    found = np.asarray(attention(x, context={**context, "query_positions": keras.ops.convert_to_tensor(places)}))
    np.testing.assert_allclose(found, np.take_along_axis(wanted, places[:, :, None], 1), atol=1e-5)
    first = attention(x, context={**context, "query_positions": keras.ops.convert_to_tensor(0)})
    np.testing.assert_allclose(np.asarray(first), wanted[:, :1], atol=1e-5)


def test_without_distances_it_says_who_gives_them():
    with pytest.raises(Error, match="an encoder gives them to its blocks"):
        layers()[1](X)
