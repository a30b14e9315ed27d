"""How deep in a model a variable lies, and from that how fast it learns and from when on."""

from typing import Any

from bertkit.errors import Error


def weight_depths(model: Any) -> list[tuple[Any, int]]:
    """Return how deep in a model each weight lies: embeddings 0, block i of n, from 0, i + 1, the head n + 2.

    The code of Clark et al. 2020 (ELECTRA); what lies between the last block and the head, such as the pooler, is
    n + 1.

    Args:
        model: A head of bertkit's on an encoder.

    Returns:
        (weight, depth) of all weights.

    Raises:
        Error: When blocks are shared, so that one block has several depths.
    """
    encoder = model.encoder
    if encoder.config.shared:
        raise Error(f"The blocks of {encoder.config.family} are shared among all depths, so they can neither be frozen "
                    "one by one nor learn at different rates; set no layer_decay, frozen_layers or unfreeze.")
    top = len(encoder.blocks) + 2
    layers = [(encoder.embeddings, 0), (encoder.distances, 0), (encoder.beginning, 0),
              *((block, i) for i, block in enumerate(encoder.blocks, start=1)),
              (encoder.ending, top - 1), (encoder.pooler, top - 1)]
    found = {id(weight): depth for layer, depth in layers if layer is not None for weight in layer.weights}
    return [(weight, found.get(id(weight), top)) for weight in model.weights]


def freeze(model: Any, blocks: int) -> None:
    """Take the embeddings and the lowest blocks of a model out of training.

    Args:
        model: A head of bertkit's on an encoder.
        blocks: How many blocks to freeze; 0 freezes the embeddings alone.

    Raises:
        Error: When the encoder has fewer blocks.
    """
    have = len(model.encoder.blocks)
    if blocks > have:
        raise Error(f"frozen_layers={blocks}, and the encoder has {have} blocks; give at most {have}.")
    for weight, depth in weight_depths(model):
        if depth <= blocks:
            weight.trainable = False


def lr_scales(model: Any, layer_decay: float) -> dict[str, float]:
    """Return the factors on the learning rate of a model's variables.

    The factor at depth j of n blocks is layer_decay^(n + 2 − j), see `weight_depths`.

    Args:
        model: A head of bertkit's on an encoder.
        layer_decay: The factor for each layer below the head.

    Returns:
        {path of a trained variable: factor}; factors of 1 are left out.
    """
    if layer_decay == 1:
        return {}
    top = len(model.encoder.blocks) + 2
    return {path: layer_decay ** (top - depth) for path, depth in _trained(model) if depth < top}


def lr_starts(model: Any, unfreeze: int, updates: float) -> dict[str, int]:
    """Return how many updates pass before the first update of each variable.

    The head and what stands on the last block begin at once, then `unfreeze` blocks in each epoch, from the top, and
    the embeddings like one more block below the lowest (Howard and Ruder 2018, ULMFiT, section 3.3).

    Args:
        model: A head of bertkit's on an encoder.
        unfreeze: Blocks that begin in each epoch; 0 lets all begin at once.
        updates: Updates of one epoch.

    Returns:
        {path of a trained variable: number of updates}; zeros are left out.
    """
    if not unfreeze:
        return {}
    top = len(model.encoder.blocks) + 2
    return {path: round((1 + (top - 2 - depth) // unfreeze) * updates)
            for path, depth in _trained(model) if depth <= top - 2}


def _trained(model):
    """Return [(path, depth) ...] of the weights that are trained."""
    trained = {id(weight) for weight in model.trainable_weights}
    return [(weight.path, depth) for weight, depth in weight_depths(model) if id(weight) in trained]
