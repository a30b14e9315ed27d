"""Find the sentences of a document that are most like a reference summary: the labels of a summariser."""

from collections import Counter
from functools import lru_cache

import numpy as np

from bertkit.metrics.script_words import words_for


@lru_cache(maxsize=4096)
def oracle(document: str, spans: tuple[tuple[int, int], ...], references: tuple[str, ...],
           count: int) -> tuple[int, ...]:
    """Choose at most `count` sentences that together are most like a reference.

    One sentence at a time is added: the one that raises F1 of words + F1 of pairs of words (clipped, within sentences)
    most, against the reference for which that sum is largest. It ends where nothing raises the sum (Nallapati, Zhai and
    Zhou 2017, section 3.1; the sum of ROUGE-1 and ROUGE-2 as in the code of Liu and Lapata 2019).

    Args:
        document: The document.
        spans: (start, end) of its sentences.
        references: The reference summaries.
        count: The most sentences.

    Returns:
        The numbers of the chosen sentences, in order.

    Example:
        >>> oracle("The sea. A dog barks.", ((0, 8), (9, 21)), ("a dog",), 1)
        (1,)
    """
    words = words_for((document, *references))
    parts = [words(document[start:end]) for start, end in spans]
    return max((_greedy(parts, words(text), count) for text in references), key=lambda found: found[1])[0]


def _greedy(parts, reference, count):
    """Return (chosen sentences, F1 of words + F1 of pairs) against one reference."""
    tables = [_table(parts, reference, n) for n in (1, 2)]
    chosen, best = [], 0.0
    while len(chosen) < min(count, len(parts)):
        scores = np.sum([_f1(counts + counts[chosen].sum(axis=0), sizes + sizes[chosen].sum(), gold, total)
                         for counts, sizes, gold, total in tables], axis=0)
        scores[chosen] = -1
        place = int(np.argmax(scores))
        if scores[place] <= best:
            break
        best = float(scores[place])
        chosen.append(place)
    return tuple(sorted(chosen)), best


def _table(parts, reference, n):
    """Return how often each sentence has each n-gram of a reference [S,G], its n-grams [S], the reference's [G], Σ."""
    gold = Counter(zip(*(reference[i:] for i in range(n)), strict=False))
    places = {gram: place for place, gram in enumerate(gold)}
    counts = np.zeros((len(parts), len(gold)))
    for row, part in enumerate(parts):
        for gram in zip(*(part[i:] for i in range(n)), strict=False):
            if gram in places:
                counts[row, places[gram]] += 1
    sizes = np.array([max(len(part) - n + 1, 0) for part in parts], float)
    return counts, sizes, np.array(list(gold.values()), float), float(gold.total())


def _f1(counts, sizes, gold, total):
    return 2 * np.minimum(counts, gold).sum(axis=1) / np.maximum(sizes + total, 1)
