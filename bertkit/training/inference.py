"""A trained model's outputs in less time than Keras' `predict_on_batch` takes, where its backend can."""

from collections.abc import Callable
from typing import Any

import keras

from bertkit.errors import Error
from bertkit.heads.task_model import TaskModel
from bertkit.layers.batch_model import USUAL


def frozen_inference(model: Any) -> Callable[[dict[str, Any]], Any]:
    """Return a function that computes a model's outputs of a batch with the weights that it has now.

    Args:
        model: A head of bertkit's on an encoder of BERT's kind.

    Returns:
        A function {"token_ids", "segment_ids", "padding_mask" int32 [B,T]} -> arrays, equal to those of the model.

    Raises:
        Error: On another backend than TensorFlow, for a model that reads several rows of an example together, for one
            whose blocks are not BERT's, in float32, and for more than 512 MB of weights.
    """
    if keras.backend.backend() != "tensorflow":
        raise Error(f"Keras runs on {keras.backend.backend()}, and TensorFlow freezes a model; leave frozen out.")
    from bertkit.layers.accelerated.inference_tensorflow import frozen, why_not
    several = not isinstance(model, TaskModel) or model.grouped or model.together
    if wrong := f"a {type(model).__name__} reads several rows together" if several else why_not(model, model.encoder):
        raise Error(f"This model cannot be frozen ({wrong}); leave frozen out.")
    compute = frozen(model, model.encoder)
    return lambda batch: compute({name: batch[name] for name in USUAL})
