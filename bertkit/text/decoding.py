"""Token ids back to a readable text."""

import re
from collections.abc import Iterable
from typing import Any

from bertkit.text.models.bytelevel import letters
from bertkit.text.models.sentencepiece import SPACE

_BYTES = {letter: byte for byte, letter in enumerate(letters())}
_BYTE = re.compile("<0x[0-9A-F]{2}>")
# Where words were split at punctuation, there is no blank before a closing mark, none after an opening mark, and none
# around an apostrophe or a hyphen between letters.
_CLOSES, _OPENS = re.compile(r" ([.,;:!?%)\]}\u2026\u201d])"), re.compile(r"([(\[{\u201c$\u00a3]) ")
_WITHIN = re.compile(r"(?<=\w) (['\u2019-]) (?=\w)")


def decode(tokenizer: Any, ids: Iterable[int]) -> str:
    """Return the text of token ids, without special tokens.

    What a tokenizer loses does not come back: the case where it is uncased and, for WordPiece, the blanks. These are
    put where English prints them.

    Args:
        tokenizer: a `Tokenizer`.
        ids: ids of one text.

    Returns:
        The text, a str.

    Example:
        >>> from bertkit.text import Tokenizer
        >>> tokenizer = Tokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "it", "'", "s", "river", "##s", "."])
        >>> decode(tokenizer, [2, 5, 6, 7, 8, 9, 10, 3])
        "it's rivers."
    """
    special = set(tokenizer.special.values())
    pieces = [piece for piece in (tokenizer.vocabulary[i] for i in ids) if piece not in special]
    return DECODERS[tokenizer.model.kind](tokenizer, pieces).strip()


def _wordpiece(tokenizer, pieces):
    prefix = tokenizer.model.prefix
    text = "".join(piece[len(prefix):] if piece.startswith(prefix) else f" {piece}" for piece in pieces)
    return _OPENS.sub(r"\1", _CLOSES.sub(r"\1", _WITHIN.sub(r"\1", text)))


def _bytelevel(tokenizer, pieces):
    content = bytearray()
    for letter in "".join(pieces):
        content += bytes([_BYTES[letter]]) if letter in _BYTES else letter.encode()
    return content.decode("utf-8", errors="replace")


def _sentencepiece(tokenizer, pieces):
    return "".join(pieces).replace(SPACE, " ")


def _byte_fallback(tokenizer, pieces):
    content = b"".join(bytes([int(piece[3:5], 16)]) if _BYTE.fullmatch(piece) else piece.encode() for piece in pieces)
    return content.decode("utf-8", errors="replace").replace(SPACE, " ")


def _japanese(tokenizer, pieces):
    return "".join(piece.removeprefix("##") for piece in pieces)          # Japanese has no blanks between words


DECODERS = {"wordpiece": _wordpiece, "japanese": _japanese, "bytelevel": _bytelevel,
            "unigram": _sentencepiece, "bpe": _sentencepiece, "bytefallback": _byte_fallback}
