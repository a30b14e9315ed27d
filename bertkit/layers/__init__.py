"""The equations, one file each; each kind of a config axis maps to exactly one layer.

Written in `keras.ops`, so the same code runs under TensorFlow and JAX.
"""

from typing import TYPE_CHECKING

from bertkit.face import on_demand

_HOMES = {"SelfAttention": "attention", "attend": "attention", "register_attention": "attentions"}
__all__ = sorted(_HOMES)
if TYPE_CHECKING:
    from bertkit.layers.attention import SelfAttention as SelfAttention
    from bertkit.layers.attention import attend as attend
    from bertkit.layers.attentions import register_attention as register_attention
else:
    __getattr__ = on_demand(__name__, _HOMES)
