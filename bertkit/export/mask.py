"""The constant that hides padded keys in an exported file, chosen from scores that were observed.

Training adds the most negative float32 to the score of a padded key. An int8 scale cannot hold that number,
nor can float16, so a file carries a smaller one. If it is too small, padding is seen: a key leaks.
"""

from contextlib import contextmanager
from typing import Any

import numpy as np

from bertkit.errors import Error
from bertkit.export.graph import raw_outputs
from bertkit.kinds import Full, PostNorm

# Where scores stay in float: it fits float16, and no score of a trained model comes near it.
FLOAT = -1e4
# Where scores are integers: the probability that the most attractive padded key keeps. An int8 probability of
# less than 1/512 is 0.
LEAK = 1e-4
# The most that a constant may change: a padded key's probability, and a logit.
LARGEST_LEAK, LARGEST_LOGIT_DIFFERENCE = 1e-3, 0.05
ROWS, BATCH = 64, 8     # rows that are looked at, and at a time: attention is [B,N,T,T]


def has_full_blocks(config: Any) -> bool:
    """Return whether an encoder's blocks are like BERT's, whose attention can be made of integers.

    Args:
        config: The `EncoderConfig`.

    Returns:
        Whether every token may see every other, and LayerNorm follows the residual sums.
    """
    return isinstance(config.block, PostNorm) and isinstance(config.attention, Full)


def integer_masked_score(model: Any, rows: dict[str, np.ndarray]) -> float:
    """Return the masked score nearest to 0 that leaves padding the probability `LEAK` on these rows.

    ln(LEAK) − max over real queries of (largest padded score − logsumexp of the real scores), each block's scores taken
    on what the exact model gives it.

    Args:
        model: A head of bertkit's on an encoder.
        rows: {name: int32 [rows,T]}.

    Returns:
        The constant, a whole number below 0.

    Raises:
        Error: When the model's blocks are not like BERT's.
    """
    config = model.encoder.config
    if not has_full_blocks(config):
        raise Error(f"int8-full is made for blocks like BERT's, and {config.family} has others; take --precision int8.")
    odds = max(float(((p * (1 - keys)).max(-1) / (p * keys).sum(-1).clip(1e-38)).max())
               for p, keys in _unmasked(model.encoder, rows))
    return float(np.floor(np.log(LEAK) - np.log(max(odds, 1.0))))


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


def _unmasked(encoder, rows):
    """Yield the same of blocks that hide nothing, on the states of the model that hides padding exactly."""
    for batch in _batches(rows):
        hidden = encoder(batch, trace=True)["trace"]
        for i, number in enumerate(encoder.order):
            _, probabilities = encoder.blocks[number].attention(
                hidden[f"hidden/{i}"], context=encoder.context(batch, i), trace=True, masked_score=0.0)
            yield _of_real(probabilities, batch["padding_mask"])


def _of_real(probabilities, mask):
    queries = np.nonzero(mask)
    return np.asarray(probabilities).swapaxes(1, 2)[queries], mask[queries[0]][:, None]


def _logits(model, rows):
    """Return what the model gives for each batch, where it gives something for each token that of the real ones."""
    found = [(np.asarray(raw_outputs(model, batch)), batch["padding_mask"]) for batch in _batches(rows)]
    return [values[mask == 1] if model.each_token else values for values, mask in found]
