"""Entities of tagged sentences: where they are, and how many were found."""

import re

import numpy as np

from bertkit.errors import Error

TAG = re.compile(r"O|[BIES](-.*)?", flags=re.DOTALL)
# What a run of tags must begin and end with to be an entity.
KEPT = {"default": ("BIES", "BIES"), "IOB2": ("B", "BI"), "IOBES": ("BS", "ES")}


def entities(tags, mode="default"):
    """Return the entities of one sentence's tags, [(type, first word, last word + 1)] in order.

    "default" is the rule of conlleval (Tjong Kim Sang and De Meulder 2003): an entity begins at B and S, and
    at I and E that do not continue one of their type, so it reads IOB1, IOB2 and IOBES.  "strict" takes tags at
    their word: an entity of "IOB2" begins with B, one of "IOBES" is S alone or B ... E; the latter is meant
    where a tag is E or S.  Raises Error for other tags and modes.

    >>> tags = ["B-PER", "I-PER", "O", "I-LOC", "I-LOC", "B-LOC", "I-PER"]
    >>> entities(tags)
    [('PER', 0, 2), ('LOC', 3, 5), ('LOC', 5, 6), ('PER', 6, 7)]
    >>> entities(tags, "strict")
    [('PER', 0, 2), ('LOC', 5, 6)]
    """
    return _entities(tags, _scheme(mode, [tags]))


def entity_counts(labels, predictions, mode="default"):
    """Return int64 [sentences, 3]: entities that are right, predicted, and in the labels.

    Both sides are lists of tag lists; right is an entity whose type and words are those of a label.  What is
    wanted of a corpus comes from the sums (`precision_of`, `recall_of`, `f1_of`), so sentences can be resampled
    cheaply.  Raises Error for no sentences and for sides that do not match.
    """
    return _counted(_pairs(labels, predictions, mode))


def entity_scores(labels, predictions, mode="default"):
    """Return {"precision", "recall", "f1", "by_type"} of entities, fractions over all sentences together.

    by_type is {type: {"precision", "recall", "f1", "support"}} for the types of either side, support the number
    in the labels; a fraction of nothing is 0.  Modes as in `entities`; "strict" reads IOBES where a tag of
    either side is E or S.  Equal to the library seqeval (its default mode, and strict with a scheme).

    >>> entity_scores([["B-A", "I-A", "O", "B-B"]], [["B-A", "I-A", "O", "B-A"]])["f1"]
    0.5
    """
    pairs = _pairs(labels, predictions, mode)
    by_type = {}
    for kind in sorted({entity[0] for pair in pairs for side in pair for entity in side}):
        counts = _counted([[{entity for entity in side if entity[0] == kind} for side in pair] for pair in pairs])
        by_type[kind] = {**_fractions(counts), "support": int(counts[:, 2].sum())}
    return {**_fractions(_counted(pairs)), "by_type": by_type}


def precision_of(counts):
    """Return right / predicted over the rows of `entity_counts`; 0 where nothing was predicted."""
    right, predicted, _ = np.sum(counts, axis=0)
    return float(right / predicted) if predicted else 0.0


def recall_of(counts):
    """Return right / labelled over the rows of `entity_counts`; 0 where nothing is labelled."""
    right, _, labelled = np.sum(counts, axis=0)
    return float(right / labelled) if labelled else 0.0


def f1_of(counts):
    """Return 2 right / (predicted + labelled) over the rows of `entity_counts`; 0 where nothing is right."""
    right, predicted, labelled = np.sum(counts, axis=0)
    return float(2 * right / (predicted + labelled)) if right else 0.0


def _counted(pairs):
    return np.array([(len(gold & found), len(found), len(gold)) for gold, found in pairs], np.int64)


def _fractions(counts):
    return {"precision": precision_of(counts), "recall": recall_of(counts), "f1": f1_of(counts)}


def _entities(tags, scheme):
    begins, ends = KEPT[scheme]
    found, last = [], len(tags)
    for first in range(last - 1, -1, -1):
        if first and _continues(tags[first - 1], tags[first]):
            continue
        if tags[first][0] in begins and tags[last - 1][0] in ends:
            found.append((tags[first][2:] or "_", first, last))
        last = first
    return found[::-1]


def _continues(before, tag):
    return before[0] in "BI" and tag[0] in "IE" and before[2:] == tag[2:]


def _scheme(mode, sentences):
    """Return the key of KEPT that a mode means for these sentences; Error for tags that are none."""
    if mode not in (*KEPT, "strict"):
        raise Error(f"mode={mode!r} is unknown; give 'default' or 'strict' (or 'IOB2', 'IOBES').")
    distinct = {tag for sentence in sentences for tag in sentence}
    strange = sorted(str(tag) for tag in distinct if not isinstance(tag, str) or not TAG.fullmatch(tag))
    if strange:
        raise Error(f"{strange[0]!r} is no tag; wanted 'O', or B, I, E or S with a type as in 'B-PER'.")
    wide = any(tag[0] in "ES" for tag in distinct)
    if mode == "IOB2" and wide:
        raise Error("Tags E and S came, which IOB2 does not have; give mode='IOBES' or 'strict'.")
    return mode if mode != "strict" else "IOBES" if wide else "IOB2"


def _pairs(labels, predictions, mode):
    """Return for each sentence its entities in the labels and in the predictions, as two sets."""
    if len(labels) != len(predictions) or not len(labels):
        raise Error(f"{len(labels)} labelled and {len(predictions)} predicted sentences came; "
                    "give the same number, at least 1.")
    for i, (gold, found) in enumerate(zip(labels, predictions, strict=True)):
        if len(gold) != len(found):
            raise Error(f"Sentence {i} (from 0) has {len(gold)} labels and {len(found)} predicted tags; "
                        "give one tag for each word.")
    scheme = _scheme(mode, [*labels, *predictions])
    return [(set(_entities(gold, scheme)), set(_entities(found, scheme)))
            for gold, found in zip(labels, predictions, strict=True)]
