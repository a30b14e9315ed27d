"""What an explanation is of where a model answers by tokens: an entity, the start or the end of an answer."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from bertkit.errors import Error
from bertkit.inspection.logits import Logit
from bertkit.inspection.words import WordRow, window_row, word_spans
from bertkit.predictor import Predictor
from bertkit.tasks.answering import Answering
from bertkit.tasks.classification import softmax
from bertkit.tasks.tagging import OUTSIDE, Tagging, encoded_words
from bertkit.terminal import say
from bertkit.text.windows import Window, max_context, windows

ENDS = ("start", "end")


class TokenLogit(Logit):
    """The mean of some tokens' logits, as a function of the words of a row.

    Args:
        predictor: The model.
        row: The row that is read.
        places: (token, number of the logit) of each; those of tags, or of the start 0 and the end 1 of an answer.
        target: What is explained, in words.

    Raises:
        Error: When the tokenizer has no token that could stand for a hidden word.
    """

    def __init__(self, predictor: Predictor, row: WordRow, places: Sequence[tuple[int, int]], target: str) -> None:
        super().__init__(predictor, row, places[0][1])
        self.places, self.target = places, target
        self.over_tokens = isinstance(predictor.task, Answering)

    def shaped(self, found: np.ndarray) -> np.ndarray:
        """Return the logits of copies as `pick` reads them.

        Args:
            found: float64 [copies,T,C].

        Returns:
            The same, float64 [copies,T,C].
        """
        return found

    def pick(self, logits: Any) -> Any:
        """Return the explained number of each row.

        Args:
            logits: [B,T,C], or {"start_logits" [B,T], "end_logits" [B,T]}.

        Returns:
            The mean of the logits, [B].
        """
        if isinstance(logits, dict):
            found = [logits[f"{ENDS[column]}_logits"][:, token] for token, column in self.places]
        else:
            found = [logits[:, token, column] for token, column in self.places]
        return sum(found[1:], found[0]) / len(found)

    def chance(self, kept: np.ndarray) -> np.ndarray:
        """Compute the probability of what is explained where only some words are there.

        Args:
            kept: bool [copies,words], the words that stay.

        Returns:
            float64 [copies], the mean over the tokens: of a tag among all tags, of a start or end among all tokens.
        """
        found = self.all_of(kept)
        shares = softmax(found.transpose(0, 2, 1)).transpose(0, 2, 1) if self.over_tokens else softmax(found)
        return np.asarray(self.pick(shares), "float64")

    def reads(self, size: int) -> np.ndarray:
        """Return how much each vector of the last layer is read.

        Args:
            size: T, the tokens of the row.

        Returns:
            float64 [T], which adds up to 1.
        """
        return np.eye(size)[[token for token, _ in self.places]].mean(axis=0)


def token_logits(predictor: Predictor, inputs: Sequence[Any], predictions: Sequence[Any],
                 target: str | None) -> tuple[list[Logit], list[dict[str, Any]]]:
    """Return what explanations of a tagger or an answerer are of.

    Args:
        predictor: The model.
        inputs: Its inputs.
        predictions: The prediction of each.
        target: A type of entities, or "start" or "end" of answers; None takes all.

    Returns:
        (a `TokenLogit` for each explanation, the answer of each as `predict` gives it: of a tagger {"entity": ...}).

    Raises:
        Error: When there is no such target.
    """
    task = predictor.task
    subjects = _entities if isinstance(task, Tagging) else _answers
    known = sorted({label[2:] or label for label in task.labels if label != OUTSIDE}) if isinstance(
        task, Tagging) else list(ENDS)
    if target is not None and target not in known:
        raise Error(f"target={target!r:.40} is nothing that this model can be asked for; give one of "
                    f"{', '.join(known)}.")
    answers = task.answers(inputs, predictions)
    found = [pair for given, answer in zip(inputs, answers, strict=True)
             for pair in subjects(predictor, given, answer, target)]
    return [logit for logit, _ in found], [answer for _, answer in found]


def _entities(predictor: Predictor, given: Any, answer: dict[str, Any],
              target: str | None) -> Iterator[tuple[Logit, dict[str, Any]]]:
    """Yield what each entity of a text hangs on: the logits of the tags of its words, read as in prediction."""
    task, wanted = predictor.task, [one for one in answer["entities"] if target in (None, one["type"])]
    if not wanted:
        say(f"There is no entity to explain in {given!r:.40}.")
        return
    encoding, read, pieces = encoded_words(predictor.tokenizer, given, task.convention)
    text = given if isinstance(given, str) else read.encoded
    plain = read.encoded == given
    spans = word_spans(given) if plain else read.spans
    own = spans if plain else read.own

    def cut(places: Sequence[int]) -> list[Window]:
        return windows(predictor.tokenizer, places, predictor.length, stride=task.stride)

    chosen = max_context(cut(encoding.ids), len(encoding.ids))
    for entity in wanted:
        units = [piece for piece, (start, end) in zip(pieces, read.own, strict=True)
                 if piece >= 0 and entity["start"] <= start and end <= entity["end"]]
        number = int(chosen[units[0]])
        window = cut(encoding.ids)[number]
        row = window_row((text,), [encoding], [spans], [own], lambda places: cut(places[0])[number].row)  # noqa: B023
        tokens = [window.row_position(piece) for piece in units if window.start <= piece < window.end]
        yield TokenLogit(predictor, row, _tagged(predictor, row, tokens), entity["type"]), {"entity": entity}


def _tagged(predictor, row, tokens):
    """Return (token, number of its tag) of the tokens that have one, else of the first."""
    best = TokenLogit(predictor, row, [(0, 0)], "").all_of(np.ones((1, len(row.words)), bool))[0].argmax(axis=-1)
    labels = predictor.task.labels
    found = [(token, int(best[token])) for token in tokens if labels[best[token]] != OUTSIDE]
    return found or [(tokens[0], int(best[tokens[0]]))]


def _answers(predictor: Predictor, given: Any, answer: dict[str, Any],
             target: str | None) -> Iterator[tuple[Logit, dict[str, Any]]]:
    """Yield what the start and the end of an answer hang on; of no answer both are the classification token."""
    task, tokenizer = predictor.task, predictor.tokenizer
    texts = tuple(given)
    encodings = tokenizer.encode(list(texts))

    def cut(places: Sequence[Sequence[int]]) -> list[Window]:
        return windows(tokenizer, places[1], predictor.length, places[0][:task.query], task.stride)

    found = cut([list(encoding.ids) for encoding in encodings])
    number, tokens = _span(found, encodings[1], answer)
    spans = [word_spans(text) for text in texts]
    row = window_row(texts, encodings, spans, spans, lambda places: cut(places)[number].row)
    for column, end in enumerate(ENDS):
        if target in (None, end):
            yield TokenLogit(predictor, row, [(tokens[column], column)], end), answer


def _span(found, encoding, answer):
    """Return the number of the window that an answer was read in, and its first and last token there."""
    if answer["start"] < 0:
        return 0, (found[0].cls, found[0].cls)
    begin, stop = answer["start"], answer["start"] + len(answer["answer"])
    pieces = [place for place, (start, end) in enumerate(encoding.offsets) if start < stop and end > begin]
    number = int(max_context(found, len(encoding.ids))[pieces[0]])
    last = min(pieces[-1], found[number].end - 1)
    return number, tuple(found[number].row_position(piece) for piece in (pieces[0], last))
