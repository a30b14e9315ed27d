"""What a pre-trained model makes of text that was held out."""

import math

import numpy as np

MOST = 512          # rows


def held_out(pretrainer, sampler):
    """Return the means over the held-out rows of `sampler`, at most 512 of its order: losses, accuracies, perplexity.

    Masks are the same each time. A batch counts by its rows. A perplexity is exp of the loss on hidden words.
    """
    rows, scored = min(MOST, len(sampler.shards)), []
    sizes = [min(sampler.batch_size, rows - start) for start in range(0, rows, sampler.batch_size)]
    for step, size in enumerate(sizes):
        batch = {name: value[:size] for name, value in sampler.batch(step).items()}
        scored.append(pretrainer.scores(pretrainer.corrupted(batch)))
    found = {name: float(np.average([score[name] for score in scored], weights=sizes)) for name in scored[0]}
    return found | ({"perplexity": math.exp(min(found["mlm"], 700))} if "mlm" in found else {})
