"""The .model file of SentencePiece: a message of Protocol Buffers, read field by field.

Source: sentencepiece_model.proto of SentencePiece (field numbers) and the Protocol Buffers encoding guide. Fields that
do not change the ids are ignored; a field that changes them and that bertkit does not have is an Error.
"""

import struct
from pathlib import Path
from typing import Any, NamedTuple

from bertkit.errors import Error
from bertkit.files.bounded import content

VARINT, WORD64, BYTES, WORD32 = 0, 1, 2, 5
PIECES, TRAINER, NORMALIZER = 1, 2, 3         # of the model
PIECE, SCORE, TYPE = 1, 2, 3                  # of a piece
ALGORITHM, SUFFIX, BYTE_FALLBACK, UNKNOWN = 3, 24, 35, 40        # of the trainer
CHARSMAP = 2                                  # of the normalizer
NORMAL, CONTROL = 1, 3                        # types of pieces
ALGORITHMS = {1: "unigram", 2: "bpe"}
LONGEST = 1 << 10                             # characters of a piece; SentencePiece makes pieces of up to 16 by default


class Model(NamedTuple):
    """The contents of a .model file.

    Args:
        pieces: list of (text, score, type).
        kind: "unigram" or "bpe".
        unknown: number of the unknown piece.
        charsmap: bytes of the precompiled character map, empty for none.
    """

    pieces: list[tuple[str, float, Any]]
    kind: str
    unknown: int
    charsmap: bytes


def read(path: Path) -> Model:
    """Read a .model file.

    Args:
        path: the file.

    Returns:
        A `Model`.

    Raises:
        Error: when the file is missing, damaged or of a kind that bertkit does not have.
    """
    found = content(path)
    try:
        return _model(found)
    except (ValueError, IndexError, KeyError, TypeError, AttributeError, struct.error) as error:
        raise Error(f"{path} is not a SentencePiece model, or a damaged one ({error}); copy the file again.") from None
    except Error as error:
        raise Error(f"{path}: {error}") from None


def _model(content):
    """Return the Model of the bytes of a file."""
    pieces, trainer, normalizer = [], {}, {}
    for number, value in _fields(content):
        if number == PIECES:
            pieces.append(_piece(value))
        elif number == TRAINER:
            trainer = dict(_fields(value))
        elif number == NORMALIZER:
            normalizer = dict(_fields(value))
    if trainer.get(SUFFIX) or trainer.get(BYTE_FALLBACK) or trainer.get(ALGORITHM, 1) not in ALGORITHMS:
        raise Error("its trainer_spec asks for byte_fallback, treat_whitespace_as_suffix or an algorithm besides "
                    "unigram and BPE; bertkit does not read such a model.")
    unknown, charsmap = trainer.get(UNKNOWN, 0), normalizer.get(CHARSMAP, b"")
    if unknown not in range(len(pieces)) or not isinstance(charsmap, bytes):
        raise ValueError(f"{len(pieces)} pieces, the unknown one is number {unknown}")
    return Model(pieces, ALGORITHMS[trainer.get(ALGORITHM, 1)], unknown, charsmap)


def _piece(content):
    """Return (text, score, type) of one piece."""
    fields = dict(_fields(content))
    text, score = fields[PIECE].decode(), fields.get(SCORE, 0.0)
    if len(text) > LONGEST or not isinstance(score, float):
        raise ValueError(f"a piece of {len(text)} characters with the score {score!r:.20}")
    return text, score, fields.get(TYPE, NORMAL)


def _fields(content):
    """Yield (field number, value) of a message: int, float for 32 bits, or bytes."""
    place, end = 0, len(content)
    while place < end:
        tag, place = _varint(content, place)
        number, wire = tag >> 3, tag & 7
        if wire == VARINT:
            value, place = _varint(content, place)
        elif wire == BYTES:
            size, place = _varint(content, place)
            value, place = content[place:place + size], place + size
        elif wire in (WORD32, WORD64):
            size, form = (4, "<f") if wire == WORD32 else (8, "<d")
            value, place = struct.unpack(form, content[place:place + size])[0], place + size
        else:
            raise ValueError(f"wire type {wire} at byte {place}")
        if place > end or not number:
            raise ValueError(f"field {number} ends at byte {place} of {end}")
        yield number, value


def _varint(content, place):
    """Return a number of at most ten bytes of seven bits each, the lowest first, and the place behind it."""
    number = 0
    for shift in range(0, 70, 7):
        byte = content[place]
        place += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, place
    raise ValueError(f"a number of more than ten bytes before byte {place}")
