"""Tokens at some places of a row alone."""

from keras import ops

FIRST = 0               # instead of places of each row: the first token of all


def gather_positions(x, places):
    """Return x [B,T,D] at places [B,K], [B,K,D]; of `FIRST` as a scalar [B,1,D]; x as it is where `places` is None."""
    if places is None:
        return x
    if len(places.shape) == 0:
        return x[:, :1]
    return ops.take_along_axis(x, ops.cast(places, "int32")[:, :, None], axis=1)
