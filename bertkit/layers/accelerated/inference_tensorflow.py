"""A trained model as a graph of constants, its blocks in fewer and larger operations; equal to the model itself."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from bertkit import kinds
from bertkit.config import EncoderConfig
from bertkit.layers.attention import SelfAttention, attention_mask
from bertkit.layers.batch_model import USUAL
from bertkit.layers.block import Block

# oneDNN orders constant weights once, as suits the first batch; after a first row of 6 tokens all others took twice the
# time, because their weights were ordered anew for each.
FIRST_TOKENS = 28
LARGEST = 2**29         # bytes of weights; they are copied into the graph, and a graph of 2 GB is refused


def can_fuse(config: EncoderConfig, blocks: list[Any]) -> bool:
    """Return whether `run_fused` computes these blocks: those of BERT, in float32.

    Args:
        config: The encoder's `EncoderConfig`.
        blocks: The encoder's blocks.

    Returns:
        True or False.
    """
    return type(config.block) is kinds.PostNorm and all(
        type(block) is Block and type(block.attention) is SelfAttention and type(block.attention.kind) is kinds.Full
        and block.compute_dtype == "float32" for block in blocks)


def run_fused(steps: list[tuple[Any, dict[str, Any]]], state: tf.Tensor, masked_score: float) -> tf.Tensor:
    """Compute blocks one after the other, without dropout: rows and tokens are one axis, and Q, K, V one product.

    So each product is one of two matrices, to which TensorFlow joins the bias and the activation.

    Args:
        steps: (block, context) of each; see `Block.call`.
        state: Token vectors, float32 [B,T,D].
        masked_score: The number that is added to the score of a hidden key.

    Returns:
        Token vectors, float32 [B,T,D], or of the last block those that "query_positions" asks for.
    """
    shape = tf.shape(state)
    x = tf.reshape(state, [-1, state.shape[-1]])
    for block, context in steps:
        if "query_positions" in context:
            return block(tf.reshape(x, [shape[0], shape[1], state.shape[-1]]), context=context, training=False,
                         masked_score=masked_score)
        mixed = _attended(block.attention, x, context, shape, masked_score)
        x = block.attention_norm(x + _product(mixed, block.attention.output_dense))
        x = block.output_norm(x + _product(block.activation(_product(x, block.inner)), block.outer))
    return tf.reshape(x, [shape[0], shape[1], x.shape[-1]])


def _attended(attention, x, context, shape, masked_score):
    """Return the mixed values of all heads, [B·T,N·H]."""
    layers, scale = (attention.query, attention.key, attention.value), attention.head_dim ** -0.5
    scales = (scale, 1.0, 1.0)
    product = tf.matmul(x, tf.concat([layer.kernel * each for layer, each in zip(layers, scales, strict=True)], 1))
    if attention.query.bias is not None:
        product = tf.nn.bias_add(product, tf.concat(
            [layer.bias * each for layer, each in zip(layers, scales, strict=True)], 0))
    heads = tf.reshape(product, [shape[0], shape[1], 3, attention.num_heads, attention.head_dim])
    query, key, value = tf.unstack(tf.transpose(heads, [2, 0, 3, 1, 4]), num=3)
    scores = tf.matmul(query, key, transpose_b=True)
    mask = attention_mask(attention.kind, context, shape[1])
    if mask is not None:
        scores += (1.0 - tf.cast(mask, "float32")) * masked_score
    mixed = tf.transpose(tf.matmul(tf.nn.softmax(scores), value), [0, 2, 1, 3])
    return tf.reshape(mixed, [-1, attention.num_heads * attention.head_dim])


def _product(x, layer):
    """Return x W + b of a dense layer, [B·T,D] -> [B·T,units]."""
    product = tf.matmul(x, layer.kernel)
    return product if layer.bias is None else tf.nn.bias_add(product, layer.bias)


def frozen(model: keras.Model, encoder: Any) -> Callable[[dict[str, Any]], Any] | None:
    """Return a function of a batch that computes what the model computes now, in less time.

    The weights become constants, so that TensorFlow puts them in order once and not for each batch; it does not see
    weights that change later.

    Args:
        model: A model whose batch is token_ids, segment_ids and padding_mask int32 [B,T].
        encoder: The `Encoder` in it.

    Returns:
        A function {name: int32 [B,T]} -> arrays as `model.predict_on_batch` gives them; None where the weights are more
        than `LARGEST`.
    """
    if sum(int(np.prod(weight.shape)) for weight in model.weights) * 4 > LARGEST:
        return None

    def outputs(*values):
        return model(model.select_entries(dict(zip(USUAL, values, strict=True))), training=False)

    traced = tf.function(outputs, autograph=False, input_signature=[
        tf.TensorSpec([None, None], "int32", name) for name in USUAL])
    fused = can_fuse(encoder.config, encoder.blocks)
    with encoder.computing_blocks_by(run_fused if fused else None):
        concrete = traced.get_concrete_function()
    constant, structure = convert_variables_to_constants_v2(concrete), concrete.structured_outputs

    def compute(batch):
        """Return the outputs of a batch, padded to its bucket."""
        tokens = batch["token_ids"].shape[1]
        more = bucket(tokens, encoder.config.max_length) - tokens if fused else 0
        found = constant(*(tf.constant(np.pad(batch[name], [(0, 0), (0, more)]), "int32") for name in USUAL))
        arrays = [each.numpy()[:, :tokens] if model.each_token else each.numpy() for each in tf.nest.flatten(found)]
        return tf.nest.pack_sequence_as(structure, arrays)

    first = np.zeros((1, min(FIRST_TOKENS, encoder.config.max_length or FIRST_TOKENS)), "int32")
    compute({"token_ids": first, "segment_ids": first, "padding_mask": first + 1})
    return compute


def bucket(tokens: int, most: int | None) -> int:
    """Return to how many tokens rows are padded, so that there are few shapes.

    oneDNN generates code for each shape of each product, and keeps that of 1024: with a shape for each length it
    generated again and again, and one sentence took twice the time.

    Args:
        tokens: Tokens of the longest row.
        most: The largest number, that of the encoder's places; None where there is no limit.

    Returns:
        The next multiple of 4, of an eighth of the power of two above from 64 on, but no more than `most`.

    >>> [bucket(tokens, 512) for tokens in (3, 25, 64, 65, 130, 511)]
    [4, 28, 64, 72, 144, 512]
    """
    step = max(4, 2 ** (tokens - 1).bit_length() // 16)
    return min(-(-tokens // step) * step, most or 2**31)
