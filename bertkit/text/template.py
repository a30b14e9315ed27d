"""The template: where special tokens and segments go, and what is cut when texts are long."""

from dataclasses import asdict, dataclass
from typing import Any

from bertkit.errors import Error
from bertkit.files.schema import Whole, check_argument

FIRST, SECOND = "$first", "$second"


@dataclass(frozen=True)
class Template:
    """The order of texts and special tokens in a row, with the segment of each.

    Args:
        single: tuple of (part, segment) for one text; a part is "$first" or a special token.
        pair: tuple of (part, segment) for a pair; a part is "$first", "$second" or a special token.
        padding_side: "right" or "left", where the padding stands.
        padding_segment: segment of the padding.

    Raises:
        Error: when a part is malformed, or a text is not in the template exactly once.

    Example:
        >>> bert("[CLS]", "[SEP]").single
        (('[CLS]', 0), ('$first', 0), ('[SEP]', 0))
    """

    single: tuple
    pair: tuple
    padding_side: str = "right"
    padding_segment: int = 0

    def __post_init__(self) -> None:
        for name, texts in (("single", [FIRST]), ("pair", [FIRST, SECOND])):
            parts = tuple(_part(part) for part in getattr(self, name))
            if sorted(part for part, _ in parts if part in (FIRST, SECOND)) != texts:
                raise Error(f"The template {name} is {parts}; it must hold "
                            f"{' and '.join(texts)} once.")
            object.__setattr__(self, name, parts)
        if type(self.padding_segment) is not int or self.padding_segment < 0:
            raise Error(f"padding_segment is {self.padding_segment!r:.40}; give 0 or a larger whole number.")
        if self.padding_side not in ("right", "left"):
            raise Error(f"padding_side is {self.padding_side!r}; give \"right\" or \"left\".")

    def parts(self, paired: bool) -> tuple[tuple[str, int], ...]:
        """Return the parts of a pair or of one text.

        Args:
            paired: True for a pair.

        Returns:
            A tuple of (part, segment).
        """
        return self.pair if paired else self.single

    def max_text_tokens(self, length: int, paired: bool) -> int:
        """Return how many tokens of text fit beside the special tokens.

        Args:
            length: number of tokens of a row.
            paired: True for a pair.

        Returns:
            The number of tokens, of both texts together for a pair.

        Raises:
            Error: when the special tokens alone are more than `length`.
        """
        check_argument("length", length, Whole())
        special = len(self.parts(paired)) - (2 if paired else 1)
        if length < special:
            raise Error(f"length={length} is too small for the {special} special tokens of "
                        f"{'a pair' if paired else 'a text'}; give {special + 1} or more.")
        return length - special

    def settings(self) -> dict[str, Any]:
        """Return the fields as JSON values.

        Returns:
            {field: value}; `Template(**settings)` is an equal template.
        """
        lists = {form: [list(part) for part in getattr(self, form)] for form in ("single", "pair")}
        return asdict(self) | lists


def bert(cls: str, sep: str) -> Template:
    """Return BERT's template: cls first sep second sep (Devlin et al. 2018, section 3).

    Args:
        cls: the classification token.
        sep: the token that ends a text.

    Returns:
        A `Template`.

    Example:
        >>> [part for part, segment in bert("[CLS]", "[SEP]").pair]
        ['[CLS]', '$first', '[SEP]', '$second', '[SEP]']
    """
    single = ((cls, 0), (FIRST, 0), (sep, 0))
    return Template(single, (*single, (SECOND, 1), (sep, 1)))


def roberta(cls: str, sep: str) -> Template:
    """Return RoBERTa's template: cls first sep sep second sep, all of one segment (Liu et al. 2019).

    Args:
        cls: the classification token.
        sep: the token that ends a text.

    Returns:
        A `Template`.

    Example:
        >>> [part for part, segment in roberta("<s>", "</s>").pair]
        ['<s>', '$first', '</s>', '</s>', '$second', '</s>']
    """
    single = ((cls, 0), (FIRST, 0), (sep, 0))
    return Template(single, (*single, (sep, 0), (SECOND, 0), (sep, 0)))


def xlnet(cls: str, sep: str) -> Template:
    """Return XLNet's template: first sep second sep cls, padded on the left (Yang et al. 2019).

    Args:
        cls: the classification token.
        sep: the token that ends a text.

    Returns:
        A `Template`.

    Example:
        >>> [part for part, segment in xlnet("<cls>", "<sep>").pair]
        ['$first', '<sep>', '$second', '<sep>', '<cls>']
    """
    first, second, last = ((FIRST, 0), (sep, 0)), ((SECOND, 1), (sep, 1)), (cls, 2)
    return Template((*first, last), (*first, *second, last), padding_side="left", padding_segment=3)


def bare() -> Template:
    """Return the template without special tokens, which is Reformer's.

    Returns:
        A `Template`.

    Example:
        >>> bare().pair
        (('$first', 0), ('$second', 1))
    """
    return Template(((FIRST, 0),), ((FIRST, 0), (SECOND, 1)))


def truncated_lengths(first: int, second: int, places: int) -> tuple[int, int]:
    """Return how many tokens of each text of a pair stay: the longer text is cut first, at its end.

    The shorter text keeps min(shorter, places // 2) tokens and the longer one gets the rest. Of texts of equal length
    the second counts as the longer. This is the rule of the library `tokenizers`.

    Args:
        first: number of tokens of the first text.
        second: number of tokens of the second text.
        places: number of tokens that both may have together.

    Returns:
        The number of tokens that stay of the first and of the second text.

    Example:
        >>> truncated_lengths(6, 2, 6), truncated_lengths(9, 9, 5)
        ((4, 2), (2, 3))
    """
    if first > second:
        return truncated_lengths(second, first, places)[::-1]
    first = min(first, places // 2)
    return first, min(second, places - first)


def _part(part):
    if (isinstance(part, (list, tuple)) and len(part) == 2 and isinstance(part[0], str)
            and isinstance(part[1], int) and part[1] >= 0):
        return tuple(part)
    raise Error(f"The template part {part!r} is malformed; give a token and a segment number.")
