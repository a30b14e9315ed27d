"""What is done to copies of checkpoints, and the sentence that refuses them."""

import json

import pytest
from safetensors.numpy import load_file, save_file

from bertkit import checkpoints
from bertkit.errors import Error

QUERY = "encoder.layer.1.attention.self.query.weight"


def change_json(path, **changes):
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def change_tensors(folder, change):
    tensors = load_file(folder / "model.safetensors")
    change(tensors)
    save_file(tensors, folder / "model.safetensors")


def refused(folder, *words, **options):
    """Load, and return the message of the refusal: one sentence with all of `words` in it."""
    with pytest.raises(Error) as caught:
        checkpoints.load(folder, **options)
    message = str(caught.value)
    assert all(word in message for word in words), message
    assert "\n" not in message
    return message
