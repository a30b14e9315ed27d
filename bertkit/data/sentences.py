"""Sentences as words with their tags, in IOB2 whatever a file writes."""

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bertkit import metrics
from bertkit.data.columns import Source

OUTSIDE = "O"
TAG = re.compile(r"O|[BIESLUM]([-_]\S.*)?")


@dataclass(frozen=True)
class Sentences:
    """The sentences of one file, in its order; the lists run side by side.

    Args:
        path: The file.
        scheme: How the file writes entities: "IOB1", "IOB2", "IO" (no B-), "IOBES" (with E-, S- or L-, U-, M-), "bare"
            (types without a prefix), "spans" (characters of a text) or "mixed" (I- where neither IOB1 nor IOB2 has it).
        words: The words of each sentence.
        tags: The tags of each sentence, in IOB2 whatever the file writes.
        lines: The line of each sentence's first word, from 1.
        skipped: (line, reason) of the sentences that were left out.
        source: How the file was understood.
    """

    path: Path
    scheme: str
    words: list[list[str]]
    tags: list[list[str]]
    lines: list[int]
    skipped: list[tuple[int, str]]
    source: Source = Source()

    def __len__(self):
        return len(self.words)


def tag_names(sentences: Sentences) -> list[str]:
    """Return the tags to learn: O, and B- and I- of every type that occurs, types sorted.

    Args:
        sentences: The `Sentences`.

    Returns:
        The tags.

    Example:
        >>> tag_names(Sentences(Path("f"), "IOB2", [["x"]], [["B-b"]], [1], []))
        ['O', 'B-b', 'I-b']
    """
    types = {tag[2:] for tags in sentences.tags for tag in tags if tag != OUTSIDE}
    return [OUTSIDE, *(f"{prefix}-{kind}" for kind in sorted(types) for prefix in "BI")]


def scheme(sentences: Sequence[Sequence[str]]) -> str:
    """Return how a file writes entities.

    Args:
        sentences: The tags of each sentence, as the file has them.

    Returns:
        "IOB1", "IOB2", "IO", "IOBES" or "mixed" (see `Sentences`).

    >>> scheme([["O", "I-LOC", "B-LOC"]])
    'IOB1'
    """
    prefixes = {tag[0] for tags in sentences for tag in tags}
    if prefixes & set("ESLUM"):
        return "IOBES"
    if "B" not in prefixes:
        return "IO" if "I" in prefixes else "IOB2"
    # Whether a tag goes on from that before it, of the same type.
    steps = {(tag[0], before[0] != "O" and before[2:] == tag[2:])
             for tags in sentences for before, tag in zip([OUTSIDE, *tags], tags, strict=False)}
    if ("I", False) not in steps:
        return "IOB2"
    return "mixed" if ("B", False) in steps else "IOB1"


def iob2(tags: Sequence[str]) -> list[str]:
    """Return the tags of the same entities in IOB2.

    Args:
        tags: The tags of a sentence in any scheme.

    Returns:
        As many tags.

    >>> iob2(["U-LOC", "O", "B_PER", "L_PER"])
    ['B-LOC', 'O', 'B-PER', 'I-PER']
    """
    new = [OUTSIDE] * len(tags)
    for kind, first, last in metrics.entities(metrics.spelt(tags)):
        new[first:last] = [sys.intern(f"B-{kind}"), *[sys.intern(f"I-{kind}")] * (last - first - 1)]
    return new
