"""The sentences of a document that say most of it: an extractive summary, in the document's own words."""

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from bertkit import metrics
from bertkit.errors import Error
from bertkit.tasks.oracle import oracle
from bertkit.tasks.packed import UNSCORED, Packed
from bertkit.tasks.task import Task
from bertkit.text.sentences import sentences
from bertkit.text.template import SECOND
from bertkit.text.words import words

KINDS = ("rouge1", "rouge2", "rougeL")


class Extract(NamedTuple):
    """A document, (start, end) of its sentences, and the numbers of those that are its summary, in order."""

    document: str
    spans: tuple
    chosen: tuple

    def text(self, chosen=None):
        """Return the summary, or the sentences of other numbers, joined by blanks."""
        return " ".join(self.document[slice(*self.spans[i])] for i in (self.chosen if chosen is None else chosen))


class _Split(NamedTuple):
    """A document with its sentences, and which of its rows and places in them stand for each."""

    document: str
    spans: tuple
    rows: int
    places: tuple


class Extraction(Task):
    """What extractive summarisers share: `count` sentences with the largest scores, in the order of the document.

    A target is a list of reference summaries. Scores are those of the summary and, under "lead_" and "oracle_", of the
    first `count` sentences and of the best that were found by `oracle`: ROUGE-1, -2 and -L, F1, fractions.
    """

    reads = ("document",)

    def __post_init__(self):
        if type(self.count) is not int or self.count < 1:
            raise Error(f"count={self.count!r} sentences are no summary; give 1 or more.")

    def input(self, line):
        """Return the document in a line of text, in which a tab is a blank like any other."""
        return line

    def _checked(self, number, given):
        if isinstance(given, str | bytes):
            return given
        raise Error(f"Row {number} is {given!r:.60}; this model reads single documents: give a str.")

    def predictions(self, outputs, packed):
        """Return the `Extract` of each document."""
        outputs, found = iter(outputs), []
        for split in packed.origin:
            scores = self._scores(split, [next(outputs) for _ in range(split.rows)])
            best = np.argsort(-scores, kind="stable")[:self.count]
            found.append(Extract(split.document, split.spans, tuple(sorted(best.tolist()))))
        return found

    def answers(self, inputs, predictions):
        """Return for each document {"summary", "sentences": [{"start", "end"}]}, places in its characters."""
        return [{"summary": one.text(), "sentences": [dict(zip(("start", "end"), one.spans[i], strict=True))
                                                      for i in one.chosen]} for one in predictions]

    def sides(self, targets, predictions):
        """Return what the metrics are means of: ROUGE of the summary, of the lead and of the oracle, [documents, 9]."""
        rows = []
        for references, one in zip(targets, predictions, strict=True):
            references = tuple(references)
            texts = [one.text(), one.text(range(len(one.spans))[:self.count]),
                     one.text(oracle(one.document, one.spans, references, self.count))]
            rows.append([score for text in texts for score in _rouge(references, text)])
        return (np.array(rows),)

    @property
    def metrics(self):
        names = [f"{system}{kind}" for system in ("", "lead_", "oracle_") for kind in KINDS]
        return {name: _Mean(place) for place, name in enumerate(names)}


@dataclass(frozen=True)
class Summarising(Extraction):
    """Sentences that an encoder has learned to choose (Liu 2019, BERTSUM, arXiv 1903.10318, sections 2.2 and 2.3).

    Rows hold as many whole sentences as fit, [CLS] sentence [SEP] each, their segments by turns; a sentence's score is
    log p(chosen) − log p(left) of a linear layer at its [CLS], without layers between sentences before it. Of a
    sentence that is longer than a row only what fits is read. To train on, those of the `oracle` are labelled 1.
    """

    count: int = 3

    name, output, width, each_token = "summarise", "logits", 2, True

    def pack(self, tokenizer, inputs, length, targets=None):
        """Return the rows of each document; with `targets` the labels of the classification tokens."""
        rows, origin, labels = [], [], []
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
    """Sentences that are most like the others, without any training: score_i = Σ_j cos(v_i, v_j), v their vectors.

    Degree centrality (Erkan and Radev 2004, LexRank, section 3.1) of sentence embeddings, without a threshold. Only
    sentences of `least` words or more are chosen where there are enough: a title is like everything. A vector has
    `width` numbers.
    """

    count: int = 3
    least: int = 5
    width: int = 0

    name, output = "summarise-central", "embedding"

    def pack(self, tokenizer, inputs, length, targets=None):
        """Return a row for each sentence, cut to `length`; raises `Error` for targets: nothing is learned."""
        if targets is not None:
            raise Error("Centrality is not trained; leave the targets out, or train `Summarising`.")
        rows, origin = [], []
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

    def agreement(self, one, other):
        """Return the mean cosine of two lists of vectors."""
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
    rows, places = [], []
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


@lru_cache(maxsize=16384)
def _rouge(references, text):
    found = metrics.rouge([list(references)], [text], KINDS)
    return tuple(found[kind]["f1"] for kind in KINDS)


class _Mean(NamedTuple):
    """The mean of a column."""

    column: int

    def __call__(self, table):
        return float(table[:, self.column].mean())
