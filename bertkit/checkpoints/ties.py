"""Copies of one tensor in a file: the logits of a language model by the table of tokens, and their bias.

transformers 5 ties a copy to its original where both are equal or one is missing; where they differ, each part of the
model keeps its own (its modeling_utils.py, `tie_weights`).
"""

import logging
from typing import Any

import numpy as np

from bertkit.checkpoints.tensors import Tensors
from bertkit.family import entries

log = logging.getLogger("bertkit")
KEY = "tie_word_embeddings"


def settle_ties(tensors: Tensors, values: dict[str, Any], form: Any) -> tuple[Tensors, dict[str, Any]]:
    """Decide which of the copies of a language model's matrix and bias are used, as transformers 5 does.

    A difference between copies is told in the log with the names of both.

    Args:
        tensors: The `Tensors` of the files, under their canonical names.
        values: The content of config.json.
        form: The `HUGGINGFACE` of the family's page.

    Returns:
        (the file's weights with the right copy under the name that bertkit reads, `values` with tie_word_embeddings as
        the weights say it).

    Raises:
        Error: When tie_word_embeddings is neither true nor false.
    """
    null = values.get(KEY) is None
    tied = form.tied if null else entries.flag(values, KEY, form.tied)
    if not form.tied:
        return tensors, {**values, KEY: tied}
    found = {name: name for name in tensors.shapes}
    table, own = form.names["encoder/embeddings/token"] + ".weight", form.names["mlm/decoder"] + ".weight"
    if tied and own in found and table not in found:
        found[table] = found.pop(own)
        log.info("%s holds %s and no %s; the first is both.", tensors.path, own, table)
    elif tied and own in found:
        tied = _are_equal(tensors, own, table)
        if not tied:
            log.warning("%s: %s and %s differ, though config.json does not say \"%s\": false; %s is used for the "
                        "logits, as by transformers 5.", tensors.path, own, table, KEY, own)
    _settle_bias(tensors, found, form, tied)
    shapes = {name: tensors.shapes[source] for name, source in found.items()}
    return Tensors(tensors.path, shapes, lambda name: tensors.read(found[name])), {**values, KEY: tied}


def _settle_bias(tensors, found, form, tied):
    """Give the bias that is used the name that is read: of the head where it is tied, else of its matrix."""
    head, decoder = form.names["mlm"] + ".bias", form.names["mlm/decoder"] + ".bias"
    if head == decoder or not {head, decoder} & set(found):
        return
    used = found.get(decoder, head)
    if {head, decoder} <= set(found) and not _are_equal(tensors, head, decoder):
        log.warning("%s: %s and %s differ, and are copies of one bias; %s is used, as by transformers 5.",
                    tensors.path, head, decoder, decoder)
    elif not tied and decoder not in found:
        log.warning("%s holds %s and no %s; the first is used (transformers 5 takes zeros).", tensors.path, head,
                    decoder)
    for name in (head, decoder):
        found.pop(name, None)
    found[head if tied else decoder] = used


def _are_equal(tensors, one, other):
    if tensors.shapes[one] != tensors.shapes[other]:
        return False
    first, second = (np.asarray(tensors.read(name)) for name in (one, other))
    return np.array_equal(first, second.astype(first.dtype))
