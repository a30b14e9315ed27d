"""What checks of a tokenizer share: its rows as lists of ids, the special entries, and words of its vocabulary."""

import re
import unicodedata
from collections.abc import Sequence
from typing import Any

import numpy as np

from bertkit.doctor.case import Case
from bertkit.doctor.finding import Measured, does_not_apply, needs
from bertkit.text.models.bytelevel import letters

# The names of a role in published vocabularies, those of BERT first.
ROLES = {"pad": ("[PAD]", "<pad>"), "unk": ("[UNK]", "<unk>"), "cls": ("[CLS]", "<cls>", "<s>"),
         "sep": ("[SEP]", "<sep>", "</s>"), "mask": ("[MASK]", "<mask>")}
# What continues a word in WordPiece, and what begins one in byte-level BPE and in SentencePiece.
PREFIX, SPACE, LOW_LINE = "##", "Ġ", "▁"
FEWEST = 200                                    # words by which the case of a byte-level vocabulary is judged
LENGTH = 64                                     # tokens of a row of probes that must not be cut
BRACKETED = re.compile(r"[\[<].*[\]>]$")


def special_ids(case: Case) -> dict[str, int]:
    """Return where the vocabulary has the special entries.

    Args:
        case: A case with a vocabulary.

    Returns:
        {role: id} of those that there are.
    """
    ids = entry_ids(case)
    named = {role: next((name for name in names if name in ids), None) for role, names in ROLES.items()}
    return {role: ids[name] for role, name in named.items() if name is not None}


def entry_ids(case: Case) -> dict[str, int]:
    """Return the id of each entry of the vocabulary.

    Args:
        case: A case with a vocabulary.

    Returns:
        {entry: id}.
    """
    return case.once("entry ids", lambda: {entry: i for i, entry in enumerate(case.vocabulary or ())})


def is_wordpiece(case: Case) -> bool:
    """Return whether the vocabulary is one of WordPiece.

    Args:
        case: A case with a vocabulary.

    Returns:
        True or False.
    """
    entries = case.vocabulary or ()
    return any(entry.startswith(PREFIX) for entry in entries) and not any(entry.startswith((SPACE, LOW_LINE))
                                                                          for entry in entries)


def is_bytes(case: Case) -> bool:
    """Return whether the vocabulary is one of byte-level BPE.

    Args:
        case: A case with a vocabulary.

    Returns:
        True or False.
    """
    return any(entry.startswith(SPACE) for entry in case.vocabulary or ())


def whole_words(case: Case) -> dict[str, str]:
    """Return the entries that can be a whole word, and the word of each.

    Args:
        case: A case with a vocabulary.

    Returns:
        {entry: text}: of WordPiece the entries that continue no word, of byte-level BPE those that begin with its sign
        for a space, decoded, of SentencePiece those that begin with ▁. Entries in brackets are left out.
    """
    def make():
        entries = [entry for entry in case.vocabulary or () if not BRACKETED.match(entry)]
        if is_bytes(case):
            found = {entry: _decoded(entry[1:]) for entry in entries if entry.startswith(SPACE)}
        elif any(entry.startswith(LOW_LINE) for entry in entries):
            found = {entry: entry[1:] for entry in entries if entry.startswith(LOW_LINE)}
        else:
            found = {entry: entry for entry in entries if not entry.startswith(PREFIX)}
        return {entry: text for entry, text in found.items() if text}
    return case.once("whole words", make)


def _decoded(entry):
    """Return the text of an entry of byte-level BPE; "" where its bytes are not whole characters."""
    places = {letter: number for number, letter in enumerate(letters())}
    try:
        return bytes(places[letter] for letter in entry).decode()
    except (KeyError, UnicodeDecodeError):
        return ""


def is_uncased(case: Case) -> bool | None:
    """Return whether the vocabulary is lower-cased; None where its entries have no case.

    Args:
        case: A case with a vocabulary.

    Returns:
        True where hardly any entry outside brackets has an upper-case letter.
    """
    entries = _texts(case)
    lower = sum(entry != entry.upper() for entry in entries)
    upper = sum(entry != entry.lower() for entry in entries)
    return None if lower + upper < (FEWEST if is_bytes(case) else 10) else upper <= 0.005 * (lower + upper)


def accented(case: Case) -> list[str]:
    """Return the entries with a Latin letter that has an accent; of WordPiece those that continue a word, too.

    Args:
        case: A case with a vocabulary.

    Returns:
        The entries; an empty list where they are so few that they are strays.
    """
    whole = whole_words(case)
    every = whole.items() if not is_wordpiece(case) else [(entry, entry) for entry in case.vocabulary or ()
                                                          if not BRACKETED.match(entry)]
    found = [entry for entry, text in every if _has_accent(text)]
    return found if len(found) >= max(2, 2e-4 * len(case.vocabulary or ())) else []


def _texts(case):
    """Return the texts by which case is judged: all entries of WordPiece, whole words of other kinds."""
    if is_wordpiece(case):
        return [entry for entry in case.vocabulary or () if not BRACKETED.match(entry)]
    return list(whole_words(case).values())


def _has_accent(text):
    parts = unicodedata.normalize("NFD", text)
    return any(unicodedata.category(mark) == "Mn" and letter.isascii() and letter.isalpha()
               for letter, mark in zip(parts, parts[1:], strict=False))


def plain_words(case: Case, count: int = 200) -> list[str]:
    """Return whole words of the vocabulary in lower case, of letters without accents.

    Args:
        case: A case with a vocabulary.
        count: The most that are drawn.

    Returns:
        The words.
    """
    def plain(texts):
        return [text for text in texts if len(text) > 1 and text.isalpha() and text.isascii() and text == text.lower()]

    words = plain(whole_words(case).values())
    return drawn(case, words if len(words) > 2 else plain(case.vocabulary or ()), count)


def drawn(case: Case, entries: Sequence[Any], count: int) -> list[Any]:
    """Return some of a list, drawn by the seed of the case, in their order.

    Args:
        case: The case.
        entries: The list.
        count: The most that are drawn.

    Returns:
        At most `count` of them.
    """
    if len(entries) <= count:
        return list(entries)
    places = np.random.default_rng(case.seed).choice(len(entries), count, replace=False)
    return [entries[i] for i in sorted(places)]


def rows(case: Case, first: Sequence[str], second: Sequence[str] | None = None,
         length: int = LENGTH) -> list[tuple[list[int], list[int]]]:
    """Return what the tokenizer makes of texts.

    Args:
        case: A case with a tokenizer.
        first: The texts.
        second: The second texts of pairs, or None.
        length: The length to which rows are cut and padded.

    Returns:
        (ids, segment ids) of the real tokens of each row.
    """
    assert case.tokenizer is not None
    batch = case.tokenizer(list(first), None if second is None else list(second), length=length)
    ids = np.asarray(batch["token_ids"])
    mask = np.asarray(batch["padding_mask"]) > 0
    segments = np.asarray(batch.get("segment_ids", np.zeros_like(ids)))
    return [(a[real].tolist(), b[real].tolist()) for a, b, real in zip(ids, segments, mask, strict=True)]


def pieces_of(case: Case, word: str, first: bool = True) -> list[int]:
    """Return the ids of a word, without the special tokens around it.

    Args:
        case: A case with a tokenizer.
        word: The word.
        first: Whether it begins a text; byte-level pieces hold the space before a word that does not.

    Returns:
        The ids.
    """
    marks = case.once("ids of an empty text", lambda: rows(case, [""])[0][0])
    spaced = is_bytes(case)
    ids = rows(case, [word if first or not spaced else f" {word}"])[0][0]
    before = next((i for i, (a, b) in enumerate(zip(marks, ids, strict=False)) if a != b), min(len(marks), len(ids)))
    return ids[before:len(ids) - (len(marks) - before)]


def not_looked(case: Case) -> Measured | None:
    """Return why case and accents of a tokenizer cannot be looked at.

    Args:
        case: The case.

    Returns:
        The verdict; None where they can.
    """
    if case.tokenizer is None or not case.vocabulary:
        return needs("tokenizer and vocabulary")
    known = is_wordpiece(case) or is_bytes(case) or any(entry.startswith(LOW_LINE) for entry in case.vocabulary)
    return None if known else does_not_apply("the vocabulary marks no beginnings of words")
