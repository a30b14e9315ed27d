"""Token ids back to a text: what a model wrote, as a person reads it."""

import re

from bertkit.text.models.bytelevel import letters
from bertkit.text.models.sentencepiece import SPACE

_BYTES = {letter: byte for byte, letter in enumerate(letters())}
# Where words were parted at punctuation, no blank belongs before a mark that closes, after one that opens, and on
# neither side of an apostrophe or a hyphen between letters.
_CLOSES, _OPENS = re.compile(r" ([.,;:!?%)\]}\u2026\u201d])"), re.compile(r"([(\[{\u201c$\u00a3]) ")
_WITHIN = re.compile(r"(?<=\w) (['\u2019-]) (?=\w)")


def decoded(tokenizer, ids):
    """Return the text of ids, special tokens left out.

    What a tokenizer loses does not come back: case where it is uncased, and for WordPiece the blanks, which are put
    where English prints them.

    >>> from bertkit.text import Tokenizer
    >>> tokenizer = Tokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "it", "'", "s", "river", "##s", "."])
    >>> decoded(tokenizer, [2, 5, 6, 7, 8, 9, 10, 3])
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
    found = bytearray()
    for letter in "".join(pieces):
        found += bytes([_BYTES[letter]]) if letter in _BYTES else letter.encode()
    return found.decode("utf-8", errors="replace")


def _sentencepiece(tokenizer, pieces):
    return "".join(pieces).replace(SPACE, " ")


DECODERS = {"wordpiece": _wordpiece, "bytelevel": _bytelevel, "unigram": _sentencepiece, "bpe": _sentencepiece}
