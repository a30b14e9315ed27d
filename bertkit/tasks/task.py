"""What a task is: it makes rows of ids from inputs, and predictions, answers and scores from a model's outputs.

`predict`, `evaluate`, the choice of the best epoch, the parity check of an export and the device all use the same task,
so an answer means the same in each place. This room needs numpy alone.
"""

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any, Self, cast

import numpy as np

from bertkit import metrics
from bertkit.errors import Error
from bertkit.tasks.columns import to_list


class Task:
    """The parts that all tasks share. A task is a frozen dataclass whose fields are its settings.

    `name` is that of its command. `reads` names the texts of an input, "..." stands for any number more. `output` is
    the name of the exported file's output: a vector of `width` numbers a row, or a token where `each_token` is set.
    `points` is the factor that turns a metric into points. `metrics` are {name: function(*sides) -> number}, of which
    the first decides; of those in `less_is_better` the smaller number is the better one. `commonest` is what a message
    calls the answer that needs no reading of the input. `constant_is_0` is set where the score of that answer is 0 by
    definition, as a correlation with a constant is. `counted` says which rows `row_quality` finds good.

    A task also has `pack(tokenizer, inputs, length, targets=None)` -> `Packed`, `predictions(outputs, packed)`,
    `answers(inputs, predictions)` and `sides(targets, predictions)`.

    Example:
        >>> from bertkit.tasks.classification import Classification
        >>> task = Classification(labels=("no", "yes"))
        >>> task.scores(np.array([0, 1]), [np.array([0.9, 0.1]), np.array([0.7, 0.3])])["accuracy"]
        0.5
        >>> task.answers(["a film"], [np.array([0.25, 0.75])])
        [{'label': 'yes', 'probabilities': {'no': 0.25, 'yes': 0.75}}]
    """

    name: str = ""
    output: str = ""
    each_token: bool = False
    points: int = 100
    less_is_better: tuple[str, ...] = ()
    commonest: str = "the commonest answer"
    constant_is_0: bool = False
    counted: str = "rows whose answer is right"
    # A field, a property or a method of each task.
    reads: Any = ("text",)
    width: Any
    metrics: Any
    pack: Any
    predictions: Any
    answers: Any
    metric_inputs: Any

    def settings(self) -> dict[str, Any]:
        """Return the fields of the task; `task({"name": ..., **settings})` makes the task again.

        Returns:
            {field: value}, as JSON.
        """
        return {field.name: list(value) if isinstance(value, tuple) else value
                for field in dataclasses.fields(cast(Any, self)) for value in [getattr(self, field.name)]}

    def input(self, line: str) -> Any:
        """Read an input from a line of text, in which tabs stand between its texts.

        Args:
            line: The line; an empty one gives empty texts.

        Returns:
            A text, or a tuple of texts.

        Raises:
            Error: when the number of tabs does not fit the task.
        """
        if self.reads == ("text",):
            return line
        texts = line.split("\t") if line else [""] * (len(self.reads) - (self.reads[-1] == "..."))
        if not self._fits(texts):
            raise Error(f"has {len(texts) - 1} tabs; this model reads {', tab, '.join(self.reads)}")
        return tuple(texts)

    def check_inputs(self, inputs: Iterable[Any]) -> list[Any]:
        """Check inputs.

        Args:
            inputs: Texts, or tuples of texts: a list of them, or what `columns.to_list` takes for one.

        Returns:
            The inputs as a list.

        Raises:
            Error: when `inputs` is no list of rows, or an input is not what the task reads; it names the first one.
        """
        inputs = to_list(inputs, "inputs")
        return [self._checked(number, given) for number, given in enumerate(inputs, start=1)]

    def _checked(self, number, example):
        if self.reads == ("text",) and isinstance(example, str | bytes):
            return example
        if self.reads != ("text",) and isinstance(example, tuple | list) and self._fits(example):
            return tuple(example)
        wanted = "single texts: give a str" if self.reads == ("text",) else f"tuples ({', '.join(self.reads)})"
        raise Error(f"Row {number} is {example!r:.60}; this model reads {wanted}.")

    def _fits(self, texts):
        if self.reads[-1] == "...":
            return len(texts) >= len(self.reads) - 1
        return len(texts) == len(self.reads)

    def outputs(self, raw: Any) -> Any:
        """Turn the model's output into what the exported file gives.

        Args:
            raw: The model's output for a row or for several, [..., C].

        Returns:
            float32 [..., width]; `raw` itself where nothing is done.
        """
        return raw

    def certainty(self, predictions: Sequence[Any]) -> list[float]:
        """Return how sure the model is of each input, by which `predict --order uncertain` puts rows in order.

        Args:
            predictions: The prediction of each input.

        Returns:
            A number from 0 to 1 for each, the smaller the less sure.

        Raises:
            Error: when the task's predictions do not say how sure they are.
        """
        raise Error(f"A model of the task {self.name} does not say how sure it is of an answer; --order uncertain is "
                    "for classify, tag, answer and choose.")

    def tuned(self, targets: Any, predictions: Any) -> Self:
        """Return the task with what is chosen on dev, such as a threshold.

        Args:
            targets: The targets of the dev inputs.
            predictions: Their predictions.

        Returns:
            A task; itself where nothing is chosen.
        """
        return self

    def thresholded(self, metric: str, targets: Any, predictions: Any) -> Self:
        """Return the task with the threshold that gives the best score on dev.

        Args:
            metric: The name of one of the task's metrics.
            targets: The targets of the dev inputs.
            predictions: Their predictions.

        Returns:
            A task.

        Raises:
            Error: when the task has no threshold, or no such metric.
        """
        self.check_threshold(metric)
        return self

    def check_threshold(self, metric: str | None) -> None:
        """Check, before anything is trained, that a threshold can be chosen by a metric.

        Args:
            metric: The name of a metric; None chooses none.

        Raises:
            Error: when the task has no threshold, or no such metric.
        """
        if metric is not None:
            raise Error(f"threshold={metric} chooses between two classes or for several labels, and the task "
                        f"{self.name} has neither; leave it out.")

    def decision(self, targets: Any) -> str:
        """Return in one sentence what was chosen on dev of how answers are decided.

        Args:
            targets: The targets of the dev inputs.

        Returns:
            The sentence; "" where nothing was chosen.
        """
        return ""

    def with_positive(self, name: str | None) -> Self:
        """Return the task with the class that F1 is of.

        Args:
            name: The class; None leaves it to the task.

        Returns:
            A task.

        Raises:
            Error: when the task does not have two classes, or no such class.
        """
        if name is not None:
            raise Error(f"positive={name!r} names one of two classes, and the task {self.name} has none; leave it out.")
        return self

    def loss(self, targets: Any, predictions: Any) -> float | None:
        """Compute the mean loss of inputs.

        Args:
            targets: Their targets.
            predictions: Their predictions.

        Returns:
            The loss, or None where only training knows it.
        """
        return None

    def confusion(self, targets: Any, predictions: Any) -> np.ndarray | None:
        """Count true and predicted classes.

        Args:
            targets: The true classes.
            predictions: The predictions.

        Returns:
            int64 [C,C], counts, rows true and columns predicted, or None where there are no classes.
        """
        return None

    def decisions(self, output: Any) -> Any:
        """Return what a row's output decides: two files agree on a row where their decisions are equal.

        Args:
            output: The output of a row, [width] or [T,width].

        Returns:
            The place of the largest number: int64 (), or [T].
        """
        return np.argmax(output, axis=-1)

    def cut(self, tokenizer: Any, inputs: Sequence[Any], length: int) -> np.ndarray:
        """Find the rows that lose tokens at a length.

        Args:
            tokenizer: The `Tokenizer`.
            inputs: The inputs.
            length: The most tokens of a row.

        Returns:
            bool [rows]; a task that reads a long text in windows says it of its inputs.
        """
        rows = self.pack(tokenizer, inputs, length + 1).rows
        return np.array([len(ids) > length for ids, _ in rows], bool)

    def aligned(self, outputs: Sequence[Any], packed: Any) -> Sequence[Any]:
        """Return outputs in a form that can be compared with those of rows of another length.

        Args:
            outputs: The output of each row.
            packed: The `Packed` rows.

        Returns:
            What `agreement` and `drift` take: the same, or where an input is read in windows, one array an input,
            float32 [units,C].
        """
        return outputs

    def row_quality(self, targets: Any, predictions: Any) -> np.ndarray:
        """Return how good the answer to each input is, by which two models are compared row by row.

        Args:
            targets: The targets of the inputs.
            predictions: Their predictions.

        Returns:
            float64 [inputs], 1 for a right answer and 0 for a wrong one; where answers are neither, the larger the
            better (see `counted`).

        Raises:
            Error: when the task does not say it.
        """
        sides = self.metric_inputs(targets, predictions)
        if len(sides) != 2:
            raise Error(f"The task {self.name} does not say how good each answer is; give it a method row_quality.")
        true, predicted = map(np.asarray, sides)
        return (true == predicted).reshape(len(true), -1).all(axis=1).astype("float64")

    def target_in_words(self, example: Any, target: Any) -> str:
        """Return what is right for an input, as a person reads it.

        Args:
            example: The input.
            target: Its target.

        Returns:
            The text.
        """
        return str(target)

    def agreement(self, one: Sequence[Any], other: Sequence[Any]) -> float:
        """Compute the fraction of rows on which two files decide alike.

        Args:
            one: The outputs of one file, one a row.
            other: The outputs of the other file.

        Returns:
            From 0 to 1.
        """
        same = [np.array_equal(self.decisions(a), self.decisions(b)) for a, b in zip(one, other, strict=True)]
        return float(np.mean(same))

    def drift(self, one: Sequence[Any], other: Sequence[Any]) -> float:
        """Compute the largest difference between the outputs of two files.

        Args:
            one: The outputs of one file, one a row.
            other: The outputs of the other file.

        Returns:
            The largest absolute difference.
        """
        return max(float(np.abs(a - b).max(initial=0)) for a, b in zip(one, other, strict=True))

    def scores(self, targets: Any, predictions: Any) -> dict[str, Any]:
        """Compute the metrics, and what else `evaluate` reports.

        Args:
            targets: The targets of the inputs.
            predictions: Their predictions.

        Returns:
            {metric: number}.
        """
        sides = self.metric_inputs(targets, predictions)
        return {name: float(metric(*sides)) for name, metric in self.metrics.items()}

    def intervals(self, targets: Any, predictions: Any, seed: int = 0) -> dict[str, dict[str, float]]:
        """Compute the metrics with 95 % bootstrap intervals.

        Args:
            targets: The targets of the inputs.
            predictions: Their predictions.
            seed: The seed of the bootstrap.

        Returns:
            {metric: {"score", "low", "high"}}.
        """
        sides, intervals = self.metric_inputs(targets, predictions), {}
        for name, metric in self.metrics.items():
            low, high = metrics.bootstrap(metric, *sides, seed=seed)
            intervals[name] = {"score": float(metric(*sides)), "low": low, "high": high}
        return intervals
