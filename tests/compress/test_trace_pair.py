"""Queries, keys and values that matches read are those that a family's own attention computes with."""

from pathlib import Path

import numpy as np
import pytest

import bertkit
from bertkit.compress.importance import inputs_of
from bertkit.compress.match_losses import scores
from bertkit.compress.matches import Match
from bertkit.compress.tracing import projections
from bertkit.errors import Error

FAMILIES = Path(__file__).parents[1] / "golden" / "families"
BATCH = {"token_ids": np.array([[5, 6, 7, 8], [5, 6, 1, 1]]), "padding_mask": np.array([[1, 1, 1, 1], [1, 1, 0, 0]])}


@pytest.mark.parametrize("family", ["bert", "albert", "distilbert", pytest.param("electra", marks=pytest.mark.slow)])
def test_scores_give_the_attention_of_the_trace(family):
    encoder = bertkit.load(FAMILIES / family, part="encoder")
    trace, last = encoder(BATCH, trace=True)["trace"], encoder.config.num_layers
    query, key, _ = projections(encoder, trace, last)
    found = np.exp(np.asarray(scores(query, key), "float64")) * BATCH["padding_mask"][:, None, None]
    found /= found.sum(-1, keepdims=True)
    np.testing.assert_allclose(found, np.asarray(trace[f"attention/{last}"]), atol=1e-6)


@pytest.mark.parametrize("family", ["bert", "modernbert", "nomic"])
def test_values_are_those_that_attention_mixes(family):
    encoder = bertkit.load(FAMILIES / family, part="encoder")
    layer = encoder.blocks[-1].attention
    with inputs_of([layer.output_dense]) as seen:
        trace = encoder(BATCH, trace=True)["trace"]
    last = encoder.config.num_layers
    mixed = np.asarray(trace[f"attention/{last}"]) @ np.asarray(projections(encoder, trace, last)[2])
    np.testing.assert_allclose(layer.merge(mixed), seen[-1][1], atol=1e-5)


@pytest.mark.parametrize("family, loss", [("deberta", "values"), ("mobilebert", "values"), ("modernbert", "scores")])
def test_attention_of_other_kinds_is_refused_by_name(family, loss):
    config = bertkit.load(FAMILIES / family, part="encoder").config
    with pytest.raises(Error, match=f"attention/1 -> attention/1 .{loss}. reads the {loss} of a"):
        Match("attention/1", "attention/1", loss).check(config, config)
