"""Labels that a model of the other rows contradicts: by our own estimate, and by cleanlab's where it is installed."""

import random
import sys

import numpy as np
import pytest

from bertkit.doctor import data_checks

PLAIN = "the was he in it she to of and with for from by at on a his her".split()
OWN = {0: ["wine", "water", "sun"], 1: ["able", "quick", "be"]}


@pytest.fixture(scope="module")
def rows():
    """Return (labels, one in twelve exchanged; probabilities of a model of the other rows; the rows exchanged)."""
    draw, texts, labels, exchanged = random.Random(0), [], [], set()
    for row in range(600):
        label, words = draw.randrange(2), draw.choices(PLAIN, k=8)
        words[2:2], words[6:6] = draw.choices(OWN[label], k=1), draw.choices(OWN[label], k=1)
        if draw.random() < 1 / 12:
            exchanged.add(row)
        texts.append((" ".join(words),))
        labels.append(1 - label if row in exchanged else label)
    labels = np.array(labels)
    return labels, data_checks._out_of_fold(texts, labels, 2, seed=0), exchanged


@pytest.mark.parametrize("by", ["cleanlab", "confident learning"])
def test_exchanged_labels_are_found(rows, by, monkeypatch):
    if by == "cleanlab":
        pytest.importorskip("cleanlab")
    else:
        monkeypatch.setitem(sys.modules, "cleanlab.filter", None)
    labels, chances, exchanged = rows
    wrong, named = data_checks._contradicted(labels, chances)
    assert named.startswith(by)
    assert len(exchanged & set(wrong)) > 0.7 * len(exchanged) and len(exchanged & set(wrong)) > 0.7 * len(wrong)


def test_the_surest_come_first(rows, monkeypatch):
    monkeypatch.setitem(sys.modules, "cleanlab.filter", None)
    labels, chances, exchanged = rows
    wrong, _ = data_checks._contradicted(labels, chances)
    assert set(wrong[:10]) <= exchanged
