"""What the last linear layer of a classifier reads of each text."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from bertkit.data.features import features_of
from bertkit.errors import Error
from bertkit.heads import Classifier
from bertkit.heads.head_layers import PredictionHead
from bertkit.heads.vectors import HeadVectors
from bertkit.predictor import Predictor
from bertkit.training.scoring import outputs


def head_of(predictor: Predictor, purpose: str) -> PredictionHead:
    """Return the head of a classifier or a score, whose logits are a linear function of its vectors.

    Args:
        predictor: The model.
        purpose: What it is for, for the error's sentence.

    Returns:
        The head.

    Raises:
        Error: When the model has no single linear layer at its end.
    """
    heads = list(getattr(predictor.model, "heads", {}).values())
    if not isinstance(predictor.model, Classifier) or not isinstance(heads[0], PredictionHead):
        raise Error(f"A {type(predictor.model).__name__} has no single linear layer at its end {purpose}; this is for "
                    "classify and score.")
    return heads[0]


def last_layer_vectors(predictor: Predictor, inputs: Sequence[Any]) -> np.ndarray:
    """Return what the last layer of a classifier reads of each input.

    Args:
        predictor: The model; `head_of` has a head for it.
        inputs: What the task reads.

    Returns:
        float32 [inputs,D].
    """
    rows = features_of(predictor.task.pack(predictor.tokenizer, inputs, predictor.length), predictor.tokenizer)
    return np.stack(outputs(HeadVectors(predictor.model), rows))
