"""Answers by beam search: where one starts, where it ends given that, and whether there is one."""

from typing import Any

import keras
from keras import ops

from bertkit.config import EncoderConfig
from bertkit.heads.head_layer import HeadLayer
from bertkit.layers.gather import gather_positions
from bertkit.layers.initializer import truncated_normal

# What lowers the logit of a token that cannot be in an answer.
BARRED = -1e30


@keras.saving.register_keras_serializable("bertkit")
class BeamHead(HeadLayer):
    """The head of XLNet that searches for answers; kind `kinds.Beam`.

    start = W x; end = W LayerNorm(tanh(W' [x; x_start])); impossible = W tanh(W' [x̄_start; x_cls]).

    Source: the code of Yang et al. 2019 (XLNet, function_builder.py). x̄_start is x_start where the batch gives
    "start_positions" [B], else the mean of x under the starts' probabilities. `bertkit.heads.BeamQuestionAnswering`
    says what a batch holds and what is returned.

    Args:
        config: The `EncoderConfig` of the encoder, or the dict that its `to_json` gives.
        kind: The kind of head (see `bertkit.kinds`), or its JSON.
        outputs: The number of logits; None where the kind determines it.
        dropout: The rate of dropout, a probability.
        **options: Further arguments of a Keras layer: `name`, `dtype`, `trainable`.
    """

    own_entries = ("answer_mask", "cls_index", "start_positions")

    def __init__(self, config: EncoderConfig | dict[str, Any], kind: Any, outputs: int | None = None,
                 dropout: float | None = None, **options: Any) -> None:
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

    def build(self, shape: Any) -> None:
        """Create the weights.

        Args:
            shape: The shape of the input, (B, T, D) with None for what is not known.
        """
        for layer, width in ((self.start, shape[-1]), (self.end_dense, 2 * shape[-1]), (self.end_norm, self.width),
                             (self.end, self.width), (self.impossible_dense, 2 * shape[-1]),
                             (self.impossible, self.width)):
            layer.build((None, width))

    def call(self, outputs: dict[str, Any], inputs: dict[str, Any], training: bool | None = None) -> dict[str, Any]:
        """Compute the likeliest answers, or in training the logits given the right starts.

        Args:
            outputs: The encoder's outputs; "sequence" [B,T,D] is read.
            inputs: The batch; "answer_mask" [B,T], "cls_index" [B] and "start_positions" [B] are read where it holds
                them.
            training: Whether dropout is applied; None leaves it to Keras.

        Returns:
            The outputs of `BeamQuestionAnswering`.
        """
        x, barred, place = outputs["sequence"], inputs.get("answer_mask"), inputs.get("cls_index")
        starts = mask_logits(self.start(x)[..., 0], barred)
        classification = x[:, -1] if place is None else gather_positions(x, place[:, None])[:, 0]
        if inputs.get("start_positions") is not None:
            given = gather_positions(x, inputs["start_positions"][:, None])
            return {"start_logits": starts, "end_logits": self.ends(x, given, barred)[:, 0],
                    "cls_logits": self.is_impossible(given[:, 0], classification)}
        likely = ops.softmax(starts, axis=-1)
        mean = ops.einsum("bt,btd->bd", ops.cast(likely, x.dtype), x)
        return {**self.search(x, likely, barred), "cls_logits": self.is_impossible(mean, classification)}

    def search(self, x: Any, likely: Any, barred: Any) -> dict[str, Any]:
        """Return the likeliest starts, and the likeliest ends of each; ends of equal rank are side by side.

        Args:
            x: Token vectors [B,T,D].
            likely: The probability of each token as the start, [B,T].
            barred: [B,T], 1 where no answer can be, or None.

        Returns:
            {"start_top_probabilities", "start_top_index" [B,n], "end_top_probabilities", "end_top_index" [B,m·n]}.
        """
        chances, starts = ops.top_k(likely, beam_width(self.kind.starts, x))
        ends = ops.softmax(self.ends(x, gather_positions(x, starts), barred), axis=-1)
        found = [ops.transpose(part, (0, 2, 1)) for part in ops.top_k(ends, beam_width(self.kind.ends, x))]
        after, places = (ops.reshape(part, (-1, part.shape[1] * part.shape[2])) for part in found)
        return {"start_top_probabilities": chances, "start_top_index": starts,
                "end_top_probabilities": after, "end_top_index": places}

    def ends(self, x: Any, states: Any, barred: Any) -> Any:
        """Compute the logit of each end for each of n starts.

        Args:
            x: Token vectors [B,T,D].
            states: The vectors of the starts, [B,n,D].
            barred: [B,T], 1 where no answer can be, or None.

        Returns:
            The logits [B,n,T].
        """
        shape = (ops.shape(x)[0], states.shape[1], ops.shape(x)[1], x.shape[2])
        pairs = [ops.broadcast_to(part, shape) for part in (x[:, None], states[:, :, None])]
        logits = self.end(self.end_norm(self.end_dense(ops.concatenate(pairs, axis=-1))))[..., 0]
        return mask_logits(logits, None if barred is None else barred[:, None])

    def is_impossible(self, start: Any, classification: Any) -> Any:
        """Compute the logit that the question has no answer.

        Args:
            start: The vector of the start, [B,D].
            classification: The vector of the classification token, [B,D].

        Returns:
            The logits [B].
        """
        return self.impossible(self.impossible_dense(ops.concatenate([start, classification], axis=-1)))[:, 0]


def mask_logits(logits: Any, barred: Any) -> Any:
    """Lower the logits where no answer can be.

    Args:
        logits: Float logits of any shape.
        barred: 1 where they are lowered, of a shape that broadcasts to theirs, or None.

    Returns:
        Logits of the same shape.
    """
    if barred is None:
        return logits
    barred = ops.cast(barred, logits.dtype)
    return logits * (1 - barred) + BARRED * barred


def beam_width(count: int, x: Any) -> int:
    """Return `count`, or T where x has fewer tokens.

    Args:
        count: The number that is wanted.
        x: A tensor [B,T,D].

    Returns:
        The number that can be had.
    """
    return count if x.shape[1] is None else min(count, x.shape[1])


def answer_loss(outputs: dict[str, Any], starts: Any, ends: Any, impossible: Any) -> Any:
    """Compute (CE_start + CE_end + BCE_impossible) / 2, means over a batch, as the code of Yang et al. 2019 does.

    Args:
        outputs: The outputs of a `BeamQuestionAnswering` that was given the starts.
        starts: The positions of the answers' first tokens, int [B].
        ends: The positions of the answers' last tokens, int [B].
        impossible: 1 where a question has no answer, else 0, [B].

    Returns:
        The loss, a scalar.
    """
    ce = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    bce = keras.losses.BinaryCrossentropy(from_logits=True)
    return 0.5 * (ce(starts, outputs["start_logits"]) + ce(ends, outputs["end_logits"])
                  + bce(impossible, outputs["cls_logits"]))
