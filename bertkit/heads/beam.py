"""Answers by beam search: where one starts, where it ends given that, and whether there is one."""

import keras
from keras import ops

from bertkit.heads.head_layer import HeadLayer
from bertkit.layers.gather import gather_positions
from bertkit.layers.initializer import truncated_normal

# What lowers the logit of a token that cannot be in an answer.
BARRED = -1e30


@keras.saving.register_keras_serializable("bertkit")
class BeamHead(HeadLayer):
    """start = W x;  end = W LayerNorm(tanh(W' [x; x_start]));  impossible = W tanh(W' [x̄_start; x_cls]).

    The code of Yang et al. 2019 (XLNet, function_builder.py); kind `kinds.Beam`. x̄_start is x_start where the batch
    gives "start_positions" [B], else the mean of x under the starts' probabilities. What is given and what comes
    out: see `bertkit.heads.BeamQuestionAnswering`.
    """

    own_entries = ("answer_mask", "cls_index", "start_positions")

    def __init__(self, config, kind, outputs=None, dropout=None, **options):
        super().__init__(config, kind, outputs, dropout, **options)
        config, policy = self.config, {"dtype": self.dtype_policy}
        self.width, initializer = config.hidden_dim, truncated_normal(config)
        self.start, self.end, self.impossible = (
            keras.layers.Dense(1, use_bias=bias, name=name, kernel_initializer=initializer, dtype="float32")
            for name, bias in (("start", True), ("end", True), ("impossible", False)))
        self.end_dense, self.impossible_dense = (
            keras.layers.Dense(self.width, activation="tanh", name=name, kernel_initializer=initializer, **policy)
            for name in ("end_dense", "impossible_dense"))
        self.end_norm = keras.layers.LayerNormalization(epsilon=config.layer_norm_epsilon, name="end_norm", **policy)

    def build(self, shape):
        for layer, width in ((self.start, shape[-1]), (self.end_dense, 2 * shape[-1]), (self.end_norm, self.width),
                             (self.end, self.width), (self.impossible_dense, 2 * shape[-1]),
                             (self.impossible, self.width)):
            layer.build((None, width))

    def call(self, found, inputs, training=None):
        x, barred, place = found["sequence"], inputs.get("answer_mask"), inputs.get("cls_index")
        starts = bar(self.start(x)[..., 0], barred)
        classification = x[:, -1] if place is None else gather_positions(x, place[:, None])[:, 0]
        if inputs.get("start_positions") is not None:
            given = gather_positions(x, inputs["start_positions"][:, None])
            return {"start_logits": starts, "end_logits": self.ends(x, given, barred)[:, 0],
                    "cls_logits": self.is_impossible(given[:, 0], classification)}
        likely = ops.softmax(starts, axis=-1)
        mean = ops.einsum("bt,btd->bd", ops.cast(likely, x.dtype), x)
        return {**self.search(x, likely, barred), "cls_logits": self.is_impossible(mean, classification)}

    def search(self, x, likely, barred):
        """Return the likeliest starts and of each the likeliest ends, those of equal rank side by side."""
        chances, starts = ops.top_k(likely, most(self.kind.starts, x))
        ends = ops.softmax(self.ends(x, gather_positions(x, starts), barred), axis=-1)
        found = [ops.transpose(part, (0, 2, 1)) for part in ops.top_k(ends, most(self.kind.ends, x))]
        after, places = (ops.reshape(part, (-1, part.shape[1] * part.shape[2])) for part in found)
        return {"start_top_probabilities": chances, "start_top_index": starts,
                "end_top_probabilities": after, "end_top_index": places}

    def ends(self, x, states, barred):
        """Return for each of n starts, whose vectors are `states` [B,n,D], the logit of each end: [B,n,T]."""
        shape = (ops.shape(x)[0], states.shape[1], ops.shape(x)[1], x.shape[2])
        pairs = [ops.broadcast_to(part, shape) for part in (x[:, None], states[:, :, None])]
        logits = self.end(self.end_norm(self.end_dense(ops.concatenate(pairs, axis=-1))))[..., 0]
        return bar(logits, None if barred is None else barred[:, None])

    def is_impossible(self, start, classification):
        """Return the logit that the question has no answer, from two vectors [B,D]: [B]."""
        return self.impossible(self.impossible_dense(ops.concatenate([start, classification], axis=-1)))[:, 0]


def bar(logits, barred):
    """Return the logits, lowered where `barred` is 1."""
    if barred is None:
        return logits
    barred = ops.cast(barred, logits.dtype)
    return logits * (1 - barred) + BARRED * barred


def most(count, x):
    """Return `count`, or T where x [B,T,D] has fewer tokens."""
    return count if x.shape[1] is None else min(count, x.shape[1])


def answer_loss(outputs, starts, ends, impossible):
    """Return (CE_start + CE_end + BCE_impossible) / 2, means over a batch, as the code of Yang et al. 2019 does.

    `outputs` are those of a `BeamQuestionAnswering` that was given the starts; starts, ends [B] int, impossible [B] 0
    or 1.
    """
    ce = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    bce = keras.losses.BinaryCrossentropy(from_logits=True)
    return 0.5 * (ce(starts, outputs["start_logits"]) + ce(ends, outputs["end_logits"])
                  + bce(impossible, outputs["cls_logits"]))
