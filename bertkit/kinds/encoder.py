"""Kinds of the axes of an encoder: how tokens attend, how positions are represented, how blocks are built."""

from dataclasses import dataclass

# ------------------------------------------------------------------------------------------ how tokens attend


@dataclass(frozen=True)
class Full:
    """Every token attends to every real token (Vaswani et al. 2017, section 3.2).

    Args:
        causal: True lets a token attend to no token after it.

    Example:
        >>> from bertkit.family.bert import CONFIG
        >>> CONFIG.attention, CONFIG.but(attention=Full(causal=True)).attention
        (Full(causal=False), Full(causal=True))
    """

    causal: bool = False


@dataclass(frozen=True)
class Window:
    """Tokens attend to near tokens, and to and from global ones (Beltagy et al. 2020, section 3.1).

    A token attends to tokens at most ⌊size / 2⌋ places away. A batch may hold "global_mask" [B, T], 1 where a token is
    global. Without it a head can choose the global tokens (`HeadConfig.watch`); otherwise no token is global.

    Args:
        size: width of the window, in tokens.

    Example:
        >>> from bertkit.cost import keys_per_token       # keys that a token is compared with
        >>> [keys_per_token(kind, length=4096) for kind in (Full(), Window(size=256))]
        [4096, 384]
    """

    size: int = 512


@dataclass(frozen=True)
class Sparse:
    """Blocks of tokens attend to few other blocks (Zaheer et al. 2020, BigBird, section 2).

    A block attends to itself, its neighbours, the first and the last block and some random ones. Inputs of up to
    (5 + 2 · random) · size tokens attend in full. A batch may hold "random_blocks" {layer: [N, blocks − 2, random]}.
    Without it the random blocks are drawn in training, always the same ones for a layer, and are block 0 otherwise.

    Args:
        size: number of tokens of a block.
        random: number of random blocks.

    Example:
        >>> from bertkit.cost import keys_per_token       # keys that a token is compared with
        >>> [keys_per_token(kind, length=4096) for kind in (Full(), Sparse(size=64))]
        [4096, 624]
    """

    size: int = 64
    random: int = 3


@dataclass(frozen=True)
class Relative:
    """Scores depend on content and on distance, over the tokens and earlier texts (Dai et al. 2019, section 3.3).

    Args:
        causal: True lets a token attend to no token after it.
        clamp: largest distance; larger ones count as this one. 0 or below sets no limit.
        same_length: True gives every query the same number of keys; only for `causal`.
        mirrored: True reads the second half of a batch backwards (bi_data in the code of Yang et al. 2019).
        memory: number of tokens of earlier texts that are remembered, the last ones; 0 remembers all. None remembers
            none, and then an encoder has no "mems" among its outputs.
        reuse: number of tokens of each text that are remembered, the first ones; None remembers all.

    Example:
        >>> from bertkit.family.xlnet import CONFIG
        >>> CONFIG.attention.memory, CONFIG.but(attention=Relative(memory=384)).attention.memory    # tokens kept
        (None, 384)
    """

    causal: bool = False
    clamp: int = -1
    same_length: bool = False
    mirrored: bool = False
    memory: int | None = None
    reuse: int | None = None


@dataclass(frozen=True)
class Rotary:
    """Queries and keys are rotated by angles p · base^(−2k/H) (Su et al. 2021, equation 34).

    Args:
        base: base of the angles.
        window: largest distance, in tokens, to which tokens attend (Warner et al. 2024, ModernBERT, section 2.1.2);
            None sets no limit.

    Example:
        >>> from bertkit.family.modernbert import CONFIG
        >>> [CONFIG.attention_of(layer).window for layer in range(6)]        # every third layer attends to all tokens
        [None, 64, 64, None, 64, 64]
    """

    base: float = 10000.0
    window: int | None = None


@dataclass(frozen=True)
class Grouped:
    """As `Rotary`, with heads of queries that share keys and values (Ainslie et al. 2023, arXiv 2305.13245).

    Args:
        base: base of the angles.
        key_heads: number of heads of keys and values, of which the number of heads is a multiple; None for one each.

    Example:
        >>> from bertkit.family import published
        >>> published("EuroBERT-610m").num_heads, published("EuroBERT-610m").attention
        (18, Grouped(base=250000.0, key_heads=6))
    """

    base: float = 10000.0
    key_heads: int | None = None


@dataclass(frozen=True)
class Bucketed:
    """Every token attends to every real token, with a learned bias by distance (Raffel et al. 2020, T5, section 2.1).

    Distances fall into buckets, half of them for keys before the query; a head has one number for each bucket, and all
    blocks share them. Small distances have buckets of their own, larger ones share them by their logarithm.

    Args:
        buckets: number of buckets, an even number.
        farthest: distance, in tokens, from which on all distances fall into the last bucket.

    Example:
        >>> from bertkit.family.mpnet import CONFIG
        >>> CONFIG.attention
        Bucketed(buckets=32, farthest=128)
    """

    buckets: int = 32
    farthest: int = 128


@dataclass(frozen=True)
class Disentangled:
    """Scores add what content says of places, and places of content (He et al. 2020, DeBERTa, section 3.1).

    A place is the distance between two tokens. All blocks share one table of vectors of distances, and project it
    themselves; far distances share vectors by their logarithm (the code of DeBERTa-v2).

    Args:
        buckets: number of vectors for the distances of one side, an even number; half of them are for single
            distances. None gives every distance below `farthest` its own.
        farthest: number of tokens of the longest row that the buckets are made for.
        to_places: whether the content of a query scores the distance to a key.
        from_places: whether the distance from a query scores the content of a key.
        shared: True projects distances by the matrices of queries and keys, False by their own.
        norm: whether there is a LayerNorm on the vectors of distances.

    Example:
        >>> from bertkit.family.deberta import CONFIG
        >>> CONFIG.attention.buckets, CONFIG.attention.farthest
        (256, 512)
    """

    buckets: int | None = 256
    farthest: int = 512
    to_places: bool = True
    from_places: bool = True
    shared: bool = True
    norm: bool = True

    @property
    def span(self) -> int:
        """The number of vectors for the distances of one side."""
        return self.buckets or self.farthest


@dataclass(frozen=True)
class Local:
    """Tokens attend to their own chunk and to the chunks beside it (the code of Reformer, Kitaev et al. 2020).

    The chunks form a ring, so the last chunk stands before the first one.

    Args:
        chunk: number of tokens of a chunk.
        before: number of chunks before its own that a token attends to.
        after: number of chunks after its own that a token attends to.
        causal: True lets a token attend to no token after it.

    Example:
        >>> from bertkit.cost import keys_per_token       # keys for a token
        >>> [keys_per_token(kind, length=4096) for kind in (Full(), Local(chunk=64, before=1))]
        [4096, 128]
    """

    chunk: int = 64
    before: int = 1
    after: int = 0
    causal: bool = False


@dataclass(frozen=True)
class Hash:
    """Tokens attend in chunks as in `Local`, in the order of their hashes.

    This is the LSH attention of Kitaev et al. 2020, section 2. A batch may hold "buckets" {layer: [B, N, hashes · S]},
    where S counts the tokens with those that fill the last chunk.

    Args:
        chunk: number of tokens of a chunk.
        before: number of chunks before its own that a token attends to.
        after: number of chunks after its own that a token attends to.
        causal: True lets a token attend to no token after it.
        hashes: number of rounds of hashing.
        buckets: number of hashes, an even number or a tuple of even factors of it; None takes a number that fits the
            length.
        seed: seed of the hashes; None draws them anew in training, and always the same at inference.
        dropout: rate of dropout of the attention probabilities; None takes that of the config.

    Example:
        >>> from bertkit.cost import keys_per_token       # a chunk for each round
        >>> [keys_per_token(kind, length=4096) for kind in (Local(chunk=64), Hash(chunk=64, hashes=4))]
        [128, 512]
    """

    chunk: int = 64
    before: int = 1
    after: int = 0
    causal: bool = False
    hashes: int = 1
    buckets: int | tuple | None = None
    seed: int | None = None
    dropout: float | None = None


# ---------------------------------------------------------------------------------------- how positions are represented


@dataclass(frozen=True)
class Absolute:
    """One learned vector for each position, counted from 0 (Devlin et al. 2018, figure 2).

    Args:
        pad_id: id of the padding. With it real tokens are counted from pad_id + 1, and padding is at position pad_id
            (the code of Liu et al. 2019).
        sinusoidal: True initialises the vectors with sines and cosines (Vaswani et al. 2017, section 3.5); they are
            learned all the same.

    Example:
        >>> from bertkit.family.bert import CONFIG
        >>> CONFIG.max_length, CONFIG.but(positions=Absolute(pad_id=1)).max_length      # rows 0 and 1 are for padding
        (512, 510)
    """

    pad_id: int | None = None
    sinusoidal: bool = False


@dataclass(frozen=True)
class Axial:
    """The vector of a position joins a vector of its row and one of its column (Kitaev et al. 2020, appendix).

    Args:
        shape: number of rows and of columns.
        widths: number of features of a row's and of a column's vector, D together.
        deviation: standard deviation of the initial vectors, which are normal.

    Example:
        >>> from bertkit.family.bert import CONFIG
        >>> CONFIG.but(positions=Axial(shape=(64, 32), widths=(256, 512))).max_length
        2048
    """

    shape: tuple = (64, 64)
    widths: tuple = (64, 192)
    deviation: float = 1.0


# ----------------------------------------------------------------------------------- what enters the first block


@dataclass(frozen=True)
class Summed:
    """LayerNorm of token + segment + position vectors (Devlin et al. 2018, figure 2).

    Args:
        scaled: True multiplies token vectors by √D (the code of BigBird).
        early_dropout: True applies dropout before the norm (the code of BigBird).
        separator: id of the token that ends each text of a row, for a head that needs it (`HeadConfig.watch`,
            `Answer`).

    Example:
        >>> from bertkit.family.longformer import CONFIG
        >>> CONFIG.inputs           # 2 is </s>, after which the context of a question begins
        Summed(scaled=False, early_dropout=False, separator=2)
    """

    scaled: bool = False
    early_dropout: bool = False
    separator: int | None = None


@dataclass(frozen=True)
class Trigram:
    """The vectors of a token and its two neighbours side by side, projected (Sun et al. 2020, MobileBERT, section 3.4).

    Args:
        neighbours: False leaves the neighbours out.

    Example:
        >>> from bertkit.family.mobilebert import CONFIG
        >>> CONFIG.inputs, CONFIG.embedding_dim, CONFIG.hidden_dim      # 3 vectors of 128 features are projected to 512
        (Trigram(neighbours=True), 128, 512)
    """

    neighbours: bool = True


@dataclass(frozen=True)
class Bare:
    """Token vectors, plus positions where there are any.

    Args:
        norm: True applies LayerNorm.

    Example:
        >>> from bertkit.family import modernbert, xlnet
        >>> modernbert.CONFIG.inputs, xlnet.CONFIG.inputs
        (Bare(norm=True), Bare(norm=False))
    """

    norm: bool = False


# ------------------------------------------------------------------------------------------ how a block is built


@dataclass(frozen=True)
class PostNorm:
    """A norm follows each residual sum (Vaswani et al. 2017, figure 1).

    Example:
        >>> from bertkit.family import albert, bert
        >>> bert.CONFIG.block == albert.CONFIG.block == PostNorm()
        True
    """


@dataclass(frozen=True)
class PreNorm:
    """A norm stands before attention and before a gated feed-forward (Warner et al. 2024, ModernBERT, section 2.1.1).

    Args:
        norm_bias: whether the norms have biases.
        feed_bias: whether the feed-forward has biases.
        feed_dropout: rate of dropout inside the feed-forward.

    Example:
        >>> from bertkit.family.bert import CONFIG
        >>> CONFIG.norm_bias, CONFIG.but(block=PreNorm()).norm_bias
        (True, False)
    """

    norm_bias: bool = False
    feed_bias: bool = False
    feed_dropout: float = 0.0


@dataclass(frozen=True)
class RootPreNorm:
    """An RMSNorm stands before attention and before a gated feed-forward (Touvron et al. 2023, LLaMA, section 2.2).

    Args:
        feed_bias: whether the feed-forward has biases.

    Example:
        >>> from bertkit.family.eurobert import CONFIG
        >>> CONFIG.block, CONFIG.norm_bias
        (RootPreNorm(feed_bias=False), False)
    """

    feed_bias: bool = False

    @property
    def norm_bias(self) -> bool:
        """Whether the norms have biases: none."""
        return False


@dataclass(frozen=True)
class GatedPost:
    """A norm follows each residual sum, and the feed-forward is gated (Nussbaum et al. 2024, arXiv 2402.01613).

    Args:
        feed_bias: whether the feed-forward has biases.

    Example:
        >>> from bertkit.family.nomic import CONFIG
        >>> CONFIG.block, CONFIG.norm_bias
        (GatedPost(feed_bias=False), True)
    """

    feed_bias: bool = False


@dataclass(frozen=True)
class Bottleneck:
    """Narrow blocks between wide residual connections (Sun et al. 2020, MobileBERT, figure 1).

    A dense layer makes the wide input narrow before the block, and another makes the result wide again after it.

    Args:
        width: number of features inside the block; None for no bottleneck.
        feeds: number of feed-forward networks.
        shared: True makes queries and keys from a bottleneck of their own, and values from the wide input.
        narrow: True makes queries, keys and values from the narrow input of the block. With neither `shared` nor
            `narrow` all three come from the wide input.
        affine: True replaces LayerNorms by x · γ + β.

    Example:
        >>> from bertkit.family.mobilebert import CONFIG
        >>> CONFIG.hidden_dim, CONFIG.block_dim         # features of a token between blocks and inside them
        (512, 128)
    """

    width: int | None = 128
    feeds: int = 4
    shared: bool = True
    narrow: bool = False
    affine: bool = True


@dataclass(frozen=True)
class Reversible:
    """A block whose inputs can be computed from its outputs (Kitaev et al. 2020, section 3).

    y₁ = x₁ + attention(x₂), y₂ = x₂ + feed(y₁).

    Example:
        >>> from bertkit.cost import activation_bytes
        >>> from bertkit.family.bert import CONFIG
        >>> reversible = CONFIG.but(block=Reversible())
        >>> activation_bytes(CONFIG, length=128) // 2**20, activation_bytes(reversible, length=128) // 2**20    # MiB
        (85, 7)
    """


@dataclass(frozen=True)
class TwoStream:
    """A content stream and a query stream share the same weights (Yang et al. 2019, XLNet, section 2.3).

    A batch may hold "target_mapping" [B, M, T], one-hot: the places of M tokens to predict, whose vectors [B, M, D] the
    encoder returns then; and "permutation_mask" [B, T, T], 1 at [i, j] where token i may not attend to token j.

    Example:
        >>> from bertkit.family.xlnet import CONFIG
        >>> CONFIG.block, CONFIG.reads_segments
        (TwoStream(), True)
    """


@dataclass(frozen=True)
class Shared:
    """Groups of blocks are used again over depth (Lan et al. 2019, ALBERT, section 3.1).

    Args:
        groups: number of groups.
        inner: number of blocks of a group.

    Example:
        >>> from bertkit import cost
        >>> from bertkit.family.bert import CONFIG
        >>> cost(CONFIG)["parameters"], cost(CONFIG.but(shared=Shared()))["parameters"]       # one block, 12 times
        (109482240, 31515648)
    """

    groups: int = 1
    inner: int = 1


# ---------------------------------------------------------------------------------- the vector of a whole text


@dataclass(frozen=True)
class Tanh:
    """The vector of a text is a dense layer on its first token.

    tanh(W h₀ + b), as in the code of Devlin et al. 2018.

    Example:
        >>> from bertkit.cost import pooler_parameters
        >>> from bertkit.family.bert import CONFIG
        >>> CONFIG.pooler, pooler_parameters(CONFIG)           # (inputs, outputs, has a bias)
        (Tanh(), [(768, 768, True)])
    """


@dataclass(frozen=True)
class First:
    """The vector of a text is its first token, unchanged (the code of MobileBERT, Sun et al. 2020).

    Example:
        >>> from bertkit.cost import pooler_parameters
        >>> from bertkit.family.bert import CONFIG
        >>> pooler_parameters(CONFIG.but(pooler=First()))      # no matrix
        []
    """
