"""Which layer each kind of attention is: the one table of them."""

from bertkit import kinds
from bertkit.layers.attention import SelfAttention

ATTENTIONS = {kinds.Full: SelfAttention}


def attention_layer(config, index, **options):
    """Return the attention of block `index`, of the kind that the config gives it."""
    kind = config.attention_of(index)
    return ATTENTIONS[type(kind)](config, kind, name="attention", **options)
