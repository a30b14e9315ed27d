"""A Longformer out of short encoders: the same numbers where both apply, positions again and again after that."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertkit.checkpoints.lengthened import to_longformer, with_global_attention
from bertkit.checkpoints.tensors import variables
from bertkit.encoder import Encoder
from bertkit.errors import Error
from bertkit.family import bigbird, longformer, modernbert, roberta, xlnet
from bertkit.heads import Classifier
from bertkit.kinds import Window
from tests import tiny
from tests.layers.drawn import drawn
from tests.lazy import Lazy

SMALL = {"vocabulary_size": 31, "num_layers": 2, "num_heads": 2, "hidden_dim": 8, "intermediate_dim": 12}
CONFIGS = {"bert": tiny.CONFIG.but(**SMALL, max_sequence_length=20),
           "roberta": roberta.CONFIG.but(**SMALL, max_sequence_length=22)}
ENCODERS = Lazy(lambda name: drawn(Encoder(CONFIGS[name])), CONFIGS)
IDS = np.random.default_rng(0).integers(5, 31, (2, 18))
IDS[1, 11:] = 1
BATCH = {"token_ids": IDS, "padding_mask": (IDS != 1).astype("int32")}


def same(one, other):
    real = BATCH["padding_mask"] == 1
    return [np.allclose(np.asarray(one["sequence"])[real], np.asarray(other["sequence"])[real], atol=1e-5),
            np.allclose(one["pooled"], other["pooled"], atol=1e-5)]


@pytest.mark.parametrize("name", ENCODERS)
@pytest.mark.parametrize("watched", [False, True])
def test_rows_that_fit_both_give_the_same(name, watched):
    """With the window wider than the row it is full attention, also for a global token: its projections are copies."""
    short, long = ENCODERS[name], to_longformer(ENCODERS[name], 100, window=40)
    batch = {**BATCH, **({"global_mask": np.eye(1, 18, dtype="int32").repeat(2, 0)} if watched else {})}
    assert all(same(short(BATCH), long(batch)))
    assert long.config.max_length == 100 and isinstance(long.config.attention, Window)
    assert not any(same(short(BATCH), to_longformer(ENCODERS[name], 100, window=2)(batch)))


@pytest.mark.parametrize("name", ENCODERS)
def test_positions_come_again(name):
    """A token at place p has the vector of place p mod what the short one has."""
    long = to_longformer(ENCODERS[name], 50)
    place = "encoder/embeddings/position/embeddings"
    table, had = (np.asarray(variables(encoder)[place]) for encoder in (long, ENCODERS[name]))
    kept = 2 if name == "roberta" else 0
    assert long.config.max_length == 50 and len(table) == 50 + kept
    np.testing.assert_array_equal(table[:kept], had[:kept])
    for at in range(50):
        np.testing.assert_array_equal(table[kept + at], had[kept + at % 20])


@given(st.integers(0, 3), st.integers(1, 7), st.integers(0, 30))
def test_a_table_is_repeated_row_by_row(kept, rows, more):
    table = np.arange(kept + rows)[:, None]
    found = longformer.tile_positions(table, kept + more, kept)[:, 0].tolist()
    assert found == [*range(kept), *(kept + place % rows for place in range(more))]


def test_a_classifier_on_it_has_the_first_token_global_and_its_own_readout():
    for name, encoder in ENCODERS.items():
        long = to_longformer(encoder, 64, window=2)
        head_config, plain = with_global_attention(long), Classifier(encoder, ("a", "b")).kinds["classify"]
        assert head_config.watch == "first"
        assert (head_config.reduce, head_config.activation) == (plain.reduce, plain.activation)
        assert with_global_attention(encoder) is None
        model = drawn(Classifier(long, ("a", "b"), head_config=head_config))
        none = model({**BATCH, "global_mask": np.zeros_like(IDS)})
        assert np.abs(np.asarray(model(BATCH)) - np.asarray(none)).max() > 1e-4, name


def test_roberta_becomes_one_of_longformers_page_and_bert_stays_on_its_own():
    assert to_longformer(ENCODERS["roberta"], 30).config == longformer.CONFIG.but(**SMALL, max_sequence_length=32)
    assert to_longformer(ENCODERS["bert"], 30).config.family == "bert"


@pytest.mark.parametrize("page", [longformer, bigbird, modernbert])
def test_what_reads_long_texts_already_stays(page):
    encoder = Encoder(page.CONFIG.but(**SMALL))
    assert to_longformer(encoder, 30) is encoder


def test_what_has_no_table_to_repeat_is_told():
    config = xlnet.CONFIG.but(**SMALL)
    with pytest.raises(Error, match="with learned positions and plain blocks.*this xlnet is another"):
        longformer.longformer_config(config, 30)
