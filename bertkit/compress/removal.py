"""A model without some of its layers, heads, feed-forward rows or vocabulary entries: they are really removed.

Each function returns a new model, whose config says the new sizes and whose weights are those of the given one.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from bertkit import kinds
from bertkit.checkpoints.tensors import variables
from bertkit.config import EncoderConfig
from bertkit.encoder import Encoder
from bertkit.errors import Error

# In blocks of these kinds the output of attention is a sum over heads, and that of the feed-forward one over rows.
BLOCKS = (kinds.PostNorm, kinds.PreNorm)
ATTENTIONS = (kinds.Full, kinds.Window, kinds.Sparse, kinds.Rotary)

BLOCK = re.compile(r"^encoder/block_(\d+(?:_\d+)?)/(.+)/(\w+)$")
TABLE = "encoder/embeddings/token/embeddings"
# Projections into heads: [D, N·H] and [N·H]; into queries, keys and values side by side: [D, 3·N·H] and [3·N·H].
INTO_HEADS = {f"attention/{prefix}{name}": 1 for prefix in ("", "global_") for name in ("query", "key", "value")}
INTO_HEADS["attention/qkv"] = 3


def keep_layers(model: Any, layers: Sequence[int]) -> Any:
    """Return a model of some of the layers of another one, in their order.

    Where all layers share one block (ALBERT), so many passes of it are left, whichever layers are named.

    Args:
        model: An `Encoder`, or a head of bertkit's on one.
        layers: The numbers of the layers that stay, from 0, ascending.

    Returns:
        A new model of the same class.

    Raises:
        Error: when there is no such layer, or the model has no equal without the others.
    """
    config = _config(model)
    check_layers(config, layers)
    attentions = tuple(config.attention_of(layer) for layer in layers)
    attention = attentions if isinstance(config.attention, tuple) else config.attention
    small = config.but(num_layers=len(layers), attention=attention)

    def taken(name, given, _):
        if config.shared is None and (block := BLOCK.match(name)):
            name = f"encoder/block_{layers[int(block[1])]}/{block[2]}/{block[3]}"
        return given[name]

    return rebuilt(model, small, taken)


def check_layers(config: EncoderConfig, layers: Sequence[int]) -> None:
    """Check that an encoder can do with some of its layers.

    Args:
        config: The encoder's `EncoderConfig`.
        layers: The numbers of the layers that stay, from 0, ascending.

    Raises:
        Error: when it cannot.

    Example:
        >>> from bertkit.family.bert import CONFIG
        >>> check_layers(CONFIG, [0, 12])
        Traceback (most recent call last):
        ...
        bertkit.errors.Error: layers=0,12: this encoder has the layers 0 to 11; name some of them once, ascending.
    """
    if not layers or list(layers) != sorted(set(layers)) or not 0 <= layers[0] <= layers[-1] < config.num_layers:
        raise Error(f"layers={','.join(map(str, layers))}: this encoder has the layers 0 to {config.num_layers - 1}; "
                    "name some of them once, ascending.")
    if config.shared is not None and config.shared.groups > 1:
        raise Error(f"This {config.family} shares {config.shared.groups} groups of blocks over its layers, and which "
                    "group a layer passes follows from their number; leave --layers out.")
    if isinstance(config.block, kinds.PreNorm) and layers[0] != 0:
        raise Error(f"Layer 0 of this {config.family} alone has no norm before its attention, so no other can stand in "
                    "its place; let layer 0 stay.")


def keep_parts(model: Any, heads: Sequence[Sequence[int]] | None = None,
               rows: Sequence[Sequence[int]] | None = None) -> Any:
    """Return a model with some of the heads and of the feed-forward rows of each block of another one.

    A head h is columns h·H to (h + 1)·H of the projections to queries, keys and values, and the same rows of the one
    after them; a feed-forward row r is column r of W₁, number r of b₁ and row r of W₂. What is left adds up to what it
    added up to before. Heads keep their width H, which the config then names (`head_size`). All blocks keep as many.

    Args:
        model: An `Encoder`, or a head of bertkit's on one.
        heads: For each distinct block the numbers of the heads that stay, from 0, ascending; None keeps all.
        rows: For each distinct block the numbers of the rows that stay, from 0, ascending; None keeps all.

    Returns:
        A new model of the same class.

    Raises:
        Error: when the encoder's blocks are no sums over heads or rows, blocks would differ in size, or a head of the
            task is as wide as the feed-forward.
    """
    config = _config(model)
    check_parts(config)
    _check_numbers("heads", heads, config.num_heads, config)
    _check_numbers("rows", rows, config.intermediate_dim, config)
    changes = {} if heads is None else {"num_heads": len(heads[0]), "head_size": config.head_dim}
    changes |= {} if rows is None else {"intermediate_dim": len(rows[0])}
    blocks = {name: number for number, name in enumerate(dict.fromkeys(
        block[1] for block in map(BLOCK.match, variables(model)) if block))}

    def taken(name, given, _):
        if (block := BLOCK.match(name)) is None:
            return given[name]
        number = blocks[block[1]]
        values = given[name] if heads is None else _of_heads(given[name], block[2], block[3], heads[number], config)
        return values if rows is None else _of_rows(values, block[2], block[3], rows[number], config)

    return rebuilt(model, config.but(**changes), taken)


def check_parts(config: EncoderConfig) -> None:
    """Check that heads and feed-forward rows of an encoder can be removed.

    Args:
        config: The encoder's `EncoderConfig`.

    Raises:
        Error: when its blocks are of another kind.

    Example:
        >>> from bertkit.family import mobilebert
        >>> check_parts(mobilebert.CONFIG)                     # doctest: +ELLIPSIS
        Traceback (most recent call last):
        ...
        bertkit.errors.Error: Heads and feed-forward rows of a mobilebert (Bottleneck, Full) are not removed; ...
    """
    attentions = config.attention if isinstance(config.attention, tuple) else (config.attention,)
    if isinstance(config.block, BLOCKS) and all(isinstance(kind, ATTENTIONS) for kind in attentions):
        return
    names = ", ".join(dict.fromkeys(type(kind).__name__ for kind in (config.block, *attentions)))
    raise Error(f"Heads and feed-forward rows of a {config.family} ({names}) are not removed; those of BERT, RoBERTa, "
                "DistilBERT, ELECTRA, ALBERT, Longformer, BigBird and ModernBERT are: leave --heads and --intermediate "
                "out.")


def keep_entries(model: Any, ids: Sequence[int]) -> Any:
    """Return a model that has rows for some of the entries of another one's vocabulary; entry i is then entry ids[i].

    Args:
        model: An `Encoder`, or a head of bertkit's on one.
        ids: The ids that stay, ascending.

    Returns:
        A new model of the same class.

    Raises:
        Error: when there is no such id, or the config names an id that would change.
    """
    config, numbers = _config(model), np.asarray(ids, "int64")
    if not len(numbers) or (np.diff(numbers) < 1).any() or not 0 <= numbers[0] <= numbers[-1] < config.vocabulary_size:
        raise Error(f"{len(numbers)} ids came; wanted different ones from 0 to {config.vocabulary_size - 1}, "
                    "ascending.")
    named = named_ids(config)
    if list(numbers[:len(named)]) != named:
        raise Error(f"The config of this {config.family} names ids up to {named[-1]}, which must stay as they are.")
    return rebuilt(model, config.but(vocabulary_size=len(numbers)),
                   lambda name, given, _: np.take(given[name], numbers, axis=0) if name == TABLE else given[name])


def named_ids(config: EncoderConfig) -> list[int]:
    """Return the ids that must stay as they are, because a config names one: from 0 to the largest that it names.

    Args:
        config: The encoder's `EncoderConfig`.

    Returns:
        The ids.

    Example:
        >>> from bertkit.family import bert, roberta           # RoBERTa's positions know the id of the padding
        >>> named_ids(bert.CONFIG), named_ids(roberta.CONFIG)
        ([], [0, 1])
    """
    named = (getattr(config.positions, "pad_id", None), getattr(config.inputs, "separator", None))
    return list(range(max((number + 1 for number in named if number is not None), default=0)))


def _config(model):
    return model.config if isinstance(model, Encoder) else model.encoder.config


def rebuilt(model: Any, config: EncoderConfig,
            taken: Callable[[str, dict[str, np.ndarray], tuple[int, ...]], Any]) -> Any:
    """Return a model of another config, whose weights are taken from those of a model.

    Args:
        model: An `Encoder`, or a head of bertkit's on one.
        config: The `EncoderConfig` of the new model.
        taken: Function (name of a variable, {name: array} of the given model's, shape that is wanted) -> its value;
            None leaves it new.

    Returns:
        A new model of the same class.

    Raises:
        Error: when a value has another shape than the variable.
    """
    whole = isinstance(model, Encoder)
    encoder = Encoder(config, dtype=(model if whole else model.encoder).dtype_policy)
    made = encoder if whole else type(model)(encoder, **model.settings(), dtype=model.dtype_policy)
    given = {name: np.asarray(variable) for name, variable in variables(model).items()}
    for name, variable in variables(made).items():
        values = taken(name, given, tuple(variable.shape))
        if values is None:
            continue
        if values.shape != tuple(variable.shape):
            raise Error(f"{name} of this {config.family} has the shape {list(values.shape)} and would need "
                        f"{list(variable.shape)}: a head of the task follows a size that was to change; leave it out.")
        variable.assign(values)
    return made


def _check_numbers(what, parts, most, config):
    """Raise `Error` unless each distinct block keeps as many numbers below `most`, different and ascending."""
    blocks = config.num_layers if config.shared is None else config.shared.groups * config.shared.inner
    if parts is None:
        return
    fit = all(list(part) == sorted(set(part)) and part and 0 <= part[0] and part[-1] < most
              for part in map(list, parts))
    if len(parts) != blocks or len({len(part) for part in parts}) != 1 or not fit:
        raise Error(f"{what}={parts!r:.60}: wanted for each of {blocks} blocks as many different numbers from 0 to "
                    f"{most - 1}, ascending.")


def _of_heads(values, layer, leaf, heads, config):
    """Return what is left of a variable of a block with these heads."""
    size, whole = config.head_dim, config.num_heads * config.head_dim
    columns = (np.asarray(heads)[:, None] * size + np.arange(size)).ravel()
    if layer in INTO_HEADS:
        sides = np.concatenate([columns + side * whole for side in range(INTO_HEADS[layer])])
        return np.take(values, sides, axis=-1)
    return np.take(values, columns, axis=0) if (layer, leaf) == ("attention/output", "kernel") else values


def _of_rows(values, layer, leaf, rows, config):
    """Return what is left of a variable of a block with these feed-forward rows; a gate has columns of its own."""
    if layer == "inner":
        gated = isinstance(config.block, kinds.PreNorm)
        sides = np.concatenate([np.asarray(rows) + side * config.intermediate_dim for side in range(1 + gated)])
        return np.take(values, sides, axis=-1)
    return np.take(values, rows, axis=0) if (layer, leaf) == ("outer", "kernel") else values
