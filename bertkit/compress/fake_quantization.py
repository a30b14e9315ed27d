"""Numbers rounded as integers round them, with gradients that pass through the rounding."""

from typing import Any

from keras import ops

LEVELS = 255                # steps between the ends of an int8 range
WEIGHT = {8: 127, 4: 7}     # the largest integer of a weight of so many bits, which is symmetric around 0
BLOCK = 32                  # numbers of a row that share a scale where a weight has four bits
NARROWEST = 1e-6            # a range is at least so wide


def straight_through_round(x: Any) -> Any:
    """Round to whole numbers; the gradient is that of x itself (Bengio et al. 2013, arXiv 1308.3432, section 2.3).

    y = round(x), ∂y/∂x = 1.

    Args:
        x: A float tensor of any shape.

    Returns:
        A tensor of the same shape.

    Example:
        >>> [float(y) for y in straight_through_round(ops.array([0.4, 1.6]))]
        [0.0, 2.0]
    """
    return x + ops.stop_gradient(ops.round(x) - x)


def fake_quantize(x: Any, low: Any, high: Any) -> Any:
    """Round numbers to the 256 levels of an int8 range that is learnt, and clip what lies beyond its ends.

    s = (high − low) / 255;  z = round(−low / s);  y = s · (clip(round(x / s) + z, 0, 255) − z).

    The rounding passes gradients straight through, so that ∂y/∂x is 1 inside the range and 0 beyond, and both ends get
    the gradients of LSQ (Esser et al. 2020, arXiv 1902.08153, equations 1 to 3; with an offset Bhalgat et al. 2020,
    arXiv 2004.09576, equation 4). 0 is always a level.

    Args:
        x: A float tensor [...].
        low: The low end, a scalar; above 0 it counts as 0.
        high: The high end, a scalar; below 0 it counts as 0.

    Returns:
        A tensor [...].

    Example:
        >>> [round(float(y), 2) for y in fake_quantize(ops.array([-3.0, 0.1, 1.0]), -1.0, 1.55)]
        [-1.0, 0.1, 1.0]
    """
    low, high = ops.minimum(low, 0.0), ops.maximum(high, 0.0)
    scale = ops.maximum(high - low, NARROWEST) / LEVELS
    zero = straight_through_round(-low / scale)
    return scale * (ops.clip(straight_through_round(x / scale) + zero, 0, LEVELS) - zero)


def round_channels(kernel: Any, bits: int = 8) -> Any:
    """Round a matrix to integers with a scale for each output, as a file of LiteRT holds it.

    s_j = max_i |W_ij| / 127 (of four bits 7);  W_ij ← s_j · round(W_ij / s_j), straight through (Krishnamoorthi 2018,
    arXiv 1806.08342, section 2.2).

    Args:
        kernel: The matrix [I,O].
        bits: 8 or 4.

    Returns:
        The matrix [I,O].

    Example:
        >>> [round(float(w), 3) for w in round_channels(ops.array([[1.27], [0.014], [-0.5]]))[:, 0]]
        [1.27, 0.01, -0.5]
    """
    return _rounded(kernel, ops.max(ops.abs(kernel), axis=0, keepdims=True), bits)


def round_blocks(rows: Any, bits: int = 4) -> Any:
    """Round rows to integers with a scale for each 32 numbers, or for each row whose width is no multiple of 32.

    w ← s · round(w / s), s = max |w| / 7 (of eight bits 127), straight through (a scale for each block: Dettmers et al.
    2022, arXiv 2110.02861, section 2.1).

    Args:
        rows: Rows [...,W], such as those of a table, or of the transposed kernel [O,I] of a layer.
        bits: 8 or 4.

    Returns:
        Rows [...,W].

    Example:
        >>> [round(float(w), 2) for w in round_blocks(ops.array([[0.7, 0.14, -0.3]]))[0]]
        [0.7, 0.1, -0.3]
    """
    width = rows.shape[-1]
    size = BLOCK if width % BLOCK == 0 else width
    blocks = ops.reshape(rows, (-1, width // size, size))
    rounded = _rounded(blocks, ops.max(ops.abs(blocks), axis=-1, keepdims=True), bits)
    return ops.reshape(rounded, ops.shape(rows))


def _rounded(values, largest, bits):
    scale = ops.stop_gradient(ops.maximum(largest, NARROWEST) / WEIGHT[bits])
    return scale * straight_through_round(values / scale)
