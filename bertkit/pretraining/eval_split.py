"""Measure a pre-trained model on text that was held out."""

import math
from typing import Any

import numpy as np

MOST = 512          # rows


def held_out(pretrainer: Any, sampler: Any) -> dict[str, float]:
    """Compute the mean losses and accuracies, and the perplexity, of held-out rows.

    The masks are the same each time. A batch counts by its rows. The perplexity is exp of the loss on hidden tokens.

    Args:
        pretrainer: The `Pretrainer`.
        sampler: A `CorpusSampler` of held-out text, of which at most 512 rows are read, in its order.

    Returns:
        {name: number}, with "perplexity" where there is a masked language model.
    """
    rows, scored = min(MOST, len(sampler.shards)), []
    sizes = [min(sampler.batch_size, rows - start) for start in range(0, rows, sampler.batch_size)]
    for step, size in enumerate(sizes):
        batch = {name: value[:size] for name, value in sampler.batch(step).items()}
        scored.append(pretrainer.scores(pretrainer.corrupt(batch)))
    means = {name: float(np.average([score[name] for score in scored], weights=sizes)) for name in scored[0]}
    return means | ({"perplexity": math.exp(min(means["mlm"], 700))} if "mlm" in means else {})
