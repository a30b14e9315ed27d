"""Sentences in spaCy's binary form for training, .spacy (DocBin), read without spaCy: zlib around MessagePack.

What stands in it says https://spacy.io/api/docbin: of each token a row of 64-bit numbers, one for each attribute; texts
are hashes, and the strings stand beside them. The numbers of attributes and symbols are those of spaCy 3.
"""

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from bertkit.data.lines import BadRow
from bertkit.data.msgpack import unpack
from bertkit.data.sentences import OUTSIDE, iob2
from bertkit.errors import Error, reason
from bertkit.files.bounded import content

LARGEST = 2**30                         # bytes of a file when it is unpacked: some ten million words
_ORTH, _ENT_IOB, _ENT_TYPE, _SENT_START = 65, 77, 78, 80
_MISSING, _INSIDE, _BEGIN = 0, 1, 3     # of _ENT_IOB; 2 is outside
# Strings that are no hashes: spaCy's symbols, by the number of the first one of each row.
_SYMBOLS = {
    1: "IS_ALPHA IS_ASCII IS_DIGIT IS_LOWER IS_PUNCT IS_SPACE IS_TITLE IS_UPPER LIKE_URL LIKE_NUM LIKE_EMAIL "
       "IS_STOP IS_OOV_DEPRECATED IS_BRACKET IS_QUOTE IS_LEFT_PUNCT IS_RIGHT_PUNCT IS_CURRENCY",
    19: " ".join(f"FLAG{number}" for number in range(19, 64)),
    64: "ID ORTH LOWER NORM SHAPE PREFIX SUFFIX LENGTH CLUSTER LEMMA POS TAG DEP ENT_IOB ENT_TYPE HEAD SENT_START "
        "SPACY PROB LANG ADJ ADP ADV AUX CONJ CCONJ DET INTJ NOUN NUM PART PRON PROPN PUNCT SCONJ SYM VERB X EOL SPACE",
    104: " ".join(f"DEPRECATED{number:03d}" for number in range(1, 277)),
    380: "PERSON NORP FACILITY ORG GPE LOC PRODUCT EVENT WORK_OF_ART LANGUAGE LAW DATE TIME PERCENT MONEY QUANTITY "
         "ORDINAL CARDINAL",
    398: "acomp advcl advmod agent amod appos attr aux auxpass cc ccomp complm conj cop csubj csubjpass dep det dobj "
         "expl hmod hyph infmod intj iobj mark meta neg nmod nn npadvmod nsubj nsubjpass num number oprd obj obl "
         "parataxis partmod pcomp pobj poss possessive preconj prep prt punct quantmod relcl rcmod root xcomp acl "
         "ENT_KB_ID MORPH ENT_ID IDX _"}
_BITS = 2**64 - 1
_MIX = 0xc6a4a7935bd1e995


def docbin_sentences(path: Path) -> Iterator[tuple[int, tuple[list[str], list[str]] | BadRow]]:
    """Yield (number of the document, (words, tags in IOB2)), or a `BadRow`, of each sentence.

    A document without sentence starts is one sentence. Tokens of blanks are no words. A document with words of which
    nobody said whether they are in an entity cannot be used: they would be learnt as being in none.

    Args:
        path: The file.

    Yields:
        The sentences.

    Raises:
        Error: when the file cannot be read, or its entities were not kept.
    """
    try:
        table, lengths, strings = _columns(_unpacked(path))
    except (ValueError, KeyError, TypeError) as error:
        raise Error(f"{path} is no .spacy file of spaCy 3 ({reason(error):.80}); write it again with spacy convert, or "
                    "as JSON lines.") from None
    if not {_ENT_IOB, _ENT_TYPE} <= set(table):
        raise Error(f"{path} keeps no entities: its DocBin was made without ENT_IOB and ENT_TYPE; write it again with "
                    "these.")
    end = 0
    for number, length in enumerate(lengths, start=1):
        start, end = end, end + length
        yield from _document(number, {name: column[start:end] for name, column in table.items()}, strings)


def _unpacked(path):
    """Return the value in a file."""
    packed = content(path)
    try:
        stream = zlib.decompressobj()
        plain = stream.decompress(packed, LARGEST + 1)
        if len(plain) > LARGEST:
            raise Error(f"{path} has more than {LARGEST} bytes when it is unpacked; write it as several files.")
        if not stream.eof:
            raise ValueError("it is cut")
    except zlib.error:
        raise ValueError("it is not packed with zlib") from None
    return unpack(plain)


def _columns(value: Any) -> tuple[dict[int, np.ndarray], list[int], dict[int, str]]:
    """Return ({attribute: its value of each token}, the tokens of each document, {number: string})."""
    attributes, strings = value["attrs"], value["strings"]
    if not all(isinstance(each, int) for each in attributes) or not all(isinstance(each, str) for each in strings):
        raise ValueError("attrs or strings hold something else")
    lengths = np.frombuffer(value["lengths"], "<i4")
    tokens = np.frombuffer(value["tokens"], "<u8")
    if (lengths < 0).any() or int(lengths.sum(dtype="int64")) * len(attributes) != len(tokens) or not attributes:
        raise ValueError("the lengths do not fit the tokens")
    table = dict(zip(attributes, tokens.reshape(-1, len(attributes)).T, strict=True))
    if _ORTH not in table:
        raise ValueError("the tokens have no text")
    known = {start + place: name for start, names in _SYMBOLS.items() for place, name in enumerate(names.split(" "))}
    symbols = set(known.values())
    return table, lengths.tolist(), {0: ""} | known | {
        _hash(text.encode("utf-8")): text for text in strings if text and text not in symbols}


def _hash(key):
    """Return the MurmurHash64A of bytes, with the seed 1, by which spaCy numbers its strings (Appleby 2008)."""
    found = 1 ^ len(key) * _MIX & _BITS
    whole = len(key) // 8 * 8
    for place in range(0, whole, 8):
        part = int.from_bytes(key[place:place + 8], "little") * _MIX & _BITS
        found = (found ^ (part ^ part >> 47) * _MIX & _BITS) * _MIX & _BITS
    if key[whole:]:
        found = (found ^ int.from_bytes(key[whole:], "little")) * _MIX & _BITS
    found = (found ^ found >> 47) * _MIX & _BITS
    return found ^ found >> 47


def _document(number, columns, strings):
    """Yield the sentences of a document."""
    marks = columns[_ENT_IOB]
    if unknown := int((marks == _MISSING).sum()):
        yield number, BadRow(number, f"of {unknown} of its {len(marks)} tokens nobody said whether they are in an "
                                     "entity (ENT_IOB 0)")
        return
    words, tags = [], []
    starts = columns.get(_SENT_START, np.zeros(len(marks), "uint64"))
    for orth, mark, kind, start in zip(columns[_ORTH].tolist(), marks.tolist(), columns[_ENT_TYPE].tolist(),
                                       starts.tolist(), strict=True):
        if orth not in strings or kind not in strings:
            yield number, BadRow(number, "a token or a type of entity is none of the file's strings")
            return
        if start == 1 and words:
            yield number, (words, iob2(tags))
            words, tags = [], []
        if word := strings[orth].strip():
            words.append(word)
            tags.append(f"{'B' if mark == _BEGIN else 'I'}-{'_'.join(strings[kind].split())}"
                        if mark in (_INSIDE, _BEGIN) and strings[kind].strip() else OUTSIDE)
    if words:
        yield number, (words, iob2(tags))
