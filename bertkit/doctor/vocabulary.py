"""A vocabulary and its tokenizer: sizes, special tokens, case and accents."""

from collections import Counter

import numpy as np

from bertkit.doctor import words
from bertkit.doctor.case import Case
from bertkit.doctor.finding import Measured, does_not_apply, healthy, ill, needs, suspect

MOST_WRONG = 0.05           # of the probes of one kind that may differ, for tokenizers of another version of Unicode
WORD_TABLE = "embeddings.word_embeddings.weight"
ACCENTS = dict(zip("aeioucn", "áéíóúçñ", strict=True))
UNSEEN = "☃⚗ꙮ𐍈⌬🝖"
# The order of special tokens (C, S) around texts (.): BERT, RoBERTa, XLNet.
SINGLE, PAIR = {"C.S", ".SC"}, {"C.S.S", "C.SS.S", ".S.SC"}


def vocabulary(case: Case) -> Measured:
    """Compare the number of entries with the rows of the table, and look for entries that are there twice or empty.

    Args:
        case: The case.

    Returns:
        What was measured.
    """
    if not case.vocabulary:
        return needs("vocabulary: the entries of the tokenizer in order")
    table = (case.weights or {}).get(WORD_TABLE)
    size = len(table) if table is not None else int(case.config.get("vocab_size") or 0)
    counts = Counter(case.vocabulary)
    twice, empty = [entry for entry, count in counts.items() if count > 1], counts[""]
    evidence = {"entries": len(case.vocabulary), "rows": size, "entries_that_stand_twice": len(twice),
                "empty_entries": empty,
                "limit": 0}
    if size and len(case.vocabulary) > size:
        return ill(f"The vocabulary has {len(case.vocabulary)} entries and the table {size} rows.", **evidence)
    if twice or empty:
        what = f"{twice[0]!r} stands twice" if twice else "an entry is empty"
        return ill(f"In the vocabulary {what}.", names=twice[:20], **evidence)
    if size > len(case.vocabulary) + max(64, 0.01 * size):
        return suspect(f"The table has {size} rows and the vocabulary only {len(case.vocabulary)} entries.", **evidence)
    return healthy(**evidence)


def special_ids(case: Case) -> Measured:
    """Look where the tokenizer puts special tokens, and whether vocabulary and config agree on their ids.

    Args:
        case: The case.

    Returns:
        What was measured.
    """
    if not case.vocabulary:
        return needs("vocabulary: the entries of the tokenizer in order")
    ids = words.special_ids(case)
    absent = [role for role in words.ROLES if role not in ids]
    evidence = {"special_entries": len(ids), "wanted": len(words.ROLES),
                **{f"id_of_{role}": i for role, i in ids.items()}}
    if {"cls", "sep", "pad"} & set(absent) and words.is_wordpiece(case):
        return ill(f"The vocabulary has no entry for {', '.join(absent)}.", **evidence)
    for role in ("pad", "cls", "sep", "mask"):
        said = case.config.get(f"{role}_token_id")
        if isinstance(said, int) and role in ids and said != ids[role]:
            return ill(f"The config says {role}_token_id={said}, and the vocabulary has that token at {ids[role]}.",
                       **evidence)
    if case.tokenizer is not None and {"cls", "sep", "pad"} <= ids.keys():
        return _as_the_tokenizer_says(case, ids, evidence)
    return healthy(**evidence) if case.tokenizer is None else does_not_apply("the vocabulary has no such entries")


def _as_the_tokenizer_says(case, ids, evidence):
    """Judge the layout of a text and of a pair, the id of padding, and that of an unknown word."""
    one, two = (words.plain_words(case, 2) + ["a", "b"])[:2]
    single, pair = _layout(case, words.rows(case, [one])[0][0], ids), _layout(case,
                                                                              words.rows(case, [one], [two])[0][0], ids)
    batch = case.tokenizer([one], None, length=words.LENGTH)
    padded = np.asarray(batch["token_ids"])[np.asarray(batch["padding_mask"]) == 0]
    evidence |= {"layout_of_a_text": single, "layout_of_a_pair": pair, "padding": padded[:1].tolist()}
    if single not in SINGLE or pair not in PAIR:
        return ill(f"A text is laid out as {single} and a pair as {pair} (C: [CLS], S: [SEP], .: a text); wanted C.S "
                   f"and "
                   "C.S.S.", **evidence)
    if (padded != ids["pad"]).any():
        return ill(f"Padding has the id {padded[padded != ids['pad']][0]}, and the vocabulary has [PAD] at "
                   f"{ids['pad']}.",
                   **evidence)
    if "unk" in ids and words.is_wordpiece(case):
        char = next((char for char in UNSEEN if char not in words.entry_ids(case)), None)
        found = words.pieces_of(case, char) if char else []
        if found and found != [ids["unk"]]:
            return ill(f"An unknown sign becomes {found}, and the vocabulary has [UNK] at {ids['unk']}.", **evidence)
    return healthy(**evidence)


def _layout(case, row, ids):
    """Return a row as letters: C and S for special tokens, one . for each stretch of others."""
    letters = ["C" if i == ids["cls"] else "S" if i == ids["sep"] else "." for i in row]
    return "".join(letter for i, letter in enumerate(letters) if letter != "." or i == 0 or letters[i - 1] != ".")


def casing(case: Case) -> Measured:
    """Look whether the tokenizer lower-cases if and only if the vocabulary is lower-cased.

    Args:
        case: The case.

    Returns:
        What was measured.
    """
    if (said := words.not_looked(case)) is not None:
        return said
    uncased = words.is_uncased(case)
    plain = words.plain_words(case)
    if uncased is None or len(plain) < 3:
        return does_not_apply("the entries of the vocabulary have no case")
    if uncased:
        lower, upper = (words.rows(case, texts) for texts in (plain, [word.upper() for word in plain]))
        wrong = float(np.mean([a != b for a, b in zip(lower, upper, strict=True)]))
        evidence = {"words_that_change_with_their_case": wrong, "limit": MOST_WRONG, "words": len(plain),
                    "share_of_unknown": _unknown(case, upper), "share_of_unknown_in_lower_case": _unknown(case, lower)}
        message = f"The vocabulary is lower-cased and the tokenizer is not: {wrong:.0%} of words change with case."
        if wrong > MOST_WRONG and words.is_bytes(case):     # its alphabet has capitals, and loses nothing
            return suspect(message, "Lower-case texts before they are tokenized.", **evidence)
        return ill(message, "Set do_lower_case to true.", **evidence) if wrong > MOST_WRONG else healthy(**evidence)
    capitals = words.drawn(case, [entry for entry, text in words.whole_words(case).items() if text != text.lower()
                                  and text.isascii() and text.isalpha()], 200)
    if not capitals:
        return does_not_apply("no entry is a word with a capital letter")
    missed, limit = _never_reached(case, capitals), _most_wrong(case)
    evidence = {"entries_with_capitals_never_reached": missed, "limit": limit, "words": len(capitals)}
    if missed > limit:
        return ill(f"The vocabulary has capital letters and the tokenizer lower-cases: {missed:.0%} of such entries "
                   f"are "
                   "never reached.", "Set do_lower_case to false.", **evidence)
    return healthy(**evidence)


def _unknown(case, rows):
    ids = [i for row, _ in rows for i in row]
    return float(np.mean(np.equal(ids, words.special_ids(case).get("unk", -1)))) if ids else 0.0


def _never_reached(case, entries):
    ids, texts, first = words.entry_ids(case), words.whole_words(case), not words.is_bytes(case)
    return float(np.mean([words.pieces_of(case, texts[entry], first) != [ids[entry]] for entry in entries]))


def _most_wrong(case):
    """Return the share of whole words that may be cut otherwise: a unigram model may prefer two likely pieces."""
    return MOST_WRONG if words.is_wordpiece(case) else 0.5


def accents(case: Case) -> Measured:
    """Look whether the tokenizer strips accents if and only if the vocabulary is without.

    Args:
        case: The case.

    Returns:
        What was measured.
    """
    if (said := words.not_looked(case)) is not None:
        return said
    marked = [entry for entry in words.accented(case) if entry in words.whole_words(case)]
    if words.accented(case):
        if not marked:
            return does_not_apply("no whole word of the vocabulary has an accent")
        missed, limit = _never_reached(case, words.drawn(case, marked, 200)), _most_wrong(case)
        evidence = {"entries_with_accents_never_reached": missed, "limit": limit, "words": len(marked)}
        if missed > limit:
            return ill(f"The vocabulary has accents and the tokenizer strips them: {missed:.0%} of such entries are "
                       f"never "
                       "reached.", "Set strip_accents to false.", **evidence)
        return healthy(**evidence)
    if not words.is_uncased(case):
        return does_not_apply("the vocabulary is cased and has no accents")
    pairs = [(word, changed) for word in words.plain_words(case) if (changed := _with_accent(word)) != word]
    if not pairs:
        return does_not_apply("no word of the vocabulary has a letter that takes an accent")
    bare, changed = (words.rows(case, texts) for texts in zip(*pairs, strict=True))
    wrong = float(np.mean([a != b for a, b in zip(bare, changed, strict=True)]))
    evidence = {"words_that_change_with_an_accent": wrong, "limit": MOST_WRONG, "words": len(pairs),
                "share_of_unknown": _unknown(case, changed)}
    if words.is_bytes(case):
        return does_not_apply("a byte-level vocabulary holds every letter")
    if wrong > MOST_WRONG:
        return ill(f"The vocabulary is without accents and the tokenizer keeps them: {wrong:.0%} of words change with "
                   f"one.",
                   "Set strip_accents to true.", **evidence)
    return healthy(**evidence)


def _with_accent(word):
    """Return a word with an accent on its first letter that takes one."""
    place = next((i for i, letter in enumerate(word) if letter in ACCENTS), None)
    return word if place is None else word[:place] + ACCENTS[word[place]] + word[place + 1:]
