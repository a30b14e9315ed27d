"""Make bertkit/text/unicode/codepoints.npz: the reference tokenizations, codepoint by codepoint.

    python tests/golden/make_codepoints.py OUT.npz

`huggingface` is asked of the library `tokenizers` (its BertNormalizer and BertPreTokenizer), one
step and one codepoint at a time, and so is `bytelevel` of its ByteLevel; `google` is computed from
`unicodedata` by the rules of the original BERT code. A name in the file never changes its meaning:
a table of a newer Unicode version gets a new name, so that a saved tokenizer keeps its ids. Not a test.
"""

import json
import sys
import unicodedata

import numpy as np

CODEPOINTS = [chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000]
IDEOGRAPHS = [(0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x20000, 0x2A6DF), (0x2A700, 0x2B73F),
              (0x2B740, 0x2B81F), (0x2B820, 0x2CEAF), (0xF900, 0xFAFF), (0x2F800, 0x2FA1F)]
LONGEST = 4                                   # codepoints that one codepoint becomes, at most


def huggingface():
    """Return the sets and maps of the library `tokenizers`."""
    from tokenizers import normalizers, pre_tokenizers

    def step(**wanted):
        off = {"clean_text": False, "handle_chinese_chars": False, "strip_accents": False, "lowercase": False}
        return normalizers.BertNormalizer(**{**off, **wanted}).normalize_str

    def pieces(c):
        return len(pre_tokenizers.BertPreTokenizer().pre_tokenize_str(f"a{c}a"))

    clean, spaced = step(clean_text=True), step(handle_chinese_chars=True)
    split = {c: pieces(c) for c in CODEPOINTS}
    return {
        "delete": [c for c in CODEPOINTS if clean(c) == ""],
        "blank": [c for c in CODEPOINTS if clean(c) == " "],
        "space": [c for c in CODEPOINTS if split[c] == 2],
        "punctuation": [c for c in CODEPOINTS if split[c] == 3],
        "ideograph": [c for c in CODEPOINTS if spaced(c) == f" {c} "],
        "lower": changed(step(lowercase=True)),
        "strip": changed(step(strip_accents=True)),
    }


def google():
    """Return the sets and maps of the original BERT code (tokenization.py, BasicTokenizer)."""
    def blank(c):
        return c in " \t\n\r" or unicodedata.category(c) == "Zs"

    def delete(c):
        return c in "\0\ufffd" or c not in "\t\n\r" and unicodedata.category(c) in ("Cc", "Cf")

    def punctuation(c):
        return c.isascii() and c.isprintable() and not c.isalnum() and c != " " or (
            unicodedata.category(c).startswith("P"))

    def strip(c):
        return "".join(d for d in unicodedata.normalize("NFD", c)
                       if unicodedata.category(d) != "Mn")

    def final(word):
        return word.lower().endswith("ς")

    ignorable = [c for c in CODEPOINTS if final(f"A{c}Σ") and not final(f"{c}Σ")]
    return {
        "delete": [c for c in CODEPOINTS if delete(c)],
        "blank": [c for c in CODEPOINTS if blank(c)],
        "space": [c for c in CODEPOINTS if c.isspace()],           # where str.split() divides
        "punctuation": [c for c in CODEPOINTS if punctuation(c)],
        "ideograph": [c for c in CODEPOINTS if any(a <= ord(c) <= b for a, b in IDEOGRAPHS)],
        "lower": changed(str.lower),
        "strip": changed(strip),
        "cased": [c for c in CODEPOINTS if final(f"{c}Σ")],        # the rule of the final sigma
        "ignorable": ignorable,
    }


def bytelevel():
    """Return the letters, numbers and blanks of the library's pattern for byte-level BPE."""
    from tokenizers import pre_tokenizers
    split = pre_tokenizers.ByteLevel(add_prefix_space=False).pre_tokenize_str

    def joins(sign, c):
        return len(split(sign + c)) == 1

    return {"letter": [c for c in CODEPOINTS if joins("a", c)],
            "number": [c for c in CODEPOINTS if joins("1", c)],
            "blank": [c for c in CODEPOINTS if not any(joins(sign, c) for sign in "a1!")]}


def changed(step):
    """Return {codepoint: what it becomes} without those that stay."""
    return {c: step(c) for c in CODEPOINTS if step(c) != c}


def ranges(codepoints):
    """Return the sorted codepoints as inclusive ranges, int32 [n, 2]."""
    found = np.array([ord(c) for c in codepoints], np.int32)
    breaks = np.flatnonzero(np.diff(found) != 1)
    return np.stack([found[np.r_[0, breaks + 1]], found[np.r_[breaks, len(found) - 1]]], 1)


def rows(mapping):
    """Return a map as int32 [n, 1 + LONGEST], filled up with -1; differences compress better."""
    table = np.full((len(mapping), 1 + LONGEST), -1, np.int32)
    for row, (c, becomes) in zip(table, mapping.items(), strict=True):
        row[:1 + len(becomes)] = [ord(c), *map(ord, becomes)]
    return np.diff(table, axis=0, prepend=0)


def main(out):
    """Write the file."""
    import tokenizers
    about = {
        "huggingface": f"tokenizers {tokenizers.__version__}; lower-casing of Unicode 17.0, "
                       "decomposition and categories as compiled into it (Unicode 8 to 9)",
        "google": "google-research/bert tokenization.py; "
                  f"Unicode {unicodedata.unidata_version}",
        "bytelevel": f"tokenizers {tokenizers.__version__}; letters and numbers of Unicode 16.0",
    }
    arrays = {"about": np.array(json.dumps(about))}
    for name, parts in (("huggingface", huggingface()), ("google", google()), ("bytelevel", bytelevel())):
        for part, value in parts.items():
            table = rows(value) if isinstance(value, dict) else ranges(value)
            arrays[f"{name}.{part}"] = table
            print(name, part, table.shape)
    np.savez_compressed(out, **arrays)


if __name__ == "__main__":
    main(sys.argv[1])
