"""The base class of the objectives of pre-training, and the means that they share."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from keras import ops

from bertkit.distribution import sum_over_devices
from bertkit.errors import Error
from bertkit.files.schema import Whole, check_argument
from bertkit.layers.cross_entropy import cross_entropy


class Objective:
    """One thing that an encoder is trained to do; a subclass gives at least `losses`.

    `heads` are the heads of the saved model that the objective trains: name -> `HeadConfig`, which counts where the
    family's page has none of that name. `sizes` are the numbers of logits of those heads whose number bertkit does not
    know: name -> number. `weights` are the factors of its losses in the weighted sum. `arrange` makes a row's texts
    from a record of the corpus (see `corpus.rows`), or is None where any arrangement will do.
    """

    heads: dict[str, Any] = {}
    sizes: dict[str, int] = {}
    weights: dict[str, float] = {}
    arrange: Callable[..., Any] | None = None

    def corrupt(self, features: dict[str, Any]) -> dict[str, Any]:
        """Prepare a batch in numpy: hide tokens, add labels. It is a pure function of (seed, the batch's keys).

        Args:
            features: A batch, at least "token_ids" and "padding_mask" int [B,T].

        Returns:
            The batch, with what the objective adds.

        Raises:
            Error: when it is no batch.
        """
        return checked_batch(features)

    def make_layer(self, encoder: Any) -> Any:
        """Make the layer that is trained beside the saved model.

        Args:
            encoder: The `Encoder` that is trained.

        Returns:
            A Keras layer, or None where the objective needs none.
        """

    def prepare_features(self, features: dict[str, Any], part: Any,
                         training: bool | None = None) -> tuple[dict[str, Any], dict[str, Any]]:
        """Compute what the saved model is given.

        Args:
            features: The batch that `corrupt` returned, as tensors of the same shapes.
            part: The layer that `make_layer` returned.
            training: Whether dropout is on.

        Returns:
            (The batch for the saved model, the objective's own outputs by name).
        """
        return features, {}

    def losses(self, outputs: dict[str, Any], features: dict[str, Any]) -> dict[str, Any]:
        """Compute the objective's losses.

        Args:
            outputs: The outputs of the saved model and of `prepare_features`, by name.
            features: The batch that `corrupt` returned.

        Returns:
            {name: loss}, float32 scalars.
        """
        raise NotImplementedError

    def accuracies(self, outputs: dict[str, Any], features: dict[str, Any]) -> dict[str, Any]:
        """Compute the share of correct predictions.

        Args:
            outputs: The outputs of the saved model and of `prepare_features`, by name.
            features: The batch that `corrupt` returned.

        Returns:
            {name: share}, float32 scalars; empty where the objective has no accuracy.
        """
        return {}


def checked_batch(features: Any) -> Any:
    """Check that what came is a batch.

    Args:
        features: A batch, {name: array}.

    Returns:
        It.

    Raises:
        Error: when it is no dict.
    """
    if not isinstance(features, Mapping):
        raise Error(f"A {type(features).__name__} came where a batch was wanted; give a dict with token_ids and "
                    "padding_mask [B,T].")
    return features


def batch_arrays(features: Any) -> dict[str, np.ndarray]:
    """Return a batch as numpy arrays.

    Args:
        features: A batch, at least "token_ids" and "padding_mask", whole numbers [B,T].

    Returns:
        {name: array}, "token_ids" and "padding_mask" [B,T].

    Raises:
        Error: when it is no such batch, or "step" is no whole number.

    Example:
        >>> batch_arrays({"token_ids": [[5, 6]], "padding_mask": [[1, 1]]})["token_ids"].shape
        (1, 2)
    """
    found = {name: np.asarray(value) for name, value in checked_batch(features).items()}
    for name in ("token_ids", "padding_mask"):
        value = found.get(name, np.array(None))
        if value.ndim != 2 or value.dtype.kind not in "iub":
            came = "is missing" if name not in found else f"is an array of shape {value.shape} and dtype {value.dtype}"
            raise Error(f"The entry {name} of the batch {came}; give whole numbers [B,T].")
    if "step" in found:
        check_argument("step", found["step"], Whole())
    return found


def keys(features: Mapping[str, Any]) -> np.ndarray:
    """Return the keys of a batch's rows, from which all its draws are made.

    Args:
        features: A batch. Without "keys" its rows are numbered, from other numbers on at each "step".

    Returns:
        int64 [B].

    Example:
        >>> keys({"token_ids": np.zeros((2, 5)), "step": 3}).tolist()
        [6, 7]
    """
    if "keys" in features:
        return np.asarray(features["keys"])
    rows = len(features["token_ids"])
    return np.arange(rows) + int(features.get("step", 0)) * rows


def weighted_cross_entropy(logits: Any, labels: Any, weights: Any) -> Any:
    """Compute Σ −log softmax(logits)[labels] · weights / Σ weights over all devices.

    Args:
        logits: [...,V].
        labels: int [...].
        weights: [...], 0 where a label does not count.

    Returns:
        A scalar; 0 where all weights are 0.

    Example:
        >>> logits = ops.array([[0.0, 0.0], [0.0, 20.0]])
        >>> round(float(weighted_cross_entropy(logits, ops.array([0, 0]), ops.array([1.0, 0.0]))), 4)
        0.6931
    """
    return mean(cross_entropy(logits, labels), weights)


def weighted_accuracy(logits: Any, labels: Any, weights: Any) -> Any:
    """Compute the weighted share of positions whose highest logit is the label's.

    Args:
        logits: [...,V].
        labels: int [...].
        weights: [...], 0 where a label does not count.

    Returns:
        A float32 scalar; 0 where all weights are 0.

    Example:
        >>> logits = ops.array([[1.0, 0.0], [0.0, 20.0], [0.0, 1.0]])
        >>> float(weighted_accuracy(logits, ops.array([0, 1, 0]), ops.array([1.0, 1.0, 2.0])))
        0.5
    """
    hits = ops.cast(ops.equal(ops.cast(ops.argmax(logits, axis=-1), "int32"), ops.cast(labels, "int32")), "float32")
    return mean(hits, weights)


def mean(values: Any, weights: Any) -> Any:
    """Compute Σ values · weights / Σ weights over all devices that do the step.

    Its gradient is this device's part, so that the parts add up to the gradient of the mean (see
    `bertkit.distribution`).

    Args:
        values: A float tensor of any shape.
        weights: A tensor of the same shape.

    Returns:
        A scalar; 0 where all weights are 0.

    Example:
        >>> float(mean(ops.array([2.0, 4.0, 9.0]), ops.array([1.0, 1.0, 0.0])))
        3.0
    """
    weights = ops.cast(weights, values.dtype)
    part = ops.sum(values * weights) / ops.maximum(sum_over_devices([ops.sum(weights)])[0], 1.0)
    return part + ops.stop_gradient(sum_over_devices([part])[0] - part)
