"""Attention among tokens of like hashes (Kitaev et al. 2020, Reformer, section 2).

Shapes: B batch, T tokens, S tokens with what fills the last chunks, R rounds of hashing, n chunks, c tokens in a chunk,
D hidden, N heads, H per head. Time and memory are linear in T, save for sorting it.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import keras
import numpy as np
from keras import ops

from bertkit.config import EncoderConfig
from bertkit.errors import Error
from bertkit.layers.attention import Attend, attention_mask
from bertkit.layers.blocked import from_blocks, gather_vectors
from bertkit.layers.local_attention import LocalAttention, real_tokens

# The score of a token's own key (transformers' code): below every other real one, above those that are hidden.
ITSELF = -1e5


@keras.saving.register_keras_serializable("bertkit")
class HashAttention(LocalAttention):
    """Attention among tokens of like hashes.

    Tokens are sorted by their hashes, and each chunk of them sees itself and the chunks beside it.

    Kitaev et al. 2020, section 2. Queries are keys too: scoreᵢⱼ = qᵢ · (qⱼ / rms(qⱼ)) / √H, but a token sees itself
    only where it sees nothing else. Over rounds o = Σᵣ exp(zᵣ − z) oᵣ, zᵣ the logsumexp of the scores of a round and z
    that of all zᵣ. `context` may hold "buckets" [B,N,R·S]; else they are drawn.

    Args:
        config: The `EncoderConfig` of the encoder, or the dict that its `to_json` gives.
        kind: The kind, a `Hash`, or its JSON.
        **options: Further arguments of a Keras layer: `name`, `dtype`, `trainable`.

    Raises:
        Error: when a call gets "buckets" of another shape.
    """

    PROJECTIONS = ("query_key", "value")

    def __init__(self, config: EncoderConfig | dict[str, Any], kind: Any, **options: Any) -> None:
        super().__init__(config, kind, **options)
        config, kind = self.config, self.kind
        if kind.dropout is not None:
            self.drop = keras.layers.Dropout(kind.dropout, dtype=self.dtype_policy, name="probability_dropout")
        longest = self.padded_length(max(config.max_length or 0, config.max_sequence_length))
        self.choices = factor_choices(kind, longest // kind.chunk, config.max_sequence_length)
        self.seeds = keras.random.SeedGenerator()

    def with_repeatable_draws(self, x: Any, context: dict[str, Any]) -> dict[str, Any]:
        """Return the context of a call in training with its buckets in it, so that the call can be repeated.

        Args:
            x: Token vectors [B,T,D].
            context: The batch's other entries, by name (see `bertkit.encoder`).

        Returns:
            The context with "buckets".
        """
        return self.with_draws(self.split(self.projections[0](x)), context, True)

    def project(self, x: Any, context: dict[str, Any]) -> tuple[Any, Any, Any]:
        """Compute the vectors that are queries and keys, and the values.

        Args:
            x: Token vectors [B,T,D].
            context: The batch's other entries, by name (see `bertkit.encoder`).

        Returns:
            The queries, the keys, which are the same, and the values, [B,N,T,H] each.
        """
        vectors, value = (self.split(dense(x)) for dense in self.projections)
        return vectors, vectors, value

    def with_draws(self, query: Any, context: dict[str, Any], training: bool | None) -> dict[str, Any]:
        """Return the context with its buckets, drawn where it has none.

        Args:
            query: The vectors to hash [B,N,T,H].
            context: The batch's other entries, by name (see `bertkit.encoder`).
            training: Whether new hashes are drawn.

        Returns:
            The context with "buckets"; as it is where a text attends in full.
        """
        length = ops.shape(query)[2]
        if "buckets" in context or self.in_full(length):
            return context
        seed = self.seeds if training and self.kind.seed is None else self.kind.seed or 0
        shape = (self.num_heads, self.head_dim, self.kind.hashes, max(map(sum, self.choices)) // 2)
        rotations = ops.cast(keras.random.normal(shape, seed=seed, dtype="float32"), query.dtype)
        buckets = partial(self.buckets, ops.stop_gradient(query), context.get("padding_mask"), rotations)
        return {**context, "buckets": self.buckets_by_factors(buckets, self.padded_length(length) // self.kind.chunk)}

    def buckets_by_factors(self, buckets: Callable[..., Any], chunks: Any) -> Any:
        """Return buckets(factors) with the factors that fit the number of chunks.

        Args:
            buckets: A function of the factors of the number of hashes.
            chunks: The number of chunks, a tensor int32 () where it is known only when the graph runs.

        Returns:
            What the function returns.
        """
        if len(self.choices) == 1 or isinstance(chunks, int):
            return buckets(self.choices[_power(chunks) - 2 if len(self.choices) > 1 else 0])
        number = sum(ops.cast(2 ** power <= 2 * chunks, "int32") for power in range(3, len(self.choices) + 2))
        return ops.switch(number, [partial(buckets, factors) for factors in self.choices])

    def buckets(self, vectors: Any, mask: Any, rotations: Any, factors: Sequence[int]) -> Any:
        """Compute each token's bucket in each round; padding has one of its own, the last of a round.

        Args:
            vectors: The vectors to hash [B,N,T,H].
            mask: The padding mask [B,T], or None.
            rotations: Random numbers [N,H,R,·].
            factors: The factors of the number of hashes.

        Returns:
            The buckets int32 [B,N,R·S].
        """
        rounds, padding, length = self.kind.hashes, math.prod(factors), ops.shape(vectors)[2]
        buckets = hash_buckets(vectors, rotations, factors)
        if mask is not None:
            buckets = ops.where(ops.cast(mask, "bool")[:, None, None, :], buckets, padding)
        buckets = ops.pad(buckets, (*3 * [(0, 0)], (0, -length % self.multiple)), constant_values=padding)
        buckets = buckets + (padding + 1) * ops.arange(rounds, dtype="int32")[:, None]
        return ops.reshape(buckets, (-1, self.num_heads, rounds * self.padded_length(length)))

    def mix_chunks(self, query: Any, key: Any, value: Any, context: dict[str, Any], attention: Attend) -> Any:
        """Mix the values in each round, and then the rounds.

        Args:
            query: The vectors that are queries and keys, [B,N,T,H].
            key: The same.
            value: Values [B,N,T,H'], of any number of features.
            context: The batch's other entries, by name (see `bertkit.encoder`), and "buckets".
            attention: `attend` with a dropout and a masked score.

        Returns:
            The values mixed [B,N,T,H'].
        """
        length = ops.shape(query)[2]
        if not self.in_full(length):
            return self.mix_by_rounds(query, value, context, attention)
        positions, precise = ops.arange(length), keras.backend.result_type(query.dtype, "float32")
        itself = ops.cast(ops.equal(positions[:, None], positions), precise)
        bias = max(ITSELF, attention.masked_score / 2) * itself
        return attention(query, rms_normalize(key), value, attention_mask(self.kind, context, length), bias)[0]

    def mix_by_rounds(self, vectors: Any, value: Any, context: dict[str, Any], attention: Attend) -> Any:
        """Mix the values of each round in the order of its buckets, and then the rounds.

        Args:
            vectors: The vectors that are queries and keys, [B,N,T,H].
            value: Values [B,N,T,H'], of any number of features.
            context: The batch's other entries, by name (see `bertkit.encoder`), and "buckets".
            attention: `attend` with a dropout and a masked score.

        Returns:
            The values mixed [B,N,T,H'].
        """
        (rows, heads, length, _), rounds = ops.shape(vectors), self.kind.hashes
        order, back = self.sort_by_bucket(context["buckets"], length)
        mask = ops.broadcast_to(ops.cast(real_tokens(context, length), value.dtype), (rows, heads, length, 1))
        together = self.pad_to_chunks(ops.concatenate([vectors, value, mask], axis=-1))
        chunks = self.to_chunks(gather_per_head(together, order))
        mixed, total = self.mix_sorted_chunks(chunks, self.to_chunks(order[..., None]), length, attention)
        tokens = self.padded_length(length)
        shape = (rows, heads, rounds, tokens, -1)
        mixed, total = (ops.reshape(gather_per_head(from_blocks(x, rounds * tokens), back), shape)
                        for x in (mixed, total))
        weights = ops.cast(ops.exp(total - ops.logsumexp(total, axis=2, keepdims=True)), mixed.dtype)
        return ops.sum(mixed * weights, axis=2)[:, :, :length]

    def sort_by_bucket(self, buckets: Any, length: Any) -> Iterator[Any]:
        """Return the tokens of each round in the order of its buckets, and where each token stands in that order.

        Args:
            buckets: int [B,N,R·S].
            length: T, the number of tokens.

        Returns:
            The tokens and the places, int [B,N,R·S] each.

        Raises:
            Error: when the buckets are not R · S for each head.
        """
        rounds, tokens, given = self.kind.hashes, self.padded_length(length), buckets.shape[-1]
        if isinstance(tokens, int) and given not in (None, rounds * tokens):
            raise Error(f"buckets holds {given} numbers for each head; wanted {rounds} rounds of {tokens} tokens, with "
                        "those that fill the last chunks.")
        order = ops.argsort(ops.reshape(buckets, (-1, self.num_heads, rounds, tokens)))
        back = ops.argsort(order) + tokens * ops.arange(rounds, dtype=order.dtype)[:, None]
        return (ops.reshape(places, (-1, self.num_heads, rounds * tokens)) for places in (order, back))

    def mix_sorted_chunks(self, chunks: Any, places: Any, length: Any, attention: Attend) -> tuple[Any, Any]:
        """Mix the values of sorted chunks.

        Args:
            chunks: [vector; value; 1 where real], [B,N,n,c,2H+1].
            places: The positions of the tokens, [B,N,n,c,1].
            length: T, the number of tokens.
            attention: The dropout and the masked score of the call; the logsumexp, which `attend` does not return, is
                why it is not called here.

        Returns:
            The values mixed [B,N,n,c,H], and the logsumexp of the scores [B,N,n,c,1].
        """
        query, value, mask = (chunks[..., :self.head_dim], chunks[..., self.head_dim:-1], chunks[..., -1:])
        drop, masked_score = attention.drop, attention.masked_score
        precise = keras.backend.result_type(query.dtype, "float32")
        key = self.with_neighbours(rms_normalize(query))
        scores = ops.matmul(query * self.head_dim ** -0.5, ops.swapaxes(key, -1, -2))
        scores = ops.where(self.chunk_mask(places, mask), ops.cast(scores, precise), masked_score)
        itself = ops.equal(ops.swapaxes(self.with_neighbours(places), -1, -2), places)
        scores = ops.where(itself, max(ITSELF, masked_score / 2), scores)
        if not isinstance(length, int):
            seen = ops.logical_or(length > self.most_in_full, self.first_chunk_with_itself(scores))
            scores = ops.where(seen, scores, masked_score)
        total = ops.logsumexp(scores, axis=-1, keepdims=True)
        probabilities = ops.cast(ops.exp(scores - total), value.dtype)
        return ops.matmul(probabilities if drop is None else drop(probabilities), self.with_neighbours(value)), total

    def first_chunk_with_itself(self, scores: Any) -> Any:
        """Return which scores are of the first chunk with itself: a short text attends in full there.

        Args:
            scores: [B,N,n,c,m].

        Returns:
            bool, of a shape that broadcasts to that of the scores.
        """
        own = np.arange(scores.shape[-1]) // self.kind.chunk == self.kind.before
        return ops.logical_and(ops.arange(ops.shape(scores)[2])[:, None, None] == 0, own)

    def pad_to_chunks(self, x: Any) -> Any:
        """Put zeros after the last token, [B,N,T,H] -> [B,N,S,H].

        Args:
            x: A tensor [B,N,T,H].

        Returns:
            A tensor [B,N,S,H].
        """
        return ops.pad(x, ((0, 0), (0, 0), (0, -ops.shape(x)[2] % self.multiple), (0, 0)))


def hash_buckets(vectors: Any, rotations: Any, factors: Sequence[int]) -> Any:
    """Compute Σᵢ bᵢ₋₁ … b₁ · argmax [x Rᵢ; −x Rᵢ] for each round.

    Kitaev et al. 2020, section 2, after Andoni et al. 2015.

    Args:
        vectors: [B,N,T,H].
        rotations: The columns of R₁, R₂ … in turn, [N,H,R,Σ bᵢ/2].
        factors: The even factors bᵢ of the number of hashes.

    Returns:
        The hashes int32 [B,N,R,T].
    """
    rotated, bucket, below, start = ops.einsum("bnth,nhrc->bnrtc", vectors, rotations), 0, 1, 0
    for factor in factors:
        part = rotated[..., start:start + factor // 2]
        nearest = ops.argmax(ops.concatenate([part, -part], axis=-1), axis=-1)
        bucket, below, start = bucket + below * ops.cast(nearest, "int32"), below * factor, start + factor // 2
    return bucket


def factor_choices(kind: Any, most_chunks: int, longest: int) -> list[tuple[int, ...]]:
    """Return the factors of the number of hashes: the kind's, or those for 4 hashes, for 8 ... for the longest text.

    There are about two hashes a chunk, 2^⌊log₂(2 · chunks)⌋ (Kitaev et al. 2020, section 2), in two factors where they
    are many.

    Args:
        kind: The kind, a `Hash`.
        most_chunks: The number of chunks of the longest text.
        longest: The number of tokens of the longest text.

    Returns:
        A list of tuples of factors.

    Example:
        >>> from bertkit.kinds import Hash
        >>> factor_choices(Hash(chunk=64), most_chunks=8, longest=512)
        [(4,), (8,), (16,)]
    """
    if kind.buckets is not None:
        return [kind.buckets if isinstance(kind.buckets, tuple) else (kind.buckets,)]
    limit = 2 * max(math.isqrt(longest // kind.chunk), kind.chunk)
    return [(2 ** power,) if 2 ** power <= limit else (2 ** (power // 2), 2 ** (power - power // 2))
            for power in range(2, max(2, _power(most_chunks)) + 1)]


def _power(chunks):
    """Return ⌊log₂(2 · chunks)⌋."""
    return (2 * chunks).bit_length() - 1


def rms_normalize(x: Any) -> Any:
    """Compute x / √(mean(x²) + 10⁻⁶), over features.

    Args:
        x: Vectors [...,H].

    Returns:
        Vectors [...,H].

    Example:
        >>> [round(float(y), 3) for y in rms_normalize(ops.array([3.0, 3.0]))]
        [1.0, 1.0]
    """
    return x * ops.rsqrt(ops.mean(ops.square(x), axis=-1, keepdims=True) + 1e-6)


def gather_per_head(x: Any, places: Any) -> Any:
    """Pick the vectors at given positions of each head.

    Args:
        x: Vectors [B,N,S,H].
        places: Positions int [B,N,K].

    Returns:
        Vectors [B,N,K,H].

    Example:
        >>> x = ops.array([[[[1.0], [2.0], [3.0]]]])
        >>> [float(y) for y in gather_per_head(x, ops.array([[[2, 0]]]))[0, 0, :, 0]]
        [3.0, 1.0]
    """
    (rows, heads, count), (tokens, width) = ops.shape(places), ops.shape(x)[2:]
    found = gather_vectors(ops.reshape(x, (rows * heads, tokens, width)), ops.reshape(places, (rows * heads, count)))
    return ops.reshape(found, (rows, heads, count, width))
