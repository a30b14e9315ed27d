"""Parameters, arithmetic and memory of an encoder, in closed form from its config."""

from bertkit import kinds
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
    """Count trainable numbers: embeddings + distinct blocks + what ends them + pooler."""
    shared = config.shared
    blocks = config.num_layers if shared is None else shared.groups * shared.inner
    pooler = dense(config.output_dim, config.hidden_dim) if isinstance(config.pooler, kinds.Tanh) else 0
    return (embedding_parameters(config) + sum(block_parameters(config, i) for i in range(blocks))
            + ENDINGS.get(type(config.block), _none)(config) + pooler)


def embedding_parameters(config):
    """Count the tables of tokens, positions and segments, their norm and projection."""
    return INPUTS[type(config.inputs)](config)


def _summed(config):
    """(V + positions + segments) · E and one LayerNorm; a projection where E is not D."""
    width = config.embedding_dim or config.hidden_dim
    tables = (config.vocabulary_size + config.num_segments) * width + position_parameters(config, width)
    projection = dense(width, config.hidden_dim) if config.embedding_dim else 0
    return tables + layer_norm(width) + projection


def position_parameters(config, width):
    """Count the learned positions: one row each, or rows and columns (`Axial`)."""
    if isinstance(config.positions, kinds.Axial):
        return sum(rows * part for rows, part in zip(config.positions.shape, config.positions.widths, strict=True))
    return 0 if config.positions is None else config.max_sequence_length * width


def block_parameters(config, layer=0):
    """Count one block."""
    return BLOCKS[type(config.block)](config, layer)


def _post_norm(config, layer):
    """Attention; two feed-forward matrices; two LayerNorms."""
    width, inner = config.hidden_dim, config.intermediate_dim
    return attention_parameters(config, layer) + dense(width, inner) + dense(inner, width) + 2 * layer_norm(width)


def attention_parameters(config, layer):
    """Count the projections of one block's attention."""
    return ATTENTIONS[type(config.attention_of(layer))](config)


def _projections(config):
    """Query, key, value, output."""
    inner = config.num_heads * config.head_dim
    return 3 * dense(config.hidden_dim, inner, config.qkv_bias) + dense(inner, config.hidden_dim)


def _none(_):
    return 0


# One closed form for each kind; what a kind of block adds after the last one, where it does.
INPUTS = {kinds.Summed: _summed}
ATTENTIONS = {kinds.Full: _projections}
BLOCKS = {kinds.PostNorm: _post_norm}
ENDINGS = {}


def dense(inputs, outputs, bias=True):
    """Count a matrix and its bias."""
    return inputs * outputs + outputs * bias


def layer_norm(width, bias=True):
    """Count a scale and a shift."""
    return width + width * bias


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
