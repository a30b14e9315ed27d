"""Which layer each kind of attention is: the one table of them, open to kinds from outside."""

from typing import Any

from bertkit import kinds
from bertkit.config import EncoderConfig, register_kind
from bertkit.layers.attention import SelfAttention
from bertkit.layers.bucketed_attention import BucketedAttention
from bertkit.layers.disentangled_attention import DisentangledAttention
from bertkit.layers.grouped_attention import GroupedAttention
from bertkit.layers.hash_attention import HashAttention
from bertkit.layers.local_attention import LocalAttention
from bertkit.layers.relative_attention import RelativeAttention
from bertkit.layers.rotary_attention import RotaryAttention
from bertkit.layers.sparse_attention import SparseAttention
from bertkit.layers.window_attention import WindowAttention

ATTENTIONS = {kinds.Full: SelfAttention, kinds.Relative: RelativeAttention, kinds.Sparse: SparseAttention,
              kinds.Window: WindowAttention, kinds.Rotary: RotaryAttention, kinds.Local: LocalAttention,
              kinds.Hash: HashAttention, kinds.Bucketed: BucketedAttention,
              kinds.Disentangled: DisentangledAttention, kinds.Grouped: GroupedAttention}


def register_attention(kind: type, layer: type[SelfAttention]) -> type:
    """Let an encoder attend in a way of your own: `EncoderConfig(attention=kind(...))`.

    Args:
        kind: A frozen dataclass, the settings of this attention; a config keeps it as JSON.
        layer: Its layer, derived from `SelfAttention`, usually with another `mix`, and registered with Keras by
            `keras.saving.register_keras_serializable`.

    Returns:
        The kind.

    Raises:
        Error: when another kind has this name.
    """
    ATTENTIONS[register_kind(kind, "attention")] = layer
    return kind


def attention_layer(config: EncoderConfig, index: int, **options: Any) -> SelfAttention:
    """Make the attention layer of a block, of the kind that the config gives it.

    Args:
        config: The encoder's `EncoderConfig`.
        index: The number of the block, from 0.
        **options: Further arguments of a Keras layer: `name`, `dtype`, `trainable`.

    Returns:
        A layer.
    """
    kind = config.attention_of(index)
    return ATTENTIONS[type(kind)](config, kind, index=index, name="attention", **options)
