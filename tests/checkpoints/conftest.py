"""Copies of golden checkpoints, and a place for a file of torch's."""

import shutil

import pytest

from tests.recorded import GOLDEN


@pytest.fixture
def copied(tmp_path):
    """Return a function name -> a copy of that golden checkpoint."""
    def copy(name):
        shutil.rmtree(tmp_path / name, ignore_errors=True)
        return shutil.copytree(GOLDEN / f"bert_tiny_{name}", tmp_path / name)

    return copy


@pytest.fixture
def path(tmp_path):
    return tmp_path / "pytorch_model.bin"
