"""Pairs for an encoder with one segment, such as AlephBERT: both texts are of segment 0, which is said once."""

import numpy as np
import pytest

from bertkit.data import features
from bertkit.encoder import Encoder
from bertkit.heads import Classifier
from bertkit.predictor import Predictor
from tests import tiny

PAIR = [("a good film", "the story was dull")]


@pytest.fixture
def one():
    features._say_one_segment.cache_clear()
    yield Classifier(Encoder(tiny.CONFIG.but(num_segments=1)), ["no", "yes"])
    features._say_one_segment.cache_clear()


def test_pairs_are_read_with_the_segment_that_there_is(one, capsys):
    predictor = Predictor(one, tiny.tokenizer())
    found = predictor.predictions(PAIR)
    assert capsys.readouterr().err.count("is read with segment 0") == 1
    batch = tiny.tokenizer().pack(*map(list, zip(*PAIR, strict=True)), length=16)
    assert batch["segment_ids"].max() == 1
    zeros = {**batch, "segment_ids": np.zeros_like(batch["segment_ids"])}
    np.testing.assert_allclose(found, [predictor.task.outputs(np.asarray(row)) for row in one(zeros)], atol=1e-6)
    np.testing.assert_array_equal(one(batch), one(zeros))
    Predictor(one, tiny.tokenizer())
    assert "segment" not in capsys.readouterr().err


def test_an_encoder_with_two_says_nothing(one, capsys):
    features.check_fit(tiny.tokenizer(), tiny.CONFIG, 16)
    assert not capsys.readouterr().err
