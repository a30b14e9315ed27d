"""A model over all rows of a data set: no work on padding, answers in the rows' order."""

import numpy as np

from bertkit.data.pipeline import by_length


def outputs(model, features, batch_size=32):
    """Return what the model gives for each row of `features`, a list of float32 arrays, whatever batches they came in.

    One vector a row, or one a token of it, padding removed (`model.each_token`); start and end logits side by side. A
    model that reads all rows of an example `together` gives one an example.
    """
    features = features if model.together else features.alone
    found = [None] * len(features)
    for rows, inputs in by_length(features, batch_size):
        values = _values(model, inputs)
        if model.each_token:
            values = [value[mask == 1] for value, mask in zip(values, inputs["padding_mask"], strict=True)]
        for row, value in zip(rows, values, strict=True):
            found[row] = value
    return found


def _values(model, inputs):
    """Return what a model gives for a batch of rows, float32 [B,...]."""
    if model.grouped:
        inputs = {name: values[:, None] for name, values in inputs.items()}
    given = model.predict_on_batch(inputs)
    given = np.stack(list(given.values()), axis=-1) if isinstance(given, dict) else np.asarray(given)
    return (given[:, 0] if model.grouped and given.ndim == 3 else given).astype("float32", copy=False)


def predictions(model, task, held):
    """Return the task's prediction of each input of a `EvalSplit` split."""
    found = [task.outputs(raw) for raw in outputs(model, held.features)]
    return task.predictions(found, held.packed)
