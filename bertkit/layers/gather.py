"""Picks the tokens at some positions of each row."""

from typing import Any

from keras import ops

FIRST = 0               # instead of positions of each row: the first token of every row


def gather_positions(x: Any, places: Any) -> Any:
    """Pick the token vectors at given positions.

    Args:
        x: Token vectors [B,T,D].
        places: Positions int [B,K]; `FIRST` as a scalar tensor for the first token; None for all.

    Returns:
        The vectors [B,K,D]; [B,1,D] for `FIRST`; x as it is for None.

    Example:
        >>> x = ops.array([[[1.0], [2.0], [3.0]]])
        >>> [float(y) for y in gather_positions(x, ops.array([[2, 0]]))[0, :, 0]]
        [3.0, 1.0]
    """
    if places is None:
        return x
    if len(places.shape) == 0:
        return x[:, :1]
    return ops.take_along_axis(x, ops.cast(places, "int32")[:, :, None], axis=1)
