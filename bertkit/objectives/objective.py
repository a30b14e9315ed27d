"""What the objectives of pre-training have in common."""

import numpy as np
from keras import ops

from bertkit.distribution import total
from bertkit.layers.cross_entropy import cross_entropy


class Objective:
    """One thing that an encoder is trained to do.

    `heads` are the heads of the shipped model that answer for it, with their kinds where the family's page has none,
    `sizes` the numbers of logits of those that bertkit does not know; `weights` the factors of its losses in the sum.
    `arrange` makes a row's texts (see `corpus.rows`).
    """

    heads = {}
    sizes = {}
    weights = {}
    arrange = None

    def corrupt(self, features):
        """Return a batch with what the objective hides and asks for, numpy: a pure function of (seed, its keys)."""
        return features

    def part(self, encoder):
        """Return what is trained besides the shipped model: a layer, or None where there is nothing."""

    def before(self, features, part, training=None):
        """Return (the batch that the shipped model sees, outputs of one's own)."""
        return features, {}

    def losses(self, outputs, features):
        """Return {name: loss}, float32 scalars; `outputs` of the shipped model and of `before`."""
        raise NotImplementedError

    def accuracies(self, outputs, features):
        """Return {name: share that was right}, float32 scalars, of what can be right."""
        return {}


def keys(features):
    """Return the keys of a batch's rows, int64 [B]: its own, or their numbers, other ones at each "step"."""
    if "keys" in features:
        return np.asarray(features["keys"])
    rows = len(features["token_ids"])
    return np.arange(rows) + int(features.get("step", 0)) * rows


def weighted_cross_entropy(logits, labels, weights):
    """Return Σ −log softmax(logits [...,V])[labels] · weights / Σ weights, a scalar; 0 where nothing is asked."""
    return mean(cross_entropy(logits, labels), weights)


def weighted_accuracy(logits, labels, weights):
    """Return the share of places with weight whose highest logit is the label's, a scalar."""
    found = ops.cast(ops.equal(ops.cast(ops.argmax(logits, axis=-1), "int32"), ops.cast(labels, "int32")), "float32")
    return mean(found, weights)


def mean(values, weights):
    """Return Σ values · weights / Σ weights, a scalar, 0 where nothing has weight; over all devices that do the step.

    Its gradient is this device's part, so that the parts add up to the gradient of the mean (see
    `training.distribute`).
    """
    weights = ops.cast(weights, values.dtype)
    part = ops.sum(values * weights) / ops.maximum(total([ops.sum(weights)])[0], 1.0)
    return part + ops.stop_gradient(total([part])[0] - part)
