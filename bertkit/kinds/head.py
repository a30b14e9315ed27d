"""Kinds of heads: what a head reads of an encoder, and by which layers it becomes logits."""

from dataclasses import dataclass


@dataclass(frozen=True)
class HeadConfig:
    """The common form of a head, from token vectors to logits.

    logits = W dropout(norm(act(W' reduce(tokens)))), where parts that a paper lacks are left out. With `beside_first`
    W' reads LayerNorm(token + first token) instead (the code of He et al. 2021, DeBERTa-v3).

    Args:
        reduce: what is read: "each" token, the "pooled" vector, the "first" or the "last" token, the "mean" of all
            places or of the "real" ones, or the first real token ("start"). "late" reads each real token, and the
            logits are the mean of theirs (the code of Boizard et al. 2025, EuroBERT).
        activation: name of act; None leaves out W' and act, "encoder" takes that of the encoder.
        dense: False leaves out W' alone.
        norm: whether there is a LayerNorm.
        bias: whether W' has a bias.
        drop_first: True also applies dropout before W'.
        dropout: rate of dropout; None takes that of the encoder.
        beside_first: whether the first token is added to what is read, and a LayerNorm follows.
        watch: which tokens are global (see `Window`) where the batch does not say it: the "first" token, the tokens of
            the "question", before the first separator, or those of the "choice", after the second one.

    Example:
        >>> from bertkit.family import bert, roberta
        >>> bert.HEADS["classify"].reduce, roberta.HEADS["classify"].reduce
        ('pooled', 'first')
    """

    reduce: str = "pooled"
    activation: str | None = None
    dense: bool = True
    norm: bool = False
    bias: bool = True
    drop_first: bool = False
    dropout: float | None = None
    beside_first: bool = False
    watch: str | None = None


@dataclass(frozen=True)
class Language:
    """The head of a masked language model: the logits of each token over the vocabulary.

    logits = E LayerNorm(act(W h + b)) + c (the code of Devlin et al. 2018).

    Args:
        activation: name of act; "encoder" takes that of the encoder.
        transform: False leaves out W, act and the norm.
        tied: whether E is the token table.
        bias: whether there is c.
        dense_bias: whether there is b.
        split: True puts more rows below a token table that is narrower than h (MobileBERT).

    Example:
        >>> from bertkit.family import bert, xlnet
        >>> bert.HEADS["mlm"].transform, xlnet.HEADS["mlm"].transform
        (True, False)
    """

    activation: str = "encoder"
    transform: bool = True
    tied: bool = True
    bias: bool = True
    dense_bias: bool = True
    split: bool = False


@dataclass(frozen=True)
class Boundary:
    """The tokens of a span are predicted from the two beside it (Joshi et al. 2019, SpanBERT, section 3.2).

    Args:
        targets: largest number of tokens of a span.
        width: number of features of the vector of a place in the span.

    Example:
        >>> from bertkit.family.spanbert import HEADS
        >>> HEADS["sbo"]
        Boundary(targets=20, width=200)
    """

    targets: int = 20
    width: int = 200


@dataclass(frozen=True)
class Answer:
    """The head of BigBird that finds the start and the end of an answer.

    logits = W LayerNorm(h + W₂ act(W₁ h)), and those of the question's tokens are 10⁶ lower (the code of Zaheer et al.
    2020). The question ends at the first separator. A batch without segments gets segment 0 for the question and 1 for
    the rest.

    Example:
        >>> from bertkit.family import bert, bigbird
        >>> bigbird.HEADS["answer"], bert.HEADS["answer"].reduce
        (Answer(), 'each')
    """


@dataclass(frozen=True)
class Beam:
    """The head of XLNet that searches the most probable starts of an answer, and the most probable ends for each start.

    It also says whether there is an answer. Source: the code of Yang et al. 2019 (XLNet, function_builder.py).

    Args:
        starts: number of starts.
        ends: number of ends for each start.

    Example:
        >>> from bertkit.family.xlnet import HEADS
        >>> HEADS["beam"]
        Beam(starts=5, ends=5)
    """

    starts: int = 5
    ends: int = 5
