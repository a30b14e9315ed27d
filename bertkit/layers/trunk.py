"""From the first block to the last: which layer each kind of block is, what enters it and what leaves."""

from bertkit import kinds
from bertkit.layers.block import Block
from bertkit.layers.bottleneck import BottleneckBlock
from bertkit.layers.embeddings import BareEmbeddings, Embeddings
from bertkit.layers.gated import GatedBlock
from bertkit.layers.norm import norm
from bertkit.layers.reversible import Joined, ReversibleBlock, Twins, together
from bertkit.layers.trigram import TrigramEmbeddings
from bertkit.layers.two_stream import LastStream, Streams, TwoStreamBlock

INPUTS = {kinds.Summed: Embeddings, kinds.Trigram: TrigramEmbeddings, kinds.Bare: BareEmbeddings}
BLOCKS = {kinds.PostNorm: Block, kinds.TwoStream: TwoStreamBlock, kinds.PreNorm: GatedBlock,
          kinds.Bottleneck: BottleneckBlock, kinds.Reversible: ReversibleBlock}

# What a kind of block has besides its blocks, where it has anything: the layer that makes the first state, call(x,
# inputs), and the one that ends the last, state -> [B,T,D], or a dict of outputs with that as "sequence". A state is
# [B,T,D], or a dict with that as "hidden".
BEGINNINGS = {kinds.TwoStream: Streams, kinds.Reversible: Twins}
ENDINGS = {kinds.TwoStream: LastStream, kinds.PreNorm: norm, kinds.Reversible: Joined}
# How all blocks of a kind are passed in training, where that is another way than one after the other: call([(block,
# context) ...], state, masked_score) -> state.
TOGETHER = {kinds.Reversible: together}


def embeddings(config, **options):
    """Return the layer from a batch to [B,T,D]."""
    return INPUTS[type(config.inputs)](config, name="embeddings", **options)


def blocks(config, **options):
    """Return the distinct blocks in the order of their first use, named block_0 ... or, shared, block_0_0 ..."""
    layer = BLOCKS[type(config.block)]
    if config.shared is None:
        return [layer(config, index=i, name=f"block_{i}", **options) for i in range(config.num_layers)]
    return [layer(config, index=group * config.shared.inner + inner, name=f"block_{group}_{inner}", **options)
            for group in range(config.shared.groups) for inner in range(config.shared.inner)]


def order(config):
    """Return the numbers of the distinct blocks in the order in which a token passes them.

    Layer i of L is group ⌊i / (L / groups)⌋, and passes all inner blocks of it (the code of Lan et al. 2019).
    """
    if config.shared is None:
        return list(range(config.num_layers))
    groups, inner = config.shared.groups, config.shared.inner
    return [int(i / (config.num_layers / groups)) * inner + j for i in range(config.num_layers) for j in range(inner)]


def beginning(config, **options):
    """Return the layer before the first block, or None where the state is the embeddings as they are."""
    make = BEGINNINGS.get(type(config.block))
    return make and make(config, name="beginning", **options)


def ending(config, **options):
    """Return the layer after the last block, or None where the state is [B,T,D] already."""
    make = ENDINGS.get(type(config.block))
    return make and make(config, name="ending", **options)


def can_query_subset(config):
    """Return whether the last block can answer for some places of a row without computing the others."""
    return isinstance(config.block, kinds.PostNorm) and isinstance(config.attention_of(order(config)[-1]), kinds.Full)


def hidden(state):
    """Return [B,T,D] of a state."""
    return state["hidden"] if isinstance(state, dict) else state
