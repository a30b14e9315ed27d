"""The encoder against other implementations, and what must hold of it whatever the input is."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from bertkit import checkpoints
from bertkit.checkpoints.tensors import variables
from bertkit.config import EncoderConfig
from bertkit.encoder import Encoder
from tests.recorded import GOLDEN, assert_equal, calls, differences, traced

pytestmark = pytest.mark.filterwarnings("ignore:You are using a softmax over axis -1")
TOLERANCE = 1e-5
HEADS = ("loss", "logits", "prediction_logits", "seq_relationship_logits")
FOLDERS = ("erf", "tanh", "classifier", "pretraining", "google", "preset")
VOCABULARY, LONGEST = 60, 24                        # of the golden models
SMALL = EncoderConfig(vocabulary_size=VOCABULARY, num_layers=2, num_heads=4, hidden_dim=32,
                      intermediate_dim=64, max_sequence_length=LONGEST)
examples = settings(max_examples=10, deadline=None)


def golden(name, **options):
    return checkpoints.load(GOLDEN / f"bert_tiny_{name}", part="encoder", **options)


def twin(encoder, **changes):
    """Return an encoder under a changed config with the same weights."""
    other = Encoder(encoder.config.but(**changes))
    theirs = variables(encoder)
    for name, variable in variables(other).items():
        variable.assign(theirs[name])
    return other


@pytest.fixture(scope="module")
def encoder():
    return golden("erf")


# ------------------------------------------------------------------------------------------ oracles


@pytest.mark.parametrize("name", FOLDERS)
def test_equals_the_recorded_outputs(name):
    encoder = golden(name)
    for call in calls(GOLDEN / f"bert_tiny_{name}").values():
        assert_equal(traced(encoder, call.batch), call, TOLERANCE, besides=HEADS)


@pytest.mark.parametrize("name", FOLDERS)
def test_the_wrong_gelu_and_a_lost_mask_are_seen_in_each(name):
    right, folder = golden(name), GOLDEN / f"bert_tiny_{name}"
    wrong = {"gelu_erf": "gelu_tanh", "gelu_tanh": "gelu_erf"}[right.config.activation]
    call = calls(folder)["padded"]
    unmasked = {**call.batch, "padding_mask": np.ones_like(call.batch["padding_mask"])}
    for encoder, batch in ((golden(name, activation=wrong), call.batch), (right, unmasked)):
        with pytest.raises(AssertionError, match="beyond"):
            assert_equal(traced(encoder, batch), call, TOLERANCE, besides=HEADS)


def _without(name):
    def fault(encoder, batch):
        return encoder, {key: array for key, array in batch.items() if key != name}

    return fault


def _scaled_queries(encoder, batch):
    query = encoder.blocks[0].attention.query
    query.kernel.assign(query.kernel * encoder.config.head_dim ** 0.5)
    query.bias.assign(query.bias * encoder.config.head_dim ** 0.5)
    return encoder, batch


def _transposed_kernel(encoder, batch):
    kernel = encoder.blocks[1].attention.output_dense.kernel
    kernel.assign(np.asarray(kernel).T)
    return encoder, batch


def _shifted_positions(encoder, batch):
    given = batch.get("position_ids", np.broadcast_to(np.arange(11, dtype="int32"), (3, 11)))
    return encoder, {**batch, "position_ids": (given + 1) % LONGEST}


FAULTS = {
    "the other GELU": lambda encoder, batch: (twin(encoder, activation="gelu_tanh"), batch),
    "LayerNorm epsilon 1e-5": lambda encoder, batch: (twin(encoder, layer_norm_epsilon=1e-5), batch),
    "another number of heads": lambda encoder, batch: (twin(encoder, num_heads=2), batch),
    "no mask": _without("padding_mask"),
    "no segments": _without("segment_ids"),
    "no position ids": _without("position_ids"),
    "positions from 1": _shifted_positions,
    "scores not scaled": _scaled_queries,
    "a kernel transposed": _transposed_kernel,
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_seen(fault):
    call = calls(GOLDEN / "bert_tiny_erf")["positions"]
    broken, batch = FAULTS[fault](golden("erf"), call.batch)
    with pytest.raises(AssertionError, match="beyond"):
        assert_equal(traced(broken, batch), call, TOLERANCE, besides=HEADS)


def test_not_a_number_is_seen(encoder):
    call = calls(GOLDEN / "bert_tiny_erf")["padded"]
    found = traced(encoder, call.batch)
    found["pooler_output"][0, 0] = np.nan
    with pytest.raises(AssertionError, match="pooler_output"):
        assert_equal(found, call, TOLERANCE)


def test_an_output_that_is_not_compared_is_seen(encoder):
    call = calls(GOLDEN / "bert_tiny_erf")["padded"]
    found = traced(encoder, call.batch)
    del found["hidden_states.1"]
    with pytest.raises(AssertionError, match="not computed"):
        differences(found, call)


# --------------------------------------------------------------------------------------- properties


@st.composite
def texts(draw):
    """Return rows of token ids of different lengths, and the seed of what else is drawn."""
    lengths = draw(st.lists(st.integers(1, 12), min_size=1, max_size=3))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    return [rng.integers(0, VOCABULARY, length) for length in lengths], rng


def padded(rows, length, rng=None):
    """Return a batch of `rows` padded to `length`, with zeros or with anything that `rng` draws."""
    mask = np.arange(length) < np.array([len(row) for row in rows])[:, None]
    ids, segments = np.zeros((2, *mask.shape), int)
    if rng is not None:
        ids, segments = rng.integers(0, VOCABULARY, mask.shape), rng.integers(0, 2, mask.shape)
    ids[mask] = np.concatenate(rows)
    segments[mask] = 0
    return {"token_ids": ids, "segment_ids": segments, "padding_mask": mask.astype(int)}


def real(outputs, batch):
    return np.asarray(outputs["sequence"])[batch["padding_mask"].astype(bool)]


@examples
@given(texts())
def test_what_stands_in_the_padding_never_reaches_a_real_token(encoder, drawn):
    rows, rng = drawn
    clean, dirty = padded(rows, 14), padded(rows, 14, rng)
    np.testing.assert_array_equal(real(encoder(clean), clean), real(encoder(dirty), dirty))


@examples
@given(texts(), st.integers(12, LONGEST))
def test_the_length_of_the_padding_does_not_matter(encoder, drawn, length):
    rows, _ = drawn
    tight, wide = padded(rows, max(map(len, rows))), padded(rows, length)
    np.testing.assert_allclose(real(encoder(tight), tight), real(encoder(wide), wide), atol=TOLERANCE)


@examples
@given(texts())
def test_rows_do_not_see_each_other(encoder, drawn):
    rows, rng = drawn
    batch = padded(rows, 12)
    order = rng.permutation(len(rows))
    together = np.asarray(encoder(batch)["pooled"])
    shuffled = encoder({name: array[order] for name, array in batch.items()})["pooled"]
    alone = encoder({name: array[:1] for name, array in batch.items()})["pooled"]
    np.testing.assert_allclose(shuffled, together[order], atol=TOLERANCE)
    np.testing.assert_allclose(alone, together[:1], atol=TOLERANCE)


@examples
@given(texts())
def test_padding_on_the_left_with_positions_equals_padding_on_the_right(encoder, drawn):
    rows, _ = drawn
    right = padded(rows, 12)
    left = padded([row[::-1] for row in rows], 12)
    left = {name: array[:, ::-1] for name, array in left.items()}
    left["position_ids"] = np.maximum(np.cumsum(left["padding_mask"], axis=1) - 1, 0)
    np.testing.assert_allclose(real(encoder(left), left), real(encoder(right), right), atol=TOLERANCE)


@pytest.mark.parametrize("name, values", [
    ("segment_ids", np.zeros(12)), ("padding_mask", np.ones(12)), ("position_ids", np.arange(12))])
def test_what_is_implied_can_be_given(encoder, name, values):
    ids = np.random.default_rng(1).integers(0, VOCABULARY, (3, 12))
    found = encoder({"token_ids": ids, name: np.tile(values.astype(int), (3, 1))})["sequence"]
    np.testing.assert_array_equal(found, encoder({"token_ids": ids})["sequence"])


def test_a_trace_changes_nothing_and_ends_in_the_output(encoder):
    batch = padded([np.arange(5), np.arange(9)], 9)
    plain, seen = encoder(batch), encoder(batch, trace=True)
    np.testing.assert_array_equal(plain["sequence"], seen["sequence"])
    np.testing.assert_array_equal(plain["pooled"], seen["pooled"])
    np.testing.assert_array_equal(seen["trace"]["hidden/2"], seen["sequence"])
    assert set(seen["trace"]) == {"hidden/0", "hidden/1", "hidden/2", "attention/1", "attention/2"}
    assert "trace" not in plain


def test_in_a_graph_of_any_length_as_one_by_one(encoder):
    spec = tf.TensorSpec((None, None), tf.int32)
    graph = tf.function(lambda ids, mask: encoder({"token_ids": ids, "padding_mask": mask}),
                        input_signature=[spec, spec])
    for rows in ([np.arange(7)], [np.arange(3), np.arange(11)]):
        batch = padded(rows, 11)
        found = graph(batch["token_ids"].astype("int32"), batch["padding_mask"].astype("int32"))
        np.testing.assert_allclose(found["sequence"], encoder(batch)["sequence"], atol=TOLERANCE)


def test_without_a_pooler_there_is_no_pooled_output():
    assert set(Encoder(SMALL.but(pooler=None))({"token_ids": [[1, 2]]})) == {"sequence"}


def test_half_precision_computes_in_it_and_keeps_the_weights_whole(encoder):
    half = Encoder(encoder.config, dtype="mixed_bfloat16")
    for name, variable in variables(half).items():
        variable.assign(variables(encoder)[name])
        assert variable.dtype == "float32"
    batch = padded([np.arange(5), np.arange(9)], 9)
    found = half(batch)["pooled"]
    assert keras.backend.standardize_dtype(found.dtype) == "bfloat16"
    found = np.asarray(keras.ops.cast(found, "float32"))
    np.testing.assert_allclose(found, encoder(batch)["pooled"], atol=0.1)


# -------------------------------------------------------------------------------- weights and dropout


def test_weights_begin_as_the_paper_says():
    """Normal of deviation 0.02 cut at two, which leaves 0.88 of it; biases 0; LayerNorm 1 and 0."""
    keras.utils.set_random_seed(5)
    found = variables(Encoder(SMALL.but(vocabulary_size=3000, hidden_dim=64, intermediate_dim=256)))
    for name, variable in found.items():
        values, leaf = np.asarray(variable), name.rsplit("/", 1)[1]
        if leaf in ("kernel", "embeddings"):
            assert np.abs(values).max() <= 0.04, name
            assert abs(values.std() / (0.8796 * 0.02) - 1) < 6 / np.sqrt(2 * values.size), name
            assert abs(values.mean()) < 6 * 0.02 / np.sqrt(values.size), name
        else:
            assert (values == (leaf == "gamma")).all(), name
    square = [np.asarray(variable) for name, variable in found.items() if variable.shape == (64, 64)]
    assert len(square) == 9                          # query, key, value, output of two blocks, and the pooler
    assert all(not np.array_equal(a, b) for i, a in enumerate(square) for b in square[:i])


def test_the_deviation_of_the_weights_is_a_setting():
    found = variables(Encoder(SMALL.but(initializer_range=0.5)))
    assert 0.4 < np.asarray(found["encoder/pooler/kernel"]).std() < 0.5


def test_the_same_seed_gives_the_same_weights():
    def kernel(seed):
        keras.utils.set_random_seed(seed)
        return np.asarray(variables(Encoder(SMALL))["encoder/pooler/kernel"])

    np.testing.assert_array_equal(kernel(1), kernel(1))
    assert not np.array_equal(kernel(1), kernel(2))


@pytest.mark.parametrize("rates, changes", [
    ({"dropout": 0.0, "attention_dropout": 0.0}, False), ({"dropout": 0.3, "attention_dropout": 0.0}, True),
    ({"dropout": 0.0, "attention_dropout": 0.3}, True)])
def test_dropout_acts_in_training_alone(rates, changes):
    encoder = Encoder(SMALL.but(**rates))
    batch = padded([np.arange(5), np.arange(9)], 9)
    calm = np.asarray(encoder(batch)["sequence"])
    np.testing.assert_array_equal(encoder(batch)["sequence"], calm)
    np.testing.assert_array_equal(encoder(batch, training=False)["sequence"], calm)
    assert np.array_equal(encoder(batch, training=True)["sequence"], calm) != changes


def test_the_embeddings_are_dropped_at_their_rate():
    encoder = Encoder(SMALL.but(dropout=0.3))
    ids = np.tile(np.arange(LONGEST), (20, 1))
    dropped = np.asarray(encoder({"token_ids": ids}, trace=True, training=True)["trace"]["hidden/0"]) == 0
    assert abs(dropped.mean() - 0.3) < 5 * np.sqrt(0.21 / dropped.size)
