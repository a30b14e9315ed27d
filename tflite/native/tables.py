"""Write the Unicode tables that the C library is compiled with, from those of bertkit; the standard library is enough.

    python3 tables.py ../../bertkit/text/unicode OUT.c

Sets are pairs of first and last code points; maps are rows: code point, how many it becomes, what it becomes. What the
words of a text are also needs the categories of Unicode, which Python's own `unicodedata` gives.
"""

import ast
import struct
import sys
import unicodedata
import zipfile
from pathlib import Path

LETTER, NUMBER, MARK, CLOSING, SIGN = 1, 2, 4, 8, 16       # CLOSING: Pe, Pf, Po; SIGN: P and S
DECIMAL, LOWER = 32, 64
ALSO_NUMBERS = 128                                          # category No


def arrays(path):
    """Return {name: rows} of the arrays of a .npz file."""
    found = {}
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            content = archive.read(name)
            size = struct.unpack("<H", content[8:10])[0]
            head = ast.literal_eval(content[10:10 + size].decode())
            if len(head["shape"]) == 2:
                rows, columns = head["shape"]
                kind = "q" if head["descr"] == "<i8" else "i"
                flat = struct.unpack(f"<{rows * columns}{kind}", content[10 + size:])
                found[name.removesuffix(".npy")] = [flat[i * columns:(i + 1) * columns] for i in range(rows)]
    return found


def summed(rows):
    """Return rows that are stored as differences from the row before."""
    found, before = [], None
    for row in rows:
        before = row if before is None else tuple(a + b for a, b in zip(before, row, strict=True))
        found.append(before)
    return found


def flat_map(rows):
    """Return the rows of a map as one list of numbers."""
    found = []
    for code, *becomes in summed(rows):
        becomes = [c for c in becomes if c >= 0]
        found += [code, len(becomes), *becomes]
    return found


def categories():
    """Return (first, last, bits) of runs of code points whose bits are equal and not 0."""
    runs = []
    for code in range(0x110000):
        c, kind = chr(code), unicodedata.category(chr(code))
        bits = {"L": LETTER, "N": NUMBER, "M": MARK, "P": SIGN, "S": SIGN}.get(kind[0], 0)
        bits |= CLOSING * (kind in ("Pe", "Pf", "Po")) | DECIMAL * (kind == "Nd") | ALSO_NUMBERS * (kind == "No")
        bits |= LOWER * c.islower()
        if runs and runs[-1][1] == code - 1 and runs[-1][2] == bits:
            runs[-1][1] = code
        elif bits:
            runs.append([code, code, bits])
    return [number for run in runs for number in run]


def lower():
    """Return (code point, its lower case) where that is one other code point."""
    pairs = ((code, chr(code).lower()) for code in range(0x110000))
    return [number for code, low in pairs if len(low) == 1 and ord(low) != code for number in (code, ord(low))]


def main(folder, out):
    """Write the file."""
    points, forms = (arrays(Path(folder) / name) for name in ("codepoints.npz", "normalization.npz"))
    tables = {name.replace(".", "_"): flat_map(rows) if len(rows[0]) > 2 else [n for row in rows for n in row]
              for name, rows in points.items()}
    for name, rows in forms.items():
        is_map = name in ("canonical", "compatibility")
        rows = summed(rows) if name in ("classes", "compositions") else rows
        tables[name] = flat_map(rows) if is_map else [n for row in rows for n in row]
    tables |= {"categories": categories(), "lower": lower()}
    lines = ["/* Written by tables.py. */", '#include "tables.h"', ""]
    for name, numbers in sorted(tables.items()):
        body = ",".join(map(str, numbers))
        lines += [f"const int32_t bk_{name}[] = {{{body}}};", f"const size_t bk_{name}_count = {len(numbers)};"]
    Path(out).write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
