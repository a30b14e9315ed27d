"""BPE on whole texts, in which a character that is no entry is written as its bytes, as Gemma 2 and mmBERT have it.

Sources: Sennrich et al. 2016 (arXiv 1508.07909) for BPE, Kudo and Richardson 2018 (arXiv 1808.06226) and the option
byte_fallback of its code.
"""

import re
from collections.abc import Sequence
from typing import Any

from bertkit.errors import Error
from bertkit.text.models.pieces import Pieces
from bertkit.text.models.sentencepiece import BPE, CACHED_WORDS, LONGEST_CACHED, SPACE


class ByteFallback(BPE):
    """BPE that is never at a loss: a character that is no entry becomes the entries <0x00> to <0xFF> of its bytes.

    The text is not split into words: the normalisation turns spaces into ▁, and of the pairs of neighbours that are in
    `merges` the earliest in the list becomes one entry. A text is cut before each run of ▁ all the same where no merge
    joins another character with a ▁ behind it, because the result is equal.

    Args:
        vocabulary: sequence of str, the entries in the order of their ids.
        unknown: the unknown token, which is never used.
        merges: strings "left right".
        normalization: steps of `Normalizer`, such as ["replace", " ", "▁"].
        controls: entries, such as special tokens, that are not found in a text.
        charsmap: precompiled character map in base64, "" for none.

    Raises:
        Error: when an entry of a merge or of a byte is missing, or a merge is of bytes.

    Example:
        >>> entries = ["<unk>", "▁", "a", "▁a", *(f"<0x{byte:02X}>" for byte in range(256))]
        >>> model = ByteFallback(entries, "<unk>", merges=["▁ a"], normalization=[["replace", " ", "▁"]])
        >>> model.encode("a aé")
        Pieces(ids=[2, 3, 199, 173], offsets=[(0, 1), (1, 3), (3, 4), (3, 4)])
    """

    kind = "bytefallback"

    def __init__(self, vocabulary: Sequence[str], unknown: str = "<unk>", merges: Sequence[str] = (),
                 normalization: Sequence[Any] = (), controls: Sequence[str] = (), charsmap: str = ""):
        super().__init__(vocabulary, unknown, merges, normalization=list(normalization), controls=list(controls),
                         charsmap=charsmap, words="spaces", prefix=False)
        ids = {entry: i for i, entry in enumerate(vocabulary)}
        names = [f"<0x{byte:02X}>" for byte in range(256)]
        if missing := [name for name in names if name not in ids]:
            raise Error(f"The vocabulary has no {missing[0]}, and characters that are no entry are written in bytes; "
                        "give the vocabulary of the checkpoint.")
        self.byte_ids = [ids[name] for name in names]
        within = {i for pair in self.merges.table for i in pair} & set(self.byte_ids)
        if within:
            raise Error(f"A merge joins {vocabulary[min(within)]} with another entry; bertkit reads vocabularies whose "
                        "bytes stay apart.")
        self.cuts_at_spaces = not any(re.search(f"[^{SPACE}]{SPACE}", merge.replace(" ", "", 1))
                                      for merge in self.merges.merges)
        self._words = re.compile(f"{SPACE}*[^{SPACE}]+|{SPACE}+" if self.cuts_at_spaces else r"(?s:.+)")

    def settings(self) -> dict[str, Any]:
        """Return the settings that, with the vocabulary and the tables, make this model again.

        Returns:
            {setting: value}, as JSON.
        """
        settings = super().settings()
        return {name: settings[name] for name in ("normalization", "controls")}

    def _split(self, raw):
        """Return the Pieces of one word, whose offsets count from its first character; bytes have their character's."""
        symbols, starts, ends = [], [], []
        for place, c in enumerate(raw):
            new = [self.pieces[c]] if c in self.pieces else [self.byte_ids[byte] for byte in _bytes(c)]
            symbols += new
            starts += [place] * len(new)
            ends += [place + 1] * len(new)
        ids, counts = self.merges(symbols)
        places = zip([0, *counts], counts, strict=False)
        pieces = Pieces(ids, [(starts[first], ends[last - 1]) for first, last in places])
        if len(raw) <= LONGEST_CACHED:
            if len(self._cache) >= CACHED_WORDS:
                self._cache.clear()
            self._cache[raw] = pieces
        return pieces


def _bytes(c):
    """Return the bytes of a character; a lone surrogate, which UTF-8 does not have, is read as U+FFFD."""
    return ("\ufffd" if "\ud800" <= c <= "\udfff" else c).encode()
