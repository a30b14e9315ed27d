"""Layers whose every number is drawn, so that a mistake shows, and those numbers by name."""

import numpy as np


def drawn(layer, *shapes, seed=2):
    """Build a layer for inputs of these shapes, draw its weights (scales around 1), and return it."""
    layer.build(*shapes)
    rng = np.random.default_rng(seed)
    for weight in layer.weights:
        if "seed" not in weight.path:
            weight.assign(0.5 * rng.standard_normal(weight.shape) + (weight.name == "gamma"))
    return layer


def named(layer):
    """Return {path inside the layer: array in double precision}."""
    return {weight.path.removeprefix(f"{layer.name}/"): np.asarray(weight, "float64") for weight in layer.weights
            if "seed" not in weight.path}


def dense(weights, name, x):
    """Return x W + b, without b where there is none."""
    return x @ weights[f"{name}/kernel"] + weights.get(f"{name}/bias", 0)


def layer_norm(weights, name, x, epsilon):
    """Return the LayerNorm, without a shift where there is none."""
    deviation = np.sqrt(x.var(-1, keepdims=True) + epsilon)
    return (x - x.mean(-1, keepdims=True)) / deviation * weights[f"{name}/gamma"] + weights.get(f"{name}/beta", 0)
