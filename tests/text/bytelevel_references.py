"""Byte-level BPE of the library `tokenizers`, a vocabulary that it trained, and texts that are hard on it."""

import functools
import json

from text_references import HOSTILE

SPECIAL = ["<s>", "<pad>", "</s>", "<unk>"]
TEXTS = [
    *HOSTILE,
    # English endings
    "don't we're I've I'm he'll I'd it's", "'s'S'sa's 's \n's\t't x's's", "'lle 'le 'l 'ree 'rve 'd1 1'd", "'",
    "''s!'s", "it's't'", "’s ‘s", "'s\u0301", "a'", "a'r",
    # blanks
    "a  b   c    d", " a", "  a", "   ", "a ", "a  ", "\n\n a\n b\t\tc\t d", "a\u00a0 b \u00a0c", "\u3000 a \u3000",
    " \t \n x", "a\x1cb\x1d \x1e", "1  2 3\n4", " !  ! \n!", "\u2028a \u2029 b\x85c \u180e d",
    # letters, numbers and neither
    "a1b2 c٣४५d Ⅷ½²x", "x_y __ -1.5e+3", "αβγ12δ漢字٣ 한글9", "é\u0301e\u0301a\u0301b",
    "\U0001f600a\U0001f6001 \U0001f600",
    "\u0345a\u0901b \u0e33c", "क्षेत्र नमस्ते १२", "a\u200d\u200cb c\u00ad",
    # forms that NFC changes
    "e\u0301 e\u0323\u0301 e\u0301\u0323 \u0301a",
    "\u1112\u1161\u11ab 하\u11ab \u1161 \u212b \u2126 \u0958 \u0344 \u0f73",
    "q\u0307\u0323 q\u0323\u0307 \u1e9b\u0323 s\u0323\u0307", "\u0dd9\u0dcf\u0dca \u0dd9\u0dca\u0dcf \u09c7\u09be",
    "\u1fef \u037e \u212a\u0301 \U0001d15e \U0002f81a \ufb1d", "a\u0338=\u0338 \n\u0338 <\u0338",
    # runs that merge
    "aaaaaaaaaaaaaaa", "hahahahahaha", "..............", "=-=-=-=-=-=", "a" * 300,
]


@functools.cache
def trained(size=700):
    """Return a vocabulary with special tokens and <mask>, and its merges."""
    import tokenizers
    model = tokenizers.Tokenizer(tokenizers.models.BPE())
    model.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    letters = tokenizers.pre_tokenizers.ByteLevel.alphabet()
    model.train_from_iterator(TEXTS * 3, tokenizers.trainers.BpeTrainer(
        vocab_size=size, special_tokens=SPECIAL, initial_alphabet=letters, show_progress=False))
    ids = model.get_vocab()
    merges = [" ".join(pair) for pair in json.loads(model.to_str())["model"]["merges"]]
    return [*sorted(ids, key=ids.get), "<mask>"], merges


def rust(vocabulary, merges, prefix_space=False, nfc=False):
    """Return the library `tokenizers` set up for byte-level BPE, with offsets that leave out spaces."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    ids = {entry: i for i, entry in enumerate(vocabulary)}
    found = Tokenizer(models.BPE(ids, [tuple(merge.split(" ")) for merge in merges]))
    found.normalizer = normalizers.NFC() if nfc else None
    found.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=prefix_space)
    found.post_processor = processors.ByteLevel(add_prefix_space=prefix_space, trim_offsets=True)
    return found
