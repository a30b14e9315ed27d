"""Fewer entries in a vocabulary: those that texts use, or so many; words of others are split into what is left."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

import numpy as np

from bertkit.errors import Error
from bertkit.terminal import say
from bertkit.text import Tokenizer

KINDS = ("wordpiece", "bytelevel", "unigram")


def used_entries(tokenizer: Tokenizer, texts: Sequence[str], named: Iterable[int] = ()) -> list[int]:
    """Return the entries that texts use, special ones and single characters: texts are split as before with these.

    WordPiece takes the longest entry first, so it takes the same ones where all that it took are there. Of byte-level
    BPE every merge stays that takes part in an entry that is used, and the one of lowest rank among those that can be
    done is the same. Of a unigram model the most probable split stays, and with it the lowest score, from which that of
    unknown characters follows.

    Args:
        tokenizer: The `Tokenizer`.
        texts: The texts.
        named: More ids that stay.

    Returns:
        Ids, ascending.

    Raises:
        Error: when such a tokenizer is not trimmed.

    Example:
        >>> tokenizer = Tokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "river", "bank", "a", "##s"])
        >>> [tokenizer.vocabulary[i] for i in used_entries(tokenizer, ["Rivers"])]
        ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', 'river', 'a', '##s']
    """
    model = _checked(tokenizer).model
    matched = model.matched if model.kind == "wordpiece" else model.ids
    counts = Counter(chain.from_iterable(map(matched, texts)))
    counts.update(chain.from_iterable(tokenizer.ids(texts)))
    used = _with_parts(tokenizer, counts)
    return sorted({*used, *named, *_special(tokenizer), *_characters(tokenizer)})


def frequent_entries(tokenizer: Tokenizer, texts: Sequence[str], size: int, named: Iterable[int] = ()) -> list[int]:
    """Return the entries of a vocabulary of a given size.

    These are the special entries, single characters, with them all words of the vocabulary can be written, and the
    entries that are the most frequent in texts. Where the single characters are more than half of the size, only those
    of ASCII and of the texts are kept, which is said.

    Args:
        tokenizer: The `Tokenizer`.
        texts: The texts.
        size: The number of entries.
        named: More ids that stay.

    Returns:
        Ids, ascending.

    Raises:
        Error: when such a tokenizer is not trimmed, it has fewer entries, or more must stay.
    """
    vocabulary = _checked(tokenizer).vocabulary
    if size > len(vocabulary):
        raise Error(f"vocabulary={size} is more than the {len(vocabulary)} entries that there are; give fewer.")
    counts = _with_parts(tokenizer, Counter(chain.from_iterable(tokenizer.ids(texts))))
    characters = _characters(tokenizer)
    if 2 * len(characters) > size:
        characters = _needed(tokenizer, characters, counts)
    kept = {*named, *_special(tokenizer), *characters, *_unwritable(tokenizer, counts)}
    if len(kept) > size:
        raise Error(f"vocabulary={size} is too few: {len(kept)} entries are special, or single characters of ASCII and "
                    f"of the texts, which let every word be written; give {len(kept)} or more.")
    if lost := len(_characters(tokenizer) - kept):
        say(f"{lost} single characters that are beyond ASCII and in no text are left out; words with them are unknown.")
    order = sorted(range(len(vocabulary)), key=lambda i: (-counts[i], _size(tokenizer, i), i))
    rest = (i for i in order if i not in kept)
    return sorted({*kept, *(i for i, _ in zip(rest, range(size - len(kept)), strict=False))})


def trimmed(tokenizer: Tokenizer, ids: Sequence[int]) -> Tokenizer:
    """Return a tokenizer of some of the entries of another one; its entry i is the other's entry ids[i].

    Args:
        tokenizer: The `Tokenizer`.
        ids: The ids that stay, ascending, with the special tokens.

    Returns:
        A `Tokenizer`.

    Raises:
        Error: when such a tokenizer is not trimmed, or a token that it needs is not among `ids`.
    """
    known = len(_checked(tokenizer).model_vocabulary)
    inside = [i for i in ids if i < known]
    kept, settings, tables = {tokenizer.vocabulary[i] for i in inside}, tokenizer.settings(), tokenizer.model.tables()
    if "merges" in tables:
        parts = [(merge, *merge.partition(" ")[::2]) for merge in tables["merges"]]
        tables["merges"] = [merge for merge, left, right in parts if {left, right, left + right} <= kept]
    if "scores" in tables:
        tables["scores"] = [tables["scores"][i] for i in inside]
    return Tokenizer([tokenizer.vocabulary[i] for i in inside], **tables, **settings)


def _checked(tokenizer):
    """Return a tokenizer whose kind can be trimmed."""
    if tokenizer.model.kind not in KINDS:
        raise Error(f"A vocabulary of the kind {tokenizer.model.kind} is not trimmed; {', '.join(KINDS)} are: leave "
                    "--vocabulary out.")
    return tokenizer


def _special(tokenizer):
    """Return the ids of the entries that the tokenizer itself needs."""
    model, words = tokenizer.model, {*tokenizer.special.values(), *(token.content for token in tokenizer.added)}
    words |= {part for paired in (False, True) for part, _ in tokenizer.template.parts(paired)}
    found = {i for i, entry in enumerate(tokenizer.vocabulary) if entry in words}
    if model.kind == "bytelevel":
        found |= {i for i in model.byte_ids if i is not None}
    if model.kind == "unigram":
        found |= {i for i, entry in enumerate(tokenizer.vocabulary) if entry in model.settings()["controls"]}
        found.add(int(np.argmin(model.scores)))
    return found


def _bare(tokenizer, entry):
    """Return the characters of an entry, without the mark of what follows another piece."""
    prefix = tokenizer.model.prefix if tokenizer.model.kind == "wordpiece" else ""
    return entry[len(prefix):] if prefix and len(entry) > len(prefix) and entry.startswith(prefix) else entry


def _size(tokenizer, i):
    return len(_bare(tokenizer, tokenizer.vocabulary[i]))


def _characters(tokenizer):
    """Return the ids of the entries of a single character, those that follow another piece included."""
    return {i for i in range(len(tokenizer.vocabulary)) if _size(tokenizer, i) == 1}


def _needed(tokenizer, characters, counts):
    """Return which single characters are of ASCII, or of an entry that is used."""
    used = set("".join(_bare(tokenizer, tokenizer.vocabulary[i]) for i in counts))
    entries = {i: _bare(tokenizer, tokenizer.vocabulary[i]) for i in characters}
    return {i for i, character in entries.items() if character.isascii() or character in used}


def _unwritable(tokenizer, counts):
    """Return the entries in use that single characters of the vocabulary cannot write, as ##ï is missing for naïve."""
    known, wordpiece = set(tokenizer.vocabulary), tokenizer.model.kind == "wordpiece"
    found = set()
    for i in counts:
        entry, bare = tokenizer.vocabulary[i], _bare(tokenizer, tokenizer.vocabulary[i])
        begins = len(bare) == len(entry) or not wordpiece
        forms = [c if not wordpiece or begins and at == 0 else tokenizer.model.prefix + c for at, c in enumerate(bare)]
        found |= set() if known.issuperset(forms) else {i}
    return found


def _with_parts(tokenizer, counts):
    """Return how often each entry is used; those that merges make another of are used as often as that too."""
    found = Counter(counts)
    if tokenizer.model.kind != "bytelevel":
        return found
    ranks = {tuple(merge.split(" ")): rank for rank, merge in enumerate(tokenizer.model.merges.merges)}
    for i, count in counts.items():
        for entry in merged_entries(tokenizer.vocabulary[i], ranks) - {tokenizer.vocabulary[i]}:
            found[tokenizer.id(entry)] += count
    return found


def merged_entries(entry: str, ranks: dict[tuple[str, ...], int]) -> set[str]:
    """Return all entries that byte-pair merges make on the way from characters to an entry.

    Args:
        entry: The entry.
        ranks: {(left, right): number of the merge}.

    Returns:
        The entries, without single characters.

    Example:
        >>> sorted(merged_entries("the", {("h", "e"): 0, ("t", "he"): 1}))
        ['he', 'the']
    """
    parts, made = list(entry), set()
    while True:
        pairs = [(ranks[pair], place) for place, pair in enumerate(zip(parts, parts[1:], strict=False))
                 if pair in ranks]
        if not pairs:
            return made
        place = min(pairs)[1]
        parts[place:place + 2] = [parts[place] + parts[place + 1]]
        made.add(parts[place])


def texts_of(inputs: Iterable[Any]) -> list[str]:
    """Return every text of inputs; words of a sentence are also one text.

    Args:
        inputs: Texts, or tuples or lists of texts, as tasks read them.

    Returns:
        The texts.

    Example:
        >>> texts_of(["one", ("a question", "its text"), ["two", "words"]])
        ['one', 'a question', 'its text', 'two', 'words', 'two words']
    """
    found: list[str] = []
    for given in inputs:
        parts = [given] if isinstance(given, str | bytes) else list(given)
        found += [part.decode("utf-8", "replace") if isinstance(part, bytes) else part for part in parts]
        found += [" ".join(found[-len(parts):])] if isinstance(given, list) else []
    return found
