"""Which training rows speak for an answer and which against it, and which are most like the text."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bertkit.data.columns import Columns
from bertkit.data.frames import Data
from bertkit.data.labelled import read_labelled
from bertkit.errors import Error
from bertkit.inspection.comparison import as_texts, cut
from bertkit.inspection.last_layer import head_of, last_layer_vectors
from bertkit.predictor import Predictor
from bertkit.tasks.classification import Classification

PURPOSE = "whose gradient could be taken for each row"
NOTE = ("A row speaks for an answer where a step on it makes that answer surer, in the last layer as it is now "
        "(TracIn of one checkpoint); nothing was trained again.")


@dataclass(frozen=True)
class Neighbour:
    """A training row beside a text.

    Args:
        row: Its number in the file, from 1.
        texts: Its texts.
        label: Its label.
        score: Its influence, above 0 for the answer; or, of the nearest rows, the cosine of the vectors.
    """

    row: int
    texts: tuple[str, ...]
    label: str
    score: float

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON.

        Returns:
            {"row", "texts", "label", "score"}.
        """
        return {**vars(self), "texts": list(self.texts)}


@dataclass(frozen=True)
class Influence:
    """An answer with the training rows behind it.

    Args:
        texts: What the model reads.
        label: The class that it answers.
        helpful: Rows that speak for the answer, the strongest first.
        harmful: Rows that speak against it.
        nearest: Rows whose vectors are most like the text's.
    """

    texts: tuple[str, ...]
    label: str
    helpful: tuple[Neighbour, ...]
    harmful: tuple[Neighbour, ...]
    nearest: tuple[Neighbour, ...]

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON.

        Returns:
            {"texts", "label", "helpful", "harmful", "nearest"}, the last three lists of rows.
        """
        sides = {name: [one.to_json() for one in getattr(self, name)] for name in ("helpful", "harmful", "nearest")}
        return {"texts": list(self.texts), "label": self.label, **sides}


@dataclass(frozen=True)
class Influences:
    """What `influence` found.

    Args:
        model: What the model is called.
        rows: How many training rows were read.
        answers: The `Influence` of each input.
    """

    model: str
    rows: int
    answers: tuple[Influence, ...]

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON.

        Returns:
            {"model", "rows", "answers"}.
        """
        return {"model": self.model, "rows": self.rows, "answers": [one.to_json() for one in self.answers]}

    def text(self) -> str:
        """Return it for a person to read.

        Returns:
            Lines, without a line end after the last.
        """
        lines = []
        for answer in self.answers:
            lines.append(f"{cut(' | '.join(answer.texts))}\n  answer: {answer.label}")
            for name, words in (("helpful", "rows for it"), ("harmful", "rows against it"), ("nearest", "most alike")):
                lines.append(f"  {words}:")
                lines += [f"    {one.score:+10.4g}  row {one.row:<7,} {one.label}: {cut(' | '.join(one.texts))}"
                          for one in getattr(answer, name)]
        return "\n".join([*lines, NOTE])


def influence(predictor: Predictor, inputs: Sequence[Any], train: Data, columns: Columns = Columns(), most: int = 5,
              **reading: Any) -> Influences:
    """Find the training rows behind the answers of a classifier.

    With h the vector that the last layer reads, p the probabilities and y the label as a one-hot vector, the gradient
    of a row's loss in that layer is g = (p − y) [h; 1]ᵀ, and a row's influence is g · g' = ((p − y) · (p' − y'))
    (h · h' + 1), y' the answer of the model. Source: Pruthi et al. 2020 (TracIn), sections 3 and 4, with one checkpoint
    and without the rate. A row that is far up against the answer to its own text is often labelled wrongly.

    Args:
        predictor: A bundle of `classify` with one class a text.
        inputs: Texts or pairs.
        train: The labelled rows that it learnt from.
        columns: Names of columns of `train`.
        most: Rows of each kind that are given.
        **reading: "limit" and "skip_bad_rows", as readers take them.

    Returns:
        The `Influences`.

    Raises:
        Error: When the model is no such classifier, or the rows cannot be read.
    """
    task = predictor.task
    if not isinstance(task, Classification) or task.multi_label:
        raise Error(f"Influence is of an answer of one class, and this is a bundle of {task.name}; give one of "
                    "classify.")
    head_of(predictor, PURPOSE)
    labelled = read_labelled(task, train, columns, **reading)
    known, given = last_layer_vectors(predictor, labelled.inputs), np.stack(predictor.predictions(labelled.inputs))
    asked, answers = last_layer_vectors(predictor, inputs), np.stack(predictor.predictions(inputs))
    decided, one_hot = answers.argmax(axis=1), np.eye(len(task.labels))
    scores = influences(asked, answers - one_hot[decided], known, given - one_hot[np.asarray(labelled.targets)])
    cosines = _unit(asked) @ _unit(known).T
    found = tuple(Influence(as_texts(one), task.labels[label], *_chosen(task, labelled, own, near, most))
                  for one, label, own, near in zip(inputs, decided, scores, cosines, strict=True))
    return Influences(predictor.version, len(labelled), found)


def influences(asked: np.ndarray, errors: np.ndarray, known: np.ndarray, known_errors: np.ndarray) -> np.ndarray:
    """Compute ((p − y) · (p' − y')) (h · h' + 1) for each pair of an asked and a known row.

    Args:
        asked: h', float [A,D].
        errors: p' − y', float [A,C].
        known: h, float [B,D].
        known_errors: p − y, float [B,C].

    Returns:
        float [A,B].

    Example:
        >>> influences(np.array([[1.0]]), np.array([[-0.5, 0.5]]), np.array([[2.0]]), np.array([[-0.2, 0.2]])).round(3)
        array([[0.6]])
    """
    return (errors @ known_errors.T) * (asked @ known.T + 1)


def _chosen(task, labelled, scores, cosines, most):
    """Return the rows that help most, harm most, and are nearest, each a tuple of at most `most`."""
    def rows(values, order):
        return tuple(Neighbour(int(i) + 1, as_texts(labelled.inputs[i]), task.labels[labelled.targets[i]],
                               float(values[i])) for i in order[:most])

    order = np.argsort(-scores, kind="stable")
    return (rows(scores, [i for i in order if scores[i] > 0]), rows(scores, [i for i in order[::-1] if scores[i] < 0]),
            rows(cosines, np.argsort(-cosines, kind="stable")))


def _unit(vectors):
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
