"""A text written from another: a summary in other words, a translation, an answer."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from bertkit import metrics
from bertkit.errors import Error
from bertkit.tasks.classification import text_rows
from bertkit.tasks.packed import Packed
from bertkit.tasks.task import Task
from bertkit.text.decoding import decoded

BLEU, ROUGE = slice(0, 10), ("rouge1", "rouge2", "rougeL")


@dataclass(frozen=True)
class Writing(Task):
    """The text that a model writes of a source; a target is a list of references.

    `longest` is how many tokens it writes at most, the end included. BLEU, 0 to 100, is that of sacrebleu without
    regard to case, which an uncased vocabulary has lost; ROUGE (F1) and distinct-n are fractions.
    """

    longest: int = 64

    name, output, points = "write", "token_ids", 1
    reads = ("source",)

    def input(self, line):
        """Return the source in a line of text."""
        return line

    def _checked(self, number, given):
        if isinstance(given, str | bytes):
            return given
        raise Error(f"Row {number} is {given!r:.60}; this model reads single sources: give a str.")

    def pack(self, tokenizer, inputs, length, targets=None):
        """Return a row for each source, cut to `length`; with `targets` for each of a source's references."""
        if targets is not None:
            inputs = [source for source, references in zip(inputs, targets, strict=True) for _ in references]
        return Packed(text_rows(tokenizer, inputs, length, pairs=False), tokenizer)

    def taught(self, tokenizer, targets):
        """Return each reference as the decoder is taught it: rows [begin, tokens], labels [tokens, end].

        One that is longer than `longest` is cut, and then its end is not taught. Raises `Error` for a tokenizer without
        the tokens that begin and end a text.
        """
        begin, end = ends(tokenizer)
        texts = tokenizer.ids([text for references in targets for text in references])
        labels = [[*ids, end][:self.longest] for ids in texts]
        rows = [([begin, *label[:-1]], [0] * len(label)) for label in labels]
        return Packed(rows, token_labels=labels)

    def predictions(self, outputs, packed):
        """Return the text of each source."""
        tokenizer = packed.origin
        _, end = ends(tokenizer)
        found = []
        for row in outputs:
            ids = np.asarray(row).astype("int64").tolist()
            found.append(decoded(tokenizer, ids[:ids.index(end)] if end in ids else ids))
        return found

    def answers(self, inputs, predictions):
        """Return for each source {"text"}."""
        return [{"text": text} for text in predictions]

    def sides(self, targets, predictions):
        """Return what the metrics compare: counts of BLEU and ROUGE of each text, [texts,13]."""
        counts = metrics.bleu_counts(targets, predictions, lowercase=True)
        rouge = [[metrics.rouge([references], [text], ROUGE)[kind]["f1"] for kind in ROUGE]
                 for references, text in zip(targets, predictions, strict=True)]
        return (np.concatenate([counts, rouge], axis=1),)

    @property
    def metrics(self):
        return {"bleu": lambda table: metrics.bleu_of(table[:, BLEU].astype("int64")),
                **{name: _Mean(10 + place) for place, name in enumerate(ROUGE)}}

    def scores(self, targets, predictions):
        """Return the metrics and distinct-1 and -2, which have no interval: a text drawn twice is never distinct."""
        more = {f"distinct{n}": metrics.distinct(predictions, n) for n in (1, 2)}
        return super().scores(targets, predictions) | more


class _Mean(NamedTuple):
    """The mean of a column."""

    column: int

    def __call__(self, table):
        return float(table[:, self.column].mean())


def ends(tokenizer):
    """Return the ids that a text begins and ends with; raises `Error` for a tokenizer without."""
    if None in (tokenizer.cls_id, tokenizer.sep_id):
        raise Error("The tokenizer has no tokens that begin and end a text ([CLS], [SEP]), between which a model "
                    "writes; give the checkpoint of a model trained with them.")
    return tokenizer.cls_id, tokenizer.sep_id
