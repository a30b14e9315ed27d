"""Sort texts, or pairs of texts, into classes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np

from bertkit import metrics
from bertkit.errors import Error
from bertkit.tasks.packed import Packed
from bertkit.tasks.task import Task
from bertkit.text import Tokenizer

THRESHOLD = 0.5     # a label of a multi-label task is given where its probability is above
MOST_THRESHOLDS = 1000      # that are tried on dev
# What a class is often called that F1 is asked of: it is proposed, and said.
USUAL = ("1", "true", "yes", "positive", "pos", "spam", "fraud", "toxic", "hate", "offensive", "phishing", "abuse")
FLOOR = 1e-6        # smaller probabilities count as this one: an int8 softmax gives 0


def softmax(logits: Any) -> np.ndarray:
    """Compute exp(z) / Σ exp(z) over the last axis, in float64.

    Args:
        logits: [..., C].

    Returns:
        float32 [..., C].

    Example:
        >>> softmax([0.0, 0.0]).tolist()
        [0.5, 0.5]
    """
    z = np.asarray(logits, "float64")
    z = np.exp(z - z.max(axis=-1, keepdims=True))
    return (z / z.sum(axis=-1, keepdims=True)).astype("float32")


def sigmoid(logits: Any) -> np.ndarray:
    """Compute 1 / (1 + exp(−z)), in float64.

    Args:
        logits: Of any shape.

    Returns:
        float32 of the same shape.

    Example:
        >>> float(sigmoid(0.0))
        0.5
    """
    return (1 / (1 + np.exp(-np.asarray(logits, "float64")))).astype("float32")


def margin(row: np.ndarray) -> float:
    """Compute p₁ − p₂ of the two largest probabilities, by which margin sampling chooses (Scheffer et al. 2001).

    Args:
        row: float [C].

    Returns:
        From 0 to 1; 1 for a single class.

    Example:
        >>> margin(np.array([0.25, 0.75]))
        0.5
    """
    if len(row) < 2:
        return 1.0
    second, first = np.sort(np.asarray(row, "float64"))[-2:]
    return float(first - second)


class TextsOrPairs(Task):
    """What the tasks share that read a text, or a pair of texts.

    `pairs` is True where each input is a pair, False where each is a single text, and None where each may be either.
    """

    pairs: bool | None = False

    @property
    def reads(self) -> tuple[str, ...]:
        """The names of an input's texts; those of a single text where `pairs` is None."""
        return ("first text", "second text") if self.pairs else ("text",)

    def input(self, line: str) -> Any:
        """Read an input from a line of text.

        Args:
            line: The line, in which a tab stands between the two texts of a pair; an empty one gives empty texts.
                Where `pairs` is None, a line with one tab is a pair and any other a text.

        Returns:
            A text, or (first, second).

        Raises:
            Error: when `pairs` is True and the line, if not empty, has no tab or several.
        """
        texts = line.split("\t")
        return tuple(texts) if self.pairs is None and len(texts) == 2 else super().input(line)

    def _checked(self, number, example):
        if self.pairs is None and isinstance(example, tuple | list) and len(example) == 2:
            return tuple(example)
        return super()._checked(number, example)


@dataclass(frozen=True)
class Classification(TextsOrPairs):
    """One of `labels` for each text or pair, or with `multi_label` any number of them.

    Args:
        labels: The names of the classes, in the order of the model's outputs.
        multi_label: Whether an input may have several labels, or none.
        pairs: Whether the inputs are pairs of texts; None, where no training file told, takes texts and pairs alike.
        positive: Of two classes, the one that F1 is of; None is the second one.
        threshold: Of two classes, the positive one is given where its probability is above; of several labels, each
            one is. At 0.5 the most probable class is given.
        abstain_below: Answers say "abstain": true where the class that they give has a smaller probability, and false
            elsewhere; None says nothing.
        set_from: Answers hold a "set", the class that they give and those of this probability or more; None makes none.

    Raises:
        Error: when there is no such class, or one of the last three does not fit.

    Example:
        >>> Classification(("bad", "good")).answers(["a film"], [np.array([0.25, 0.75])])
        [{'label': 'good', 'probabilities': {'bad': 0.25, 'good': 0.75}}]
    """

    labels: tuple[str, ...]
    multi_label: bool = False
    pairs: bool | None = False
    positive: str | None = field(default=None, kw_only=True)
    threshold: float = field(default=THRESHOLD, kw_only=True)
    abstain_below: float | None = field(default=None, kw_only=True)
    set_from: float | None = field(default=None, kw_only=True)

    name, output = "classify", "probabilities"
    commonest = "the commonest class"

    def __post_init__(self):
        object.__setattr__(self, "labels", tuple(self.labels))
        if self.positive is not None and not (self.is_binary and self.positive in self.labels):
            raise Error(f"positive={self.positive!r} names one of two classes, and the classes are "
                        f"{', '.join(self.labels)}; {'give one of them' if self.is_binary else 'leave it out'}.")
        if not 0 <= self.threshold <= 1 or self.threshold != THRESHOLD and not (self.is_binary or self.multi_label):
            raise Error(f"threshold={self.threshold} does not fit {len(self.labels)} classes; give a number from 0 to "
                        "1, for two classes or several labels.")
        for name, value in self.limits.items():
            if self.multi_label or not 0 <= value <= 1:
                raise Error(f"{name}={value} does not fit; give a number from 0 to 1, for one class of each input.")

    @property
    def limits(self) -> dict[str, float]:
        """Those of `abstain_below` and `set_from` that are set."""
        found = {"abstain_below": self.abstain_below, "set_from": self.set_from}
        return {name: value for name, value in found.items() if value is not None}

    def settings(self) -> dict[str, Any]:
        """Return the fields of the task, without the limits that are not set: what others read stays as it was.

        Returns:
            {field: value}, as JSON.
        """
        return {name: value for name, value in super().settings().items()
                if name not in ("abstain_below", "set_from") or value is not None}

    @property
    def is_binary(self) -> bool:
        """Whether an input has one of two classes."""
        return len(self.labels) == 2 and not self.multi_label

    @property
    def positive_class(self) -> str | None:
        """The class that F1 is of; None where it is the mean over classes."""
        return (self.positive or self.labels[1]) if self.is_binary else None

    def with_positive(self, name: str | None) -> Self:
        """Return the task with the class that F1 is of; what is answered stays the same.

        Args:
            name: The class. None proposes the one that has a usual name, such as "yes" or "spam", else the second.

        Returns:
            A task; itself where there are not two classes.

        Raises:
            Error: when there is no such class.
        """
        if name is None and not self.is_binary:
            return self
        usual = [label for label in self.labels if label.strip().casefold() in USUAL]
        name = name if name is not None else usual[0] if len(usual) == 1 else self.positive_class
        same = name == self.positive_class
        return replace(self, positive=name, threshold=self.threshold if same else 1 - self.threshold)

    @property
    def counted(self) -> str:       # type: ignore[override]
        """What `row_quality` finds good, in words."""
        return "rows whose labels are all right" if self.multi_label else "rows whose class is right"

    @property
    def width(self) -> int:
        """The number of labels."""
        return len(self.labels)

    def pack(self, tokenizer: Tokenizer, inputs: Sequence[Any], length: int, targets: Any = None) -> Packed:
        """Make one row of each input.

        Args:
            tokenizer: The `Tokenizer`.
            inputs: Texts or pairs.
            length: The most tokens of a row.
            targets: Class numbers int32 [inputs], or int32 [inputs, C] of 0 and 1; None without labels.

        Returns:
            The `Packed` rows.
        """
        return Packed(text_rows(tokenizer, inputs, length, self.pairs), labels=targets)

    def outputs(self, raw: Any) -> Any:
        """Turn logits into probabilities.

        Args:
            raw: Logits [..., C].

        Returns:
            float32 [..., C].
        """
        return sigmoid(raw) if self.multi_label else softmax(raw)

    def predictions(self, outputs: Any, packed: Packed | None = None) -> list[np.ndarray]:
        """Return the probabilities of each input.

        Args:
            outputs: [C] of each row.
            packed: Not used.

        Returns:
            float32 [C] of each input.
        """
        return list(outputs)

    def certainty(self, predictions: Sequence[Any]) -> list[float]:
        """Return the margin of each input, p₁ − p₂, of the two most probable classes (Scheffer et al. 2001).

        Of two classes it is 2 |p − t|, with the threshold t of the task, and of several labels that of the label which
        is nearest to its threshold.

        Args:
            predictions: [C] of each input.

        Returns:
            A number from 0 to 1 for each.

        Example:
            >>> Classification(("a", "b", "c")).certainty([np.array([0.5, 0.125, 0.375])])
            [0.125]
        """
        return [self._margin(np.asarray(row, "float64")) for row in predictions]

    def _margin(self, row):
        if self.multi_label or self.is_binary:
            asked = row if self.multi_label else row[self.labels.index(self.positive_class)]
            return float(min(1.0, 2 * np.abs(asked - self.threshold).min()))
        return margin(row)

    def decisions(self, output: Any) -> Any:
        """Return the class number that the probabilities of a row decide, or which labels are given.

        Args:
            output: [C], the probabilities of a row.

        Returns:
            A class number, or int32 [C] of 0 and 1 where an input may have several labels.
        """
        return self.predicted_classes([output])[0]

    def predicted_classes(self, predictions: Any) -> np.ndarray:
        """Return the classes that predictions decide.

        Args:
            predictions: [C] of each input.

        Returns:
            Class numbers int32 [inputs], or int32 [inputs, C] of 0 and 1 where an input may have several labels.
        """
        p = np.array(predictions).reshape(-1, len(self.labels))
        if self.multi_label:
            return (p > self.threshold).astype("int32")
        if self.threshold == THRESHOLD:
            return p.argmax(axis=1).astype("int32")
        place = self.labels.index(str(self.positive_class))
        return np.where(p[:, place] > self.threshold, place, 1 - place).astype("int32")

    def check_threshold(self, metric: str | None) -> None:
        """Check, before anything is trained, that a threshold can be chosen by a metric.

        Args:
            metric: The name of a metric; None chooses none.

        Raises:
            Error: when there are more than two classes, or no such metric.
        """
        if metric is None:
            return
        if not (self.is_binary or self.multi_label):
            raise Error(f"threshold={metric} chooses between two classes or for several labels, and there are "
                        f"{len(self.labels)} classes; leave it out.")
        if metric not in self.metrics:
            raise Error(f"threshold={metric} is no metric; the task has {', '.join(self.metrics)}.")

    def thresholded(self, metric: str, targets: Any, predictions: Any) -> Self:
        """Return the task with the threshold that gives the best score on dev; it lies halfway between two rows.

        Args:
            metric: The name of one of the task's metrics.
            targets: The true classes of the dev inputs.
            predictions: [C] of each.

        Returns:
            A task.

        Raises:
            Error: when there are more than two classes, or no such metric.
        """
        self.check_threshold(metric)
        p = np.array(predictions)
        chances = p if self.multi_label else p[:, self.labels.index(str(self.positive_class))]

        def score(threshold):
            return float(self.metrics[metric](*replace(self, threshold=threshold).metric_inputs(targets, p)))

        return replace(self, threshold=metrics.best_threshold(chances, score, MOST_THRESHOLDS))

    def decision(self, targets: Any) -> str:
        """Return in one sentence by which threshold classes are given, if dev chose one.

        Args:
            targets: Not used.

        Returns:
            The sentence; "" where the most probable class is given.
        """
        if self.threshold == THRESHOLD:
            return ""
        given = "A label" if self.multi_label else f"The class {self.positive_class!r}"
        return f"{given} is given where its probability is above {self.threshold:.4f}, which dev chose."

    def answers(self, inputs: Sequence[Any], predictions: Any) -> list[dict[str, Any]]:
        """Return the answer to each input.

        Args:
            inputs: Not used.
            predictions: [C] of each input.

        Returns:
            {"label", "probabilities": {label: float}} of each; "labels" where an input may have several. With the
            limits of the task also "abstain", a bool, and "set", a list of labels.
        """
        rows = []
        for row in predictions:
            table = {label: float(p) for label, p in zip(self.labels, row, strict=True)}
            decided = self.decisions(row)
            if self.multi_label:
                given = [label for label, yes in zip(self.labels, decided, strict=True) if yes]
                rows.append({"labels": given, "probabilities": table})
            else:
                rows.append({"label": self.labels[decided], "probabilities": table, **self._trust(row, decided)})
        return rows

    def _trust(self, row, decided):
        """Return what the limits say of an answer; probabilities are float32 on every client, and so are limits."""
        found: dict[str, Any] = {}
        if self.abstain_below is not None:
            found["abstain"] = bool(row[decided] < np.float32(self.abstain_below))
        if self.set_from is not None:
            found["set"] = [label for place, label in enumerate(self.labels)
                            if place == decided or row[place] >= np.float32(self.set_from)]
        return found

    def metric_inputs(self, targets: Any, predictions: Any) -> tuple[np.ndarray, np.ndarray]:
        """Return what the metrics compare.

        Args:
            targets: The true classes.
            predictions: [C] of each input.

        Returns:
            (classes, predicted classes), int [B], or int [B,C] of 0 and 1 where an input may have several labels.
        """
        return np.asarray(targets), self.predicted_classes(predictions)

    def target_in_words(self, example: Any, target: Any) -> str:
        """Return the class of an input, or its labels.

        Args:
            example: Not used.
            target: The class number, or int [C] of 0 and 1.

        Returns:
            The text.
        """
        places = np.flatnonzero(target) if np.ndim(target) else [target]
        return ", ".join(self.labels[int(place)] for place in places) or "none"

    @property
    def metrics(self) -> dict[str, Callable[..., Any]]:
        """The task's official metrics, {name: function(*sides) -> fraction}; the first decides.

        F1 is that of `positive_class` where there are two classes, else the macro average.
        """
        shared = {"accuracy": metrics.accuracy, "f1": self._f1}
        return shared if self.multi_label else {**shared, "matthews": metrics.matthews}

    def _f1(self, targets, predictions):
        if not self.is_binary:
            return metrics.f1(targets, predictions, average="macro")
        return metrics.f1(targets, predictions, positive=self.labels.index(str(self.positive_class)))

    def scores(self, targets: Any, predictions: Any) -> dict[str, Any]:
        """Compute the metrics; of two classes also say which one F1 is of.

        Args:
            targets: The true classes.
            predictions: [C] of each input.

        Returns:
            {metric: number}, and "positive" where there are two classes.
        """
        named = {"positive": self.positive_class} if self.is_binary else {}
        return super().scores(targets, predictions) | named

    def intervals(self, targets: Any, predictions: Any, seed: int = 0) -> dict[str, dict[str, Any]]:
        """Compute the metrics with 95 % bootstrap intervals; of two classes also say which one F1 is of.

        Args:
            targets: The true classes.
            predictions: [C] of each input.
            seed: The seed of the bootstrap.

        Returns:
            {metric: {"score", "low", "high"}}, "f1" with "positive" where there are two classes.
        """
        found = super().intervals(targets, predictions, seed)
        return found | ({"f1": found["f1"] | {"positive": self.positive_class}} if self.is_binary else {})

    def loss(self, targets: Any, predictions: Any) -> float:
        """Compute the mean over inputs of −log p[label], or of Σ_c −log(probability of the true value of label c) / C.

        Args:
            targets: The true classes.
            predictions: [C] of each input.

        Returns:
            The loss, in nats.
        """
        p, y = np.maximum(np.array(predictions, "float64"), FLOOR), np.asarray(targets)
        if not self.multi_label:
            return float(-np.log(p[np.arange(len(y)), y]).mean())
        return float(-np.where(y > 0, np.log(p), np.log(np.maximum(1 - p, FLOOR))).mean())

    def confusion(self, targets: Any, predictions: Any) -> np.ndarray | None:
        """Count true and predicted classes.

        Args:
            targets: The true classes.
            predictions: [C] of each input.

        Returns:
            int64 [C,C], counts, rows true and columns predicted; None where an input may have several labels.
        """
        if self.multi_label:
            return None
        return metrics.confusion(*self.metric_inputs(targets, predictions), range(len(self.labels)))

    def drift(self, one: Sequence[Any], other: Sequence[Any]) -> float:
        """Compute the largest difference of log-probabilities between two files.

        Args:
            one: The outputs of one file, one a row.
            other: The outputs of the other file.

        Returns:
            The largest absolute difference, in nats.
        """
        logs = [np.log(np.maximum(np.array(side), FLOOR)) for side in (one, other)]
        return float(np.abs(logs[0] - logs[1]).max())


def text_rows(tokenizer: Tokenizer, inputs: Sequence[Any], length: int,
              pairs: bool | None) -> list[tuple[list[int], list[int]]]:
    """Make a row of each text, or of each pair.

    Args:
        tokenizer: The `Tokenizer`.
        inputs: Texts, or (first, second).
        length: The most tokens of a row, with the special tokens.
        pairs: Whether the inputs are pairs; where it is None, those that are tuples are.

    Returns:
        (token ids, segment ids) of each.
    """
    paired = [pairs or pairs is None and isinstance(given, tuple) for given in inputs]
    ones = tokenizer.ids([given[0] if pair else given for given, pair in zip(inputs, paired, strict=True)])
    seconds = iter(tokenizer.ids([given[1] for given, pair in zip(inputs, paired, strict=True) if pair]))
    return [tokenizer.pack_ids(one, next(seconds) if pair else None, length)
            for one, pair in zip(ones, paired, strict=True)]
