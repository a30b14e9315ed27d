"""The inputs of an examination: few short rows that show each fault, and the longest row."""

from collections.abc import Mapping, Sequence

import numpy as np

from bertkit.doctor.case import Batch, Case
from bertkit.doctor.settings import Settings

SHORT = 12


def settings_of(case: Case) -> Settings:
    """Return the sizes of a case.

    Args:
        case: The case.

    Returns:
        Its `Settings`, read once.
    """
    return case.once("settings", lambda: Settings.of(case.config))


def longest(case: Case) -> int:
    """Return the most tokens of a row that the subject takes.

    Args:
        case: The case.

    Returns:
        The config's number, or `case.longest` where that is smaller.
    """
    most = settings_of(case).longest
    return most if case.longest is None else min(most, case.longest)


def words(case: Case, shape: Sequence[int], key: int = 0) -> np.ndarray:
    """Return random ids that are not the pad id.

    Args:
        case: The case.
        shape: Their shape.
        key: Another number gives other ids.

    Returns:
        int32 of this shape.
    """
    settings = settings_of(case)
    ids = np.random.default_rng([17, case.seed, key]).integers(0, settings.vocabulary - 1, tuple(shape))
    return (ids + (ids >= settings.pad)).astype(np.int32)


def rows(case: Case, lengths: Sequence[int], width: int | None = None, key: int = 0) -> dict[str, np.ndarray]:
    """Return a batch of rows of several lengths, padded on the right; the second half of a text is segment 1.

    Args:
        case: The case.
        lengths: Tokens of each row.
        width: The width of the batch; None for the longest row's.
        key: Another number gives other ids.

    Returns:
        {"token_ids", "segment_ids", "padding_mask"}: int32 [B,T].
    """
    settings, counts = settings_of(case), np.asarray(lengths)[:, None]
    place = np.arange(width or max(lengths))
    mask = (place < counts).astype(np.int32)
    segments = (place >= (counts + 1) // 2) * mask * (settings.kinds > 1)
    ids = np.where(mask > 0, words(case, mask.shape, key), settings.pad)
    return {"token_ids": ids.astype(np.int32), "segment_ids": segments.astype(np.int32), "padding_mask": mask}


def changed(batch: Batch, **entries: np.ndarray) -> dict[str, np.ndarray]:
    """Return a copy of a batch with other entries.

    Args:
        batch: int32 [B,T] each.
        **entries: The new ones, int [B,T].

    Returns:
        The new batch, int32 [B,T] each.
    """
    return {name: np.array(entries.get(name, value), np.int32) for name, value in batch.items()}


def mixed(case: Case) -> dict[str, np.ndarray]:
    """Return six rows that show faults: full, padded right, padded left, one token, words masked, the pad id inside.

    Args:
        case: The case.

    Returns:
        int32 [6,T] each, T = 12 or the longest that the subject takes.
    """
    width = min(SHORT, longest(case))
    batch = rows(case, [width, max(1, width * 5 // 12), width, 1, width, width])
    ids, mask, segments = batch["token_ids"], batch["padding_mask"], batch["segment_ids"]
    pad, left = settings_of(case).pad, width // 3
    ids[2, :left], mask[2, :left], segments[2, :left] = pad, 0, 0
    if width > 4:
        mask[4, [2, width - 2]] = 0
        ids[5, width // 2] = pad
    return batch


def probes(case: Case) -> dict[str, dict[str, np.ndarray]]:
    """Return the batches on which a subject is compared with the reference.

    Args:
        case: The case.

    Returns:
        {what: int32 [B,T] each}: "mixed" and "longest".
    """
    return {"mixed": mixed(case), "longest": rows(case, [longest(case), min(5, longest(case))], key=1)}


def copied(batch: Mapping[str, np.ndarray], index: Sequence[int]) -> dict[str, np.ndarray]:
    """Return some rows of a batch.

    Args:
        batch: int32 [B,T] each.
        index: The rows.

    Returns:
        int32 [len(index),T] each.
    """
    return {name: np.array(value[list(index)]) for name, value in batch.items()}
