"""Parameters, arithmetic and memory of an encoder, in closed form from its config."""

from collections.abc import Callable
from functools import partial
from typing import Any

from bertkit import kinds
from bertkit.config import EncoderConfig
from bertkit.errors import Error
from bertkit.face import callable_as
from bertkit.family import published


def cost(config: EncoderConfig | str, length: int = 128, batch: int = 1) -> dict[str, int]:
    """Return what an encoder costs, without building it.

    Args:
        config: an `EncoderConfig`, or the public name of a checkpoint.
        length: number T of tokens of a row.
        batch: number B of rows.

    Returns:
        A dict of whole numbers: "parameters" counts the encoder with its pooler, "embedding_parameters" its tables;
        "flops" is one forward pass of the batch, in which a multiply-add counts as 2; "bytes_float32", "bytes_float16"
        and "bytes_int8" are the sizes of the weights; "training_bytes" is weights, gradients and Adam's two moments in
        float32; "activation_bytes" is what the backward pass keeps of the batch in float32; "length" and "batch" are
        the arguments.

    Raises:
        Error: when no published checkpoint has the name, or `length` or `batch` is no whole number above 0.

    Example:
        >>> cost("bert-base-uncased")["parameters"]
        109482240
    """
    for name, value in (("length", length), ("batch", batch)):
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise Error(f"{name}={value!r:.40} computes nothing; give a whole number of 1 or more.")
    encoder = config if isinstance(config, EncoderConfig) else published(config)
    count = parameters(encoder)
    return {
        "parameters": count,
        "embedding_parameters": embedding_parameters(encoder),
        "flops": flops(encoder, length) * batch,
        "bytes_float32": 4 * count,
        "bytes_float16": 2 * count,
        "bytes_int8": count,
        "training_bytes": 16 * count,
        "activation_bytes": activation_bytes(encoder, length) * batch,
        "length": length,
        "batch": batch,
    }


def parameters(config: EncoderConfig) -> int:
    """Count the trainable parameters: embeddings + distinct blocks + what follows them + pooler.

    Args:
        config: an `EncoderConfig`.

    Returns:
        The number of parameters.

    Example:
        >>> from bertkit.family.bert import CONFIG
        >>> parameters(CONFIG)
        109482240
    """
    shared = config.shared
    blocks = config.num_layers if shared is None else shared.groups * shared.inner
    return (embedding_parameters(config) + sum(block_parameters(config, i) for i in range(blocks))
            + ENDINGS.get(type(config.block), lambda _: 0)(config) + distance_parameters(config)
            + _total(pooler_parameters(config), 0))


def embedding_parameters(config: EncoderConfig) -> int:
    """Count the parameters of the tables of tokens, positions and segments, of their norm and of their projection.

    Args:
        config: an `EncoderConfig`.

    Returns:
        The number of parameters.

    Example:
        >>> from bertkit.family.bert import CONFIG
        >>> embedding_parameters(CONFIG)
        23837184
    """
    return _total(*INPUTS[type(config.inputs)](config))


def block_parameters(config: EncoderConfig, layer: int = 0) -> int:
    """Count the parameters of one block.

    Args:
        config: an `EncoderConfig`.
        layer: number of the block, from 0.

    Returns:
        The number of parameters.

    Example:
        >>> from bertkit.family.bert import CONFIG
        >>> block_parameters(CONFIG)
        7087872
    """
    return _total(*BLOCKS[type(config.block)](config, layer))


# The functions below describe a part of a model as ([(inputs, outputs, has a bias) of each matrix that every token
# passes], the count of all other parameters).
def _total(matrices, others):
    return sum(dense_parameters(*matrix) for matrix in matrices) + others


def _summed(config):
    """Count (V + positions + segments) · E and one LayerNorm; a projection where E is not D."""
    width = config.embedding_dim or config.hidden_dim
    tables = (config.vocabulary_size + config.num_segments) * width + position_parameters(config, width)
    projection = [(width, config.hidden_dim, True)] if config.embedding_dim else []
    return projection, tables + layer_norm_parameters(width)


def _bare(config):
    """Count V · D and the positions, and a LayerNorm where there is one."""
    width = config.hidden_dim
    norm = layer_norm_parameters(width, config.norm_bias) if config.inputs.norm else 0
    return [], config.vocabulary_size * width + position_parameters(config, width) + norm


def _trigram(config):
    """Count V · E; 3E · D of three neighbours, or E · D, unused where E is D; segments, positions, a norm."""
    width, narrow, near = config.hidden_dim, config.embedding_dim or config.hidden_dim, config.inputs.neighbours
    tables = config.vocabulary_size * narrow + config.num_segments * width + position_parameters(config, width)
    projection = (3 * narrow if near else narrow, width, True)
    passed = near or narrow != width
    other = 0 if passed else dense_parameters(*projection)
    return [projection] * passed, tables + layer_norm_parameters(width) + other


def position_parameters(config: EncoderConfig, width: int) -> int:
    """Count the learned positions: one row each, or rows and columns (`Axial`).

    Args:
        config: an `EncoderConfig`.
        width: number of features of a position.

    Returns:
        The number of parameters.

    Example:
        >>> from bertkit.family.bert import CONFIG
        >>> position_parameters(CONFIG, width=768)
        393216
    """
    if isinstance(config.positions, kinds.Axial):
        return sum(rows * part for rows, part in zip(config.positions.shape, config.positions.widths, strict=True))
    return 0 if config.positions is None else config.max_sequence_length * width


def pooler_parameters(config: EncoderConfig) -> list[tuple[int, int, bool]]:
    """Return the matrix of the pooler.

    Args:
        config: an `EncoderConfig`.

    Returns:
        A list of one (inputs, outputs, has a bias), empty where the pooler has no matrix.

    Example:
        >>> from bertkit.family.bert import CONFIG
        >>> pooler_parameters(CONFIG)
        [(768, 768, True)]
    """
    return [(config.output_dim, config.hidden_dim, True)] * isinstance(config.pooler, kinds.Tanh)


def _post_norm(config, layer):
    """Count attention, two feed-forward matrices and two LayerNorms."""
    width, inner = config.hidden_dim, config.intermediate_dim
    matrices, others = _attention(config, layer)
    return [*matrices, (width, inner, True), (inner, width, True)], others + 2 * layer_norm_parameters(width)


def _gated_apart(config, layer):
    """Count attention, three feed-forward matrices and two LayerNorms, or the scales of two RMSNorms."""
    width, inner, bias = config.hidden_dim, config.intermediate_dim, config.block.feed_bias
    matrices, others = _attention(config, layer)
    return ([*matrices, *[(width, inner, bias)] * 2, (inner, width, bias)],
            others + 2 * layer_norm_parameters(width, config.norm_bias))


def _gated(config, layer):
    """Count attention, a feed-forward whose first matrix is twice as wide, and two norms, or one in block 0."""
    width, inner, bias = config.hidden_dim, config.intermediate_dim, config.block.feed_bias
    matrices, others = _attention(config, layer)
    return ([*matrices, (width, 2 * inner, bias), (inner, width, bias)],
            others + (2 if layer else 1) * layer_norm_parameters(width, config.norm_bias))


def _bottleneck(config, layer):
    """Count the ways into the bottleneck (one or two) and out of it with their norms, attention, feed-forwards."""
    wide, width, inner, block = config.hidden_dim, config.block_dim, config.intermediate_dim, config.block
    query_inputs, value_inputs = width if block.narrow or block.shared else wide, width if block.narrow else wide
    matrices = [*[(query_inputs, width, True)] * 2, (value_inputs, width, True), (width, width, True)]
    matrices += block.feeds * [(width, inner, True), (inner, width, True)]
    norms = (1 + block.feeds) * layer_norm_parameters(width)
    if block.width is None:
        return matrices, norms
    entry, unused = (wide, width, True), block.shared and block.narrow
    entries = [entry] * (2 if block.shared and not unused else 1)
    norms += (2 if block.shared else 1) * layer_norm_parameters(width) + layer_norm_parameters(wide)
    return [*matrices, *entries, (width, wide, True)], norms + (dense_parameters(*entry) if unused else 0)


def _attention(config, layer):
    return ATTENTIONS.get(type(config.attention_of(layer)), _projections)(config)      # one from outside: as `Full`


def _projections(config):
    """Count query, key, value and output."""
    inner = config.num_heads * config.head_dim
    return [(config.hidden_dim, inner, config.qkv_bias)] * 3 + [(inner, config.hidden_dim, True)], 0


def _windowed(config):
    """Count query, key, value and output, and query, key and value of global tokens, which others do not pass."""
    matrices, others = _projections(config)
    return matrices, others + 3 * dense_parameters(*matrices[0])


def _relative(config):
    """Count four matrices without biases, one for distances, three biases and two segments for each head."""
    width, inner = config.hidden_dim, config.num_heads * config.head_dim
    return [(width, inner, False)] * 3 + [(inner, width, False)], (width + 5) * inner


def _disentangled(config):
    """Count query, key, value and output, and the matrices for distances where they have their own."""
    matrices, others = _projections(config)
    kind = config.attention_of(0)
    own = 0 if kind.shared else kind.to_places + kind.from_places
    return matrices, others + own * dense_parameters(config.hidden_dim, config.num_heads * config.head_dim)


def _uniform(config, inputs=3):
    """Count the inputs (query, key, value, or shared ones) and the output, all with a bias or all without."""
    inner, bias = config.num_heads * config.head_dim, config.qkv_bias
    return [(config.hidden_dim, inner, bias)] * inputs + [(inner, config.hidden_dim, bias)], 0


def _grouped(config):
    """Count query and output, and narrower keys and values, all with a bias or all without."""
    narrow = (config.attention_of(0).key_heads or config.num_heads) * config.head_dim
    return _uniform(config, inputs=1)[0] + [(config.hidden_dim, narrow, config.qkv_bias)] * 2, 0


def _last_norm(config):
    """Count the LayerNorm after the last block."""
    return layer_norm_parameters(config.output_dim, config.norm_bias)


def _query_stream(config):
    """Count the vector that every query begins with."""
    return config.hidden_dim


def distance_parameters(config: EncoderConfig) -> int:
    """Count the table of distances that all blocks share.

    Args:
        config: an `EncoderConfig`.

    Returns:
        The number of parameters, 0 where there is no such table.

    Example:
        >>> from bertkit.family.mpnet import CONFIG
        >>> distance_parameters(CONFIG)          # 32 buckets for each of 12 heads
        384
    """
    kind = config.attention_of(0)
    if isinstance(kind, kinds.Disentangled):
        norm = layer_norm_parameters(config.hidden_dim) if kind.norm else 0
        return 2 * kind.span * config.hidden_dim + norm
    return kind.buckets * config.num_heads if isinstance(kind, kinds.Bucketed) else 0


# One closed form for each kind. ENDINGS counts what a model of such blocks has after them, where it has anything.
INPUTS = {kinds.Summed: _summed, kinds.Trigram: _trigram, kinds.Bare: _bare}
ATTENTIONS: dict[type, Callable[[EncoderConfig], tuple[list, int]]] = {
    kinds.Full: _projections, kinds.Window: _windowed, kinds.Sparse: _projections, kinds.Relative: _relative,
    kinds.Rotary: _uniform, kinds.Local: _uniform, kinds.Hash: partial(_uniform, inputs=2),
    kinds.Bucketed: _projections, kinds.Disentangled: _disentangled, kinds.Grouped: _grouped}
BLOCKS = {kinds.PostNorm: _post_norm, kinds.TwoStream: _post_norm, kinds.PreNorm: _gated, kinds.GatedPost: _gated_apart,
          kinds.RootPreNorm: _gated_apart, kinds.Bottleneck: _bottleneck, kinds.Reversible: _post_norm}
ENDINGS = {kinds.TwoStream: _query_stream, kinds.PreNorm: _last_norm,
           kinds.RootPreNorm: _last_norm, kinds.Reversible: _last_norm}


def dense_parameters(inputs: int, outputs: int, bias: bool = True) -> int:
    """Count the parameters of a dense layer: inputs · outputs, and outputs for the bias.

    Args:
        inputs: number of input features.
        outputs: number of output features.
        bias: whether it has a bias.

    Returns:
        The number of parameters.

    Example:
        >>> dense_parameters(768, 3072)
        2362368
    """
    return inputs * outputs + outputs * bias


def layer_norm_parameters(width: int, bias: bool = True) -> int:
    """Count the parameters of a LayerNorm: a scale, and a shift for the bias.

    Args:
        width: number of features.
        bias: whether it has a bias.

    Returns:
        The number of parameters.

    Example:
        >>> layer_norm_parameters(768), layer_norm_parameters(768, bias=False)
        (1536, 768)
    """
    return width + width * bias


def keys_per_token(kind: Any, length: int) -> int:
    """Count the keys that a token is compared with, on average over the tokens of a row.

    With full attention these are all tokens. The blocks of a window, of half its size, see themselves and the blocks
    beside them. Of BigBird's n blocks two see all, and the others see the first, the last, three neighbours and the
    random ones.

    Args:
        kind: kind of the attention.
        length: number T of tokens of the row.

    Returns:
        The number of keys.

    Example:
        >>> keys_per_token(kinds.Full(), 4096), keys_per_token(kinds.Window(size=512), 4096)
        (4096, 768)
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


def block_passes(config: EncoderConfig) -> int:
    """Count the blocks that a token passes; a shared block counts each time.

    Args:
        config: an `EncoderConfig`.

    Returns:
        The number of blocks.

    Example:
        >>> from bertkit.family.bert import CONFIG
        >>> block_passes(CONFIG)
        12
    """
    return config.num_layers * (1 if config.shared is None else config.shared.inner)


def flops(config: EncoderConfig, length: int) -> int:
    """Count the multiplies and adds of one row.

    2 · T · inputs · outputs for each matrix, 4 · T · keys · N · H for each attention, and the pooler. Where scores also
    depend on distance, 2T distances are projected and compared with each token: 4 · T · (D + T) · N · H more, and as
    much again where places are compared with content both ways; of vectors that distances share each is projected once.

    Args:
        config: an `EncoderConfig`.
        length: number T of tokens of the row.

    Returns:
        The number of operations; a multiply-add counts as 2.

    Example:
        >>> from bertkit.family.bert import CONFIG
        >>> flops(CONFIG, length=128)
        22348431360
    """
    each = INPUTS[type(config.inputs)](config)[0] + [
        matrix for i in range(block_passes(config)) for matrix in BLOCKS[type(config.block)](config, i)[0]]
    attentions = [config.attention_of(i) for i in range(block_passes(config))]
    compared = sum(keys_per_token(kind, length) + _distances_compared(config, kind, length) for kind in attentions)
    return (2 * length * _products(each) + 4 * length * compared * config.num_heads * config.head_dim
            + 2 * _products(pooler_parameters(config)))


def _distances_compared(config, kind, length):
    """Return how many keys more a token would be compared with for the same arithmetic as its distances take."""
    if isinstance(kind, kinds.Relative):
        return config.hidden_dim + length
    if isinstance(kind, kinds.Disentangled):
        return (kind.to_places + kind.from_places) * (config.hidden_dim * min(kind.span, length) // length + length)
    return 0


def _products(matrices):
    return sum(inputs * outputs for inputs, outputs, _ in matrices)


def activation_bytes(config: EncoderConfig, length: int) -> int:
    """Count the bytes of one row that back-propagation reads again, in float32.

    These are 4 bytes for each number of `saved_activations`, and for the scores and the probabilities of attention
    (2 · N · keys).

    Args:
        config: an `EncoderConfig`.
        length: number T of tokens of the row.

    Returns:
        The number of bytes.

    Example:
        >>> from bertkit.family.bert import CONFIG
        >>> activation_bytes(CONFIG, length=128)
        89653248
    """
    each = [saved_activations(config) + 2 * config.num_heads * keys_per_token(config.attention_of(i), length)
            for i in range(block_passes(config))]
    again = isinstance(config.block, kinds.Reversible)      # the last state, and one block at a time, computed again
    return 4 * length * (2 * config.hidden_dim + max(each) if again else sum(each))


def saved_activations(config: EncoderConfig) -> int:
    """Count the numbers of a token that back-propagation through a block reads again, besides scores and probabilities.

    These are the input, query, key, value, merged heads and two normalised sums, and the activation's input and output.

    Args:
        config: an `EncoderConfig`.

    Returns:
        The number of float values.

    Example:
        >>> from bertkit.family.bert import CONFIG
        >>> saved_activations(CONFIG)
        11520
    """
    width, inner, narrow = config.hidden_dim, config.intermediate_dim, config.block_dim
    before = isinstance(config.block, kinds.PreNorm | kinds.RootPreNorm)    # also the sum before it is normalised
    if before or isinstance(config.block, kinds.GatedPost):                 # also the gate and the product
        return (7 + before) * width + 4 * inner
    if isinstance(config.block, kinds.Bottleneck):      # also both ways into the bottleneck, and the sum of each feed
        return 2 * width + 7 * narrow + config.block.feeds * (2 * inner + narrow)
    return 7 * width + 2 * inner


callable_as(__name__, cost)
