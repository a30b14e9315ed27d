"""Give a tag to each word of a text, and find the entities that the tags mark."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bertkit import metrics
from bertkit.errors import Error
from bertkit.tasks.packed import UNSCORED, Packed
from bertkit.tasks.task import Task
from bertkit.text import Tokenizer
from bertkit.text.windows import STRIDE, max_context, windows
from bertkit.text.words import covering, joined, words

OUTSIDE = "O"


@dataclass(frozen=True)
class Tagging(Task):
    """One of `labels` (IOB2 tags) for each word, read at its first piece (Devlin et al. 2018, section 5.3).

    An input is a text, whose words are those of `text.words`, or a list of words, which are joined by blanks. A text
    that is longer than the model is read in windows, and each word in the window where it has most context (see
    `text.windows`). A word without a piece (of control characters alone) is outside of every entity.

    Args:
        labels: The tags, in the order of the model's outputs.
        stride: Tokens between the starts of two windows.

    Example:
        >>> Tagging(("O", "B-LOC")).answers(["in Rome."], [["O", "B-LOC", "O"]])
        [{'entities': [{'text': 'Rome', 'type': 'LOC', 'start': 3, 'end': 7}]}]
    """

    labels: tuple[str, ...]
    stride: int = STRIDE

    name, output, each_token = "tag", "logits", True
    commonest = "the commonest tag, no entity anywhere"

    def __post_init__(self):
        object.__setattr__(self, "labels", tuple(self.labels))

    @property
    def width(self) -> int:
        """The number of labels."""
        return len(self.labels)

    def pack(self, tokenizer: Tokenizer, inputs: Sequence[Any], length: int, targets: Any = None) -> Packed:
        """Make the windows of each input. A word in several windows is learnt in each of them.

        Args:
            tokenizer: The `Tokenizer`.
            inputs: Texts, or lists of words.
            length: The most tokens of a row.
            targets: Lists of tags, which label the first pieces of the words; other tokens have -1. None without
                labels.

        Returns:
            The `Packed` rows.

        Raises:
            Error: when a tag is not among the labels, and when an input has not as many tags as words.
        """
        rows: list[Any] = []
        places, labels = [], []
        numbers = {label: number for number, label in enumerate(self.labels)}
        for i, given in enumerate(inputs):
            encoding, pieces = _pieces(tokenizer, given)
            cut = windows(tokenizer, encoding.ids, length, stride=self.stride)
            counts = max_context(cut, len(encoding.ids))
            places.append([None if piece < 0 else (len(rows) + counts[piece], cut[counts[piece]].at(piece))
                           for piece in pieces])
            if targets is not None:
                labels += _labels(cut, pieces, [_number(numbers, tag) for tag in targets[i]])
            rows += [window.row for window in cut]
        return Packed(rows, places, token_labels=None if targets is None else labels)

    def predictions(self, outputs: Sequence[Any], packed: Packed) -> list[list[str]]:
        """Return the tags of each input's words.

        Args:
            outputs: [tokens, C] of each row.
            packed: The `Packed` rows.

        Returns:
            A list of tags for each input.
        """
        best = [np.argmax(row, axis=-1) for row in outputs]
        return [[OUTSIDE if place is None else self.labels[best[place[0]][place[1]]] for place in places]
                for places in packed.origin]

    def answers(self, inputs: Sequence[Any], predictions: Any) -> list[dict[str, Any]]:
        """Return the entities of each input.

        Args:
            inputs: The texts, or lists of words.
            predictions: The tags of each.

        Returns:
            {"entities": [{"text", "type", "start", "end"}]} of each, start and end in characters of the text.
        """
        return [{"entities": _entities(given, tags)} for given, tags in zip(inputs, predictions, strict=True)]

    def sides(self, targets: Any, predictions: Any) -> tuple[np.ndarray]:
        """Return what the metrics compare.

        Args:
            targets: The true tags of each input.
            predictions: The predicted tags of each input.

        Returns:
            The counts of each input, int64 [B,3] (see `metrics.entity_counts`).
        """
        return (metrics.entity_counts(targets, predictions),)

    @property
    def metrics(self) -> dict[str, Callable[..., Any]]:
        """F1, which decides, precision and recall of entities."""
        return {"f1": metrics.f1_of, "precision": metrics.precision_of, "recall": metrics.recall_of}

    def scores(self, targets: Any, predictions: Any) -> dict[str, Any]:
        """Compute F1, precision and recall of all entities and of each type.

        Args:
            targets: The true tags of each input.
            predictions: The predicted tags of each input.

        Returns:
            {"f1", "precision", "recall", "by_type"}.
        """
        by_type = metrics.entity_scores(targets, predictions)["by_type"]
        return super().scores(targets, predictions) | {"by_type": by_type}

    def confusion(self, targets: Any, predictions: Any) -> np.ndarray | None:
        """Count true and predicted tags of words; words whose true tag is no label are left out.

        Args:
            targets: The true tags of each input.
            predictions: The predicted tags of each input.

        Returns:
            int64 [C,C], counts, rows true and columns predicted; None where no word is left.
        """
        pairs = [pair for sides in zip(targets, predictions, strict=True) for pair in zip(*sides, strict=True)
                 if pair[0] in self.labels]
        if not pairs:
            return None
        true, predicted = zip(*pairs, strict=True)
        return metrics.confusion(true, predicted, self.labels)

    def cut(self, tokenizer: Tokenizer, inputs: Sequence[Any], length: int) -> np.ndarray:
        """Find the inputs that lose tokens at a length: none, because windows read all of a text.

        Args:
            tokenizer: Not used.
            inputs: The inputs.
            length: Not used.

        Returns:
            bool [inputs].
        """
        return np.zeros(len(inputs), bool)

    def aligned(self, outputs: Sequence[Any], packed: Packed) -> list[np.ndarray]:
        """Return the logits of the words of each input, which rows of another length have too.

        Args:
            outputs: [tokens, C] of each row.
            packed: The `Packed` rows.

        Returns:
            [words, C] of each input, without words that have no piece.
        """
        return [np.array([outputs[place[0]][place[1]] for place in places if place is not None],
                         "float32").reshape(-1, self.width) for places in packed.origin]

    def agreement(self, one: Sequence[Any], other: Sequence[Any]) -> float:
        """Compute the fraction of tokens on which two files decide alike.

        Args:
            one: The outputs of one file, one a row.
            other: The outputs of the other file.

        Returns:
            From 0 to 1.
        """
        same = [self.decisions(a) == self.decisions(b) for a, b in zip(one, other, strict=True)]
        return float(np.concatenate(same).mean())

    def _checked(self, number, given):
        if isinstance(given, tuple | list) and all(isinstance(word, str) for word in given):
            return list(given)
        return super()._checked(number, given)


def _read(given):
    """Return an input's text and (start, end) of its words."""
    if isinstance(given, bytes):
        given = given.decode("utf-8", errors="replace")
    return (given, words(given)) if isinstance(given, str) else joined(given)


def _pieces(tokenizer, given):
    """Return the Encoding of an input, and the first piece of each of its words, -1 where it has none."""
    text, spans = _read(given)
    encoding = tokenizer.encode([text])[0]
    return encoding, covering(encoding.offsets, spans)[0].tolist()


def _number(numbers, tag):
    if tag not in numbers:
        raise Error(f"The tag {tag!r:.40} is not among those that this model learns ({', '.join(numbers)}); mend it, "
                    "or give training rows that have it.")
    return numbers[tag]


def _labels(cut, pieces, numbers):
    """Return a list a window: the numbers of the words whose first pieces stand in it, in their places, else -1."""
    if len(pieces) != len(numbers):
        raise Error(f"{len(numbers)} tags came with {len(pieces)} words; give one a word.")
    rows = []
    for window in cut:
        row = [UNSCORED] * len(window.row[0])
        # From the end, so that of two words that share a piece the first is learnt.
        for piece, number in zip(pieces[::-1], numbers[::-1], strict=True):
            if window.start <= piece < window.end:
                row[window.at(piece)] = number
        rows.append(row)
    return rows


def _entities(given, tags):
    text, spans = _read(given)
    return [{"text": text[spans[first][0]:spans[last - 1][1]], "type": kind,
             "start": spans[first][0], "end": spans[last - 1][1]}
            for kind, first, last in metrics.entities(tags)]
