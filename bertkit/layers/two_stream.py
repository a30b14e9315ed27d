"""Two streams through the same blocks (Yang et al. 2019, XLNet, section 2.3), and the memory of earlier segments."""

from typing import Any

import keras
from keras import ops

from bertkit.config import EncoderConfig
from bertkit.layers.attention import EXACT
from bertkit.layers.block import Block
from bertkit.layers.configured import ConfiguredLayer
from bertkit.layers.initializer import truncated_normal


@keras.saving.register_keras_serializable("bertkit")
class Streams(ConfiguredLayer):
    """The layer that makes the first state of two streams.

    h = the embeddings and, where the batch names targets, g = one learned vector for each of them.

    Args:
        config: The `EncoderConfig` of the encoder, or the dict that its `to_json` gives.
        **options: Further arguments of a Keras layer: `name`, `dtype`, `trainable`.
    """

    def __init__(self, config: EncoderConfig | dict[str, Any], **options: Any) -> None:
        super().__init__(config, **options)
        config = self.config
        self.width, self.initializer = config.hidden_dim, truncated_normal(config)
        self.drop = keras.layers.Dropout(config.dropout, name="dropout", dtype=self.dtype_policy)

    def build(self, _: Any = None) -> None:
        """Create the weights.

        Args:
            _: Not used; the sizes are those of the config.
        """
        self.target = self.add_weight(name="target", shape=(1, 1, self.width), initializer=self.initializer)

    def call(self, x: Any, inputs: dict[str, Any] | None = None, training: bool | None = None) -> dict[str, Any]:
        """Make the first state.

        Args:
            x: The embeddings [B,T,D].
            inputs: The batch; "target_mapping" [B,M,T] is read where it holds it.
            training: Whether dropout is applied; None leaves it to Keras.

        Returns:
            {"hidden" [B,T,D], "mems" (), "query" [B,M,D] where there are targets}.
        """
        state, targets = {"hidden": x, "mems": ()}, (inputs or {}).get("target_mapping")
        if targets is not None:
            rows, count = ops.shape(targets)[:2]
            query = ops.broadcast_to(ops.cast(self.target, x.dtype), (rows, count, self.width))
            state["query"] = self.drop(query, training=training)
        return state


@keras.saving.register_keras_serializable("bertkit")
class TwoStreamBlock(Block):
    """A block for two streams: the content h, and the queries g, which do not see their own token.

    h ← block(h; keys of h), g ← block(g; keys of h): a query knows where it stands, but not which token does.

    Yang et al. 2019, section 2.3 and figure 1. The state is as `Streams` gives it; each block adds what of its h a
    later segment may attend to.

    Args:
        config: The `EncoderConfig` of the encoder, or the dict that its `to_json` gives.
        index: The number of the block, from 0.
        **options: Further arguments of a Keras layer: `name`, `dtype`, `trainable`.
    """

    def call(self, x: Any, context: dict[str, Any] | None = None, trace: bool = False, training: bool | None = None,
             masked_score: float = EXACT) -> Any:
        """Compute the block for both streams.

        Args:
            x: The state {"hidden" [B,T,D], "mems", "query" [B,M,D] or absent}.
            context: The batch's other entries, by name (see `bertkit.encoder`).
            trace: Whether the attention probabilities are returned too.
            training: Whether dropout is applied; None leaves it to Keras.
            masked_score: The number that is added to the score of a hidden key.

        Returns:
            The new state, or (state, the probabilities of h [B,N,T,K]) where `trace`.
        """
        context, state, hidden = context or {}, x, x["hidden"]
        options: dict[str, Any] = {"training": training, "masked_score": masked_score}
        found = super().call(hidden, context, trace=trace, **options)
        after, probabilities = found if trace else (found, None)
        new = {"hidden": after, "mems": (*state["mems"], *new_memory(self.attention.kind, hidden, context.get("mems")))}
        if "query" in state:
            new["query"] = super().call(state["query"], {**context, "content": hidden}, **options)
        return (new, probabilities) if trace else new

    def feed(self, a: Any, training: bool | None = None) -> Any:
        """Compute the feed-forward network with dropout inside it too, as the code of Yang et al. 2019 does.

        Args:
            a: Token vectors [B,T,D].
            training: Whether dropout is applied; None leaves it to Keras.

        Returns:
            Token vectors [B,T,D].
        """
        return self.outer(self.drop(self.activation(self.inner(a)), training=training))


@keras.saving.register_keras_serializable("bertkit")
class LastStream(ConfiguredLayer):
    """The layer that makes the outputs of the last state.

    The outputs: {"sequence" [B,T,D], or [B,M,D] of the query stream where there is one, "mems" where it remembers}.

    "mems" holds one [B,S,D] for each block: what to give as "mems" with the next segment.

    Args:
        config: The `EncoderConfig` of the encoder, or the dict that its `to_json` gives.
        **options: Further arguments of a Keras layer: `name`, `dtype`, `trainable`.
    """

    def __init__(self, config: EncoderConfig | dict[str, Any], **options: Any) -> None:
        super().__init__(config, **options)
        self.drop = keras.layers.Dropout(self.config.dropout, name="dropout", dtype=self.dtype_policy)

    def call(self, state: dict[str, Any], training: bool | None = None) -> dict[str, Any]:
        """Make the outputs of the last state.

        Args:
            state: {"hidden" [B,T,D], "mems", "query" [B,M,D] or absent}.
            training: Whether dropout is applied; None leaves it to Keras.

        Returns:
            {"sequence" [B,T,D], or [B,M,D] of the query stream; "mems" where there are any, one [B,S,D] for each
            block}.
        """
        outputs = {"sequence": self.drop(state.get("query", state["hidden"]), training=training)}
        return outputs | ({"mems": list(state["mems"])} if state["mems"] else {})


def new_memory(kind: Any, x: Any, before: Any) -> tuple[Any, ...]:
    """Return what a later segment may attend to of a block's input.

    It is [before; the first `reuse` of x], of that the last `memory`, without a gradient (Dai et al. 2019, section
    3.2).

    Args:
        kind: The kind, a `Relative`.
        x: The block's input [B,T,D].
        before: What was remembered before it [B,S,D], or None.

    Returns:
        A tuple of one tensor [B,S,D], or () where the kind keeps none.
    """
    if kind.memory is None:
        return ()
    x = x[:, :kind.reuse] if kind.reuse else x
    whole = x if before is None else ops.concatenate([before, x], axis=1)
    return (ops.stop_gradient(whole[:, -kind.memory:] if kind.memory else whole),)
