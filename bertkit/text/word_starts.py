"""Which entries of a vocabulary begin a word: what whole words are, to whoever sees ids alone."""

import numpy as np

from bertkit.text.decoding import DECODERS
from bertkit.text.unicode.codepoints import ISOLATED, SPACE, codepoints


def word_starts(tokenizer):
    """Return bool [V], true for each entry that begins a word.

    Those of WordPiece do that have no prefix. In the other kinds, whose blanks are in the entries, words begin where
    BERT's do: with a blank, an ideograph or a punctuation mark, if it is whole in the entry. So do special and added
    tokens. A text's first token begins a word, whatever it is.

    >>> from bertkit.text import Tokenizer
    >>> word_starts(Tokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "river", "##s"])).tolist()
    [True, True, True, True, True, True, False]
    """
    found = BEGINNINGS[tokenizer.model.kind](tokenizer)
    apart = {*tokenizer.special.values(), *(token.content for token in tokenizer.added)}
    return found | np.array([entry in apart for entry in tokenizer.vocabulary], bool)


def _without_prefix(tokenizer):
    return np.array([not entry.startswith(tokenizer.model.prefix) for entry in tokenizer.vocabulary], bool)


def _by_first_character(tokenizer):
    decoded = DECODERS[tokenizer.model.kind]
    texts = (decoded(tokenizer, [entry]) for entry in tokenizer.vocabulary)
    firsts = np.array([ord(text[0]) if text else 0 for text in texts], "int64")
    return np.isin(codepoints("huggingface", lowercase=False, strip_accents=False).kinds[firsts], (SPACE, ISOLATED))


BEGINNINGS = {"wordpiece": _without_prefix, "bytelevel": _by_first_character, "unigram": _by_first_character,
              "bpe": _by_first_character}
