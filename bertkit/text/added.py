"""Added tokens: entries that are found in a text as they stand, before the model sees the rest."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from bertkit.errors import Error
from bertkit.text.unicode import BLANKS


@dataclass(frozen=True)
class Added:
    """A token that is looked for in texts.

    Args:
        content: the text of the token.
        special: False looks for it in every text, True only where special tokens are recognised.
        lstrip: True takes the blanks before it along, as RoBERTa's <mask> does.
    """

    content: str
    special: bool = True
    lstrip: bool = False

    @classmethod
    def of(cls, value: str | dict[str, Any]) -> "Added":
        """Return the token of a JSON value.

        Args:
            value: a string, which stands for a plain special token, or a dict of the fields.

        Returns:
            An `Added`.

        Raises:
            Error: when the value is neither, or has no content.
        """
        fields = {"content": value} if isinstance(value, str) else value
        if not isinstance(fields, dict) or not isinstance(fields.get("content"), str) or not fields["content"]:
            raise Error(f"The added token {value!r:.60} is malformed; give its text, or an object with its content.")
        return cls(**fields)

    def settings(self) -> str | dict[str, Any]:
        """Return the JSON value that `of` reads.

        Returns:
            The content alone where the other fields have their defaults, else {field: value}.
        """
        return self.content if self == Added(self.content) else asdict(self)


class Splitter:
    """A splitter cuts texts at tokens.

    Of tokens that begin at the same place the longest one counts.

    Args:
        tokens: values of `Added`.

    Example:
        >>> list(Splitter([Added("<mask>", lstrip=True)])("a <mask>."))
        [(0, 1, None), (1, 8, '<mask>'), (8, 9, None)]
    """

    def __init__(self, tokens: Iterable[Added]):
        self.tokens = sorted(tokens, key=lambda token: -len(token.content))
        self._strips = {token.content for token in self.tokens if token.lstrip}
        self._find = re.compile("|".join(re.escape(token.content) for token in self.tokens)).finditer

    def __call__(self, text: str) -> Iterator[tuple[int, int, str | None]]:
        """Yield (begin, end, content) in characters: the content of each token, None for the text between them."""
        done = 0
        for match in self._find(text) if self.tokens else ():
            begin, end = match.span()
            if match.group() in self._strips:
                begin = done + len(text[done:begin].rstrip(BLANKS))
            if done < begin:
                yield done, begin, None
            yield begin, end, match.group()
            done = end
        if done < len(text):
            yield done, len(text), None
