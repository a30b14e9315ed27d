"""Entities of tagged sentences: where they are, and how many were found."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from bertkit.errors import Error

TAG = re.compile(r"O|[BIES](-.*)?", flags=re.DOTALL)
_WRITTEN = re.compile(r"[BIESLUM]([-_].*)?", flags=re.DOTALL)
_SPELLING = {"L": "E", "U": "S", "M": "I"}
# The letters with which a run of tags must begin and end to be an entity.
KEPT = {"default": ("BIES", "BIES"), "IOB2": ("B", "BI"), "IOBES": ("BS", "ES")}


def entities(tags: Sequence[str], mode: str = "default") -> list[tuple[str, int, int]]:
    """Return the entities in the tags of one sentence.

    "default" is the rule of conlleval (Tjong Kim Sang and De Meulder 2003): an entity begins at B and S, and at an I or
    E that does not continue an entity of its type. So it reads IOB1, IOB2 and IOBES. "IOB2" takes an entity only when
    it begins with B, "IOBES" only when it is one S or goes from B to E. "strict" is "IOBES" where a tag is E or S, and
    "IOB2" otherwise.

    Args:
        tags: one tag for each word, "O" or a letter of B, I, E, S with a type, as in "B-PER".
        mode: "default", "strict", "IOB2" or "IOBES".

    Returns:
        A list of (type, first word, last word + 1), in order.

    Raises:
        Error: when a tag or the mode is unknown.

    Example:
        >>> tags = ["B-PER", "I-PER", "O", "I-LOC", "I-LOC", "B-LOC", "I-PER"]
        >>> entities(tags)
        [('PER', 0, 2), ('LOC', 3, 5), ('LOC', 5, 6), ('PER', 6, 7)]
        >>> entities(tags, "strict")
        [('PER', 0, 2), ('LOC', 5, 6)]
    """
    return _entities(tags, _scheme(mode, [tags]))


def spelt(tags: Sequence[str]) -> list[str]:
    """Return tags as `entities` reads them, whatever scheme they are written in.

    BILOU's last and unit become E and S, the middle of BMES I, and B_PER becomes B-PER. Where no tag but O has such a
    letter, tags are types without a prefix, and become I-: neighbours of one type are one entity.

    Args:
        tags: tags that belong together, such as all that a model gives.

    Returns:
        As many tags. Those that are in no such scheme stay as they are.

    Example:
        >>> spelt(["O", "U-PER", "M_LOC"]), spelt(["O", "VERB"])
        (['O', 'S-PER', 'I-LOC'], ['O', 'I-VERB'])
    """
    if any(_WRITTEN.fullmatch(tag) for tag in tags if tag != "O"):
        return [_SPELLING.get(tag[0], tag[0]) + "-" * (len(tag) > 1) + tag[2:] if _WRITTEN.fullmatch(tag) else tag
                for tag in tags]
    return [tag if tag == "O" else f"I-{tag}" for tag in tags]


def entity_counts(labels: Sequence[Sequence[str]], predictions: Sequence[Sequence[str]],
                  mode: str = "default") -> np.ndarray:
    """Return how many entities of each sentence are right, predicted and labelled.

    An entity is right when its type and its words are those of a label. The scores of a corpus are functions of the
    sums of these counts (`precision_of`, `recall_of`, `f1_of`), so sentences can be resampled cheaply.

    Args:
        labels: lists of tags, one for each sentence.
        predictions: lists of tags of the same lengths.
        mode: as in `entities`.

    Returns:
        int64 array [sentences, 3]: entities that are right, predicted, and in the labels.

    Raises:
        Error: when there are no sentences, the sides do not match, or a tag or the mode is unknown.

    Example:
        >>> entity_counts([["B-A", "I-A", "O", "B-B"]], [["B-A", "I-A", "O", "B-A"]]).tolist()
        [[1, 2, 2]]
    """
    return _counted(_pairs(labels, predictions, mode))


def entity_scores(labels: Sequence[Sequence[str]], predictions: Sequence[Sequence[str]],
                  mode: str = "default") -> dict[str, Any]:
    """Return precision, recall and F1 of entities, over all sentences together.

    The scores are equal to those of the library seqeval (its default mode, and its strict mode with a scheme). A
    fraction of nothing is 0.

    Args:
        labels: lists of tags, one for each sentence.
        predictions: lists of tags of the same lengths.
        mode: as in `entities`; "strict" reads IOBES where a tag of either side is E or S.

    Returns:
        A dict {"precision", "recall", "f1", "by_type"} of fractions; "by_type" is {type: {"precision", "recall", "f1",
        "support"}} for the types of either side, and "support" counts the entities in the labels.

    Raises:
        Error: when there are no sentences, the sides do not match, or a tag or the mode is unknown.

    Example:
        >>> entity_scores([["B-A", "I-A", "O", "B-B"]], [["B-A", "I-A", "O", "B-A"]])["f1"]
        0.5
    """
    pairs = _pairs(labels, predictions, mode)
    by_type = {}
    for kind in sorted({entity[0] for pair in pairs for side in pair for entity in side}):
        counts = _counted([[{entity for entity in side if entity[0] == kind} for side in pair] for pair in pairs])
        by_type[kind] = {**_fractions(counts), "support": int(counts[:, 2].sum())}
    return {**_fractions(_counted(pairs)), "by_type": by_type}


def precision_of(counts: Any) -> float:
    """Return right / predicted entities.

    Args:
        counts: rows [sentences, 3] of `entity_counts`.

    Returns:
        The precision, a float; 0 where nothing was predicted.

    Example:
        >>> counts = [[1, 2, 4], [1, 1, 1]]         # of two sentences: right, predicted, labelled
        >>> round(precision_of(counts), 2)
        0.67
    """
    right, predicted, _ = np.sum(counts, axis=0)
    return float(right / predicted) if predicted else 0.0


def recall_of(counts: Any) -> float:
    """Return right / labelled entities.

    Args:
        counts: rows [sentences, 3] of `entity_counts`.

    Returns:
        The recall, a float; 0 where nothing is labelled.

    Example:
        >>> counts = [[1, 2, 4], [1, 1, 1]]         # of two sentences: right, predicted, labelled
        >>> recall_of(counts)
        0.4
    """
    right, _, labelled = np.sum(counts, axis=0)
    return float(right / labelled) if labelled else 0.0


def f1_of(counts: Any) -> float:
    """Return 2 right / (predicted + labelled) of entities.

    Args:
        counts: rows [sentences, 3] of `entity_counts`.

    Returns:
        F1, a float; 0 where nothing is right.

    Example:
        >>> counts = [[1, 2, 4], [1, 1, 1]]         # of two sentences: right, predicted, labelled
        >>> f1_of(counts)
        0.5
    """
    right, predicted, labelled = np.sum(counts, axis=0)
    return float(2 * right / (predicted + labelled)) if right else 0.0


def _counted(pairs):
    return np.array([(len(gold & predicted), len(predicted), len(gold)) for gold, predicted in pairs], np.int64)


def _fractions(counts):
    return {"precision": precision_of(counts), "recall": recall_of(counts), "f1": f1_of(counts)}


def _entities(tags, scheme):
    begins, ends = KEPT[scheme]
    spans, last = [], len(tags)
    for first in range(last - 1, -1, -1):
        if first and _continues(tags[first - 1], tags[first]):
            continue
        if tags[first][0] in begins and tags[last - 1][0] in ends:
            spans.append((tags[first][2:] or "_", first, last))
        last = first
    return spans[::-1]


def _continues(before, tag):
    return before[0] in "BI" and tag[0] in "IE" and before[2:] == tag[2:]


def _scheme(mode, sentences):
    """Return the key of KEPT that a mode means for these sentences; Error for tags that are none."""
    if mode not in (*KEPT, "strict"):
        raise Error(f"mode={mode!r} is unknown; give 'default' or 'strict' (or 'IOB2', 'IOBES').")
    distinct = {tag for sentence in sentences for tag in sentence}
    unknown = sorted(str(tag) for tag in distinct if not isinstance(tag, str) or not TAG.fullmatch(tag))
    if unknown:
        raise Error(f"{unknown[0]!r} is no tag; wanted 'O', or B, I, E or S with a type as in 'B-PER'.")
    has_ends = any(tag[0] in "ES" for tag in distinct)
    if mode == "IOB2" and has_ends:
        raise Error("Tags E and S came, which IOB2 does not have; give mode='IOBES' or 'strict'.")
    return mode if mode != "strict" else "IOBES" if has_ends else "IOB2"


def _pairs(labels, predictions, mode):
    """Return for each sentence its entities in the labels and in the predictions, as two sets."""
    sides = (labels, predictions)
    if not all(hasattr(rows, "__len__") and all(hasattr(row, "__len__") for row in rows) for rows in sides):
        raise Error(f"{labels!r:.40} and {predictions!r:.40} came; give two lists of lists of tags.")
    if len(labels) != len(predictions) or not len(labels):
        raise Error(f"{len(labels)} labelled and {len(predictions)} predicted sentences came; "
                    "give the same number, at least 1.")
    for i, (gold, predicted) in enumerate(zip(labels, predictions, strict=True)):
        if len(gold) != len(predicted):
            raise Error(f"Sentence {i} (from 0) has {len(gold)} labels and {len(predicted)} predicted tags; "
                        "give one tag for each word.")
    scheme = _scheme(mode, [*labels, *predictions])
    return [(set(_entities(gold, scheme)), set(_entities(predicted, scheme)))
            for gold, predicted in zip(labels, predictions, strict=True)]
