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
