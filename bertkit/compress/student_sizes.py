"""The sizes of a student, as text: layers=3,hidden=384,vocabulary=8000; what is not named is the teacher's."""

from dataclasses import dataclass, fields
from typing import Any, Self

from bertkit.config import EncoderConfig
from bertkit.errors import Error

EXAMPLE = "layers=3,hidden=384,intermediate=512,vocabulary=8000"


@dataclass(frozen=True)
class StudentSizes:
    """The sizes of a student of the teacher's family; None takes the teacher's.

    Args:
        layers: Layers.
        hidden: Features of a token.
        heads: Heads of each layer. None takes the teacher's number, or where `hidden` is no multiple of it the largest
            one below that divides `hidden`.
        intermediate: Feed-forward rows of each layer.
        vocabulary: Entries of the vocabulary.

    Example:
        >>> StudentSizes.parse("layers=3, vocabulary=8000")
        StudentSizes(layers=3, hidden=None, heads=None, intermediate=None, vocabulary=8000)
    """

    layers: int | None = None
    hidden: int | None = None
    heads: int | None = None
    intermediate: int | None = None
    vocabulary: int | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read sizes that a user wrote.

        Args:
            text: name=number, with commas between.

        Returns:
            The `StudentSizes`.

        Raises:
            Error: when a name is unknown or comes twice, or a number is none of 1 or more.
        """
        known = [field.name for field in fields(cls)]
        found: dict[str, int] = {}
        for part in str(text).split(","):
            name, _, value = (side.strip() for side in part.partition("="))
            if name not in known or name in found:
                fault = "comes twice" if name in found else f"is no size of a student; there are {', '.join(known)}"
                raise Error(f"student={text!s:.60}: {name or 'an empty part'!s:.30} {fault}: {EXAMPLE} is an example.")
            if not (value.isascii() and value.isdecimal() and int(value[:12]) > 0):
                raise Error(f"student={text!s:.60}: {name} is {value or 'missing'!s:.20}; give a whole number of 1 or "
                            f"more, such as in {EXAMPLE}.")
            found[name] = int(value[:12])
        return cls(**found)

    def check(self, config: EncoderConfig, entries: int) -> None:
        """Check that no size is larger than the teacher's: what is larger cannot begin as a part of it.

        Args:
            config: The `EncoderConfig` of the teacher.
            entries: The number of entries of its tokenizer.

        Raises:
            Error: when one is larger.
        """
        for name, most in (("layers", config.num_layers), ("hidden", config.hidden_dim), ("heads", config.num_heads),
                           ("intermediate", config.intermediate_dim), ("vocabulary", entries)):
            value = getattr(self, name)
            if value is not None and value > most:
                raise Error(f"student: {name}={value} is more than the teacher's {most}; give {most} or fewer, or a "
                            "checkpoint that has so many.")

    def heads_for(self, config: EncoderConfig) -> int:
        """Return how many heads the student has.

        Args:
            config: The `EncoderConfig` of the teacher.

        Returns:
            The number.
        """
        most = config.num_heads if self.heads is None else self.heads
        hidden = self.hidden
        if hidden is None or self.heads is not None:
            return most
        return next(heads for heads in range(most, 0, -1) if hidden % heads == 0)

    def to_json(self) -> dict[str, Any]:
        """Return the sizes that are named.

        Returns:
            {name: number}.
        """
        return {name: value for name, value in vars(self).items() if value is not None}


def is_sizes(student: Any) -> bool:
    """Return whether a user's word for a student gives sizes, and is no checkpoint.

    Args:
        student: What came.

    Returns:
        True where it has an "=".

    Example:
        >>> is_sizes("layers=2"), is_sizes("distilbert/base")
        (True, False)
    """
    return "=" in str(student)


def spread(layers: int, count: int) -> list[int]:
    """Choose layers that lie evenly from the first to the last one.

    round(i (L − 1) / (l − 1)), i = 0 ... l − 1, which of 12 layers gives 0, 2, 4, 7, 9, 11 for 6, those of DistilBERT
    (Sanh et al. 2019, in their code).

    Args:
        layers: L, the teacher's layers.
        count: l, the student's.

    Returns:
        The numbers, from 0.

    Example:
        >>> spread(12, 6), spread(3, 1)
        ([0, 2, 4, 7, 9, 11], [0])
    """
    return [round(i * (layers - 1) / max(count - 1, 1)) for i in range(count)]
