"""A SavedModel as a function of a batch, through its signature of token ids."""

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from bertkit.doctor.exports import Export, input_names, output_names, table_sizes
from bertkit.errors import Error

SIGNATURES = ("tokens", "serve", "serving_default")


def opened(folder: Path) -> Export:
    """Load a SavedModel.

    Args:
        folder: The folder.

    Returns:
        The `Export`.

    Raises:
        Error: When no signature takes token ids.
    """
    model = tf.saved_model.load(str(folder))
    function, names = _signature(model, folder)
    specs = function.structured_input_signature[1]
    shape = specs[names["token_ids"]].shape
    tables = [(variable.name, tuple(variable.shape)) for variable in _variables(model, function) if _is_table(variable)]
    sizes = table_sizes(tables)
    rows, longest = (shape[0], shape[1]) if shape.rank == 2 else (None, None)

    def once(batch):
        inputs = {theirs: tf.cast(batch[ours], specs[theirs].dtype) for ours, theirs in names.items()}
        return {name: value.numpy() for name, value in function(**inputs).items()}

    def call(batch):
        length = np.shape(batch["token_ids"])[1]
        batch = _padded(batch, longest)
        parts = [once(batch)] if rows is None else [once({name: value[i:i + rows] for name, value in batch.items()})
                                                    for i in range(0, len(batch["token_ids"]), rows)]
        outputs, _ = output_names({name: np.concatenate([part[name] for part in parts]) for name in parts[0]},
                                  longest or length)
        return {name: value[:, :length] if np.ndim(value) == 3 else value for name, value in outputs.items()}

    return Export(call, frozenset(names), longest, sizes, probabilities="probabilities" in function.structured_outputs,
                  details=model)              # an object that is let go takes its variables along


def _signature(model, folder):
    """Return (function, {our name: their name}) of the first signature that takes token ids."""
    said = None
    for name in dict.fromkeys([*SIGNATURES, *model.signatures]):
        if name in model.signatures:
            function = model.signatures[name]
            try:
                return function, input_names(function.structured_input_signature[1], folder)
            except Error as error:
                said = error
    raise said or Error(f"{folder} has no signature; export it with one that takes token_ids and padding_mask.")


def _variables(model, function):
    return list(getattr(model, "variables", None) or function.variables)


def _is_table(variable: Any) -> bool:
    return len(variable.shape) == 2 and "embedding" in variable.name.lower()


def _padded(batch, longest):
    """Return a batch padded to the only length that a signature takes."""
    length = np.shape(batch["token_ids"])[1]
    if longest is None or longest == length:
        return batch
    if length > longest:
        raise Error(f"The SavedModel takes {longest} tokens a row, and {length} came.")
    return {name: np.pad(value, [(0, 0), (0, longest - length)]) for name, value in batch.items()}
