"""What an explanation of an embedder is of: how alike two texts are, as a function of the words of one of them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops

from bertkit.errors import Error
from bertkit.inspection.logits import Logit
from bertkit.inspection.words import WordRow, window_row, word_spans
from bertkit.predictor import Predictor

SIDES = ("first", "second")
TINY = 1e-12        # a vector of length 0 has a cosine of 0


class Likeness(Logit):
    """The cosine of a text's vector with a vector that stays, cos(u, v) = uᵀv / (‖u‖ ‖v‖).

    Args:
        predictor: The model.
        row: The text.
        beside: v, the vector of the other text, float [D].
        target: Which text it is.

    Raises:
        Error: When the tokenizer has no token that could stand for a hidden word.
    """

    def __init__(self, predictor: Predictor, row: WordRow, beside: Any, target: str) -> None:
        super().__init__(predictor, row, 0)
        length = max(float(np.linalg.norm(beside)), TINY)
        self.beside, self.target = (np.asarray(beside, "float64") / length).astype("float32"), target

    def pick(self, logits: Any) -> Any:
        """Return the cosine of each row.

        Args:
            logits: u of each row, [B,D].

        Returns:
            The cosines, [B].
        """
        if isinstance(logits, np.ndarray):
            return logits @ self.beside / np.maximum(np.linalg.norm(logits, axis=-1), TINY)
        logits = ops.cast(logits, "float32")
        return ops.sum(logits * self.beside, axis=-1) / ops.maximum(ops.norm(logits, axis=-1), TINY)

    def chance(self, kept: np.ndarray) -> np.ndarray:
        """Compute the cosine where only some words are there.

        Args:
            kept: bool [copies,words], the words that stay.

        Returns:
            float64 [copies].
        """
        return self(kept)


def likenesses(predictor: Predictor, inputs: Sequence[Any], predictions: Sequence[Any],
               target: str | None) -> tuple[list[Logit], list[dict[str, Any]]]:
    """Return what explanations of pairs of texts are of: both texts in turn, the other one as it is.

    Args:
        predictor: The embedder.
        inputs: Pairs of texts.
        predictions: The vectors of each, [2,D].
        target: "first" or "second"; None takes both.

    Returns:
        (the cosines, the answer of each: {"score": the cosine, "beside": the other text}).

    Raises:
        Error: When there is no such target, or an input is no pair.
    """
    if target not in (None, *SIDES):
        raise Error(f"target={target!r:.40} is no text of a pair; give first or second, or leave it out for both.")
    found = []
    for number, (given, vectors) in enumerate(zip(inputs, predictions, strict=True), start=1):
        if isinstance(given, str) or len(given) != 2:
            raise Error(f"Input {number} is no pair of texts, and an embedder is asked why two texts are alike; give "
                        "the other text with --second, or pairs.")
        for side in range(2):
            if target in (None, SIDES[side]):
                logit = Likeness(predictor, _row(predictor, given[side]), vectors[1 - side], SIDES[side])
                whole = np.ones((1, len(logit.row.words)), bool)
                found.append((logit, {"score": float(logit(whole)[0]), "beside": given[1 - side]}))
    return [logit for logit, _ in found], [answer for _, answer in found]


def _row(predictor, text):
    """Return the row of a text behind the prompt of the task; the prompt is no word of the text, and stays."""
    prompt, tokenizer = predictor.task.prompt, predictor.tokenizer
    own = word_spans(text)
    spans = [(start + len(prompt), end + len(prompt)) for start, end in own]
    return window_row((text,), tokenizer.encode([prompt + text]), [spans], [own],
                      lambda places: tokenizer.pack_ids(places[0], None, predictor.length))
