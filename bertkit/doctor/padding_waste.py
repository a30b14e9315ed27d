"""The share of the arithmetic that is spent on padding, for the batches or rows that are given."""

import numpy as np

from bertkit.doctor.case import Case
from bertkit.doctor.finding import Measured, healthy, needs, suspect

LIMIT = 0.5                 # of the arithmetic: from here on sorting by length halves the time
BATCH, LONGEST, ROWS = 32, 512, 2000


def padding_waste(case: Case) -> Measured:
    """Measure padding in the batches of a training set-up, or in batches of 32 rows of a data file.

    A token costs the same wherever it is; attention over T keys adds 2 T D to some 12 D² of a layer.

    Args:
        case: The case.

    Returns:
        What was measured.
    """
    setup = case.once("training", case.training) if case.training is not None else {}
    if setup.get("batches"):
        masks = [np.asarray(batch["padding_mask"]) for batch in setup["batches"] if "padding_mask" in batch]
        lengths = [(mask.sum(1), mask.shape[1]) for mask in masks]
        what = "batches as they reach the model"
    elif case.rows.get("train") and case.tokenizer is not None:
        lengths, what = _of_rows(case), f"batches of {BATCH} rows as they stand in the file"
    else:
        return needs("batches in what training() gives, or training rows with a tokenizer")
    if not lengths:
        return needs("batches with a padding_mask")
    width, inner = (int(case.config.get(name) or 768) for name in ("hidden_size", "intermediate_size"))

    def cost(tokens, keys):
        return float(np.sum(np.asarray(tokens, float) * (4 * width + 2 * inner + 2 * np.asarray(keys, float))))

    spent = sum(cost(np.full(len(real), total), total) for real, total in lengths)
    useful = sum(cost(real, real) for real, _ in lengths)
    share = 1 - useful / spent
    evidence = {"share_of_arithmetic_on_padding": share, "limit": LIMIT,
                "rows": int(sum(len(real) for real, _ in lengths)),
                "measured_on": what}
    if share > LIMIT:
        return suspect(f"{share:.0%} of the arithmetic is spent on padding.", **evidence)
    return healthy(**evidence)


def _of_rows(case):
    """Return [(lengths of the rows of a batch, their longest)] of a data file."""
    rows = list(case.rows["train"])[:ROWS]
    texts = [row[0] for row in rows]
    seconds = [row[1] for row in rows] if len(rows[0]) > 2 else None
    most = min(int(case.config.get("max_position_embeddings") or LONGEST), LONGEST)
    real = np.asarray(case.tokenizer(texts, seconds, length=most)["padding_mask"]).sum(1)
    parts = [real[i:i + BATCH] for i in range(0, len(real), BATCH)]
    return [(part, int(part.max())) for part in parts]
