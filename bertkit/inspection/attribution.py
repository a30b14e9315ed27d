"""How much each word speaks for a model's answer, by several methods."""

from collections.abc import Callable, Sequence
from typing import Any, get_args

import numpy as np

from bertkit.errors import Error
from bertkit.inspection import gradients, heads, removal
from bertkit.inspection.likeness import likenesses
from bertkit.inspection.logits import Logit, columns_of, contrasted
from bertkit.inspection.methods import Method
from bertkit.inspection.places import token_logits
from bertkit.inspection.words import WordRow, word_rows
from bertkit.predictor import Predictor
from bertkit.tasks.answering import Answering
from bertkit.tasks.embedding import Embedding
from bertkit.tasks.tagging import Tagging
from bertkit.terminal import with_progress
from bertkit.text import Tokenizer


class WordScores(np.ndarray):
    """The scores of the words of one input, float64 [words]; above 0 speaks for the answer.

    Attributes:
        words: The words of the original text, or of both texts of a pair.
        offsets: (start, end) of each in its text, in characters.
        parts: The number of each word's text.
        completeness: |sum − difference| / |difference|, of the sum of the scores and of the difference between the
            logit of the input and that of the baseline; None for attention rollout, which is of no logit.
        row: The `WordRow`.
        logit: The `Logit` that the scores are of.
    """

    words: tuple[str, ...]
    offsets: tuple[tuple[int, int], ...]
    parts: tuple[int, ...]
    completeness: float | None
    row: WordRow
    logit: Logit


def _integrated_gradients(logit, seed):
    found = gradients.integrated_gradients(logit.predictor.model, logit.batch, logit.base_ids, logit.pick)
    return logit.row.word_sums(found)


def _gradient_x_input(logit, seed):
    return logit.row.word_sums(gradients.gradient_x_input(logit.predictor.model, logit.batch, logit.pick))


def _rollout(logit, seed):
    model = logit.predictor.model
    table = heads.rollout(heads.traced_attention(model, logit.batch))
    return logit.row.word_sums(logit.reads(len(table)) @ table)


METHODS: dict[str, Callable[[Logit, int], np.ndarray]] = {
    "integrated_gradients": _integrated_gradients, "gradient_x_input": _gradient_x_input,
    "occlusion": lambda logit, seed: removal.occlusion(logit), "lime": removal.lime, "shap": removal.shap,
    "rollout": _rollout}


# Of the tasks whose explanations are not of a logit of the whole row.
ASKED: dict[type, Callable] = {Tagging: token_logits, Answering: token_logits, Embedding: likenesses}


def attributions(model: Any, tokenizer: Tokenizer, texts: Sequence[Any], method: Method = "integrated_gradients",
                 target: str | None = None, seed: int = 0, against: str | None = None) -> list[WordScores]:
    """Compute how much each word of each text speaks for an answer.

    Args:
        model: A `Classifier`, `TokenClassifier`, `QuestionAnswering` or `SentenceEmbedder` in memory.
        tokenizer: Its tokenizer.
        texts: Texts, pairs of texts, or questions with contexts.
        method: "integrated_gradients", "gradient_x_input", "occlusion", "lime", "shap" or "rollout".
        target: The label that is explained; None takes the model's answer to each text. Of a tagger a type of entities,
            of an answerer "start" or "end", of pairs of an embedder "first" or "second"; None takes all.
        seed: Of what LIME and SHAP draw.
        against: A label in place of which the answer was given: why that one, and not this one.

    Returns:
        A `WordScores` for each text, of a tagger for each entity, of an answerer for the start and the end of each
        answer, of an embedder for both texts of each pair (`logit.target` names it); of the words of the original text,
        a word that comes twice has two scores.

    Raises:
        Error: When there is no such method or label, or the model's task has no explanations.
    """
    return attributed(Predictor(model, tokenizer), texts, method, target, seed, against)[0]


def attributed(predictor: Predictor, inputs: Sequence[Any], method: str = "integrated_gradients",
               target: str | None = None, seed: int = 0,
               against: str | None = None) -> tuple[list[WordScores], list[Any]]:
    """Compute scores of words, and the answers that they explain.

    Args:
        predictor: The model.
        inputs: Texts, or pairs of texts.
        method: A name in `METHODS`.
        target: The label that is explained; None takes the model's answer to each input.
        seed: Of what LIME and SHAP draw.
        against: A label in place of which the answer was given, or None.

    Returns:
        (a `WordScores` for each input, entity, start or end, the answer that it is of as `predict` gives it).

    Raises:
        Error: When there is no such method or label, or the model's task has no explanations.
    """
    if method not in METHODS:
        raise Error(f"method={method!r:.40} is unknown; give one of {', '.join(get_args(Method))}.")
    if method == "rollout" and against is not None:
        raise Error("Rollout does not look at the answer, and so it cannot tell one label from another; take another "
                    "method, or leave --against out.")
    logits, answers = _asked(predictor, predictor.task.check_inputs(inputs), target, against)
    alone = ([logit] for logit in logits)
    return [_scored(logit, method, seed) for (logit,) in with_progress(alone, len(logits), "explained")], answers


def _asked(predictor, given, target, against):
    """Return the logits that explanations are of, and the answer that each is part of."""
    task = predictor.task
    other = next((asked for kind, asked in ASKED.items() if isinstance(task, kind)), None)
    rows = word_rows(task, predictor.tokenizer, given, predictor.length) if other is None else []
    predictions = predictor.predictions(given) if given else []
    if other is not None:
        contrasted(task, [], against)
        return other(predictor, given, predictions, target)
    columns = contrasted(task, columns_of(predictor, predictions, target), against)
    logits = [Logit(predictor, row, *pair) for row, pair in zip(rows, columns, strict=True)]
    return logits, task.answers(given, predictions) if given else []


def _scored(logit, method, seed):
    row = logit.row
    found = METHODS[method](logit, seed) if row.words else np.zeros(0)
    scores = np.where(row.read, found, 0.0).view(WordScores)
    scores.words, scores.offsets, scores.parts, scores.row, scores.logit = (
        row.words, row.offsets, row.parts, row, logit)
    scores.completeness = None if method == "rollout" else _completeness(float(np.sum(found)), logit.difference)
    return scores


def _completeness(total, difference):
    return abs(total - difference) / abs(difference) if difference else abs(total)
