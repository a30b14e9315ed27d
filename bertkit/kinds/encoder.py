"""Kinds of the axes of an encoder: how tokens attend, where they stand, how blocks are built."""

from dataclasses import dataclass

# ------------------------------------------------------------------------------------------ how tokens attend


@dataclass(frozen=True)
class Full:
    """Every token attends to every real token (Vaswani et al. 2017, section 3.2); `causal`: to none after it."""

    causal: bool = False


@dataclass(frozen=True)
class Window:
    """Tokens attend at most ⌊`size` / 2⌋ places away, and from and to global ones (Beltagy et al. 2020, section 3.1).

    A batch may hold "global_mask" [B,T], 1 where a token is global; without it a head may say (`HeadConfig.watch`), and
    where none does, none is.
    """

    size: int = 512


@dataclass(frozen=True)
class Sparse:
    """Blocks of `size` tokens attend to themselves and their neighbours, the first, the last and `random` others.

    Zaheer et al. 2020 (BigBird), section 2. Inputs of up to (5 + 2 · random) · size tokens attend in full. A batch may
    hold "random_blocks" {layer: [N,blocks−2,random]}; without it they are drawn in training, always the same ones for
    a layer, and block 0 otherwise.
    """

    size: int = 64
    random: int = 3


@dataclass(frozen=True)
class Relative:
    """Scores by content and by distance (Dai et al. 2019, section 3.3), over tokens and `memory` earlier ones.

    `clamp` bounds distances where it is above 0; `same_length` gives every query as many keys (only when
    `causal`); `mirrored` reads the second half of a batch backwards (bi_data in the code of Yang et al. 2019). Of each
    segment the first `reuse` tokens are remembered, all of them where it is None, and of those and the earlier ones
    the last `memory`: 0 is all of them, None none, and then an encoder has no "mems" among its outputs.
    """

    causal: bool = False
    clamp: int = -1
    same_length: bool = False
    mirrored: bool = False
    memory: int | None = None
    reuse: int | None = None


@dataclass(frozen=True)
class Rotary:
    """Queries and keys turned by angles p · base^(−2k/H) (Su et al. 2021, equation 34).

    With a `window` tokens attend at most that many places away (Warner et al. 2024, ModernBERT, section 2.1.2).
    """

    base: float = 10000.0
    window: int | None = None


@dataclass(frozen=True)
class Local:
    """Tokens attend to their chunk of `chunk` tokens, to `before` chunks before it and to `after` ones after it.

    Reformer's code (Kitaev et al. 2020); the chunks stand in a ring, so that the first one has the last before it.
    """

    chunk: int = 64
    before: int = 1
    after: int = 0
    causal: bool = False


@dataclass(frozen=True)
class Hash:
    """The same over tokens in the order of their hashes, `hashes` times (Kitaev et al. 2020, section 2: LSH attention).

    `buckets` is the number of hashes, even factors of it, or None for what the length suggests; `seed` is that of the
    draw: None draws anew in training, and always the same at inference. `dropout` is the rate of this kind where it is
    not the config's. A batch may hold "buckets": {layer: [B,N,hashes·S]}, S tokens with those that fill the chunks.
    """

    chunk: int = 64
    before: int = 1
    after: int = 0
    causal: bool = False
    hashes: int = 1
    buckets: int | tuple | None = None
    seed: int | None = None
    dropout: float | None = None


# ---------------------------------------------------------------------------------------- where a token stands


@dataclass(frozen=True)
class Absolute:
    """One learned vector for each position, counted from 0 (Devlin et al. 2018, figure 2).

    With `pad_id`, real tokens are counted from pad_id + 1 and padding stands at pad_id (Liu et al. 2019's code).
    `sinusoidal` vectors begin as sines and cosines (Vaswani et al. 2017, section 3.5), and are learned all the same.
    """

    pad_id: int | None = None
    sinusoidal: bool = False


@dataclass(frozen=True)
class Axial:
    """A position's vector is that of its row beside that of its column (Kitaev et al. 2020, appendix).

    `shape` counts rows and columns, `widths` the features of each, which together are D; both begin as normal numbers
    of this standard `deviation`.
    """

    shape: tuple = (64, 64)
    widths: tuple = (64, 192)
    deviation: float = 1.0


# ----------------------------------------------------------------------------------- what enters the first block


@dataclass(frozen=True)
class Summed:
    """LayerNorm of token + segment + position (Devlin et al. 2018, figure 2).

    `scaled` multiplies tokens by √D, `early_dropout` drops before the norm (both: BigBird's code); `separator` is the
    id that ends each text of a row, where a head looks for it (see `HeadConfig.watch` and `Answer`).
    """

    scaled: bool = False
    early_dropout: bool = False
    separator: int | None = None


@dataclass(frozen=True)
class Trigram:
    """Each token beside its two neighbours (`neighbours`), projected (Sun et al. 2020, MobileBERT, section 3.4)."""

    neighbours: bool = True


@dataclass(frozen=True)
class Bare:
    """Tokens, with positions where there are any, and no norm unless `norm`."""

    norm: bool = False


# ------------------------------------------------------------------------------------------ how a block is built


@dataclass(frozen=True)
class PostNorm:
    """A norm after each residual sum (Vaswani et al. 2017, figure 1)."""


@dataclass(frozen=True)
class PreNorm:
    """A norm before attention and before a gated feed-forward (Warner et al. 2024, ModernBERT, section 2.1.1).

    `norm_bias` and `feed_bias` say whether these have biases; `feed_dropout` is the rate inside the feed-forward.
    """

    norm_bias: bool = False
    feed_bias: bool = False
    feed_dropout: float = 0.0


@dataclass(frozen=True)
class Bottleneck:
    """Narrow blocks between wide residuals (Sun et al. 2020, MobileBERT, figure 1); `width` None: no bottleneck.

    `feeds` counts feed-forward networks, `shared` says that queries and keys come from a bottleneck of their own and
    values from the wide input, `narrow` that all three come from the narrow one; otherwise all come from the wide one.
    `affine` says that norms are x · γ + β instead of LayerNorms.
    """

    width: int | None = 128
    feeds: int = 4
    shared: bool = True
    narrow: bool = False
    affine: bool = True


@dataclass(frozen=True)
class Reversible:
    """y₁ = x₁ + attention(x₂), y₂ = x₂ + feed(y₁): inputs follow from outputs (Kitaev et al. 2020, section 3)."""


@dataclass(frozen=True)
class TwoStream:
    """A content stream and a query stream through the same weights (Yang et al. 2019, XLNet, section 2.3).

    A batch may hold "target_mapping" [B,M,T], one-hot: the places of M tokens to predict, whose vectors the encoder
    then gives, [B,M,D]; and "permutation_mask" [B,T,T], 1 at [i,j] where token i may not see token j.
    """


@dataclass(frozen=True)
class Shared:
    """`groups` groups of `inner` blocks used again and again over depth (Lan et al. 2019, ALBERT, section 3.1)."""

    groups: int = 1
    inner: int = 1


# ---------------------------------------------------------------------------------- the vector of a whole text


@dataclass(frozen=True)
class Tanh:
    """tanh(W h₀ + b) of the first token (Devlin et al. 2018's code)."""


@dataclass(frozen=True)
class First:
    """The first token as it is (Sun et al. 2020, MobileBERT's code)."""
