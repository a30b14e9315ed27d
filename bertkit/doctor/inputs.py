"""The checks of what enters the first block: embeddings, positions, segments."""

import numpy as np

from bertkit.doctor.answers import ask, plain
from bertkit.doctor.case import Case
from bertkit.doctor.comparison import MOVES, gap, unmoved
from bertkit.doctor.diagnosis import has_reference
from bertkit.doctor.finding import Measured, does_not_apply, healthy, suspect
from bertkit.doctor.masks import attends
from bertkit.doctor.organs import by_reference, follows, not_looked
from bertkit.doctor.probes import changed, copied, settings_of


def embeddings(case: Case) -> Measured:
    """Judge norm(word + position + segment), unscaled, and the projection of ELECTRA and ALBERT.

    Args:
        case: The case.

    Returns:
        The verdict, by the reference and mutants with other sums.
    """
    return by_reference(case, "embeddings")


def positions(case: Case) -> Measured:
    """Judge the positions: 0, 1, 2 ... for BERT; pad_id + 1, pad_id + 2 ... of the real tokens for RoBERTa.

    Args:
        case: The case.

    Returns:
        The verdict, by the reference where there are weights, else by the relation that exchanged words must show.
    """
    if has_reference(case):
        return by_reference(case, "positions")
    if (reason := not_looked(case)) is not None:
        return reason
    return follows(case, "positions", _exchanged(case))


def _exchanged(case):
    """Exchange two words: without positions their vectors are exchanged too, and nothing else changes."""
    batch, before, _ = plain(case)
    batch = copied(batch, [0])
    length = int(batch["padding_mask"].sum())
    if length < 4:
        return does_not_apply("rows are shorter than four tokens")
    order = np.arange(batch["token_ids"].shape[1])
    order[[1, length - 1]] = order[[length - 1, 1]]
    segments = np.zeros_like(batch["segment_ids"])
    before = ask(case, changed(batch, segment_ids=segments))
    after = ask(case, changed(batch, token_ids=batch["token_ids"][:, order], segment_ids=segments))
    back = {name: value[:, order] if np.ndim(value) == 3 else value for name, value in after.items()
            if not isinstance(value, list)}
    moved, limit = gap(back, before, batch).share, MOVES
    if moved > limit:
        return healthy("", exchanged_words_move=moved, limit=limit)
    if not attends(case):
        return does_not_apply("no token moves another: attention adds nothing")
    return unmoved(case, "Exchanged words change no answer but their own: positions are not used.",
                   exchanged_words_move=moved, limit=limit)


def segments(case: Case) -> Measured:
    """Judge the segments: other segment ids must change the answers, and id s reads row s.

    Args:
        case: The case.

    Returns:
        The verdict, by the reference where there are weights, else by the relation.
    """
    if settings_of(case).kinds < 2:
        return does_not_apply("the config has fewer than two segments")
    takes = getattr(case.subject, "takes", None)
    if takes and "segment_ids" not in takes:
        return does_not_apply("the subject takes no segment_ids")
    if has_reference(case):
        return by_reference(case, "segments")
    if (reason := not_looked(case)) is not None:
        return reason
    batch, _, _ = plain(case)
    zero = changed(batch, segment_ids=np.zeros_like(batch["segment_ids"]))
    half = np.arange(batch["padding_mask"].shape[1]) >= batch["padding_mask"].sum(1, keepdims=True) // 2
    other = changed(zero, segment_ids=batch["padding_mask"] * half)
    moved, limit = gap(ask(case, other), ask(case, zero), batch).share, MOVES
    if moved > limit:
        return healthy("", other_segments_move=moved, limit=limit)
    return suspect("Other segment ids change no answer: they are ignored, or both rows of their table are equal.",
                   other_segments_move=moved, limit=limit)
