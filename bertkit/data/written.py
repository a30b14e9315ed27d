"""Rows to read, and beside each the row to write: what an encoder-decoder is taught."""

from dataclasses import dataclass

from bertkit.data.features import Features, features_of
from bertkit.data.splits import Splits


@dataclass(frozen=True)
class Written(Features):
    """Rows that are read; `target`, as many rows, are what is written of them, with their labels.

    Batches hold "target_ids" too, padded on the right to the longest of their own.
    """

    target: Features | None = None

    def batch(self, examples, length=None):
        return {**super().batch(examples, length), "target_ids": self.target.batch(examples)["token_ids"]}

    def targets(self, examples, length=None):
        return self.target.targets(examples)

    @property
    def alone(self):
        """The rows that are read, without those that are written."""
        return Features(self.token_ids, self.segment_ids, self.starts, padding=self.padding)


def written(task, tokenizer, labelled, length):
    """Return `Labelled` sources with their references as `Written`, one row for each reference."""
    read = features_of(task.pack(tokenizer, labelled.inputs, length, labelled.targets), tokenizer)
    target = features_of(task.taught(tokenizer, labelled.targets), tokenizer)
    return Written(read.token_ids, read.segment_ids, read.starts, padding=read.padding,
                   token_labels=target.token_labels, target=target)


class WrittenSplits(Splits):
    """The files of a run that learns to write."""

    def features(self, tokenizer, length):
        """Return the `Written` rows to train on."""
        return written(self.task, tokenizer, self.parts["train"], length)

    def taught(self, tokenizer, length):
        """Return {"dev": Written, "test": Written} of the references, whose perplexity is measured."""
        return {name: written(self.task, tokenizer, part, length) for name, part in self.parts.items()
                if name != "train"}
