"""Tokenizers with other settings than those of the three large files: one for each way that a setting can go."""

import random

import texts as drawn

from bertkit.text import Tokenizer
from bertkit.text.formats.sentencepiece import merges
from bertkit.text.models.bytelevel import letters

COUNT = 600
# What is compared with the library `tokenizers`, if not the offsets too; it does not have Google's rules.
COMPARED = {"google": "", "bytes_prefix": "ids", "bytes_missing": "ids", "bytes_unknown": "ids"}
ADDED = ["<url>", {"content": "<b>", "lstrip": True, "rstrip": True}, {"content": "who", "single_word": True},
         {"content": "<Été>", "normalized": True}, {"content": "ﬁ", "normalized": True}]
BYTES = [f"<0x{byte:02X}>" for byte in range(256)]
ROBERTA = {"unk": "<unk>", "cls": "<s>", "sep": "</s>", "pad": "<pad>", "mask": "<mask>"}
FORMS = [["replace", "``", '"'], ["nfkd"], ["accents"], ["lowercase"], ["squeeze_blanks", " "]]


def texts():
    """Return some texts of the corpus, and some with the added tokens."""
    chance = random.Random(3)
    some = ["see <url>.", "<url><url>", "a <b> c", " <b> ", "who knows who's who", "whoever, who-who",
            "<Été> <ÉTÉ> <e\u0301té> <ete>", "ﬁ fi Fi ﬁx", "x<Été>\tﬁ<b>  z", "``so''", "a\t\n  b\r c ", "  ▁a ▁▁ b",
            "<0x41>é<0x0A>\n"]
    return some + chance.sample([text for text in drawn.texts() if len(text) < 60], COUNT - len(some))


def tokenizers(learned):
    """Return {name: tokenizer}; `learned(kind, size)` gives one of a kind with the usual settings."""
    pieces, parts, units = learned("wordpiece", 1200), learned("bpe", 600), learned("unigram", 3000)
    words, entries = list(pieces.vocabulary), list(units.vocabulary[:1200])
    scores = units.model.tables()["scores"][:1200]
    ranked = [entry for _, entry in sorted(zip(scores[5:], entries[5:], strict=True), reverse=True)]
    joined = [*entries[:5], *sorted(ranked, key=len)]
    some_bytes = [entry for entry in parts.model_vocabulary if entry not in letters()[0x80:0xA0]]
    kept = [merge for merge in parts.model.tables()["merges"] if all(
        part in some_bytes for part in (*merge.split(" "), merge.replace(" ", "", 1)))]
    pads = {"special": units.special}
    return {
        "cased": Tokenizer(words, lowercase=False, strip_accents=False),
        "accents": Tokenizer(words, strip_accents=False, split_ideographs=False, clean=False, longest_word=20),
        "google": Tokenizer(words, rules="google", longest_word=200),
        "forms": Tokenizer(words, normalization=FORMS[:2], lowercase=False),
        "added": Tokenizer(words, added=ADDED),
        "bytes_prefix": Tokenizer(parts.model_vocabulary, "bytelevel", ROBERTA, merges=parts.model.tables()["merges"],
                                  prefix_space=True, normalization=[["nfd"], ["lowercase"]]),
        "bytes_missing": Tokenizer(some_bytes, "bytelevel", ROBERTA, merges=kept, normalization=[["nfc"]]),
        "bytes_unknown": Tokenizer(some_bytes, "bytelevel", ROBERTA, merges=kept, unknown_bytes=True,
                                   normalization=[["strip_left"], ["strip_right"], ["squeeze", " "]]),
        "unigram_spaces": Tokenizer(entries, "unigram", scores=scores, words="spaces",
                                    normalization=[["nfkc"], ["squeeze", "▁"]], **pads),
        "unigram_added": Tokenizer(entries, "unigram", scores=scores, prefix=False, normalization=FORMS, added=ADDED,
                                   **pads),
        "pairs": Tokenizer(joined, "bpe", merges=merges(joined), normalization=[["nfd"]], **pads),
        "fallback": Tokenizer([*joined, *BYTES], "bytefallback", merges=merges(joined),
                              normalization=[["replace", " ", "▁"]], **pads),
    }
