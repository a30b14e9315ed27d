"""Two streams through the same blocks (Yang et al. 2019, XLNet, section 2.3), and the memory of earlier segments."""

import keras
from keras import ops

from bertkit.layers.attention import EXACT
from bertkit.layers.block import Block
from bertkit.layers.configured import ConfiguredLayer
from bertkit.layers.initializer import truncated_normal


@keras.saving.register_keras_serializable("bertkit")
class Streams(ConfiguredLayer):
    """The first state: h = the embeddings and, where the batch names targets, g = one learned vector for each of them.

    call(x [B,T,D], inputs) -> {"hidden" [B,T,D], "mems" (), "query" [B,M,D] where "target_mapping" [B,M,T] is given}.
    """

    def __init__(self, config, **options):
        super().__init__(config, **options)
        config = self.config
        self.width, self.initializer = config.hidden_dim, truncated_normal(config)
        self.drop = keras.layers.Dropout(config.dropout, name="dropout", dtype=self.dtype_policy)

    def build(self, _=None):
        self.target = self.add_weight(name="target", shape=(1, 1, self.width), initializer=self.initializer)

    def call(self, x, inputs=None, training=None):
        state, targets = {"hidden": x, "mems": ()}, (inputs or {}).get("target_mapping")
        if targets is not None:
            rows, count = ops.shape(targets)[:2]
            query = ops.broadcast_to(ops.cast(self.target, x.dtype), (rows, count, self.width))
            state["query"] = self.drop(query, training=training)
        return state


@keras.saving.register_keras_serializable("bertkit")
class TwoStreamBlock(Block):
    """h ← block(h; keys of h), g ← block(g; keys of h): a query knows where it stands, but not which token does.

    Yang et al. 2019, section 2.3 and figure 1. state as `Streams` gives it; each block adds what of its h a later
    segment may attend to. Returns the state, or (state, the probabilities of h [B,N,T,K]) when traced.
    """

    def call(self, x, context=None, trace=False, training=None, masked_score=EXACT):
        context, state, hidden = context or {}, x, x["hidden"]
        options = {"training": training, "masked_score": masked_score}
        found = super().call(hidden, context, trace=trace, **options)
        after, probabilities = found if trace else (found, None)
        new = {"hidden": after, "mems": (*state["mems"], *remembered(self.attention.kind, hidden, context.get("mems")))}
        if "query" in state:
            new["query"] = super().call(state["query"], {**context, "content": hidden}, **options)
        return (new, probabilities) if trace else new

    def feed(self, a, training=None):
        """Drop inside the feed-forward network too, as the code of Yang et al. 2019 does."""
        return self.outer(self.drop(self.activation(self.inner(a)), training=training))


@keras.saving.register_keras_serializable("bertkit")
class LastStream(ConfiguredLayer):
    """The outputs: {"sequence" [B,T,D], or [B,M,D] of the query stream where there is one, "mems" where it remembers}.

    "mems" holds one [B,S,D] for each block: what to give as "mems" with the next segment.
    """

    def __init__(self, config, **options):
        super().__init__(config, **options)
        self.drop = keras.layers.Dropout(self.config.dropout, name="dropout", dtype=self.dtype_policy)

    def call(self, state, training=None):
        outputs = {"sequence": self.drop(state.get("query", state["hidden"]), training=training)}
        return outputs | ({"mems": list(state["mems"])} if state["mems"] else {})


def remembered(kind, x, before):
    """Return (what a later segment may attend to [B,S,D],) of a block's input x [B,T,D], or () where it keeps none.

    [before; the first `reuse` of x], of that the last `memory`, without a gradient (Dai et al. 2019, section 3.2).
    """
    if kind.memory is None:
        return ()
    x = x[:, :kind.reuse] if kind.reuse else x
    whole = x if before is None else ops.concatenate([before, x], axis=1)
    return (ops.stop_gradient(whole[:, -kind.memory:] if kind.memory else whole),)
