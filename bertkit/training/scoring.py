"""A model over all rows of a data set: no work on padding, answers in the rows' order."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from bertkit.data.pipeline import batches_by_length


def outputs(model: Any, features: Any, batch_size: int = 32, compute: Any = None) -> list[np.ndarray]:
    """Return the outputs of a model for rows, in the rows' order; little is computed for padding.

    Args:
        model: A head of bertkit's on an encoder.
        features: The `Features` of the rows.
        batch_size: Rows that are computed together.
        compute: A function of a batch that gives what `model.predict_on_batch` gives; None takes that.

    Returns:
        One float32 array for each row: a vector [C], or where the model answers each token (`model.each_token`) an
        array [tokens,C] without padding; start and end logits stand side by side, [tokens,2]. A model that reads all
        rows of an example together (`model.together`) gives one array for each example.
    """
    results: list[Any] = [None] * len(features if model.together else features.single_rows)
    for rows, values in batched_outputs(model, features, batch_size, compute):
        for row, value in zip(rows, values, strict=True):
            results[row] = value
    return results


def batched_outputs(model: Any, features: Any, batch_size: int = 32,
                    compute: Any = None) -> Iterator[tuple[np.ndarray, Any]]:
    """Yield the outputs of a model for rows, batch by batch, the longest rows first.

    Args:
        model: A head of bertkit's on an encoder.
        features: The `Features` of the rows.
        batch_size: Rows that are computed together.
        compute: As in `outputs`.

    Yields:
        (numbers of the rows, int64 [B], and what `outputs` returns for each).
    """
    features = features if model.together else features.single_rows
    for rows, inputs in batches_by_length(features, batch_size):
        values = _values(model, inputs, compute or model.predict_on_batch)
        if model.each_token:
            values = [value[mask == 1] for value, mask in zip(values, inputs["padding_mask"], strict=True)]
        yield rows, values


def _values(model, inputs, compute):
    """Return what a model gives for a batch of rows, float32 [B,...]."""
    if model.grouped:
        inputs = {name: values[:, None] for name, values in inputs.items()}
    given = compute(inputs)
    given = np.stack(list(given.values()), axis=-1) if isinstance(given, dict) else np.asarray(given)
    return (given[:, 0] if model.grouped and given.ndim == 3 else given).astype("float32", copy=False)


def predictions(model: Any, task: Any, held: Any) -> list[Any]:
    """Return the prediction of each input of a split.

    Args:
        model: A head of bertkit's on an encoder.
        task: The task, which says what the outputs mean.
        held: The split, an `EvalSplit`.

    Returns:
        One prediction for each input, in their order, in the task's own form.
    """
    return task.predictions(task_outputs(model, task, held), held.packed)


def task_outputs(model: Any, task: Any, held: Any) -> list[Any]:
    """Return what a task makes of a model's outputs for each row of a split, before they become predictions.

    Args:
        model: A head of bertkit's on an encoder.
        task: The task, which says what the outputs mean.
        held: The split, an `EvalSplit`.

    Returns:
        One array for each row, in their order, float32 [C] or [tokens,C] as `outputs` gives them.
    """
    return [task.outputs(raw) for raw in outputs(model, held.features)]
