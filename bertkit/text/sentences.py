"""The sentences of a text, by fixed rules and a list of abbreviations: no model, the same result everywhere."""

import re

# A dot after these ends no sentence: titles, Latin abbreviations, parts of addresses.
_SHORT = ("mr|mrs|ms|dr|prof|rev|hon|st|sr|jr|gen|col|maj|capt|cmdr|lt|sgt|sen|rep|gov|pres|vs|cf|etc|al|ca|approx|no|"
          "vol|pp|fig|eq|sec|dept|univ|inc|ltd|co|corp|mt|ave|jan|feb|mar|apr|jun|jul|aug|sep|sept|oct|nov|dec|e\\.g|i\\.e")
_ABBREVIATION = re.compile(rf"(?:(?<!\w)(?:{_SHORT})|(?<!\w)[^\W\d_]|\.[^\W\d_])\.\Z", re.IGNORECASE)
# An empty line; the marks that end a sentence with quotes and brackets behind them, and a blank; marks of Chinese and
# Japanese, the danda of Hindi, Arabic's question mark and Urdu's full stop, which end nothing else and need none.
_BARE = r"\u3002\uff01\uff1f\u0964\u0965\u061f\u06d4"
_BREAK = re.compile(r"""\n[^\S\n]*\n\s*|[.!?\u2026]+["'\u201d\u2019\u00bb)\]]*(?=\s)\s*"""
                    rf"""|[{_BARE}][!?{_BARE}]*["'\u201d\u2019\u00bb\u300d\u300f]*\s*""")
_REACH = 12         # characters before a dot that an abbreviation can fill


def sentences(text: str) -> list[tuple[int, int]]:
    """Return where the sentences of a text are, without the blanks around them.

    A sentence ends at an empty line; after . ! ? or … with the quotes and brackets behind them, where a blank follows
    and then no small letter; and after 。！？। ॥ ؟ ۔. The dot of a title (Mr.), of an initial (J.) or of another common
    abbreviation ends no sentence, so a sentence whose last word is one goes on.

    Args:
        text: the text.

    Returns:
        A list of (start, end) in characters, in order.

    Example:
        >>> text = 'Dr. Lee left. "Why?" asked J. Doe.  Nobody knew\\n\\nThe end'
        >>> [text[start:end] for start, end in sentences(text)]
        ['Dr. Lee left.', '"Why?" asked J. Doe.', 'Nobody knew', 'The end']
    """
    spans, start = [], 0
    for mark in _BREAK.finditer(text):
        if _ends(text, mark):
            spans.append((start, mark.end()))
            start = mark.end()
    return [span for begin, end in (*spans, (start, len(text))) if (span := _stripped(text, begin, end))]


def _ends(text, mark):
    """Return whether a match of _BREAK ends a sentence."""
    if mark[0][0] not in ".!?\u2026":
        return True
    if "\n" in mark[0] and re.search(r"\n[^\S\n]*\n", mark[0]):
        return True
    if text[mark.end():mark.end() + 1].islower():
        return False
    return not _ABBREVIATION.search(text, max(0, mark.start() - _REACH), mark.start() + 1)


def _stripped(text, start, end):
    """Return a span without the blanks around it, None where there is nothing else."""
    part = text[start:end]
    start += len(part) - len(part.lstrip())
    return (start, start + len(part.strip())) if part.strip() else None
