"""Labels of words as labels of their pieces: the first piece has the word's, the others are ignored or continue it."""

from typing import Any

import numpy as np

from bertkit.doctor.case import Case
from bertkit.doctor.finding import Measured, does_not_apply, healthy, ill, needs, suspect
from bertkit.doctor.setup import IGNORED, offered
from bertkit.doctor.words import pieces_of

ROWS = 60


@offered("prepare", "train")
def label_alignment(case: Case, setup: dict[str, Any]) -> Measured:
    """Find the pieces of each word in prepared rows, and compare their labels with the word's.

    Args:
        case: The case.
        setup: Its training set-up.

    Returns:
        What was measured.
    """
    rows = [row for row in setup["train"] if hasattr(row, "keys") and {"words", "tags"} <= row.keys()][:ROWS]
    if not rows:
        return does_not_apply("rows have no tags of words")
    if case.tokenizer is None:
        return needs("tokenizer: what cuts words into pieces")
    names = list(setup.get("labels") or sorted({tag for row in rows for tag in row["tags"]}))
    counts = dict.fromkeys(("words", "first_pieces_wrong", "other_pieces", "other_pieces_wrong", "marks_with_label",
                            "words_not_found"), 0)
    for row in rows:
        _count(case, row, setup["prepare"](row), names, counts)
    evidence = {**counts, "limit": 0, "rows": len(rows)}
    if not counts["words"]:
        return does_not_apply("the ids of prepared rows are not the pieces of their words")
    if counts["first_pieces_wrong"]:
        return ill(f"{counts['first_pieces_wrong']} of {counts['words']} words do not have their label on the first "
                   f"piece.",
                   "Put the label of a word on its first piece.", **evidence)
    if counts["other_pieces_wrong"]:
        return ill(f"{counts['other_pieces_wrong']} of {counts['other_pieces']} further pieces begin a new entity or "
                   f"have "
                   "another label.", **evidence)
    if counts["marks_with_label"]:
        return suspect("Special tokens have labels, and count in the loss.", "Give special tokens -100.", **evidence)
    return healthy(**evidence)


def _count(case, row, batch, names, counts):
    """Add what a row shows to the counts."""
    real = np.asarray(batch["padding_mask"])[0] > 0
    ids, labels = (np.asarray(batch[name])[0][real].tolist() for name in ("token_ids", "labels"))
    at, marks = 0, set(range(len(ids)))
    for i, (word, tag) in enumerate(zip(row["words"], row["tags"], strict=False)):
        pieces = pieces_of(case, word, first=i == 0)
        start = next((j for j in range(at, min(at + 3, len(ids))) if pieces and ids[j:j + len(pieces)] == pieces), None)
        if start is None:
            counts["words_not_found"] += 1
            break                                           # the rest is cut off, or cut in another way
        own = names.index(tag) if tag in names else None
        counts["words"] += 1
        counts["first_pieces_wrong"] += labels[start] != own
        rest = labels[start + 1:start + len(pieces)]
        counts["other_pieces"] += len(rest)
        counts["other_pieces_wrong"] += sum(label not in _continuing(names, own) for label in rest)
        marks -= set(range(start, start + len(pieces)))
        at = start + len(pieces)
    else:
        counts["marks_with_label"] += sum(labels[i] != IGNORED for i in marks)


def _continuing(names, own):
    """Return the labels that a further piece of a word may have."""
    if own is None:
        return {IGNORED}
    name = str(names[own])
    if not name.startswith("B-"):
        return {IGNORED, own}
    inside = "I" + name[1:]
    return {IGNORED, names.index(inside)} if inside in names else {IGNORED, own}
