"""What /metrics says, in the text form of Prometheus."""

from collections.abc import Callable

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)

prometheus_client.disable_created_metrics()         # a moment of time beside each count, which nobody reads


class Measures:
    """The counts of one server.

    Args:
        waiting: Returns how many requests wait.
    """

    def __init__(self, waiting: Callable[[], int]) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter("bertkit_requests", "Requests for answers, by status.", ["model", "status"],
                                 registry=self._registry)
        self._rows = Counter("bertkit_rows", "Inputs that were answered.", ["model"], registry=self._registry)
        self._seconds = Histogram("bertkit_request_seconds", "From a request's head to its answer.", ["model"],
                                  buckets=SECONDS, registry=self._registry)
        self._batches = Histogram("bertkit_batch_rows", "Inputs that were computed together.", buckets=ROWS,
                                  registry=self._registry)
        self._computing = Counter("bertkit_computing_seconds", "Time in which answers were computed.",
                                  registry=self._registry)
        Gauge("bertkit_queue", "Requests that wait.", registry=self._registry).set_function(waiting)
        self.answered = {"requests": 0, "rows": 0}

    def request(self, model: str, status: int, rows: int, seconds: float) -> None:
        """Count a request.

        Args:
            model: The name of its model.
            status: What it was answered with; 499 where the client did not wait.
            rows: Inputs that were answered.
            seconds: How long it took.
        """
        self._requests.labels(model, str(status)).inc()
        self._seconds.labels(model).observe(seconds)
        if status == 200:
            self._rows.labels(model).inc(rows)
            self.answered["requests"] += 1
            self.answered["rows"] += rows

    def batch(self, rows: int, seconds: float) -> None:
        """Count a batch.

        Args:
            rows: Its inputs.
            seconds: How long it was computed.
        """
        self._batches.observe(rows)
        self._computing.inc(seconds)

    def text(self) -> bytes:
        """Return all counts.

        Returns:
            The text that Prometheus reads.
        """
        return prometheus_client.generate_latest(self._registry)
