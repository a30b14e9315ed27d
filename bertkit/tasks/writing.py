"""Write a text from another one: a summary in other words, a translation, an answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from bertkit import metrics
from bertkit.errors import Error
from bertkit.tasks.classification import text_rows
from bertkit.tasks.packed import Packed
from bertkit.tasks.summarising import counted_words
from bertkit.tasks.task import Task
from bertkit.text import Tokenizer
from bertkit.text.decoding import decode

BLEU, ROUGE = slice(0, 10), ("rouge1", "rouge2", "rougeL")


@dataclass(frozen=True)
class Writing(Task):
    """The text that a model writes from a source; a target is a list of references.

    BLEU, 0 to 100, is that of sacrebleu on lower-cased texts, because an uncased vocabulary has lost the case; ROUGE
    (F1) and distinct-n are fractions.

    Args:
        longest: The most tokens that the model writes, with the end token.
    """

    longest: int = 64

    name, output, points = "write", "token_ids", 1
    reads = ("source",)
    counted = "texts with the higher ROUGE-1"

    def input(self, line: str) -> str:
        """Return the source in a line of text.

        Args:
            line: The line.

        Returns:
            The source.
        """
        return line

    def _checked(self, number, example):
        if isinstance(example, str | bytes):
            return example
        raise Error(f"Row {number} is {example!r:.60}; this model reads single sources: give a str.")

    def pack(self, tokenizer: Tokenizer, inputs: Sequence[Any], length: int, targets: Any = None) -> Packed:
        """Make a row of each source, or, with targets, of each reference's source.

        Args:
            tokenizer: The `Tokenizer`.
            inputs: Sources.
            length: The most tokens of a row.
            targets: Lists of references.

        Returns:
            The `Packed` rows.
        """
        if targets is not None:
            inputs = [source for source, references in zip(inputs, targets, strict=True) for _ in references]
        return Packed(text_rows(tokenizer, inputs, length, pairs=False), tokenizer)

    def decoder_rows(self, tokenizer: Tokenizer, targets: Sequence[Sequence[str]]) -> Packed:
        """Make what the decoder learns of each reference: rows [begin, tokens], labels [tokens, end].

        A reference that is longer than `longest` is cut, and its end is then not learned.

        Args:
            tokenizer: The `Tokenizer`.
            targets: Lists of references.

        Returns:
            The `Packed` rows, with token labels.

        Raises:
            Error: when the tokenizer has no tokens that begin and end a text.
        """
        begin, end = begin_and_end_ids(tokenizer)
        texts = tokenizer.ids([text for references in targets for text in references])
        labels = [[*ids, end][:self.longest] for ids in texts]
        rows = [([begin, *label[:-1]], [0] * len(label)) for label in labels]
        return Packed(rows, token_labels=labels)

    def predictions(self, outputs: Sequence[Any], packed: Packed) -> list[str]:
        """Return the text that was written for each source.

        Args:
            outputs: Token ids of each source.
            packed: The `Packed` rows.

        Returns:
            A text for each source.
        """
        tokenizer = packed.origin
        _, end = begin_and_end_ids(tokenizer)
        texts = []
        for row in outputs:
            ids = np.asarray(row).astype("int64").tolist()
            texts.append(decode(tokenizer, ids[:ids.index(end)] if end in ids else ids))
        return texts

    def answers(self, inputs: Sequence[Any], predictions: Sequence[str]) -> list[dict[str, Any]]:
        """Return the answer to each source.

        Args:
            inputs: Not used.
            predictions: The texts.

        Returns:
            {"text"} of each.
        """
        return [{"text": text} for text in predictions]

    def metric_inputs(self, targets: Any, predictions: Sequence[str]) -> tuple[np.ndarray]:
        """Return what the metrics compare.

        Args:
            targets: Lists of references.
            predictions: The texts.

        Returns:
            Counts of BLEU and ROUGE of each text, float64 [texts, 13].
        """
        counts = metrics.bleu_counts(targets, predictions, lowercase=True)
        rouge = [[metrics.rouge([references], [text], ROUGE)[kind]["f1"] for kind in ROUGE]
                 for references, text in zip(targets, predictions, strict=True)]
        return (np.concatenate([counts, rouge], axis=1),)

    def row_quality(self, targets: Any, predictions: Any) -> np.ndarray:
        """Return ROUGE-1 of each text.

        Args:
            targets: Lists of references.
            predictions: The texts.

        Returns:
            float64 [texts], from 0 to 1.
        """
        return self.metric_inputs(targets, predictions)[0][:, 10]

    def target_in_words(self, example: Any, target: Any) -> str:
        """Return the references of a text.

        Args:
            example: Not used.
            target: A list of texts.

        Returns:
            The text.
        """
        return " / ".join(target)

    @property
    def metrics(self) -> dict[str, Any]:
        """BLEU, which decides, and ROUGE."""
        return {"bleu": lambda table: metrics.bleu_of(table[:, BLEU].astype("int64")),
                **{name: _Mean(10 + place) for place, name in enumerate(ROUGE)}}

    def decision(self, targets: Any) -> str:
        """Return in one sentence whose words ROUGE counts, where they are not those of the library rouge-score.

        Args:
            targets: Lists of references.

        Returns:
            The sentence; "" in English.
        """
        return counted_words(targets)

    def scores(self, targets: Any, predictions: Sequence[str]) -> dict[str, Any]:
        """Compute the metrics, and distinct-1 and -2, which have no interval: a text drawn twice is never distinct.

        Args:
            targets: Lists of references.
            predictions: The texts.

        Returns:
            {metric: number}.
        """
        more = {f"distinct{n}": metrics.distinct(predictions, n) for n in (1, 2)}
        return super().scores(targets, predictions) | more


class _Mean(NamedTuple):
    """The mean of a column."""

    column: int

    def __call__(self, table):
        return float(table[:, self.column].mean())


def begin_and_end_ids(tokenizer: Tokenizer) -> tuple[int, int]:
    """Return the ids with which a text begins and ends.

    Args:
        tokenizer: The `Tokenizer`.

    Returns:
        (The id of the first token, the id of the last).

    Raises:
        Error: when the tokenizer has no such tokens.
    """
    if tokenizer.cls_id is None or tokenizer.sep_id is None:
        raise Error("The tokenizer has no tokens that begin and end a text ([CLS], [SEP]), between which a model "
                    "writes; give the checkpoint of a model trained with them.")
    return tokenizer.cls_id, tokenizer.sep_id
