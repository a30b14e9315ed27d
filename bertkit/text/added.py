"""Added tokens: entries that are found in a text as they stand, before a model sees the rest."""

import re
from dataclasses import asdict, dataclass

from bertkit.errors import Error
from bertkit.text.unicode import BLANKS


@dataclass(frozen=True)
class Added:
    """A token that is looked for in texts: everywhere, or if `special` where such are recognised.

    With `lstrip` it takes the blanks before it along, as RoBERTa's <mask> does.
    """

    content: str
    special: bool = True
    lstrip: bool = False

    @classmethod
    def of(cls, value):
        """Return the token of a JSON value: a string for a plain special token, else the fields."""
        fields = {"content": value} if isinstance(value, str) else value
        if not isinstance(fields, dict) or not isinstance(fields.get("content"), str) or not fields["content"]:
            raise Error(f"The added token {value!r:.60} is malformed; give its text, or an object with its content.")
        return cls(**fields)

    def settings(self):
        """Return the JSON value that `of` reads."""
        return self.content if self == Added(self.content) else asdict(self)


class Splitter:
    """Cuts texts at tokens; of those that begin at one place the longest counts.

    >>> list(Splitter([Added("<mask>", lstrip=True)])("a <mask>."))
    [(0, 1, None), (1, 8, '<mask>'), (8, 9, None)]
    """

    def __init__(self, tokens):
        self.tokens = sorted(tokens, key=lambda token: -len(token.content))
        self._strips = {token.content for token in self.tokens if token.lstrip}
        self._find = re.compile("|".join(re.escape(token.content) for token in self.tokens)).finditer

    def __call__(self, text):
        """Yield (begin, end, content) of each token, content None for the stretches between."""
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
