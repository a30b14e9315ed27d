"""The two reference tokenizations, a corpus that is hard on them, and a vocabulary for it.

`original` follows the description of the code that came with BERT (google-research/bert,
tokenization.py), by strings and unicodedata, and shares no line with bertkit.
"""

import unicodedata

HOSTILE = [
    # blanks, controls and what cleaning drops
    "", " ", "   ", "\t", "\n", "\r\n \t", "\u00a0", "\u3000\u2003\u2009", "\u200b", "\ufeff",
    "\0", "\ufffd", "a\tb\nc\rd", "a\u00a0b\u2009c\u202fd\u3000e", "line\u2028two\u2029three",
    "a\x0bb\x0cc\x1cd\x1fe", "a\x85b\x9fc", "bell\x07 del\x7f", "nul\0byte", "a\ufffdb",
    "\ufeffstart mid\ufeffdle", "soft\u00adhyphen", "a\u200bb\u200cc\u200dd\u2060e",
    "\u202eback\u202c \u200fmark\u200e \u2066iso\u2069", "\x01\x02", "\u180ea\u180eb",
    "private \ue000\U000f0000 use", "unassigned \u0378\U000e01f0 non\ufffe\U0010ffff",
    # case
    "The Quick BROWN fox", "Straße STRASSE ẞ", "İstanbul İıI i", "Œuvre œuf Æon æon", "ǅ Ǆ ǆ",
    "ſ K Å", "ΟΔΥΣΣΕΥΣ", "ΟΔΟΣ ΑΣ. Σ ΑΣΑ ΑΣ'Α Α.Σ ΣΑΣ",
    "ΑΣ\u0301Β ΑΣ\u0301 Α\u00adΣ\u00ad ΑΣ-ΑΣ", "漢Σ ΑΣ漢Β", "ᾼ ᾳ Ὀ ὀδός",
    "\U00010400\U00010428", "ꟊ \ua7cb \ua7c0 \U00010570 \U00016e40", "ՀԱՅ հայ եւ և", "Ⅷ ⅷ Ⓐ ⓐ",
    "𝐀𝐁 𝓗𝓮",
    # accents and decomposition
    "café cafe\u0301 CAFÉ", "naïve résumé coöperate", "e\u0301\u0302\u0303t \u0301 \u0301x",
    "Tiếng Việt có dấu", "a\u0300\u0316b\u0327c", "\u0344\u0340 \u0385", "x\u0338 ≠ ≮ ≯",
    "Ångström \u212b \u2126", "`\u1fef \u037e;\u0387", "å̧\u0323",
    "e\u20dd e\u20e3 1\ufe0f\u20e3", "\u0898\u0899 a\u089b \u1abfx \u180f",
    "ą ć ę ł ń ó ś ź ż Ł Đ đ Ø ø",
    # scripts
    "한국어 위키백과", "\u1112\u1161\u11ab \uac00\u11a8 ㄱㅏ", "中文字 中English文 中\u0301文",
    "東京都です。", "か\u3099 が ガ ｶﾞ", "豈更 ⼀ 丽",
    "\U00020000\U0002a6d6\U0002b820\U0002ceb0\U0002ebf0\U00030000",
    "\u3400\u4dbf\u9fff\u4db6\u9ffd", "〇々〻 ー・", "السلام عليكم", "السَّلَامُ آأؤإئ ،؛؟ ٠١٢",
    "नमस्ते दुनिया क्षेत्र। ढ़ क़", "ো ோ ೋ ො ෝ ഔ", "สวัสดี", "தமிழ்", "שָׁלוֹם עולם ﬁ שּׁ",
    "Привет, мир! Йй Ёё Ґґ Її", "ཀྵ ཱི བོད་", "ကြီး ဦ", "ᬆ ᬈ", "𑂚 𑄮 𝅗𝅥 𝆺𝅥", "ⴀ Ⴀ ა Ა", "Ꭰ ꭰ ᏸ",
    # signs
    ".", "...", "?!", "a.b,c!d", "don't it's", "“curly” ‘quotes’ «» … • §",
    "$5 5% #tag @user €5 £5 ©®™ °C", "a_b __init__", "x=1;y<2>3|4~5^6`7",
    "C:\\path <b> {k: [1]}", "–—―−", "、。「」 ！（）",
    "\u2e4f\u2e52 \u2e5b \u1b7d \U00011fff \U00016e97 \u061d", "¡Hola! ¿Qué?",
    # numbers and compatibility forms, which stay
    "ｈｅｌｌｏ　ＷＯＲＬＤ！ １２", "½ x² H₂O ﬁnd ﬂow ﬆ №", "ℌℕ ㎏ ㈱",
    # emoji
    "\U0001f600 \U0001f44d\U0001f3fd", "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "\U0001f1e9\U0001f1ea ❤️ ☎︎", "Αʰ^Σ a\u0345·Σ",
    # pieces and special tokens as plain text
    "##ing ## # [MASK] [CLS]text[SEP] [UNK] [mask] [PAD]", "unaffable unaffableness", "zzzqqq",
    # the limits of a word
    "x" * 100, "x" * 101, "x" * 200, "x" * 201, "é" * 100, "e\u0301" * 100 + " e\u0301" * 2,
    "e\u0301" * 101, "한" * 34, "\u200b" * 150 + "a", "漢" * 120, "!" * 150, "a-" * 100,
    "word " + "y" * 400 + " end", "สวัสดี" * 16,
]

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def vocabulary():
    """Return entries that reach every character of the corpus but z, and some words and pieces."""
    text = "".join(HOSTILE) + "abcdefghijklmnopqrstuvwxyz0123456789ς"
    forms = text, text.lower(), *(unicodedata.normalize("NFD", t) for t in (text, text.lower()))
    single = sorted({c for form in forms for c in form if not c.isspace() and c not in "zZ\0"})
    words = ["the", "quick", "un", "##aff", "##able", "able", "cafe", "café", "word", "##ness",
             "οδυσσευς", "οδυσσευσ", "xx", "##xx", "##", "中文", "##ing"]
    return [*SPECIAL, *(w for c in single for w in (c, "##" + c)), *words]


def original(text, ids, lowercase=True, longest_word=200):
    """Return the tokens of the original BERT code for a text, under the entries of `ids`."""
    def category(c):
        return unicodedata.category(c)

    text = "".join(c for c in text if c in "\t\n\r" or not (
        ord(c) in (0, 0xFFFD) or category(c) in ("Cc", "Cf")))
    text = "".join(" " if c in "\t\n\r" or category(c) == "Zs" else c for c in text)
    text = "".join(f" {c} " if is_ideograph(ord(c)) else c for c in text)
    words = []
    for word in text.split():
        if lowercase:
            word = "".join(c for c in unicodedata.normalize("NFD", word.lower())
                           if category(c) != "Mn")
        words += "".join(f" {c} " if is_sign(c) else c for c in word).split()
    return [piece for word in words for piece in _longest_match(word, ids, longest_word)]


def is_ideograph(n):
    return (0x3400 <= n <= 0x4DBF or 0x4E00 <= n <= 0x9FFF or 0xF900 <= n <= 0xFAFF
            or 0x20000 <= n <= 0x2A6DF or 0x2A700 <= n <= 0x2CEAF or 0x2F800 <= n <= 0x2FA1F)


def is_sign(c):
    return c in "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~" or unicodedata.category(c)[0] == "P"


def _longest_match(word, ids, longest_word):
    pieces, rest = [], word
    while rest and len(word) <= longest_word:
        mark = "##" if pieces else ""
        size = next((n for n in range(len(rest), 0, -1) if mark + rest[:n] in ids), None)
        if size is None:
            return ["[UNK]"]
        pieces.append(mark + rest[:size])
        rest = rest[size:]
    return pieces or ["[UNK]"]


def rust(ids, lowercase=True, strip_accents=None, clean=True, split_ideographs=True,
         longest_word=100):
    """Return the library `tokenizers` set up as for BERT, with the entries of `ids`."""
    import tokenizers
    found = tokenizers.Tokenizer(tokenizers.models.WordPiece(
        ids, unk_token="[UNK]", max_input_chars_per_word=longest_word))
    found.normalizer = tokenizers.normalizers.BertNormalizer(
        clean_text=clean, handle_chinese_chars=split_ideographs, strip_accents=strip_accents,
        lowercase=lowercase)
    found.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    return found
