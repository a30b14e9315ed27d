"""The stretch of a context that answers a question.

Rajpurkar et al. 2016 and 2018; windows and decoding are those of Devlin et al. 2018, `run_squad.py`.
"""

import math
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from bertkit import metrics
from bertkit.errors import Error
from bertkit.tasks.packed import Packed
from bertkit.tasks.task import Task
from bertkit.text.windows import STRIDE, max_context, windows
from bertkit.text.words import covering

VERSIONS = ("1.1", "2.0")


class Span(NamedTuple):
    """The best stretch of a context: `text`, from the character `start` on, "" and -1 where there is none.

    `score` is its start logit + end logit (−∞ for none), `null_score` the smallest such sum of the classification
    token over the windows.
    """

    text: str
    start: int
    score: float
    null_score: float

    @property
    def null_chance(self):
        """1 / (1 + exp(score − null_score)): how sure it is that there is no answer, from 0 to 1."""
        return 1 / (1 + math.exp(min(self.score - self.null_score, 700)))


class _Asked(NamedTuple):
    """What leads from the windows of a question back to characters; `chosen` is the window of each token."""

    context: str
    offsets: list
    windows: list
    chosen: np.ndarray


@dataclass(frozen=True)
class Answering(Task):
    """The stretch of the context with the largest start logit + end logit, for each (question, context).

    A question is cut to `query` tokens, the context to windows `stride` tokens apart. Of each window the `most`
    likeliest starts and ends are tried: both in the context, the start in the window where it has most context, at
    most `longest` tokens. Version "2.0" answers nothing where the chance of that (see `Span`) is above `threshold`; 0.5
    is a difference of logits of 0. A target is a list of (text, start), empty where there is no answer.
    """

    version: str = "1.1"
    threshold: float = 0.5
    query: int = 64
    stride: int = STRIDE
    longest: int = 30
    most: int = 20

    name, output, width, each_token, points = "answer", "logits", 2, True, 1
    commonest = "no answer, whatever the question"
    reads = ("question", "context")

    def __post_init__(self):
        if self.version not in VERSIONS:
            raise Error(f"version={self.version!r} is unknown; give {' or '.join(VERSIONS)}.")

    def pack(self, tokenizer, inputs, length, targets=None):
        """Return the windows of each question, and with `targets` labels int32 [rows, 2]: first and last token.

        The tokens are those that cover the first answer's characters; in a window that lacks any of them, and without
        an answer, both are the classification token.
        """
        contexts = {context: None for _, context in inputs}
        for context in contexts:
            encoding = tokenizer.encode([context])[0]
            contexts[context] = encoding.ids, encoding.offsets
        asked = [self._asked(tokenizer, question, context, *contexts[context], length) for question, context in inputs]
        rows = [window.row for one in asked for window in one.windows]
        if targets is None:
            return Packed(rows, asked)
        labels = [place for one, answers in zip(asked, targets, strict=True) for place in _labels(one, answers)]
        return Packed(rows, asked, np.array(labels, "int32").reshape(-1, 2))

    def _asked(self, tokenizer, question, context, ids, offsets, length):
        query = tokenizer.ids([question])[0][:self.query]
        cut = windows(tokenizer, ids, length, query, self.stride)
        return _Asked(context, offsets, cut, max_context(cut, len(ids)))

    def predictions(self, outputs, packed):
        """Return the best `Span` of each question, also where it is no better than no answer."""
        outputs = iter(outputs)
        return [self._span(asked, [np.asarray(next(outputs), "float64") for _ in asked.windows])
                for asked in packed.origin]

    def _span(self, asked, outputs):
        best, tokens = -math.inf, None
        for number, logits in enumerate(outputs):
            score, found = self._best(asked, number, logits)
            if score > best:
                best, tokens = score, found
        # A row may be empty: of no texts, in a template without special tokens.
        null = min(float(logits[window.cls].sum()) if len(logits) else 0.0
                   for window, logits in zip(asked.windows, outputs, strict=True))
        if tokens is None:
            return Span("", -1, -math.inf, null)
        start, end = asked.offsets[tokens[0]][0], asked.offsets[tokens[1]][1]
        text = asked.context[start:end]
        start += len(text) - len(text.lstrip())
        return Span(text.strip(), start if text.strip() else -1, best, null)

    def _best(self, asked, number, logits):
        """Return the largest sum of a window, and the tokens of the context that give it; −∞ and None for none."""
        window = asked.windows[number]
        first, last = np.argsort(-logits, axis=0, kind="stable")[:self.most].T
        table = logits[first, 0][:, None] + logits[last, 1]
        first, last = (places - window.place + window.start for places in (first, last))
        starts, ends = ((window.start <= tokens) & (tokens < window.end) for tokens in (first, last))
        starts[starts] = asked.chosen[first[starts]] == number
        pieces = last - first[:, None] + 1
        table[~(starts[:, None] & ends & (pieces >= 1) & (pieces <= self.longest))] = -math.inf
        place = np.unravel_index(table.argmax(), table.shape) if table.size else None
        if place is None or table[place] == -math.inf:
            return -math.inf, None
        return float(table[place]), (int(first[place[0]]), int(last[place[1]]))

    def answers(self, inputs, predictions):
        """Return for each row {"answer", "start", "score"}, "" and -1 for no answer.

        The score is the chance of what is answered, `null_chance` or 1 − that (see `Span`).
        """
        return [{"answer": "", "start": -1, "score": span.null_chance} if self._none(span) else
                {"answer": span.text, "start": span.start, "score": 1 - span.null_chance} for span in predictions]

    def _none(self, span):
        return not span.text or self.version == "2.0" and span.null_chance > self.threshold

    def decisions(self, output):
        """Return where a row's answer starts and ends, were it free to."""
        return np.argmax(output, axis=0) if len(output) else np.zeros(2, "int64")

    def tuned(self, targets, predictions):
        """Return the task with the threshold that gives the best F1; itself where every question has an answer."""
        if self.version == "1.1":
            return self
        return replace(self, threshold=self._squad(targets, predictions)["best_f1_thresh"])

    def sides(self, targets, predictions):
        """Return what the metrics compare: exact match and F1 of each question, [questions, 2], percentages."""
        given = {key: "" if self._none(span) else span.text for key, span in _numbered(predictions)}
        found = metrics.squad_questions(_references(targets), given, self.version)
        return (100 * np.array([found[key] for key, _ in _numbered(predictions)]),)

    @property
    def metrics(self):
        return {"f1": lambda table: float(table[:, 1].mean()), "exact": lambda table: float(table[:, 0].mean())}

    def scores(self, targets, predictions):
        """Return what the official script says: {"f1", "exact"}, and for 2.0 HasAns_, NoAns_ and best_ of both.

        The best thresholds are chances (see `threshold`).
        """
        return {"f1": None, "exact": None} | self._squad(targets, predictions)

    def _squad(self, targets, predictions):
        texts = {key: span.text for key, span in _numbered(predictions)}
        if self.version == "1.1":
            return metrics.squad(_references(targets), texts, "1.1")
        chances = {key: span.null_chance for key, span in _numbered(predictions)}
        return metrics.squad(_references(targets), texts, "2.0", chances, self.threshold)


def _numbered(values):
    """Return (key, value) of each, as `_references` calls it."""
    return [(str(number), value) for number, value in enumerate(values)]


def _references(targets):
    """Return targets as the parsed JSON of a data set."""
    questions = [{"id": key, "answers": [{"text": text, "answer_start": start} for text, start in answers]}
                 for key, answers in _numbered(targets)]
    return {"data": [{"paragraphs": [{"qas": questions}]}]}


def _labels(asked, answers):
    """Return the places of the first and the last token of an answer in each window."""
    first = last = -1
    if answers:
        text, start = answers[0]
        (first,), (last,) = covering(asked.offsets, [(start, start + len(text))])
    return [(window.at(first), window.at(last)) if window.start <= first and last < window.end
            else (window.cls, window.cls) for window in asked.windows]
