"""Parameters, arithmetic and memory of an encoder, in closed form from its config."""

from functools import partial

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
    return (embedding_parameters(config) + sum(block_parameters(config, i) for i in range(blocks))
            + ENDINGS.get(type(config.block), _none)(config) + _total(pooler(config), 0))


def embedding_parameters(config):
    """Count the tables of tokens, positions and segments, their norm and projection."""
    return _total(*INPUTS[type(config.inputs)](config))


def block_parameters(config, layer=0):
    """Count one block."""
    return _total(*BLOCKS[type(config.block)](config, layer))


# A part of a model is here ([(inputs, outputs, has a bias) of each matrix that a token passes], all other numbers).
def _total(matrices, others):
    return sum(dense(*matrix) for matrix in matrices) + others


def _summed(config):
    """(V + positions + segments) · E and one LayerNorm; a projection where E is not D."""
    width = config.embedding_dim or config.hidden_dim
    tables = (config.vocabulary_size + config.num_segments) * width + position_parameters(config, width)
    projection = [(width, config.hidden_dim, True)] if config.embedding_dim else []
    return projection, tables + layer_norm(width)


def _bare(config):
    """V · D and the positions, and a LayerNorm where there is one."""
    width = config.hidden_dim
    norm = layer_norm(width, config.norm_bias) if config.inputs.norm else 0
    return [], config.vocabulary_size * width + position_parameters(config, width) + norm


def _trigram(config):
    """V · E; three neighbours' 3E · D, or E · D, which no token passes where E is D; segments, positions, a norm."""
    width, narrow, near = config.hidden_dim, config.embedding_dim or config.hidden_dim, config.inputs.neighbours
    tables = config.vocabulary_size * narrow + config.num_segments * width + position_parameters(config, width)
    projection = (3 * narrow if near else narrow, width, True)
    passed = near or narrow != width
    return [projection] * passed, tables + layer_norm(width) + (0 if passed else dense(*projection))


def position_parameters(config, width):
    """Count the learned positions: one row each, or rows and columns (`Axial`)."""
    if isinstance(config.positions, kinds.Axial):
        return sum(rows * part for rows, part in zip(config.positions.shape, config.positions.widths, strict=True))
    return 0 if config.positions is None else config.max_sequence_length * width


def pooler(config):
    """Return the matrix of the pooler, where it has one."""
    return [(config.output_dim, config.hidden_dim, True)] * isinstance(config.pooler, kinds.Tanh)


def _post_norm(config, layer):
    """Attention; two feed-forward matrices; two LayerNorms."""
    width, inner = config.hidden_dim, config.intermediate_dim
    matrices, others = _attention(config, layer)
    return [*matrices, (width, inner, True), (inner, width, True)], others + 2 * layer_norm(width)


def _gated(config, layer):
    """Attention; a feed-forward whose first matrix is twice as wide; two norms, or one in block 0."""
    width, inner, bias = config.hidden_dim, config.intermediate_dim, config.block.feed_bias
    matrices, others = _attention(config, layer)
    return ([*matrices, (width, 2 * inner, bias), (inner, width, bias)],
            others + (2 if layer else 1) * layer_norm(width, config.norm_bias))


def _bottleneck(config, layer):
    """Into the bottleneck, once or twice, and out of it, each with its norm; attention; feed-forward networks."""
    wide, width, inner, block = config.hidden_dim, config.block_dim, config.intermediate_dim, config.block
    read, seen = width if block.narrow or block.shared else wide, width if block.narrow else wide
    matrices = [(read, width, True), (read, width, True), (seen, width, True), (width, width, True)]
    matrices += block.feeds * [(width, inner, True), (inner, width, True)]
    norms = (1 + block.feeds) * layer_norm(width)
    if block.width is None:
        return matrices, norms
    entry, unread = (wide, width, True), block.shared and block.narrow
    entries = [entry] * (2 if block.shared and not unread else 1)
    norms += (2 if block.shared else 1) * layer_norm(width) + layer_norm(wide)
    return [*matrices, *entries, (width, wide, True)], norms + (dense(*entry) if unread else 0)


def _attention(config, layer):
    return ATTENTIONS.get(type(config.attention_of(layer)), _projections)(config)      # one from outside: as `Full`


def _projections(config):
    """Query, key, value, output."""
    inner = config.num_heads * config.head_dim
    return [(config.hidden_dim, inner, config.qkv_bias)] * 3 + [(inner, config.hidden_dim, True)], 0


def _windowed(config):
    """Query, key, value, output, and queries, keys and values of global tokens, which no other token passes."""
    matrices, others = _projections(config)
    return matrices, others + 3 * dense(*matrices[0])


def _relative(config):
    """Query, key, value and output without biases; one for distances, three biases and two segments for each head."""
    width, inner = config.hidden_dim, config.num_heads * config.head_dim
    return [(width, inner, False)] * 3 + [(inner, width, False)], (width + 5) * inner


def _uniform(config, inputs=3):
    """Query, key, value, output, all with a bias or none; queries may be keys."""
    inner, bias = config.num_heads * config.head_dim, config.qkv_bias
    return [(config.hidden_dim, inner, bias)] * inputs + [(inner, config.hidden_dim, bias)], 0


def _last_norm(config):
    """The LayerNorm after the last block."""
    return layer_norm(config.output_dim, config.norm_bias)


def _query_stream(config):
    """The vector that every query begins with."""
    return config.hidden_dim


def _none(_):
    return 0


# One closed form for each kind; what a kind of block has besides its blocks, where it has anything.
INPUTS = {kinds.Summed: _summed, kinds.Trigram: _trigram, kinds.Bare: _bare}
ATTENTIONS = {kinds.Full: _projections, kinds.Window: _windowed, kinds.Sparse: _projections, kinds.Relative: _relative,
              kinds.Rotary: _uniform, kinds.Local: _uniform, kinds.Hash: partial(_uniform, inputs=2)}
BLOCKS = {kinds.PostNorm: _post_norm, kinds.TwoStream: _post_norm, kinds.PreNorm: _gated, kinds.Bottleneck: _bottleneck,
          kinds.Reversible: _post_norm}
ENDINGS = {kinds.TwoStream: _query_stream, kinds.PreNorm: _last_norm, kinds.Reversible: _last_norm}


def dense(inputs, outputs, bias=True):
    """Count a matrix and its bias."""
    return inputs * outputs + outputs * bias


def layer_norm(width, bias=True):
    """Count a scale and a shift."""
    return width + width * bias


def keys(kind, length):
    """Count the keys that each of `length` tokens is compared with, on average: all, unless attention is sparse.

    A window's blocks of half its tokens see themselves and those beside them; of BigBird's n blocks two see all, others
    the first and last, three neighbours and the random ones.
    """
    if isinstance(kind, kinds.Window):
        return min(3 * (kind.size // 2), length)
    if isinstance(kind, kinds.Rotary) and kind.window is not None:
        return min(3 * kind.window, length)
    if isinstance(kind, kinds.Sparse) and length > (5 + 2 * kind.random) * kind.size:
        count = -(-length // kind.size)
        return kind.size * ((count - 2) * (5 + kind.random) + 2 * count) // count
    if isinstance(kind, kinds.Local | kinds.Hash) and length > kind.chunk:
        return (kind.before + 1 + kind.after) * kind.chunk * getattr(kind, "hashes", 1)
    return length


def passes(config):
    """Count the blocks that a token passes, shared ones each time."""
    return config.num_layers * (1 if config.shared is None else config.shared.inner)


def flops(config, length):
    """Count multiplies and adds of one row: 2·T·in·out a matrix, 4·T·keys·N·H an attention, and the pooler's.

    Where scores are by distance too, 2T distances are projected and compared with each token: 4·T·(D + T)·N·H.
    """
    each = INPUTS[type(config.inputs)](config)[0] + [
        matrix for i in range(passes(config)) for matrix in BLOCKS[type(config.block)](config, i)[0]]
    attentions = [config.attention_of(i) for i in range(passes(config))]
    compared = sum(keys(kind, length) for kind in attentions)
    compared += sum(config.hidden_dim + length for kind in attentions if isinstance(kind, kinds.Relative))
    return (2 * length * _products(each) + 4 * length * compared * config.num_heads * config.head_dim
            + 2 * _products(pooler(config)))


def _products(matrices):
    return sum(inputs * outputs for inputs, outputs, _ in matrices)


def activation_bytes(config, length):
    """Count float32 bytes of one row that back-propagation reads again: `kept`, scores and probabilities (2·N·keys)."""
    each = [kept(config) + 2 * config.num_heads * keys(config.attention_of(i), length) for i in range(passes(config))]
    again = isinstance(config.block, kinds.Reversible)      # the last state, and one block at a time, computed again
    return 4 * length * (2 * config.hidden_dim + max(each) if again else sum(each))


def kept(config):
    """Count what back-propagation through a block reads again of each token, besides scores and probabilities.

    The input, query, key, value, merged heads, two normalised sums; the activation's input and output.
    """
    width, inner, narrow = config.hidden_dim, config.intermediate_dim, config.block_dim
    if isinstance(config.block, kinds.PreNorm):         # also the sum before it is normalised, the gate and the product
        return 8 * width + 4 * inner
    if isinstance(config.block, kinds.Bottleneck):      # also both ways into the bottleneck, and the sum of each feed
        return 2 * width + 7 * narrow + config.block.feeds * (2 * inner + narrow)
    return 7 * width + 2 * inner


callable_as(__name__, cost)
