"""A narrower model out of a trained one: of each vector some features stay, and of each head too."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from bertkit import kinds
from bertkit.checkpoints.tensors import variables
from bertkit.compress.removal import BLOCK, BLOCKS, INTO_HEADS, rebuilt
from bertkit.encoder import Encoder

# The attentions whose heads are sums over features that may be left out one by one.
PLAIN = (kinds.Full, kinds.Window, kinds.Sparse)


def keep_features(model: Any, features: Sequence[int]) -> tuple[Any, int]:
    """Return a model with some of the features of the token vectors of another one; it keeps the number of heads.

    A head has D'/N features then, D' those that are left: of queries and keys the ones with the largest
    ‖W_q[:,h]‖ · ‖W_k[:,h]‖, whose products add most to the scores; of values those with the largest
    ‖W_v[:,h]‖ · ‖W_o[h]‖. What has no such part in the given model begins new.

    Args:
        model: An `Encoder`, or a head of bertkit's on one.
        features: The numbers of the features that stay, from 0, ascending.

    Returns:
        (a new model of the same class, how many of its numbers are new).

    Raises:
        Error: when so many features are no multiple of the heads.
    """
    config = (model if isinstance(model, Encoder) else model.encoder).config
    small = config.but(hidden_dim=len(features), head_size=None)
    plain = isinstance(config.block, BLOCKS) and isinstance(config.attention, PLAIN)
    heads = _head_features(variables(model), config.num_heads, small.head_dim) if plain else {}
    new = []

    def taken(name, given, shape):
        values, axes = given[name], [None] * len(shape)
        if block := BLOCK.match(name):
            axes = _of_heads(heads.get(block[1], {}), block[2], block[3], axes)
        for axis, wanted in enumerate(shape):
            if values.shape[axis] == wanted:
                continue
            chosen = _repeated(features, config.hidden_dim, values.shape[axis]) if axes[axis] is None else axes[axis]
            if chosen is None or len(chosen) != wanted:
                new.append(int(np.prod(shape)))
                return None
            values = np.take(values, chosen, axis=axis)
        return values

    return rebuilt(model, small, taken), sum(new)


def _of_heads(columns, layer, leaf, axes):
    """Return for each axis of a variable of a block the features of heads that stay, None where it has none."""
    plain = layer.replace("attention/global_", "attention/")
    if layer in INTO_HEADS and plain != "attention/qkv":
        axes[-1] = columns.get(plain, [])
    elif layer in INTO_HEADS:
        axes[-1] = []
    elif (layer, leaf) == ("attention/output", "kernel"):
        axes[0] = columns.get("attention/value", [])
    return axes


def _head_features(given, heads, width):
    """Return {block: {projection: the columns that stay, in their order, `width` of each head}}."""
    found: dict[str, dict[str, list[int]]] = {}
    for name in given:
        block = BLOCK.match(name)
        if block and (block[2], block[3]) == ("attention/query", "kernel"):
            place = f"encoder/block_{block[1]}/attention/"
            lengths = {part: np.linalg.norm(np.asarray(given[f"{place}{part}/kernel"]), axis=int(part == "output"))
                       for part in ("query", "key", "value", "output")}
            asked = _strongest(lengths["query"] * lengths["key"], heads, width)
            told = _strongest(lengths["value"] * lengths["output"], heads, width)
            found[block[1]] = {"attention/query": asked, "attention/key": asked, "attention/value": told}
    return found


def _strongest(importance, heads, width):
    """Return the columns of the `width` most important features of each head."""
    table = importance.reshape(heads, -1)
    order = np.sort(np.argsort(-table, axis=1, kind="stable")[:, :width], axis=1)
    return (order + np.arange(heads)[:, None] * table.shape[1]).ravel().tolist()


def _repeated(features, width, size):
    """Return the features that stay of an axis that holds vectors of `width` side by side; None where it does not."""
    if size % width:
        return None
    return [part * width + feature for part in range(size // width) for feature in features]
