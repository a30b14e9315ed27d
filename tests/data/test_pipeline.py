"""Features and batches: nothing lost, nothing added, a pure function of (seed, step)."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bertkit.config import EncoderConfig
from bertkit.data.features import check_fit, featurize, pack
from bertkit.data.pipeline import BatchSampler, batches_by_length
from bertkit.errors import Error
from bertkit.text import Tokenizer
from tests import tiny

rows_of_ids = st.lists(st.lists(st.integers(5, 50), min_size=1, max_size=30), min_size=1, max_size=60)


def features_of(rows):
    return pack([(row, [0] * len(row)) for row in rows], labels=np.arange(len(rows), dtype="int32"))


@given(rows_of_ids, st.integers(1, 9), st.integers(0, 5))
@settings(max_examples=60, deadline=None)
def test_every_row_comes_once_an_epoch_and_whole(rows, batch_size, seed):
    sampler = BatchSampler(features_of(rows), batch_size, seed)
    for epoch in range(2):
        seen = []
        for step in range(epoch * sampler.steps_per_epoch, (epoch + 1) * sampler.steps_per_epoch):
            inputs, labels = sampler.batch(step)
            assert inputs["token_ids"].shape[1] == max(len(rows[i]) for i in labels)
            assert sampler.tokens(step) == inputs["padding_mask"].sum()
            for ids, mask, label in zip(inputs["token_ids"], inputs["padding_mask"], labels, strict=True):
                assert ids[mask == 1].tolist() == rows[label]
                assert not ids[mask == 0].any()
                seen.append(int(label))
        assert sorted(seen) == list(range(len(rows)))


def test_a_batch_depends_on_seed_and_step_alone():
    features = tiny.features()
    one, other = BatchSampler(features, 8, seed=3), BatchSampler(features, 8, seed=3)
    for step in (11, 2, 7):                                        # in any order
        np.testing.assert_array_equal(one.batch(step)[0]["token_ids"], other.batch(step)[0]["token_ids"])
    assert any(not np.array_equal(one.rows(i), BatchSampler(features, 8, seed=4).rows(i)) for i in range(5))
    assert any(not np.array_equal(one.rows(i), one.rows(i + 5)) for i in range(5))


@given(rows_of_ids, st.integers(1, 5), st.integers(2, 4), st.booleans())
@settings(max_examples=40, deadline=None)
def test_batches_of_one_update_count_by_their_labels(rows, batch_size, accumulate, tokens):
    features = features_of(rows)
    if tokens:
        labels = [[0 if i % 3 else -1 for i, _ in enumerate(row)] for row in rows]
        features = replace(features, labels=None, token_labels=np.concatenate(labels).astype("int32"))
    sampler = BatchSampler(features, batch_size, accumulate=accumulate)
    large = BatchSampler(features, batch_size * accumulate)
    assert sampler.steps_per_epoch == large.steps_per_epoch * accumulate
    for update in (0, 1, large.steps_per_epoch):
        steps = range(update * accumulate, (update + 1) * accumulate)
        parts = [sampler.batch(step) for step in steps]
        filled = -(-len(large.rows(update)) // batch_size)              # the others are a row that does not count
        rows = [sampler.rows(step) for step in steps][:filled]
        assert np.concatenate(rows).tolist() == large.rows(update).tolist()
        counts = np.array([(labels >= 0).sum() if tokens else len(labels) for _, labels, _ in parts])
        counts[filled:] = 0
        for (_, _, weights), count in zip(parts, counts, strict=True):
            assert weights.dtype == np.float32 and len(set(weights.tolist())) == 1
            assert weights[0] == pytest.approx(accumulate * count / max(1, counts.sum()))


def test_weights_of_examples_stay_where_batches_are_accumulated():
    own = np.array([1, 2, 3, 4, 5], "float32")
    features = replace(features_of([[5]] * 5), weights=own)
    sampler = BatchSampler(features, 4, shuffle=False, accumulate=2)
    np.testing.assert_allclose(sampler.batch(0)[2], own[:4] * 2 * 4 / 5)
    np.testing.assert_allclose(sampler.batch(1)[2], own[4:] * 2 / 5)


def test_a_dataset_goes_on_where_it_is_told():
    sampler = BatchSampler(tiny.features(), 8)
    late = [labels.numpy() for _, labels in sampler.dataset(start=7, steps=3)]
    for step, labels in zip((7, 8, 9), late, strict=True):
        np.testing.assert_array_equal(labels, sampler.batch(step)[1])


def test_rows_of_like_length_come_together():
    rng = np.random.default_rng(0)
    rows = [[5] * int(n) for n in rng.integers(1, 100, 1000)]
    sampler = BatchSampler(features_of(rows), 16)
    fill = [sampler.batch(step)[0]["padding_mask"].mean() for step in range(sampler.steps_per_epoch)]
    assert np.mean(fill) > 0.95


def test_padded_lengths_are_multiples_when_asked_and_never_longer_than_any_row():
    sampler = BatchSampler(features_of([[5] * n for n in (3, 9, 19)]), 1, multiple=8)
    assert sorted(sampler.batch(i)[0]["token_ids"].shape[1] for i in range(3)) == [8, 16, 19]


def test_by_length_covers_all_rows_longest_first():
    features = tiny.features(21)
    seen = [(rows, inputs) for rows, inputs in batches_by_length(features, 8)]
    assert sorted(np.concatenate([rows for rows, _ in seen]).tolist()) == list(range(21))
    lengths = [inputs["token_ids"].shape[1] for _, inputs in seen]
    assert lengths == sorted(lengths, reverse=True)


def test_featurize_equals_pack():
    tokenizer = tiny.tokenizer()
    first, second = ["a good film", "", "the story was dull and cold"], ["bad", "it was fine .", ""]
    for pair in (None, second):
        packed = tokenizer.pack(first, pair, length=7)
        batch = featurize(tokenizer, first, pair, 7).batch([0, 1, 2], 7)
        for name, wanted in packed.items():
            np.testing.assert_array_equal(batch[name], wanted)


def test_errors():
    with pytest.raises(Error, match="2 first texts came with 1 second"):
        featurize(tiny.tokenizer(), ["a", "b"], ["c"])
    with pytest.raises(Error, match="batch_size=0"):
        BatchSampler(tiny.features(), 0)
    config = EncoderConfig(50, 1, 1, 4, 4, max_sequence_length=16)
    with pytest.raises(Error, match="77 entries|entries and the encoder's table 50"):
        check_fit(tiny.tokenizer(), config, 8)
    for length in (0, -1, 2, 17):
        with pytest.raises(Error, match="3 to 16 tokens"):
            check_fit(tiny.tokenizer(), config.but(vocabulary_size=100), length)


def test_padding_stands_where_the_tokenizer_puts_it():
    """XLNet pads on the left, with a segment of its own; a batch equals what its tokenizer packs."""
    template = {"single": [("$first", 0), ("[SEP]", 0)],
                "pair": [("$first", 0), ("[SEP]", 0), ("$second", 1), ("[SEP]", 1)],
                "padding_side": "left", "padding_segment": 3}
    tokenizer = Tokenizer(tiny.VOCABULARY, template=template)
    texts = ["good film", "a", "the story was dull and old"]
    found = featurize(tokenizer, texts, length=8).batch([0, 1, 2], 8)
    for name, wanted in tokenizer.pack(texts, length=8).items():
        np.testing.assert_array_equal(found[name], wanted, err_msg=name)
    assert (found["padding_mask"][:, -1] == 1).all() and (found["segment_ids"][1, :3] == 3).all()
