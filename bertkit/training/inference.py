"""A trained model's outputs in less time than Keras' `predict_on_batch` takes, where its backend can."""

from collections.abc import Callable
from functools import cache
from typing import Any

import keras

from bertkit.heads.task_model import TaskModel
from bertkit.layers.batch_model import USUAL


def faster_inference(model: Any) -> Callable[[dict[str, Any]], Any] | None:
    """Return a function that computes a model's outputs of a batch as its weights are when it is first called.

    Args:
        model: A head of bertkit's on an encoder.

    Returns:
        A function {"token_ids", "segment_ids", "padding_mask" int32 [B,T]} -> arrays, equal to those of the model; None
        where `model.predict_on_batch` is what there is: another backend than TensorFlow, a model that reads several
        rows of an example together, or that is no `TaskModel`.
    """
    if keras.backend.backend() != "tensorflow" or not isinstance(model, TaskModel) or model.grouped or model.together:
        return None

    @cache
    def made():
        from bertkit.layers.accelerated.inference_tensorflow import frozen
        return frozen(model, model.encoder) or model.predict_on_batch

    return lambda batch: made()({name: batch[name] for name in USUAL})
