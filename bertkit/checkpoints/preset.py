"""keras-nlp presets: a folder with config.json and model.weights.h5.

Nothing is deserialised: the config is read as JSON and the weights as plain arrays.
"""

import re
from contextlib import contextmanager
from pathlib import Path

import h5py

from bertkit import family
from bertkit.checkpoints.tensors import Tensors, assign, encoder_for, variables, weight_mapping
from bertkit.encoder import Encoder
from bertkit.errors import Error
from bertkit.files.atomic import read_json

LEAVES = {"kernel": "/vars/0", "bias": "/vars/1", "gamma": "/vars/0", "beta": "/vars/1",
          "embeddings": "/vars/0"}


def load(folder: str | Path, part: str | None = None, activation: str | None = None) -> Encoder:
    """Return the `Encoder` of a keras-nlp preset folder; heads are never stored in one.

    Args:
        folder: The folder.
        part: Not used: there is only the encoder.
        activation: The activation in place of the release's, or None.

    Returns:
        The `Encoder`.

    Raises:
        Error: When a file is damaged, or the weights are not those of the model that the config describes.
    """
    folder = Path(folder)
    values = read_json(folder / "config.json")
    page, form = _page(values, folder)
    tensors = weights(folder)
    encoder = encoder_for(_config(values, page, form, folder, activation), tensors)
    assign(encoder, tensors, weight_mapping(variables(encoder), form.names, LEAVES), unused=form.unused)
    return encoder


def weights(folder: Path) -> Tensors:
    """Return the tensors of model.weights.h5, attention heads merged: [D,N,H] is read as [D,N·H].

    Args:
        folder: The folder of the preset.

    Returns:
        The `Tensors`.

    Raises:
        Error: When the file is damaged, or keeps values in another file.
    """
    path = folder / "model.weights.h5"
    with _told(path):
        actual = _datasets(h5py.File(path, "r"))
        shapes = {name: _merged(name, item.shape) for name, item in actual.items()}

    def read(name):
        with _told(path):
            return actual[name][...].reshape(shapes[name])

    return Tensors(path, shapes, read)


@contextmanager
def _told(path):
    """Turn whatever exception h5py raises on a damaged file into an `Error`."""
    try:
        yield
    except (OSError, RuntimeError, LookupError, ValueError, TypeError) as error:
        raise Error(f"{path} is not a whole HDF5 file ({str(error)[:120]}); copy it again.") from None


def _datasets(file):
    """Return {name: dataset}; raises `Error` for one whose values lie in another file."""
    datasets = {}
    file.visititems(lambda name, item: datasets.update({_numbered(name): item})
                    if isinstance(item, h5py.Dataset) else None)
    for name, item in datasets.items():
        if item.external or item.is_virtual:
            raise Error(f"{file.filename}: {name} keeps its values in another file; refused.")
    return datasets


def _config(values, page, form, folder, activation):
    backbone = values.get("config")
    if not isinstance(backbone, dict):
        raise Error(f"{folder / 'config.json'} has no config of a {form.class_name}; copy the file again.")
    try:
        ours = {name: backbone[name] for name in form.config if name in backbone} | form.read(backbone)
        return page.CONFIG.but(activation=activation or form.gelu, attention_dropout=backbone.get(
            "dropout", page.CONFIG.attention_dropout), **ours)
    except Error as error:
        raise Error(f"{folder / 'config.json'}: {error}") from None


def _page(values, folder):
    for page, form in family.pages_with("PRESET").items():
        if values.get("class_name") == form.class_name:
            return page, form
    raise Error(f"{folder / 'config.json'} describes a {values.get('class_name')!r}, which bertkit does not "
                "load.")


def _numbered(name):
    """Keras names the first of a kind without a number: transformer_encoder, transformer_encoder_1, ..."""
    return re.sub(r"^layers/transformer_encoder/", "layers/transformer_encoder_0/", name)


def _merged(name, shape):
    if re.search(r"(query|key|value)_dense/vars/0$", name) and len(shape) == 3:
        return (shape[0], shape[1] * shape[2])
    if re.search(r"output_dense/vars/0$", name) and len(shape) == 3:
        return (shape[0] * shape[1], shape[2])
    if re.search(r"(query|key|value)_dense/vars/1$", name) and len(shape) == 2:
        return (shape[0] * shape[1],)
    return tuple(shape)
