"""An index on disk: what was saved comes back, and what was changed is refused."""

import numpy as np
import pytest
from safetensors.numpy import save_file

from bertkit.errors import Error
from bertkit.files import manifest
from bertkit.retrieval import ExactIndex, load, save
from bertkit.retrieval.stored import METADATA, VECTORS
from tests import json_files

INDEX = ExactIndex(["sun", "sea"], [[0.0, 1.0], [2.0, 1.0]], "dot")


@pytest.fixture
def folder(tmp_path):
    save(tmp_path / "index", INDEX)
    return tmp_path / "index"


def change(folder, **values):
    json_files.change(folder / METADATA, **values)


def test_it_comes_back(folder):
    again = load(folder)
    assert (again.ids, again.similarity) == (INDEX.ids, "dot")
    assert again.search([[1.0, 3.0]]) == INDEX.search([[1.0, 3.0]])


def test_a_saved_index_is_replaced(folder):
    save(folder, ExactIndex(["moon"], [[1.0]]))
    assert load(folder).ids == ["moon"]


def test_changed_vectors_are_refused(folder):
    content = bytearray((folder / VECTORS).read_bytes())
    content[-1] ^= 1
    (folder / VECTORS).write_bytes(content)
    with pytest.raises(Error, match="SHA-256 differs"):
        load(folder)


@pytest.mark.parametrize("vectors", [{"vectors": np.zeros((3, 2), "float32")}, {"vectors": np.zeros((2, 2))},
                                     {"vectors": np.zeros(2, "float32")}, {"others": np.zeros((2, 2), "float32")}])
def test_vectors_that_do_not_fit_the_ids_are_refused(folder, vectors):
    save_file(vectors, folder / VECTORS)
    change(folder, files=manifest.describe(folder, (VECTORS,)))
    with pytest.raises(Error, match="wanted F32|wanted vectors"):
        load(folder)


@pytest.mark.parametrize("values", [{"format": 9}, {"kind": "tree"}, {"ids": "sun"}, {"files": {"../x": {}}},
                                    {"files": None}, {"files": {VECTORS: None}}, {"factory": "Flat"}, {"ids": [3, 4]},
                                    {"similarity": []}])
def test_other_facts_are_refused(folder, values):
    change(folder, **values)
    with pytest.raises(Error, match=METADATA):
        load(folder)


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Error, match="cannot be written"):
        save(tmp_path / "file", INDEX)
