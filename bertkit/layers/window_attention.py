"""Attention to near tokens and to global ones (Beltagy et al. 2020, Longformer).

Shapes: B batch, T tokens, D hidden, N heads, H per head, G most global tokens of a row, n blocks, s tokens in a block.
"""

from typing import Any

import keras
from keras import ops

from bertkit.config import EncoderConfig
from bertkit.layers.attention import EXACT, Attend, SelfAttention
from bertkit.layers.blocked import from_blocks, gather_vectors, keys_last, to_blocks, with_neighbours

# The fewest tokens in a block: to cut smaller blocks costs more than they save.
LEAST = 16


def can_see(i: Any, j: Any, reach: int, global_i: Any = False, global_j: Any = False) -> Any:
    """Return whether token i sees token j: it is near, or one of them is global (Beltagy et al. 2020, figure 2d).

    Args:
        i: Positions of tokens that see, int of any shape.
        j: Positions of tokens that are seen, int, of a shape that broadcasts with that of i.
        reach: The largest distance of near tokens.
        global_i: Whether token i is global, bool of a shape that broadcasts with these.
        global_j: Whether token j is global, bool of a shape that broadcasts with these.

    Returns:
        bool, of the broadcast shape.

    Example:
        >>> [bool(can_see(0, j, reach=1)) for j in range(4)], bool(can_see(0, 3, reach=1, global_j=True))
        ([True, True, False, False], True)
    """
    return ops.logical_or(ops.abs(i - j) <= reach, ops.logical_or(global_i, global_j))


def has_near(seen: Any, reach: int) -> Any:
    """Return whether there is a key that may be seen at most `reach` places away from each token.

    Args:
        seen: bool [B,T], true for keys that may be seen.
        reach: The largest distance of near tokens.

    Returns:
        bool [B,T].

    Example:
        >>> [bool(near) for near in has_near(ops.array([[True, False, False, False]]), reach=2)[0]]
        [True, True, True, False]
    """
    counts = ops.cumsum(ops.cast(seen, "int32"), axis=1)            # keys up to each place
    length = ops.shape(counts)[1]
    before = ops.pad(counts, ((0, 0), (reach + 1, 0)))[:, :length]
    until = ops.concatenate([counts, ops.repeat(counts[:, -1:], reach, axis=1)], axis=1)[:, reach:]
    return until > before


@keras.saving.register_keras_serializable("bertkit")
class WindowAttention(SelfAttention):
    """Attention to the tokens in a window and to global tokens.

    softmax(QKᵀ/√H)V over the keys that `can_see` lets a token see (Beltagy et al. 2020, section 3.1).

    Rows of global tokens have projections of their own, query, key and value (section 3.2); other tokens see global
    ones by the ordinary projections. Padding is not seen and gets 0. call(x [B,T,D], context) -> [B,T,D]; `context` may
    hold "padding_mask" and "global_mask" [B,T]. Time and memory are linear in T, and in G where tokens are global; a
    compiled JAX function takes G = T for them. Traced, it computes the definition and returns (y, probabilities
    [B,N,T,T]).

    Args:
        config: The `EncoderConfig` of the encoder, or the dict that its `to_json` gives.
        kind: The kind, a `Window`, or its JSON.
        **options: Further arguments of a Keras layer: `name`, `dtype`, `trainable`.
    """

    def __init__(self, config: EncoderConfig | dict[str, Any], kind: Any, **options: Any) -> None:
        super().__init__(config, kind, **options)
        self.reach = self.kind.size // 2
        # XLA wants shapes before it runs, and G is known only then.
        self.supports_jit = keras.backend.backend() != "tensorflow"

    def add_projections(self, config: EncoderConfig) -> None:
        """Make the ordinary projections, and those of global tokens.

        Args:
            config: The encoder's `EncoderConfig`.
        """
        super().add_projections(config)
        self.global_query, self.global_key, self.global_value = (
            self.dense(config, f"global_{name}", self.num_heads * self.head_dim, config.qkv_bias)
            for name in ("query", "key", "value"))

    def build(self, shape: Any) -> None:
        """Create the weights.

        Args:
            shape: The shape of the input, (B, T, D) with None for what is not known.
        """
        super().build(shape)
        for projection in (self.global_query, self.global_key, self.global_value):
            projection.build(shape)

    def call(self, x: Any, context: dict[str, Any] | None = None, trace: bool = False, training: bool | None = None,
             masked_score: float = EXACT) -> Any:
        """Attend from each token to the tokens in its window and to the global ones, from these to all.

        Args:
            x: Token vectors [B,T,D].
            context: The batch's other entries, by name (see `bertkit.encoder`).
            trace: Whether the attention probabilities are returned too.
            training: Whether dropout is applied; None leaves it to Keras.
            masked_score: The number that is added to the score of a hidden key.

        Returns:
            y [B,T,D], or (y, probabilities [B,N,T,T]) where `trace`.
        """
        # Global tokens have projections of their own, so `mix` needs x.
        return super().call(x, {**(context or {}), "token_vectors": x}, trace, training, masked_score)

    def mix(self, query: Any, key: Any, value: Any, context: dict[str, Any], trace: bool,
            attention: Attend) -> tuple[Any, Any]:
        """Mix the values of near and of global tokens.

        Args:
            query: Queries [B,N,T,H].
            key: Keys [B,N,T,H].
            value: Values [B,N,T,H].
            context: The batch's other entries, by name (see `bertkit.encoder`), and "token_vectors" [B,T,D].
            trace: Whether the attention probabilities are wanted.
            attention: `attend` with this call's dropout and masked score.

        Returns:
            The values mixed [B,N,T,H], and the probabilities [B,N,T,T], or None without `trace`.
        """
        x = context["token_vectors"]
        real = context.get("padding_mask")
        real = ops.ones(ops.shape(x)[:2], "bool") if real is None else ops.cast(real, "bool")
        chosen = context.get("global_mask")
        chosen = None if chosen is None else ops.logical_and(ops.cast(chosen, "bool"), real)
        form = self.in_full if trace else self.in_blocks
        mixed, probabilities = form(query, key, value, x, real, chosen, attention)
        return mixed * ops.cast(real, mixed.dtype)[:, None, :, None], probabilities

    def in_full(self, query: Any, key: Any, value: Any, x: Any, real: Any, chosen: Any,
                attention: Attend) -> tuple[Any, Any]:
        """Compute the attention by its definition: all pairs of tokens, most of them masked.

        Args:
            query: Queries [B,N,T,H].
            key: Keys [B,N,T,H].
            value: Values [B,N,T,H].
            x: Token vectors [B,T,D].
            real: bool [B,T], true for real tokens.
            chosen: bool [B,T], true for global tokens, or None.
            attention: `attend` with this call's dropout and masked score.

        Returns:
            The values mixed [B,N,T,H], and the probabilities [B,N,T,T].
        """
        chosen = ops.zeros_like(real) if chosen is None else chosen
        places, listens = ops.arange(ops.shape(x)[1]), chosen[:, None, :, None]
        near_or_global = can_see(places[:, None], places[None, :], self.reach, listens, chosen[:, None, None, :])
        mask = ops.logical_and(near_or_global, real[:, None, None, :])
        of_global = attention(self.split(self.global_query(x)), self.split(self.global_key(x)),
                              self.split(self.global_value(x)), mask=mask)
        of_others = attention(query, key, value, mask=mask)
        mixed, probabilities = (ops.where(listens, *each) for each in zip(of_global, of_others, strict=True))
        return mixed, probabilities

    def in_blocks(self, query: Any, key: Any, value: Any, x: Any, real: Any, chosen: Any,
                  attention: Attend) -> tuple[Any, Any]:
        """Compute the attention block by block, each with the blocks beside it and the global tokens.

        Args:
            query: Queries [B,N,T,H].
            key: Keys [B,N,T,H].
            value: Values [B,N,T,H].
            x: Token vectors [B,T,D].
            real: bool [B,T], true for real tokens.
            chosen: bool [B,T], true for global tokens, or None.
            attention: `attend` with this call's dropout and masked score.

        Returns:
            The values mixed [B,N,T,H], and None.
        """
        if chosen is None:
            return attend_nearby(query, key, value, real, self.reach, attention), None
        places, used = list_positions(chosen)
        # Global keys stand beside the window, so they are left out within it: each counts once.
        others = ops.logical_and(real, ops.logical_not(chosen))
        mixed = attend_nearby(query, key, value, others, self.reach, attention,
                              (gather_vectors(key, places[:, None]), gather_vectors(value, places[:, None]), used))
        of_global, _ = attention(self.split(self.global_query(gather_vectors(x, places))),
                                 self.split(self.global_key(x)), self.split(self.global_value(x)),
                                 mask=real[:, None, None, :])
        return replace_vectors(mixed, of_global, chosen), None


def attend_nearby(query: Any, key: Any, value: Any, seen: Any, reach: int, attention: Attend,
                  besides: tuple[Any, Any, Any] | None = None) -> Any:
    """Mix values over the keys that are at most `reach` places away, in time linear in T.

    Args:
        query: Queries [B,N,T,H].
        key: Keys [B,N,T,H].
        value: Values [B,N,T,H].
        seen: bool [B,T], true for keys that may be seen.
        reach: The largest distance of near tokens.
        attention: `attend` with this call's dropout and masked score.
        besides: (keys [B,N,G,H], values [B,N,G,H], truths [B,G]) that all tokens see where the truths are true, or
            None.

    Returns:
        The values mixed [B,N,T,H].
    """
    length = ops.shape(query)[2]
    size = _smaller(max(reach, LEAST), length)
    cut = (length + size - 1) // size, size
    keys, values = (with_neighbours(to_blocks(x, *cut)) for x in (key, value))
    seen = keys_last(with_neighbours(to_blocks(ops.cast(seen, "int32")[:, None, :, None], *cut)))
    places = ops.arange(3 * size)
    mask = ops.logical_and(can_see(places[size:2 * size, None], places[None, :], reach), seen)
    if besides is not None:
        more_keys, more_values, used = besides
        keys, values = _beside(keys, more_keys), _beside(values, more_values)
        used = ops.broadcast_to(used[:, None, None, None, :], (*ops.shape(mask)[:4], ops.shape(used)[1]))
        mask = ops.concatenate([mask, used], axis=-1)
    mixed, _ = attention(to_blocks(query, *cut), keys, values, mask=mask)
    return from_blocks(mixed, length)


def _beside(blocks, vectors):
    """Return [B,N,n,K+G,H]: the same vectors [B,N,G,H] behind the keys [B,N,n,K,H] of every block."""
    rows, heads, count, _, width = ops.shape(blocks)
    vectors = ops.broadcast_to(vectors[:, :, None], (rows, heads, count, ops.shape(vectors)[2], width))
    return ops.concatenate([blocks, vectors], axis=3)


def _smaller(one, other):
    """Return the smaller of a number and a length, which may be known only when the graph runs."""
    return min(one, other) if isinstance(other, int) else ops.minimum(one, other)


def list_positions(chosen: Any) -> tuple[Any, Any]:
    """List the chosen tokens of each row; G is the length of the longest list.

    Args:
        chosen: bool [B,T].

    Returns:
        The positions of the chosen tokens int [B,G], and which of these are chosen, bool [B,G].

    Example:
        >>> places, real = list_positions(ops.array([[True, False, True], [False, True, False]]))
        >>> [[int(place) for place in row] for row in places], [[bool(each) for each in row] for row in real]
        ([[0, 2], [1, 0]], [[True, True], [True, False]])
    """
    length = ops.shape(chosen)[1]
    counts = ops.sum(ops.cast(chosen, "int32"), axis=1)
    order = ops.argsort(ops.where(chosen, 0, length) + ops.arange(length), axis=1)
    try:
        order = order[:, :ops.max(counts, initial=0)]
    except (TypeError, IndexError):
        pass    # a compiled JAX function knows no such number before it runs
    return order, ops.arange(ops.shape(order)[1]) < counts[:, None]


def replace_vectors(mixed: Any, of_global: Any, chosen: Any) -> Any:
    """Put the results of chosen tokens in the place of the others'.

    Args:
        mixed: The results of all tokens, [B,N,T,H].
        of_global: The results of the chosen tokens in their order, [B,N,G,H].
        chosen: bool [B,T].

    Returns:
        The results [B,N,T,H].
    """
    count, length = ops.shape(of_global)[2], ops.shape(mixed)[2]
    rank = ops.cumsum(ops.cast(chosen, "int32"), axis=1) - 1
    source = ops.where(chosen, rank, count + ops.arange(length, dtype="int32"))
    return gather_vectors(ops.concatenate([of_global, mixed], axis=2), source[:, None])
