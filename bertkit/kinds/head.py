"""Kinds of heads: what a head reads of an encoder, and through which matrices it becomes logits."""

from dataclasses import dataclass


@dataclass(frozen=True)
class HeadConfig:
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
