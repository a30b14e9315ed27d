"""Batches that the encoder takes, and those that it refuses by name."""

import numpy as np
import pytest
import tensorflow as tf

from bertkit import checkpoints
from bertkit.errors import Error
from tests.recorded import GOLDEN

VOCABULARY, LONGEST = 60, 24                        # of the golden models


@pytest.fixture(scope="module")
def encoder():
    return checkpoints.load(GOLDEN / "bert_tiny_erf", part="encoder")


# ------------------------------------------------------------------------------------- wrong batches


@pytest.mark.parametrize("batch, message", [
    ([[1, 2]], "takes a dict with token_ids .* list came"),
    ({"padding_mask": [[1]]}, "takes a dict with token_ids"),
    ({"token_ids": [1, 2]}, r"token_ids has shape \(2,\); wanted \[B,T\]"),
    ({"token_ids": [[VOCABULARY]]}, "token_ids holds 60; the encoder has rows 0 to 59"),
    ({"token_ids": [[-1]]}, "token_ids holds -1"),
    ({"token_ids": [[1]], "segment_ids": [[2]]}, "segment_ids holds 2; .* 0 to 1"),
    ({"token_ids": [[1]], "position_ids": [[LONGEST]]}, "position_ids holds 24"),
    ({"token_ids": [[1]], "padding_mask": [[2]]}, "padding_mask holds 2"),
    ({"token_ids": [[1, 2]], "padding_mask": [[1]]}, r"padding_mask has shape \(1, 1\)"),
    ({"token_ids": np.ones((1, LONGEST + 1), int)}, "25 tokens a row and the encoder 24 positions"),
    ({"token_ids": tf.ones((1, LONGEST + 1), tf.int32)}, "25 tokens a row"),
])
def test_a_batch_that_does_not_fit_is_named(encoder, batch, message):
    with pytest.raises(Error, match=message):
        encoder(batch)


# ------------------------------------------------------------------------- what an array may hold


@pytest.mark.parametrize("ids", [
    [[5.0, 6.0]], ((5, 6),), np.array([[5, 6]], "float16"), np.array([[5, 6]], "uint8"), np.array([[5, 6]], "int64")])
def test_whole_numbers_of_any_type_are_ids(encoder, ids):
    np.testing.assert_array_equal(encoder({"token_ids": ids})["sequence"], encoder({"token_ids": [[5, 6]]})["sequence"])


@pytest.mark.parametrize("ids, words", [
    ([[5.5, 6.0]], "no whole numbers"), ([[float("nan"), 6.0]], "no whole numbers"),
    ([[float("inf"), 6.0]], "no whole numbers"), ([[2**32 + 5, 6]], "no whole numbers"),
    ([["5", "6"]], "no whole numbers"), ([[2**70, 6]], "no table of numbers"), ([[5, 6], [7]], "no table of numbers"),
    ([[5, None]], "no table of numbers"), ([["five", "six"]], "no table of numbers")])
def test_what_is_no_id_is_refused(encoder, ids, words):
    with pytest.raises(Error, match=f"token_ids .*{words}"):
        encoder({"token_ids": ids})


def test_a_mask_may_be_of_booleans(encoder):
    batch = {"token_ids": [[5, 6, 7]], "padding_mask": np.array([[True, True, False]])}
    whole = {**batch, "padding_mask": [[1, 1, 0]]}
    np.testing.assert_array_equal(encoder(batch)["pooled"], encoder(whole)["pooled"])
    with pytest.raises(Error, match="padding_mask holds float64"):
        encoder({**batch, "padding_mask": [[1.0, 0.5, 0.0]]})
