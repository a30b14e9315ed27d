"""Small SentencePiece models, a compiler of character maps, and the library `tokenizers` set up alike."""

import base64

from text_references import HOSTILE

SPACE = "▁"
UNKNOWN = "<unk>"
# Of the kinds that nmt_nfkc has: removed, blank, other characters, and marks that compose.
RULES = {"\x01": "", "\u200b": " ", "\t": " ", "\n": " ", "\r": " ", "\u3000": " ", "²": "2", "ﬁ": "fi", "Ａ": "A",
         "…": "...", "e\u0301": "é", "a\u0301\u0302": "ấ", "a\u0302": "â", "\u0344": "\u0308\u0301", "①": "1",
         "½": "1⁄2", "漢": "漢", "\U0001d400": "A", "e\u0301\u0302": "never", "longer than a cluster": "never"}
WORDS = ["▁the", "▁a", "▁c", "caf", "é", "▁qu", "ick", "▁un", "aff", "able", "ing", "▁▁", "xx", "xxx", "12", "9,", "fi",
         "中文", "▁中", "ти", "ра", "<s>", "</s>", "[MASK]", "👍", "\u0301", "e", "an"]
STEPS = {
    "none": [], "charsmap": [["charsmap"]],
    "albert": [["replace", "``", '"'], ["replace", "''", '"'], ["nfkd"], ["accents"], ["lowercase"], ["charsmap"]],
    "xlnet": [["replace", "``", '"'], ["replace", "''", '"'], ["nfkd"], ["accents"], ["charsmap"]],
    "accented": [["replace", "``", '"'], ["lowercase"], ["charsmap"]],
    "reformer": [["charsmap"], ["squeeze", " "]], "bigbird": [["squeeze", SPACE]],
    "older": [["charsmap"], ["strip_right"], ["squeeze", SPACE]], "stripped": [["strip_left"], ["lowercase"]],
    "forms": [["nfkc"], ["nfd"]],
}


def compiled(rules):
    """Return the bytes of a precompiled character map: each node of the trie has a block of 256 units of its own."""
    nodes, texts, places = {b"": 0}, b"", {}
    for key, text in rules.items():
        places[key.encode()] = len(texts)
        texts += text.encode() + b"\0"
        for end in range(1, len(key.encode()) + 1):
            nodes.setdefault(key.encode()[:end], len(nodes))
    units = [0] * (256 * (len(nodes) + 1))
    for node, number in nodes.items():
        base = 256 * (number + 1)
        place = (256 * (nodes[node[:-1]] + 1)) ^ node[-1] if node else 0
        units[place] = (node[-1] if node else 0) | (node in places) << 8 | (place ^ base) << 10
        if node in places:
            units[base] = 1 << 31 | places[node]
    data = b"".join(unit.to_bytes(4, "little") for unit in units)
    return len(data).to_bytes(4, "little") + data + texts


CHARSMAP = base64.b64encode(compiled(RULES)).decode()


def entries():
    """Return a vocabulary that reaches most characters of the corpus, but not all."""
    letters = sorted({c for c in "".join(HOSTILE) + "abcdefghijklmnopqrstuvwxyz" if not c.isspace()} - set("zZ\0é"))
    single = [c for i, c in enumerate(letters) if i % 7]
    return [*dict.fromkeys([UNKNOWN, "<pad>", SPACE, *WORDS, *single])]


def scores(vocabulary):
    """Return scores with many ties between ways to write a word."""
    return [0.0 if entry[0] == "<" else len(entry) - 2.0 - (i * 37 % 11) / 4 for i, entry in enumerate(vocabulary)]


def bpe_vocabulary():
    """Return a vocabulary and its merges."""
    merges = ["▁ t", "h e", "▁t he", "x x", "xx x", "e r", "a n", "c a", "f é", "ca f", "▁ ca", "中 文", "▁ ▁", "1 2"]
    words = [merge.replace(" ", "") for merge in merges]
    return [*dict.fromkeys([*entries(), *"▁thexrancf中文12é", *words])], merges


def normalizer(steps):
    """Return the normalizer of `tokenizers` for steps of bertkit's."""
    from tokenizers import Regex, normalizers
    made = {"charsmap": lambda: normalizers.Precompiled(compiled(RULES)), "nfkd": normalizers.NFKD,
            "nfd": normalizers.NFD, "nfc": normalizers.NFC, "nfkc": normalizers.NFKC,
            "accents": normalizers.StripAccents, "lowercase": normalizers.Lowercase, "replace": normalizers.Replace,
            "squeeze": lambda new: normalizers.Replace(Regex(" {2,}"), new),
            "strip_left": lambda: normalizers.Strip(right=False), "strip_right": lambda: normalizers.Strip(left=False)}
    return normalizers.Sequence([made[name](*values) for name, *values in steps])


def rust(model, steps, words="blanks", prefix=True):
    """Return the library `tokenizers` with one of its models, set up as bertkit's SentencePiece."""
    import tokenizers
    found = tokenizers.Tokenizer(model)
    mark = tokenizers.pre_tokenizers.Metaspace(prepend_scheme="always" if prefix else "never")
    split = tokenizers.pre_tokenizers.WhitespaceSplit()
    found.normalizer = normalizer(steps)
    found.pre_tokenizer = tokenizers.pre_tokenizers.Sequence([split, mark]) if words == "blanks" else mark
    return found
