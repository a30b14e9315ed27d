"""Kinds: small frozen values, one for each way a paper does a thing.

A hard axis of an encoder (how tokens attend, how positions are told apart, where the norms stand) holds a kind,
never a flag. Each kind maps to exactly one layer: `ATTENTIONS`, `POSITIONS`, `INPUTS` and `BLOCKS` in
`bertkit.layers`, `READOUTS` in `bertkit.heads`.
"""

from dataclasses import asdict, dataclass, fields, is_dataclass

from bertkit.errors import Error

# ------------------------------------------------------------------------------------------ how tokens attend


@dataclass(frozen=True)
class Full:
    """Every token attends to every real token (Vaswani et al. 2017, section 3.2); `causal`: to none after it."""

    causal: bool = False


@dataclass(frozen=True)
class Window:
    """Tokens attend at most ⌊`size` / 2⌋ places away, and from and to global ones (Beltagy et al. 2020, section 3.1).

    A batch may hold "global_mask" [B,T], 1 where a token is global; without it a head may say (`Readout.watch`), and
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
    draw: None draws anew in training and is the same always at inference. `dropout` is the rate of this kind where it is
    not the config's. A batch may hold "buckets": {layer: [B,N,hashes·S]}, S the tokens with what fills the last chunks.
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
    id that ends each text of a row, where a head looks for it (see `Readout.watch` and `Answer`).
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


# ------------------------------------------------------------------------------------ what a head reads and how


@dataclass(frozen=True)
class Readout:
    """logits = W dropout(norm(act(W' reduce(tokens)))); parts that a paper lacks are left out.

    `reduce` is "each" token, the "pooled" vector, the "first" or the "last" token, the "mean" of all places or of the
    "real" ones, or the first real token ("start"). `activation` None leaves W' and the activation out, "encoder" is
    the encoder's own; `dense` False leaves out W' alone; `bias` is that of W'. `drop_first` also drops before W';
    `dropout` is the rate where it is not the encoder's. `watch` says which tokens are global (see `Window`) where the
    batch does not: the "first", those of the "question" before the first separator, of the "choice" after the second.
    """

    reduce: str = "pooled"
    activation: str | None = None
    dense: bool = True
    norm: bool = False
    bias: bool = True
    drop_first: bool = False
    dropout: float | None = None
    watch: str | None = None


@dataclass(frozen=True)
class Language:
    """logits = E LayerNorm(act(W h + b)) + c (Devlin et al. 2018's code); E is the token table where `tied`.

    `transform` False leaves the inner matrix out, `bias` the last one; `split` puts more rows below a token table
    that is narrower than h (MobileBERT).
    """

    activation: str = "encoder"
    transform: bool = True
    tied: bool = True
    bias: bool = True
    dense_bias: bool = True
    split: bool = False


@dataclass(frozen=True)
class Boundary:
    """Tokens of a span from the two beside it (Joshi et al. 2019, SpanBERT, section 3.2).

    `targets` is the longest span, `width` the features of a place in it.
    """

    targets: int = 20
    width: int = 200


@dataclass(frozen=True)
class Answer:
    """logits = W LayerNorm(h + W₂ act(W₁ h)), those of the question's tokens 10⁶ lower (Zaheer et al. 2020's code).

    The question goes up to the first separator; a batch without segments gets 0 for it and 1 for what follows.
    """


@dataclass(frozen=True)
class Beam:
    """The likeliest `starts` of an answer, the likeliest `ends` for each of them, and whether there is an answer.

    The code of Yang et al. 2019 (XLNet, function_builder.py).
    """

    starts: int = 5
    ends: int = 5


KINDS = {kind.__name__: kind for kind in (
    Full, Window, Sparse, Relative, Rotary, Local, Hash, Absolute, Axial, Summed, Trigram, Bare, PostNorm, PreNorm,
    Bottleneck, Reversible, TwoStream, Shared, Tanh, First, Readout, Language, Boundary,
    Answer, Beam)}


def to_json(value):
    """Return a kind as {"kind": its name, its fields}, a tuple as a list, and anything else as it is."""
    if is_dataclass(value):
        return {"kind": type(value).__name__, **{name: to_json(part) for name, part in asdict(value).items()}}
    return [to_json(part) for part in value] if isinstance(value, tuple) else value


def from_json(value):
    """Return what `to_json` was given; raises `Error` on a kind or a field that bertkit does not have."""
    if isinstance(value, list):
        return tuple(map(from_json, value))
    if not isinstance(value, dict):
        return value
    name = value.get("kind")
    if not isinstance(name, str) or name not in KINDS:
        raise Error(f"The config names the kind {name!r}; bertkit has {', '.join(KINDS)}.")
    known = {field.name for field in fields(KINDS[name])} | {"kind"}
    if unknown := sorted(set(value) - known):
        raise Error(f"The config gives {name} the field {', '.join(unknown)}, which this version of bertkit does not "
                    "know.")
    return KINDS[name](**{key: from_json(part) for key, part in value.items() if key != "kind"})


# Fields that count something there must be at least one of; other whole numbers may be 0, and these may be below it.
COUNTS, SIGNED = {"size", "chunk", "hashes", "groups", "inner", "feeds", "width", "targets",
          "starts", "ends"}, {"clamp", "seed"}


# What else the numbers of a field must be, where it is not None.
RULES = {"buckets": (lambda numbers: numbers and all(isinstance(n, int) and n % 2 == 0 for n in numbers), "even numbers"),
         **dict.fromkeys(("shape", "widths"), (lambda numbers: [type(n) for n in numbers] == [int, int],
                                               "two whole numbers")),
         **dict.fromkeys(("dropout", "feed_dropout"), (lambda numbers: 0 <= numbers[0] < 1, "a probability below 1"))}


def check(kind):
    """Raise `Error` unless every field of a kind is of its type, no count is below what it can be, and `RULES` hold."""
    for field in fields(kind):
        value = getattr(kind, field.name)
        exact = field.type is not bool and isinstance(value, bool)
        if exact or not isinstance(value, field.type) and not (
                field.type in (float, float | None) and isinstance(value, int)):
            raise Error(f"{type(kind).__name__}({field.name}={value!r}): wanted {_named(field.type)}.")
        numbers = value if isinstance(value, tuple) else (value,)
        least = 1 if field.name in COUNTS or isinstance(value, tuple) else 0
        if field.name not in SIGNED and any(isinstance(n, int) and n < least for n in numbers):
            raise Error(f"{type(kind).__name__}({field.name}={value!r}): give {least} or more.")
        fits, wanted = RULES.get(field.name, (None, ""))
        if fits is not None and value is not None and not fits(numbers):
            raise Error(f"{type(kind).__name__}({field.name}={value!r}): wanted {wanted}.")


def _named(kind):
    return getattr(kind, "__name__", str(kind))
