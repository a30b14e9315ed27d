"""Google's TensorFlow 1 directories: bert_config.json, bert_model.ckpt and vocab.txt."""

from dataclasses import replace
from pathlib import Path

import tensorflow as tf

from bertkit import family
from bertkit.checkpoints.files import read_json
from bertkit.checkpoints.architectures import encoder_config
from bertkit.checkpoints.tensors import Tensors, assign, encoder_for, slots, variables
from bertkit.errors import Error

# What TensorFlow raises, besides its own, on a damaged checkpoint.
DAMAGE = (tf.errors.OpError, ValueError, RuntimeError, LookupError)
LEAVES = {"kernel": "/kernel", "bias": "/bias", "gamma": "/gamma", "beta": "/beta", "embeddings": ""}
SLOTS = ("/adam_m", "/adam_v")              # what the optimizer of the release leaves beside a variable


def load(folder, part=None, activation=None):
    """Return the `Encoder` of a Google directory, or of the model `part` in it; heads are set aside.

    "gelu" in its config is what the release's own code means by it, unless `activation` says otherwise.
    """
    folder = Path(folder)
    page, form = next((page, form) for page, form in family.published_as("GOOGLE").items()
                      if (folder / form.file).exists())
    path = folder / form.file
    tensors = weights(folder)
    encoder = encoder_for(_config(read_json(path), page, form, path, activation), tensors)
    assign(encoder, tensors, slots(variables(encoder), form.names, LEAVES), aside=form.aside, ignored=form.ignored,
           new=("encoder/pooler",))
    return encoder


def _config(values, page, form, path, activation):
    """Return the EncoderConfig of a release's config; names the key that is wrong."""
    google = replace(page.HUGGINGFACE, config=form.config, read=form.read)
    if activation is None and values.get(form.config["activation"], "gelu") == "gelu":
        activation = form.gelu
    return encoder_config(values, page, path, activation, google)


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
