"""Rows to read, and beside each the row to write: what an encoder-decoder learns from."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from bertkit.data.features import Features, features_of
from bertkit.data.inputs import Labelled
from bertkit.data.splits import Splits
from bertkit.text import Tokenizer


@dataclass(frozen=True)
class Seq2SeqFeatures(Features):
    """Rows that are read, and as many rows that are written from them.

    Args:
        token_ids: int32, the ids of all rows that are read.
        segment_ids: int32, beside `token_ids`.
        starts: int64 [rows + 1], where each row starts.
        labels: None.
        padding: What fills a row of a batch up.
        token_labels: int32, the labels of the rows that are written.
        group: 1.
        counts: None.
        target: The `Features` of the rows that are written, with their labels.
    """

    target: Any = None

    def batch(self, examples: Any, length: int | None = None) -> dict[str, np.ndarray]:
        """Return examples as padded arrays.

        Args:
            examples: The numbers of the examples, [B].
            length: Tokens of a padded row that is read; None takes the longest row's.

        Returns:
            What `Features.batch` returns, and "target_ids" int32 [B,U], padded on the right to the longest row that
            is written.
        """
        return {**super().batch(examples, length), "target_ids": self.target.batch(examples)["token_ids"]}

    def targets(self, examples: Any, length: int | None = None) -> np.ndarray | None:
        """Return the labels of the rows that are written.

        Args:
            examples: The numbers of the examples, [B].
            length: Not used.

        Returns:
            int32 [B,U], the labels, padded as "target_ids".
        """
        return self.target.targets(examples)

    @property
    def scored(self) -> np.ndarray:
        """The labels of each row that is written, int64 [examples]."""
        return self.target.scored

    @property
    def single_rows(self) -> Features:
        """The rows that are read, without those that are written."""
        return Features(self.token_ids, self.segment_ids, self.starts, padding=self.padding)


def seq2seq_examples(task: Any, tokenizer: Tokenizer, labelled: Labelled, length: int) -> Seq2SeqFeatures:
    """Return sources with their references, one row for each reference.

    Args:
        task: A `Writing`.
        tokenizer: The `Tokenizer`.
        labelled: The `Labelled` sources.
        length: The most tokens of a row that is read.

    Returns:
        The `Seq2SeqFeatures` rows.
    """
    source = features_of(task.pack(tokenizer, labelled.inputs, length, labelled.targets), tokenizer)
    target = features_of(task.decoder_rows(tokenizer, labelled.targets), tokenizer)
    return Seq2SeqFeatures(source.token_ids, source.segment_ids, source.starts, padding=source.padding,
                           token_labels=target.token_labels, target=target)


class Seq2SeqSplits(Splits):
    """The files of a run that learns to write.

    Args:
        name: The name of the task's command, "write".
        train: The training file.
        dev: The dev file, or None.
        test: The test file, or None.
        columns: Names of columns.
        limit: Read the first rows of train only.
        held_back: The share of train that is dev where there is no dev file.
        reading: Further arguments of `read_labelled`.
    """

    def features(self, tokenizer: Tokenizer, length: int) -> Seq2SeqFeatures:
        """Return the rows to train on.

        Args:
            tokenizer: The `Tokenizer`.
            length: The most tokens of a row that is read.

        Returns:
            The `Seq2SeqFeatures` rows.
        """
        return seq2seq_examples(self.task, tokenizer, self.parts["train"], length)

    def reference_rows(self, tokenizer: Tokenizer, length: int) -> dict[str, Seq2SeqFeatures]:
        """Return the references whose perplexity is measured.

        Args:
            tokenizer: The `Tokenizer`.
            length: The most tokens of a row that is read.

        Returns:
            {"dev": `Seq2SeqFeatures`, "test": `Seq2SeqFeatures` where there is one}.
        """
        return {name: seq2seq_examples(self.task, tokenizer, part, length) for name, part in self.parts.items()
                if name != "train"}
