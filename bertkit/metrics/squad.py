"""Exact match and F1 of answers, computed as the official scripts of SQuAD 1.1 and 2.0 compute them."""

import re
import string
from collections import Counter
from typing import Any

from bertkit.errors import Error, reason

PUNCTUATION = str.maketrans("", "", string.punctuation)
ARTICLES = re.compile(r"\b(a|an|the)\b")


def normalize_answer(text: str) -> str:
    """Return a text lower-cased, without ASCII punctuation and articles, with single blanks between words.

    Source: Rajpurkar et al. 2016 (arXiv 1606.05250), section 6.1.

    Args:
        text: the text of an answer.

    Returns:
        The normalised text.

    Example:
        >>> normalize_answer("The  cat's A-frame.")
        'cats aframe'
    """
    return " ".join(ARTICLES.sub(" ", text.lower().translate(PUNCTUATION)).split())


def squad_questions(references: dict[str, Any], predictions: dict[str, str],
                    version: str = "1.1") -> dict[str, tuple[float, float]]:
    """Return exact match and F1 of each question, of its answers the best.

    exact = [the normalised texts are equal], F1 = 2 common / (words + words) of their bags of words (Rajpurkar et al.
    2016, section 6.1). A question without a prediction scores 0 in version 1.1 and is left out in version 2.0. In
    version 2.0 answers that normalise to nothing do not count, and where no answer is left the empty text is right.

    Args:
        references: the parsed JSON of the data set.
        predictions: dict {question id: text}; ids that the data set lacks are ignored.
        version: "1.1" or "2.0".

    Returns:
        A dict {question id: (exact, f1)} of fractions.

    Raises:
        Error: when the data have another form, an id occurs twice, a prediction is no text, or the version is unknown.

    Example:
        >>> question = {"id": "q1", "question": "Which house?", "answers": [{"text": "the red house"}]}
        >>> data = {"data": [{"paragraphs": [{"context": "I like the red house.", "qas": [question]}]}]}
        >>> squad_questions(data, {"q1": "red house"}), squad_questions(data, {"q1": "house"})
        ({'q1': (1.0, 1.0)}, {'q1': (0.0, 0.6666666666666666)})
    """
    if version not in ("1.1", "2.0"):
        raise Error(f"version={version!r} is unknown; give '1.1' or '2.0'.")
    answers = _answers(references)
    scores = {}
    for key, golds in answers.items():
        if not golds and version == "1.1":
            raise Error(f"Question {key!r} has no answer, which version 1.1 does not allow; give version='2.0'.")
        if key in predictions:
            scores[key] = _best(key, golds, predictions[key], version)
        elif version == "1.1":
            scores[key] = (0.0, 0.0)
    return scores


def squad(references: dict[str, Any], predictions: dict[str, str], version: str = "1.1",
          null_scores: dict[str, float] | None = None, threshold: float = 1.0) -> dict[str, float]:
    """Return the scores of SQuAD, in percent.

    Version 2.0 (Rajpurkar et al. 2018, arXiv 1806.03822) adds "HasAns_" and "NoAns_" exact, f1 and total for the
    questions with and without an answer. With `null_scores` it also turns a prediction whose null score is above
    `threshold` into "no answer", and adds "best_exact", "best_f1" and the thresholds that give them
    ("best_exact_thresh", "best_f1_thresh").

    Args:
        references: the parsed JSON of the data set.
        predictions: dict {question id: text}.
        version: "1.1" or "2.0".
        null_scores: dict {question id: score that the question has no answer}, version 2.0 only.
        threshold: null score above which a prediction counts as no answer.

    Returns:
        A dict {"exact", "f1", "total", "missing"}: percentages over `total` questions, and how many have no prediction.

    Raises:
        Error: when the input is not what `squad_questions` takes, or `null_scores` lack a question or come with version
            1.1.

    Example:
        >>> question = {"id": "q1", "question": "Which house?", "answers": [{"text": "the red house"}]}
        >>> data = {"data": [{"paragraphs": [{"context": "I like the red house.", "qas": [question]}]}]}
        >>> squad(data, {"q1": "house"})
        {'exact': 0.0, 'f1': 66.66666666666666, 'total': 1, 'missing': 0}
    """
    by_question, answers = squad_questions(references, predictions, version), _answers(references)
    missing = sum(key not in predictions for key in answers)
    if version == "1.1":
        if null_scores is not None:
            raise Error("null_scores came with version 1.1, where each question has an answer; give version='2.0'.")
        return {**_means(by_question), "missing": missing}
    answerable = {key: bool(answers[key]) for key in by_question}
    final = by_question if null_scores is None else _thresholded(by_question, answerable, null_scores, threshold)
    scores = {**_means(final), "missing": missing}
    for name, kind in (("HasAns", True), ("NoAns", False)):
        part = {key: value for key, value in final.items() if answerable[key] == kind}
        if part:
            scores |= {f"{name}_{metric}": value for metric, value in _means(part).items()}
    for place, name in enumerate(("exact", "f1") if null_scores is not None else ()):
        raw = {key: pair[place] for key, pair in by_question.items()}
        scores[f"best_{name}"], scores[f"best_{name}_thresh"] = _best_threshold(
            raw, answerable, predictions, null_scores)
    return scores


def _answers(references):
    """Return {question id: its answers' texts} of a parsed data set."""
    answers = {}
    try:
        for article in references["data"]:
            for paragraph in article["paragraphs"]:
                for question in paragraph["qas"]:
                    if question["id"] in answers:
                        raise Error(f"Question id {question['id']!r} occurs twice; give each question its own.")
                    answers[question["id"]] = [answer["text"] for answer in question["answers"]]
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        raise Error(f"The references are not SQuAD JSON ({reason(error)}); wanted "
                    "data > paragraphs > qas with id and answers.") from error
    if not answers:
        raise Error("The references hold no question; give at least one.")
    return answers


def _best(key, golds, prediction, version):
    if not isinstance(prediction, str):
        raise Error(f"The prediction for question {key!r} is {prediction!r}; give a text, \"\" for no answer.")
    normalized = [normalize_answer(gold) for gold in golds]
    if version == "2.0":
        normalized = [gold for gold in normalized if gold] or [""]
    answer = normalize_answer(prediction)
    return (max(float(gold == answer) for gold in normalized),
            max(_overlap(gold.split(), answer.split(), version) for gold in normalized))


def _overlap(gold, answer, version):
    """Return F1 = 2 common / (words + words) of two bags of words."""
    if version == "2.0" and not (gold and answer):
        return float(gold == answer)
    common = sum((Counter(gold) & Counter(answer)).values())
    return 2 * common / (len(gold) + len(answer)) if common else 0.0


def _means(scores):
    if not scores:
        raise Error("No question of the references has a prediction; give predictions as {question id: text}.")
    exact, f1 = (100 * sum(side) / len(scores) for side in zip(*scores.values(), strict=True))
    return {"exact": exact, "f1": f1, "total": len(scores)}


def _thresholded(scores, answerable, null_scores, threshold):
    absent = [key for key in scores if key not in null_scores]
    if absent:
        raise Error(f"null_scores lack question {absent[0]!r}; give one for each prediction.")
    return {key: (float(not answerable[key]),) * 2 if null_scores[key] > threshold else pair
            for key, pair in scores.items()}


def _best_threshold(scores, answerable, predictions, null_scores):
    """Return (best percentage, its threshold): from no answer anywhere, give them in the order of null scores."""
    now = best = sum(not known for known in answerable.values())
    threshold = 0.0
    for key in sorted((key for key in null_scores if key in scores), key=null_scores.get):
        now += scores[key] if answerable[key] else -bool(predictions[key])
        if now > best:
            best, threshold = now, float(null_scores[key])
    return 100 * best / len(scores), threshold
