"""Answers as `bertkit predict` gives them, whatever the task: what they decide, and in words."""

from collections.abc import Mapping
from typing import Any

from bertkit import metrics
from bertkit.errors import Error
from bertkit.tasks.regression import ALIKE


def decision(answer: Mapping[str, Any]) -> Any:
    """Return what an answer decides: two answers are the same where their decisions are equal.

    Args:
        answer: The answer to an input, as `Predictor.predict` gives it.

    Returns:
        The class, the sorted classes, the types of the entities in their order, the words of an answer as SQuAD
        compares them, or the number of an ending; of a score the number.

    Raises:
        Error: When an answer of this kind decides nothing.

    Example:
        >>> decision({"entities": [{"text": "Rome", "type": "LOC", "start": 0, "end": 4}]})
        ('LOC',)
    """
    if "entities" in answer:
        return tuple(entity["type"] for entity in answer["entities"])
    if "labels" in answer:
        return tuple(sorted(answer["labels"]))
    if "answer" in answer:
        return metrics.normalize_answer(answer["answer"])
    for name in ("label", "choice", "score"):
        if name in answer:
            return answer[name]
    raise Error(f"An answer with {', '.join(answer)} decides nothing; this is for classify, long_documents, score, "
                "tag, answer and choose.")


def is_score(answer: Mapping[str, Any]) -> bool:
    """Tell whether an answer is a number, not a decision.

    Args:
        answer: The answer to an input, as `Predictor.predict` gives it.

    Returns:
        Whether it is; the score of an answer to a question is none.
    """
    return "score" in answer and "answer" not in answer


def tolerance_of(task: Any, given: float | None = None) -> float:
    """Return how far two scores may be apart and count as equal.

    Args:
        task: The task.
        given: What the user gave, or None.

    Returns:
        What was given, else `ALIKE` of the spread of the training scores.
    """
    return ALIKE * getattr(task, "spread", 0.0) if given is None else given


def are_same(task: Any, one: Mapping[str, Any], other: Mapping[str, Any], tolerance: float | None = None) -> bool:
    """Tell whether two answers decide the same.

    Args:
        task: The task.
        one: An answer.
        other: Another one.
        tolerance: How far two scores may be apart (see `tolerance_of`).

    Returns:
        Whether they do.

    Raises:
        Error: When answers of this kind decide nothing.
    """
    first, second = decision(one), decision(other)
    return abs(first - second) <= tolerance_of(task, tolerance) if is_score(one) else first == second


def in_words(answer: Mapping[str, Any]) -> str:
    """Return an answer in few words.

    Args:
        answer: The answer to an input, as `Predictor.predict` gives it.

    Returns:
        The text.

    Example:
        >>> in_words({"label": "yes", "probabilities": {"no": 0.25, "yes": 0.75}})
        'yes (0.750)'
    """
    if "label" in answer:
        return f"{answer['label']} ({answer['probabilities'][answer['label']]:.3f})" if "probabilities" in answer else (
            str(answer["label"]))
    if "labels" in answer:
        return ", ".join(answer["labels"]) or "none"
    if "entity" in answer:
        return f"{answer['entity']['text']} ({answer['entity']['type']})"
    if "entities" in answer:
        return ", ".join(f"{entity['text']} ({entity['type']})" for entity in answer["entities"]) or "no entity"
    if "answer" in answer:
        return answer["answer"] or "no answer"
    for name in ("choice", "score", "summary", "text"):
        if name in answer:
            return f"{answer[name]:.4g}" if isinstance(answer[name], float) else str(answer[name])
    return ""
