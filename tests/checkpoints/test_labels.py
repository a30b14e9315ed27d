"""The names of the classes in a published config.json: one for each row of the head, or one sentence that helps."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertkit import checkpoints
from bertkit.checkpoints.labels import label_names
from bertkit.errors import Error
from tests.checkpoints.copies import change_json

NAMES = {"0": "neg", "1": "neu", "2": "pos"}
INVERSE = {"neg": 0, "neu": 1, "pos": 2}


@given(st.permutations(list(NAMES)), st.sampled_from([None, {}, INVERSE]), st.sampled_from([None, 3]))
def test_the_order_in_the_file_does_not_matter(order, inverse, count):
    values = {"id2label": {key: NAMES[key] for key in order}, "label2id": inverse, "num_labels": count}
    assert label_names(values, 3) == ["neg", "neu", "pos"]


def test_without_names_classes_are_numbered():
    assert label_names({}) == label_names({"id2label": None, "label2id": None}, 2) == ["0", "1"]
    assert label_names({"num_labels": 3}, 3) == ["0", "1", "2"]


@pytest.mark.parametrize("values, words", [
    ({"id2label": {"1": "neg", "2": "neu", "3": "pos"}},
     r'keys 1, 2, 3, .* write "id2label": {"0": "neg", "1": "neu", "2": "pos"}'),
    ({"id2label": {"0": "neg", "1": "neu", "5": "pos"}}, "keys 0, 1, 5, "),
    ({"id2label": {"neg": 0, "neu": 1, "pos": 2}}, "keys neg, neu, pos, "),
    ({"id2label": {"0": "neg", "1": "pos"}}, r'names 2 classes .* the head has 3 rows; .* "2": "NAME 2"'),
    ({"id2label": {"1": "neg", "2": "pos"}}, r'keys 1, 2, .*"0": "NAME 0", "1": "NAME 1", "2": "NAME 2"'),
    ({}, "names 2 classes .* the head has 3 rows"),
    ({"id2label": NAMES, "num_labels": 4}, 'num_labels=4 and id2label with 3 names .* write "num_labels": 3'),
    ({"id2label": NAMES, "label2id": {"neg": 2, "neu": 1, "pos": 0}},
     'not the inverse of id2label.* write "label2id": {"neg": 0, "neu": 1, "pos": 2}'),
    ({"id2label": NAMES, "label2id": {"LABEL_0": 0, "LABEL_1": 1, "LABEL_2": 2}}, "not the inverse"),
    ({"id2label": NAMES, "label2id": ["neg", "neu", "pos"]}, "not the inverse"),
    ({"id2label": {"0": "neg", "1": None, "2": "pos"}}, "id2label has None among its names")], ids=str)
def test_what_leaves_a_row_without_a_sure_name_is_refused(copied, values, words):
    folder = copied("classifier")
    change_json(folder / "config.json", **{"id2label": None, "label2id": None, **values})
    with pytest.raises(Error, match=words):
        checkpoints.load(folder)
    assert checkpoints.load(folder, part="encoder").config.hidden_dim == 32
