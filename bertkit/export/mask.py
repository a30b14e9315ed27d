"""The constant that hides padded keys in an exported file, chosen from scores that were observed.

Training adds the most negative float32 to the score of a padded key. An int8 scale cannot hold that number,
nor can float16, so a file carries a smaller one. If it is too small, padding is seen: a key leaks.
"""

from contextlib import contextmanager
from typing import Any

import numpy as np

from bertkit.errors import Error
from bertkit.export.graph import raw_outputs

# Where scores stay in float: it fits float16, and no score of a trained model comes near it.
FLOAT = -1e4
# The most that a constant may change: a padded key's probability, and a logit.
LARGEST_LEAK, LARGEST_LOGIT_DIFFERENCE = 1e-3, 0.05
ROWS, BATCH = 64, 8     # rows that are looked at, and at a time: attention is [B,N,T,T]


def measure_masking(model: Any, rows: dict[str, np.ndarray], masked_score: float) -> dict[str, Any]:
    """Return how well a constant hides padding, measured on the first 64 rows.

    Args:
        model: A head of bertkit's on an encoder.
        rows: {name: int32 [rows,T]}.
        masked_score: The constant.

    Returns:
        {"masked_score", "leak", "logit_difference", "rows"}: "leak" is the largest probability that a padded key gets
        from a real query (None where attention keeps no table of all pairs), "logit_difference" the largest change of
        a logit against the exact mask, in float.

    Raises:
        Error: When padding leaks under this constant.
    """
    with _hidden_by(model.encoder, masked_score):
        leaks = [float((p * (1 - keys)).max()) for p, keys in _attention(model.encoder, rows)]
        found = _logits(model, rows)
    leak = max(leaks, default=None)
    difference = max(float(np.abs(one - two).max()) for one, two in zip(found, _logits(model, rows), strict=True))
    if (leak or 0) > LARGEST_LEAK or difference > LARGEST_LOGIT_DIFFERENCE:
        raise Error(f"Padding leaks under the masked score {masked_score:g}: a padded key gets the "
                    f"probability {leak or 0:.2g} and logits move by {difference:.2g}; take --precision dynamic.")
    return {"masked_score": masked_score, "leak": leak, "logit_difference": difference,
            "rows": min(ROWS, len(rows["token_ids"]))}


@contextmanager
def _hidden_by(encoder, masked_score):
    before, encoder.masked_score = encoder.masked_score, masked_score
    try:
        yield
    finally:
        encoder.masked_score = before


def _batches(rows):
    for start in range(0, min(ROWS, len(rows["token_ids"])), BATCH):
        yield {name: values[:ROWS][start:start + BATCH] for name, values in rows.items()}


def _attention(encoder, rows):
    """Yield for each batch and layer what real queries look at: probabilities [Q,N,T], real keys [Q,1,T]."""
    for batch in _batches(rows):
        trace = encoder(batch, trace=True)["trace"]
        for name, probabilities in trace.items():
            square = (*batch["token_ids"].shape, batch["token_ids"].shape[1])
            if name.startswith("attention/") and np.delete(np.shape(probabilities), 1).tolist() == list(square):
                yield _of_real(probabilities, batch["padding_mask"])


def _of_real(probabilities, mask):
    queries = np.nonzero(mask)
    return np.asarray(probabilities).swapaxes(1, 2)[queries], mask[queries[0]][:, None]


def _logits(model, rows):
    """Return what the model gives for each batch, where it gives something for each token that of the real ones."""
    found = [(np.asarray(raw_outputs(model, batch)), batch["padding_mask"]) for batch in _batches(rows)]
    return [values[mask == 1] if model.each_token else values for values, mask in found]
