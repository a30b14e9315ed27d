"""What lies inside an encoder in a training step: the trace of the very call that the loss is computed of."""

from typing import Any

from bertkit import kinds


class KeptTrace:
    """Let an encoder compute its trace in training, and keep that of its last call; None after a call outside of it.

    A loss reads `values` in the step that made it, where it is part of the same computation, with the same dropout.
    Other calls are as before. Call `stop` when the training is over.

    Args:
        encoder: The `Encoder`.
    """

    def __init__(self, encoder: Any) -> None:
        self.encoder = encoder
        self.values: dict[str, Any] | None = None
        call = encoder.call

        def kept(inputs, trace=False, training=None, positions=None):
            outputs = call(inputs, trace=bool(trace or training), training=training, positions=positions)
            self.values = (outputs["trace"] if trace else outputs.pop("trace")) if training else None
            return outputs

        encoder.call = kept

    def stop(self) -> None:
        """Let the encoder be called as before."""
        self.values = None
        del self.encoder.call


def projections(encoder: Any, trace: dict[str, Any], layer: int) -> tuple[Any, Any, Any]:
    """Compute the queries, keys and values of a layer from a trace.

    Args:
        encoder: The `Encoder`, whose blocks have attention over what enters them, or over a norm of it.
        trace: Its trace.
        layer: The number of the layer, from 1.

    Returns:
        Three tensors [B,N,T,H].

    Example:
        >>> from bertkit.config import EncoderConfig
        >>> from bertkit.encoder import Encoder
        >>> encoder = Encoder(EncoderConfig(100, num_layers=1, num_heads=2, hidden_dim=8, intermediate_dim=16))
        >>> trace = encoder({"token_ids": [[5, 6, 7]]}, trace=True)["trace"]
        >>> [tuple(each.shape) for each in projections(encoder, trace, 1)]
        [(1, 2, 3, 4), (1, 2, 3, 4), (1, 2, 3, 4)]
    """
    block, x = encoder.blocks[encoder.order[layer - 1]], trace[f"hidden/{layer - 1}"]
    if isinstance(encoder.config.block, kinds.PreNorm) and block.attention_norm is not None:
        x = block.attention_norm(x)
    return block.attention.project(x, {})
