"""Parameters, arithmetic and memory of an encoder, in closed form from its config."""

from bertkit.config import EncoderConfig
from bertkit.face import callable_as
from bertkit.family import published


def cost(config, length=128, batch=1):
    """Return what an encoder costs: a mapping of whole numbers.

    `config` is an EncoderConfig or the public name of a checkpoint. `parameters` counts the encoder
    with its pooler; `flops` is one forward pass of `batch` rows of `length` tokens (a multiply-add
    counts as 2); `bytes_*` are the weights' sizes; `training_bytes` is weights, gradients and Adam's
    two moments, and `activation_bytes` what the backward pass keeps, all in float32.

    >>> cost("bert-base-uncased")["parameters"]
    109482240
    """
    if not isinstance(config, EncoderConfig):
        config = published(config)
    count = parameters(config)
    return {
        "parameters": count,
        "embedding_parameters": embedding_parameters(config),
        "flops": flops(config, length) * batch,
        "bytes_float32": 4 * count,
        "bytes_float16": 2 * count,
        "bytes_int8": count,
        "training_bytes": 16 * count,
        "activation_bytes": activation_bytes(config, length) * batch,
        "length": length,
        "batch": batch,
    }


def parameters(config):
    """Count trainable numbers: embeddings + L blocks + pooler (Devlin et al. 2018, section 3)."""
    pooler = dense(config.hidden_dim, config.hidden_dim) if config.pooler else 0
    return embedding_parameters(config) + config.num_layers * block_parameters(config) + pooler


def embedding_parameters(config):
    """Count (V + positions + segments) · D and one LayerNorm."""
    rows = config.vocabulary_size + config.max_sequence_length + config.num_segments
    return rows * config.hidden_dim + layer_norm(config.hidden_dim)


def block_parameters(config):
    """Count one block: query, key, value, output; two feed-forward matrices; two LayerNorms."""
    width, inner = config.hidden_dim, config.intermediate_dim
    return 4 * dense(width, width) + dense(width, inner) + dense(inner, width) + 2 * layer_norm(width)


def dense(inputs, outputs):
    """Count a matrix and its bias."""
    return inputs * outputs + outputs


def layer_norm(width):
    """Count a scale and a shift."""
    return 2 * width


def flops(config, length):
    """Count multiplies and adds of one row: 2·T·(4D² + 2D·I) + 4·T²·D per block, and the pooler."""
    width, inner = config.hidden_dim, config.intermediate_dim
    matrices = 2 * length * (4 * width * width + 2 * width * inner)
    attention = 4 * length * length * width
    pooler = 2 * width * width if config.pooler else 0
    return config.num_layers * (matrices + attention) + pooler


def activation_bytes(config, length):
    """Count float32 bytes of one row that back-propagation reads again.

    Per block: the input, query, key, value, merged heads, two normalised sums (7·D a token), the
    feed-forward's input and output of its activation (2·I), and scores and probabilities (2·N·T).
    """
    per_token = 7 * config.hidden_dim + 2 * config.intermediate_dim + 2 * config.num_heads * length
    return 4 * length * config.num_layers * per_token


callable_as(__name__, cost)
