"""What a task is: from inputs to rows of ids, from a model's numbers to predictions, answers and scores.

`predict`, `evaluate`, the choice of the best epoch, the parity check of an export and the device all go through one
task, so an answer means the same in each place. numpy alone.
"""

import dataclasses

import numpy as np

from bertkit import metrics
from bertkit.errors import Error
from bertkit.tasks.columns import listed


class Task:
    """The parts that tasks share; a task is a frozen dataclass whose fields are its settings.

    `name` is its command's; `reads` names the texts of an input, "..." for any number more; `output` what the exported
    file calls its numbers, one vector of `width` a row, or a token where `each_token`; `points` turns a metric into
    points; of the metrics `less_is_better` the smaller number is the better one.
    """

    name = output = ""
    reads = ("text",)
    each_token = False
    points = 100
    less_is_better = ()

    def settings(self):
        """Return the fields as JSON; `task({"name": ..., **settings})` is the task again."""
        return {field.name: list(value) if isinstance(value, tuple) else value
                for field in dataclasses.fields(self) for value in [getattr(self, field.name)]}

    def input(self, line):
        """Return the input in a line of text, its texts parted by tabs, all empty in an empty line; raises `Error`."""
        if self.reads == ("text",):
            return line
        texts = line.split("\t") if line else [""] * (len(self.reads) - (self.reads[-1] == "..."))
        if not self._fits(texts):
            raise Error(f"has {len(texts) - 1} tabs; this model reads {', tab, '.join(self.reads)}")
        return tuple(texts)

    def checked(self, inputs):
        """Return a list of inputs, each a text or a tuple of texts; raises `Error` naming the first that is neither.

        `inputs` are a list, or what `columns.listed` takes for one.
        """
        inputs = listed(inputs, "inputs")
        return [self._checked(number, given) for number, given in enumerate(inputs, start=1)]

    def _checked(self, number, given):
        if self.reads == ("text",) and isinstance(given, str | bytes):
            return given
        if self.reads != ("text",) and isinstance(given, tuple | list) and self._fits(given):
            return tuple(given)
        wanted = "single texts: give a str" if self.reads == ("text",) else f"tuples ({', '.join(self.reads)})"
        raise Error(f"Row {number} is {given!r:.60}; this model reads {wanted}.")

    def _fits(self, texts):
        if self.reads[-1] == "...":
            return len(texts) >= len(self.reads) - 1
        return len(texts) == len(self.reads)

    def outputs(self, raw):
        """Return what the exported file gives for a row, from what the model gives."""
        return raw

    def tuned(self, targets, predictions):
        """Return the task with what is chosen on dev (a threshold); itself where nothing is."""
        return self

    def loss(self, targets, predictions):
        """Return the mean loss of inputs, or None where only training knows it."""
        return

    def confusion(self, targets, predictions):
        """Return counts [C,C], rows true and columns predicted, or None where there are no classes."""
        return

    def decisions(self, output):
        """Return what a row's output decides, an array: two files agree on a row where these are equal."""
        return np.argmax(output, axis=-1)

    def agreement(self, one, other):
        """Return the fraction of rows, two lists of outputs, that decide alike."""
        same = [np.array_equal(self.decisions(a), self.decisions(b)) for a, b in zip(one, other, strict=True)]
        return float(np.mean(same))

    def drift(self, one, other):
        """Return the largest difference of two lists of outputs."""
        return max(float(np.abs(a - b).max(initial=0)) for a, b in zip(one, other, strict=True))

    def scores(self, targets, predictions):
        """Return {metric: number}, and what else `evaluate` tells."""
        sides = self.sides(targets, predictions)
        return {name: float(metric(*sides)) for name, metric in self.metrics.items()}

    def intervals(self, targets, predictions, seed=0):
        """Return {metric: {"score", "low", "high"}}, 95 % bootstrap intervals."""
        sides, found = self.sides(targets, predictions), {}
        for name, metric in self.metrics.items():
            low, high = metrics.bootstrap(metric, *sides, seed=seed)
            found[name] = {"score": float(metric(*sides)), "low": low, "high": high}
        return found
