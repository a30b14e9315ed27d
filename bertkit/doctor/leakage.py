"""Dev rows that are training rows, beyond what rows of such data repeat each other anyway."""

import math
import unicodedata
from collections import Counter
from collections.abc import Sequence
from typing import Any

from bertkit.doctor.case import Case
from bertkit.doctor.finding import Measured, healthy, ill, needs, suspect

SURE, SIGN = 1e-3, 1e-2     # chances below which as many shared rows are no accident
SHARE = 0.01                # of the dev rows, from which they spoil a score


def leakage(case: Case) -> Measured:
    """Count dev rows that stand in train, as they are or but for case, spaces and marks.

    Data made of few words repeats itself: then training rows have a twin in train just as often, and nothing leaked.

    Args:
        case: The case.

    Returns:
        What was measured.
    """
    train, dev = case.rows.get("train"), case.rows.get("dev")
    if train is None and case.training is not None:
        setup = case.once("training", case.training)
        train, dev = setup.get("train"), setup.get("dev")
    if not train or not dev:
        return needs("train and dev rows")
    evidence: dict[str, Any] = {"train_rows": len(train), "dev_rows": len(dev), "limit": SHARE}
    said = None
    for name, key in (("as_they_are", exact_key), ("but_for_case_spaces_and_marks", loose_key)):
        shared, usual = _shared([key(row) for row in train], [key(row) for row in dev])
        chance = _tail(len(dev), usual + 1 / (len(train) + 1), shared)
        evidence |= {f"shared_{name}": shared, f"share_{name}": shared / len(dev), f"usual_share_{name}": usual,
                     f"chance_{name}": chance}
        if chance < SURE and shared >= max(1, SHARE * len(dev)):
            return ill(f"{shared} of {len(dev)} dev rows stand in train {name.replace('_', ' ')}.", **evidence)
        if shared and (chance < SIGN or name == "as_they_are" and not usual):
            said = f"{shared} of {len(dev)} dev rows stand in train {name.replace('_', ' ')}."
    return suspect(said, **evidence) if said else healthy(**evidence)


def exact_key(row: Any) -> tuple[str, ...]:
    """Return the texts of a row, without its label.

    Args:
        row: (text, label), (first, second, label), or a mapping with "words" or "text".

    Returns:
        The texts.
    """
    if hasattr(row, "keys"):
        return tuple(map(str, row["words"])) if "words" in row else tuple(
            str(row[name]) for name in row if name not in ("label", "labels", "tags"))
    if isinstance(row, str):
        return (row,)
    texts = [str(part) for part in row[:-1]] if len(row) > 1 else [str(row[0])]
    return tuple(texts)


def loose_key(row: Any) -> tuple[str, ...]:
    """Return the texts of a row in lower case, without spaces and marks.

    Args:
        row: As for `exact_key`.

    Returns:
        The texts; those of a row of marks alone as they are.
    """
    exact = exact_key(row)
    loose = tuple("".join(c for c in unicodedata.normalize("NFKC", text).casefold() if c.isalnum()) for text in exact)
    return loose if any(loose) else exact


def _shared(train: Sequence[Any], dev: Sequence[Any]) -> tuple[int, float]:
    """Return (dev rows that stand in train, share of training rows with a twin in train)."""
    counts = Counter(train)
    twins = sum(count for count in counts.values() if count > 1)
    return sum(key in counts for key in dev), twins / len(train)


def _tail(number, share, found):
    """Return the chance of at least so many of a number of rows, each with a chance of its own (binomial)."""
    if not found:
        return 1.0
    if share >= 1:
        return 1.0
    logs = [math.lgamma(number + 1) - math.lgamma(i + 1) - math.lgamma(number - i + 1) + i * math.log(share)
            + (number - i) * math.log1p(-share) for i in range(found, number + 1)]
    return min(1.0, sum(math.exp(value) for value in logs))
