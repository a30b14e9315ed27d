"""The one exception that a user can cause."""


class Error(Exception):
    """A mistake that a user can repair, in one sentence: what came, what was wanted, what to do.

    Example:
        >>> raise Error("epochs=0 trains nothing; give 1 or more.")
        Traceback (most recent call last):
        ...
        bertkit.errors.Error: epochs=0 trains nothing; give 1 or more.
    """


class BatchError(Error, ValueError):
    """A batch that a model cannot read. Keras' `fit()` hides every error but a ValueError behind one of its own."""


def reason(error: Exception) -> str:
    """Return what an error of Python says of data, in words that need no Python.

    Args:
        error: What reading the data raised.

    Returns:
        The words.

    >>> reason(KeyError("attrs")), reason(TypeError("'int' object is not iterable"))
    ("it lacks 'attrs'", 'a part of it is of another kind')
    """
    if isinstance(error, KeyError):
        return f"it lacks {error!s:.60}"
    return str(error) if type(error) is ValueError else "a part of it is of another kind"
