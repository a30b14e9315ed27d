"""Find the stretch of a context that answers a question.

Rajpurkar et al. 2016 and 2018; windows and decoding are those of Devlin et al. 2018, `run_squad.py`.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Self

import numpy as np

from bertkit import metrics
from bertkit.errors import Error
from bertkit.tasks.packed import Packed
from bertkit.tasks.task import Task
from bertkit.text import Tokenizer
from bertkit.text.template import truncated_lengths
from bertkit.text.windows import STRIDE, max_context, windows
from bertkit.text.words import covering_pieces

VERSIONS = ("1.1", "2.0")


class Span(NamedTuple):
    """The best stretch of a context.

    Args:
        text: The text, "" where there is none.
        start: Its first character in the context, -1 where there is none.
        score: Its start logit + end logit, −∞ where there is none.
        null_score: The smallest start logit + end logit of the classification token over the windows.
    """

    text: str
    start: int
    score: float
    null_score: float

    @property
    def null_chance(self) -> float:
        """1 / (1 + exp(score − null_score)): the probability that there is no answer, from 0 to 1."""
        return 1 / (1 + math.exp(min(self.score - self.null_score, 700)))


class _Question(NamedTuple):
    """What is needed to get from the windows of a question back to characters; `chosen` is the window of each token."""

    context: str
    offsets: Any
    windows: list[Any]
    chosen: np.ndarray


@dataclass(frozen=True)
class Answering(Task):
    """The stretch of the context with the largest start logit + end logit, for each (question, context).

    A context is read in windows. Of each window the `most` largest starts and ends are tried: both in the context, the
    start in the window where it has most context, and at most `longest` tokens. Version "2.0" gives no answer where the
    probability of that (see `Span`) is above `threshold`; 0.5 is a difference of logits of 0. A target is a list of
    (text, start), empty where there is no answer.

    Args:
        version: "1.1", where every question has an answer, or "2.0".
        threshold: The probability of no answer above which none is given.
        query: The most tokens of a question.
        stride: Tokens between the starts of two windows.
        longest: The most tokens of an answer.
        most: How many starts and ends of a window are tried.

    Raises:
        Error: when `version` is unknown.
    """

    version: str = "1.1"
    threshold: float = 0.5
    query: int = 64
    stride: int = STRIDE
    longest: int = 30
    most: int = 20

    name, output, width, each_token, points = "answer", "logits", 2, True, 1
    commonest = "no answer, whatever the question"
    counted = "questions whose answer is exactly right"
    reads = ("question", "context")

    def __post_init__(self):
        if self.version not in VERSIONS:
            raise Error(f"version={self.version!r} is unknown; give {' or '.join(VERSIONS)}.")

    def pack(self, tokenizer: Tokenizer, inputs: Sequence[Any], length: int, targets: Any = None) -> Packed:
        """Make the windows of each question.

        Labels are the first and the last token that cover the first answer's characters. In a window that lacks any of
        them, and without an answer, both are the classification token.

        Args:
            tokenizer: The `Tokenizer`.
            inputs: (question, context) of each.
            length: The most tokens of a row.
            targets: Lists of (text, start) for each question; None without labels.

        Returns:
            The `Packed` rows, with labels int32 [rows, 2].
        """
        contexts: dict[str, Any] = dict.fromkeys(context for _, context in inputs)
        for context in contexts:
            encoding = tokenizer.encode([context])[0]
            contexts[context] = encoding.ids, encoding.offsets
        questions = [self._question(tokenizer, question, context, contexts[context], length)
                     for question, context in inputs]
        rows = [window.row for one in questions for window in one.windows]
        if targets is None:
            return Packed(rows, questions)
        labels = [place for one, answers in zip(questions, targets, strict=True) for place in _labels(one, answers)]
        return Packed(rows, questions, np.array(labels, "int32").reshape(-1, 2))

    def _question(self, tokenizer, question, context, encoded, length):
        ids, offsets = encoded
        query = tokenizer.ids([question])[0][:self.query]
        cut = windows(tokenizer, ids, length, query, self.stride)
        return _Question(context, offsets, cut, max_context(cut, len(ids)))

    def predictions(self, outputs: Sequence[Any], packed: Packed) -> list[Span]:
        """Return the best `Span` of each question, also where no answer is more probable.

        Args:
            outputs: [tokens, 2] of each row.
            packed: The `Packed` rows.

        Returns:
            A `Span` for each question.
        """
        rows = iter(outputs)
        return [self._span(question, [np.asarray(next(rows), "float64") for _ in question.windows])
                for question in packed.origin]

    def _span(self, question, outputs):
        best, tokens = -math.inf, None
        for number, logits in enumerate(outputs):
            score, span = self._best(question, number, logits)
            if score > best:
                best, tokens = score, span
        # A row may be empty: of no texts, in a template without special tokens.
        null = min(float(logits[window.cls].sum()) if len(logits) else 0.0
                   for window, logits in zip(question.windows, outputs, strict=True))
        if tokens is None:
            return Span("", -1, -math.inf, null)
        start, end = question.offsets[tokens[0]][0], question.offsets[tokens[1]][1]
        text = question.context[start:end]
        start += len(text) - len(text.lstrip())
        return Span(text.strip(), start if text.strip() else -1, best, null)

    def _best(self, question, number, logits):
        """Return the largest sum of a window, and the tokens of the context that give it; −∞ and None for none."""
        window = question.windows[number]
        first, last = np.argsort(-logits, axis=0, kind="stable")[:self.most].T
        table = logits[first, 0][:, None] + logits[last, 1]
        first, last = (places - window.place + window.start for places in (first, last))
        starts, ends = ((window.start <= tokens) & (tokens < window.end) for tokens in (first, last))
        starts[starts] = question.chosen[first[starts]] == number
        pieces = last - first[:, None] + 1
        table[~(starts[:, None] & ends & (pieces >= 1) & (pieces <= self.longest))] = -math.inf
        place = np.unravel_index(table.argmax(), table.shape) if table.size else None
        if place is None or table[place] == -math.inf:
            return -math.inf, None
        return float(table[place]), (int(first[place[0]]), int(last[place[1]]))

    def answers(self, inputs: Sequence[Any], predictions: Sequence[Span]) -> list[dict[str, Any]]:
        """Return the answer to each question.

        Args:
            inputs: Not used.
            predictions: A `Span` for each question.

        Returns:
            {"answer", "start", "score"} of each, "" and -1 for no answer. The score is the probability of what is
            answered: `null_chance` for no answer, else 1 − `null_chance` (see `Span`).
        """
        return [{"answer": "", "start": -1, "score": span.null_chance} if self._none(span) else
                {"answer": span.text, "start": span.start, "score": 1 - span.null_chance} for span in predictions]

    def certainty(self, predictions: Sequence[Span]) -> list[float]:
        """Return the probability of what is answered to each question, against no answer.

        Args:
            predictions: The `Span` of each question.

        Returns:
            A number from 0 to 1 for each, the score of its answer.
        """
        return [answer["score"] for answer in self.answers([None] * len(predictions), predictions)]

    def _none(self, span):
        return not span.text or self.version == "2.0" and span.null_chance > self.threshold

    def decisions(self, output: Any) -> Any:
        """Return the tokens with the largest start logit and the largest end logit of a row.

        Args:
            output: [tokens, 2].

        Returns:
            Two token numbers.
        """
        return np.argmax(output, axis=0) if len(output) else np.zeros(2, "int64")

    def cut(self, tokenizer: Tokenizer, inputs: Sequence[Any], length: int) -> np.ndarray:
        """Find the inputs whose question loses tokens at a length; contexts are read whole, in windows.

        Args:
            tokenizer: The `Tokenizer`.
            inputs: (question, context) of each.
            length: The most tokens of a row.

        Returns:
            bool [inputs].
        """
        room = tokenizer.template.max_text_tokens(length, paired=True)
        sizes = ((len(question), len(context)) for question, context in zip(
            tokenizer.ids([question for question, _ in inputs]), tokenizer.ids([context for _, context in inputs]),
            strict=True))
        return np.array([truncated_lengths(min(question, self.query), context, room)[0] < question
                         for question, context in sizes], bool)

    def aligned(self, outputs: Sequence[Any], packed: Packed) -> list[np.ndarray]:
        """Return the logits of no answer and of each token of each context, which rows of another length have too.

        Args:
            outputs: [tokens, 2] of each row.
            packed: The `Packed` rows.

        Returns:
            float32 [1 + tokens of the context, 2] of each question; a token has the logits of the window that counts
            for it.
        """
        rows = iter(outputs)
        return [_of_context(question, [next(rows) for _ in question.windows]) for question in packed.origin]

    def tuned(self, targets: Any, predictions: Sequence[Span]) -> Self:
        """Return the task with the threshold that gives the best F1; it lies halfway between two questions.

        Args:
            targets: Lists of (text, start) for each question.
            predictions: A `Span` for each question.

        Returns:
            A task; itself where the questions are not of both kinds, with an answer and without.
        """
        if not self._learns(targets):
            return self
        texts = {key: span.text for key, span in _numbered(predictions)}
        scores = metrics.squad_questions(_references(targets), texts, "2.0")
        f1 = np.array([scores[key][1] for key, _ in _numbered(predictions)])
        none = np.array([not answers for answers in targets], "float64")
        chances = np.array([span.null_chance for span in predictions])
        return replace(self, threshold=metrics.best_threshold(
            chances, lambda threshold: float(np.where(chances > threshold, none, f1).sum())))

    def decision(self, targets: Any) -> str:
        """Return in one sentence where no answer is given.

        Args:
            targets: Lists of (text, start) for each question of dev.

        Returns:
            The sentence; "" where every question has an answer.
        """
        if self.version == "1.1":
            return ""
        if self._learns(targets):
            return f"No answer is given where its probability is above {self.threshold:.4f}: so dev has the best f1."
        kind = "All dev questions have an answer" if any(targets) else "No dev question has an answer"
        return (f"{kind}, so nothing was learnt of when to give none: it is given where its probability is above "
                f"{self.threshold:g}.")

    def _learns(self, targets):
        return self.version == "2.0" and len({bool(answers) for answers in targets}) == 2

    def metric_inputs(self, targets: Any, predictions: Sequence[Span]) -> tuple[np.ndarray]:
        """Return what the metrics are means of.

        Args:
            targets: Lists of (text, start) for each question.
            predictions: A `Span` for each question.

        Returns:
            Exact match and F1 of each question in per cent, float64 [questions, 2].
        """
        texts = {key: "" if self._none(span) else span.text for key, span in _numbered(predictions)}
        scores = metrics.squad_questions(_references(targets), texts, self.version)
        return (100 * np.array([scores[key] for key, _ in _numbered(predictions)]),)

    def row_quality(self, targets: Any, predictions: Any) -> np.ndarray:
        """Return whether the answer to each question is an exact match.

        Args:
            targets: Lists of (text, start) for each question.
            predictions: A `Span` for each question.

        Returns:
            float64 [questions], 1 or 0.
        """
        table, = self.metric_inputs(targets, predictions)
        return table[:, 0] / 100

    def target_in_words(self, example: Any, target: Any) -> str:
        """Return the answers of a question that count as right.

        Args:
            example: Not used.
            target: A list of (text, start).

        Returns:
            The text.
        """
        return " / ".join(dict.fromkeys(text for text, _ in target)) or "no answer"

    @property
    def metrics(self) -> dict[str, Callable[..., Any]]:
        """F1, which decides, and exact match, in per cent."""
        return {"f1": lambda table: float(table[:, 1].mean()), "exact": lambda table: float(table[:, 0].mean())}

    def scores(self, targets: Any, predictions: Sequence[Span]) -> dict[str, Any]:
        """Compute what the official script reports.

        Args:
            targets: Lists of (text, start) for each question.
            predictions: A `Span` for each question.

        Returns:
            {"f1", "exact"}, and for 2.0 also HasAns_, NoAns_ and best_ of both. The best thresholds are probabilities
            (see `threshold`).
        """
        return {"f1": None, "exact": None} | self._squad(targets, predictions)

    def _squad(self, targets, predictions):
        texts = {key: span.text for key, span in _numbered(predictions)}
        if self.version == "1.1":
            return metrics.squad(_references(targets), texts, "1.1")
        chances = {key: span.null_chance for key, span in _numbered(predictions)}
        return metrics.squad(_references(targets), texts, "2.0", chances, self.threshold)


def _of_context(question, outputs):
    nulls = [logits[window.cls] for window, logits in zip(question.windows, outputs, strict=True) if len(logits)]
    null = min(nulls, key=lambda pair: float(pair.sum()), default=np.zeros(2))
    tokens = [outputs[number][question.windows[number].row_position(token)]
              for token, number in enumerate(question.chosen)]
    return np.array([null, *tokens], "float32")


def _numbered(values):
    """Return (key, value) of each, as `_references` calls it."""
    return [(str(number), value) for number, value in enumerate(values)]


def _references(targets):
    """Return targets as the parsed JSON of a data set."""
    questions = [{"id": key, "answers": [{"text": text, "answer_start": start} for text, start in answers]}
                 for key, answers in _numbered(targets)]
    return {"data": [{"paragraphs": [{"qas": questions}]}]}


def _labels(question, answers):
    """Return the places of the first and the last token of an answer in each window."""
    first = last = -1
    if answers:
        text, start = answers[0]
        (first,), (last,) = covering_pieces(question.offsets, [(start, start + len(text))])
    return [(window.row_position(first), window.row_position(last)) if window.start <= first and last < window.end
            else (window.cls, window.cls) for window in question.windows]
