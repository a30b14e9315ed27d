"""faiss answers as the exact index does, where it is installed; where not, the error says what to do."""

import sys

import numpy as np
import pytest

from bertkit.errors import Error
from bertkit.retrieval import ExactIndex, FaissIndex

CHANCE = np.random.default_rng(0)
DOCUMENTS, QUERIES = CHANCE.normal(size=(60, 8)), CHANCE.normal(size=(9, 8))
IDS = [f"d{number}" for number in CHANCE.permutation(60)]


@pytest.mark.parametrize("similarity", ["cosine", "dot"])
def test_flat_is_exact(similarity):
    pytest.importorskip("faiss")
    found, exact = (kind(IDS, DOCUMENTS, similarity).search(QUERIES, 7) for kind in (FaissIndex, ExactIndex))
    for row, wanted in zip(found, exact, strict=True):
        assert list(row) == list(wanted)
        assert list(row.values()) == pytest.approx(list(wanted.values()), abs=1e-5)


def test_fewer_documents_than_asked_for():
    pytest.importorskip("faiss")
    assert len(FaissIndex(IDS[:3], DOCUMENTS[:3]).search(QUERIES, 7)[0]) == 3


def test_a_factory_that_faiss_does_not_know_is_refused():
    pytest.importorskip("faiss")
    with pytest.raises(Error, match="faiss makes no index 'Round' of 60 vectors"):
        FaissIndex(IDS, DOCUMENTS, factory="Round")


def test_without_the_library_the_error_names_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(Error, match="needs faiss-cpu, which is not installed"):
        FaissIndex(IDS, DOCUMENTS)
