"""Grouped attention: against numpy with complex numbers, one head of keys for each group of queries."""

import numpy as np
import pytest

from bertkit.config import EncoderConfig
from bertkit.errors import Error
from bertkit.kinds import Grouped, Rotary
from bertkit.layers.grouped_attention import GroupedAttention
from bertkit.layers.rotary_attention import RotaryAttention
from tests.layers.drawn import dense, drawn, named

pytestmark = pytest.mark.filterwarnings("ignore:You are using a softmax over axis -1")
CONFIG = EncoderConfig(vocabulary_size=9, num_layers=1, num_heads=6, hidden_dim=24, intermediate_dim=16)
X = np.random.default_rng(1).standard_normal((2, 7, 24))
MASK = np.array([[1, 1, 1, 1, 1, 1, 1], [0, 1, 1, 1, 0, 0, 0]])
PLACES = np.array([[3, 4, 5, 9, 10, 11, 30], [0, 0, 1, 2, 3, 4, 5]])


def layer(kind, **changes):
    return drawn(GroupedAttention(CONFIG.but(**changes), kind, dtype="float64", name="attention"), (None, None, 24))


def by_numpy(w, kind, x, mask=None, places=None, group=None):
    """Return (output, probabilities); pairs of features (k, k + 2) are complex numbers, `group` is m of head n."""
    (rows, length, _), heads = x.shape, kind.key_heads or 6
    mask = np.ones((rows, length)) if mask is None else mask
    places = np.broadcast_to(np.arange(length), (rows, length)) if places is None else places
    group = group or (lambda n: n * heads // 6)
    merged, probabilities = np.zeros((rows, length, 24)), np.zeros((rows, 6, length, length))
    for n in range(6):
        mine, shared = slice(4 * n, 4 * n + 4), slice(4 * group(n), 4 * group(n) + 4)
        query, key = dense(w, "query", x)[..., mine], dense(w, "key", x)[..., shared]
        query, key = ((z[..., :2] + 1j * z[..., 2:]) * np.exp(1j * places[..., None] * kind.base ** -np.array([0, 0.5]))
                      for z in (query, key))
        scores = np.exp(np.einsum("bik,bjk->bij", query.conj(), key).real / 2) * mask[:, None]
        probabilities[:, n] = scores / scores.sum(-1, keepdims=True)
        merged[..., mine] = probabilities[:, n] @ dense(w, "value", x)[..., shared]
    return dense(w, "output", merged), probabilities


@pytest.mark.parametrize("heads", [1, 2, 3, 6, None])
@pytest.mark.parametrize("places", [None, PLACES], ids=["counted", "given"])
def test_equals_numpy_in_double_precision(heads, places):
    kind = Grouped(base=50.0, key_heads=heads)
    attention = layer(kind, qkv_bias=heads != 2)
    context = {"padding_mask": MASK} if places is None else {"padding_mask": MASK, "position_ids": places}
    found = attention(X, context=context, trace=True)
    for ours, theirs in zip(found, by_numpy(named(attention), kind, X, MASK, places), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)             # angles are float32
    assert ("query/bias" in named(attention)) == ("output/bias" in named(attention)) == (heads != 2)


@pytest.mark.parametrize("fault", [
    lambda w: by_numpy(w, Grouped(50.0, 2), X, MASK, group=lambda n: n % 2), lambda w: by_numpy(w, Grouped(50.0, 2), X),
    lambda w: by_numpy(w, Grouped(10.0, 2), X, MASK), lambda w: by_numpy(w, Grouped(50.0, 2), X, MASK, 2 * PLACES)],
    ids=["groups", "no mask", "base", "positions"])
def test_a_planted_fault_is_seen(fault):
    attention = layer(Grouped(50.0, 2))
    found = np.asarray(attention(X, context={"padding_mask": MASK}))
    assert np.abs(found - fault(named(attention))[0])[MASK > 0].max() > 1e-3


def test_with_a_head_of_keys_for_each_of_queries_it_is_rotary_attention():
    grouped = layer(Grouped(50.0))
    rotary = drawn(RotaryAttention(CONFIG, Rotary(50.0), dtype="float64", name="attention"), (None, None, 24))
    w = named(grouped)
    for part in ("kernel", "bias"):
        joint = np.concatenate([w[f"{name}/{part}"] for name in ("query", "key", "value")], axis=-1)
        getattr(rotary.qkv, part).assign(joint)
        getattr(rotary.output_dense, part).assign(w[f"output/{part}"])
    np.testing.assert_allclose(rotary(X, context={"padding_mask": MASK}), grouped(X, context={"padding_mask": MASK}),
                               atol=1e-12)


def test_it_comes_back_from_its_config():
    attention = layer(Grouped(50.0, 3))
    again = GroupedAttention.from_config(attention.get_config())
    assert (again.kind, again.key_heads) == (Grouped(50.0, 3), 3)


def test_heads_of_an_odd_number_of_features_are_refused():
    with pytest.raises(Error, match="turns pairs of features, and a head has 3 of them"):
        GroupedAttention(CONFIG.but(hidden_dim=18), Grouped())
