"""A folder that is no whole checkpoint is named for what it is; one of before 2019 loads."""

import json
import re
import shutil

import numpy as np
import pytest
from safetensors.numpy import load_file

from bertkit import checkpoints
from bertkit.errors import Error
from bertkit.text import Tokenizer
from tests.checkpoints import torch_forms
from tests.recorded import GOLDEN

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 437955512\n".format(64 * "a")
ERF = GOLDEN / "bert_tiny_erf"


@pytest.mark.parametrize("source, file", [
    ("bert_tiny_erf", "model.safetensors"), ("bert_tiny_erf", "config.json"), ("bert_tiny_preset", "model.weights.h5"),
    ("bert_tiny_google", "*.index"), ("bert_tiny_google", "*.data-*")])
def test_a_pointer_of_git_lfs_is_no_weights(tmp_path, source, file):
    folder = shutil.copytree(GOLDEN / source, tmp_path / "copy")
    next(folder.glob(file)).write_text(POINTER)
    with pytest.raises(Error, match="is a pointer of Git LFS.*git lfs pull"):
        checkpoints.load(folder)


def test_nor_is_it_a_file_of_torch(tmp_path):
    shutil.copy(ERF / "config.json", tmp_path)
    (tmp_path / "pytorch_model.bin").write_text(POINTER)
    with pytest.raises(Error, match="pytorch_model.bin.* is a pointer of Git LFS"):
        checkpoints.load(tmp_path)


@pytest.mark.parametrize("file", ["vocab.txt", "tokenizer.json", "vocab.json", "spiece.model"])
def test_nor_is_it_a_vocabulary(tmp_path, file):
    (tmp_path / file).write_text(POINTER)
    (tmp_path / "merges.txt").write_text(POINTER)
    with pytest.raises(Error, match="is a pointer of Git LFS"):
        Tokenizer.load(tmp_path)


def test_a_small_text_that_is_no_pointer_is_read(tmp_path):
    (tmp_path / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nversion\n")
    assert len(Tokenizer.load(tmp_path)) == 6


def write(path, tensors):
    """Write a pytorch_model.bin of float32 tensors."""
    entries, storages = {}, {}
    for i, (name, values) in enumerate(tensors.items()):
        storages[str(i)] = values.astype("<f4").tobytes()
        strides = tuple(int(np.prod(values.shape[axis + 1:])) for axis in range(values.ndim))
        entries[name] = torch_forms.tensor(torch_forms.storage(str(i), "Float", values.size), 0, values.shape, strides)
    torch_forms.zipped(path, torch_forms.mapping(entries), storages)


def test_a_folder_of_before_2019_loads(tmp_path):
    """pytorch-pretrained-BERT: bert_config.json without model_type, LayerNorm's weights called gamma and beta."""
    values = json.loads((ERF / "config.json").read_text())
    (tmp_path / "bert_config.json").write_text(json.dumps({
        key: value for key, value in values.items() if key not in ("model_type", "architectures", "layer_norm_eps")}))
    old = {"LayerNorm.weight": "LayerNorm.gamma", "LayerNorm.bias": "LayerNorm.beta"}
    tensors = {"bert." + re.sub(r"LayerNorm\.\w+", lambda found: old[found[0]], name): value
               for name, value in load_file(ERF / "model.safetensors").items()}
    write(tmp_path / "pytorch_model.bin", tensors)
    batch = {"token_ids": np.array([[2, 7, 8, 3]], "int32")}
    np.testing.assert_allclose(checkpoints.load(tmp_path)(batch)["sequence"], checkpoints.load(ERF)(batch)["sequence"],
                               atol=1e-6)
    write(tmp_path / "pytorch_model.bin", dict(list(tensors.items())[3:]))
    with pytest.raises(Error, match="bert_config.json is read as pytorch-pretrained-BERT .* before 2019: .*missing"):
        checkpoints.load(tmp_path)
