"""Google's TensorFlow 1 directories: bert_config.json, bert_model.ckpt and vocab.txt."""

from dataclasses import replace
from glob import escape
from pathlib import Path
from typing import Any

import tensorflow as tf

from bertkit.checkpoints.architectures import encoder_config
from bertkit.checkpoints.release import release
from bertkit.checkpoints.tensors import Tensors, assign, encoder_for, variables, weight_mapping
from bertkit.errors import Error
from bertkit.files.atomic import read_json
from bertkit.files.bounded import check_regular
from bertkit.heads import LanguageModel, PretrainingModel

# What TensorFlow raises, besides its own, on a damaged checkpoint.
DAMAGE = (tf.errors.OpError, ValueError, RuntimeError, LookupError)
LEAVES = {"kernel": "/kernel", "bias": "/bias", "gamma": "/gamma", "beta": "/beta", "embeddings": ""}
SLOTS = ("/adam_m", "/adam_v")              # what the optimizer of the release leaves beside a variable


def load(folder: str | Path, part: str | None = None, activation: str | None = None) -> Any:
    """Return the model that a Google directory holds: an `Encoder`, with the pre-training heads that lie beside it.

    "gelu" in its config is what the release's own code means by it, unless `activation` says otherwise. A pooler that
    the file lacks is left out, except for the encoder alone, which may get a head later.

    Args:
        folder: The directory.
        part: "encoder" for the `Encoder` alone, the name of another model of the same checkpoint (see
            `family.formats.Google.parts`), or None.
        activation: The activation in place of the config's, or None.

    Returns:
        An `Encoder`, a `LanguageModel` or a `PretrainingModel`.

    Raises:
        Error: When a file is damaged, or the checkpoint does not hold the model that its config describes.
    """
    folder = Path(folder)
    page, form = _released(folder)
    path, form = folder / form.file, form.parts.get(part, form)
    tensors = weights(folder)
    config = form.measure(_config(read_json(path), page, form, path, activation), tensors.shapes)
    heads = [] if part == "encoder" else _heads(page, form, tensors)
    if part != "encoder" and not _has_pooler(page, form, heads, tensors):
        config = config.but(pooler=None)
    encoder = encoder_for(config, tensors)
    model = encoder if not heads else LanguageModel(encoder) if heads == ["mlm"] else PretrainingModel(encoder, heads)
    assign(model, tensors, weight_mapping(variables(model), form.names, LEAVES), unused=form.unused,
           ignored=form.ignored, new=("encoder/pooler",))
    return model


def parts(folder: Path) -> tuple[str, ...]:
    """Return the names of the other models in a Google directory's checkpoint.

    Args:
        folder: The directory.

    Returns:
        The names, such as "generator".

    Raises:
        Error: When the folder is no such directory, or holds the configs of several families.
    """
    return tuple(_released(folder)[1].parts)


def _released(folder):
    """Return the family's page and its `GOOGLE`; raises Error where the folder is no release of Google's."""
    if (found := release(folder)) is None:
        raise Error(f"{folder} holds no TensorFlow 1 checkpoint; give the folder of one, with its bert_config.json.")
    return found


def _heads(page, form, tensors):
    """Return the names of the heads that have tensors in the file."""
    found = {ours.split("/")[0] for ours, theirs in form.names.items()
             if not ours.startswith("encoder/") and any(name.startswith(theirs) for name in tensors.shapes)}
    return [name for name in page.HEADS if name in found]


def _has_pooler(page, form, heads, tensors):
    """Return whether a pooler lies in the file, or a head there reads one."""
    name = form.names.get("encoder/pooler")
    return name is not None and any(stored.startswith(name) for stored in tensors.shapes) or any(
        getattr(page.HEADS[head], "reduce", None) == "pooled" for head in heads)


def _config(values, page, form, path, activation):
    """Return the EncoderConfig of a release's config; names the key that is wrong."""
    google = replace(page.HUGGINGFACE, config=form.config, read=form.read)
    if activation is None and values.get(form.config["activation"], "gelu") == "gelu":
        activation = form.gelu
    return encoder_config(values, page, path, activation, google)


def weights(folder: Path) -> Tensors:
    """Return the tensors of the one checkpoint in a folder, without those of its optimizer.

    Args:
        folder: The folder.

    Returns:
        The `Tensors`.

    Raises:
        Error: When the folder does not hold exactly one checkpoint, or it is damaged.
    """
    indices = sorted(folder.glob("*.index"))
    if len(indices) != 1:
        raise Error(f"{folder} holds {len(indices)} checkpoints (*.index); wanted exactly one.")
    stem = indices[0].with_suffix("")
    for path in (*indices, *sorted(folder.glob(f"{escape(stem.name)}.data-*"))):
        check_regular(path)                             # TensorFlow would wait for the writer of a pipe
    try:
        for file in folder.iterdir():
            if file == indices[0] or file.name.startswith(f"{stem.name}.data-"):
                check_regular(file)
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
