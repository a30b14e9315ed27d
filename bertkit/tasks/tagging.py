"""Give a tag to each word of a text, and find the entities that the tags mark."""

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby, pairwise
from typing import Any

import numpy as np

from bertkit import metrics
from bertkit.errors import Error
from bertkit.tasks.packed import UNSCORED, Packed
from bertkit.tasks.task import Task
from bertkit.tasks.words_read import ReadWords, in_pieces, read_words, whole_words
from bertkit.text import Tokenizer
from bertkit.text.convention import Convention, is_unbroken
from bertkit.text.windows import STRIDE, max_context, windows
from bertkit.text.words import covering_pieces

OUTSIDE = "O"


@dataclass(frozen=True)
class Tagging(Task):
    """One of `labels` (IOB2 tags) for each word, read at its first piece (Devlin et al. 2018, section 5.3).

    An input is a text, or a list of words, which are joined by blanks. The words of a text are those of `convention`,
    and are read with blanks between them, as in training. Without a convention they are those of `text.words`, and the
    model's tags decide where an entity begins in a word with an apostrophe and in Thai, Khmer and the like. A text
    that is longer than the model is read in windows, and each word in the window where it has most context (see
    `text.windows`). A word without a piece (of control characters alone) is outside of every entity.

    Args:
        labels: The tags, in the order of the model's outputs.
        stride: Tokens between the starts of two windows.
        convention: How the training data part words; None where that is not known.

    Example:
        >>> Tagging(("O", "B-LOC")).answers(["in Rome."], [["O", "B-LOC", "O"]])
        [{'entities': [{'text': 'Rome', 'type': 'LOC', 'start': 3, 'end': 7}]}]
    """

    labels: tuple[str, ...]
    stride: int = STRIDE
    convention: Any = None

    name, output, each_token = "tag", "logits", True
    commonest = "the commonest tag, no entity anywhere"
    counted = "sentences whose entities are all right"

    def __post_init__(self):
        object.__setattr__(self, "labels", tuple(self.labels))
        if isinstance(self.convention, dict):
            object.__setattr__(self, "convention", Convention(**self.convention))

    def settings(self) -> dict[str, Any]:
        """Return the fields of the task, the convention as a dict.

        Returns:
            {field: value}, as JSON.
        """
        return super().settings() | {"convention": self.convention and self.convention.to_json()}

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
        places, labels = array("i"), array("i")                 # flat, because a file may have millions of words
        starts, tokens, reads = [0], 0, list[Any]()
        segments: dict[bytes, Any] = {}                         # most rows share theirs
        numbers = {label: number for number, label in enumerate(self.labels)}
        for i, given in enumerate(inputs):
            encoding, read, pieces = encoded_words(tokenizer, given, self.convention)
            cut = windows(tokenizer, encoding.ids, length, stride=self.stride)
            counts = max_context(cut, len(encoding.ids))
            begins = [*accumulate((len(window.row[0]) for window in cut), initial=tokens)]
            tokens = begins[-1]
            places.extend(-1 if piece < 0 else begins[counts[piece]] + cut[counts[piece]].row_position(piece)
                          for piece in pieces)
            starts.append(len(places))
            reads.append(read if isinstance(given, str | bytes) else None)
            if targets is not None:
                labels.extend(_labels(cut, pieces, [_number(numbers, tag) for tag in targets[i]]))
            for window in cut:
                own = array("i", window.row[1])
                rows.append((array("i", window.row[0]), segments.setdefault(own.tobytes(), own)))
        return Packed(rows, (np.array(places), starts, reads),
                      token_labels=None if targets is None else np.array(labels))

    def predictions(self, outputs: Sequence[Any], packed: Packed) -> list[list[str]]:
        """Return the tags of each input's words; those of a raw text know where their words are.

        Args:
            outputs: [tokens, C] of each row.
            packed: The `Packed` rows.

        Returns:
            A list of tags for each input, as `metrics.spelt` spells those of a checkpoint. Where the labels are types
            without a prefix and O is none of them, as of parts of speech, each word is an entity of its own.
        """
        best = np.concatenate([np.zeros(0, "int64"), *(np.argmax(row, axis=-1) for row in outputs)])
        sure = np.concatenate([np.zeros(0), *map(_chances, outputs)])
        labels = _spelt(self.labels)
        places, starts, reads = packed.origin       # where each word is in all tokens of all rows, -1 where nowhere
        found = []
        for read, (start, end) in zip(reads, pairwise(starts), strict=True):
            own = places[start:end].tolist()
            tags = [OUTSIDE if place < 0 else labels[best[place]] for place in own]
            chances = [1.0 if place < 0 else float(sure[place]) for place in own]
            found.append(_Tags(tags, None, chances) if read is None else _settled(read, tags, chances))
        return found

    def certainty(self, predictions: Sequence[Any]) -> list[float]:
        """Return the probability of the tag of each input's least sure word (Marcheggiani and Artières 2014).

        Args:
            predictions: The tags of each input, as `predictions` gives them.

        Returns:
            A number from 0 to 1 for each; 1 for an input without words.
        """
        return [min(tags.chances, default=1.0) for tags in predictions]

    def entity_scores(self, predictions: Sequence[Any]) -> list[list[float]]:
        """Return how sure the model is of each entity: the probability of the tag of its least sure word.

        Args:
            predictions: The tags of each input, as `predictions` gives them.

        Returns:
            A number from 0 to 1 for each entity of each input, in the order of `answers`.
        """
        return [[min(tags.chances[first:last]) for _, first, last in metrics.entities(tags)] for tags in predictions]

    def answers(self, inputs: Sequence[Any], predictions: Any) -> list[dict[str, Any]]:
        """Return the entities of each input.

        Args:
            inputs: The texts, or lists of words.
            predictions: The tags of each.

        Returns:
            {"entities": [{"text", "type", "start", "end"}]} of each, start and end in characters of the text.
        """
        return [{"entities": _entities(given, tags, self.convention)}
                for given, tags in zip(inputs, predictions, strict=True)]

    def metric_inputs(self, targets: Any, predictions: Any) -> tuple[np.ndarray]:
        """Return what the metrics compare.

        Args:
            targets: The true tags of each input.
            predictions: The predicted tags of each input.

        Returns:
            The counts of each input, int64 [B,3] (see `metrics.entity_counts`).
        """
        return (metrics.entity_counts(targets, predictions),)

    def row_quality(self, targets: Any, predictions: Any) -> np.ndarray:
        """Return whether all entities of each input are right, and no other is given.

        Args:
            targets: The true tags of each input.
            predictions: The predicted tags of each input.

        Returns:
            float64 [inputs], 1 or 0.
        """
        counts, = self.metric_inputs(targets, predictions)
        return (counts == counts[:, :1]).all(axis=1).astype("float64")

    def target_in_words(self, example: Any, target: Any) -> str:
        """Return the entities of an input.

        Args:
            example: The text, or list of words.
            target: Its tags.

        Returns:
            The text.
        """
        found = _entities(example, target, self.convention)
        return ", ".join(f"{entity['text']} ({entity['type']})" for entity in found) or "no entity"

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
            float32 [words, C] of each input, without words that have no piece.
        """
        logits = np.concatenate([np.zeros((0, self.width), "float32"), *outputs])
        places, starts, _ = packed.origin
        return [logits[own[own >= 0]] for own in (places[start:end] for start, end in pairwise(starts))]

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

    def _checked(self, number, example):
        if isinstance(example, tuple | list) and all(isinstance(word, str) for word in example):
            return list(example)
        return super()._checked(number, example)


class _Tags(list):
    """Tags with the probability of each, and in a raw text the (start, end) of its unit in characters, else None."""

    def __init__(self, tags, spans, chances):
        super().__init__(tags)
        self.spans, self.chances = spans, chances


def encoded_words(tokenizer: Tokenizer, given: Any,
                  convention: Convention | None) -> tuple[Any, ReadWords, list[int]]:
    """Encode an input, and find where its words begin.

    Args:
        tokenizer: The `Tokenizer`.
        given: A text, or a list of words.
        convention: How the training data part words, where that is known.

    Returns:
        (its `Encoding`, its `ReadWords`, the first piece of each unit, -1 where it has none).
    """
    read = read_words(given, convention)
    encoding = tokenizer.encode([read.encoded])[0]
    read = in_pieces(read, encoding.offsets)
    return encoding, read, covering_pieces(encoding.offsets, read.spans)[0].tolist()


def _chances(row):
    """Return the probability of the most probable label of each token, 1 / Σ exp(z − max z)."""
    z = np.asarray(row, "float64")
    return 1 / np.exp(z - z.max(axis=-1, keepdims=True)).sum(axis=-1)


def _settled(read, tags, chances):
    """Return the tags of a raw text whose words were found without a convention, as the model's tags decide.

    A word whose first part has a tag is whole; where it has none, an entity begins at the part that has one. Parts of a
    script without blanks are words of their own, and those of one type that follow each other are one entity.
    """
    if read.words is None:
        return _Tags(tags, read.own, chances)
    found, spans, sure = [], [], []
    for _, group in groupby(range(len(tags)), key=lambda unit: read.words[unit]):
        units = list(group)
        if is_unbroken(read.encoded[read.own[units[0]][0]:read.own[units[-1]][1]]):
            found += [_continued(tags[unit - 1] if unit > units[0] else OUTSIDE, tags[unit]) for unit in units]
            spans += [read.own[unit] for unit in units]
            sure += [chances[unit] for unit in units]
            continue
        first = next((unit for unit in units if tags[unit] != OUTSIDE), units[0])
        if first > units[0]:
            found.append(OUTSIDE)
            spans.append((read.own[units[0]][0], read.own[first - 1][1]))
            sure.append(min(chances[units[0]:first]))
        found.append(tags[first])
        spans.append((read.own[first][0], read.own[units[-1]][1]))
        sure.append(min(chances[first:units[-1] + 1]))
    return _Tags(found, spans, sure)


def _continued(before, tag):
    """Return a tag that goes on with the entity before it, if that is of its type."""
    return f"I-{tag[2:]}" if tag != OUTSIDE and before[2:] == tag[2:] else tag


def _spelt(labels):
    """Return the tags that labels mean; the data readers read types without a prefix in the same way."""
    found = metrics.spelt(labels)
    if OUTSIDE in labels or any(tag != f"I-{label}" for tag, label in zip(found, labels, strict=True)):
        return found
    return [f"B-{label}" for label in labels]


def _number(numbers, tag):
    if tag not in numbers:
        raise Error(f"The tag {tag!r:.40} is not among those that this model learns ({', '.join(numbers)}); mend it, "
                    "or give training rows that have it.")
    return numbers[tag]


def _labels(cut, pieces, numbers):
    """Return a label for each token of all windows: the number of the word whose first piece it is, else -1."""
    if len(pieces) != len(numbers):
        raise Error(f"{len(numbers)} tags came with {len(pieces)} words; give one a word.")
    rows = []
    for window in cut:
        row = [UNSCORED] * len(window.row[0])
        # From the end, so that of two words that share a piece the first is learnt.
        for piece, number in zip(pieces[::-1], numbers[::-1], strict=True):
            if window.start <= piece < window.end:
                row[window.row_position(piece)] = number
        rows += row
    return rows


def _entities(given, tags, convention):
    given = given.decode("utf-8", errors="replace") if isinstance(given, bytes) else given
    read = read_words(given, convention)
    text = given if isinstance(given, str) else read.encoded
    spans = getattr(tags, "spans", None)
    spans = whole_words(read) if spans is None else spans
    return [{"text": text[spans[first][0]:spans[last - 1][1]], "type": kind,
             "start": spans[first][0], "end": spans[last - 1][1]}
            for kind, first, last in metrics.entities(tags)]
