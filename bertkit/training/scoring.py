"""A model over all rows of a data set: no work on padding, answers in the rows' order."""

import numpy as np

from bertkit.data.pipeline import by_length


def logits(model, features, batch_size=32):
    """Return the model's logits of every row, [rows, C] float32, whatever batches they were computed in."""
    found = None
    for rows, inputs in by_length(features, batch_size):
        values = np.asarray(model.predict_on_batch(inputs))
        if found is None:
            found = np.zeros((len(features), *values.shape[1:]), "float32")
        found[rows] = values
    return found
