"""The texts of the corpus, drawn with a seed: words of many scripts, every common codepoint, and hostile texts."""

import random
import unicodedata

from words import EMOJI, MARKS, NUMBERS, SHORTENED, TOKENS, WORDS

SEED, COUNT = 1, 8200
BLANKS = " \t\n\v\f\r\x1c\x1f\x85\u00a0\u1680\u2003\u2009\u2028\u2029\u202f\u205f\u3000"
UNSEEN = "\0\x01\x08\x7f\x9f\u00ad\u034f\u061c\u180e\u200b\u200c\u200d\u200e\u202e\u2060\ufe0f"
UNSEEN += "\ufeff\ufffc\ufffd\U000e0001\U000e0041"
ODD = "\ufffe\uffff\ufdd0\ue000\uf8ff\U000f0000\U0010ffff\u0378\u05ff\u2fe0\U0001fbff\U00030000\U0002fffe\U000e0fff"
CASES = "İıßẞǅǆΣςσᾈᾳŉﬁﬂſKÅꞋⅫⓐԱև" + "\u0345\u1e9e\U00010400\U0001e900"
LETTERLIKE = "ﬁﬀㄱ㎏㍿℃ⅣＡｂｃ１㈱ﷺĲǉ①𝔄𝕓𝒸ªº™…½ﾀﾞ각힣\u1100\u1161\u11a8\u3131豈\U0002f800"
# Blocks of which every codepoint stands in a text, and how many stand in one.
SWEPT = [(0x20, 0x3400, 8), (0xA000, 0xABFF, 24), (0xD7B0, 0xD800, 8), (0xF900, 0x10000, 8), (0x10000, 0x10300, 24),
         (0x10400, 0x10E00, 24), (0x11000, 0x11700, 16), (0x16A00, 0x16FFF, 24), (0x1D000, 0x1D800, 16),
         (0x1E000, 0x1F100, 16), (0x1F100, 0x1FB00, 12), (0x2F800, 0x2FA20, 8), (0xE0000, 0xE0200, 24)]
# Blocks whose letters the vocabularies are to have, so that a wrong capital letter or accent shows.
LEARNED = [(0xC0, 0x250), (0x370, 0x588), (0x10A0, 0x1100), (0x13A0, 0x13F6), (0x1E00, 0x2000), (0x2C00, 0x2D00),
           (0xA640, 0xA690), (0xA720, 0xA7FF), (0xFF10, 0xFF5B), (0x10400, 0x10450)]
PROBED = [(0x3400, 0xA000), (0xAC00, 0xD7A4), (0xE000, 0xF900), (0x11700, 0x16A00), (0x17000, 0x1D000),
          (0x20000, 0x2F800), (0x2FA20, 0xE0000), (0xE0200, 0x110000)]


def texts(seed=SEED, count=COUNT):
    """Return `count` different texts; the same seed gives the same."""
    chance = random.Random(seed)
    found = dict.fromkeys([*_fixed(), *_swept(chance), *_probed(chance, 300)])
    kinds = [_sentence] * 8 + [_mixed] * 4 + [_marked, _cased, _unseen, _decomposed, _jamo, _run, _emoji]
    while len(found) < count:
        found.setdefault(chance.choice(kinds)(chance))
    return list(found)[:count]


def training(seed=2, count=3000):
    """Return texts of the same words to learn vocabularies from."""
    chance = random.Random(seed)
    letters = [chr(c) for first, last in LEARNED for c in range(first, last) if chr(c).isalnum()]
    return [_sentence(chance, 12) for _ in range(count)] + [f"{c} a{c} {c}a{c}" for c in letters]


def word(chance, script=None):
    """Return a word, or a part of one."""
    found = chance.choice(WORDS[script or chance.choice(list(WORDS))].split())
    if not chance.randrange(4):
        found = found[:chance.randint(1, len(found))]
    return found if chance.randrange(6) else chance.choice([str.upper, str.title, str.lower, str.swapcase])(found)


def _fixed():
    """Return texts that each try one rule."""
    yield from ("", " ", "\n", "a", "  a  ", "\ta\n", "café", "cafe\u0301", "\ufeffa", "1,000.50", "don't", "x\u0301y")
    yield "a b " * 30
    yield from (letter * size for letter in ("x", "é", "語", "ß", "İ", "\U0001f600") for size in (99, 100, 101))
    yield from ("e\u0301" * 50, "e\u0301" * 51, "a" + "\u0301" * 40, "ab" * 300, "\u200d" * 30, " " * 70)
    yield from ("▁" * 9, "Ġ" * 9)
    yield from (*TOKENS, *(f"a {token} b" for token in TOKENS), *(f"x{token}y" for token in TOKENS))
    yield from (*EMOJI, *MARKS, *NUMBERS, *SHORTENED, *CASES, *LETTERLIKE, *UNSEEN, *ODD)
    yield from (f"a{c}b" for c in BLANKS + UNSEEN + ODD + CASES + LETTERLIKE)
    yield from (f"{a}{b}" for a in BLANKS for b in BLANKS)
    yield from (f"ΑΣ{c}Σ{d}" for c in "\u0301'.:\u00ad-\u200b Aʼ" for d in ("", "Α", "'", "\u0301Α", " Α", "·", "1"))


def _swept(chance):
    """Yield every codepoint of the common blocks in order, a few a text."""
    for first, last, size in SWEPT:
        for begin in range(first, last, size):
            codes = range(begin, min(begin + size, last))
            yield chance.choice(["", " ", " ", "a", "a"]).join(map(chr, codes))


def _probed(chance, count):
    """Yield codepoints drawn from the other blocks; of surrogates none."""
    for _ in range(count):
        yield "".join(chr(chance.randrange(*chance.choice(PROBED))) for _ in range(chance.randint(3, 8)))


def _sentence(chance, most=5):
    script = chance.choice(list(WORDS))
    parts = [word(chance, script) for _ in range(chance.randint(1, most))]
    if not chance.randrange(3):
        parts.insert(chance.randint(0, len(parts)), chance.choice(MARKS + NUMBERS + SHORTENED))
    return chance.choice([" ", " ", " ", "  ", "-", "", "\u00a0"]).join(parts)


def _mixed(chance):
    draws = [lambda: word(chance), lambda: chance.choice(MARKS), lambda: chance.choice(NUMBERS + SHORTENED),
             lambda: chance.choice(TOKENS), lambda: chance.choice(EMOJI)]
    return chance.choice([" ", "", "  ", "\t"]).join(chance.choice(draws)() for _ in range(chance.randint(1, 5)))


def _marked(chance):
    """Return letters with several combining marks, in an order that may not be canonical."""
    blocks = (*range(0x300, 0x370), *range(0x591, 0x5c8), *range(0x64b, 0x660), 0x93c, 0x94d, 0x3099, 0x20d0)
    marks = [c for c in map(chr, blocks) if unicodedata.combining(c)]
    return "".join(chance.choice("aeiouAEIOUоαאبकか") + "".join(chance.choices(marks, k=chance.randrange(4)))
                   for _ in range(chance.randint(1, 6)))


def _cased(chance):
    return "".join(chance.choice(CASES + LETTERLIKE + "aB Σ'.") for _ in range(chance.randint(2, 10)))


def _unseen(chance):
    kinds = [UNSEEN, ODD, BLANKS, "abcÉ1.#["]
    return "".join(chance.choice(chance.choice(kinds)) for _ in range(chance.randint(2, 12)))


def _decomposed(chance):
    form = chance.choice(["NFD", "NFKD", "NFKC", "NFC"])
    return unicodedata.normalize(form, " ".join(word(chance) for _ in range(chance.randint(1, 3))))


def _jamo(chance):
    blocks = [(0x1100, 0x1113), (0x1161, 0x1176), (0x11a8, 0x11c3), (0x1100, 0x1200), (0xac00, 0xd7a4),
              (0xac00, 0xac1e)]
    return "".join(chr(chance.randrange(*chance.choice(blocks))) for _ in range(chance.randint(1, 8)))


def _run(chance):
    """Return a word of up to 130 characters."""
    letters = chance.choice(["ab", "xyé", "αβσΣ", "かが", "ㅏ각", "🙂🙃", "1234", "a'", "##a"])
    long = not chance.randrange(6)
    size = chance.choice([chance.randint(5, 30), chance.randint(95, 130)]) if long else chance.randint(3, 12)
    return "".join(chance.choice(letters) for _ in range(size))


def _emoji(chance):
    parts = [*EMOJI, "\u200d", "\ufe0f", "\U0001f3fd", "\U0001f1e6", "\U0001f1ff", "a", " ", "\u20e3", "#"]
    return "".join(chance.choice(parts) for _ in range(chance.randint(1, 5)))
