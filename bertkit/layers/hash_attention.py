"""Attention among tokens of like hashes (Kitaev et al. 2020, Reformer, section 2).

Shapes: B batch, T tokens, S tokens with what fills the last chunks, R rounds of hashing, n chunks, c tokens in a chunk,
D hidden, N heads, H per head. Time and memory are linear in T, save for sorting it.
"""

import math
from functools import partial

import keras
import numpy as np
from keras import ops

from bertkit.errors import Error
from bertkit.layers.attention import attend, attention_mask
from bertkit.layers.blocked import joined, vectors_at
from bertkit.layers.local_attention import LocalAttention, real

# The score of a token's own key (transformers' code): below every other real one, above those that are hidden.
ITSELF = -1e5


@keras.saving.register_keras_serializable("bertkit")
class HashAttention(LocalAttention):
    """Attention among tokens of like hashes: sorted by them, each chunk sees itself and the chunks beside it.

    Kitaev et al. 2020, section 2. Queries are keys too: scoreᵢⱼ = qᵢ · (qⱼ / rms(qⱼ)) / √H, but a token sees itself
    only where it sees nothing else. Over rounds o = Σᵣ exp(zᵣ − z) oᵣ, zᵣ the logsumexp of the scores of a round and z
    that of all zᵣ. `context` may hold "buckets" [B,N,R·S]; else they are drawn. Raises `Error` on buckets of another
    shape.
    """

    PROJECTIONS = ("query_key", "value")

    def __init__(self, config, kind, **options):
        super().__init__(config, kind, **options)
        config, kind = self.config, self.kind
        if kind.dropout is not None:
            self.drop = keras.layers.Dropout(kind.dropout, dtype=self.dtype_policy, name="probability_dropout")
        longest = self.whole(max(config.longest or 0, config.max_sequence_length))
        self.choices = choices(kind, longest // kind.chunk, config.max_sequence_length)
        self.seeds = keras.random.SeedGenerator()

    def settle(self, x, context):
        """Return the context of a call in training with its buckets in it, so that the call can be repeated."""
        return self.settled([self.split(self.projections[0](x))], context, True)

    def settled(self, vectors, context, training):
        length = ops.shape(vectors[0])[2]
        if "buckets" in context or self.in_full(length):
            return context
        seed = self.seeds if training and self.kind.seed is None else self.kind.seed or 0
        shape = (self.num_heads, self.head_dim, self.kind.hashes, max(map(sum, self.choices)) // 2)
        rotations = ops.cast(keras.random.normal(shape, seed=seed, dtype="float32"), vectors[0].dtype)
        buckets = partial(self.buckets, ops.stop_gradient(vectors[0]), context.get("padding_mask"), rotations)
        return {**context, "buckets": self.choose(buckets, self.whole(length) // self.kind.chunk)}

    def choose(self, buckets, chunks):
        """Return buckets(factors) with the factors for so many chunks, known now or when the graph runs."""
        if len(self.choices) == 1 or isinstance(chunks, int):
            return buckets(self.choices[_power(chunks) - 2 if len(self.choices) > 1 else 0])
        number = sum(ops.cast(2 ** power <= 2 * chunks, "int32") for power in range(3, len(self.choices) + 2))
        return ops.switch(number, [partial(buckets, factors) for factors in self.choices])

    def buckets(self, vectors, mask, rotations, factors):
        """Return each token's bucket in each round, [B,N,R·S]; padding has one of its own, the last of a round."""
        rounds, padding, length = self.kind.hashes, math.prod(factors), ops.shape(vectors)[2]
        found = hashes(vectors, rotations, factors)
        if mask is not None:
            found = ops.where(ops.cast(mask, "bool")[:, None, None, :], found, padding)
        found = ops.pad(found, (*3 * [(0, 0)], (0, -length % self.multiple)), constant_values=padding)
        found = found + (padding + 1) * ops.arange(rounds, dtype="int32")[:, None]
        return ops.reshape(found, (-1, self.num_heads, rounds * self.whole(length)))

    def mix(self, vectors, value, context, drop, masked_score):
        length = ops.shape(vectors)[2]
        if not self.in_full(length):
            return self.by_rounds(vectors, value, context, drop, masked_score)
        places, precise = ops.arange(length), keras.backend.result_type(vectors.dtype, "float32")
        bias = max(ITSELF, masked_score / 2) * ops.cast(ops.equal(places[:, None], places), precise)
        mask = attention_mask(self.kind, context, length)
        return attend(vectors, unit(vectors), value, mask, bias, drop, masked_score)[0]

    def by_rounds(self, vectors, value, context, drop, masked_score):
        """Return the values mixed [B,N,T,H]: each round in the order of its buckets, then the rounds together."""
        (rows, heads, length, _), rounds = ops.shape(vectors), self.kind.hashes
        order, back = self.orders(context["buckets"], length)
        mask = ops.broadcast_to(ops.cast(real(context, length), value.dtype), (rows, heads, length, 1))
        chunks = self.cut(at(self.filled(ops.concatenate([vectors, value, mask], axis=-1)), order))
        mixed, total = self.in_order(chunks, self.cut(order[..., None]), length, drop, masked_score)
        tokens = self.whole(length)
        mixed, total = (ops.reshape(at(joined(x, rounds * tokens), back), (rows, heads, rounds, tokens, -1))
                        for x in (mixed, total))
        weights = ops.cast(ops.exp(total - ops.logsumexp(total, axis=2, keepdims=True)), mixed.dtype)
        return ops.sum(mixed * weights, axis=2)[:, :, :length]

    def orders(self, buckets, length):
        """Return the tokens of each round in the order of its buckets, and where each token stands in it: [B,N,R·S]."""
        rounds, tokens, given = self.kind.hashes, self.whole(length), buckets.shape[-1]
        if isinstance(tokens, int) and given not in (None, rounds * tokens):
            raise Error(f"buckets holds {given} numbers for each head; wanted {rounds} rounds of {tokens} tokens, with "
                        "those that fill the last chunks.")
        order = ops.argsort(ops.reshape(buckets, (-1, self.num_heads, rounds, tokens)))
        back = ops.argsort(order) + tokens * ops.arange(rounds, dtype=order.dtype)[:, None]
        return (ops.reshape(places, (-1, self.num_heads, rounds * tokens)) for places in (order, back))

    def in_order(self, chunks, places, length, drop, masked_score):
        """Return (values mixed [B,N,n,c,H], logsumexp of the scores [B,N,n,c,1]) of [vector; value; 1 where real]."""
        query, value, mask = (chunks[..., :self.head_dim], chunks[..., self.head_dim:-1], chunks[..., -1:])
        precise = keras.backend.result_type(query.dtype, "float32")
        scores = ops.matmul(query * self.head_dim ** -0.5, ops.swapaxes(self.around(unit(query)), -1, -2))
        scores = ops.where(self.seen(places, mask), ops.cast(scores, precise), masked_score)
        itself = ops.equal(ops.swapaxes(self.around(places), -1, -2), places)
        scores = ops.where(itself, max(ITSELF, masked_score / 2), scores)
        if not isinstance(length, int):
            scores = ops.where(ops.logical_or(length > self.most_in_full, self.once(scores)), scores, masked_score)
        total = ops.logsumexp(scores, axis=-1, keepdims=True)
        probabilities = ops.cast(ops.exp(scores - total), value.dtype)
        return ops.matmul(probabilities if drop is None else drop(probabilities), self.around(value)), total

    def once(self, scores):
        """Return which scores [B,N,n,c,m] are of the first chunk with itself: a short text attends in full there."""
        own = np.arange(scores.shape[-1]) // self.kind.chunk == self.kind.before
        return ops.logical_and(ops.arange(ops.shape(scores)[2])[:, None, None] == 0, own)

    def filled(self, x):
        """[B,N,T,H] -> [B,N,S,H]: zeros after the last token."""
        return ops.pad(x, ((0, 0), (0, 0), (0, -ops.shape(x)[2] % self.multiple), (0, 0)))


def hashes(vectors, rotations, factors):
    """Return Σᵢ bᵢ₋₁ … b₁ · argmax [x Rᵢ; −x Rᵢ] for each round: [B,N,T,H], [N,H,R,Σ bᵢ/2] -> [B,N,R,T].

    Kitaev et al. 2020, section 2, after Andoni et al. 2015; the columns of the rotations are those of R₁, R₂ … in turn.
    """
    rotated, bucket, below, start = ops.einsum("bnth,nhrc->bnrtc", vectors, rotations), 0, 1, 0
    for factor in factors:
        part = rotated[..., start:start + factor // 2]
        nearest = ops.argmax(ops.concatenate([part, -part], axis=-1), axis=-1)
        bucket, below, start = bucket + below * ops.cast(nearest, "int32"), below * factor, start + factor // 2
    return bucket


def choices(kind, most_chunks, longest):
    """Return the factors of the number of hashes: the kind's, or those for 4 hashes, for 8 ... for the longest text.

    About two hashes a chunk, 2^⌊log₂(2 · chunks)⌋ (Kitaev et al. 2020, section 2), in two factors where they are many.
    """
    if kind.buckets is not None:
        return [kind.buckets if isinstance(kind.buckets, tuple) else (kind.buckets,)]
    limit = 2 * max(math.isqrt(longest // kind.chunk), kind.chunk)
    return [(2 ** power,) if 2 ** power <= limit else (2 ** (power // 2), 2 ** (power - power // 2))
            for power in range(2, max(2, _power(most_chunks)) + 1)]


def _power(chunks):
    """Return ⌊log₂(2 · chunks)⌋."""
    return (2 * chunks).bit_length() - 1


def unit(x):
    """Return x / √(mean(x²) + 10⁻⁶), over features."""
    return x * ops.rsqrt(ops.mean(ops.square(x), axis=-1, keepdims=True) + 1e-6)


def at(x, places):
    """Return the vectors [B,N,K,H] of x [B,N,S,H] at places [B,N,K]."""
    (rows, heads, count), (tokens, width) = ops.shape(places), ops.shape(x)[2:]
    found = vectors_at(ops.reshape(x, (rows * heads, tokens, width)), ops.reshape(places, (rows * heads, count)))
    return ops.reshape(found, (rows, heads, count, width))
