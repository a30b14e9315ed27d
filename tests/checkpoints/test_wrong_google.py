"""Google's checkpoints with something wrong are refused with a sentence that names it."""

import shutil

import pytest

from tests.checkpoints.copies import change_json, refused


@pytest.mark.parametrize("file, kept", [
    ("bert_model.ckpt.data-00000-of-00001", 0), ("bert_model.ckpt.data-00000-of-00001", 0.2),
    ("bert_model.ckpt.index", 0), ("bert_model.ckpt.index", 0.5), ("bert_model.ckpt.index", 0.99)])
def test_a_truncated_google_checkpoint(copied, file, kept):
    folder = copied("google")
    content = (folder / file).read_bytes()
    (folder / file).write_bytes(content[:int(kept * len(content))])
    refused(folder, "bert_model.ckpt", "cannot be read", "copy its files again")


def test_a_google_checkpoint_without_its_data(copied):
    folder = copied("google")
    (folder / "bert_model.ckpt.data-00000-of-00001").unlink()
    refused(folder, "bert_model.ckpt", "cannot be read")


def test_one_byte_of_googles_data_is_guarded_by_its_sum(copied):
    folder = copied("google")
    path = folder / "bert_model.ckpt.data-00000-of-00001"
    content = bytearray(path.read_bytes())
    content[1000] ^= 1
    path.write_bytes(content)
    refused(folder, "cannot be read", "Checksum")


def test_a_google_directory_with_two_checkpoints_or_none(copied):
    folder = copied("google")
    shutil.copy(folder / "bert_model.ckpt.index", folder / "other.ckpt.index")
    refused(folder, "holds 2 checkpoints", "wanted exactly one")
    for path in folder.glob("*.index"):
        path.unlink()
    refused(folder, "holds bert_config.json and no checkpoint of TensorFlow")


@pytest.mark.parametrize("changes, words", [
    ({"num_hidden_layers": 3}, ("missing: bert/encoder/layer_2/",)),
    ({"num_hidden_layers": 1}, ("unread: bert/encoder/layer_1/",)),
    ({"vocab_size": 59}, ("misshapen: bert/embeddings/word_embeddings is [60, 32], wanted [59, 32]",)),
    ({"hidden_act": "gelo"}, ("hidden_act='gelo'",)), ({"hidden_size": 10**9}, ("its config describes",))])
def test_a_google_config_that_does_not_fit(copied, changes, words):
    folder = copied("google")
    change_json(folder / "bert_config.json", **changes)
    refused(folder, *words)
