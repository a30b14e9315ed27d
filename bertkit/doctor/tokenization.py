"""A tokenizer against bertkit's own on probe texts, and how it cuts long texts and pairs."""

import unicodedata

import numpy as np

from bertkit.doctor import words
from bertkit.doctor.case import Case
from bertkit.doctor.finding import Measured, does_not_apply, healthy, ill, needs, suspect
from bertkit.doctor.vocabulary import MOST_WRONG, UNSEEN
from bertkit.text import Tokenizer

FILE = "tokenizer.json"


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
    return Tokenizer(case.vocabulary, special=special, lowercase=lower, strip_accents=lower
                     and not words.accented(case))


def tokens(case: Case) -> Measured:
    """Compare ids and segment ids with those of another tokenizer, on texts and pairs of every kind of entry.

    Beside a vocabulary of WordPiece that is bertkit's own, beside another one what Hugging Face's tokenizers reads from
    tokenizer.json.

    Args:
        case: The case.

    Returns:
        What was measured.
    """
    if (said := words.not_looked(case)) is not None:
        return said
    if not words.is_wordpiece(case):
        if case.folder is None or not (case.folder / FILE).is_file():
            return needs(f"{FILE} beside the vocabulary, to compare with")
        return _compared(case, _from_file(case.folder / FILE))
    ids = words.special_ids(case)
    if not {"cls", "sep", "pad", "unk"} <= ids.keys():
        return does_not_apply("the vocabulary lacks special entries")
    own = reference(case)

    def wanted(texts, second):
        packed = own.pack(texts, second, length=words.LENGTH)
        return [(a[m > 0].tolist(), b[m > 0].tolist()) for a, b, m in
                zip(packed["token_ids"], packed["segment_ids"], packed["padding_mask"], strict=True)]
    return _compared(case, wanted)


def _from_file(path):
    """Return rows of Hugging Face's tokenizers as (ids, None) each: segment ids are the family's, not the file's."""
    from tokenizers import Tokenizer as Fast
    fast = Fast.from_file(str(path))
    fast.no_padding()
    fast.no_truncation()

    def wanted(texts, second):
        pairs = texts if second is None else list(zip(texts, second, strict=True))
        return [(each.ids, None) for each in fast.encode_batch(pairs)]
    return wanted


def _compared(case, wanted):
    """Judge the rows of a tokenizer by `wanted(texts, second)`, (ids, segment ids or None) of each row."""
    shares, first = {}, None
    for kind, texts in _probes(case).items():
        wrong = []
        for second in (None, texts[::-1]):
            rows = zip(words.rows(case, texts, second), wanted(texts, second), texts, strict=True)
            wrong += [text if ids != right or kinds not in (None, segments) else None
                      for (ids, segments), (right, kinds), text in rows if len(right) <= words.LENGTH]
        shares[kind] = float(np.mean([text is not None for text in wrong] or [False]))
        first = first or next((text for text in wrong if text is not None), None)
    worst = max(shares, key=lambda kind: shares[kind])
    evidence = {"largest_share_of_different_rows": shares[worst], "limit": MOST_WRONG,
                **{f"different_with_{kind}": share for kind, share in shares.items()}} | ({"first": first} if first
                                                                                          else {})
    if shares[worst] > MOST_WRONG:
        return ill(f"{shares[worst]:.0%} of rows with {worst} differ from those of the reference tokenizer.",
                   **evidence)
    return suspect("Some rows differ from those of the reference tokenizer.",
                   **evidence) if first else healthy(**evidence)


def _probes(case):
    """Return {kind: texts}, at most 40 of each, of entries of the vocabulary and of what a text holds besides."""
    entries = [entry for entry in case.vocabulary if not words.BRACKETED.match(entry)]
    plain = words.plain_words(case, 120) or ["a"]
    ends = [entry[2:] for entry in entries if entry.startswith(words.PREFIX) and entry[2:].isalpha()
            and entry.isascii()]
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
