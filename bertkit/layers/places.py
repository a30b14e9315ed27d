"""Tokens at some places of a row alone."""

from keras import ops


def taken(x, places):
    """Return x [B,T,D] at places [B,K], [B,K,D]; x as it is where `places` is None."""
    return x if places is None else ops.take_along_axis(x, ops.cast(places, "int32")[:, :, None], axis=1)
