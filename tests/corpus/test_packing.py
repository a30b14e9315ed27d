"""Texts that share a row: each is there once, at places of its own, and computed as if it were alone."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bertkit.corpus.packing import pack_rows
from bertkit.encoder import Encoder
from bertkit.errors import Error
from bertkit.family import page
from tests import tiny

LENGTH = 24


def drawn(sizes, seed=0):
    rng = np.random.default_rng(seed)
    return [tiny.tokenizer().pack_ids(rng.integers(5, 40, size).tolist(), None, LENGTH) for size in sizes]


@given(st.lists(st.integers(0, LENGTH - 2), min_size=1, max_size=20))
@settings(max_examples=60, deadline=None)
def test_every_text_is_there_once_and_places_begin_anew(sizes):
    rows = drawn(sizes)
    batch = pack_rows(tiny.tokenizer(), rows, np.arange(len(rows)) * 10, LENGTH)
    found = []
    for row, key in enumerate(batch["keys"]):
        real = batch["padding_mask"][row] > 0
        assert (batch["packed_ids"][row] > 0).tolist() == real.tolist()
        for number in range(1, batch["packed_ids"][row].max() + 1):
            here = batch["packed_ids"][row] == number
            found.append(batch["token_ids"][row, here].tolist())
            assert batch["position_ids"][row, here].tolist() == list(range(here.sum()))
        assert batch["token_ids"][row, batch["packed_ids"][row] == 1].tolist() == rows[key // 10][0]
    assert sorted(found) == sorted(ids for ids, _ in rows)
    assert len(batch["token_ids"]) <= len(rows) and batch["token_ids"].shape[1] <= LENGTH
    real = batch["padding_mask"].sum(axis=1)                    # no two rows would fit into one
    assert len(real) < 2 or np.sort(real)[:2].sum() > LENGTH


def test_a_packed_text_is_computed_as_if_it_were_alone():
    encoder, rows = Encoder(tiny.CONFIG), drawn([3, 9, 5, 1, 12, 7])
    batch = pack_rows(tiny.tokenizer(), rows, np.arange(6), LENGTH)
    assert len(batch["token_ids"]) < 4
    sequence = np.asarray(encoder({name: value for name, value in batch.items() if name != "keys"})["sequence"])
    apart = {tuple(ids): np.asarray(encoder(tiny.tokenizer().batch([(ids, segments)], len(ids)))["sequence"])[0]
             for ids, segments in rows}
    for row, numbers in enumerate(batch["packed_ids"]):
        for number in range(1, numbers.max() + 1):
            ids = tuple(batch["token_ids"][row, numbers == number].tolist())
            np.testing.assert_allclose(sequence[row, numbers == number], apart[ids], atol=2e-6)
    unpacked = {name: value for name, value in batch.items() if name not in ("packed_ids", "keys")}
    mixed = np.asarray(encoder(unpacked)["sequence"])
    assert np.abs(mixed - sequence)[batch["padding_mask"] > 0].max() > 1e-3         # the comparison can fail


def test_encoders_that_cannot_keep_texts_apart_refuse():
    config = page("xlnet").CONFIG.but(vocabulary_size=60, num_layers=1, num_heads=2, hidden_dim=16, intermediate_dim=32)
    batch = pack_rows(tiny.tokenizer(), drawn([3, 4]), np.arange(2), LENGTH)
    with pytest.raises(Error, match="cannot read packed rows"):
        Encoder(config)({name: value for name, value in batch.items() if name != "keys"})
