"""Which layers a config stands for: the embeddings, the blocks, and what comes before and after the blocks."""

from typing import Any

import keras

from bertkit import kinds
from bertkit.config import EncoderConfig
from bertkit.errors import Error
from bertkit.layers.block import Block
from bertkit.layers.bottleneck import BottleneckBlock
from bertkit.layers.bucketed_attention import DistanceBias
from bertkit.layers.disentangled_attention import DistanceVectors
from bertkit.layers.embeddings import BareEmbeddings, Embeddings
from bertkit.layers.gated import GatedBlock, GatedPostBlock, RootGatedBlock
from bertkit.layers.norm import norm
from bertkit.layers.reversible import CopyStream, JoinStreams, ReversibleBlock, run_reversible
from bertkit.layers.trigram import TrigramEmbeddings
from bertkit.layers.two_stream import LastStream, Streams, TwoStreamBlock

INPUTS = {kinds.Summed: Embeddings, kinds.Trigram: TrigramEmbeddings, kinds.Bare: BareEmbeddings}
BLOCKS = {kinds.PostNorm: Block, kinds.TwoStream: TwoStreamBlock, kinds.PreNorm: GatedBlock,
          kinds.GatedPost: GatedPostBlock, kinds.RootPreNorm: RootGatedBlock,
          kinds.Bottleneck: BottleneckBlock, kinds.Reversible: ReversibleBlock}

# What a kind of block has besides its blocks, where it has anything: the layer that makes the first state, call(x,
# inputs), and the one that ends the last, state -> [B,T,D], or a dict of outputs with that as "sequence". A state is
# [B,T,D], or a dict with that as "hidden".
BEGINNINGS: dict[type, Any] = {kinds.TwoStream: Streams, kinds.Reversible: CopyStream}
ENDINGS: dict[type, Any] = {kinds.TwoStream: LastStream, kinds.PreNorm: norm, kinds.RootPreNorm: norm,
                           kinds.Reversible: JoinStreams}
# What attentions of a kind read of the distances between tokens, which is computed once for all blocks: the layer
# that makes it, call(token_ids) -> "distances" in the context of every block.
DISTANCES: dict[type, Any] = {kinds.Bucketed: DistanceBias, kinds.Disentangled: DistanceVectors}
# Attentions that can answer for some places of a row without the others.
BY_PLACE = (kinds.Full, kinds.Rotary, kinds.Grouped, kinds.Bucketed, kinds.Disentangled)
# How all blocks of a kind are computed in training, where it is not one after the other: call([(block,
# context) ...], state, masked_score) -> state.
TOGETHER = {kinds.Reversible: run_reversible}


def embeddings(config: EncoderConfig, **options: Any) -> keras.layers.Layer:
    """Make the layer from a batch to the vectors [B,T,D] that enter the first block.

    Args:
        config: The encoder's `EncoderConfig`.
        **options: Further arguments of a Keras layer: `name`, `dtype`, `trainable`.

    Returns:
        A layer.
    """
    return INPUTS[type(config.inputs)](config, name="embeddings", **options)


def blocks(config: EncoderConfig, **options: Any) -> list[Any]:
    """Make the distinct blocks in the order of their first use.

    Their names are block_0 ... or, where they are shared, block_0_0 ...

    Args:
        config: The encoder's `EncoderConfig`.
        **options: Further arguments of a Keras layer: `name`, `dtype`, `trainable`.

    Returns:
        A list of layers.
    """
    layer = BLOCKS[type(config.block)]
    if config.shared is None:
        return [layer(config, index=i, name=f"block_{i}", **options) for i in range(config.num_layers)]
    return [layer(config, index=group * config.shared.inner + inner, name=f"block_{group}_{inner}", **options)
            for group in range(config.shared.groups) for inner in range(config.shared.inner)]


def block_order(config: EncoderConfig) -> list[int]:
    """Return the numbers of the distinct blocks in the order in which a token passes them.

    Layer i of L is group ⌊i / (L / groups)⌋, and passes all inner blocks of it (the code of Lan et al. 2019).

    Args:
        config: The encoder's `EncoderConfig`.

    Returns:
        A list of numbers, from 0.

    Example:
        >>> block_order(EncoderConfig(100, num_layers=3, num_heads=2, hidden_dim=8, intermediate_dim=16))
        [0, 1, 2]
    """
    if config.shared is None:
        return list(range(config.num_layers))
    groups, inner = config.shared.groups, config.shared.inner
    return [int(i / (config.num_layers / groups)) * inner + j for i in range(config.num_layers) for j in range(inner)]


def beginning(config: EncoderConfig, **options: Any) -> Any:
    """Make the layer before the first block.

    Args:
        config: The encoder's `EncoderConfig`.
        **options: Further arguments of a Keras layer: `name`, `dtype`, `trainable`.

    Returns:
        A layer, or None where the state is the embeddings as they are.
    """
    make = BEGINNINGS.get(type(config.block))
    return make and make(config, name="beginning", **options)


def ending(config: EncoderConfig, **options: Any) -> Any:
    """Make the layer after the last block.

    Args:
        config: The encoder's `EncoderConfig`.
        **options: Further arguments of a Keras layer: `name`, `dtype`, `trainable`.

    Returns:
        A layer, or None where the state is [B,T,D] already.
    """
    make = ENDINGS.get(type(config.block))
    return make and make(config, name="ending", **options)


def distances(config: EncoderConfig, **options: Any) -> Any:
    """Make the layer of what all blocks read of the distances between tokens.

    Args:
        config: The encoder's `EncoderConfig`.
        **options: Further arguments of a Keras layer: `name`, `dtype`, `trainable`.

    Returns:
        A layer, or None where attention reads nothing of the kind.

    Raises:
        Error: when blocks would read different tables.
    """
    found = {kind for kind in map(config.attention_of, range(config.num_layers)) if type(kind) in DISTANCES}
    if len(found) > 1:
        raise Error(f"attention={config.attention}: all blocks share one table of distances; give them one kind.")
    return next((DISTANCES[type(kind)](config, kind, name="distances", **options) for kind in found), None)


def can_query_subset(config: EncoderConfig) -> bool:
    """Return whether the last block can answer for some places of a row without computing the others.

    Args:
        config: The encoder's `EncoderConfig`.

    Returns:
        True or False.
    """
    last = config.attention_of(block_order(config)[-1])
    return isinstance(config.block, kinds.PostNorm | kinds.GatedPost | kinds.PreNorm | kinds.RootPreNorm) and (
        isinstance(last, BY_PLACE) and getattr(last, "window", None) is None)


def hidden_states(state: Any) -> Any:
    """Return the token vectors of a state.

    Args:
        state: [B,T,D], or a dict with it as "hidden".

    Returns:
        [B,T,D].
    """
    return state["hidden"] if isinstance(state, dict) else state
