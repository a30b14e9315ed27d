"""The words that ROUGE counts: those of the library rouge-score in English, of every script elsewhere."""

import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import cache

ENGLISH = 0.02          # the largest share of letters outside a to z in a text that counts as English
_ENGLISH_WORD = re.compile("[a-z0-9]+")
# Scripts that are written without blanks between words: Thai, Lao, Myanmar, Khmer, kana, ideographs.
WITHOUT_BLANKS = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u19e0-\u19ff\u3040-\u30ff\u31f0-\u31ff"
                             "\u3400-\u4dbf\u4e00-\u9fff\ua9e0-\ua9ff\uaa60-\uaa7f\uf900-\ufaff\uff66-\uff9d"
                             "\U00020000-\U0003ffff]")
WORD, PART, ALONE, BETWEEN = range(4)


def is_english(texts: Iterable[str]) -> bool:
    """Return whether ROUGE counts texts as the library rouge-score does, which knows a to z and 0 to 9 alone.

    Args:
        texts: The texts that are compared.

    Returns:
        Whether at most one of 50 letters is another one.

    Example:
        >>> is_english(["A film about a café by the sea, in which a man and a dog walk along."]), is_english(["кафе"])
        (True, False)
    """
    letters = ascii_letters = 0
    for text in texts:
        ascii_letters += sum(map(str.isalpha, text.encode("ascii", "ignore").decode()))
        letters += sum(map(str.isalpha, text))
    return letters - ascii_letters <= ENGLISH * letters


def english_words(text: str) -> list[str]:
    """Return the words of a text as rouge-score finds them: runs of a to z and 0 to 9, in lower case.

    Args:
        text: The text.

    Returns:
        The words.

    Example:
        >>> english_words("A café.")
        ['a', 'caf']
    """
    return _ENGLISH_WORD.findall(text.lower())


def script_words(text: str) -> list[str]:
    """Return the words of a text of any script, in lower case.

    A word is a run of letters and digits with their marks; of scripts that are written without blanks (Chinese,
    Japanese, Thai, Lao, Khmer, Burmese) it is a single letter with its marks. Of a text of a to z and 0 to 9 these are
    the words of rouge-score.

    Args:
        text: The text.

    Returns:
        The words, in Unicode's form NFC.

    Example:
        >>> script_words("Ein Café, der Дождь; 北京 หมา")
        ['ein', 'café', 'der', 'дождь', '北', '京', 'ห', 'ม', 'า']
    """
    words: list[str] = []
    before = BETWEEN
    for letter in unicodedata.normalize("NFC", text.lower()):
        kind = _kind(letter)
        if kind == BETWEEN or kind == PART and before == BETWEEN:
            before = BETWEEN
        elif kind == PART or kind == before == WORD:
            words[-1] += letter
        else:
            words.append(letter)
            before = kind
    return words


def words_for(texts: Iterable[str]) -> Callable[[str], list[str]]:
    """Return what finds the words that ROUGE counts in texts that are compared with each other.

    Args:
        texts: The texts.

    Returns:
        `english_words` or `script_words`.
    """
    return english_words if is_english(texts) else script_words


@cache
def _kind(letter):
    """Return what a character is: in a word, a mark that belongs to the letter before it, a word alone, or between."""
    if unicodedata.category(letter)[0] == "M":
        return PART
    if not letter.isalnum():
        return BETWEEN
    return ALONE if WITHOUT_BLANKS.match(letter) else WORD
