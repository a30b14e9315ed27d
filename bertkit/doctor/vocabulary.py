"""A vocabulary and its tokenizer: sizes, special tokens, case, accents, ids against bertkit's own tokenizer, cutting."""

import unicodedata
from collections import Counter

import numpy as np

from bertkit.doctor import words
from bertkit.doctor.case import Case
from bertkit.doctor.finding import Measured, does_not_apply, healthy, ill, needs, suspect
from bertkit.text import Tokenizer

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
    evidence = {"entries": len(case.vocabulary), "rows": size, "entries_that_stand_twice": len(twice), "empty_entries": empty,
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
    evidence = {"special_entries": len(ids), "wanted": len(words.ROLES), **{f"id_of_{role}": i for role, i in ids.items()}}
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
    single, pair = _layout(case, words.rows(case, [one])[0][0], ids), _layout(case, words.rows(case, [one], [two])[0][0], ids)
    batch = case.tokenizer([one], None, length=words.LENGTH)
    padded = np.asarray(batch["token_ids"])[np.asarray(batch["padding_mask"]) == 0]
    evidence |= {"layout_of_a_text": single, "layout_of_a_pair": pair, "padding": padded[:1].tolist()}
    if single not in SINGLE or pair not in PAIR:
        return ill(f"A text is laid out as {single} and a pair as {pair} (C: [CLS], S: [SEP], .: a text); wanted C.S and "
                   "C.S.S.", **evidence)
    if (padded != ids["pad"]).any():
        return ill(f"Padding has the id {padded[padded != ids['pad']][0]}, and the vocabulary has [PAD] at {ids['pad']}.",
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
    if (said := _asked(case)) is not None:
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
        message = f"The vocabulary is lower-cased and the tokenizer is not: {wrong:.0%} of words change with their case."
        return ill(message, "Set do_lower_case to true.", **evidence) if wrong > MOST_WRONG else healthy(**evidence)
    capitals = words.drawn(case, [entry for entry in case.vocabulary if entry != entry.lower() and entry.isascii()
                                  and entry.isalpha()], 200)
    if not capitals:
        return does_not_apply("no entry is a word with a capital letter")
    missed = _never_reached(case, capitals)
    evidence = {"entries_with_capitals_never_reached": missed, "limit": MOST_WRONG, "words": len(capitals)}
    if missed > MOST_WRONG:
        return ill(f"The vocabulary has capital letters and the tokenizer lower-cases: {missed:.0%} of such entries are "
                   "never reached.", "Set do_lower_case to false.", **evidence)
    return healthy(**evidence)


def _asked(case):
    """Return why case and accents cannot be looked at; None where they can."""
    if case.tokenizer is None or not case.vocabulary:
        return needs("tokenizer and vocabulary")
    return None if words.is_wordpiece(case) else does_not_apply("the vocabulary is not one of WordPiece")


def _unknown(case, rows):
    ids = [i for row, _ in rows for i in row]
    return float(np.mean(np.equal(ids, words.special_ids(case).get("unk", -1)))) if ids else 0.0


def _never_reached(case, entries):
    ids = words.entry_ids(case)
    return float(np.mean([words.pieces_of(case, entry) != [ids[entry]] for entry in entries]))


def accents(case: Case) -> Measured:
    """Look whether the tokenizer strips accents if and only if the vocabulary is without.

    Args:
        case: The case.

    Returns:
        What was measured.
    """
    if (said := _asked(case)) is not None:
        return said
    marked = [entry for entry in words.accented(case) if not entry.startswith(words.PREFIX)]
    if words.accented(case):
        if not marked:
            return does_not_apply("no whole word of the vocabulary has an accent")
        missed = _never_reached(case, words.drawn(case, marked, 200))
        evidence = {"entries_with_accents_never_reached": missed, "limit": MOST_WRONG, "words": len(marked)}
        if missed > MOST_WRONG:
            return ill(f"The vocabulary has accents and the tokenizer strips them: {missed:.0%} of such entries are never "
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
    if wrong > MOST_WRONG:
        return ill(f"The vocabulary is without accents and the tokenizer keeps them: {wrong:.0%} of words change with one.",
                   "Set strip_accents to true.", **evidence)
    return healthy(**evidence)


def _with_accent(word):
    """Return a word with an accent on its first letter that takes one."""
    place = next((i for i, letter in enumerate(word) if letter in ACCENTS), None)
    return word if place is None else word[:place] + ACCENTS[word[place]] + word[place + 1:]


def reference(case: Case) -> Tokenizer:
    """Return bertkit's tokenizer of a WordPiece vocabulary, with the case and accents that the vocabulary asks for.

    Args:
        case: A case with a vocabulary.

    Returns:
        The `Tokenizer`.
    """
    ids = words.special_ids(case)
    assert case.vocabulary is not None
    special = {role: case.vocabulary[ids[role]] if role in ids else None for role in words.ROLES}
    lower = words.is_uncased(case)
    lower = bool(case.config.get("do_lower_case", False)) if lower is None else lower
    return Tokenizer(case.vocabulary, special=special, lowercase=lower, strip_accents=lower and not words.accented(case))


def tokens(case: Case) -> Measured:
    """Compare ids and segment ids with those of bertkit's tokenizer, on texts of every kind of entry, alone and in pairs.

    Args:
        case: The case.

    Returns:
        What was measured.
    """
    if (said := _asked(case)) is not None:
        return said
    ids = words.special_ids(case)
    if not {"cls", "sep", "pad", "unk"} <= ids.keys():
        return does_not_apply("the vocabulary lacks special entries")
    own, shares, first = reference(case), {}, None
    for kind, texts in _probes(case).items():
        wrong = []
        for second in (None, texts[::-1]):
            packed = own.pack(texts, second, length=words.LENGTH)
            wanted = [(a[m > 0].tolist(), b[m > 0].tolist()) for a, b, m in
                      zip(packed["token_ids"], packed["segment_ids"], packed["padding_mask"], strict=True)]
            pairs = zip(words.rows(case, texts, second), wanted, texts, strict=True)
            wrong += [text if found != right else None for found, right, text in pairs]
        shares[kind] = float(np.mean([text is not None for text in wrong]))
        first = first or next((text for text in wrong if text is not None), None)
    worst = max(shares, key=lambda kind: shares[kind])
    evidence = {"largest_share_of_different_rows": shares[worst], "limit": MOST_WRONG,
                **{f"different_with_{kind}": share for kind, share in shares.items()}} | ({"first": first} if first else {})
    if shares[worst] > MOST_WRONG:
        return ill(f"{shares[worst]:.0%} of rows with {worst} differ from those of the reference tokenizer.", **evidence)
    return suspect("Some rows differ from those of the reference tokenizer.", **evidence) if first else healthy(**evidence)


def _probes(case):
    """Return {kind: texts}, at most 40 of each, of entries of the vocabulary and of what a text holds besides."""
    entries = [entry for entry in case.vocabulary if not words.BRACKETED.match(entry)]
    plain = words.plain_words(case, 120) or ["a"]
    ends = [entry[2:] for entry in entries if entry.startswith(words.PREFIX) and entry[2:].isalpha() and entry.isascii()]
    signs = [entry for entry in entries if len(entry) == 1 and unicodedata.category(entry)[0] in "PS"]
    found = {"words": [" ".join(plain[i:i + 4]) for i in range(0, len(plain), 4)],
             "pieces": [f"{word}{end} {word}" for word, end in zip(plain, words.drawn(case, ends, 40), strict=False)],
             "marks": [f"{word}{sign} ({word} {sign}{word}" for word, sign in zip(plain, words.drawn(case, signs, 40),
                                                                                  strict=False)],
             "digits": [f"{word} {i}.{i}% {i}{word}" for i, word in enumerate(plain[:20])],
             "spaces": [f" {a}\t{b}\n{a}\u00a0 {b} " for a, b in zip(plain[:20], plain[1:21], strict=False)],
             "capitals": [f"{word.capitalize()} {word.upper()}" for word in plain[:20]],
             "ideographs": [f"{word}{sign}{word}" for word, sign in zip(plain, words.drawn(
                 case, [e for e in entries if len(e) == 1 and "\u4e00" <= e <= "\u9fff"], 40), strict=False)],
             "unknown signs": [f"{word} {sign} x{sign}" for word, sign in zip(plain, UNSEEN, strict=False)],
             "nothing": ["", " "]}
    return {kind: texts[:40] for kind, texts in found.items() if texts}


def truncation(case: Case) -> Measured:
    """Cut long texts and pairs, and look whether special tokens stay and the longer side is cut.

    Args:
        case: The case.

    Returns:
        What was measured.
    """
    if case.tokenizer is None or not case.vocabulary:
        return needs("tokenizer and vocabulary")
    plain = words.plain_words(case, 60)
    if not words.rows(case, [""])[0][0]:
        return does_not_apply("the tokenizer adds no special tokens")
    if len(plain) < 3:
        return does_not_apply("the vocabulary has no plain words to make a long text of")
    long, short, length = " ".join((plain * 60)[:60]), " ".join(plain[:2]), 12
    wrong = [message for message in (_cut(case, long, None, length), _cut(case, long, short, length),
                                     _cut(case, short, long, length), _cut(case, long, long, length)) if message]
    evidence = {"forms_cut_wrongly": len(wrong), "limit": 0, "forms": 4, "length": length}
    return ill(f"Cut to {length} tokens, {wrong[0]}.", all=wrong, **evidence) if wrong else healthy(**evidence)


def _cut(case, first, second, length):
    """Return what is wrong with a text or pair that was cut; None for nothing."""
    form = "a text" if second is None else "a pair"
    ids, _ = words.rows(case, [first], None if second is None else [second], length)[0]
    whole, _ = words.rows(case, ["a"], None if second is None else ["a"])[0]
    marks = [i for i in whole if i in _marks(case)]
    if [i for i in ids if i in _marks(case)] != marks or (whole[-1] in marks) != (ids[-1] in marks):
        return f"{form} loses special tokens"
    if len(ids) != length:
        return f"{form} has {len(ids)} tokens"
    kept = _parts(ids, _marks(case))
    whole_texts = [words.rows(case, [text], length=512)[0][0] for text in (first, second) if text is not None]
    texts = [[i for i in row if i not in _marks(case)] for row in whole_texts]
    if second is not None and len(kept) != 2:
        return f"{form} loses one side"
    if any(part != text[:len(part)] and part != text[-len(part):] for part, text in zip(kept, texts, strict=False)):
        return f"{form} keeps neither the beginning nor the end of its text"
    sizes = [len(part) for part in kept]
    if second is not None and any(size < len(text) and size < other - 1 for size, text, other in
                                  zip(sizes, texts, sizes[::-1], strict=True)):
        return f"of {form} the shorter side is cut"
    return None


def _marks(case):
    ids = words.special_ids(case)
    return {ids[role] for role in ("cls", "sep") if role in ids}


def _parts(ids, marks):
    """Return the stretches of a row between special tokens."""
    found, part = [], []
    for i in [*ids, None]:
        if i is None or i in marks:
            found += [part] if part else []
            part = []
        else:
            part.append(i)
    return found
