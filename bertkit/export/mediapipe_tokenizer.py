"""How MediaPipe finds the ids of a text, so that it can be said how often they are not bertkit's.

It is not run by anything that answers. Source: MediaPipe 1.2.3, `bert_preprocessor_calculator.cc`, `bert_tokenizer.cc`
and `vocab_utils.cc`, and of TensorFlow Text `regex_split.cc` and `wordpiece_tokenizer.cc`. It differs from BERT's own
(Devlin et al. 2018): accents stay, letters outside ASCII keep their case, control characters stay, blanks outside ASCII
are no blanks, and a word of more than 100 bytes is unknown.
"""

import functools
import re
import string
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from bertkit.text.unicode.codepoints import ISOLATED, codepoints

BLANKS = " \t\n\f\r"
LONGEST = 100           # bytes of a word
# What stands alone beside punctuation: Chinese characters, as the regular expression of MediaPipe names them.
ALONE = ((0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x20000, 0x2A6DF), (0x2A700, 0x2B73F), (0x2B740, 0x2B81F),
         (0x2B820, 0x2CEAF), (0xF900, 0xFAFF), (0x2F800, 0x2FA1F))
# Punctuation of Unicode 17, which MediaPipe has, that bertkit's table does not know, and marks that are none any more.
NEW = ("61D 9FD A76 C77 C84 1B4E-1B4F 1B7D-1B7F 2E43-2E4F 2E52-2E5D 10D6E 10EAD 10ED0 10F55-10F59 10F86-10F89 "
       "113D4-113D5 113D7-113D8 1144B-1144F 1145A-1145B 1145D 11660-1166C 116B9 1183B 11944-11946 119E2 11A3F-11A46 "
       "11A9A-11A9C 11A9E-11AA2 11B00-11B09 11BE1 11C41-11C45 11C70-11C71 11EF7-11EF8 11F43-11F4F 11FFF 12FF1-12FF2 "
       "16D6D-16D6F 16E97-16E9A 16FE2 1E5FF 1E95E-1E95F")
GONE = (0x166D, 0x111C9)
CLS, SEP, UNKNOWN, PREFIX = "[CLS]", "[SEP]", "[UNK]", "##"
_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


class MediaPipeTokenizer:
    """MediaPipe's tokenizer of a vocabulary, with the methods by which tasks make rows of one text.

    Args:
        vocabulary: The entries of vocab.txt, in the order of their ids; of equal ones the last counts.
        before: What a program does to a text before it gives it to MediaPipe.

    Example:
        >>> MediaPipeTokenizer(["[UNK]", "[CLS]", "[SEP]", "river", "##s", "é"]).ids(["Rivers É"])
        [[3, 4, 0]]
    """

    def __init__(self, vocabulary: Sequence[str], before: Callable[[str], str] = str) -> None:
        self._ids = {entry: number for number, entry in enumerate(vocabulary)}
        self._longest = max(map(len, vocabulary))
        self._before = before

    def ids(self, texts: Iterable[str]) -> list[list[int]]:
        """Return the ids of texts, without special tokens around them.

        Args:
            texts: The texts.

        Returns:
            A list of int for each.
        """
        return [self._ids_of(self._before(text)) for text in texts]

    def pack_ids(self, first: Sequence[int], second: None = None, length: int = 128) -> tuple[list[int], list[int]]:
        """Return one row with special tokens, cut to a length as the file cuts it.

        Args:
            first: The ids of a text.
            second: Not used; MediaPipe reads one text.
            length: The most tokens of the row.

        Returns:
            The token ids, and as many zeros for the segments.
        """
        row = [self._ids[CLS], *first[:length - 2], self._ids[SEP]]
        return row, [0] * len(row)

    def _ids_of(self, text):
        text = text.partition("\0")[0].translate(_LOWER)        # the text is handed over as a string of C
        return [number for word in _words().findall(text) for number in self._pieces(word)]

    def _pieces(self, word):
        """Return the ids of the longest pieces from the left, or that of the unknown token."""
        found, start = [], 0
        if len(word.encode("utf-8", "replace")) > LONGEST:
            return [self._ids[UNKNOWN]]
        while start < len(word):
            prefix = PREFIX if start else ""
            ends = range(min(len(word), start + self._longest), start, -1)
            end = next((end for end in ends if prefix + word[start:end] in self._ids), None)
            if end is None:
                return [self._ids[UNKNOWN]]
            found.append(self._ids[prefix + word[start:end]])
            start = end
        return found


@functools.cache
def _words():
    """Return the pattern of a word: what stands alone, or a run of all else that is no blank."""
    alone = "".join(f"{chr(first)}-{chr(last)}" for first, last in ALONE) + re.escape(_punctuation())
    return re.compile(f"[{alone}]|[^{alone}{re.escape(BLANKS)}]+")


def _punctuation():
    """Return the marks of ASCII and the codepoints of Unicode's categories P."""
    marks = codepoints("huggingface", False, False, False, False).kinds == ISOLATED
    marks[list(GONE)] = False
    for part in NEW.split():
        first, _, last = part.partition("-")
        marks[int(first, 16):int(last or first, 16) + 1] = True
    return "".join(map(chr, np.flatnonzero(marks)))
