"""The scales that stand beside weights of 8 bits.

A scale of a matrix, `weight_scale` or `weight_scale_inv`, is multiplied into it: one number, one of each row, or one of
each block (transformers' integrations of fp8 and of compressed-tensors).
"""

import logging
from typing import Any

import numpy as np

from bertkit.checkpoints.tensors import Tensors, floats
from bertkit.errors import Error

log = logging.getLogger("bertkit")

SCALES = ("_scale", "_scale_inv")
# The ends of the names of scales of activations, which matter where those have 8 bits too.
OF_ACTIVATIONS = (".input_scale", ".output_scale", ".activation_scale", ".k_scale", ".v_scale")


def with_scales(tensors: Tensors, values: dict[str, Any]) -> Tensors:
    """Return tensors with their scales multiplied in.

    Args:
        tensors: The `Tensors` of the files.
        values: The content of config.json; of its quantization_config weight_block_size is read.

    Returns:
        The `Tensors`, without the scales.

    Raises:
        Error: When a tensor that has a scale is read, and the scale's shape does not fit.
    """
    scales = {name.removesuffix(end): name for end in SCALES for name in tensors.shapes
              if name.endswith(end) and name.removesuffix(end) in tensors.shapes}
    activations = [name for name in tensors.shapes if name.endswith(OF_ACTIVATIONS)]
    if not scales:
        return tensors
    if activations:
        log.warning("%s holds %d scales of activations (%s ...); bertkit computes activations in whole precision, "
                    "without them.", tensors.path, len(activations), activations[0])
    left_out = {*scales.values(), *activations}
    settings = values.get("quantization_config")
    block = settings.get("weight_block_size") if isinstance(settings, dict) else None
    if not (block is None or isinstance(block, list) and len(block) == 2 and all(
            type(size) is int and size > 0 for size in block)):
        raise Error(f"config.json: weight_block_size={block!r:.60}; wanted two whole numbers, such as [128, 128].")

    def read(name):
        if name not in scales:
            return tensors.read(name)
        weight, scale = (floats(tensors.read(each), each, tensors.path).astype("float32")
                         for each in (name, scales[name]))
        return weight * _spread(scale, weight.shape, block, f"{tensors.path}: {scales[name]}")

    return Tensors(tensors.path, {name: shape for name, shape in tensors.shapes.items() if name not in left_out}, read)


def _spread(scale, shape, block, what):
    """Return a scale as an array that is multiplied with a weight of this shape."""
    if scale.size == 1:
        return scale.reshape(())
    if len(shape) != 2 or scale.ndim == 1 and len(scale) != shape[0] or scale.ndim > 2:
        raise Error(f"{what} has the shape {list(scale.shape)}, and its weight {list(shape)}; wanted one number, one "
                    "of each row or one of each block.")
    scale = scale[:, None] if scale.ndim == 1 else scale
    sizes = block or [
        -(-full // part) for full, part in zip(shape, scale.shape, strict=True)]
    if [-(-full // size) if part > 1 else 1 for full, size, part in zip(
            shape, sizes, scale.shape, strict=True)] != list(scale.shape):
        raise Error(f"{what} has the shape {list(scale.shape)}, and its weight {list(shape)} has other blocks of "
                    f"{sizes}; copy config.json, with its quantization_config, and the weights again.")
    for axis, (size, full) in enumerate(zip(sizes, shape, strict=True)):
        if scale.shape[axis] > 1:
            scale = np.repeat(scale, size, axis)[(slice(None),) * axis + (slice(full),)]
    return scale
