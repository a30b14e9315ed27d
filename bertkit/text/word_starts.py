"""Which entries of a vocabulary begin a word, for code that sees ids alone."""

from typing import Any

import numpy as np

from bertkit.text.decoding import DECODERS
from bertkit.text.unicode.codepoints import ISOLATED, SPACE, codepoints


def word_starts(tokenizer: Any) -> np.ndarray:
    """Return which entries of a vocabulary begin a word.

    In WordPiece these are the entries without a prefix. The entries of the other kinds contain blanks; there words
    begin where BERT's words do: with a blank, an ideograph or a punctuation mark that is whole in the entry. Special
    and added tokens begin a word. The first token of a text begins a word, whatever it is.

    Args:
        tokenizer: a `Tokenizer` with V entries.

    Returns:
        bool array [V].

    Example:
        >>> from bertkit.text import Tokenizer
        >>> word_starts(Tokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "river", "##s"])).tolist()
        [True, True, True, True, True, True, False]
    """
    starts = WORD_STARTS[tokenizer.model.kind](tokenizer)
    own_words = {*tokenizer.special.values(), *(token.content for token in tokenizer.added)}
    return starts | np.array([entry in own_words for entry in tokenizer.vocabulary], bool)


def _without_prefix(tokenizer):
    prefix = getattr(tokenizer.model, "prefix", "##")
    return np.array([not entry.startswith(prefix) for entry in tokenizer.vocabulary], bool)


def _by_first_character(tokenizer):
    decoded = DECODERS[tokenizer.model.kind]
    texts = (decoded(tokenizer, [entry]) for entry in tokenizer.vocabulary)
    firsts = np.array([ord(text[0]) if text else 0 for text in texts], "int64")
    return np.isin(codepoints("huggingface", lowercase=False, strip_accents=False).kinds[firsts], (SPACE, ISOLATED))


WORD_STARTS = {"wordpiece": _without_prefix, "japanese": _without_prefix, "bytelevel": _by_first_character,
               "unigram": _by_first_character, "bpe": _by_first_character}
