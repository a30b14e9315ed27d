"""What a pre-trained model makes of text that was held out."""

import math

import numpy as np

MOST = 512          # rows


def held_out(pretrainer, walk):
    """Return the means over the held-out rows of `walk`, the first 512 of its order: losses, accuracies, perplexity.

    Masks are the same each time. A perplexity is exp of the loss on hidden words.
    """
    steps = max(1, min(MOST, len(walk.shards)) // walk.batch_size)
    batches = (pretrainer.corrupted(walk.batch(step)) for step in range(steps))
    rows = [pretrainer.scores(batch) for batch in batches]
    found = {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
    return found | ({"perplexity": math.exp(min(found["mlm"], 700))} if "mlm" in found else {})
