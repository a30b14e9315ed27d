"""An encoder that computes as its int8 file will: what the file keeps as integers is rounded to them on the way.

The layers stay as they are. While a simulation calls the model, the `call` of what becomes an integer operation
(tables, matrices, norms, activations, attention) is another one, which rounds what the file rounds. The same calls,
with the converter's own operation in place of ours, are what an export converts: the file computes what was trained.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
from keras import ops

from bertkit.compress.fake_quantization import NARROWEST, round_blocks, round_channels
from bertkit.errors import Error
from bertkit.kinds import Full, PostNorm
from bertkit.layers.attention import EXACT

Point = Callable[[str, Any], Any]               # (name of a place, what is computed there) -> the same, rounded

LEAST = 1e-6                        # the sum of squares that a norm divides by is at least so much
SOFTMAX = (0.0, 255 / 256)          # the ranges that LiteRT's integer kernels of softmax, norm and tanh have
UNIT = (-1.0, 127 / 128)
ROWS = 64                           # rows that ranges are measured on
PERCENTILE, INNER = 99.995, 99.9    # of a row's numbers
WIDE = 6.0                          # times the inner percentile: a range is at most so wide
BELOW = 6.0                         # the range of scores begins so far below the lowest one: e^-6 is less than 1/256
MASKED = "/masked"                  # how the names of places end that hold scores, with the mask
STATES = ("embeddings/norm", "/output_norm")        # and those of what enters and leaves the blocks


Call = tuple[Any, str, Callable[..., Any]]      # (layer, attribute, function in its place)


@contextmanager
def put_in(calls: Iterable[Call]) -> Iterator[None]:
    """Let layers compute by other functions inside the `with` block; their weights and names stay as they are.

    Args:
        calls: (layer, attribute, function in its place) of each.

    Yields:
        Nothing.
    """
    before = []
    try:
        for layer, name, call in calls:
            before.append((layer, name, layer.__dict__.get(name)))
            layer.__dict__[name] = call         # past Keras, which would track what is set on a layer
        yield
    finally:
        for layer, name, own in reversed(before):
            if own is None:                     # it was the method of the class
                del layer.__dict__[name]
            else:
                layer.__dict__[name] = own


class Integers:
    """The layers of an encoder as integer operations: what `int8-full` computes.

    LayerNorm is γ √D · d / √max(Σ d², ε) + β, d = x − mean(x) (Ba et al. 2016, section 3): what LiteRT's
    L2_NORMALIZATION computes in integers. A key is hidden by a score that sends it to the lowest level of the scores'
    range.

    Args:
        encoder: The `Encoder`, of blocks like BERT's.
        point: Function (name of a place, tensor [...]) that rounds to the place's range.
        fixed: Function (tensor [...], low, high) that rounds to a range that is not learnt.
        kernel: Function that rounds a matrix [I,O]; None where a converter does it.
        hidden_score: Function () that returns what is added to the score of a hidden key, below 0.
    """

    def __init__(self, encoder: Any, point: Point, fixed: Callable[[Any, float, float], Any],
                 kernel: Callable[[Any], Any] | None, hidden_score: Callable[[], Any]) -> None:
        self.encoder, self.point, self.fixed, self.kernel = encoder, point, fixed, kernel
        self.hidden_score = hidden_score

    def calls(self) -> Iterator[Call]:
        """Yield what computes in integers.

        Yields:
            (layer, attribute, function in its place).
        """
        yield from self._embeddings()
        for block in self.encoder.blocks:
            yield from self._block(block)
        if self.encoder.pooler is not None:
            yield self.encoder.pooler, "call", self._pooler(self.encoder.pooler)

    def _embeddings(self):
        embeddings = self.encoder.embeddings
        for name in ("token", "segment", "position"):
            layer = getattr(embeddings, name, None)
            if layer is not None:
                yield layer, "call", self._rounded(layer, f"embeddings/{name}")
        if embeddings.norm is not None:
            yield embeddings.norm, "call", self._norm(embeddings.norm, "embeddings/norm")
        if getattr(embeddings, "projection", None) is not None:
            yield embeddings.projection, "call", self._dense(embeddings.projection, "embeddings/projection")

    def _block(self, block):
        attention, name = block.attention, block.name
        yield attention.query, "call", self._dense(attention.query, f"{name}/query", attention.head_dim ** -0.5)
        for part in ("key", "value"):
            yield getattr(attention, part), "call", self._dense(getattr(attention, part), f"{name}/{part}")
        yield attention, "mix", self._mix(attention, name)
        yield attention.output_dense, "call", self._dense(attention.output_dense, f"{name}/attended")
        yield block.attention_norm, "call", self._norm(block.attention_norm, f"{name}/attention_norm")
        yield block.inner, "call", self._dense(block.inner, f"{name}/inner")
        yield block, "activation", self._applied(block.activation, f"{name}/activation")
        yield block.outer, "call", self._dense(block.outer, f"{name}/outer")
        yield block.output_norm, "call", self._norm(block.output_norm, f"{name}/output_norm")

    def _rounded(self, layer, name):
        plain = layer.call
        return lambda *inputs: self.point(name, plain(*inputs))

    def _applied(self, function, name):
        return lambda x: self.point(name, function(x))

    def _product(self, dense, x):
        kernel = dense.kernel if self.kernel is None else self.kernel(dense.kernel)
        y = ops.matmul(x, kernel)
        return y if dense.bias is None else y + dense.bias

    def _dense(self, dense, name, factor=None):
        def call(x, training=None):
            y = self._product(dense, x)
            return self.point(name, y if factor is None else y * factor)
        return call

    def _vector(self, values):
        return values if self.kernel is None else self.fixed(values, ops.min(values), ops.max(values))

    def _pooler(self, dense):
        return lambda x, training=None: self.fixed(ops.tanh(self.point("pooler", self._product(dense, x))), *UNIT)

    def _norm(self, norm, name):
        """Return LayerNorm with an integer at each step, see the class."""
        def call(x):
            x = self.point(f"{name}/sum", x)
            d = self.point(f"{name}/centred", x - self.point(f"{name}/mean", ops.mean(x, axis=-1, keepdims=True)))
            y = d * ops.rsqrt(ops.maximum(ops.sum(ops.square(d), axis=-1, keepdims=True), LEAST))
            y = self.point(f"{name}/scaled", self.fixed(y, *UNIT) * self._vector(norm.gamma * x.shape[-1] ** 0.5))
            return self.point(name, y + self._vector(norm.beta))
        return call

    def _mix(self, attention, name):
        """Return attention whose scores have a range that ends below every real one: a hidden key falls on its end."""
        plain = attention.mix

        def attend(query, key, value, mask=None, bias=None):
            scores = self.point(f"{name}/scores", ops.matmul(query, ops.swapaxes(key, -1, -2)))
            if mask is not None:
                hidden = (1.0 - ops.cast(mask, scores.dtype)) * self.hidden_score()
                scores = scores + self.fixed(hidden, self.hidden_score(), 0.0)
            p = self.fixed(ops.softmax(self.point(f"{name}/masked", scores), axis=-1), *SOFTMAX)
            return self.point(f"{name}/mixed", ops.matmul(p, value)), p
        return lambda query, key, value, context, trace, _: plain(query, key, value, context, trace, attend)


class SmallWeights:
    """The layers of an encoder with weights of four bits: what `int4-small` computes, whose activations stay in float.

    Feed-forward layers, attention's output and the table of tokens have four bits, a scale for each 32 numbers; the
    other matrices eight bits, a scale for each output.

    Args:
        encoder: The `Encoder`, of blocks like BERT's.
        point: Function (name of a place, tensor [...]) that is given the states.
    """

    def __init__(self, encoder: Any, point: Point) -> None:
        self.encoder, self.point = encoder, point

    def calls(self) -> Iterator[Call]:
        """Yield what computes with rounded weights.

        Yields:
            (layer, attribute, function in its place).
        """
        embeddings = self.encoder.embeddings
        yield embeddings.token, "call", self._after(embeddings.token.call, round_blocks)
        if embeddings.norm is not None:
            yield embeddings.norm, "call", self._after(embeddings.norm.call, self._state("embeddings/norm"))
        for block in self.encoder.blocks:
            attention = block.attention
            for dense in (attention.query, attention.key, attention.value):
                yield dense, "call", self._dense(dense, round_channels)
            for dense in (attention.output_dense, block.inner, block.outer):
                yield dense, "call", self._dense(dense, _round_small)
            norm = block.output_norm
            yield norm, "call", self._after(norm.call, self._state(f"{block.name}/output_norm"))

    def _state(self, name):
        return lambda x: self.point(name, x)

    def _after(self, plain, function):
        return lambda x: function(plain(x))

    def _dense(self, dense, rounded):
        def call(x, training=None):
            y = ops.matmul(x, rounded(dense.kernel))
            return y if dense.bias is None else y + dense.bias
        return call


def _round_small(kernel):
    return ops.transpose(round_blocks(ops.transpose(kernel)))


def has_full_blocks(config: Any) -> bool:
    """Return whether an encoder's blocks are like BERT's, whose attention can be made of integers.

    Args:
        config: The `EncoderConfig`.

    Returns:
        Whether every token may see every other, and LayerNorm follows the residual sums.
    """
    return isinstance(config.block, PostNorm) and isinstance(config.attention, Full)


def check_integers(config: Any, precision: str = "int8-full") -> None:
    """Check that an encoder can compute in integers.

    Args:
        config: The `EncoderConfig`.
        precision: The precision, for the message.

    Raises:
        Error: When its blocks are not like BERT's.
    """
    if not has_full_blocks(config):
        raise Error(f"{precision} is trained for blocks like BERT's, and {config.family} has others; export with "
                    "--precision int8, which needs no training.")


def measured_ranges(model: Any, rows: Mapping[str, np.ndarray]) -> dict[str, tuple[float, float]]:
    """Measure the range of what a model computes at each place, on rows without their padding.

    An end is the 99.995th percentile of a row's numbers, the largest of all rows; beyond WIDE times the 99.9th
    percentile of all numbers it is cut, because single channels of single tokens reach that far. The scores' range
    begins BELOW below the lowest one.

    Args:
        model: A head of bertkit's on an encoder.
        rows: {name: int32 [rows,T]}.

    Returns:
        {name of a place: (low, high)}, in the order in which they are computed; 0 is always inside.
    """
    ends: dict[str, list[np.ndarray]] = {}
    inner: dict[str, list[np.ndarray]] = {}

    def watch(name, x):
        values = np.asarray(x)
        ends.setdefault(name, []).append(np.percentile(values, (100 - PERCENTILE, PERCENTILE)))
        inner.setdefault(name, []).append(np.percentile(values, (100 - INNER, INNER)))
        return x
    integers = Integers(model.encoder, watch, lambda x, *_: x, None, lambda: EXACT)
    for at in range(min(ROWS, len(rows["token_ids"]))):
        real = rows["padding_mask"][at] == 1
        with put_in(integers.calls()):
            model(_one_row(model, {name: values[at:at + 1, real] for name, values in rows.items()}), training=False)
    return {name: _ends(name, np.array(ends[name]), np.array(inner[name])) for name in ends}


def _one_row(model, row):
    return {name: values[:, None] for name, values in row.items()} if model.grouped else row


def _ends(name, ends, inner):
    """Return the ends of a place's range."""
    low = max(float(ends[:, 0].min()), WIDE * float(np.median(inner[:, 0])))
    high = min(float(ends[:, 1].max()), WIDE * float(np.median(inner[:, 1])))
    if name.endswith(MASKED):
        low = float(ends[:, 0].min()) - BELOW
    return min(low, 0.0), max(high, low + NARROWEST, 0.0)
