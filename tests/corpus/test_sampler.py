"""Batches of a corpus: every record once an epoch, the same at the same step, pairs as the papers say."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from bertkit.corpus import shards as files
from bertkit.corpus.make import fingerprint
from bertkit.corpus.randomness import randint, uniform
from bertkit.corpus.rows import DRAWS, next_sentence, one_segment, sentence_order
from bertkit.corpus.sampler import CorpusSampler, PhasedSampler
from bertkit.corpus.segments import Segment
from bertkit.errors import Error
from tests import tiny

LENGTH, RECORDS = 32, 37


def segment(number, sentences=None):
    """Return a segment whose tokens say which record and sentence they are of: 10 · record + sentence."""
    sizes = np.arange(2, 2 + (1 + number % 4 if sentences is None else sentences))
    return Segment(np.repeat(10 * number + np.arange(len(sizes)), sizes).astype("int32"),
                   np.cumsum(sizes).astype("int32"), number // 3)


class Kept(list):
    """Segments in memory, with the facts of a corpus."""

    metadata = {"length": LENGTH, "vocabulary": fingerprint(tiny.tokenizer())}
    folder = "kept"


KEPT = Kept(segment(number) for number in range(RECORDS))


def sampler(**options):
    """Return a walk over segments whose first token is the record's number."""
    rows = Kept(Segment(np.array([number % 50, *range(5, 5 + number % 7)], "int32"), np.array([1 + number % 7]), number)
                for number in range(RECORDS))
    return CorpusSampler(rows, tiny.tokenizer(), **({"batch_size": 5, "seed": 1} | options))


# ------------------------------------------------------------------------------------------- draws


def test_draws_are_uniform_and_a_function_of_seed_purpose_and_key():
    found = uniform(3, "masks", np.arange(400), 100)
    assert found.min() >= 0 and found.max() < 1
    assert stats.kstest(found.ravel(), "uniform").pvalue > 1e-3
    assert abs(np.corrcoef(found[:-1].ravel(), found[1:].ravel())[0, 1]) < 0.02     # neighbours know nothing
    assert abs(np.corrcoef(found[:, :-1].ravel(), found[:, 1:].ravel())[0, 1]) < 0.02
    np.testing.assert_array_equal(uniform(3, "masks", [7, 399], 100), found[[7, 399]])
    np.testing.assert_array_equal(uniform(3, "masks", [7], 10)[0], found[7, :10])
    for other in (uniform(4, "masks", np.arange(400), 100), uniform(3, "kinds", np.arange(400), 100)):
        assert abs(np.corrcoef(found.ravel(), other.ravel())[0, 1]) < 0.02


def test_whole_numbers_are_below_their_bound():
    assert set(randint(np.array([0.0, 0.2, 0.999999]), 5)) == {0, 1, 4}


# ------------------------------------------------------------------------------------------- pairs


def made(arrange, count=4000, records=KEPT):
    chances = uniform(0, "rows", np.arange(count), DRAWS)
    return [(number % len(records), *arrange(records, number % len(records), draws))
            for number, draws in enumerate(chances)]


def sentences_of(ids):
    return list(dict.fromkeys(ids.tolist()))


def test_a_segment_alone_is_the_whole_row():
    first, second, label = one_segment(KEPT, 4, None)
    np.testing.assert_array_equal(first, KEPT[4].token_ids)
    assert second is None and label == 0


def test_next_sentences_follow_and_random_ones_are_of_another_document():
    followed, drawn = [], []
    for number, first, second, label in made(next_sentence):
        whole_segment = KEPT[number].token_ids
        (drawn if label else followed).append(number)
        if not label:
            np.testing.assert_array_equal(np.concatenate([first, second]), whole_segment)
            assert not set(sentences_of(first)) & set(sentences_of(second))         # cut between two sentences
        else:
            assert second[0] // 10 // 3 != KEPT[number].document and second[0] % 10 in range(4)
            assert len(first) + len(second) <= max(len(whole_segment), 2)
            assert set(first // 10) == {number}
    several = [number for number in followed + drawn if len(KEPT[number].ends) > 1]
    share = sum(len(KEPT[number].ends) > 1 for number in drawn) / len(several)
    assert abs(share - 0.5) < 4 * np.sqrt(0.25 / len(several))
    assert not any(len(KEPT[number].ends) == 1 for number in followed)              # nothing follows in these


def test_how_long_a_row_is_does_not_tell_whether_its_second_text_is_random():
    """Documents of 6 records of 3 to 9 sentences: whatever is drawn, there is enough of it."""
    records = Kept(Segment(np.arange(20 + number % 3, dtype="int32"),
                           np.sort(np.r_[np.random.default_rng(number).choice(np.arange(1, 20), 2 + number % 7, False),
                                         20 + number % 3]).astype("int32"), number // 6) for number in range(36))
    found = made(next_sentence, 4000, records)
    for number, first, second, _ in found:
        assert len(first) + len(second) == len(records[number].token_ids)
    sizes = [[len(second) for *_, second, label in found if label == wanted] for wanted in (0, 1)]
    assert stats.ks_2samp(*sizes).pvalue > 1e-3


def test_a_random_text_goes_on_in_its_document_and_begins_earlier_where_that_ends():
    records = Kept([segment(0, 5), *(Segment(10 * n + np.arange(4, dtype="int32"), np.array([1, 3, 4], "int32"), 1)
                                     for n in (1, 2))])
    texts = {tuple(second) for _, _, second, label in made(next_sentence, 3000, records)
             if label and second[0] >= 10 and len(second) == 6}
    assert texts == {(10, 11, 12, 13, 20, 21), (11, 12, 13, 20, 21, 22)}
    longest = [len(second) for _, first, second, label in made(next_sentence, 3000, records)
               if label and first[0] < 10 and len(first) == 2]                      # 18 tokens wanted: all there are
    assert np.mean(np.array(longest) == 8) > 0.95       # but where ten draws never hit the document's first record


def test_every_place_between_sentences_parts_a_segment_alike():
    records = Kept([segment(0, 5), segment(3, 5)])
    cuts = [len(sentences_of(first)) for _, first, _, label in made(next_sentence, 4000, records) if not label]
    assert stats.chisquare(np.bincount(cuts, minlength=5)[1:]).pvalue > 1e-3


def test_half_of_the_pairs_are_swapped_and_nothing_else_is_changed():
    labels = []
    for number, first, second, label in made(sentence_order):
        if len(KEPT[number].ends) == 1:
            assert label == 1 and second[0] // 10 // 3 != KEPT[number].document
            continue
        labels.append(label)
        np.testing.assert_array_equal(np.concatenate([second, first] if label else [first, second]),
                                      KEPT[number].token_ids)
    assert abs(np.mean(labels) - 0.5) < 4 * np.sqrt(0.25 / len(labels))


def test_without_another_document_the_random_text_is_of_the_same():
    records = Kept([segment(0, 1), segment(1, 1)])
    assert {label for *_, label in made(next_sentence, 50, records)} == {1}


# ------------------------------------------------------------------------------------------- batches


@given(st.integers(1, 12), st.integers(0, 3))
@settings(max_examples=20, deadline=None)
def test_an_epoch_holds_every_record_once(batch_size, seed):
    steps = -(-RECORDS // batch_size)
    found = sampler(batch_size=batch_size, seed=seed)
    seen = np.concatenate([found.batch(step)["token_ids"][:, 1] for step in range(steps)])[:RECORDS]
    assert sorted(seen.tolist()) == list(range(RECORDS))


def test_a_batch_is_a_pure_function_of_seed_and_step():
    one, other = sampler(arrange=next_sentence), sampler(arrange=next_sentence)
    late = other.batch(20)
    for step in (0, 7, 20):
        for name, value in one.batch(step).items():
            np.testing.assert_array_equal(value, (late if step == 20 else other.batch(step))[name])
    assert (sampler(seed=2).batch(0)["token_ids"].shape != one.batch(0)["token_ids"].shape
            or (sampler(seed=2).batch(0)["token_ids"] != one.batch(0)["token_ids"]).any())
    assert one.batch(0)["token_ids"].dtype == "int32" and one.batch(0)["keys"].dtype == "int64"


def test_parts_of_a_batch_are_the_batch():
    whole_batch = sampler(batch_size=6).batch(9)
    parts = [sampler(batch_size=6, part=(i, 3)).batch(9) for i in range(3)]
    np.testing.assert_array_equal(np.concatenate([part["keys"] for part in parts]), whole_batch["keys"])
    longest = whole_batch["token_ids"].shape[1]
    padded = [np.pad(part["token_ids"], ((0, 0), (0, longest - part["token_ids"].shape[1]))) for part in parts]
    np.testing.assert_array_equal(np.concatenate(padded), whole_batch["token_ids"])
    with pytest.raises(Error, match="batch_size=5.*multiple of the 3"):
        sampler(part=(0, 3))


def test_keys_are_new_each_time_or_so_many_for_a_record():
    steps = range(3 * RECORDS)
    keys = np.concatenate([sampler(batch_size=1).batch(step)["keys"] for step in steps])
    assert len(set(keys.tolist())) == len(keys)
    static = sampler(batch_size=1, masks=2)
    by_record = {}
    for step in steps:
        batch = static.batch(step)
        by_record.setdefault(int(batch["token_ids"][0, 1]), []).append(int(batch["keys"][0]))
    assert all(first == third != second for first, second, third in by_record.values())


def test_phases_follow_each_other():
    phases = PhasedSampler((sampler(), sampler(batch_size=2, seed=5)), (3, 4))
    assert phases.total == 7
    np.testing.assert_array_equal(phases.batch(2)["keys"], sampler().batch(2)["keys"])
    for step in (3, 6, 9):
        np.testing.assert_array_equal(phases.batch(step)["token_ids"],
                                      sampler(batch_size=2, seed=5).batch(step - 3)["token_ids"])


def test_another_vocabulary_is_refused(tmp_path):
    files.write_shards(tmp_path, [KEPT[0]], lambda: {
        "length": LENGTH, "vocabulary": {"entries": 9, "sha256": "0"}, "text": []})
    with pytest.raises(Error, match="made with another vocabulary, of 9 entries"):
        CorpusSampler(files.Shards(tmp_path), tiny.tokenizer(), 2)
