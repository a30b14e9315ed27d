"""How well questions are answered, by first word and by length of the answer; the worst ones in their contexts."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from bertkit.report import charts
from bertkit.report.markup import Markup, element, join, note, quoting, section, side_by_side, table, text

WORST = 15
AROUND = 90                                   # characters of the context shown on each side of an answer
ASKED = ("what", "who", "whom", "whose", "which", "when", "where", "why", "how")
LENGTHS = ((0, "no answer"), (1, "1 word"), (3, "2 to 3 words"), (6, "4 to 6 words"), (None, "7 words or more"))
SCORES = ("exact match", "F1")


def sections(task: Any, dev: dict[str, Any]) -> Markup:
    """Return the sections of answered questions.

    Args:
        task: An `Answering`.
        dev: {"inputs", "targets": lists of (text, start), "predictions": spans}.

    Returns:
        The HTML.
    """
    inputs, targets, predictions = dev["inputs"], dev["targets"], dev["predictions"]
    (scores,) = task.metric_inputs(targets, predictions)
    words = group_table("By the word that asks", [question_word(question) for question, _ in inputs], scores)
    lengths = group_table("By the length of the shortest accepted answer",
                          [length_group(answers) for answers in targets], scores)
    parts = [section("Questions", side_by_side(words, lengths))]
    if task.version == "2.0":
        # No chance is above 1, every one is above -1.
        spans, none = (replace(task, threshold=t).metric_inputs(targets, predictions)[0] for t in (1.0, -1.0))
        parts.append(section("No answer", threshold_curve([span.null_chance for span in predictions], spans, none,
                                                          task.threshold)))
    given_answers = [(answer["answer"], answer["start"]) for answer in task.answers(inputs, predictions)]
    return join([*parts, quoting(dev, "Worst questions", worst_examples, inputs, targets, given_answers, scores[:, 1])])


def question_word(question: str) -> str:
    """Return the first word of a question that asks.

    Args:
        question: The question.

    Returns:
        One of `ASKED`, or "other".

    Example:
        >>> question_word("In which year did it end?"), question_word("Name one.")
        ('which', 'other')
    """
    return next((word for word in (word.strip("?,.:;'\"") for word in question.lower().split()) if word in ASKED),
                "other")


def length_group(answers: Sequence[tuple[str, int]]) -> str:
    """Return the name of the group of lengths to which the shortest answer belongs.

    Args:
        answers: (text, start) of each accepted answer.

    Returns:
        A name of `LENGTHS`.

    Example:
        >>> length_group([("the old bridge", 3), ("bridge", 11)]), length_group([])
        ('1 word', 'no answer')
    """
    words = min((len(text.split()) for text, _ in answers), default=0)
    return next(name for most, name in LENGTHS if most is None or words <= most)


def group_table(caption: str, groups: Sequence[str], scores: np.ndarray) -> Markup:
    """Return a table of the mean scores of each group of questions.

    Args:
        caption: The caption.
        groups: The group of each question.
        scores: Exact match and F1 in per cent, float [questions, 2].

    Returns:
        The HTML.
    """
    order = {name: place for place, (_, name) in enumerate(LENGTHS)}
    counts = Counter(groups)
    names = sorted(counts, key=lambda name: (order.get(name, 0), name == "other", -counts[name], name))
    means = {name: scores[np.array(groups) == name].mean(axis=0) for name in names}
    return table(caption, ("group", "questions", *SCORES),
                 [(name, counts[name], *map(float, means[name])) for name in names])


def scores_by_threshold(chances: Any, spans: np.ndarray, none: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Compute the mean scores for each threshold: a question whose chance is above it gets no answer, another its span.

    Args:
        chances: float [questions], the probability that there is no answer.
        spans: float [questions, 2], the scores of the best span.
        none: float [questions, 2], the scores of no answer.

    Returns:
        (thresholds, float64 [n], rising; mean scores, float64 [n, 2]).

    Example:
        >>> spans, none = np.array([[100.0] * 2, [0.0] * 2]), np.array([[0.0] * 2, [100.0] * 2])
        >>> scores_by_threshold([0.2, 0.8], spans, none)[1].tolist()
        [[100.0, 100.0], [50.0, 50.0]]
    """
    order = np.argsort(chances, kind="stable")
    thresholds, counts = np.unique(np.asarray(chances, "float64"), return_counts=True)
    sums = none.sum(axis=0) + np.cumsum((spans - none)[order], axis=0)
    return thresholds, sums[np.cumsum(counts) - 1] / len(order)


def threshold_curve(chances: Any, spans: np.ndarray, none: np.ndarray, chosen: float) -> Markup:
    """Return the figure of the scores by threshold (see `scores_by_threshold`), with the chosen one marked.

    Args:
        chances: float [questions], the probability that there is no answer.
        spans: float [questions, 2], the scores of the best span.
        none: float [questions, 2], the scores of no answer.
        chosen: The threshold of the task.

    Returns:
        The HTML.
    """
    thresholds, scores = scores_by_threshold(chances, spans, none)
    series = {name: (thresholds, scores[:, column]) for column, name in enumerate(SCORES)}
    inside = thresholds[0] <= chosen <= thresholds[-1]
    outside = "" if inside else f" The chosen threshold, {chosen:.4g}, lies outside of these chances."
    return join([note("A question whose chance of having no answer is above the threshold gets none; further to the "
                      f"right more questions are answered.{outside}"),
                 charts.lines("Null threshold", series, "threshold", "percent",
                              (chosen, "chosen") if inside else None)])


def worst_examples(inputs: Sequence[Any], targets: Sequence[Any], answers: Sequence[tuple[str, int]],
                   f1: np.ndarray) -> Markup:
    """Return the questions with the lowest F1, with an accepted and the given answer in the context.

    Args:
        inputs: (question, context) of each.
        targets: Lists of (text, start).
        answers: (text, start) of each answer.
        f1: float [questions], in per cent.

    Returns:
        The HTML.
    """
    order = [row for row in np.argsort(f1, kind="stable")[:WORST] if f1[row] < 100]
    if not order:
        return note("Every question has an accepted answer.")
    rows = [(int(row) + 1, _question(inputs[row], (targets[row] or [("", -1)])[0], answers[row]), float(f1[row]))
            for row in order]
    return table(f"{len(rows)} of {int((f1 < 100).sum())} questions whose F1 is below 100, lowest first",
                 ("question", "text", "F1"), rows, words=("text",))


def _question(example, gold, answer):
    question, context = example
    return join([element("div", text(question)), element("div", element("small", "true: "), _marked(context, *gold)),
                 element("div", element("small", "given: "), _marked(context, *answer))])


def _marked(context, answer, start):
    """Return an answer marked in the part of the context around it; alone where it does not stand at `start`."""
    if not answer:
        return "no answer"
    end = start + len(answer)
    if start < 0 or context[start:end] != answer:
        return element("bdi", element("mark", answer))
    return element("bdi", "…" if start > AROUND else "", context[max(0, start - AROUND):start], element("mark", answer),
                   context[end:end + AROUND], "…" if end + AROUND < len(context) else "")
