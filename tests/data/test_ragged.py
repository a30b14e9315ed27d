"""Examples of as many rows as they need: all of them in a batch, none of padding, in bounded batches."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from bertkit.data.features import features_of, row_numbers
from bertkit.data.pipeline import BatchSampler, batches_by_length
from bertkit.tasks.packed import Packed
from tests import tiny

ROW = st.lists(st.integers(5, 30), min_size=1, max_size=9)
EXAMPLES = st.lists(st.lists(ROW, min_size=1, max_size=5), min_size=1, max_size=12)


def features(examples):
    rows = [(row, [0] * len(row)) for rows in examples for row in rows]
    counts = np.array([len(rows) for rows in examples])
    return features_of(Packed(rows, labels=np.arange(len(examples), dtype="int32"), counts=counts), tiny.tokenizer())


def rows_of(inputs):
    """Return the rows of each example of a batch, padding removed."""
    rows = [ids[mask == 1].tolist() for ids, mask in zip(inputs["token_ids"], inputs["padding_mask"], strict=True)]
    return [[rows[number] for number in numbers if number >= 0] for numbers in inputs["windows"]]


@settings(max_examples=40, deadline=None)
@given(EXAMPLES, st.integers(1, 4))
def test_a_batch_holds_the_rows_of_its_examples_and_no_others(examples, size):
    sampler, seen = BatchSampler(features(examples), size), []
    for step in range(sampler.steps_per_epoch):
        inputs, labels = sampler.batch(step)
        assert rows_of(inputs) == [examples[label] for label in labels]
        assert len(inputs["token_ids"]) == sum(len(examples[label]) for label in labels)
        assert sampler.tokens(step) == inputs["padding_mask"].sum()
        seen += labels.tolist()
    assert sorted(seen) == list(range(len(examples)))


@settings(max_examples=40, deadline=None)
@given(EXAMPLES, st.integers(1, 12))
def test_scoring_takes_a_bounded_number_of_rows_at_once(examples, size):
    made, found = features(examples), {}
    for numbers, inputs in batches_by_length(made, size):
        assert len(inputs["token_ids"]) <= size or len(numbers) == 1
        found |= dict(zip(numbers.tolist(), rows_of(inputs), strict=True))
    assert [found[number] for number in range(len(examples))] == examples
    assert [row for rows in examples for row in rows] == [
        made.single_rows.batch([number])["token_ids"][0].tolist() for number in range(len(made.single_rows))]


@given(st.lists(st.integers(1, 6), max_size=5))
def test_rows_are_numbered_through(counts):
    table = row_numbers(np.array(counts, "int64"))
    assert table[table >= 0].tolist() == list(range(sum(counts)))
    assert [(row >= 0).sum() for row in table] == counts


def test_a_dataset_has_the_numbers_too():
    inputs, labels = next(iter(BatchSampler(features([[[5, 6], [7]], [[8]]]), 2).dataset()))
    assert inputs["windows"].shape == (2, 2) and inputs["token_ids"].shape == (3, 2) and labels.shape == (2,)
