"""Added tokens: entries that are found in a text before the model cuts the rest of it."""

import functools
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields
from typing import Any

from bertkit.errors import Error
from bertkit.text.unicode import BLANKS
from bertkit.text.unicode.codepoints import LETTER, NUMBER, categories
from bertkit.text.unicode.tables import members

# Beside letters, marks and decimal digits these belong to a word, in the regular expressions of the library
# `tokenizers`: punctuation that connects, what joins letters, and the letters in circles and squares.
JOINS = "_\u203f\u2040\u2054\ufe33\ufe34\ufe4d\ufe4e\ufe4f\uff3f\u200c\u200d"
CIRCLED = ((0x24B6, 0x24E9), (0x1F130, 0x1F149), (0x1F150, 0x1F169), (0x1F170, 0x1F189))


@dataclass(frozen=True)
class Added:
    """A token that is looked for in texts, as the library `tokenizers` does.

    Args:
        content: the text of the token.
        special: whether it is a special token, which `decode` of the reference can leave out.
        lstrip: True takes the blanks before it along, as RoBERTa's <mask> does.
        rstrip: True takes the blanks behind it along.
        single_word: True finds it only where no letter, mark or digit stands beside it.
        normalized: True looks for its normalised form in the normalised text, so that an uncased tokenizer finds it in
            any case; False looks for it as it stands.
    """

    content: str
    special: bool = True
    lstrip: bool = False
    rstrip: bool = False
    single_word: bool = False
    normalized: bool = False

    @classmethod
    def of(cls, value: str | dict[str, Any]) -> "Added":
        """Return the token of a JSON value.

        Args:
            value: a string, which stands for a plain special token, or a dict of the fields.

        Returns:
            An `Added`.

        Raises:
            Error: when the value is neither, has no content, or a field is unknown or of another type.
        """
        given = {"content": value} if isinstance(value, str) else value
        if not isinstance(given, dict) or not isinstance(given.get("content"), str) or not given["content"]:
            raise Error(f"The added token {value!r:.60} is malformed; give its text, or an object with its content.")
        flags = {field.name for field in fields(cls)} - {"content"}
        if odd := [name for name, flag in given.items() if name != "content"
                   and (name not in flags or not isinstance(flag, bool))]:
            raise Error(f"The added token {given['content']!r:.60} has {odd[0]}={given[odd[0]]!r:.40}; give true or "
                        f"false for {', '.join(sorted(flags))}.")
        return cls(**given)

    def settings(self) -> str | dict[str, Any]:
        """Return the JSON value that `of` reads.

        Returns:
            The content alone where the other fields have their defaults, else the fields that have not.
        """
        plain = Added(self.content)
        changed = {field.name: getattr(self, field.name) for field in fields(self)
                   if getattr(self, field.name) != getattr(plain, field.name)}
        return {"content": self.content, **changed} if changed else self.content


class Splitter:
    """A splitter cuts texts at tokens.

    Of tokens that begin at the same place the longest one counts.

    Args:
        tokens: values of `Added`.
        normalize: function that makes of the content of a token what is looked for; None looks for the content.

    Example:
        >>> list(Splitter([Added("<mask>", lstrip=True)])("a <mask>."))
        [(0, 1, None), (2, 8, '<mask>'), (8, 9, None)]
    """

    def __init__(self, tokens: Iterable[Added], normalize: Callable[[str], str] | None = None):
        self.tokens: dict[str, Added] = {}            # {what is looked for: the token}
        for token in tokens:
            wanted = normalize(token.content) if normalize else token.content
            if wanted:
                self.tokens.setdefault(wanted, token)
        longest = sorted(self.tokens, key=lambda wanted: -len(wanted))
        self._find = re.compile("|".join(map(re.escape, longest))).finditer

    def __call__(self, text: str) -> Iterator[tuple[int, int, str | None]]:
        """Yield (begin, end, content) in characters: the content of each token, None for the text between them.

        The blanks that a token takes along belong to none of them.
        """
        done = 0
        for match in self._find(text) if self.tokens else ():
            token, (begin, end) = self.tokens[match.group()], match.span()
            if token.single_word and (text[begin - 1:begin] in in_words() or text[end:end + 1] in in_words()):
                continue
            before = done + len(text[done:begin].rstrip(BLANKS)) if token.lstrip else begin
            if done < before:
                yield done, before, None
            yield begin, end, token.content
            done = len(text) - len(text[end:].lstrip(BLANKS)) if token.rstrip else end
        if done < len(text):
            yield done, len(text), None


@functools.lru_cache
def in_words() -> frozenset[str]:
    """Return the characters that belong to a word, for tokens that are found as single words only.

    Returns:
        The characters.

    Example:
        >>> [c in in_words() for c in "aé1_-²"]
        [True, True, True, True, False, False]
    """
    kinds = categories()
    letters = ((kinds == LETTER) | members("accents")).nonzero()[0]
    digits = (c for c in map(chr, (kinds == NUMBER).nonzero()[0]) if unicodedata.category(c) != "No")
    circled = (chr(c) for first, last in CIRCLED for c in range(first, last + 1))
    return frozenset([*map(chr, letters), *digits, *circled, *JOINS])
