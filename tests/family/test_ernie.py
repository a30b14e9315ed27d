"""ERNIE: BERT whose texts have the first row of a table of tasks; the outputs are in test_golden.py."""

import json
import logging
import shutil

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from bertkit import checkpoints
from bertkit.errors import Error
from bertkit.family import of_huggingface
from tests.checkpoints.copies import change_json
from tests.recorded import GOLDEN

SEGMENTS, TASKS = (f"ernie.embeddings.{name}_type_embeddings.weight" for name in ("token", "task"))


@pytest.fixture
def folder(tmp_path):
    return shutil.copytree(GOLDEN / "families" / "ernie", tmp_path / "ernie")


def segments(folder):
    return np.asarray(checkpoints.load(folder, part="encoder").embeddings.segment.embeddings)


def test_the_first_task_is_part_of_each_segment(folder, caplog):
    caplog.set_level(logging.INFO)
    tensors = load_file(folder / "model.safetensors")
    np.testing.assert_array_equal(segments(folder), tensors[SEGMENTS] + tensors[TASKS][0])
    assert "task_type_embeddings.weight is added to" in caplog.text and "set aside" in caplog.text


@pytest.mark.parametrize("flag", [False, None])
def test_without_use_task_id_there_are_no_tasks(folder, flag):
    change_json(folder / "config.json", use_task_id=flag)
    np.testing.assert_array_equal(segments(folder), load_file(folder / "model.safetensors")[SEGMENTS])


def test_a_table_that_is_missing_is_named(folder):
    tensors = load_file(folder / "model.safetensors")
    save_file({name: held for name, held in tensors.items() if name != TASKS}, folder / "model.safetensors")
    with pytest.raises(Error, match="holds no embeddings.task_type_embeddings.weight"):
        checkpoints.load(folder)


def test_the_page_is_found_by_its_type(folder):
    assert of_huggingface(json.loads((folder / "config.json").read_text())).CONFIG.family == "ernie"
