"""Sentences of a text, by rules that say the same everywhere: no model, no list but one of abbreviations."""

import re

# What is no end although a dot stands there: titles, and what Latin and addresses shorten.
_SHORT = ("mr|mrs|ms|dr|prof|rev|hon|st|sr|jr|gen|col|maj|capt|cmdr|lt|sgt|sen|rep|gov|pres|vs|cf|etc|al|ca|approx|no|"
          "vol|pp|fig|eq|sec|dept|univ|inc|ltd|co|corp|mt|ave|jan|feb|mar|apr|jun|jul|aug|sep|sept|oct|nov|dec|e\\.g|i\\.e")
_ABBREVIATION = re.compile(rf"(?:(?<!\w)(?:{_SHORT})|(?<!\w)[^\W\d_]|\.[^\W\d_])\.\Z", re.IGNORECASE)
# An empty line; the marks that end a sentence with quotes and brackets behind them, and a blank; marks of Chinese and
# Japanese, the danda of Hindi, Arabic's question mark and Urdu's full stop, which end nothing else and need none.
_BARE = r"\u3002\uff01\uff1f\u0964\u0965\u061f\u06d4"
_BREAK = re.compile(r"""\n[^\S\n]*\n\s*|[.!?\u2026]+["'\u201d\u2019\u00bb)\]]*(?=\s)\s*"""
                    rf"""|[{_BARE}][!?{_BARE}]*["'\u201d\u2019\u00bb\u300d\u300f]*\s*""")
_REACH = 12         # characters before a dot that an abbreviation can fill


def sentences(text):
    """Return (start, end) of each sentence of a text, in characters, in order, blanks around it left out.

    A sentence ends at an empty line, after . ! ? or … with the quotes and brackets behind them where a blank follows
    and then no small letter, and after 。！？। ॥ ؟ ۔. No end is the dot of a title (Mr.), of an initial (J.) or of
    another usual abbreviation, so that a sentence that ends in one goes on.

    >>> text = 'Dr. Lee left. "Why?" asked J. Doe.  Nobody knew\\n\\nThe end'
    >>> [text[start:end] for start, end in sentences(text)]
    ['Dr. Lee left.', '"Why?" asked J. Doe.', 'Nobody knew', 'The end']
    """
    spans, start = [], 0
    for found in _BREAK.finditer(text):
        if _ends(text, found):
            spans.append((start, found.end()))
            start = found.end()
    return [span for begin, end in (*spans, (start, len(text))) if (span := _stripped(text, begin, end))]


def _ends(text, found):
    if found[0][0] not in ".!?\u2026":
        return True
    if "\n" in found[0] and re.search(r"\n[^\S\n]*\n", found[0]):
        return True
    if text[found.end():found.end() + 1].islower():
        return False
    return not _ABBREVIATION.search(text, max(0, found.start() - _REACH), found.start() + 1)


def _stripped(text, start, end):
    """Return a span without the blanks around it, None where there is nothing else."""
    part = text[start:end]
    start += len(part) - len(part.lstrip())
    return (start, start + len(part.strip())) if part.strip() else None
