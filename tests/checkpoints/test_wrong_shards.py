"""Tensors in several files: one checkpoint, or a sentence that names what is wrong."""

import json

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from bertkit import checkpoints
from tests.checkpoints.copies import QUERY, refused
from tests.recorded import GOLDEN


@pytest.fixture
def sharded(copied):
    """Return a copy whose tensors lie in two shards, and the table of its index."""
    folder = copied("erf")
    tensors = load_file(folder / "model.safetensors")
    names = sorted(tensors)
    table = {}
    for number, part in enumerate((names[::2], names[1::2]), start=1):
        file = f"model-0000{number}-of-00002.safetensors"
        save_file({name: tensors[name] for name in part}, folder / file)
        table |= dict.fromkeys(part, file)
    (folder / "model.safetensors").unlink()
    write_index(folder, table)
    return folder, table


def write_index(folder, table):
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": table}))


def test_shards_are_one_checkpoint(sharded):
    folder, _ = sharded
    whole = checkpoints.load(GOLDEN / "bert_tiny_erf")
    for ours, theirs in zip(checkpoints.load(folder).weights, whole.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_missing_shard(sharded):
    folder, _ = sharded
    (folder / "model-00002-of-00002.safetensors").unlink()
    refused(folder, "model-00002-of-00002.safetensors is missing", "model.safetensors.index.json names it")


@pytest.mark.parametrize("name", [
    "../secret.safetensors", "/etc/passwd", "..", "sub/model.safetensors", 5, None])
def test_a_shard_outside_the_folder(sharded, name):
    folder, table = sharded
    write_index(folder, {**table, QUERY: name})
    words = ("outside the folder; refused",) if isinstance(name, str) else ("is missing",)
    refused(folder, *words)


@pytest.mark.parametrize("table, word", [
    (None, "has no weight_map"), ([], "has no weight_map"), ({}, "holds 0 numbers")])
def test_an_index_without_a_table(sharded, table, word):
    folder, _ = sharded
    write_index(folder, table)
    refused(folder, word)


def test_an_index_that_names_more_than_the_shards_hold(sharded):
    folder, table = sharded
    write_index(folder, {**table, "ghost.weight": "model-00001-of-00002.safetensors"})
    refused(folder, "names tensors that no shard holds: ghost.weight")


def test_a_tensor_in_two_shards(sharded):
    folder, _ = sharded
    first, second = sorted(folder.glob("model-*.safetensors"))
    save_file(load_file(second) | {"pooler.dense.bias": load_file(first).get(
        "pooler.dense.bias", np.ones(32, "f4")), QUERY: np.ones((32, 32), "f4")}, second)
    save_file(load_file(first) | {QUERY: np.ones((32, 32), "f4")}, first)
    refused(folder, "which another shard of", "holds too")
