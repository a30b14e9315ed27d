"""Low-rank adaptation (Hu et al. 2021, LoRA): train W + (α/r) A B in place of W, and leave W in the end."""

from contextlib import ExitStack

import keras

from bertkit.errors import Error

# The projections of attention that are adapted: to queries and values (Hu et al. 2021, section 4.2). Where a family
# makes queries together with keys (Reformer), or with keys and values (ModernBERT), that matrix; in Longformer those of
# global tokens too.
ADAPTED = ("query", "value", "query_key", "qkv", "global_query", "global_value")


def projections(encoder):
    """Return the layers that `add` adapts, from the lowest block up."""
    return [layer for block in encoder.blocks for layer in block.attention._flatten_layers() if layer.name in ADAPTED]


def add(model, rank, alpha):
    """Let each of `projections` compute x (W + (α/r) A B), A drawn and B 0, and train these and the heads alone.

    A [D,r] and B [r,units] are those of `keras.layers.Dense.enable_lora`; XLNet's projections are EinsumDense, whose A
    is [D,N,r] and B [r,H]: the rank is that of W as [D·N,H]. Raises `Error` on a rank that no matrix has.
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


def merge(model):
    """Put (α/r) A B into each W, in float32, and take A and B away: the model is a plain one again."""
    for layer in projections(model.encoder):
        if layer.lora_enabled:
            a, b = layer.lora_kernel_a, layer.lora_kernel_b
            layer._kernel.assign_add(layer.lora_alpha / layer.lora_rank * keras.ops.matmul(a, b))
            b.assign(keras.ops.zeros_like(b))           # functions compiled before go on adding A B
            layer.lora_enabled = False
            del layer.lora_kernel_a, layer.lora_kernel_b
