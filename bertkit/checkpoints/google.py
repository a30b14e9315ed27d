"""Google's TensorFlow 1 directories: bert_config.json, bert_model.ckpt and vocab.txt."""

from pathlib import Path

import tensorflow as tf

from bertkit import family
from bertkit.checkpoints.files import read_json
from bertkit.checkpoints.huggingface import encoder_config
from bertkit.checkpoints.tensors import Tensors, assign, encoder_for, slots, variables
from bertkit.errors import Error

# What TensorFlow raises, besides its own, on a damaged checkpoint.
DAMAGE = (tf.errors.OpError, ValueError, RuntimeError, LookupError)
LEAVES = {"kernel": "/kernel", "bias": "/bias", "gamma": "/gamma", "beta": "/beta", "embeddings": ""}
SLOTS = ("/adam_m", "/adam_v")              # what the optimizer of the release leaves beside a variable


def load(folder, part=None, activation=None):
    """Return the `Encoder` of a Google directory; its heads are set aside.

    "gelu" in its config is the tanh form, as in its own code, unless `activation` says otherwise.
    """
    folder = Path(folder)
    page = next(page for page in map(family.page, family.PAGES)
                if (folder / page.GOOGLE_CONFIG_FILE).exists())
    path = folder / page.GOOGLE_CONFIG_FILE
    values = read_json(path)
    if activation is None and values.get("hidden_act", "gelu") == "gelu":
        activation = page.GOOGLE_GELU
    tensors = weights(folder)
    encoder = encoder_for(encoder_config(values, page, path, activation), tensors)
    assign(encoder, tensors, slots(variables(encoder), page.GOOGLE, LEAVES),
           aside=page.GOOGLE_HEADS, new=("encoder/pooler",))
    return encoder


def weights(folder):
    """Return the `Tensors` of the one checkpoint in a folder, without the optimizer's slots."""
    found = sorted(folder.glob("*.ckpt*.index"))
    if len(found) != 1:
        raise Error(f"{folder} holds {len(found)} checkpoints (*.ckpt*.index); wanted exactly one.")
    stem = found[0].with_suffix("")
    try:
        reader = tf.train.load_checkpoint(str(stem))
        shapes = reader.get_variable_to_shape_map()
    except DAMAGE as error:
        raise Error(f"{stem} cannot be read ({_first_line(error)}); copy its files again.") from None
    shapes = {name: tuple(shape) for name, shape in sorted(shapes.items())
              if not name.endswith(SLOTS) and name != "global_step"}
    return Tensors(stem, shapes, lambda name: _read(reader, stem, name))


def _read(reader, stem, name):
    try:
        return reader.get_tensor(name)
    except DAMAGE as error:
        raise Error(f"{stem}: {name} cannot be read ({_first_line(error)}); copy its files again.") from None


def _first_line(error):
    return str(error).strip().split("\n")[0][:200]
