"""What is held out of train: so many rows, each class its share, equal texts on one side; and folds of it."""

import json
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertkit.data.holdout import folds, held_out_size, hold_out
from bertkit.data.splits import Splits
from bertkit.errors import Error

LAYERS = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 30)), min_size=1, max_size=80)


@pytest.mark.parametrize("rows, held", [(5, 1), (50, 10), (100, 20), (200, 40), (400, 40), (429, 43), (5000, 500)])
def test_the_size_is_the_larger_of_a_tenth_and_of_the_lesser_of_forty_and_a_fifth(rows, held):
    assert held_out_size(rows) == held


@given(LAYERS, st.integers(1, 20), st.integers(0, 3))
def test_no_unit_is_on_both_sides_and_each_class_keeps_one(rows, size, seed):
    strata, units = zip(*rows, strict=True)
    held = hold_out(strata, units, size, seed)
    sides = [{unit for unit, out in zip(units, held, strict=True) if out == side} for side in (True, False)]
    assert not sides[0] & sides[1] and held.sum() <= size
    firsts = dict(zip(reversed(units), reversed(strata), strict=True))          # a unit's stratum is its first row's
    assert {firsts[unit] for unit in sides[1]} == set(firsts.values())


@given(st.integers(20, 300), st.integers(0, 3))
def test_each_class_gives_its_share_to_the_nearest_row(rows, seed):
    strata = ["a" if row % 10 < 7 else "b" if row % 10 < 9 else "c" for row in range(rows)]
    size = held_out_size(rows)
    held = Counter(layer for layer, out in zip(strata, hold_out(strata, range(rows), size, seed), strict=True) if out)
    assert sum(held.values()) == size
    for layer, count in Counter(strata).items():
        assert abs(held[layer] - size * count / rows) < 1


def test_a_class_of_one_row_stays_in_train():
    for seed in range(20):
        assert not hold_out([*"aaaaaaaaab", "c"], range(11), 5, seed)[-2:].any()


def test_classes_of_one_row_leave_the_number_to_the_others():
    assert hold_out(["a"] * 20 + list(range(20)), range(40), 8).sum() == 8


def test_a_large_unit_does_not_drive_other_classes_from_its_fold():
    strata, units = ["a"] * 12 + ["b"] * 6, [*([0] * 6), *range(1, 13)]
    for seed in range(10):
        assert np.bincount(folds(strata, units, 2, seed)[12:]).tolist() == [3, 3]


def test_the_rows_held_out_are_drawn():
    drawn = [hold_out(["a"] * 40, range(40), 8, seed) for seed in range(2)]
    assert (drawn[0] != drawn[1]).any() and not drawn[0][:8].all()


@given(LAYERS, st.integers(2, 6), st.integers(0, 3))
def test_each_row_is_in_one_fold_beside_its_like(rows, count, seed):
    strata, units = zip(*rows, strict=True)
    found = folds(strata, units, count, seed)
    assert len({(unit, fold) for unit, fold in zip(units, found, strict=True)}) == len(set(units))
    assert set(found) <= set(range(count))
    if len(set(units)) >= count and len(set(strata)) == 1:
        assert set(found) == set(range(count))


def test_folds_have_each_class_alike():
    strata = ["a"] * 35 + ["b"] * 15
    for fold in range(5):
        assert Counter(np.array(strata)[folds(strata, range(50), 5) == fold]) == {"a": 7, "b": 3}


def written(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_without_dev_a_part_of_train_is_held_out_and_said(tmp_path, capsys):
    rows = [{"text": f"t{row % 45}", "label": "ab"[row % 45 % 3 == 0]} for row in range(50)] \
        + [{"text": "alone", "label": "c"}]
    splits = Splits("classify", written(tmp_path / "f.jsonl", rows), None)
    train, dev = splits.parts["train"], splits.parts["dev"]
    assert len(dev) == held_out_size(51) and f"held out {len(dev)} of 51 rows of {tmp_path}" in capsys.readouterr().err
    assert not set(train.inputs) & set(dev.inputs) and sorted(train.inputs + dev.inputs) == sorted(
        row["text"] for row in rows)
    assert "alone" in train.inputs and set(dev.targets) == {0, 1}
    assert splits.metadata()["dev"].items() >= {"file": "f.jsonl", "rows": len(dev), "skipped": 0,
                                                "held_out_of": 51}.items()
    given = Splits("classify", tmp_path / "f.jsonl", tmp_path / "f.jsonl")
    assert len(given.parts["train"]) == 51 and "held_out_of" not in given.metadata()["dev"]


def test_nothing_to_hold_out_is_told(tmp_path):
    rows = [{"text": "good", "label": "a"}, {"text": "bad", "label": "b"}]
    with pytest.raises(Error, match="of its 2 rows none can be held out to choose the epoch; give rows of their own"):
        Splits("classify", written(tmp_path / "f.jsonl", rows), None)


def test_questions_about_one_text_and_endings_of_one_prompt_stay_together(tmp_path):
    asked = [{"context": f"It is {place}.", "qas": [
        {"id": f"{place}-{n}", "question": f"{n}?", "answers": [{"text": "It", "answer_start": 0}]}
        for n in range(3)]} for place in range(12)]
    (tmp_path / "f.json").write_text(json.dumps({"data": [{"paragraphs": asked}]}))
    parts = Splits("answer", tmp_path / "f.json", None).parts
    assert not {c for _, c in parts["train"].inputs} & {c for _, c in parts["dev"].inputs}
    assert len(parts["dev"]) == 6                       # two contexts of three questions, of at most seven rows
    rows = [{"prompt": f"p{row // 2}", "ending0": "a", "ending1": f"b{row}", "label": 0} for row in range(40)]
    parts = Splits("choose", written(tmp_path / "c.jsonl", rows), None).parts
    assert not {given[0] for given in parts["train"].inputs} & {given[0] for given in parts["dev"].inputs}


def test_scores_are_held_out_over_their_range_and_tags_by_type(tmp_path):
    rows = [{"text": f"t{row}", "label": row} for row in range(100)]
    dev = Splits("score", written(tmp_path / "f.jsonl", rows), None).parts["dev"]
    assert Counter(int(target) // 20 for target in dev.targets) == dict.fromkeys(range(5), 4)
    sentences = [f"w{row} O\n{kind} B-{kind}\n\n" for row in range(40) for kind in ("LOC", "PER")[:1 + (row % 4 == 0)]]
    (tmp_path / "f.conll").write_text("".join(sentences))
    dev = Splits("tag", tmp_path / "f.conll", None).parts["dev"]
    assert Counter(tags[1] for tags in dev.targets) == {"B-LOC": 8, "B-PER": 2}


def test_labels_of_several_are_held_out_by_the_rarest(tmp_path):
    rows = [{"text": f"t{row}", "labels": ["x", *["y"] * (row % 5 == 0)]} for row in range(50)]
    dev = Splits("classify", written(tmp_path / "f.jsonl", rows), None).parts["dev"]
    assert dev.targets.sum(axis=0).tolist() == [10, 2]


def test_folds_of_splits(tmp_path):
    rows = [{"text": f"t{row}", "label": "ab"[row % 3 == 0]} for row in range(60)]
    path = written(tmp_path / "f.jsonl", rows)
    found = list(Splits("classify", path, None).folds(3))
    assert sorted(np.concatenate([rows for rows, _ in found]).tolist()) == list(range(60))
    for numbers, part in found:
        sides = [set(part.parts[name].inputs) for name in ("train", "dev", "test")]
        assert part.parts["test"].inputs == [f"t{row}" for row in numbers] and len(set.union(*sides)) == 60
        assert sum(map(len, sides)) == 60 and len(sides[1]) == held_out_size(40)
    with_dev = list(Splits("classify", path, path).folds(2))
    assert [len(part.parts["dev"]) for _, part in with_dev] == [60, 60]
    assert [len(part.parts["train"]) for _, part in with_dev] == [30, 30]
    for count in (1, 61):
        with pytest.raises(Error, match=f"folds={count} does not divide the 60 different rows"):
            next(Splits("classify", path, path).folds(count))
