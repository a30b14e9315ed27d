"""From the first block to the last: which layer each kind of block is, what enters it and what leaves."""

from bertkit import kinds
from bertkit.layers.block import Block

BLOCKS = {kinds.PostNorm: Block}

# What a kind of block does besides its blocks, where it does anything: how the state begins (layer output -> state)
# and the layer that ends it (config -> layer from state to [B,T,D]).
BEGINNINGS, ENDINGS = {}, {}


def blocks(config, **options):
    """Return the distinct blocks in the order of their first use, named block_0 ... or, shared, block_0_0 ..."""
    layer = BLOCKS[type(config.block)]
    if config.shared is None:
        return [layer(config, index=i, name=f"block_{i}", **options) for i in range(config.num_layers)]
    return [layer(config, index=group * config.shared.inner + inner, name=f"block_{group}_{inner}", **options)
            for group in range(config.shared.groups) for inner in range(config.shared.inner)]


def order(config):
    """Return the numbers of the distinct blocks in the order in which a token passes them.

    Layer i of L is group ⌊i / (L / groups)⌋, and passes all inner blocks of it (family-spec 2.7).
    """
    if config.shared is None:
        return list(range(config.num_layers))
    groups, inner = config.shared.groups, config.shared.inner
    return [int(i / (config.num_layers / groups)) * inner + j for i in range(config.num_layers) for j in range(inner)]


def ending(config, **options):
    """Return the layer after the last block, state -> [B,T,D], or None where the state is that already."""
    make = ENDINGS.get(type(config.block))
    return make and make(config, name="ending", **options)
