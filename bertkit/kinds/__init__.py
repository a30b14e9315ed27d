"""Kinds: small frozen values, one for each way in which a paper does a thing.

A hard axis of an encoder (how tokens attend, how positions are represented, where the norms are) holds a kind, never a
flag. Each kind maps to exactly one layer: `ATTENTIONS`, `POSITIONS`, `INPUTS` and `BLOCKS` in `bertkit.layers`,
`HEAD_LAYERS` in `bertkit.heads`.
"""

from bertkit.kinds.encoder import (
    Absolute,
    Axial,
    Bare,
    Bottleneck,
    Bucketed,
    Disentangled,
    First,
    Full,
    GatedPost,
    Grouped,
    Hash,
    Local,
    PostNorm,
    PreNorm,
    Relative,
    Reversible,
    RootPreNorm,
    Rotary,
    Shared,
    Sparse,
    Summed,
    Tanh,
    Trigram,
    TwoStream,
    Window,
)
from bertkit.kinds.head import (
    Answer,
    Beam,
    Boundary,
    HeadConfig,
    Language,
)

__all__ = [
    "Absolute", "Answer", "Axial", "Bare", "Beam", "Bottleneck", "Boundary", "Bucketed", "Disentangled",
    "First", "Full", "GatedPost", "Grouped", "Hash",
    "Language", "Local", "PostNorm", "PreNorm", "HeadConfig", "Relative", "Reversible", "RootPreNorm",
    "Rotary", "Shared", "Sparse", "Summed", "Tanh", "Trigram", "TwoStream", "Window",
]

KINDS = {name: globals()[name] for name in __all__}
