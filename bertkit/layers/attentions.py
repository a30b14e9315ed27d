"""Which layer each kind of attention is: the one table of them."""

from bertkit import kinds
from bertkit.layers.attention import SelfAttention
from bertkit.layers.hash_attention import HashAttention
from bertkit.layers.local_attention import LocalAttention
from bertkit.layers.relative_attention import RelativeAttention
from bertkit.layers.rotary_attention import RotaryAttention
from bertkit.layers.sparse_attention import SparseAttention
from bertkit.layers.window_attention import WindowAttention

ATTENTIONS = {kinds.Full: SelfAttention, kinds.Relative: RelativeAttention, kinds.Sparse: SparseAttention,
              kinds.Window: WindowAttention, kinds.Rotary: RotaryAttention, kinds.Local: LocalAttention,
              kinds.Hash: HashAttention}


def attention_layer(config, index, **options):
    """Return the attention of block `index`, of the kind that the config gives it."""
    kind = config.attention_of(index)
    return ATTENTIONS[type(kind)](config, kind, index=index, name="attention", **options)
