"""How deep in a model a variable lies, and from that how fast it learns and from when on."""

from bertkit.errors import Error


def depths(model):
    """Return [(weight, depth) ...] of all weights: embeddings 0, block i of n, from 0, i + 1, the head n + 2.

    The code of Clark et al. 2020 (ELECTRA); what lies between the last block and the head, such as the pooler, is
    n + 1. Raises `Error` where blocks are shared: one block then has several depths.
    """
    encoder = model.encoder
    if encoder.config.shared:
        raise Error(f"The blocks of {encoder.config.family} are shared among all depths, so they can neither be frozen "
                    "one by one nor learn at different rates; set no layer_decay, frozen_layers or unfreeze.")
    top = len(encoder.blocks) + 2
    layers = [(encoder.embeddings, 0), (encoder.beginning, 0),
              *((block, i) for i, block in enumerate(encoder.blocks, start=1)),
              (encoder.ending, top - 1), (encoder.pooler, top - 1)]
    found = {id(weight): depth for layer, depth in layers if layer is not None for weight in layer.weights}
    return [(weight, found.get(id(weight), top)) for weight in model.weights]


def freeze(model, blocks):
    """Take the embeddings and the lowest `blocks` blocks of a model out of training; raises `Error` if it has fewer."""
    have = len(model.encoder.blocks)
    if blocks > have:
        raise Error(f"frozen_layers={blocks}, and the encoder has {have} blocks; give at most {have}.")
    for weight, depth in depths(model):
        if depth <= blocks:
            weight.trainable = False


def lr_scales(model, layer_decay: float) -> dict:
    """Return what the learning rate of each trained variable is multiplied by, {path: scale}; scales of 1 are left out.

    The scale at depth j of n blocks is layer_decay^(n + 2 − j).
    """
    if layer_decay == 1:
        return {}
    top = len(model.encoder.blocks) + 2
    return {path: layer_decay ** (top - depth) for path, depth in _trained(model) if depth < top}


def lr_starts(model, unfreeze: int, updates: float) -> dict:
    """Return how many updates pass before the first of each trained variable, {path: number}; zeros are left out.

    The head and what stands on the last block begin at once, then `unfreeze` blocks an epoch of so many `updates` from
    the top, and the embeddings like one more block below the lowest (Howard and Ruder 2018, ULMFiT, section 3.3).
    """
    if not unfreeze:
        return {}
    top = len(model.encoder.blocks) + 2
    return {path: round((1 + (top - 2 - depth) // unfreeze) * updates)
            for path, depth in _trained(model) if depth <= top - 2}


def _trained(model):
    """Return [(path, depth) ...] of the weights that are trained."""
    trained = {id(weight) for weight in model.trainable_weights}
    return [(weight.path, depth) for weight, depth in depths(model) if id(weight) in trained]
