"""Attention within chunks of a text and the chunks beside them (the code of Kitaev et al. 2020, Reformer).

Shapes: B batch, T tokens, S tokens with what fills the last chunks, n chunks, c tokens in a chunk, m keys that a chunk
sees, D hidden, N heads, H per head. Time and memory are linear in T.
"""

import math
from typing import Any

import keras
from keras import ops

from bertkit.config import EncoderConfig
from bertkit.layers.attention import Attend, SelfAttention, attention_mask
from bertkit.layers.blocked import from_blocks, keys_last, to_blocks


@keras.saving.register_keras_serializable("bertkit")
class LocalAttention(SelfAttention):
    """Attention within chunks of a text and the chunks beside them.

    softmax(QKᵀ/√H)V over a token's chunk and the chunks beside it, in a ring (Kitaev et al. 2020, its code).

    A text that needs no second chunk attends in full. Others are filled up to the least common multiple of all chunk
    lengths of the config, as in the reference: which chunks are neighbours in the ring depends on it. The config's
    `qkv_bias` holds for the output too. call(x [B,T,D], context) -> [B,T,D], or (y, probabilities [B,N,T,T]) when
    traced.

    Args:
        config: The `EncoderConfig` of the encoder, or the dict that its `to_json` gives.
        kind: The kind, a `Local` or a `Hash`, or its JSON.
        **options: Further arguments of a Keras layer: `name`, `dtype`, `trainable`.
    """

    PROJECTIONS: tuple[str, ...] = ("query", "key", "value")

    def __init__(self, config: EncoderConfig | dict[str, Any], kind: Any, **options: Any) -> None:
        super().__init__(config, kind, **options)
        config, kind = self.config, self.kind
        kinds = config.attention if isinstance(config.attention, tuple) else (config.attention,)
        lengths = [each.chunk for each in kinds if hasattr(each, "chunk")]
        self.multiple = math.lcm(*lengths)
        self.most_in_full = kind.chunk if kind.chunk == self.multiple else min(lengths)

    def add_projections(self, config: EncoderConfig) -> None:
        """Make the layers from x to queries, keys and values, and from the mixed values to the output.

        Args:
            config: The encoder's `EncoderConfig`.
        """
        width = self.num_heads * self.head_dim
        self.projections = [self.dense(config, name, width, config.qkv_bias) for name in self.PROJECTIONS]
        self.output_dense = self.dense(config, "output", config.hidden_dim, config.qkv_bias)

    def build(self, shape: Any) -> None:
        """Create the weights.

        Args:
            shape: The shape of the input, (B, T, D) with None for what is not known.
        """
        for projection in self.projections:
            projection.build(shape)
        self.output_dense.build((*shape[:-1], self.num_heads * self.head_dim))

    def project(self, x: Any, context: dict[str, Any]) -> tuple[Any, Any, Any]:
        """Compute the queries, keys and values.

        Args:
            x: Token vectors [B,T,D].
            context: The batch's other entries, by name (see `bertkit.encoder`).

        Returns:
            The queries, the keys and the values, [B,N,T,H] each.
        """
        query, key, value = (self.split(dense(x)) for dense in self.projections)
        return query, key, value

    def mix(self, query: Any, key: Any, value: Any, context: dict[str, Any], trace: bool,
            attention: Attend) -> tuple[Any, Any]:
        """Mix the values of each chunk and the chunks beside it.

        Args:
            query: Queries [B,N,T,H].
            key: Keys [B,N,T,H].
            value: Values [B,N,T,H].
            context: The batch's other entries, by name (see `bertkit.encoder`), and what `with_draws` added.
            trace: Whether the attention probabilities are wanted.
            attention: `attend` with this call's dropout and masked score.

        Returns:
            The values mixed [B,N,T,H], and the probabilities [B,N,T,T], or None without `trace`.
        """
        mixed = self.mix_chunks(query, key, value, context, attention)
        if not trace:
            return mixed, None
        # Attention mixes values, so what it makes of the identity is what it mixes by.
        positions = ops.arange(ops.shape(value)[2])
        identity = ops.cast(ops.equal(positions[:, None], positions), value.dtype) + ops.zeros_like(value[..., :1])
        return mixed, self.mix_chunks(query, key, identity, context, Attend(None, attention.masked_score))

    def mix_chunks(self, query: Any, key: Any, value: Any, context: dict[str, Any], attention: Attend) -> Any:
        """Mix the values of each chunk and the chunks beside it, without the probabilities.

        Args:
            query: Queries [B,N,T,H].
            key: Keys [B,N,T,H].
            value: Values [B,N,T,H'], of any number of features.
            context: The batch's other entries, by name (see `bertkit.encoder`), and what `with_draws` added.
            attention: `attend` with a dropout and a masked score.

        Returns:
            The values mixed [B,N,T,H'].
        """
        length = ops.shape(query)[2]
        if self.in_full(length):
            return attention(query, key, value, mask=attention_mask(self.kind, context, length))[0]
        places = self.to_chunks(ops.arange(length)[None, None, :, None])
        mask = self.chunk_mask(places, self.to_chunks(real_tokens(context, length)))
        key, value = (self.with_neighbours(self.to_chunks(x)) for x in (key, value))
        return from_blocks(attention(self.to_chunks(query), key, value, mask=mask)[0], length)

    def in_full(self, length: Any) -> bool:
        """Return whether a text attends in full.

        Where only the running graph knows its length, this is False, and chunks give the same result.

        Args:
            length: T, the number of tokens.

        Returns:
            True or False.
        """
        return isinstance(length, int) and length <= self.most_in_full

    def padded_length(self, length: Any) -> Any:
        """Return S, the number of tokens of the whole chunks that hold T tokens.

        Args:
            length: T, the number of tokens.

        Returns:
            S, a multiple of the chunk lengths.
        """
        return length + -length % self.multiple

    def to_chunks(self, x: Any) -> Any:
        """Cut tokens into chunks, [B,N,T,H] -> [B,N,n,c,H].

        Args:
            x: A tensor [B,N,T,H].

        Returns:
            A tensor [B,N,n,c,H].
        """
        return to_blocks(x, self.padded_length(ops.shape(x)[2]) // self.kind.chunk, self.kind.chunk)

    def with_neighbours(self, chunks: Any) -> Any:
        """Put beside each chunk those before and after it in the ring, [B,N,n,c,H] -> [B,N,n,m,H].

        Args:
            chunks: A tensor [B,N,n,c,H].

        Returns:
            The chunks before each chunk, the chunk, those after it: [B,N,n,m,H].
        """
        turned = (ops.concatenate([chunks[:, :, i:], chunks[:, :, :i]], axis=2) if i else chunks
                  for i in range(-self.kind.before, self.kind.after + 1))
        return ops.concatenate(list(turned), axis=3)

    def chunk_mask(self, places: Any, real: Any) -> Any:
        """Return which keys the tokens of a chunk see.

        Args:
            places: The positions of the tokens, [B,N,n,c,1].
            real: 1 for real tokens, [B,N,n,c,1].

        Returns:
            A bool mask [B,N,n,1|c,m].
        """
        mask = keys_last(self.with_neighbours(real))
        if not self.kind.causal:
            return mask
        return ops.logical_and(mask, ops.swapaxes(self.with_neighbours(places), -1, -2) <= places)


def real_tokens(context: dict[str, Any], length: Any) -> Any:
    """Return 1 for real tokens and 0 for padding.

    Args:
        context: The batch's other entries; "padding_mask" [B,T] is read.
        length: T, the number of tokens.

    Returns:
        int32 [B|1,1,T,1].
    """
    mask = context.get("padding_mask")
    return ops.ones((1, 1, length, 1), "int32") if mask is None else ops.cast(mask, "int32")[:, None, :, None]
