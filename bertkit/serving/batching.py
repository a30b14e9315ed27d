"""The requests that wait, and the one thread that computes their answers, several requests together."""

import math
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

BATCH = 256                 # inputs that are computed together, unless one request has more
LONGEST_ADVICE = 60         # seconds, of Retry-After


class Busy(Exception):
    """As many requests wait as may.

    Args:
        seconds: After how many another try is worth it.
    """

    def __init__(self, seconds: int) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class Job:
    """A request that was accepted.

    Args:
        model: What answers it: an object with `predict(inputs)`.
        inputs: Its inputs.

    `answers` is a `Future` of the answers, one for each input.
    """

    def __init__(self, model: Any, inputs: list[Any]) -> None:
        self.model, self.inputs = model, inputs
        self.answers: Future[list[dict[str, Any]]] = Future()


class Batcher:
    """Accepts requests and computes them in their order, those of the same model that wait together in one batch.

    Nothing waits for a batch to fill: what came while the last one was computed is the next. The model itself puts
    inputs of like lengths together.

    Args:
        queue: Requests that may wait.
        computed: Called after each batch with its number of inputs and its seconds.
    """

    def __init__(self, queue: int, computed: Callable[[int, float], None] = lambda rows, seconds: None) -> None:
        self._queue, self._computed = queue, computed
        self._waiting: deque[Job] = deque()
        self._changed, self._closed = threading.Condition(), False
        self._seconds_of_a_row = 0.0
        self._thread = threading.Thread(target=self._work, name="bertkit-batches", daemon=True)
        self._thread.start()

    def __len__(self) -> int:
        return len(self._waiting)

    def submit(self, model: Any, inputs: list[Any]) -> Job:
        """Accept a request.

        Args:
            model: What answers it.
            inputs: Its inputs, at least one.

        Returns:
            The `Job`.

        Raises:
            Busy: When as many wait as may.
        """
        with self._changed:
            if len(self._waiting) >= self._queue:
                raise Busy(self._advice())
            job = Job(model, inputs)
            self._waiting.append(job)
            self._changed.notify()
        return job

    def withdraw(self, job: Job) -> bool:
        """Take a request back for which nobody waits any more.

        Args:
            job: What `submit` returned.

        Returns:
            Whether it still waited; if not, it is computed, and its answers come.
        """
        with self._changed:
            if job not in self._waiting:
                return False
            self._waiting.remove(job)
        return True

    def close(self) -> None:
        """Answer what waits, then end the thread."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _advice(self):
        rows = sum(len(job.inputs) for job in self._waiting)
        return min(max(1, math.ceil(rows * self._seconds_of_a_row)), LONGEST_ADVICE)

    def _work(self):
        while (jobs := self._next()) is not None:
            if not jobs:
                continue
            began = time.monotonic()
            _answer(jobs)
            rows, seconds = sum(len(job.inputs) for job in jobs), time.monotonic() - began
            # The mean of the last few batches, the newest counting most.
            self._seconds_of_a_row = 0.5 * self._seconds_of_a_row + 0.5 * seconds / rows
            self._computed(rows, seconds)

    def _next(self):
        """Wait for requests; return those to compute together, None when the batcher was closed and all are done."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            if not self._waiting:
                return None
            jobs = [self._waiting.popleft()]
            rows = len(jobs[0].inputs)
            for job in list(self._waiting):
                if job.model is jobs[0].model and rows + len(job.inputs) <= BATCH:
                    self._waiting.remove(job)
                    jobs.append(job)
                    rows += len(job.inputs)
        # From here on nobody can cancel them; some may have been.
        return [job for job in jobs if job.answers.set_running_or_notify_cancel()]


def _answer(jobs):
    """Give each of several requests of one model its answers; a request that fails does not harm the others."""
    try:
        found = iter(jobs[0].model.predict([each for job in jobs for each in job.inputs]))
        for answers, job in [([next(found) for _ in job.inputs], job) for job in jobs]:
            job.answers.set_result(answers)
    except Exception as error:
        if len(jobs) == 1:
            jobs[0].answers.set_exception(error)
        else:
            for job in jobs:
                _answer([job])
