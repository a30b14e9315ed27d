"""A part that is removed is a part that adds nothing: the smaller model computes what the masked one computes."""

from functools import cache

import numpy as np
import pytest

from bertkit import checkpoints
from bertkit.checkpoints.tensors import variables
from bertkit.compress import keep_entries, keep_layers, keep_parts
from bertkit.config import EncoderConfig
from bertkit.cost import parameters
from bertkit.encoder import Encoder
from bertkit.errors import Error
from bertkit.kinds import Full, Shared
from tests import tiny
from tests.recorded import GOLDEN

FAMILIES = ("bert", "albert", "modernbert", "distilbert", "electra", "roberta", "longformer", "bigbird")
SLOW = FAMILIES[1:]


def each(names):
    return [pytest.param(name, marks=pytest.mark.slow if name in SLOW else ()) for name in names]


@cache
def encoder(family):
    """Return an encoder that was recorded, whose weights are far from those of a new one."""
    folders = sorted((GOLDEN / "families").glob(f"{family}/*/config.json")) or sorted(
        (GOLDEN / "families").glob(f"{family}/config.json"))
    return checkpoints.load(folders[0].parent if folders else GOLDEN / "bert_tiny_erf", part="encoder")


def batch(config, seed=0):
    rng = np.random.default_rng(seed)
    return {"token_ids": rng.integers(5, min(60, config.vocabulary_size), (2, 9)).astype("int32"),
            "padding_mask": np.array([[1] * 9, [1] * 6 + [0] * 3], "int32")}


def copy(model):
    made = type(model)(model.config)
    for one, other in zip(made.weights, model.weights, strict=True):
        one.assign(other)
    return made


def real(model, rows):
    return np.asarray(model(rows)["sequence"])[rows["padding_mask"] == 1]


def drawn(count, left, blocks, seed):
    rng = np.random.default_rng(seed)
    return [sorted(rng.choice(count, left, replace=False).tolist()) for _ in range(blocks)]


def masked_heads(model, kept):
    """Return a copy whose other heads give 0: their columns of the values are 0."""
    made, size = copy(model), model.config.head_dim
    for block, heads in zip(made.encoder.blocks if hasattr(made, "encoder") else made.blocks, kept, strict=True):
        gone = [h * size + i for h in range(model.config.num_heads) if h not in heads for i in range(size)]
        for name, side in (("value", 0), ("global_value", 0), ("qkv", 2)):
            layer = getattr(block.attention, name, None)
            for variable in () if layer is None else layer.weights:
                values = np.array(variable)
                values[..., np.array(gone, int) + side * size * model.config.num_heads] = 0
                variable.assign(values)
    return made


def masked_rows(model, kept):
    """Return a copy whose other rows of the second matrix are 0."""
    made = copy(model)
    for block, rows in zip(made.blocks, kept, strict=True):
        values = np.array(block.outer.kernel)
        values[[r for r in range(model.config.intermediate_dim) if r not in rows]] = 0
        block.outer.kernel.assign(values)
    return made


@pytest.mark.parametrize("family", each(FAMILIES))
def test_without_heads_it_computes_what_it_computes_when_they_give_0(family):
    model = encoder(family)
    kept = drawn(model.config.num_heads, 1, len(model.blocks), seed=1)
    small, rows = keep_parts(model, heads=kept), batch(model.config)
    assert small.config.num_heads == 1 and small.config.head_dim == model.config.head_dim
    np.testing.assert_allclose(real(small, rows), real(masked_heads(model, kept), rows), atol=1e-5)
    assert np.abs(real(small, rows) - real(model, rows)).max() > 1e-3
    assert small.count_params() == parameters(small.config) < model.count_params()


@pytest.mark.parametrize("family", each(FAMILIES))
def test_without_rows_it_computes_what_it_computes_when_they_add_0(family):
    model = encoder(family)
    kept = drawn(model.config.intermediate_dim, model.config.intermediate_dim // 3, len(model.blocks), seed=2)
    small, rows = keep_parts(model, rows=kept), batch(model.config)
    np.testing.assert_allclose(real(small, rows), real(masked_rows(model, kept), rows), atol=1e-5)
    assert np.abs(real(small, rows) - real(model, rows)).max() > 1e-3
    assert small.count_params() == parameters(small.config) < model.count_params()


@pytest.mark.slow
def test_heads_and_rows_go_together_and_what_goes_on_is_a_plain_model():
    model = encoder("bert")
    heads = drawn(model.config.num_heads, 1, len(model.blocks), 3)
    rows = drawn(model.config.intermediate_dim, 5, len(model.blocks), 4)
    small, given = keep_parts(model, heads, rows), batch(model.config)
    wanted = real(masked_rows(masked_heads(model, heads), rows), given)
    np.testing.assert_allclose(real(small, given), wanted, atol=1e-5)
    again = Encoder.from_config(small.get_config())
    assert [w.shape for w in again.weights] == [w.shape for w in small.weights]
    assert EncoderConfig.from_json(small.config.to_json()) == small.config


@pytest.mark.parametrize("family", each(("bert", "modernbert", "distilbert")))
def test_without_layers_the_others_have_their_weights_and_their_attention(family):
    model = encoder(family)
    kept = [0] if model.config.num_layers < 3 else [0, 2]
    small = keep_layers(model, kept)
    given, made = variables(model), variables(small)
    for new, old in enumerate(kept):
        assert small.config.attention_of(new) == model.config.attention_of(old)
        for name in (name for name in made if name.startswith(f"encoder/block_{new}/")):
            np.testing.assert_array_equal(made[name], given[name.replace(f"block_{new}/", f"block_{old}/")])
    assert small.count_params() == parameters(small.config)


def test_a_layer_keeps_its_kind_of_attention_where_kinds_repeat_over_depth():
    kinds = (Full(), Full(causal=True), Full(causal=True))
    model, rows = Encoder(tiny.CONFIG.but(num_layers=4, attention=kinds)), batch(tiny.CONFIG)
    small = keep_layers(model, [0, 3])
    assert small.config.attention == (Full(), Full())
    twice = keep_layers(keep_layers(model, [0, 1, 3]), [0, 2])
    np.testing.assert_allclose(real(small, rows), real(twice, rows), atol=1e-6)


@pytest.mark.slow
def test_the_layers_that_stay_are_those_that_were_named():
    model = Encoder(tiny.CONFIG.but(num_layers=3))
    rows = batch(tiny.CONFIG)
    outputs = model(rows, trace=True)["trace"]
    np.testing.assert_allclose(real(keep_layers(model, [0, 1]), rows),
                               np.asarray(outputs["hidden/2"])[rows["padding_mask"] == 1], atol=1e-6)
    last = keep_layers(model, [2])
    np.testing.assert_array_equal(last.blocks[0].inner.kernel, model.blocks[2].inner.kernel)


@pytest.mark.slow
def test_of_shared_layers_passes_are_left():
    model = Encoder(tiny.CONFIG.but(num_layers=3, shared=Shared(), embedding_dim=8, family="albert"))
    rows = batch(tiny.CONFIG)
    small = keep_layers(model, [0, 2])
    assert small.config.num_layers == 2 and small.count_params() == model.count_params()
    hidden = np.asarray(model(rows, trace=True)["trace"]["hidden/2"])
    np.testing.assert_allclose(real(small, rows), hidden[rows["padding_mask"] == 1], atol=1e-6)


def test_without_entries_the_others_have_their_rows():
    model, rows = tiny.classifier(), batch(tiny.CONFIG)
    ids = sorted({0, 3, *rows["token_ids"].ravel().tolist()})
    small = keep_entries(model, ids)
    renamed = {**rows, "token_ids": np.searchsorted(ids, rows["token_ids"]).astype("int32")}
    np.testing.assert_array_equal(small(renamed), model(rows))
    assert small.encoder.config.vocabulary_size == len(ids) and small.labels == model.labels


def test_the_head_of_a_task_stays_and_so_does_its_config():
    model = tiny.classifier(labels=("a", "b", "c"), dropout=0.3)
    small = keep_parts(model, heads=[[1], [0]])
    assert small.settings() == model.settings()
    assert small.encoder.config == model.encoder.config.but(num_heads=1, head_size=8)
    one, other = (variables(each)["classify/logits/kernel"] for each in (small, model))
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("call, words", [
    (lambda m: keep_parts(m, heads=[[0], [0, 1]]), "as many different numbers from 0 to 1"),
    (lambda m: keep_parts(m, heads=[[0], [2]]), "from 0 to 1"),
    (lambda m: keep_parts(m, rows=[[1, 0], [0, 1]]), "ascending"),
    (lambda m: keep_layers(m, [1, 0]), "ascending"), (lambda m: keep_layers(m, []), "the layers 0 to 1"),
    (lambda m: keep_entries(m, [3, 3]), "ascending"), (lambda m: keep_entries(m, []), "0 ids came")])
def test_what_is_not_there_is_refused(call, words):
    with pytest.raises(Error, match=words):
        call(tiny.classifier())


@pytest.mark.parametrize("family, part, words", [
    ("roberta", lambda m: keep_entries(m, [0, 5, 6]), "names ids up to 1"),
    pytest.param("xlnet", lambda m: keep_parts(m, heads=[[0]] * 2), "Relative", marks=pytest.mark.slow),
    pytest.param("modernbert", lambda m: keep_layers(m, [1]), "let layer 0 stay", marks=pytest.mark.slow)])
def test_what_a_family_cannot_do_without_is_refused(family, part, words):
    with pytest.raises(Error, match=words):
        part(encoder(family))
