"""What a server takes before it refuses."""

from dataclasses import dataclass

from bertkit.files.schema import Number, Whole, check_argument


@dataclass(frozen=True)
class Limits:
    """What a server takes before it refuses.

    Args:
        queue    requests that may wait while others are computed; beyond that 429
        rows     inputs of a request; beyond that 413
        body     bytes of a request; beyond that 413
        seconds  how long a request may take to arrive (else 408), and then to wait (else 503)

    Raises:
        Error: When one of them is out of bounds.

    >>> Limits(queue=0)
    Traceback (most recent call last):
    ...
    bertkit.errors.Error: queue=0; give a whole number of 1 or more.
    """

    queue: int = 100
    rows: int = 1024
    body: int = 2**20
    seconds: float = 60

    def __post_init__(self) -> None:
        for name in ("queue", "rows", "body"):
            check_argument(name, getattr(self, name), Whole(1))
        check_argument("seconds", self.seconds, Number(0.001, 1e6))
