"""A trained model as a graph of constants, its blocks in fewer and larger operations; equal to the model itself."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from bertkit import kinds
from bertkit.layers.attention import SelfAttention, attention_mask
from bertkit.layers.batch_model import USUAL
from bertkit.layers.block import Block

# After a first row of 6 tokens all later ones took longer, 60 against 96 sentences in a second: it seems that oneDNN
# orders constant weights once, as suits the first batch.
FIRST_TOKENS = 28
LARGEST = 2**29         # bytes of weights; they are copied into the graph, and a graph of 2 GB is refused


def why_not(model: keras.Model, encoder: Any) -> str | None:
    """Say why a model cannot be computed by `frozen`.

    Args:
        model: The model.
        encoder: The `Encoder` in it.

    Returns:
        The reason, or None where there is none.
    """
    if type(encoder.config.block) is not kinds.PostNorm or not all(map(_is_usual, encoder.blocks)):
        return "its blocks are not BERT's, in float32"
    if sum(int(np.prod(weight.shape)) for weight in model.weights) * 4 > LARGEST:
        return f"its weights take more than {LARGEST // 2**20} MB"
    return None


def _is_usual(block):
    return (type(block) is Block and type(block.attention) is SelfAttention
            and type(block.attention.kind) is kinds.Full and block.compute_dtype == "float32")


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


def frozen(model: keras.Model, encoder: Any) -> Callable[[dict[str, Any]], Any]:
    """Return a function of a batch that computes what the model computes now, in less time.

    The weights become constants, so that oneDNN puts them in order once and not for each batch; it does not see weights
    that change later.

    Args:
        model: A model whose batch is token_ids, segment_ids and padding_mask int32 [B,T], of which `why_not` says None.
        encoder: The `Encoder` in it.

    Returns:
        A function {name: int32 [B,T]} -> arrays as `model.predict_on_batch` gives them.
    """
    def outputs(*values):
        return model(model.select_entries(dict(zip(USUAL, values, strict=True))), training=False)

    traced = tf.function(outputs, autograph=False, input_signature=[
        tf.TensorSpec([None, None], "int32", name) for name in USUAL])
    with encoder.computing_blocks_by(run_fused):
        concrete = traced.get_concrete_function()
    constant, structure = convert_variables_to_constants_v2(concrete), concrete.structured_outputs

    def compute(batch):
        found = constant(*(tf.constant(batch[name], "int32") for name in USUAL))
        return tf.nest.pack_sequence_as(structure, [each.numpy() for each in tf.nest.flatten(found)])

    first = np.zeros((1, min(FIRST_TOKENS, encoder.config.max_length or FIRST_TOKENS)), "int32")
    compute({"token_ids": first, "segment_ids": first, "padding_mask": first + 1})
    return compute
