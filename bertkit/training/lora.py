"""Low-rank adaptation (Hu et al. 2021, LoRA): train W + (α/r) A B in place of W, and merge it into W in the end."""

import gc
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import keras

from bertkit.errors import Error

# The projections of attention that are adapted: to queries and values (Hu et al. 2021, section 4.2). Where a family
# makes queries together with keys (Reformer), or with keys and values (ModernBERT), that matrix; in Longformer those of
# global tokens too.
ADAPTED = ("query", "value", "query_key", "qkv", "global_query", "global_value")


def projections(encoder: Any) -> list[keras.layers.Layer]:
    """Return the layers that `add` adapts.

    Args:
        encoder: The `Encoder`.

    Returns:
        Projections of attention, from the lowest block up.
    """
    return [layer for block in encoder.blocks for layer in block.attention._flatten_layers() if layer.name in ADAPTED]


def add(model: Any, rank: int, alpha: float) -> None:
    """Let each of `projections` compute x (W + (α/r) A B), A random and B 0, and train these and the heads alone.

    A [D,r] and B [r,units] are those of `keras.layers.Dense.enable_lora`; XLNet's projections are EinsumDense, whose A
    is [D,N,r] and B [r,H]: the rank is that of W as [D·N,H].

    Args:
        model: A head of bertkit's on an encoder.
        rank: r.
        alpha: α.

    Raises:
        Error: When a matrix is too small for the rank.
    """
    for weight in model.encoder.weights:
        weight.trainable = False
    for layer in projections(model.encoder):
        most = min(layer.kernel.shape[0], layer.kernel.shape[-1])
        if rank > most:
            raise Error(f"lora={rank}, and {layer.path} has no more than rank {most}; give a smaller rank, such as 8.")
        with ExitStack() as scopes:                     # so that the paths of A and B are the layer's and differ
            for part in layer.path.split("/")[:-1]:
                scopes.enter_context(keras.name_scope(part))
            layer.enable_lora(rank, lora_alpha=alpha)


def merge(model: Any) -> None:
    """Add (α/r) A B to each W, in float32, and remove A and B: the model is a plain one again.

    Args:
        model: A model that `add` adapted; another one stays as it is.
    """
    with _quick_collections():
        for layer in projections(model.encoder):
            if layer.lora_enabled:
                a, b = layer.lora_kernel_a, layer.lora_kernel_b
                layer._kernel.assign_add(layer.lora_alpha / layer.lora_rank * keras.ops.matmul(a, b))
                b.assign(keras.ops.zeros_like(b))       # functions compiled before go on adding A B
                layer.lora_enabled = False
                del layer.lora_kernel_a, layer.lora_kernel_b


@contextmanager
def _quick_collections() -> Iterator[None]:
    """Keep the objects there are out of garbage collections: Keras collects for each weight that a layer loses."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
