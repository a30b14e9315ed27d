"""The logit that an explanation is of: which one, and what it is where words are hidden."""

from typing import Any

import numpy as np

from bertkit.data.features import Padding, pack
from bertkit.errors import Error
from bertkit.inspection import heads
from bertkit.inspection.words import WordRow
from bertkit.predictor import Predictor
from bertkit.tasks.classification import Classification, sigmoid
from bertkit.training.scoring import outputs

HIDDEN = ("mask", "unk", "pad")         # the roles of tokens that stand for a hidden piece; the first that there is


class Logit:
    """A logit of a model, or the difference of two, as a function of the words of an input.

    Args:
        predictor: The model.
        row: The input.
        column: The number of the logit.
        against: The number of the logit that is subtracted (Jacovi et al. 2021, arXiv 2103.01378); None subtracts none.

    Raises:
        Error: When the tokenizer has no token that could stand for a hidden word.
    """

    def __init__(self, predictor: Predictor, row: WordRow, column: int, against: int | None = None) -> None:
        self.predictor, self.row, self.column, self.against = predictor, row, column, against
        task = predictor.task
        self.target: str | None = task.labels[column] if isinstance(task, Classification) else None
        special = predictor.tokenizer.special
        role = next((role for role in HIDDEN if role in special), None)
        if role is None:
            raise Error("The tokenizer has no token that could stand for a hidden word; it needs one of [MASK], [UNK] "
                        "and [PAD].")
        self.hidden = predictor.tokenizer.id(special[role])

    @property
    def batch(self) -> dict[str, np.ndarray]:
        """The row as the model reads it, entries int32 [1,T]."""
        return self._features(self.row.ids[None]).batch([0])

    @property
    def base_ids(self) -> np.ndarray:
        """The tokens of the baseline, int32 [1,T]: special tokens stay, every piece of the texts is hidden."""
        return self.row.without(np.zeros((1, len(self.row.words)), bool), self.hidden)

    def shaped(self, found: np.ndarray) -> np.ndarray:
        """Return the logits of copies as `pick` reads them.

        Args:
            found: float [copies,...].

        Returns:
            float [copies,C].
        """
        return found.reshape(len(found), -1)

    def reads(self, size: int) -> np.ndarray:
        """Return how much each vector of the last layer is read.

        Args:
            size: T, the tokens of the row.

        Returns:
            float64 [T], which adds up to 1.
        """
        return heads.read_by_head(self.predictor.model, size)

    def pick(self, logits: Any) -> Any:
        """Return the explained number of each row.

        Args:
            logits: All logits [B,C].

        Returns:
            z_column, or z_column − z_against, [B].
        """
        return logits[:, self.column] if self.against is None else logits[:, self.column] - logits[:, self.against]

    def _features(self, ids):
        segments = self.row.segments.tolist()
        return pack([(row.tolist(), segments) for row in ids], Padding.of(self.predictor.tokenizer))

    def all_of(self, kept: np.ndarray) -> np.ndarray:
        """Compute all logits where only some words are there.

        Args:
            kept: bool [copies,words], the words that stay.

        Returns:
            float64 [copies,C].

        Raises:
            Error: When the model gives NaN.
        """
        ids, back = np.unique(self.row.without(kept, self.hidden), axis=0, return_inverse=True)
        found = self.shaped(np.array(outputs(self.predictor.model, self._features(ids)), "float64"))
        if np.isnan(found).any():
            raise Error("The model gives NaN, which cannot be explained; train again with a lower learning rate.")
        return found[back.reshape(-1)]

    def __call__(self, kept: np.ndarray) -> np.ndarray:
        """Compute the logit, or the difference, where only some words are there.

        Args:
            kept: bool [copies,words], the words that stay.

        Returns:
            float64 [copies].
        """
        return self.pick(self.all_of(kept))

    def chance(self, kept: np.ndarray) -> np.ndarray:
        """Compute the probability of the answer where only some words are there; of a score the logit.

        With `against` it is the probability if only these two labels were possible: σ(z_column − z_against).

        Args:
            kept: bool [copies,words], the words that stay.

        Returns:
            float64 [copies].
        """
        found = self.all_of(kept)
        if self.against is not None:
            return np.asarray(sigmoid(self.pick(found)), "float64")
        if isinstance(self.predictor.task, Classification):
            found = np.asarray(self.predictor.task.outputs(found), "float64")
        return found[:, self.column]

    @property
    def difference(self) -> float:
        """The logit of the input minus that of the baseline."""
        every = np.ones(len(self.row.words), bool)
        whole, empty = self(np.stack([every, ~every]))
        return float(whole - empty)


def columns_of(predictor: Predictor, predictions: list[Any], target: str | None) -> list[int]:
    """Return the number of the logit that each explanation is of.

    Args:
        predictor: The model.
        predictions: The task's prediction of each input.
        target: A label; None takes the answer to each input, of several labels the most probable one.

    Returns:
        The numbers.

    Raises:
        Error: When there is no such label.
    """
    task = predictor.task
    if not isinstance(task, Classification):
        if target is not None:
            raise Error(f"target={target!r:.40} names a label, and the task {task.name} has none; leave it out.")
        return [0] * len(predictions)
    if target is not None and target not in task.labels:
        raise Error(f"target={target!r:.40} is no label of this model; give one of {', '.join(task.labels)}.")
    if target is not None:
        return [task.labels.index(target)] * len(predictions)
    if task.multi_label:
        return [int(np.argmax(prediction)) for prediction in predictions]
    return [int(number) for number in task.predicted_classes(predictions)]


def contrasted(task: Any, columns: list[int], against: str | None) -> list[tuple[int, int | None]]:
    """Return the numbers of the logit that each explanation is of, and of the one that is subtracted.

    Args:
        task: The model's task.
        columns: What `columns_of` returned.
        against: A label, or None.

    Returns:
        (number, number or None) of each.

    Raises:
        Error: When there is no such label, or an explanation is of that label itself.
    """
    if against is None:
        return [(column, None) for column in columns]
    if not isinstance(task, Classification) or task.multi_label:
        raise Error(f"against={against!r:.40} asks why one label is given and not another, and this model does not "
                    "choose between labels; leave it out.")
    if against not in task.labels:
        raise Error(f"against={against!r:.40} is no label of this model; give one of {', '.join(task.labels)}.")
    other = task.labels.index(against)
    if other in columns:
        raise Error(f"Row {columns.index(other) + 1} is to be explained for {against!r:.40} against {against!r:.40}; "
                    "give another label as the target, or leave rows with this answer out.")
    return [(column, other) for column in columns]
