"""Write the Unicode tables of the JavaScript client, tflite/web/src/text/tables.js: those of bertkit, and Python's own.

    python scripts/web_tables.py

Python's are of the version that runs this: 3.11 (Unicode 14), as the first one that bertkit runs on.
"""

import json
import sys
import unicodedata
from pathlib import Path

import numpy as np

from bertkit.files.atomic import write_text
from bertkit.text.added import in_words
from bertkit.text.unicode import codepoints, tables

OUT = Path(__file__).resolve().parents[1] / "tflite/web/src/text/tables.js"
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
SURROGATES = range(0xD800, 0xE000)
# Of Python's str and unicodedata, as `text.words`, `text.convention` and `text.sentences` ask them.
ASKED = {"alnum": str.isalnum, "lower": str.islower, "decimal": lambda c: unicodedata.category(c) == "Nd",
         "sign": lambda c: unicodedata.category(c)[0] in "PS", "mark": lambda c: unicodedata.category(c)[0] == "M",
         "closing": lambda c: unicodedata.category(c) in ("Pe", "Pf", "Po")}


def main():
    """Write the file."""
    if sys.version_info[:2] != (3, 11):
        sys.exit(f"Python {sys.version.split()[0]} came where 3.11 was wanted, whose Unicode tables the client has.")
    sets, maps = {}, {}
    for rules in (*codepoints.RULES, "bytelevel"):
        for part, value in codepoints._stored(rules).items():
            if isinstance(value, dict):
                maps[f"{rules}.{part}"] = value
            else:
                sets[f"{rules}.{part}"] = value
    for name in ("accents", "extend", "prepend", "control"):
        sets[name] = tables.members(name)
    sets["in_words"] = _set(in_words())
    for name, asks in ASKED.items():
        sets[name] = _set(c for c in map(chr, range(codepoints.SIZE)) if ord(c) not in SURROGATES and asks(c))
    hangul = tables._hangul()
    canonical, compatibility = ({c: text for c, text in tables.decompositions(form).items() if c not in hangul}
                                for form in ("canonical", "compatibility"))
    for rules in codepoints.RULES:      # most is what the decomposition leaves without its marks
        maps[f"{rules}.strip"] = _but(maps[f"{rules}.strip"], canonical | hangul, set(map(chr, np.flatnonzero(
            tables.members("accents")))))
    maps["canonical"] = canonical
    maps["compatibility"] = {c: text for c, text in compatibility.items() if canonical.get(c) != text}
    maps["compositions"] = {c: pair for pair, c in tables.compositions().items() if c not in hangul}
    maps["classes"] = {c: chr(n) for c, n in tables.combining_classes().items()}
    about = {"sources": [*map(codepoints.provenance, (*codepoints.RULES, "bytelevel")), tables.provenance(),
                         f"Python 3.11, Unicode {unicodedata.unidata_version}"]}
    parts = [f"export const ABOUT = {json.dumps(about)};", "export const SETS = {",
             *(f'  "{name}": "{_ranges(value)}",' for name, value in sets.items()), "};", "export const MAPS = {",
             *(f'  "{name}": "{_rows(value)}",' for name, value in maps.items()), "};"]
    head = "// Written by scripts/web_tables.py, read by unicode.js: numbers in base 36, distances from the last one."
    write_text(OUT, "\n".join([head, *parts]) + "\n")
    print(f"{OUT}: {OUT.stat().st_size:,} bytes")


def _but(strip, canonical, accents):
    """Return what accents are stripped to, where it is not the decomposition without its marks."""
    plain = {c: "".join(d for d in text if d not in accents) for c, text in canonical.items()}
    plain |= dict.fromkeys(accents, "")
    return {c: strip.get(c, c) for c in strip.keys() | plain.keys() if strip.get(c, c) != plain.get(c, c)}


def _set(codes):
    chosen = np.zeros(codepoints.SIZE, bool)
    chosen[[ord(c) for c in codes]] = True
    return chosen


def _ranges(members):
    """Return where runs begin and end, as distances."""
    edges = np.flatnonzero(np.diff(members, prepend=False, append=False))
    return " ".join(_base36(int(n)) for n in np.diff(edges, prepend=0))


def _rows(table):
    """Return each codepoint, as a distance, with what it becomes: distances from the codepoint, and signs."""
    rows, last = [], 0
    for c in sorted(table):
        text = ",".join(_base36(ord(d) - ord(c)) for d in table[c])
        rows.append(f"{_base36(ord(c) - last)}:{text}" if text else _base36(ord(c) - last))
        last = ord(c)
    return " ".join(rows)


def _base36(number):
    if number < 0:
        return "-" + _base36(-number)
    return (_base36(number // 36) if number >= 36 else "") + DIGITS[number % 36]


if __name__ == "__main__":
    main()
