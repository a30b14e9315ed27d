"""The constant that hides padded keys in an exported file, chosen from scores that were observed.

Training adds the most negative float32 to the score of a padded key. An int8 scale cannot hold that number,
nor can float16, so a file carries a smaller one. If it is too small, padding is seen: a key leaks.
"""

import numpy as np

from bertkit.errors import Error
from bertkit.layers.attention import EXACT

# Where scores stay in float: it fits float16, and no score of a trained model comes near it.
FLOAT = -1e4
# Where scores are integers: the probability that the most attractive padded key keeps. An int8 probability of
# less than 1/512 is 0.
LEAK = 1e-4
# What a constant may change.
LARGEST_LEAK, LARGEST_LOGIT_DIFFERENCE = 1e-3, 0.05
ROWS, BATCH = 64, 8     # rows that are looked at, and at a time: attention is [B,N,T,T]


def for_integers(model, rows):
    """Return the masked score of smallest size that leaves padding the probability `LEAK` on these rows.

    ln(LEAK) − max over real queries of (largest padded score − logsumexp of the real scores).
    """
    odds = max(float(((p * (1 - keys)).max(-1) / (p * keys).sum(-1).clip(1e-38)).max())
               for p, keys in _attention(model.encoder, rows, masked_score=0.0))
    return float(np.floor(np.log(LEAK) - np.log(max(odds, 1.0))))


def checked(model, rows, masked_score):
    """Return {"masked_score", "leak", "logit_difference", "rows"} of a constant; raises `Error` if it leaks.

    leak is the largest probability that a padded key gets from a real query, logit_difference the largest
    change of a logit against the exact mask, in float, on the first 64 of `rows`.
    """
    leak = max(float((p * (1 - keys)).max()) for p, keys in _attention(model.encoder, rows, masked_score))
    difference = max(float(np.abs(one - two).max()) for one, two in zip(
        _logits(model, rows, masked_score), _logits(model, rows, EXACT), strict=True))
    if leak > LARGEST_LEAK or difference > LARGEST_LOGIT_DIFFERENCE:
        raise Error(f"Padding leaks under the masked score {masked_score:g}: a padded key gets the "
                    f"probability {leak:.2g} and logits move by {difference:.2g}; take --precision dynamic.")
    return {"masked_score": masked_score, "leak": leak, "logit_difference": difference,
            "rows": min(ROWS, len(rows["token_ids"]))}


def _batches(rows):
    for start in range(0, min(ROWS, len(rows["token_ids"])), BATCH):
        yield {name: values[:ROWS][start:start + BATCH] for name, values in rows.items()}


def _attention(encoder, rows, masked_score):
    """Yield for each batch and layer what real queries look at: probabilities [Q,N,T], real keys [Q,1,T]."""
    for batch in _batches(rows):
        mask, hidden = batch["padding_mask"], encoder(batch, trace=True)["trace"]
        for i, block in enumerate(encoder.blocks):
            _, probabilities = block.attention(hidden[f"hidden/{i}"], padding_mask=mask, trace=True,
                                               masked_score=masked_score)
            queries = np.nonzero(mask)
            yield np.asarray(probabilities).swapaxes(1, 2)[queries], mask[queries[0]][:, None]


def _logits(model, rows, masked_score):
    before, model.encoder.masked_score = model.encoder.masked_score, masked_score
    try:
        return [np.asarray(model(batch, training=False)) for batch in _batches(rows)]
    finally:
        model.encoder.masked_score = before
