"""Choose the sentences of a document that say most of it: an extractive summary, in the document's own words."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from bertkit import metrics
from bertkit.errors import Error
from bertkit.metrics.script_words import is_english
from bertkit.tasks.oracle import oracle
from bertkit.tasks.packed import UNSCORED, Packed
from bertkit.tasks.task import Task
from bertkit.text import Tokenizer
from bertkit.text.sentences import sentences
from bertkit.text.template import SECOND
from bertkit.text.words import words

KINDS = ("rouge1", "rouge2", "rougeL")


class Extract(NamedTuple):
    """A document with the sentences that are its summary.

    Args:
        document: The document.
        spans: (start, end) of its sentences, in characters.
        chosen: The numbers of the sentences of the summary, in order.
    """

    document: str
    spans: tuple[tuple[int, int], ...]
    chosen: tuple[int, ...]

    def text(self, chosen: Iterable[int] | None = None) -> str:
        """Return the summary, its sentences joined by blanks.

        Args:
            chosen: The numbers of other sentences to join instead.

        Returns:
            The text.

        Example:
            >>> Extract("A dog. A cat.", ((0, 6), (7, 13)), (1,)).text()
            'A cat.'
        """
        return " ".join(self.document[slice(*self.spans[i])] for i in (self.chosen if chosen is None else chosen))


class _Split(NamedTuple):
    """A document with its sentences, the number of its rows, and (row, place) of the token that stands for each."""

    document: str
    spans: tuple[tuple[int, int], ...]
    rows: int
    places: tuple[tuple[int, int], ...]


class Extraction(Task):
    """What extractive summarisers share: `count` sentences with the largest scores, in the order of the document.

    A target is a list of reference summaries. The metrics are ROUGE-1, -2 and -L, F1, fractions: of the summary; under
    "lead_" of the first `count` sentences; under "oracle_" of the best sentences that `oracle` finds.

    Raises:
        Error: when `count` is below 1.
    """

    reads = ("document",)
    counted = "documents whose summary has the higher ROUGE-1"
    count: int

    def __post_init__(self):
        if type(self.count) is not int or self.count < 1:
            raise Error(f"count={self.count!r} sentences are no summary; give 1 or more.")

    def input(self, line: str) -> str:
        """Read a document from a line of text, in which a tab is a blank like any other.

        Args:
            line: The line.

        Returns:
            The document.
        """
        return line

    def _checked(self, number, example):
        if isinstance(example, str | bytes):
            return example
        raise Error(f"Row {number} is {example!r:.60}; this model reads single documents: give a str.")

    def predictions(self, outputs: Iterable[Any], packed: Packed) -> list[Extract]:
        """Return the summary of each document.

        Args:
            outputs: The output of each row.
            packed: The `Packed` rows.

        Returns:
            An `Extract` for each document.
        """
        each, extracts = iter(outputs), []
        for split in packed.origin:
            scores = self._scores(split, [next(each) for _ in range(split.rows)])
            best = np.argsort(-scores, kind="stable")[:self.count]
            extracts.append(Extract(split.document, split.spans, tuple(sorted(best.tolist()))))
        return extracts

    def _scores(self, split, outputs):
        """Return the score of each sentence of a document."""
        raise NotImplementedError

    def answers(self, inputs: Sequence[Any], predictions: Sequence[Extract]) -> list[dict[str, Any]]:
        """Return the answer to each document.

        Args:
            inputs: Not used.
            predictions: An `Extract` for each document.

        Returns:
            {"summary", "sentences": [{"start", "end"}]} of each, start and end in characters.
        """
        return [{"summary": one.text(), "sentences": [dict(zip(("start", "end"), one.spans[i], strict=True))
                                                      for i in one.chosen]} for one in predictions]

    def metric_inputs(self, targets: Any, predictions: Sequence[Extract]) -> tuple[np.ndarray]:
        """Return what the metrics are means of.

        Args:
            targets: Lists of reference summaries.
            predictions: An `Extract` for each document.

        Returns:
            ROUGE of the summary, of the lead and of the oracle, float64 [documents, 9].
        """
        rows = []
        for references, one in zip(targets, predictions, strict=True):
            references = tuple(references)
            texts = [one.text(), one.text(range(len(one.spans))[:self.count]),
                     one.text(oracle(one.document, one.spans, references, self.count))]
            rows.append([score for text in texts for score in _rouge(references, text)])
        return (np.array(rows),)

    def decision(self, targets: Any) -> str:
        """Return in one sentence whose words ROUGE counts, where they are not those of the library rouge-score.

        Args:
            targets: Lists of reference summaries.

        Returns:
            The sentence; "" in English.
        """
        return counted_words(targets)

    def row_quality(self, targets: Any, predictions: Any) -> np.ndarray:
        """Return ROUGE-1 of each summary.

        Args:
            targets: Lists of reference summaries.
            predictions: An `Extract` for each document.

        Returns:
            float64 [documents], from 0 to 1.
        """
        return self.metric_inputs(targets, predictions)[0][:, 0]

    def target_in_words(self, example: Any, target: Any) -> str:
        """Return the reference summaries of a document.

        Args:
            example: Not used.
            target: A list of texts.

        Returns:
            The text.
        """
        return " / ".join(target)

    @property
    def metrics(self) -> dict[str, Any]:
        """The means of the columns of `metric_inputs`; the first decides."""
        names = [f"{system}{kind}" for system in ("", "lead_", "oracle_") for kind in KINDS]
        return {name: _Mean(place) for place, name in enumerate(names)}


@dataclass(frozen=True)
class Summarising(Extraction):
    """Sentences that an encoder has learned to choose (Liu 2019, BERTSUM, arXiv 1903.10318, sections 2.2 and 2.3).

    A row holds as many whole sentences as fit, each as [CLS] sentence [SEP], with alternating segments. The score of a
    sentence is log p(chosen) − log p(left out) of a linear layer at its [CLS]; there are no further layers between
    sentences. A sentence that is longer than a row is cut. For training, the sentences of the `oracle` are labelled 1.

    Args:
        count: The sentences of a summary.

    Raises:
        Error: when `count` is below 1.
    """

    count: int = 3

    name, output, width, each_token = "summarise", "logits", 2, True

    def pack(self, tokenizer: Tokenizer, inputs: Sequence[Any], length: int, targets: Any = None) -> Packed:
        """Make the rows of each document.

        Args:
            tokenizer: The `Tokenizer`.
            inputs: Documents.
            length: The most tokens of a row.
            targets: Lists of reference summaries, from which the classification tokens are labelled; None without
                labels.

        Returns:
            The `Packed` rows.
        """
        rows: list[Any] = []
        origin, labels = [], []
        for number, document in enumerate(map(_decoded, inputs)):
            spans = tuple(sentences(document))
            new, places = _rows(tokenizer, document, spans, length)
            rows += new
            origin.append(_Split(document, spans, len(new), places))
            if targets is not None:
                chosen = oracle(document, spans, tuple(targets[number]), self.count)
                labels += _labels(new, places, chosen)
        return Packed(rows, origin, token_labels=None if targets is None else labels)

    def _scores(self, split, outputs):
        return np.array([outputs[row][place, 1] - outputs[row][place, 0] for row, place in split.places])


@dataclass(frozen=True)
class LexRank(Extraction):
    """The sentences that are most like the others, without any training: score_i = Σ_j cos(v_i, v_j), v their vectors.

    Degree centrality (Erkan and Radev 2004, LexRank, section 3.1) of sentence embeddings, without a threshold.
    Sentences of fewer than `least` words are chosen last, because a title is like everything.

    Args:
        count: The sentences of a summary.
        least: The fewest words of a sentence that is preferred.
        width: The numbers of a vector.

    Raises:
        Error: when `count` is below 1.
    """

    count: int = 3
    least: int = 5
    width: int = 0

    name, output = "summarise-central", "embedding"

    def pack(self, tokenizer: Tokenizer, inputs: Sequence[Any], length: int, targets: Any = None) -> Packed:
        """Make a row of each sentence.

        Args:
            tokenizer: The `Tokenizer`.
            inputs: Documents.
            length: The most tokens of a row.
            targets: None: nothing is learned.

        Returns:
            The `Packed` rows.

        Raises:
            Error: when targets are given.
        """
        if targets is not None:
            raise Error("Targets came, and LexRank is not trained; leave them out, or train `Summarising`.")
        rows: list[Any] = []
        origin = []
        for document in map(_decoded, inputs):
            spans = tuple(sentences(document))
            rows += [tokenizer.pack_ids(ids, None, length)
                     for ids in tokenizer.ids([document[start:end] for start, end in spans])]
            origin.append(_Split(document, spans, len(spans), ()))
        return Packed(rows, origin)

    def _scores(self, split, outputs):
        if not outputs:
            return np.zeros(0)
        vectors = np.array(outputs, "float64")
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        vectors = vectors / np.where(lengths > 0, lengths, 1)
        short = [len(words(split.document[start:end])) < self.least for start, end in split.spans]
        return vectors @ vectors.sum(axis=0) - np.where(short, 2 * len(vectors), 0)

    def agreement(self, one: Sequence[Any], other: Sequence[Any]) -> float:
        """Compute the mean cosine of the vectors of two files.

        Args:
            one: The outputs of one file, one a row.
            other: The outputs of the other file.

        Returns:
            From −1 to 1.
        """
        pairs = zip(one, other, strict=True)
        return float(np.mean([a @ b / max(np.linalg.norm(a) * np.linalg.norm(b), 1e-12) for a, b in pairs]))


# ------------------------------------------------------------------------------------------------------- rows


def _decoded(text):
    return text.decode("utf-8", errors="replace") if isinstance(text, bytes) else text


def _rows(tokenizer, document, spans, length):
    """Return rows of whole sentences, and (row, place of the classification token) of each sentence."""
    layout = [part for part, _ in tokenizer.layout(False)]
    ahead = layout.index(tokenizer.cls_id) if tokenizer.cls_id in layout else 0
    other = dict(tokenizer.layout(True)).get(SECOND, 0)
    rows, places, turn = [], [], 0
    for ids in tokenizer.ids([document[start:end] for start, end in spans]):
        new, segments = tokenizer.pack_ids(ids, None, length)
        if not rows or len(rows[-1][0]) + len(new) > length:
            rows.append(([], []))
            turn = 0
        row = rows[-1]
        places.append((len(rows) - 1, len(row[0]) + ahead))
        row[0].extend(new)
        row[1].extend([other] * len(new) if turn % 2 else segments)
        turn += 1
    return rows, tuple(places)


def _labels(rows, places, chosen):
    """Return the labels of each row's tokens: 1 and 0 at the places of sentences, elsewhere −1."""
    labels = [[UNSCORED] * len(ids) for ids, _ in rows]
    for number, (row, place) in enumerate(places):
        labels[row][place] = int(number in chosen)
    return labels


# ------------------------------------------------------------------------------------------------------ scores


def counted_words(targets: Any) -> str:
    """Return in one sentence whose words ROUGE counts, where they are not those of the library rouge-score.

    Args:
        targets: Lists of references.

    Returns:
        The sentence; "" in English.
    """
    others = sum(not is_english(references) for references in targets)
    return others and (f"ROUGE counts words of every script in {others:,} of {len(targets):,} rows, found by bertkit's "
                       "own tokenizer: rouge-score knows a to z and 0 to 9 alone.") or ""


@lru_cache(maxsize=16384)
def _rouge(references, text):
    scores = metrics.rouge([list(references)], [text], KINDS)
    return tuple(scores[kind]["f1"] for kind in KINDS)


class _Mean(NamedTuple):
    """The mean of a column."""

    column: int

    def __call__(self, table):
        return float(table[:, self.column].mean())
