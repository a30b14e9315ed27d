"""Make bertkit/text/unicode/normalization.npz: the normalisation steps of `tokenizers`, codepoint by codepoint.

    python tests/golden/make_normalization.py OUT.npz

The library is asked, because each of its steps has a Unicode version of its own. A name in the file never changes its
meaning: a table of a newer Unicode version gets a new name, so that a saved tokenizer keeps its ids. Not a test.
"""

import io
import json
import sys
import tempfile
import unicodedata
from pathlib import Path

import numpy as np
from make_codepoints import CODEPOINTS, changed, ranges


def decompositions():
    """Return what single codepoints become under NFD and NFKD; Hangul is left to its formula."""
    from tokenizers import normalizers
    return {form: {c: text for c, text in changed(getattr(normalizers, name)().normalize_str).items()
                   if not 0xAC00 <= ord(c) < 0xD7A4}
            for form, name in (("canonical", "NFD"), ("compatibility", "NFKD"))}


def accents():
    """Return the codepoints that StripAccents removes."""
    from tokenizers import normalizers
    strip = normalizers.StripAccents().normalize_str
    return [c for c in CODEPOINTS if strip(c) == ""]


def combining_classes(canonical):
    """Return {codepoint: combining class}, told by which marks change places with it."""
    from tokenizers import normalizers
    order = normalizers.NFD().normalize_str

    def swapped(first, second):
        return order("a" + first + second) != "a" + first + second

    # U+0334 is of the lowest class, 1, and U+0345 of the highest, 240.
    marks = [c for c in CODEPOINTS if c not in canonical and not 0xAC00 <= ord(c) < 0xD7A4
             and (swapped(c, "\u0334") or swapped("\u0345", c))]
    samples = {unicodedata.combining(c): c for c in reversed(marks)}
    return {c: next(n for n, mark in samples.items() if not swapped(c, mark) and not swapped(mark, c)) for c in marks}


def compositions(canonical):
    """Return {composed codepoint: its two parts}, the pairs that NFC puts together."""
    from tokenizers import normalizers
    compose = normalizers.NFC().normalize_str
    return {c: compose(parts[:-1]) + parts[-1] for c, parts in canonical.items() if compose(parts) == c}


def graphemes():
    """Return the sets of codepoints that go with the one before, with the one after, and with none."""
    from tokenizers import normalizers

    def replaced(old, new):
        return normalizers.Precompiled(charsmap(old, new)).normalize_str

    # A cluster of less than six bytes is replaced as a whole if its beginning is in the map.
    one, two = replaced("a", "b"), replaced("\u0301\u0302", "x")
    return {"extend": [c for c in CODEPOINTS if one("a" + c) == "b"],
            "prepend": [c for c in CODEPOINTS if one(c + "a\u0301") != one(c) + "b"],
            "control": [c for c in CODEPOINTS if two(c + "\u0301\u0302").endswith("x")]}


def charsmap(old, new):
    """Return the precompiled map of one rule, as the library `sentencepiece` writes it."""
    import sentencepiece
    from sentencepiece import sentencepiece_model_pb2
    with tempfile.TemporaryDirectory() as folder:
        rules, model = Path(folder) / "rules.tsv", io.BytesIO()
        rules.write_text("\t".join(" ".join(f"{ord(c):X}" for c in text) for text in (old, new)) + "\n")
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(["some words to train on"] * 50), model_writer=model, vocab_size=20,
            hard_vocab_limit=False, normalization_rule_tsv=str(rules), minloglevel=2)
    proto = sentencepiece_model_pb2.ModelProto.FromString(model.getvalue())
    return proto.normalizer_spec.precompiled_charsmap


def rows(mapping):
    """Return a map as int32 [n, 1 + longest], filled up with -1; differences compress better."""
    table = np.full((len(mapping), 1 + max(map(len, mapping.values()))), -1, np.int32)
    for row, (c, becomes) in zip(table, mapping.items(), strict=True):
        row[:1 + len(becomes)] = [ord(c), *map(ord, becomes)]
    return np.diff(table, axis=0, prepend=0)


def main(out):
    """Write the file."""
    import tokenizers
    about = (f"tokenizers {tokenizers.__version__}; decomposition, composition and accents as compiled into it "
             "(Unicode 8 to 9), grapheme clusters of Unicode 16")
    maps = decompositions()
    classes = combining_classes(maps["canonical"])
    arrays = {"about": np.array(json.dumps(about)),
              "classes": np.array([[ord(c), n] for c, n in classes.items()], np.int32),
              "accents": ranges(accents()), **{name: ranges(part) for name, part in graphemes().items()},
              **{name: rows(part) for name, part in maps.items()},
              "compositions": rows(compositions(maps["canonical"]))}
    arrays["classes"] = np.diff(arrays["classes"], axis=0, prepend=0)
    for name, array in arrays.items():
        print(name, array.shape)
    np.savez_compressed(out, **arrays)


if __name__ == "__main__":
    main(sys.argv[1])
